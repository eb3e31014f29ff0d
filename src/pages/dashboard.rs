//! `GET /dashboard`, and the part of it that shows what others share.

use futures_util::future::try_join;
use worker::Response;

use super::view::{DashboardPage, SharedFragment, SharedView, Vantage};
use super::{board, page, visitor};
use crate::api::shares;
use crate::error::Error;
use crate::http::Visit;

/// All sessions and runners, and below them what others share.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (board, shared) = try_join(board(&visit), shared_views(&visit)).await?;
    page(&DashboardPage::new(&board, shared, &visitor(&visit)?))
}

/// `GET /dashboard/shared`: asked for when the page hears that somebody shares something new.
pub async fn shared(visit: Visit) -> Result<Response, Error> {
    page(&SharedFragment { shared: shared_views(&visit).await? })
}

async fn shared_views(visit: &Visit) -> Result<Vec<SharedView>, Error> {
    let by_owner = shares::by_owner(visit).await?.into_iter().map(|(owner, shared)| {
        let vantage = Vantage::in_hub_of(&owner.owner.to_string(), &owner.name);
        SharedView::new(shared.as_ref(), &vantage)
    });
    Ok(by_owner.collect())
}
