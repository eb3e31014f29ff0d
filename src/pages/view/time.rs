//! Moments and ages as people read them. Times are milliseconds since 1970; "now" comes with the hub's answer.

/// A moment, for a `<time>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// The `datetime` attribute: UTC, to the second.
    pub iso: String,
    /// Milliseconds since 1970, from which the browser ticks the age.
    pub ms: u64,
    /// What stands there before the browser ticks: an age or a clock time.
    pub text: String,
}

/// How long ago something was: "42 s", "3 min", "2 h", "5 d".
#[must_use]
pub fn age(at_ms: u64, now_ms: u64) -> When {
    When { iso: iso(at_ms), ms: at_ms, text: span(now_ms.saturating_sub(at_ms)) }
}

/// A clock time in UTC; the browser puts the person's own in its place.
#[must_use]
pub fn clock(at_ms: u64) -> When {
    let iso = iso(at_ms);
    When { text: iso.get(11..16).unwrap_or_default().to_owned(), iso, ms: at_ms }
}

/// A length of time in its largest whole unit. static/ages.mjs says it in the same words.
#[must_use]
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `2026-11-20T17:18:57Z`.
#[must_use]
pub fn iso(ms: u64) -> String {
    let seconds = ms / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day since 1970 (Howard Hinnant's algorithm; eras of 400 years begin in March).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}
