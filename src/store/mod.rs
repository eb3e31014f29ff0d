//! D1: people, sign-ins, tokens. One module for each table, typed; SQL appears nowhere else in the Worker.
//!
//! Numbers are bound as doubles, so ids and times stay below 2^53.

pub mod allowed;
pub mod audit;
pub mod counts;
pub mod device;
pub mod github;
pub mod keys;
pub mod links;
pub mod people;
pub mod shares;
pub mod sign_ins;
pub mod tokens;

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Env};

use crate::error::Error;

/// The binding in `wrangler.jsonc`.
const BINDING: &str = "DB";

/// The database.
pub struct Db(D1Database);

/// A bound parameter.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// TEXT.
    Text(&'a str),
    /// INTEGER, below 2^53.
    Number(u64),
}

impl Db {
    /// The database of this deployment.
    pub fn open(env: &Env) -> Result<Db, Error> {
        env.d1(BINDING).map(Db).map_err(failed)
    }

    /// The first row.
    async fn first<T: DeserializeOwned>(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<T>, Error> {
        self.prepare(sql, params)?.first::<T>(None).await.map_err(failed)
    }

    /// All rows.
    async fn all<T: DeserializeOwned>(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<T>, Error> {
        self.prepare(sql, params)?.all().await.and_then(|result| result.results()).map_err(failed)
    }

    /// Runs a statement; returns how many rows it changed.
    async fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        let result = self.prepare(sql, params)?.run().await.map_err(failed)?;
        changed(Some(&result))
    }

    /// Runs statements in one transaction: all of them or none.
    async fn batch(&self, statements: Vec<D1PreparedStatement>) -> Result<Vec<D1Result>, Error> {
        self.0.batch(statements).await.map_err(failed)
    }

    /// The name of the newest migration, as wrangler records it; `None` before the first.
    pub async fn newest_migration(&self) -> Result<Option<String>, Error> {
        #[derive(serde::Deserialize)]
        struct Row {
            name: String,
        }
        let row: Option<Row> = self.first("SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1", &[]).await?;
        Ok(row.map(|row| row.name))
    }

    fn prepare(&self, sql: &str, params: &[Param<'_>]) -> Result<D1PreparedStatement, Error> {
        let values: Vec<JsValue> = params
            .iter()
            .map(|param| match param {
                Param::Text(text) => JsValue::from_str(text),
                Param::Number(number) => JsValue::from_f64(*number as f64),
            })
            .collect();
        self.0.prepare(sql).bind(&values).map_err(failed)
    }
}

/// How many rows a statement of a batch changed.
fn changed(result: Option<&D1Result>) -> Result<usize, Error> {
    let unsaid = || Error::internal("D1 did not say how many rows changed");
    let meta = result.ok_or_else(unsaid)?.meta().map_err(failed)?;
    meta.and_then(|meta| meta.changes).ok_or_else(unsaid)
}

fn failed(error: worker::Error) -> Error {
    Error::internal(format!("D1: {error}"))
}

#[cfg(test)]
mod schema_tests;
