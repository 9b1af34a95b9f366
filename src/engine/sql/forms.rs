//! How the transforms are called in SQL: a name, and what each argument behind the value stands for.

/// A function and the rule that it is short for.
#[derive(Debug)]
pub(super) struct Form {
    /// Name in SQL.
    pub name: &'static str,
    /// The policy's word.
    pub transform: &'static str,
    /// Whether the values that go in come out hidden.
    pub hides: bool,
    /// Whether it needs a key.
    pub keyed: bool,
    /// What each argument behind the value is, in order; those behind `required` may be left out from the end.
    pub arguments: &'static [Argument],
    /// How many of them must be there.
    pub required: usize,
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

const TENANT: Argument = Column("tenant.column");

const fn keyed(name: &'static str, transform: &'static str, arguments: &'static [Argument], required: usize) -> Form {
    Form { name, transform, hides: true, keyed: true, arguments, required }
}

const fn plain(name: &'static str, transform: &'static str, arguments: &'static [Argument], required: usize) -> Form {
    Form { name, transform, hides: true, keyed: false, arguments, required }
}

/// All functions that are transforms.
pub(super) const FORMS: &[Form] = &[
    keyed("pseudonym", "pseudonym", &[Opt("domain"), TENANT, Opt("bits"), Opt("encoding"), Opt("prefix")], 1),
    plain("mask", "mask", &[Opt("keep_first"), Opt("keep_last"), Opt("with"), Opt("keep_separators")], 2),
    plain("redact", "redact", &[Opt("")], 1),
    plain("nullify", "nullify", &[], 0),
    plain("hash", "hash", &[Opt("algorithm"), Opt("encoding")], 0),
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
