//! The table of sessions. A session's status is not in it: it follows from its terminals.

use super::Registry;
use crate::db::{Columns, Db};
use crate::store::{Store, StoreError};

/// One piece of work.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) task: String,
    pub(crate) runner: String,
    pub(crate) agent: String,
    pub(crate) agent_label: String,
    pub(crate) cwd: String,
    pub(crate) created_ms: u64,
    pub(crate) archived: bool,
}

pub(super) fn load<S: Store>(db: &Db<S>) -> Result<Vec<Session>, StoreError> {
    let rows = db
        .read("SELECT session, name, task, runner, agent, agent_label, cwd, created_ms, archived FROM sessions", &[])?;
    let read = |row| {
        let mut columns = Columns::new(row);
        Ok(Session {
            id: columns.u64()?,
            name: columns.text()?,
            task: columns.text()?,
            runner: columns.text()?,
            agent: columns.text()?,
            agent_label: columns.text()?,
            cwd: columns.text()?,
            created_ms: columns.u64()?,
            archived: columns.bool()?,
        })
    };
    rows.into_iter().map(read).collect()
}

impl Registry {
    /// Writes a session, new or changed, and keeps it.
    pub(crate) fn put_session<S: Store>(&mut self, db: &Db<S>, session: Session) -> Result<(), StoreError> {
        if self.sessions.get(&session.id) == Some(&session) {
            return Ok(());
        }
        db.write(
            "INSERT INTO sessions (session, name, task, runner, agent, agent_label, cwd, created_ms, archived)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (session) DO UPDATE SET name = excluded.name, archived = excluded.archived",
            &[
                session.id.into(),
                (&session.name).into(),
                (&session.task).into(),
                (&session.runner).into(),
                (&session.agent).into(),
                (&session.agent_label).into(),
                (&session.cwd).into(),
                session.created_ms.into(),
                session.archived.into(),
            ],
        )?;
        self.sessions.insert(session.id, session);
        Ok(())
    }

    /// Deletes a session with everything that belongs to it. Its number is never given again.
    pub(crate) fn delete_session<S: Store>(&mut self, db: &Db<S>, session: u64) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM checkpoints WHERE terminal IN (SELECT terminal FROM terminals WHERE session = ?)",
            "DELETE FROM writers WHERE terminal IN (SELECT terminal FROM terminals WHERE session = ?)",
            "DELETE FROM drivers WHERE terminal IN (SELECT terminal FROM terminals WHERE session = ?)",
            "DELETE FROM shares WHERE session = ?",
            "DELETE FROM prompts WHERE session = ?",
            "DELETE FROM timeline WHERE session = ?",
            "DELETE FROM terminals WHERE session = ?",
            "DELETE FROM sessions WHERE session = ?",
        ] {
            db.write(statement, &[session.into()])?;
        }
        self.terminals.retain(|_, terminal| terminal.session != session);
        self.shares.retain(|_, share| share.session != session);
        self.sessions.remove(&session);
        Ok(())
    }
}
