//! `/settings/audit`: the deployment's log for admins, and for everyone the log of their own hub.

use chrono::{NaiveDate, NaiveTime};
use session_hub::call::{AuditPage, AuditWanted, Reply, Request};
use worker::Response;

use super::view::AuditView;
use super::view::audit::{PAGE_ENTRIES, Which};
use super::{page, unexpected, visitor};
use crate::error::Error;
use crate::http::Visit;
use crate::store::Db;

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Longest filter by a name, in characters.
const ACTOR_CHARS_MAX: usize = 120;

/// `GET /settings/audit`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let visitor = visitor(&visit)?;
    let is_admin = visit.identity.is_admin();
    let which = match visit.query("log").as_deref() {
        Some("hub") => Which::Hub,
        _ if is_admin => Which::Deployment,
        _ => Which::Hub,
    };
    let (since, until) = (day(&visit, "since")?, day(&visit, "until")?);
    let text = |name: &str| visit.query(name).unwrap_or_default().trim().chars().take(ACTOR_CHARS_MAX).collect();
    let wanted = AuditWanted {
        actor: text("actor"),
        action: text("action"),
        since_ms: since.unwrap_or_default(),
        until_ms: until.map_or(0, |until| until + DAY_MS),
        before: visit.query("before").and_then(|text| text.parse().ok()).unwrap_or_default(),
    };
    // One more than is shown tells whether there are older ones.
    let limit = PAGE_ENTRIES as u64 + 1;
    let found = match which {
        Which::Deployment => {
            let db = Db::open(&visit.env)?;
            AuditPage { head: db.audit_head().await?, entries: db.audit_page(&wanted, limit).await? }
        }
        Which::Hub => match visit.ask(Request::AuditPage { wanted: wanted.clone(), limit }).await? {
            Reply::Audit(found) => found,
            _ => return Err(unexpected("its audit log")),
        },
    };
    let days = (visit.query("since").unwrap_or_default(), visit.query("until").unwrap_or_default());
    page(&AuditView::new(which, is_admin, &found, &wanted, days, &visitor))
}

/// The first moment of a day that the query names, in UTC.
fn day(visit: &Visit, field: &str) -> Result<Option<u64>, Error> {
    let text = visit.query(field).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    parse_day(&text).map(Some).ok_or_else(|| Error::invalid(field, "Write the day as year-month-day."))
}

fn parse_day(text: &str) -> Option<u64> {
    let day: NaiveDate = text.parse().ok()?;
    u64::try_from(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::parse_day;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        assert_eq!(parse_day("2026-11-20"), Some(1_795_132_800_000));
        for wrong in ["", "2026-13-01", "1960-01-01", "20.11.2026", "tomorrow"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }
}
