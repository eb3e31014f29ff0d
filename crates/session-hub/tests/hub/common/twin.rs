//! The store's twin: real SQLite in memory. It outlives the hubs that are evicted above it, runs each event in one
//! transaction, and fails on demand.

use std::cell::Cell;
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::types::{Value as SqlValue, ValueRef};
use session_hub::store::{Row, Store, StoreError, Value};

#[derive(Clone)]
pub struct Twin {
    connection: Rc<Connection>,
    /// Statements until one fails; `None`: none does.
    fuse: Rc<Cell<Option<u32>>>,
    /// After the first all fail, until it is mended.
    lasting: Rc<Cell<bool>>,
    /// Statements that ran.
    statements: Rc<Cell<u64>>,
}

impl Twin {
    pub fn new() -> Twin {
        let connection = Connection::open_in_memory().expect("SQLite in memory");
        connection.set_prepared_statement_cache_capacity(200);
        Twin { connection: Rc::new(connection), fuse: Rc::default(), lasting: Rc::default(), statements: Rc::default() }
    }

    pub fn begin(&self) {
        self.connection.execute_batch("BEGIN").expect("BEGIN");
    }

    pub fn commit(&self) {
        self.connection.execute_batch("COMMIT").expect("COMMIT");
    }

    /// Lets the statement fail that follows `after` more; `lasting`: and all after it.
    pub fn fail(&self, after: u32, lasting: bool) {
        self.fuse.set(Some(after));
        self.lasting.set(lasting);
    }

    pub fn mend(&self) {
        self.fuse.set(None);
    }

    pub fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// Every row of every table, for comparing.
    pub fn dump(&self) -> Vec<(String, Vec<Row>)> {
        let tables =
            self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]).expect("tables");
        let name = |row: &Row| match &row[0] {
            Value::Text(name) => name.clone(),
            other => panic!("{other:?}"),
        };
        let rows = |name: String| {
            let rows = self.query(&format!("SELECT * FROM {name}"), &[]).expect("rows");
            (name, rows)
        };
        tables.iter().map(name).map(rows).collect()
    }

    pub fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let failed = |error: rusqlite::Error| StoreError(format!("{error} in {sql}"));
        assert!(params.len() <= 100, "more than 100 bound parameters");
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let bound = rusqlite::params_from_iter(params.iter().map(to_sql));
        let mut rows = statement.query(bound).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |index| row.get_ref(index).map(from_sql);
            found.push((0..columns).map(value).collect::<Result<Row, _>>().map_err(failed)?);
        }
        Ok(found)
    }
}

impl Store for Twin {
    fn exec(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let refused = ["BEGIN", "COMMIT", "SAVEPOINT", "PRAGMA"];
        assert!(!refused.iter().any(|word| sql.trim_start().starts_with(word)), "the platform refuses: {sql}");
        self.statements.set(self.statements.get() + 1);
        match self.fuse.get() {
            Some(0) => {
                self.fuse.set(self.lasting.get().then_some(0));
                return Err(StoreError("the fuse burnt".into()));
            }
            Some(left) => self.fuse.set(Some(left - 1)),
            None => {}
        }
        self.query(sql, params)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let run = |sql| self.connection.execute_batch(sql).map_err(|error| StoreError(error.to_string()));
        run("SAVEPOINT event")?;
        if !work() {
            run("ROLLBACK TO event")?;
        }
        run("RELEASE event")
    }

    fn rows_written(&self) -> Option<u64> {
        match self.query("SELECT total_changes()", &[]).ok()?.first()?.first()? {
            Value::Integer(changes) => Some(*changes as u64),
            _ => None,
        }
    }
}

fn to_sql(value: &Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        // The Durable Object binds numbers as doubles, so nothing beyond 2^53 survives there.
        Value::Integer(number) => {
            assert!(number.abs() <= 1 << 53, "{number} does not survive a double");
            SqlValue::Integer(*number)
        }
        Value::Text(text) => SqlValue::Text(text.clone()),
        Value::Blob(bytes) => {
            assert!(bytes.len() < 2_000_000, "a row beyond 2 MB");
            SqlValue::Blob(bytes.clone())
        }
    }
}

fn from_sql(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(number) => panic!("no column holds {number}"),
    }
}
