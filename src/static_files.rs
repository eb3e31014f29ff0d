//! `/static/*` where the platform did not serve the file by itself, which it does without running the Worker.
//!
//! Asking the `ASSETS` binding keeps hubs working that run the Worker first; names carry a hash, so they never change.

use worker::Response;

use crate::error::Error;
use crate::http::Visit;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The file.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let Ok(assets) = visit.env.assets("ASSETS") else { return Err(Error::not_found("file")) };
    let response = assets.fetch(visit.url.as_str(), None).await?;
    if response.status_code() != 200 {
        return Err(Error::not_found("file"));
    }
    // Headers of a fetched response cannot be changed in place.
    let headers = response.headers().clone();
    headers.set("Cache-Control", FOR_EVER)?;
    Ok(response.with_headers(headers))
}
