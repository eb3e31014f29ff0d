import assert from "node:assert/strict";
import { closeSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LOG_BYTES_MAX, openLog } from "../../scripts/lib/log-file.mjs";
import { removeDir, tempDir } from "../support/temp.mjs";

test("a log goes on over starts, and is put aside once it is too large", (t) => {
  const folder = tempDir(undefined, "log");
  t.after(() => removeDir(folder));
  const file = join(folder, "hub.log");
  const append = (text) => {
    const log = openLog(file);
    writeSync(log, text);
    closeSync(log);
  };
  append("first\n");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  truncateSync(file, LOG_BYTES_MAX);
  append("second\n");
  assert.equal(statSync(file).size, LOG_BYTES_MAX + 7, "at the bound it goes on");
  assert.ok(!existsSync(`${file}.1`));
  writeFileSync(`${file}.1`, "from long ago\n");
  append("third\n");
  assert.equal(readFileSync(file, "utf8"), "third\n");
  assert.equal(statSync(`${file}.1`).size, LOG_BYTES_MAX + 7, "one old log is kept");
});
