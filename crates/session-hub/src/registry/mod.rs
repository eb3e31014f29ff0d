//! What the store holds of runners, instances, sessions and terminals, cached whole. Each change is written first and then made here,
//! so that memory never runs ahead; after a failed statement all of it is loaded again. It knows no socket.

mod instances;
mod runners;
mod sessions;
mod shares;
mod terminals;

use std::collections::BTreeMap;

use crate::db::Db;
use crate::store::{Store, StoreError};

pub(crate) use instances::{Instance, bar_every_token, bar_token, closed_ms, is_barred};
pub(crate) use runners::Runner;
pub(crate) use sessions::Session;
pub(crate) use shares::Share;
pub(crate) use terminals::{Checkpointed, Pending, Terminal};

/// The counter of invitations.
pub(crate) const INVITATIONS: &str = "invitation";

/// The cache.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Registry {
    pub(crate) runners: BTreeMap<String, Runner>,
    pub(crate) instances: BTreeMap<u64, Instance>,
    pub(crate) sessions: BTreeMap<u64, Session>,
    pub(crate) terminals: BTreeMap<u32, Terminal>,
    pub(crate) shares: BTreeMap<u64, Share>,
    /// How often somebody else shared something with this hub's person.
    pub(crate) invitations: u64,
}

impl Registry {
    /// Everything, from the store.
    pub(crate) fn load<S: Store>(db: &Db<S>) -> Result<Registry, StoreError> {
        Ok(Registry {
            runners: runners::load(db)?.into_iter().map(|runner| (runner.id.clone(), runner)).collect(),
            instances: instances::load(db)?.into_iter().map(|instance| (instance.number, instance)).collect(),
            sessions: sessions::load(db)?.into_iter().map(|session| (session.id, session)).collect(),
            terminals: terminals::load(db)?.into_iter().map(|terminal| (terminal.id, terminal)).collect(),
            invitations: db.number(INVITATIONS)?,
            shares: shares::load(db)?.into_iter().map(|share| (share.share, share)).collect(),
        })
    }

    /// A session's terminals, in their places.
    pub(crate) fn terminals_of(&self, session: u64) -> Vec<&Terminal> {
        let mut terminals: Vec<&Terminal> = self.terminals.values().filter(|t| t.session == session).collect();
        terminals.sort_by_key(|terminal| (terminal.place, terminal.id));
        terminals
    }

    /// A runner's terminals.
    pub(crate) fn terminals_on<'a>(&'a self, runner: &'a str) -> impl Iterator<Item = &'a Terminal> {
        self.terminals.values().filter(move |terminal| terminal.runner == runner)
    }

    /// What people call a runner.
    pub(crate) fn runner_name<'a>(&'a self, runner: &'a str) -> &'a str {
        self.runners.get(runner).map_or(runner, |runner| runner.name.as_str())
    }
}
