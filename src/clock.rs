//! The only reader of the clock. `std::time` panics on this target; everything else is given the time.

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    // Not worker::Date: this is on the path of a keystroke, and one number is all that is wanted.
    js_sys::Date::now() as u64
}
