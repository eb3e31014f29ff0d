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
