//! Closing what people have open who lost what let them in: their hubs are told, as many as one request has calls for.

use futures_util::{StreamExt, stream};
use session_hub::call::Request;
use worker::console_error;

use super::access::{Gate, caller, noted};
use super::{invitation, teams};
use crate::error::Error;
use crate::session_hub::client;
use crate::store::people::PersonRow;

/// Hubs that are told in one go to close what is open: with what an event has done before (9 calls at most, besides sealing
/// the audit log), and the three calls that find them, what they visit, and note them as told, 32 of the free plan's 50; the
/// rest is for the hubs that they visit. Rounds go on until nobody is left or one fails, as it does there at the limit; the
/// next sweep goes on with what was not noted.
const CLOSE_MAX: u64 = 20;
/// Of those, how many are told at a time: the platform lets 6 connections wait.
const CLOSE_AT_ONCE: usize = 6;
/// Rounds of an event, which GitHub gives ten seconds: 200 hubs at once.
const EVENT_ROUNDS: usize = 10;
/// Rounds of a sweep: 38 * 23 = 874 calls, below the 1,000 of a request with some for visits. So 960 people, with the 200 of
/// the event, are out within a minute.
const SWEEP_ROUNDS: usize = 38;

impl Gate<'_> {
    /// Closes what people have open who lost something, as far as one event has time for.
    pub async fn close_lost(&self) {
        if let Err(error) = self.close_rounds(EVENT_ROUNDS).await {
            // The next sweep goes on.
            console_error!("{}", serde_json::json!({ "event": "close_failed", "detail": error.detail }));
        }
    }

    /// Closes what is still to be closed, as far as one sweep has time for. Returns how many hubs were told.
    pub(super) async fn close_left(&self) -> Result<usize, Error> {
        self.close_rounds(SWEEP_ROUNDS).await
    }

    /// Tells hubs to close what is open, until nobody is left or something fails. Returns how many were told.
    async fn close_rounds(&self, rounds: usize) -> Result<usize, Error> {
        let mut told = 0;
        for _ in 0..rounds {
            let people = self.db.people_to_close(CLOSE_MAX).await?;
            let closing = people.iter().map(|person| async move {
                let closed = client::call(self.env, caller(person), Request::CloseAll { revoke: false }).await;
                let is_closed = closed.is_ok();
                noted(person, closed.map(drop));
                is_closed.then_some(person.id)
            });
            let closed: Vec<Option<u64>> = stream::iter(closing).buffer_unordered(CLOSE_AT_ONCE).collect().await;
            let mut closed: Vec<u64> = closed.into_iter().flatten().collect();
            if !closed.is_empty() {
                // Before it is noted: what fails here is done again by the next sweep.
                let left = teams::close(self, &self.db.visits(&closed).await?).await;
                closed.retain(|person| !left.contains(person));
                self.db.closed_all(&closed).await?;
            }
            told += closed.len();
            let is_last = closed.len() < people.len() || (people.len() as u64) < CLOSE_MAX;
            if is_last {
                break;
            }
        }
        Ok(told)
    }

    /// Closes everything that somebody who is out has open.
    pub(super) async fn close_all(&self, person: &PersonRow, revoke: bool) -> Result<(), Error> {
        client::call(self.env, caller(person), Request::CloseAll { revoke }).await?;
        invitation::close_visits(self.env, self.db, person.id).await?;
        self.db.closed_all(&[person.id]).await
    }
}
