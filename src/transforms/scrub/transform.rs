//! What stands in place of a find.

use std::ops::Range;

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::DataType;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::Find;
use super::search::Search;
use crate::arrays::failure::Failures;
use crate::transforms::keyed::{Keyed, NO_COMPANION, RowKeys};
use crate::transforms::signer::Signer;
use crate::transforms::text_mask::TextMask;
use crate::transforms::texts::texts;
use crate::transforms::{Found, Transform, TransformError, Transformed, Values};

/// What stands in place of a find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Replacement {
    /// The kind's name in upper case: `<EMAIL>`.
    #[default]
    Label,
    /// `*` for each letter, digit and mark; all else stays.
    Mask,
    /// The token that `pseudonym` gives these very bytes in the same domain: 128 bits, 32 hexadecimal digits.
    Pseudonym,
}

/// Bits of a token.
pub(super) const TOKEN_BITS: u16 = 128;

const MASK: TextMask = TextMask { keep_first: 0, keep_last: 0, with: '*', keep_separators: true };

/// Tokens that are made at one go.
const GATHERED: usize = 4096;

/// Replaces what a search finds.
#[derive(Debug)]
pub struct Scrub {
    search: Search,
    /// By position in the search's names.
    replacements: Vec<(String, Replacement)>,
    /// There if one of them is by pseudonym.
    keys: Option<Keyed<Signer>>,
}

impl Scrub {
    /// Replaces each find of `search` as `replacement` says of its name; `keys` sign what is replaced by a pseudonym.
    pub fn new(search: Search, replacement: impl Fn(&str) -> Replacement, keys: Option<Keyed<Signer>>) -> Self {
        let label = |name: &String| (format!("<{}>", name.to_ascii_uppercase()), replacement(name));
        Self { replacements: search.names().iter().map(label).collect(), search, keys }
    }

    fn replacement(&self, find: &Find) -> Replacement {
        self.replacements[usize::from(find.kind)].1
    }

    /// The finds of each value, one value's behind the other's, and how far those of each value reach.
    fn search(&self, values: &BinaryArray) -> (Vec<Find>, Vec<usize>) {
        let mut finds = Vec::new();
        let ends = (0..values.len()).map(|row| {
            // what is no text fails when it is written
            if let (true, Ok(text)) = (values.is_valid(row), std::str::from_utf8(values.value(row))) {
                self.search.find_into(text, &mut finds);
            }
            finds.len()
        });
        let ends = ends.collect();
        (finds, ends)
    }

    /// The digests of all finds that are replaced by one, in order.
    fn sign(
        &self,
        values: &BinaryArray,
        finds: &[Find],
        rows: &[Range<usize>],
        keys: &RowKeys<'_, Signer>,
    ) -> Vec<[u8; 32]> {
        let instances = rows.iter().enumerate().flat_map(|(row, own)| {
            let finds = finds[own.clone()].iter().filter(|find| self.replacement(find) == Replacement::Pseudonym);
            finds.map(move |find| (row, &values.value(row)[find.start..find.end]))
        });
        if let RowKeys::One(key) = keys {
            return sign_all(key, instances.map(|(_, instance)| instance));
        }
        // a row without a key fails, whatever is written here
        instances.map(|(row, instance)| keys.get(row).map_or([0; 32], |key| key.sign(instance))).collect()
    }
}

fn sign_all<'a>(key: &Signer, instances: impl Iterator<Item = &'a [u8]>) -> Vec<[u8; 32]> {
    let mut digests = Vec::new();
    let (mut gathered, mut offsets) = (Vec::new(), vec![0]);
    let mut flush = |gathered: &mut Vec<u8>, offsets: &mut Vec<i32>| {
        let signed = digests.len();
        digests.resize(signed + offsets.len() - 1, [0; 32]);
        key.sign_many(offsets, gathered, &mut digests[signed..]);
        gathered.clear();
        offsets.truncate(1);
    };
    for instance in instances {
        gathered.extend_from_slice(instance);
        // a part of an array, whose own offsets are as wide
        offsets.push(gathered.len() as i32);
        if offsets.len() > GATHERED {
            flush(&mut gathered, &mut offsets);
        }
    }
    flush(&mut gathered, &mut offsets);
    digests
}

impl Transform for Scrub {
    fn name(&self) -> &'static str {
        "scrub"
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(input.clone()),
            _ => Err(format!("{input} is no text to search in")),
        }
    }

    fn kinds(&self) -> &[String] {
        self.search.names()
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let canonical = values.canonical;
        let (finds, ends) = self.search(canonical);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let rows: Vec<Range<usize>> = starts.zip(&ends).map(|(start, &end)| start..end).collect();
        let mut keyless = Failures::default();
        let keys =
            self.keys.as_ref().map(|keys| keys.of_rows(canonical, values.companions, &mut keyless)).transpose()?;
        let mut tokens =
            keys.as_ref().map(|keys| self.sign(canonical, &finds, &rows, keys)).unwrap_or_default().into_iter();
        let mut found = Vec::with_capacity(finds.len());
        let mut made = texts(canonical, |row, text, out| {
            let own = &finds[rows[row].clone()];
            let mut written = 0;
            for find in own {
                out.push_str(&text[written..find.start]);
                written = find.end;
                match &self.replacements[usize::from(find.kind)] {
                    (label, Replacement::Label) => out.push_str(label),
                    (_, Replacement::Mask) => MASK.mask(&text[find.start..find.end], out),
                    (_, Replacement::Pseudonym) => {
                        let token = tokens.next().ok_or(NO_COMPANION)?;
                        HEXLOWER.encode_append(&token[..usize::from(TOKEN_BITS) / 8], out);
                    }
                }
            }
            out.push_str(&text[written..]);
            if keys.as_ref().is_some_and(|keys| keys.get(row).is_none()) {
                return Err(NO_COMPANION.into());
            }
            found.extend(own.iter().map(|find| Found { index: row as u32, kind: find.kind }));
            Ok(())
        })?;
        made.found = found;
        Ok(made)
    }
}
