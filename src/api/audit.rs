//! `/api/audit` and `/api/audit/hub`: the two audit logs as lines of JSON, for keeping elsewhere and for `muster audit verify`.

use protocol::audit::{Entry, Head};
use session_hub::call::{AuditPage, Reply, Request};
use worker::Response;

use crate::error::Error;
use crate::http::Visit;
use crate::store::Db;
use crate::store::audit::READ_MAX;

/// Names the newest entry of the chain: its number, a blank, its hash.
const HEAD_HEADER: &str = "X-Muster-Audit-Head";

/// The deployment's log, for admins.
pub async fn deployment(visit: Visit) -> Result<Response, Error> {
    let (seq, limit) = span(&visit)?;
    let db = Db::open(&visit.env)?;
    let (head, entries) = (db.audit_head().await?, db.audit_from(seq, limit).await?);
    lines("deployment", &AuditPage { head, entries })
}

/// The log of the person's own hub.
pub async fn hub(visit: Visit) -> Result<Response, Error> {
    let (seq, limit) = span(&visit)?;
    let Reply::Audit(page) = visit.ask(Request::AuditFrom { seq, limit }).await? else {
        return Err(Error::internal("the hub answered something else than its audit log"));
    };
    lines("hub", &page)
}

/// From which entry on, and how many.
fn span(visit: &Visit) -> Result<(u64, u64), Error> {
    let seq = number(visit.query("from_seq"), "from_seq", 1, Head::SEQ_MAX)?;
    let limit = number(visit.query("limit"), "limit", READ_MAX, READ_MAX)?;
    Ok((seq, limit))
}

fn number(text: Option<String>, field: &str, default: u64, max: u64) -> Result<u64, Error> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| Error::invalid(field, format!("A whole number from 1 to {max}.")))
}

fn lines(name: &str, page: &AuditPage) -> Result<Response, Error> {
    let mut body = Vec::with_capacity(page.entries.len() * 512);
    for entry in &page.entries {
        line(&mut body, entry)?;
    }
    let response = Response::builder()
        .with_header("Content-Type", "application/x-ndjson")?
        .with_header("Content-Disposition", &format!("attachment; filename=\"muster-audit-{name}.jsonl\""))?
        .with_header("Cache-Control", "no-store")?
        .with_header(HEAD_HEADER, &format!("{} {}", page.head.seq, page.head.hash))?;
    Ok(response.fixed(body))
}

fn line(body: &mut Vec<u8>, entry: &Entry) -> Result<(), Error> {
    serde_json::to_writer(&mut *body, entry)?;
    body.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_and_within_its_bounds() {
        assert_eq!(number(None, "limit", 7, 9).unwrap(), 7);
        assert_eq!(number(Some("9".into()), "limit", 7, 9).unwrap(), 9);
        for wrong in ["", "0", "10", "-1", "1.5", "x", "99999999999999999999999"] {
            assert_eq!(
                number(Some(wrong.into()), "limit", 7, 9).unwrap_err().field.as_deref(),
                Some("limit"),
                "{wrong}"
            );
        }
    }
}
