//! How a CSV object is written: delimiter, quote, escape, header, null texts.

use crate::policy::{CsvInput, CsvOutput};

/// The dialect of an object, of options that the policy has checked: delimiter, quote and escape are distinct ASCII
/// characters, no line break is among them, and an unquoted field can hold each null text.
///
/// ```
/// use lakeveil::engine::csv::Dialect;
///
/// let dialect = Dialect::default();
/// assert_eq!((dialect.delimiter(), dialect.quote(), dialect.escape()), (b',', Some(b'"'), None));
/// assert!(dialect.header() && dialect.is_null(b"") && !dialect.is_null(b"NULL"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dialect {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    header: bool,
    /// Sorted, distinct, without the empty text, which is always null.
    null: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), escape: None, header: true, null: Vec::new() }
    }
}

impl From<&CsvInput> for Dialect {
    fn from(options: &CsvInput) -> Self {
        let mut null: Vec<String> = options.null.iter().filter(|text| !text.is_empty()).cloned().collect();
        null.sort_unstable();
        null.dedup();
        // an escape equal to the quote is how other tools spell doubled quotes
        let escape = options.escape.byte().filter(|escape| Some(*escape) != options.quote.byte());
        Self { delimiter: options.delimiter.byte(), quote: options.quote.byte(), escape, header: options.header, null }
    }
}

impl From<&CsvOutput> for Dialect {
    fn from(options: &CsvOutput) -> Self {
        let (delimiter, quote) = (options.delimiter.byte(), Some(options.quote.byte()));
        Self { delimiter, quote, escape: None, header: options.header, null: Vec::new() }
    }
}

impl Dialect {
    /// The byte between fields.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The byte around quoted fields, if quoting is on.
    pub fn quote(&self) -> Option<u8> {
        self.quote
    }

    /// The byte that makes the next byte of a quoted field literal; doubled quotes are read with and without it.
    pub fn escape(&self) -> Option<u8> {
        self.escape
    }

    /// Whether the first record holds the column names.
    pub fn header(&self) -> bool {
        self.header
    }

    /// Whether an unquoted text other than the empty one may be null.
    pub(super) fn has_null_texts(&self) -> bool {
        !self.null.is_empty()
    }

    /// Whether an unquoted field with these bytes is null.
    #[inline]
    pub fn is_null(&self, unquoted: &[u8]) -> bool {
        unquoted.is_empty() || self.null.iter().any(|text| text.as_bytes() == unquoted)
    }

    /// The dialect of the default options with these keys of a policy, as JSON.
    #[cfg(test)]
    pub(super) fn of(keys: serde_json::Value) -> Self {
        let options: CsvInput = serde_json::from_value(keys).expect("keys of `csv`");
        Self::from(&options)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_options_of_the_example_policy() {
        let dialect = Dialect::of(json!({
            "header": true, "delimiter": ",", "quote": "\"", "escape": "\\", "null": ["", "NULL"],
        }));
        assert_eq!((dialect.delimiter(), dialect.quote(), dialect.escape()), (b',', Some(b'"'), Some(b'\\')));
        assert!(dialect.is_null(b"") && dialect.is_null(b"NULL"));
        assert!(!dialect.is_null(b"null") && !dialect.is_null(b"NUL"));
    }

    #[test]
    fn default_options_are_the_default_dialect() {
        assert_eq!(Dialect::from(&CsvInput::default()), Dialect::default());
        assert_eq!(Dialect::from(&CsvOutput::default()), Dialect::default());
    }

    #[test]
    fn the_unquoted_empty_field_is_null_even_if_not_listed() {
        assert!(Dialect::of(json!({ "null": ["NA"] })).is_null(b""));
        assert!(Dialect::of(json!({ "null": [] })).is_null(b""));
    }

    #[test]
    fn an_escape_equal_to_the_quote_means_doubled_quotes() {
        assert_eq!(Dialect::of(json!({ "escape": "\"" })), Dialect::default());
    }

    #[test]
    fn an_empty_quote_turns_quoting_off() {
        assert_eq!(Dialect::of(json!({ "quote": "" })).quote(), None);
    }
}
