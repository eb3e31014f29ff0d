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
  polled_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX device_requests_expires ON device_requests (expires_ms);

-- Wrong codes that a person typed since `since_ms`.
CREATE TABLE device_attempts (
  person INTEGER PRIMARY KEY REFERENCES people (id),
  since_ms INTEGER NOT NULL,
  used INTEGER NOT NULL
) STRICT;
