//! The table of shares: who else may do what with a session, and until when.

use protocol::right::Right;

use super::Registry;
use crate::call::Grantee;
use crate::db::{Columns, Db};
use crate::store::{Store, StoreError};

/// One share of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) share: u64,
    pub(crate) session: u64,
    pub(crate) grantee: Grantee,
    /// What people call the grantee.
    pub(crate) name: String,
    pub(crate) right: Right,
    pub(crate) created_ms: u64,
    /// 0: until it is withdrawn.
    pub(crate) expires_ms: u64,
}

impl Share {
    /// It has not expired at this time.
    pub(crate) fn holds_at(&self, now_ms: u64) -> bool {
        self.expires_ms == 0 || now_ms < self.expires_ms
    }
}

pub(super) fn load<S: Store>(db: &Db<S>) -> Result<Vec<Share>, StoreError> {
    let rows = db.read("SELECT share, session, kind, grantee, name, right, created_ms, expires_ms FROM shares", &[])?;
    let read = |row| {
        let mut columns = Columns::new(row);
        let (share, session, kind, id) = (columns.u64()?, columns.u64()?, columns.text()?, columns.text()?);
        let grantee =
            Grantee::from_parts(&kind, id).ok_or_else(|| StoreError(format!("share {share} is with nobody")))?;
        Ok(Share {
            share,
            session,
            grantee,
            name: columns.text()?,
            // A right that is not known gives the least.
            right: Right::from_word(&columns.text()?).unwrap_or(Right::Viewer),
            created_ms: columns.u64()?,
            expires_ms: columns.u64()?,
        })
    };
    rows.into_iter().map(read).collect()
}

impl Registry {
    /// A session's shares, in the order in which they were made.
    pub(crate) fn shares_of(&self, session: u64) -> impl Iterator<Item = &Share> {
        self.shares.values().filter(move |share| share.session == session)
    }

    /// Writes a share, new or changed, and keeps it.
    pub(crate) fn put_share<S: Store>(&mut self, db: &Db<S>, share: Share) -> Result<(), StoreError> {
        if self.shares.get(&share.share) == Some(&share) {
            return Ok(());
        }
        db.write(
            "INSERT INTO shares (share, session, kind, grantee, name, right, created_ms, expires_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (share) DO UPDATE SET name = excluded.name, right = excluded.right,
             expires_ms = excluded.expires_ms",
            &[
                share.share.into(),
                share.session.into(),
                share.grantee.kind().into(),
                share.grantee.id().into(),
                (&share.name).into(),
                share.right.word().into(),
                share.created_ms.into(),
                share.expires_ms.into(),
            ],
        )?;
        self.shares.insert(share.share, share);
        Ok(())
    }

    /// Forgets a share.
    pub(crate) fn drop_share<S: Store>(&mut self, db: &Db<S>, share: u64) -> Result<(), StoreError> {
        db.write("DELETE FROM shares WHERE share = ?", &[share.into()])?;
        self.shares.remove(&share);
        Ok(())
    }
}
