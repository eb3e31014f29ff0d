-- People who come from GitHub or Cloudflare Access, who may come in, and tokens with more scopes, an end and a trace.

-- 'admin' or 'member'.
ALTER TABLE people ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'member'));
-- GitHub's number of the person, which outlives every rename; 0: not from GitHub.
ALTER TABLE people ADD COLUMN github INTEGER NOT NULL DEFAULT 0;
-- What the person is called there now.
ALTER TABLE people ADD COLUMN login TEXT NOT NULL DEFAULT '';
-- The address that Cloudflare Access verified; '': not from Access.
ALTER TABLE people ADD COLUMN email TEXT NOT NULL DEFAULT '';
-- What lets the person in: 'org:acme', 'team:acme/platform', 'user:ann', 'admin', 'access', 'local'.
ALTER TABLE people ADD COLUMN allowed_by TEXT NOT NULL DEFAULT '';
-- When that was last confirmed, when to ask again, and since when the person is out; 0: never, never, is in.
ALTER TABLE people ADD COLUMN checked_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN recheck_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN lost_ms INTEGER NOT NULL DEFAULT 0;

UPDATE people SET role = 'admin', allowed_by = 'local' WHERE origin = 'local';

CREATE UNIQUE INDEX people_github ON people (github) WHERE github <> 0;
CREATE UNIQUE INDEX people_email ON people (email) WHERE email <> '';

-- GitHub's tokens of a person, sealed with the data key that kid names.
CREATE TABLE github_tokens (
  person INTEGER PRIMARY KEY REFERENCES people (id),
  kid TEXT NOT NULL,
  access TEXT NOT NULL,
  -- '': the token does not expire.
  refresh TEXT NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;

-- Who may come in: organisations, teams and users of GitHub.
CREATE TABLE allowed_entities (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('org', 'team', 'user')),
  -- In lower case; a team as org/team.
  name TEXT NOT NULL,
  -- GitHub's number of a user, once that user came: a name given up and taken by another lets nobody in.
  github INTEGER NOT NULL DEFAULT 0,
  added_ms INTEGER NOT NULL,
  UNIQUE (kind, name)
) STRICT;

-- Logins that the deployment names as admins, and whom they meant when they first came: a name given up and taken by another
-- makes nobody an admin.
CREATE TABLE admin_logins (
  login TEXT PRIMARY KEY,
  github INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done once for this deployment.
CREATE TABLE deployment (
  name TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Webhooks that were acted upon: one that comes again does nothing.
CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- SQLite cannot widen a CHECK: the table is made anew.
CREATE TABLE tokens_wider (
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
  -- The address that it was last used from, as far as it is known.
  used_from TEXT NOT NULL DEFAULT '',
  -- The one session that a token of scope 'session' is for; 0: none.
  session INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO tokens_wider (id, person, name, scope, secret_hash, created_ms, used_ms, revoked_ms)
  SELECT id, person, name, scope, secret_hash, created_ms, used_ms, revoked_ms FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_wider RENAME TO tokens;
CREATE INDEX tokens_person ON tokens (person);
