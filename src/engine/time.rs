//! Times as text.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339 in UTC, with as many digits as the fraction needs.
///
/// ```
/// use lakeveil::engine::time::timestamp;
///
/// assert_eq!(timestamp(std::time::SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
/// ```
pub fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
