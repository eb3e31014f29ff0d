-- The deployment's audit log, and exact counters. Entries are never changed and never removed: triggers refuse it.
--
-- An entry gets its number with its insert, which may be part of the transaction of what it tells of. Its place in the chain,
-- prev and hash, is written once afterwards and follows from the entries alone: whoever seals it writes the same.

CREATE TABLE audit (
  -- From 1, without a gap.
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  -- JSON: an object of texts.
  detail TEXT NOT NULL,
  -- '': not sealed yet.
  prev TEXT NOT NULL DEFAULT '',
  hash TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_has_no_gap AFTER INSERT ON audit
WHEN NEW.hash <> '' OR NEW.prev <> '' OR NEW.seq <> 1 + coalesce((SELECT max(seq) FROM audit WHERE seq <> NEW.seq), 0)
BEGIN
  SELECT RAISE(ABORT, 'an entry of the audit log is added at its end, unsealed');
END;

CREATE TRIGGER audit_is_sealed_once BEFORE UPDATE ON audit
WHEN OLD.hash <> '' OR length(NEW.hash) <> 64 OR NEW.seq <> OLD.seq OR NEW.at_ms <> OLD.at_ms
  OR NEW.actor_kind <> OLD.actor_kind OR NEW.actor <> OLD.actor OR NEW.actor_name <> OLD.actor_name
  OR NEW.via <> OLD.via OR NEW.action <> OLD.action OR NEW.target <> OLD.target OR NEW.detail <> OLD.detail
  OR length(NEW.prev) <> 64
  OR NEW.prev <> coalesce((SELECT hash FROM audit WHERE seq = OLD.seq - 1), '0000000000000000000000000000000000000000000000000000000000000000')
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- How often something was tried within a span of time that begins with the first try: one row for each key, swept.
CREATE TABLE counts (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX counts_ends ON counts (ends_ms);
