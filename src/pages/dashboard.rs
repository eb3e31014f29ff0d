//! `GET /dashboard`.

use worker::Response;

use super::view::{DashboardPage, SharedView, Vantage};
use super::{board, page, visitor};
use crate::api::shares;
use crate::error::Error;
use crate::http::Visit;

/// All sessions and runners, and below them what others share.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    let shared = shares::by_owner(&visit).await?.into_iter().map(|(owner, shared)| {
        let vantage = Vantage::in_hub_of(&owner.owner.to_string(), &owner.name);
        SharedView::new(shared.as_ref(), &vantage)
    });
    page(&DashboardPage::new(&board, shared.collect(), &visitor))
}
