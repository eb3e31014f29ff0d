-- Losing what let somebody in, names that mean one organisation or team for ever, and tokens that end with their maker.

-- What let the person in and was lost, until GitHub said what else does: 'org:acme', 'team:acme/platform', 'organisation:acme'
-- (it and its teams). '': nothing is in doubt. While it is, nothing of the person's works.
ALTER TABLE people ADD COLUMN doubt TEXT NOT NULL DEFAULT '';
-- 1: the person's hub is still to be told to close what is open.
ALTER TABLE people ADD COLUMN to_close INTEGER NOT NULL DEFAULT 0;
-- 'variable': an admin because the deployment's variables say so, and no longer than they do.
ALTER TABLE people ADD COLUMN role_by TEXT NOT NULL DEFAULT '';

UPDATE people SET to_close = 1 WHERE lost_ms <> 0 AND recheck_ms = 0;
UPDATE people SET role_by = 'variable' WHERE role = 'admin' AND allowed_by = 'admin';
-- Whom Cloudflare Access vouches for: when it last did, and until when that holds for tokens, 30 days later.
UPDATE people SET checked_ms = coalesce((SELECT max(s.seen_ms) FROM sign_ins s WHERE s.person = people.id), created_ms)
  WHERE allowed_by = 'access';
UPDATE people SET recheck_ms = checked_ms + 2592000000 WHERE allowed_by = 'access';

CREATE INDEX people_to_close ON people (id) WHERE to_close <> 0;

-- GitHub's number of a team's organisation, kept with the team's own; 0: not known yet, or no team.
ALTER TABLE allowed_entities ADD COLUMN organisation INTEGER NOT NULL DEFAULT 0;

-- The token that made this one: it ends no later, and is revoked with it. '': a person made it.
ALTER TABLE tokens ADD COLUMN maker TEXT NOT NULL DEFAULT '';
CREATE INDEX tokens_maker ON tokens (maker) WHERE maker <> '';

-- What `address` is one of, and is counted as: itself, or the /64 of an IPv6 address.
ALTER TABLE device_requests ADD COLUMN network TEXT NOT NULL DEFAULT '';
