//! `e164(REGION)`: telephone numbers as ITU-T E.164 writes them.
use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, enums};

use super::{Change, Reason};

// The library logs the numbers that it cannot read at trace level, so that level must not exist in this program.
const _: () = assert!((log::STATIC_MAX_LEVEL as usize) < log::LevelFilter::Trace as usize);

/// A region whose national numbers can be read: two upper-case letters, of ISO 3166-1 but for `AC`, `TA` and `XK`.
///
/// ```
/// use lakeveil::transforms::normalize::Region;
///
/// assert_eq!(Region::from_code("GB").map(|region| region.to_string()), Some("GB".into()));
/// assert_eq!(Region::from_code("UK"), None); // no such region
/// assert_eq!(Region::from_code("gb"), None); // one spelling only, it goes into the policy digest
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(enums::Region);

impl Region {
    /// The region of this code, if its numbers are known.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().into_iter().find(|region| region.0.as_region_str().as_str() == code)
    }

    /// Every region whose numbers are known, in the order of their codes.
    pub fn all() -> Vec<Self> {
        let mut regions: Vec<_> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
        regions.sort_unstable();
        regions.into_iter().map(Self).collect()
    }

    /// What the library calls it.
    pub(in crate::transforms) fn library(self) -> enums::Region {
        self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.as_region_str())
    }
}

/// `+`, country code, national number, as libphonenumber's `parse` and `format(E164)` give them.
///
/// - Parsed, not validated: number ranges open and close, and a number must not change its token when one does.
/// - Whatever precedes the number, other scripts' digits, punctuation, trunk and international prefixes are understood.
/// - An extension (`ext. 12`) is dropped: E.164 has none.
pub(super) fn canonical(region: Region, source: &str, out: &mut String) -> Result<Change, Reason> {
    let number = PHONE_NUMBER_UTIL.parse(source, Some(region.0)).map_err(|_| Reason::NoPhoneNumber)?;
    out.push_str(&number.format_as(PhoneNumberFormat::E164));
    Ok(Change::Written)
}
