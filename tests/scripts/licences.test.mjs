import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowed } from "../../scripts/check-licences.mjs";

test("expressions are read as SPDX means them", () => {
  for (const good of [
    "MIT",
    "MIT/Apache-2.0",
    "GPL-3.0 OR MIT",
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
    "Apache-2.0 AND (GPL-2.0 OR ISC)",
  ]) {
    assert.ok(isAllowed(good), good);
  }
  for (const bad of ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0", "GPL-3.0 OR AGPL-3.0", "", null]) {
    assert.ok(!isAllowed(bad), String(bad));
  }
});
