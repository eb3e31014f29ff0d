// An audit log's chain, checked by a second program that was written from docs/security.md and knows nothing of the first.

import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const START = "0".repeat(64);
const netstring = (field) => `${Buffer.byteLength(String(field))}:${field},`;

/** What an entry's hash must be. */
export function hashOf(entry) {
  const keys = Object.keys(entry.detail).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const fields = ["muster.audit.1", entry.chain, entry.seq, entry.at_ms, entry.actor.kind, entry.actor.id, entry.actor.name];
  fields.push(entry.via, entry.action, entry.target, keys.length, ...keys.flatMap((key) => [key, entry.detail[key]]), entry.prev);
  return createHash("sha256").update(fields.map(netstring).join("")).digest("hex");
}

/** The entries of an export, after checking that they are a whole chain. Throws at the first that is not. */
export function chainOf(text) {
  const entries = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  let [prev, seq] = [START, 1];
  for (const entry of entries) {
    if (entry.seq !== seq) throw new Error(`entry ${entry.seq} where ${seq} should be`);
    if (entry.prev !== prev) throw new Error(`entry ${seq} does not follow the one before`);
    if (entry.hash !== hashOf(entry)) throw new Error(`entry ${seq} has another hash`);
    [prev, seq] = [entry.hash, seq + 1];
  }
  return entries;
}

/** The D1 database of a hub, as whoever can write to the disk has it. */
export function openD1(hub) {
  const below = join(hub.stateDir, "d1");
  for (const file of readdirSync(below, { recursive: true }).filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(below, file));
    if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'audit'").get()) return database;
    database.close();
  }
  throw new Error("no database has the audit log");
}
