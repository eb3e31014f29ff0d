//! The table of runners. Whether one is online is not in it: that is whether it has a socket.

use protocol::control::AgentOffer;

use super::Registry;
use crate::db::{Columns, Db};
use crate::store::{Store, StoreError};

/// A runner as it last introduced itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runner {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) hostname: String,
    pub(crate) platform: String,
    /// Empty before it ever connected.
    pub(crate) version: String,
    pub(crate) agents: Vec<AgentOffer>,
    pub(crate) home: String,
    pub(crate) revoked: bool,
    pub(crate) added_ms: u64,
    /// 0 before it ever connected.
    pub(crate) connected_ms: u64,
    /// When its newest connection ended; older than `connected_ms` while it is there.
    pub(crate) gone_ms: u64,
    /// The one session that it is for; 0: none in particular.
    pub(crate) session: u64,
}

impl Runner {
    /// The label of an agent that it offers; the word itself for one that it does not.
    pub(crate) fn label<'a>(&'a self, agent: &'a str) -> &'a str {
        self.agents.iter().find(|offer| offer.name == agent).map_or(agent, |offer| offer.label.as_str())
    }
}

pub(super) fn load<S: Store>(db: &Db<S>) -> Result<Vec<Runner>, StoreError> {
    let rows = db.read(
        "SELECT runner, name, hostname, platform, version, agents, home, revoked, added_ms, connected_ms, gone_ms,
         session FROM runners",
        &[],
    )?;
    let read = |row| {
        let mut columns = Columns::new(row);
        Ok(Runner {
            id: columns.text()?,
            name: columns.text()?,
            hostname: columns.text()?,
            platform: columns.text()?,
            version: columns.text()?,
            // Written by this crate; a shape of another version shows as no agents until the next hello.
            agents: serde_json::from_str(&columns.text()?).unwrap_or_default(),
            home: columns.text()?,
            revoked: columns.bool()?,
            added_ms: columns.u64()?,
            connected_ms: columns.u64()?,
            gone_ms: columns.u64()?,
            session: columns.u64()?,
        })
    };
    rows.into_iter().map(read).collect()
}

impl Registry {
    /// Writes a runner, new or changed, and keeps it.
    pub(crate) fn put_runner<S: Store>(&mut self, db: &Db<S>, runner: Runner) -> Result<(), StoreError> {
        if self.runners.get(&runner.id) == Some(&runner) {
            return Ok(());
        }
        db.write(
            "INSERT INTO runners
             (runner, name, hostname, platform, version, agents, home, revoked, added_ms, connected_ms, gone_ms,
              session) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (runner) DO UPDATE SET name = excluded.name, hostname = excluded.hostname,
             platform = excluded.platform, version = excluded.version, agents = excluded.agents, home = excluded.home,
             revoked = excluded.revoked, connected_ms = excluded.connected_ms, gone_ms = excluded.gone_ms",
            &[
                (&runner.id).into(),
                (&runner.name).into(),
                (&runner.hostname).into(),
                (&runner.platform).into(),
                (&runner.version).into(),
                serde_json::to_string(&runner.agents).unwrap_or_default().as_str().into(),
                (&runner.home).into(),
                runner.revoked.into(),
                runner.added_ms.into(),
                runner.connected_ms.into(),
                runner.gone_ms.into(),
                runner.session.into(),
            ],
        )?;
        self.runners.insert(runner.id.clone(), runner);
        Ok(())
    }
}
