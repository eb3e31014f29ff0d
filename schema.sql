-- The end state of migrations/, kept by hand and compared with it by `npm test`.

CREATE TABLE people (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  -- How the person signs in: 'local'.
  origin TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_ins (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES people (id),
  cookie_hash TEXT NOT NULL UNIQUE,
  -- What the browser calls itself, for the list that a person sees.
  agent TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_ins_person ON sign_ins (person);

CREATE TABLE "tokens" (
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

CREATE INDEX tokens_person ON tokens (person);

-- One-time links that were opened; a row may go once its link has expired anyway.
CREATE TABLE used_links (
  nonce_hash TEXT PRIMARY KEY,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that sign JWTs, when no secret of the deployment names them.
CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
