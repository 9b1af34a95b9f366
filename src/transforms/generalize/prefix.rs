//! Text to its first characters.

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arrays::failure::Failures;
use crate::transforms::cell::without;
use crate::transforms::text_batch::TextBatch;
use crate::transforms::texts::{NOT_TEXT, text_column};
use crate::transforms::{Transform, TransformError, Transformed, Values};

/// The first characters of a text, as of a postal code.
///
/// Characters are Unicode scalar values. Only text is taken: a postal code in a column of numbers has lost its leading
/// zeros. For the Safe Harbor method of HIPAA (45 CFR 164.514(b)(2)(i)(B)), keep 3 and replace the prefixes of areas
/// with 20 000 people or fewer by `000`; by the census of 2000 these are 036, 059, 063, 102, 203, 556, 692, 790, 821,
/// 823, 830, 831, 878, 879, 884, 890 and 893 (U.S. Department of Health and Human Services, "Guidance regarding
/// methods for de-identification of protected health information", 2012).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixSpec {
    /// How many characters stay.
    #[schemars(range(min = 1))]
    pub keep: u32,
    /// What stands for each character that does not stay; without it they are cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad: Option<char>,
    /// What becomes of a value that has no more characters than are kept; an error of the value by default.
    #[serde(default, skip_serializing_if = "Short::is_default")]
    pub short: Short,
    /// Prefixes that become others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replace: BTreeMap<String, String>,
}

/// What becomes of a value that a prefix would not shorten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// It is an error of the value.
    #[default]
    Error,
    /// It passes whole.
    Keep,
}

impl Short {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl PrefixSpec {
    /// What is wrong, with the option that it is wrong of.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.keep == 0 {
            problems
                .push(("prefix.keep", "a prefix has at least one character; to show none, use `redact`".to_owned()));
        }
        let keep = self.keep as usize;
        let fits = |prefix: &String| match (prefix.chars().count(), self.short) {
            (len, Short::Error) => len == keep,
            (len, Short::Keep) => len <= keep,
        };
        if let Some(prefix) = self.replace.keys().find(|prefix| !fits(prefix)) {
            problems.push(("prefix.replace", format!("no prefix of {keep} characters is `{prefix}`")));
        }
        problems
    }

    pub(super) fn transform(&self) -> Box<dyn Transform> {
        // a map's entries are in order
        Box::new(Prefix {
            keep: self.keep as usize,
            pad: self.pad,
            short: self.short,
            replace: self.replace.iter().map(|(from, to)| (from.clone(), to.clone())).collect(),
        })
    }
}

#[derive(Debug)]
struct Prefix {
    keep: usize,
    pad: Option<char>,
    short: Short,
    /// In order of what is replaced.
    replace: Vec<(String, String)>,
}

impl Prefix {
    /// The first characters of `text` and how many others follow.
    fn split<'t>(&self, text: &'t str, is_ascii: bool) -> (&'t str, usize) {
        if is_ascii {
            let end = text.len().min(self.keep);
            return (&text[..end], text.len() - end);
        }
        match text.char_indices().nth(self.keep) {
            Some((end, _)) => (&text[..end], text[end..].chars().count()),
            None => (text, 0),
        }
    }

    fn replaced<'t>(&'t self, prefix: &'t str) -> &'t str {
        match self.replace.binary_search_by(|(from, _)| from.as_str().cmp(prefix)) {
            Ok(at) => &self.replace[at].1,
            Err(_) => prefix,
        }
    }
}

impl Transform for Prefix {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(input.clone()),
            _ => Err(format!("{input} has no prefixes; it takes text")),
        }
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let canonical = values.canonical;
        let batch = TextBatch::new(canonical);
        let mut failures = Failures::default();
        let mut data = Vec::with_capacity(batch.bytes());
        let mut offsets = Vec::with_capacity(canonical.len() + 1);
        offsets.push(0);
        for row in 0..canonical.len() {
            if let Some(text) = canonical.is_valid(row).then(|| batch.get(row)) {
                match text.map(|text| self.split(text, batch.is_ascii())) {
                    None => failures.push(row, NOT_TEXT),
                    Some((_, 0)) if self.short == Short::Error => {
                        failures.push(row, "it has no more characters than are kept");
                    }
                    Some((prefix, rest)) => {
                        data.extend_from_slice(self.replaced(prefix).as_bytes());
                        match self.pad {
                            Some(pad) if pad.is_ascii() => data.resize(data.len() + rest, pad as u8),
                            Some(pad) => {
                                let mut buffer = [0; 4];
                                let pad = pad.encode_utf8(&mut buffer).as_bytes();
                                (0..rest).for_each(|_| data.extend_from_slice(pad));
                            }
                            None => {}
                        }
                    }
                }
            }
            offsets.push(i32::try_from(data.len()).map_err(|_| TransformError::TooLong(data.len()))?);
        }
        let nulls = without(canonical, &failures).nulls().cloned();
        Ok(Transformed { failures, ..text_column(data, offsets, nulls)?.into() })
    }
}
