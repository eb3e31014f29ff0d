//! The store as the rest of the crate uses it: statements that read, statements that write, typed columns, and the count
//! of rows written. It knows no table.

use std::cell::Cell;
use std::rc::Rc;

use crate::call::Refusal;
use crate::store::{Row, Store, StoreError, Value};

/// Why an event went no further.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A statement failed; memory may be behind the store and is loaded again.
    Store(StoreError),
    /// The caller asked for something that cannot be done; nothing changed.
    Refused(Refusal),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

/// A store that counts.
pub(crate) struct Db<S> {
    store: Rc<S>,
    written_before: u64,
    statements: Cell<u64>,
}

impl<S: Store> Db<S> {
    pub(crate) fn new(store: S) -> Db<S> {
        let written_before = store.rows_written().unwrap_or_default();
        Db { store: Rc::new(store), written_before, statements: Cell::new(0) }
    }

    /// The store itself, for a transaction around what uses the rest of the hub.
    pub(crate) fn store(&self) -> Rc<S> {
        Rc::clone(&self.store)
    }

    /// Runs a statement that writes nothing.
    pub(crate) fn read(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.store.exec(sql, params)
    }

    /// Runs a statement that writes.
    pub(crate) fn write(&self, sql: &str, params: &[Value]) -> Result<(), StoreError> {
        self.statements.set(self.statements.get() + 1);
        self.store.exec(sql, params).map(|_rows| ())
    }

    /// Rows written since the hub was loaded.
    pub(crate) fn rows_written(&self) -> u64 {
        match self.store.rows_written() {
            Some(total) => total.saturating_sub(self.written_before),
            None => self.statements.get(),
        }
    }

    /// The next number of a kind that is never given twice, not even after its bearer was deleted.
    pub(crate) fn next_number(&self, counter: &str) -> Result<u64, StoreError> {
        self.write(
            "INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            &[counter.into()],
        )?;
        match self.number(counter)? {
            0 => Err(StoreError(format!("counter {counter} did not stay"))),
            number => Ok(number),
        }
    }

    /// The newest number of a kind; 0 before the first.
    pub(crate) fn number(&self, counter: &str) -> Result<u64, StoreError> {
        let rows = self.read("SELECT value FROM counters WHERE name = ?", &[counter.into()])?;
        first(rows)?.map_or(Ok(0), |mut columns| columns.u64())
    }
}

/// The first row of an answer, ready to be read.
pub(crate) fn first(rows: Vec<Row>) -> Result<Option<Columns>, StoreError> {
    Ok(rows.into_iter().next().map(Columns::new))
}

/// The columns of one row, read from left to right.
pub(crate) struct Columns {
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    pub(crate) fn new(row: Row) -> Columns {
        Columns { values: row.into_iter() }
    }

    fn next(&mut self) -> Result<Value, StoreError> {
        self.values.next().ok_or_else(|| StoreError("a row has too few columns".into()))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, StoreError> {
        match self.next()? {
            Value::Integer(value) => u64::try_from(value).map_err(|_| StoreError("a number is negative".into())),
            other => Err(StoreError(format!("expected an integer, found {}", kind(&other)))),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32, StoreError> {
        u32::try_from(self.u64()?).map_err(|_| StoreError("a number is too large".into()))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, StoreError> {
        Ok(self.u64()? != 0)
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        match self.next()? {
            Value::Text(value) => Ok(value),
            other => Err(StoreError(format!("expected a text, found {}", kind(&other)))),
        }
    }

    pub(crate) fn blob(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.next()? {
            Value::Blob(value) => Ok(value),
            other => Err(StoreError(format!("expected a blob, found {}", kind(&other)))),
        }
    }

    pub(crate) fn maybe_u64(&mut self) -> Result<Option<u64>, StoreError> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Integer(value) => Ok(u64::try_from(value).ok()),
            other => Err(StoreError(format!("expected an integer or nothing, found {}", kind(&other)))),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Integer(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Blob(_) => "a blob",
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        // Numbers, offsets and times stay below 2^53 by their own limits; anything else is cut there, never wrapped.
        Value::Integer(value.min(protocol::limits::OFFSET_MAX) as i64)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Integer(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Blob(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
