//! The object's SQLite behind the hub's [`Store`].
//!
//! The platform's cursor is bridged here rather than taken from `worker`, whose cursor methods throw uncaught, and an
//! uncaught throw ends the whole instance. Statements of one event reach the disk as one transaction, by the runtime.

use std::cell::Cell;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use session_hub::store::{Row, Store, StoreError, Value};
use wasm_bindgen::prelude::*;
use worker::Storage;

/// Numbers of JavaScript are exact up to here.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// One object's database.
pub struct Sqlite {
    storage: RawStorage,
    sql: RawSql,
    rows_written: Cell<u64>,
}

impl Sqlite {
    /// The database of an object's storage.
    pub fn new(storage: &Storage) -> Sqlite {
        let raw: &JsValue = storage.as_raw().as_ref();
        let storage: RawStorage = raw.clone().unchecked_into();
        Sqlite { sql: storage.sql(), storage, rows_written: Cell::new(0) }
    }
}

impl Store for Sqlite {
    fn exec(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let bound: Array = params.iter().map(to_js).collect();
        let cursor = self.sql.exec(sql, &bound).map_err(failed)?;
        let rows = cursor.raw().and_then(|rows| rows.to_array()).map_err(failed)?;
        self.rows_written.set(self.rows_written.get() + cursor.rows_written() as u64);
        rows.iter().map(|row| Array::from(&row).iter().map(from_js).collect()).collect()
    }

    fn transaction(&self, work: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        // A throw is how the platform is told to undo; this one is caught again below.
        let mut undo = false;
        let ended = self.storage.transaction_sync(&mut || {
            undo = !work();
            if undo { Err(JsValue::NULL) } else { Ok(JsValue::UNDEFINED) }
        });
        match ended {
            Err(error) if !undo => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn rows_written(&self) -> Option<u64> {
        Some(self.rows_written.get())
    }
}

fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}

fn from_js(value: JsValue) -> Result<Value, StoreError> {
    if value.is_null() || value.is_undefined() {
        return Ok(Value::Null);
    }
    if let Some(number) = value.as_f64() {
        let is_exact = number.fract() == 0.0 && number.abs() <= EXACT_MAX;
        return if is_exact {
            Ok(Value::Integer(number as i64))
        } else {
            Err(StoreError(format!("{number} is no integer")))
        };
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    match value.dyn_into::<ArrayBuffer>() {
        Ok(buffer) => Ok(Value::Blob(Uint8Array::new(&buffer).to_vec())),
        Err(_) => Err(StoreError("a column of an unknown type".to_owned())),
    }
}

fn failed(error: JsValue) -> StoreError {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    StoreError(message.or_else(|| error.as_string()).unwrap_or_else(|| "unknown error".to_owned()))
}

#[wasm_bindgen]
extern "C" {
    type RawStorage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &RawStorage) -> RawSql;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;

    type RawSql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &RawSql, query: &str, params: &Array) -> Result<RawCursor, JsValue>;

    type RawCursor;
    #[wasm_bindgen(method, catch)]
    fn raw(this: &RawCursor) -> Result<RawRows, JsValue>;
    #[wasm_bindgen(method, getter, js_name = rowsWritten)]
    fn rows_written(this: &RawCursor) -> f64;

    type RawRows;
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &RawRows) -> Result<Array, JsValue>;
}
