//! What somebody else shares, on the dashboard of whoever they share it with.

use session_hub::call::Shared;

use super::Vantage;
use super::board::SessionRow;

/// The sessions of one owner.
pub struct SharedView {
    /// Whose hub, as `/ws/connect?page=shared&shared=` names it.
    pub owner: String,
    /// What people call the owner.
    pub owner_name: String,
    /// Most urgent first.
    pub rows: Vec<SessionRow>,
    /// The owner's hub did not answer.
    pub unknown: bool,
}

impl SharedView {
    /// What a hub answered; `None` when it did not.
    #[must_use]
    pub fn new(shared: Option<&Shared>, vantage: &Vantage) -> SharedView {
        let row = |line: &session_hub::call::SharedSession, now_ms| {
            SessionRow::seen_from(vantage, line.right, &line.view, now_ms)
        };
        SharedView {
            owner: vantage.hub().to_owned(),
            owner_name: vantage.owner_name.clone(),
            rows: shared
                .map(|shared| shared.sessions.iter().map(|line| row(line, shared.now_ms)).collect())
                .unwrap_or_default(),
            unknown: shared.is_none(),
        }
    }
}
