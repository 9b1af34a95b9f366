//! Values to their parents in a hierarchy that a file holds, as users of ARX keep them.

mod csv;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, OnceLock};

use arrow::array::Array;
use arrow::datatypes::DataType;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::labels::{Labels, NO_LABEL};
use crate::arrays::distinct::Distinct;
use crate::arrays::failure::Failures;
use crate::transforms::family::BuildError;
use crate::transforms::{Transform, TransformError, Transformed, Values, require_canonical, text_like};

/// Values to their parents, which a CSV file lists: each line a value, then what stands for it on each level above,
/// as in `81667;816**;81***;*`.
///
/// The file is UTF-8, with quotes as RFC 4180 has them. Every line has as many fields as the first; values are compared
/// with the canonical text of the column. A value that the file does not list is an error of the value. The digest of
/// the file is part of the policy's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HierarchySpec {
    /// Path of the file.
    #[schemars(length(min = 1))]
    pub file: String,
    /// Which parent: 1 for the field behind the value. 0 would be the value itself.
    #[schemars(range(min = 1))]
    pub level: u32,
    /// What stands between fields, one ASCII character; `;` by default.
    #[serde(default = "HierarchySpec::default_delimiter")]
    pub delimiter: char,
    /// Whether the first line is a header; `false` by default.
    #[serde(default)]
    pub header: bool,
    /// Read when first needed: the digest and the values are of the same bytes, whatever happens to the file.
    #[serde(skip)]
    content: Content,
}

/// What a file held when it was read; clones share it.
#[derive(Clone, Default)]
struct Content(Arc<OnceLock<Vec<u8>>>);

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(..)")
    }
}

/// No part of what a policy says.
impl PartialEq for Content {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Content {}

/// Largest file that is read.
const MOST_BYTES: u64 = 256 << 20;

impl HierarchySpec {
    fn default_delimiter() -> char {
        ';'
    }

    /// What is wrong, with the option that it is wrong of.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.file.is_empty() {
            problems.push(("hierarchy.file", "the file has no name".to_owned()));
        }
        if self.level == 0 {
            problems.push(("hierarchy.level", "level 0 is the value itself".to_owned()));
        }
        if !self.delimiter.is_ascii() || matches!(self.delimiter, '"' | '\r' | '\n' | '\0') {
            let message = "`delimiter` is one ASCII character, and neither a quote nor a line break";
            problems.push(("hierarchy.delimiter", message.to_owned()));
        }
        problems
    }

    /// The digest of the file.
    pub(super) fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        let digest = HEXLOWER.encode(&Sha256::digest(self.read()?));
        Ok(BTreeMap::from([("hierarchy_sha256".to_owned(), digest)]))
    }

    pub(super) fn transform(&self) -> Result<Box<dyn Transform>, BuildError> {
        let hierarchy = self.parse(self.read()?).map_err(|problem| self.fault(&problem))?;
        Ok(Box::new(hierarchy))
    }

    fn fault(&self, problem: &str) -> BuildError {
        BuildError::File(format!("the hierarchy `{}` can't be used: {problem}", self.file))
    }

    fn read(&self) -> Result<&[u8], BuildError> {
        if let Some(known) = self.content.0.get() {
            return Ok(known);
        }
        let unreadable = |error: std::io::Error| self.fault(&error.kind().to_string());
        let len = fs::metadata(&self.file).map_err(unreadable)?.len();
        if len > MOST_BYTES {
            return Err(self.fault(&format!("it has {len} bytes, and {MOST_BYTES} at most are read")));
        }
        let bytes = fs::read(&self.file).map_err(unreadable)?;
        Ok(self.content.0.get_or_init(|| bytes))
    }

    /// The hierarchy that `bytes` hold, or what is wrong, by line and never by content.
    fn parse(&self, bytes: &[u8]) -> Result<Hierarchy, String> {
        let level = self.level as usize;
        let mut records = csv::Records::new(bytes, self.delimiter)?;
        let (mut fields, mut width) = (Vec::new(), None);
        let (mut values, mut parents) = (Distinct::default(), Distinct::default());
        // by value: its parent, and the line that says so
        let mut parent_of: Vec<(u32, usize)> = Vec::new();
        while let Some(line) = records.next(&mut fields)? {
            let is_header = self.header && width.is_none();
            let width = *width.get_or_insert(fields.len());
            if fields.len() != width {
                return Err(format!("line {line} has {} fields, and the first has {width}", fields.len()));
            }
            let Some(parent) = fields.get(level) else {
                return Err(format!("its lines have {width} fields, and level {level} would be field {}", level + 1));
            };
            if is_header {
                continue;
            }
            if *parent == fields[0] {
                return Err(format!("line {line} has the value itself on level {level}, which would pass as it is"));
            }
            let parent = parents.number(Box::<[u8]>::from(parent.as_bytes()));
            let value = values.number(Box::<[u8]>::from(fields[0].as_bytes())) as usize;
            match parent_of.get(value) {
                None => parent_of.push((parent, line)),
                Some((other, first)) if *other != parent => {
                    return Err(format!("line {line} gives another parent to the value of line {first}"));
                }
                Some(_) => {}
            }
        }
        if parent_of.is_empty() {
            return Err("it lists no values".to_owned());
        }
        let mut labels = Labels::default();
        for parent in parents.strings() {
            labels.push(std::str::from_utf8(parent).unwrap_or_default());
        }
        Ok(Hierarchy { values, parent_of: parent_of.into_iter().map(|(parent, _)| parent).collect(), labels })
    }
}

/// Parents of values.
#[derive(Debug)]
struct Hierarchy {
    values: Distinct<Box<[u8]>>,
    /// By number of the value: the number of its parent.
    parent_of: Vec<u32>,
    /// By number of the parent.
    labels: Labels,
}

impl Transform for Hierarchy {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_canonical(input)?;
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let canonical = values.canonical;
        let mut failures = Failures::default();
        let rows = (0..canonical.len()).map(|row| {
            if canonical.is_null(row) {
                return NO_LABEL;
            }
            match self.values.find(canonical.value(row)) {
                Some(value) => self.parent_of[value as usize],
                None => {
                    failures.push(row, "it is not in the hierarchy");
                    NO_LABEL
                }
            }
        });
        let rows: Vec<u32> = rows.collect();
        Ok(Transformed { failures, ..self.labels.column(&rows)?.into() })
    }
}
