//! How the transforms are called in SQL: a name, and what each argument behind the value stands for.

/// A function and the rule that it is short for.
#[derive(Debug)]
pub(super) struct Form {
    /// Name in SQL.
    pub name: &'static str,
    /// The policy's word.
    pub transform: &'static str,
    /// An option that is always there, as an empty map; empty for none.
    pub always: &'static str,
    /// Whether it needs a key.
    pub key: Need,
    /// What each argument behind the value is, in order; those behind `required` may be NULL, or be left out from the
    /// end.
    pub arguments: &'static [Argument],
    /// How many of them must be there.
    pub required: usize,
}

/// Whether a function needs a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Never.
    No,
    /// By its options.
    May,
    /// Always: without a key there is no such function.
    Must,
}

/// What an argument stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    /// The option at this path below the transform's word, as a literal; an empty path is the whole.
    Option(&'static str),
    /// The option at this path names a column: any expression, of which each row has its value.
    Column(&'static str),
}

use Argument::{Column, Option as Opt};
use Need::{May, Must, No};

const TENANT: Argument = Column("tenant.column");

const fn form(
    name: &'static str,
    transform: &'static str,
    key: Need,
    required: usize,
    arguments: &'static [Argument],
) -> Form {
    Form { name, transform, always: "", key, arguments, required }
}

/// All functions that are transforms. None names a file: what a query reads must not depend on one that changes, and a
/// query must not open what its author chooses; a rule does that.
pub(super) const FORMS: &[Form] = &[
    form("pseudonym", "pseudonym", Must, 1, &[Opt("domain"), TENANT, Opt("bits"), Opt("encoding"), Opt("prefix")]),
    form("encrypt", "encrypt", Must, 1, &[Opt("domain"), TENANT, Opt("encoding")]),
    form("fpe", "fpe", Must, 1, &[Opt("domain"), Opt("alphabet"), Opt("checksum"), Column("tweak_column"), TENANT]),
    form("rekeyable", "rekeyable", Must, 1, &[Opt("domain"), TENANT, Opt("encoding")]),
    form(
        "ip_prefix_preserving",
        "ip",
        Must,
        1,
        &[Opt("prefix_preserving.domain"), Column("prefix_preserving.tenant.column")],
    ),
    form("email", "email", Must, 1, &[Opt("domain"), Opt("host"), TENANT]),
    form("surrogate", "surrogate", Must, 3, &[Opt("list"), Opt("locale"), Opt("domain"), TENANT]),
    form("date_shift", "date_shift", Must, 3, &[Column("by"), Opt("days"), Opt("domain"), Opt("format"), TENANT]),
    form("noise_uniform", "noise", Must, 3, &[Column("by"), Opt("uniform.width"), Opt("domain"), TENANT]),
    form("noise_laplace", "noise", Must, 3, &[Column("by"), Opt("laplace.scale"), Opt("domain"), TENANT]),
    form("scrub", "scrub", May, 0, &[Opt("replace"), Opt("domain"), TENANT]),
    Form { always: "truncate", ..form("ip_truncate", "ip", No, 0, &[Opt("truncate.v4"), Opt("truncate.v6")]) },
    form("generalize_date", "generalize", No, 1, &[Opt("date"), Opt("as"), Opt("format")]),
    form("generalize_age", "generalize", No, 1, &[Opt("age.reference"), Opt("age.bands"), Opt("age.top")]),
    form("generalize_number", "generalize", No, 1, &[Opt("number.width"), Opt("number.offset")]),
    form("generalize_prefix", "generalize", No, 1, &[Opt("prefix.keep"), Opt("prefix.pad")]),
    form("random_token", "random", No, 0, &[Opt("per"), Opt("bits"), Opt("encoding")]),
    form("mask", "mask", No, 2, &[Opt("keep_first"), Opt("keep_last"), Opt("with"), Opt("keep_separators")]),
    form("redact", "redact", No, 1, &[Opt("")]),
    form("nullify", "nullify", No, 0, &[]),
    form("hash", "hash", No, 0, &[Opt("algorithm"), Opt("encoding")]),
];

impl Form {
    /// How it is called: `pseudonym(value, domain [, tenant])`.
    pub fn usage(&self) -> String {
        let mut usage = format!("{}(value", self.name);
        for (at, argument) in self.arguments.iter().enumerate() {
            let (Opt(path) | Column(path)) = argument;
            let name = match path.strip_suffix(".column").unwrap_or(path).rsplit('.').next() {
                None | Some("") => "text",
                Some(name) => name,
            };
            usage.push_str(if at < self.required { ", " } else { " [, " });
            usage.push_str(name);
        }
        usage.push_str(&"]".repeat(self.arguments.len().saturating_sub(self.required)));
        usage.push(')');
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_shows_what_may_be_left_out() {
        let usage = |name: &str| FORMS.iter().find(|form| form.name == name).map(Form::usage);
        assert_eq!(
            usage("pseudonym").as_deref(),
            Some("pseudonym(value, domain [, tenant [, bits [, encoding [, prefix]]]])")
        );
        assert_eq!(usage("redact").as_deref(), Some("redact(value, text)"));
    }
}
