//! What a person sees, as data and askama templates: a view struct for each page and each fragment.
//!
//! **Invariant.** Views are pure: they are made from the hub's answers and render to text. They know no request, no `worker`
//! and no clock; "now" is the moment the answer names. A page and the fragment pushed to it come from the same struct.
//! **Invariant.** What is pushed holds nothing personal, neither a token nor "you", so one rendering serves every socket of
//! the owner's, and another everybody who looks from the same [`Vantage`] with the same right.

#![allow(missing_docs, reason = "a field of a view is what its name says, in the words of the template")]

pub mod access;
pub mod audit;
pub mod board;
pub mod clients;
pub mod device;
pub mod instances;
pub mod new_session;
pub mod people;
pub mod push;
pub mod session;
pub mod shared;
pub mod simple;
pub mod status;
pub mod text;
pub mod time;
pub mod tokens;
pub mod vantage;
pub mod visitor;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use access::AccessPage;
pub use audit::AuditView;
pub use board::{DashboardPage, SharedListFragment};
pub use clients::{ClientPage, ClientsFragment, ClientsPage, ConnectPage, NewToken};
pub use device::{DevicePage, Step};
pub use instances::{InstanceFragment, InstancePage};
pub use new_session::{NewSessionDialog, NewSessionPage};
pub use people::{FreshLink, GuestPage, PeoplePage};
pub use session::SessionPage;
pub use shared::SharedView;
pub use simple::{ErrorPage, SettingsPage, SignInPage, SignInWays, error_fragment};
pub use tokens::TokensPage;
pub use vantage::Vantage;
pub use visitor::{Preferences, SignIn, Theme, Visitor};

/// The entry of the main navigation that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nav {
    /// The dashboard and the pages below it.
    Sessions,
    /// Runners and claudecodeui instances.
    Clients,
    /// Settings.
    Settings,
    /// None of them.
    Nowhere,
}
