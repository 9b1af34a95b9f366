//! The declarative side: what a policy writes for each step, and what it reads back.
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::e164::Region;

/// One `normalize` step, written in a policy as its name: `trim`, `nfkc`, `e164(GB)`.
///
/// ```
/// use lakeveil::transforms::normalize::Step;
///
/// let step: Step = "e164(GB)".parse()?;
/// assert_eq!(step.to_string(), "e164(GB)");
/// assert!("e164".parse::<Step>().is_err());
/// assert!("Trim".parse::<Step>().is_err());
/// # Ok::<(), lakeveil::transforms::normalize::StepParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Drops White_Space at both ends. The only step that may empty a value.
    Trim,
    /// Makes each run of White_Space one U+0020. A run at an end becomes one space too.
    CollapseWhitespace,
    /// Full lower-case mapping without locale, Final_Sigma included: `İ` gives `i` and U+0307.
    Lowercase,
    /// Full upper-case mapping without locale: `ß` gives `SS`.
    Uppercase,
    /// Full case folding (`C` and `F` of CaseFolding.txt) without normalization: `ß` gives `ss`.
    Casefold,
    /// Normalization form C of UAX #15.
    Nfc,
    /// Normalization form KC of UAX #15: ligatures, full-width forms and the like are taken apart too.
    Nfkc,
    /// Keeps ASCII `0` to `9` and drops all else, other scripts' digits included (put `nfkc` before it).
    Digits,
    /// Keeps characters of General_Category L, N and M.
    Alphanumeric,
    /// Local part as it is, `@`, domain in ASCII by UTS #46.
    Email,
    /// Telephone number in E.164 form, national numbers read as the region's.
    E164(Region),
}

/// Every step that is its name alone.
const PLAIN: [Step; 10] = [
    Step::Trim,
    Step::CollapseWhitespace,
    Step::Lowercase,
    Step::Uppercase,
    Step::Casefold,
    Step::Nfc,
    Step::Nfkc,
    Step::Digits,
    Step::Alphanumeric,
    Step::Email,
];

const E164: &str = "e164";

impl Step {
    /// The name without a region: what to offer to somebody who misspelt one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::CollapseWhitespace => "collapse_whitespace",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Casefold => "casefold",
            Self::Nfc => "nfc",
            Self::Nfkc => "nfkc",
            Self::Digits => "digits",
            Self::Alphanumeric => "alphanumeric",
            Self::Email => "email",
            Self::E164(_) => E164,
        }
    }

    /// Every step's name, `e164` last.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PLAIN.into_iter().map(Self::name).chain([E164])
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::E164(region) => write!(f, "{E164}({region})"),
            plain => f.write_str(plain.name()),
        }
    }
}

/// Why a policy's text is not a step. Quotes the policy, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepParseError {
    /// No step has this name.
    #[error("there is no normalize step `{name}`; the steps are {}", list(Step::names()))]
    UnknownStep {
        /// The name as written, without what stood in parentheses.
        name: String,
    },
    /// A step that takes nothing was given something in parentheses.
    #[error("normalize step `{step}` takes nothing in parentheses; write `{step}`")]
    TakesNothing {
        /// The step's name.
        step: &'static str,
    },
    /// `e164` alone: national numbers need a region.
    #[error("normalize step `e164` needs the region whose national numbers it reads, such as `e164(GB)`")]
    MissingRegion,
    /// The region is not one whose numbers are known.
    #[error(
        "`{region}` is no region of normalize step `e164`; write two upper-case letters of ISO 3166-1, such as `GB`"
    )]
    UnknownRegion {
        /// The region as written.
        region: String,
    },
}

impl StepParseError {
    /// What could have been meant, for a "did you mean": step names or region codes; empty where nothing was misspelt.
    pub fn candidates(&self) -> Vec<String> {
        match self {
            Self::UnknownStep { .. } => Step::names().map(String::from).collect(),
            Self::UnknownRegion { .. } => Region::all().iter().map(Region::to_string).collect(),
            Self::TakesNothing { .. } | Self::MissingRegion => Vec::new(),
        }
    }
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl FromStr for Step {
    type Err = StepParseError;

    fn from_str(text: &str) -> Result<Self, StepParseError> {
        let (name, argument) = match text.strip_suffix(')').and_then(|open| open.split_once('(')) {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        match (PLAIN.into_iter().find(|step| step.name() == name), argument) {
            (Some(step), None) => Ok(step),
            (Some(step), Some(_)) => Err(StepParseError::TakesNothing { step: step.name() }),
            (None, None) if name == E164 => Err(StepParseError::MissingRegion),
            (None, Some(region)) if name == E164 => Region::from_code(region)
                .map(Self::E164)
                .ok_or_else(|| StepParseError::UnknownRegion { region: region.into() }),
            (None, _) => Err(StepParseError::UnknownStep { name: name.into() }),
        }
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "NormalizeStep".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Step").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let plain = PLAIN.map(Step::name).join("|");
        json_schema!({
            "type": "string",
            "description": "A normalize step: its name, or `e164(REGION)` with two upper-case letters of ISO 3166-1.",
            "pattern": format!(r"^({plain}|{E164}\([A-Z]{{2}}\))$"),
            "examples": ["trim", "lowercase", "e164(GB)"],
        })
    }
}
