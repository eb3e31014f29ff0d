-- The end state of migrations/, kept by hand and compared with it by `npm test`.

CREATE TABLE people (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  -- How the person signs in: 'local', 'github' or 'access'.
  origin TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  -- 'admin' or 'member'.
  role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'member')),
  -- GitHub's number of the person, which outlives every rename; 0: not from GitHub.
  github INTEGER NOT NULL DEFAULT 0,
  -- What the person is called there now.
  login TEXT NOT NULL DEFAULT '',
  -- The address that Cloudflare Access verified; '': not from Access.
  email TEXT NOT NULL DEFAULT '',
  -- What lets the person in: 'org:acme', 'team:acme/platform', 'user:ann', 'admin', 'access', 'local'.
  allowed_by TEXT NOT NULL DEFAULT '',
  -- When that was last confirmed, when to ask again, and since when the person is out; 0: never, never, is in.
  checked_ms INTEGER NOT NULL DEFAULT 0,
  recheck_ms INTEGER NOT NULL DEFAULT 0,
  lost_ms INTEGER NOT NULL DEFAULT 0,
  -- What let the person in and was lost, until GitHub said what else does: 'org:acme', 'team:acme/platform', 'organisation:acme'
  -- (it and its teams). '': nothing is in doubt. While it is, nothing of the person's works.
  doubt TEXT NOT NULL DEFAULT '',
  -- 1: the person's hub is still to be told to close what is open.
  to_close INTEGER NOT NULL DEFAULT 0,
  -- 'variable': an admin because the deployment's variables say so, and no longer than they do.
  role_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX people_github ON people (github) WHERE github <> 0;
CREATE UNIQUE INDEX people_email ON people (email) WHERE email <> '';
CREATE INDEX people_to_close ON people (id) WHERE to_close <> 0;

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
  -- GitHub's number of it, once somebody came by it: a name given up and taken by another lets nobody in.
  github INTEGER NOT NULL DEFAULT 0,
  added_ms INTEGER NOT NULL,
  -- GitHub's number of a team's organisation, kept with the team's own; 0: not known yet, or no team.
  organisation INTEGER NOT NULL DEFAULT 0,
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

CREATE TABLE tokens (
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
  session INTEGER NOT NULL DEFAULT 0,
  -- The token that made this one: it ends no later, and is revoked with it. '': a person made it.
  maker TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_person ON tokens (person);
CREATE INDEX tokens_maker ON tokens (maker) WHERE maker <> '';

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

-- The deployment's audit log. Entries are never changed and never removed: an entry gets its number with its insert, and its
-- place in the chain, prev and hash, is written once afterwards.
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

-- What `muster login` asks for: a program waits for a token until a person confirms its code in a browser.
CREATE TABLE device_requests (
  -- Of the code that the program polls with: 256 random bits.
  device_hash TEXT PRIMARY KEY,
  -- Of the code that the person types. Eight letters could be found by trying all of them: it is hashed so that nobody
  -- reads it by accident, and it is worth nothing without a sign-in, once used, or after ten minutes.
  user_hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('runner', 'cli')),
  -- Where it was asked from. Empty: the machine of the hub.
  address TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'collected')),
  -- Who approved or denied it.
  person INTEGER REFERENCES people (id),
  interval_s INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  -- 0: never.
  polled_ms INTEGER NOT NULL DEFAULT 0,
  -- What `address` is one of, and is counted as: itself, or the /64 of an IPv6 address.
  network TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX device_requests_expires ON device_requests (expires_ms);

-- Wrong codes that a person typed since `since_ms`.
CREATE TABLE device_attempts (
  person INTEGER PRIMARY KEY REFERENCES people (id),
  since_ms INTEGER NOT NULL,
  used INTEGER NOT NULL
) STRICT;

-- Which hubs share something with whom, so that the Worker knows where to ask. What a share lets somebody do is decided by
-- the owner's hub, on each message; a row too many here gives nobody anything.
CREATE TABLE shares (
  owner INTEGER NOT NULL REFERENCES people (id),
  -- Its number in the owner's hub.
  share INTEGER NOT NULL,
  session INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('person', 'team', 'guest')),
  -- A person's number, a team as org/team in lower case, or the hash of a guest link's secret.
  grantee TEXT NOT NULL,
  -- GitHub's number of the team: a name given up and taken by another lets nobody in. 0: not a team.
  github INTEGER NOT NULL,
  -- 0: until it is withdrawn.
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (owner, share)
) STRICT, WITHOUT ROWID;

CREATE INDEX shares_grantee ON shares (kind, grantee);

-- Browsers that opened a guest link, by the hash of their cookie. They end with the link.
CREATE TABLE guests (
  cookie_hash TEXT PRIMARY KEY,
  -- Names the guest in the owner's hub.
  guest TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  owner INTEGER NOT NULL REFERENCES people (id),
  share INTEGER NOT NULL,
  session INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX guests_share ON guests (owner, share);

-- Whether people are in the teams that something is shared with, as GitHub last said.
CREATE TABLE team_members (
  person INTEGER NOT NULL REFERENCES people (id),
  -- GitHub's number of the team, and what it was asked about as.
  github INTEGER NOT NULL,
  team TEXT NOT NULL,
  is_in INTEGER NOT NULL,
  checked_ms INTEGER NOT NULL,
  PRIMARY KEY (person, github)
) STRICT, WITHOUT ROWID;
