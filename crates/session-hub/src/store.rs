//! The one trait that the hub's SQL runs through: the Durable Object's SQLite in production, rusqlite in native tests.

/// A bound parameter or a column of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Below 2^53 in size: the Durable Object binds integers as doubles.
    Integer(i64),
    /// UTF-8.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A statement that failed: its message, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// One row, in the order of the statement's columns.
pub type Row = Vec<Value>;

/// SQLite. Statements of one event reach the disk together: the runtime coalesces them, the native twin does the same.
pub trait Store {
    /// Runs one statement and returns all its rows. At most 100 parameters; 2 MB a row.
    fn exec(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs `work`. What it wrote stays if it returns true, and is undone otherwise.
    fn transaction(&self, work: &mut dyn FnMut() -> bool) -> Result<(), StoreError>;

    /// Rows written since this store was made, as SQLite counts them (an index entry is a row). `None` when the
    /// implementation does not know; the hub then counts one for each statement that writes.
    fn rows_written(&self) -> Option<u64> {
        None
    }
}
