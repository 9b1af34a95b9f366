//! Steps that know nothing but Unicode: properties (UAX #44), case (Unicode chapter 3.13), normalization (UAX #15).
//!
//! Data come from the pinned ICU4X crates, never from `char`'s methods: those follow the compiler's Unicode version.
//! Where a value is ASCII the mappings are those of ASCII by definition, so these paths skip the tables.
use icu_casemap::CaseMapperBorrowed;
use icu_locale_core::LanguageIdentifier;
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, WhiteSpace};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed};
use writeable::Writeable;

use super::Change;

const WHITE_SPACE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<WhiteSpace>();
const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::<GeneralCategory>::new();
const KEPT_BY_ALPHANUMERIC: GeneralCategoryGroup =
    GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Number).union(GeneralCategoryGroup::Mark);
const CASE: CaseMapperBorrowed<'static> = CaseMapperBorrowed::new();
const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();

/// Whether the character has the property White_Space.
pub(super) fn is_white_space(c: char) -> bool {
    match c {
        '\t'..='\r' | ' ' => true,
        '\0'..='\x7f' => false,
        _ => WHITE_SPACE.contains(c),
    }
}

/// Whether the character's General_Category is a letter, a number or a mark.
pub(in crate::transforms) fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { KEPT_BY_ALPHANUMERIC.contains(CATEGORY.get(c)) }
}

pub(super) fn trim(source: &str) -> Change {
    let tail = source.trim_start_matches(is_white_space);
    let start = source.len() - tail.len();
    Change::Part(start..start + tail.trim_end_matches(is_white_space).len())
}

pub(super) fn collapse_whitespace(source: &str, out: &mut String) -> Change {
    let mut in_run = false;
    for c in source.chars() {
        let white = is_white_space(c);
        if !white {
            out.push(c);
        } else if !in_run {
            out.push(' ');
        }
        in_run = white;
    }
    Change::Written
}

pub(super) fn lowercase(source: &str, out: &mut String) -> Change {
    if source.is_ascii() {
        return ascii_lowercase(source, out);
    }
    write(CASE.lowercase(source, &LanguageIdentifier::UNKNOWN), out)
}

pub(super) fn uppercase(source: &str, out: &mut String) -> Change {
    if source.is_ascii() {
        out.push_str(source);
        out.make_ascii_uppercase();
        return Change::Written;
    }
    write(CASE.uppercase(source, &LanguageIdentifier::UNKNOWN), out)
}

pub(super) fn casefold(source: &str, out: &mut String) -> Change {
    if source.is_ascii() {
        return ascii_lowercase(source, out);
    }
    write(CASE.fold(source), out)
}

pub(super) fn nfc(source: &str, out: &mut String) -> Change {
    compose(NFC, source, out)
}

pub(super) fn nfkc(source: &str, out: &mut String) -> Change {
    compose(NFKC, source, out)
}

pub(super) fn digits(source: &str, out: &mut String) -> Change {
    keep(source, out, |c| c.is_ascii_digit())
}

pub(super) fn alphanumeric(source: &str, out: &mut String) -> Change {
    keep(source, out, is_alphanumeric)
}

fn ascii_lowercase(source: &str, out: &mut String) -> Change {
    if !source.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Change::Nothing;
    }
    out.push_str(source);
    out.make_ascii_lowercase();
    Change::Written
}

fn compose(form: ComposingNormalizerBorrowed<'static>, source: &str, out: &mut String) -> Change {
    if source.is_ascii() {
        return Change::Nothing;
    }
    let (done, rest) = form.split_normalized(source);
    if rest.is_empty() {
        return Change::Nothing;
    }
    out.push_str(done);
    form.normalize_to(rest, out).expect("a String takes every write");
    Change::Written
}

fn keep(source: &str, out: &mut String, kept: impl Fn(char) -> bool) -> Change {
    out.extend(source.chars().filter(|&c| kept(c)));
    Change::Written
}

fn write(mapped: impl Writeable, out: &mut String) -> Change {
    mapped.write_to(out).expect("a String takes every write");
    Change::Written
}
