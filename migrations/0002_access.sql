-- Tokens of more kinds, that end, and that say from where they were used. SQLite cannot change a CHECK: the table is made anew.

CREATE TABLE tokens_new (
  id TEXT PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES people (id),
  name TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('runner', 'cli', 'session', 'claudecodeui')),
  secret_hash TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL,
  -- 0: never.
  used_ms INTEGER NOT NULL DEFAULT 0,
  revoked_ms INTEGER NOT NULL DEFAULT 0,
  expires_ms INTEGER NOT NULL DEFAULT 0,
  used_from TEXT NOT NULL DEFAULT '',
  session INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO tokens_new (id, person, name, scope, secret_hash, created_ms, used_ms, revoked_ms)
  SELECT id, person, name, scope, secret_hash, created_ms, used_ms, revoked_ms FROM tokens;

DROP TABLE tokens;

ALTER TABLE tokens_new RENAME TO tokens;

CREATE INDEX tokens_person ON tokens (person);
