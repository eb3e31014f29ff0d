// The table of routes, read from where it stands, so that no route is forgotten by a test that means them all.

import { readFileSync } from "node:fs";
import { at } from "../../../scripts/lib/paths.mjs";

const ROW = /^ {4}(Get|Head|Post|Patch|Delete) "([^"]+)" (\w+) /gm;

/** [{method, path, who, url}], where url has something in place of each parameter. */
export function routes() {
  const text = readFileSync(at("src", "router", "table.rs"), "utf8");
  const rows = [...text.matchAll(ROW)].map(([, method, path, who]) => ({
    method: method.toUpperCase(),
    path,
    who,
    url: path.replace(/[:*]\w+/g, "1"),
  }));
  const lines = text.match(/^ {4}\w+ "\//gm).length;
  if (rows.length < 60 || rows.length !== lines) throw new Error(`only ${rows.length} routes found: has the table's form changed?`);
  return rows;
}
