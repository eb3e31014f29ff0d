//! Requests of `muster login`, and the wrong codes that people typed. Both codes are here as hashes only.
//!
//! Each change of state is one statement that names the state before it: of two who come at once, one wins.

use serde::Deserialize;

use super::{Db, Param};
use crate::auth::device::{ATTEMPTS_MAX, ATTEMPTS_MS, OPEN_MAX, OPEN_PER_NETWORK_MAX, UserCode};
use crate::auth::secret;
use crate::auth::token::Scope;
use crate::error::Error;

/// A request as it comes in.
pub struct NewRequest<'a> {
    /// The code that the program keeps.
    pub device_code: &'a str,
    /// The code that the person types.
    pub user_code: &'a UserCode,
    /// What the machine calls itself.
    pub name: &'a str,
    /// What the token shall be used for.
    pub scope: Scope,
    /// Where it was asked from; empty: the hub's own machine.
    pub address: &'a str,
    /// What the address is counted as.
    pub network: &'a str,
    /// Seconds between polls.
    pub interval_s: u64,
    /// When it came.
    pub now_ms: u64,
    /// Until when it can be confirmed and collected.
    pub expires_ms: u64,
}

/// What a person is asked to confirm.
#[derive(Clone, Debug, Deserialize)]
pub struct Waiting {
    /// What the machine calls itself.
    pub name: String,
    /// What the token shall be used for.
    pub scope: Scope,
    /// Where it was asked from; empty: the hub's own machine.
    pub address: String,
    /// When it was asked.
    pub created_ms: u64,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody decided yet.
    Pending,
    /// A token waits to be made at the next poll.
    Approved,
    /// There is none.
    Denied,
    /// The token was handed out.
    Collected,
}

/// A request as its program polls for it.
#[derive(Clone, Debug, Deserialize)]
pub struct Polled {
    /// What became of it.
    pub state: State,
    /// Its name.
    pub name: String,
    /// What the token is for.
    pub scope: Scope,
    /// Who approved or denied it.
    pub person: Option<u64>,
    /// Since when they may not come in any more; 0: they may.
    pub lost_ms: Option<u64>,
    /// Seconds between polls.
    pub interval_s: u64,
    /// When it was polled before; 0: never.
    pub polled_ms: u64,
}

