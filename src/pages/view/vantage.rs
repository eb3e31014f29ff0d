//! From where somebody looks at a session.

use session_hub::standing::Standing;

/// Their own hub, or another's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// What numbers in addresses begin with: nothing, or `3-` for the hub of person 3.
    pub prefix: String,
    /// Whose hub it is; empty: one's own.
    pub owner_name: String,
    /// They came by a guest link, and have nothing else here.
    pub is_guest: bool,
}

impl Vantage {
    /// One's own hub.
    #[must_use]
    pub fn own() -> Vantage {
        Vantage::default()
    }

    /// That of somebody who comes on these grounds.
    #[must_use]
    pub fn of(standing: &Standing) -> Vantage {
        match standing {
            Standing::Owner => Vantage::own(),
            Standing::Invited(invited) => {
                let is_guest = invited.link.is_some();
                Vantage { is_guest, ..Vantage::in_hub_of(&invited.owner, &invited.owner_name) }
            }
        }
    }

    /// Another's hub.
    #[must_use]
    pub fn in_hub_of(owner: &str, name: &str) -> Vantage {
        Vantage { prefix: format!("{owner}-"), owner_name: super::text::visible(name), is_guest: false }
    }

    /// Whose hub it is, as `data-hub` names it; empty: one's own.
    #[must_use]
    pub fn hub(&self) -> &str {
        self.prefix.trim_end_matches('-')
    }

    /// It is one's own hub.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.prefix.is_empty()
    }
}
