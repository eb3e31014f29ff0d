import assert from "node:assert/strict";
import { test } from "node:test";
import { splitStatements } from "../../scripts/lib/sql.mjs";

test("semicolons end statements, but not in strings, comments, names and triggers", () => {
  const sql = `
    -- a comment; with a semicolon
    CREATE TABLE a (v TEXT DEFAULT 'x;''y', "odd;name" TEXT); /* ; */
    CREATE TRIGGER IF NOT EXISTS t AFTER INSERT ON a BEGIN
      UPDATE a SET v = CASE WHEN v = 'BEGIN' THEN 'END' ELSE v END;
      DELETE FROM a;
    END;
    CREATE INDEX i ON a (v)`;
  const statements = splitStatements(sql);
  assert.equal(statements.length, 3);
  assert.match(statements[0], /^CREATE TABLE a .*'x;''y', "odd;name" TEXT\)$/s);
  assert.match(statements[1], /^CREATE TRIGGER .*END$/s);
  assert.equal(statements[2], "CREATE INDEX i ON a (v)");
});

test("nothing is no statement", () => assert.deepEqual(splitStatements("\n -- nothing\n ; ;"), []));