impl Db {
    /// A new request. False when too many wait already, or when another has the same user code.
    pub async fn add_device_request(&self, request: &NewRequest<'_>) -> Result<bool, Error> {
        self.run("DELETE FROM device_requests WHERE expires_ms <= ?1", &[Param::Number(request.now_ms)]).await?;
        let inserted = self
            .run(
                "INSERT INTO device_requests
                   (device_hash, user_hash, name, scope, address, interval_s, created_ms, expires_ms, network)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?11
                 WHERE (SELECT count(*) FROM device_requests WHERE state = 'pending') < ?9
                   AND (?11 = '' OR (SELECT count(*) FROM device_requests
                                     WHERE network = ?11 AND state = 'pending') < ?10)
                 ON CONFLICT DO NOTHING",
                &[
                    Param::Text(&secret::hash(request.device_code)),
                    Param::Text(&secret::hash(request.user_code.letters())),
                    Param::Text(request.name),
                    Param::Text(request.scope.word()),
                    Param::Text(request.address),
                    Param::Number(request.interval_s),
                    Param::Number(request.now_ms),
                    Param::Number(request.expires_ms),
                    Param::Number(OPEN_MAX),
                    Param::Number(OPEN_PER_NETWORK_MAX),
                    Param::Text(request.network),
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    /// The request with this user code that nobody decided yet.
    pub async fn waiting_device(&self, code: &UserCode, now_ms: u64) -> Result<Option<Waiting>, Error> {
        self.first(
            "SELECT name, scope, address, created_ms FROM device_requests
             WHERE user_hash = ?1 AND state = 'pending' AND expires_ms > ?2",
            &[Param::Text(&secret::hash(code.letters())), Param::Number(now_ms)],
        )
        .await
    }

    /// This person decides; the request is theirs from then on. `None` when there is none to decide.
    pub async fn decide_device(
        &self,
        code: &UserCode,
        person: u64,
        approve: bool,
        now_ms: u64,
    ) -> Result<Option<Waiting>, Error> {
        self.first(
            "UPDATE device_requests SET state = ?3, person = ?2
             WHERE user_hash = ?1 AND state = 'pending' AND expires_ms > ?4
             RETURNING name, scope, address, created_ms",
            &[
                Param::Text(&secret::hash(code.letters())),
                Param::Number(person),
                Param::Text(if approve { "approved" } else { "denied" }),
                Param::Number(now_ms),
            ],
        )
        .await
    }

    /// The request with this device code, as it was before this poll.
    pub async fn poll_device(&self, device_code: &str, now_ms: u64) -> Result<Option<Polled>, Error> {
        self.first(
            "SELECT d.state, d.name, d.scope, d.person, p.lost_ms, d.interval_s, d.polled_ms
             FROM device_requests d LEFT JOIN people p ON p.id = d.person
             WHERE d.device_hash = ?1 AND d.expires_ms > ?2",
            &[Param::Text(&secret::hash(device_code)), Param::Number(now_ms)],
        )
        .await
    }

    /// Marks a poll, and how long the next has to wait.
    pub async fn mark_device_poll(&self, device_code: &str, interval_s: u64, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE device_requests SET polled_ms = ?2, interval_s = ?3 WHERE device_hash = ?1",
            &[Param::Text(&secret::hash(device_code)), Param::Number(now_ms), Param::Number(interval_s)],
        )
        .await?;
        Ok(())
    }

    /// Takes an approved request. True for exactly one caller, however many come at once.
    pub async fn collect_device(&self, device_code: &str) -> Result<bool, Error> {
        let changed = self
            .run(
                "UPDATE device_requests SET state = 'collected' WHERE device_hash = ?1 AND state = 'approved'",
                &[Param::Text(&secret::hash(device_code))],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Puts back what was taken, when no token came of it.
    pub async fn put_device_back(&self, device_code: &str) -> Result<(), Error> {
        self.run(
            "UPDATE device_requests SET state = 'approved' WHERE device_hash = ?1 AND state = 'collected'",
            &[Param::Text(&secret::hash(device_code))],
        )
        .await?;
        Ok(())
    }

    /// Takes one of the person's attempts, before the code is looked up, so that many at once are bounded too. `None` when
    /// it was taken; else the moment from which there are new ones.
    pub async fn take_device_attempt(&self, person: u64, now_ms: u64) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Row {
            since_ms: u64,
        }
        let since_ms_max = now_ms.saturating_sub(ATTEMPTS_MS);
        let taken = self
            .run(
                "INSERT INTO device_attempts (person, since_ms, used) VALUES (?1, ?2, 1)
                 ON CONFLICT (person) DO UPDATE SET
                   used = CASE WHEN since_ms <= ?3 THEN 1 ELSE used + 1 END,
                   since_ms = CASE WHEN since_ms <= ?3 THEN ?2 ELSE since_ms END
                 WHERE since_ms <= ?3 OR used < ?4",
                &[
                    Param::Number(person),
                    Param::Number(now_ms),
                    Param::Number(since_ms_max),
                    Param::Number(ATTEMPTS_MAX),
                ],
            )
            .await?;
        if taken == 1 {
            return Ok(None);
        }
        let row: Option<Row> =
            self.first("SELECT since_ms FROM device_attempts WHERE person = ?1", &[Param::Number(person)]).await?;
        Ok(Some(row.map_or(now_ms, |row| row.since_ms) + ATTEMPTS_MS))
    }

    /// Gives an attempt back: the code was right.
    pub async fn return_device_attempt(&self, person: u64) -> Result<(), Error> {
        self.run("UPDATE device_attempts SET used = used - 1 WHERE person = ?1 AND used > 0", &[Param::Number(person)])
            .await?;
        Ok(())
    }
}
