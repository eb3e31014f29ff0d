// `npm run link`: a new one-time sign-in link for the hub that runs beside, on stdout.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LOCAL_STATE } from "./lib/paths.mjs";
import { Plain, main } from "./lib/progress.mjs";
import { makeLink } from "./lib/sign-in.mjs";

await main(async () => {
  const { values } = parseArgs({ options: { state: { type: "string", default: LOCAL_STATE } } });
  const hub = join(values.state, "hub");
  const owner = join(hub, "owner.json");
  if (!existsSync(owner)) throw new Plain(`No hub runs with the state in ${values.state}: npm start`);
  const { url } = JSON.parse(readFileSync(owner, "utf8"));
  const { MUSTER_LOCAL_SECRET } = JSON.parse(readFileSync(join(hub, "secrets.json"), "utf8"));
  console.log(makeLink(url, MUSTER_LOCAL_SECRET));
});
