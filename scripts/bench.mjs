// `npm run bench`: set-up and build, each step skipped when done, then the rows of bench/run.mjs.

import { fileURLToPath } from "node:url";
import { ready } from "./lib/modules.mjs";
import { main } from "./lib/progress.mjs";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await ready(); // only now do imports find npm's packages
    const { build } = await import("./build.mjs");
    if (!process.argv.includes("--help")) await build();
    const { bench } = await import("../bench/run.mjs");
    await bench(process.argv.slice(2));
  });
}
