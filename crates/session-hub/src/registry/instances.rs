//! The table of claudecodeui instances and of the tokens that may not bring any more. Whether an instance is there is in it,
//! unlike with runners: its socket is in a lobby, where this hub cannot look.

use protocol::claudecodeui::{InstanceStatus, Metadata};

use super::Registry;
use crate::call::Link;
use crate::db::{Columns, Db, first};
use crate::store::{Store, StoreError};

/// An instance as it last introduced itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Instance {
    pub(crate) number: u64,
    /// Its own name for itself; one of each in a hub.
    pub(crate) client_id: String,
    /// The id of the token that it came with.
    pub(crate) token: String,
    pub(crate) metadata: Metadata,
    pub(crate) status_ms: u64,
    pub(crate) connected_ms: u64,
    pub(crate) gone_ms: u64,
    /// Its socket, while it is connected.
    pub(crate) link: Option<Link>,
}

pub(super) fn load<S: Store>(db: &Db<S>) -> Result<Vec<Instance>, StoreError> {
    let rows = db.read(
        "SELECT instance, client_id, token, hostname, project, status, version, status_ms, connected_ms, gone_ms,
         lobby, socket FROM instances",
        &[],
    )?;
    let read = |row| {
        let mut columns = Columns::new(row);
        let (number, client_id, token) = (columns.u64()?, columns.text()?, columns.text()?);
        let metadata = Metadata {
            hostname: columns.text()?,
            project: columns.text()?,
            status: InstanceStatus::from_word(&columns.text()?),
            version: columns.text()?,
        };
        let (status_ms, connected_ms, gone_ms) = (columns.u64()?, columns.u64()?, columns.u64()?);
        let link = match (columns.maybe_u64()?, columns.maybe_u64()?) {
            (Some(lobby), Some(socket)) => Some(Link { lobby: u32::try_from(lobby).unwrap_or(u32::MAX), socket }),
            _ => None,
        };
        Ok(Instance { number, client_id, token, metadata, status_ms, connected_ms, gone_ms, link })
    };
    rows.into_iter().map(read).collect()
}

impl Registry {
    /// The instance of this name.
    pub(crate) fn instance_named(&self, client_id: &str) -> Option<&Instance> {
        self.instances.values().find(|instance| instance.client_id == client_id)
    }

    /// The instance behind this socket.
    pub(crate) fn instance_at(&self, link: Link) -> Option<&Instance> {
        self.instances.values().find(|instance| instance.link == Some(link))
    }

    /// Writes an instance, new or changed, and keeps it.
    pub(crate) fn put_instance<S: Store>(&mut self, db: &Db<S>, instance: Instance) -> Result<(), StoreError> {
        if self.instances.get(&instance.number) == Some(&instance) {
            return Ok(());
        }
        let metadata = &instance.metadata;
        db.write(
            "INSERT INTO instances (instance, client_id, token, hostname, project, status, version, status_ms,
             connected_ms, gone_ms, lobby, socket) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (instance) DO UPDATE SET token = excluded.token, hostname = excluded.hostname,
             project = excluded.project, status = excluded.status, version = excluded.version,
             status_ms = excluded.status_ms, connected_ms = excluded.connected_ms, gone_ms = excluded.gone_ms,
             lobby = excluded.lobby, socket = excluded.socket",
            &[
                instance.number.into(),
                (&instance.client_id).into(),
                (&instance.token).into(),
                (&metadata.hostname).into(),
                (&metadata.project).into(),
                metadata.status.word().into(),
                (&metadata.version).into(),
                instance.status_ms.into(),
                instance.connected_ms.into(),
                instance.gone_ms.into(),
                instance.link.map(|link| link.lobby).into(),
                instance.link.map(|link| link.socket).into(),
            ],
        )?;
        self.instances.insert(instance.number, instance);
        Ok(())
    }

    /// Forgets an instance.
    pub(crate) fn drop_instance<S: Store>(&mut self, db: &Db<S>, number: u64) -> Result<(), StoreError> {
        db.write("DELETE FROM instances WHERE instance = ?", &[number.into()])?;
        self.instances.remove(&number);
        Ok(())
    }
}

/// Stands in the table for every token of the person. No token's id is empty.
const EVERY_TOKEN: &str = "";

/// Writes down that a token brings no instance any more, and forgets those that were revoked long ago.
pub(crate) fn bar_token<S: Store>(
    db: &Db<S>,
    token: &str,
    now_ms: u64,
    forget_before_ms: u64,
) -> Result<(), StoreError> {
    db.write("DELETE FROM barred_tokens WHERE at_ms < ?", &[forget_before_ms.into()])?;
    db.write(
        "INSERT INTO barred_tokens (token, at_ms) VALUES (?, ?) ON CONFLICT (token) DO UPDATE SET at_ms = excluded.at_ms",
        &[token.into(), now_ms.into()],
    )
}

/// Writes down that all is closed: what D1 said before of any token of the person counts no more.
pub(crate) fn bar_every_token<S: Store>(db: &Db<S>, now_ms: u64, forget_before_ms: u64) -> Result<(), StoreError> {
    bar_token(db, EVERY_TOKEN, now_ms, forget_before_ms)
}

/// Whether a token brings no instance any more.
pub(crate) fn is_barred<S: Store>(db: &Db<S>, token: &str) -> Result<bool, StoreError> {
    Ok(!db.read("SELECT 1 FROM barred_tokens WHERE token = ?", &[token.into()])?.is_empty())
}

/// When all was last closed; `None`: never, or longer ago than is remembered.
pub(crate) fn closed_ms<S: Store>(db: &Db<S>) -> Result<Option<u64>, StoreError> {
    let rows = db.read("SELECT at_ms FROM barred_tokens WHERE token = ?", &[EVERY_TOKEN.into()])?;
    first(rows)?.map(|mut columns| columns.u64()).transpose()
}
