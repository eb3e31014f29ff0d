//! `GET /dashboard`.

use worker::Response;

use super::view::DashboardPage;
use super::{board, page, visitor};
use crate::error::Error;
use crate::http::Visit;

/// All sessions and runners.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    page(&DashboardPage::new(&board, &visitor))
}
