//! `GET /dashboard`, and the part of it that shows what others share.

use futures_util::future::try_join;
use serde_json::json;
use worker::{Response, console_error};

use super::view::{DashboardPage, SharedListFragment, SharedView, Vantage};
use super::{board, page, visitor};
use crate::api::shares;
use crate::error::Error;
use crate::http::Visit;

/// All sessions and runners, and below them what others share.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (board, shared) = try_join(board(&visit), shared_views(&visit)).await?;
    page(&DashboardPage::new(&board, shared, &visitor(&visit)?))
}

/// `GET /dashboard/shared`: asked for when the page hears that somebody shares something new; a browser that comes by itself
/// gets the page.
pub async fn shared(visit: Visit) -> Result<Response, Error> {
    if !visit.is_htmx {
        return show(visit).await;
    }
    page(&SharedListFragment { shared: shared_views(&visit).await? })
}

/// What others share. That it cannot be asked for keeps nobody from their own sessions.
async fn shared_views(visit: &Visit) -> Result<Vec<SharedView>, Error> {
    let by_owner = match shares::by_owner(visit).await {
        Ok(by_owner) => by_owner,
        Err(error) => {
            let line = json!({ "event": "shared_unknown", "request_id": visit.request_id, "detail": error.detail });
            console_error!("{line}");
            return Ok(vec![SharedView::new(None, &Vantage::in_hub_of("", "others"))]);
        }
    };
    let views = by_owner.into_iter().map(|(owner, shared)| {
        let vantage = Vantage::in_hub_of(&owner.owner.to_string(), &owner.name);
        SharedView::new(shared.as_ref(), &vantage)
    });
    Ok(views.collect())
}
