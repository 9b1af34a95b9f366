//! Each rule by itself.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::place::DocPath;
use super::super::rule::{OnEmpty, OnError, Rule, RuleOptions};
use super::super::suggest;
use crate::crypto::TokenEncoding;
use crate::transforms::normalize::Step;
use crate::transforms::spec::{DomainTemplate, HashSpec, PseudonymSpec, TransformSpec};

/// Bits of a token, TOKENS.md section 3.
const MIN_BITS: u16 = 64;
const MAX_BITS: u16 = 256;
const UUID_BITS: u16 = 128;

pub(super) fn check(rule: &Rule, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    let at = path.key(rule.transform.name());
    match &rule.transform {
        TransformSpec::Pseudonym(spec) => pseudonym(spec, &at, problems),
        TransformSpec::Hash(spec) => hash(spec, &at, problems),
        TransformSpec::Derive(sql) if sql.0.trim().is_empty() => {
            problems.push(Diagnostic::error(Code::EmptySql, at, "`derive` is empty").hint("write a SQL expression"));
        }
        _ => {}
    }
    options(&rule.options, &rule.transform, path, problems);
}

fn pseudonym(spec: &PseudonymSpec, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    if let Err(error) = DomainTemplate::parse(&spec.domain) {
        problems.push(Diagnostic::error(Code::Domain, path.key("domain"), error.to_string()));
    }
    if spec.tenant.as_ref().is_some_and(|tenant| tenant.column.is_empty()) {
        let path = path.key("tenant").key("column");
        problems.push(Diagnostic::error(Code::BadValue, path, "the tenant's column has no name"));
    }
    let (bits, encoding) = (spec.bits(), spec.encoding());
    let bits_path = path.key("bits");
    if !(MIN_BITS..=MAX_BITS).contains(&bits) || bits % 8 != 0 {
        let message = format!("a token has {MIN_BITS} to {MAX_BITS} bits in steps of 8, found {bits}");
        problems.push(Diagnostic::error(Code::Bits, bits_path, message).hint("128 serves most tables"));
    } else if encoding == TokenEncoding::Uuid && bits != UUID_BITS {
        let message = format!("a UUID is made of {UUID_BITS} bits, found {bits}");
        problems.push(
            Diagnostic::error(Code::Bits, bits_path, message).hint("leave `bits` out, or choose another encoding"),
        );
    } else if bits < PseudonymSpec::SAFE_BITS && !spec.accept_collisions {
        let message = format!("with {bits} bits, two values of a large table may share a token");
        let hint = format!("use at least {} bits, or add `accept_collisions: true`", PseudonymSpec::SAFE_BITS);
        problems.push(Diagnostic::error(Code::Collisions, bits_path, message).hint(hint));
    }
    if encoding == TokenEncoding::Base64 {
        problems.push(refused_encoding(
            path,
            "`base64` holds `/` and `+`, which the scheme `lakeveil` keeps out of tokens",
        ));
    }
    if spec.prefix.is_some() && encoding == TokenEncoding::Binary {
        let message = "`prefix` is text, and binary tokens are not";
        let hint = "remove `prefix`, or choose a text encoding";
        problems.push(Diagnostic::error(Code::PrefixOnBinary, path.key("prefix"), message).hint(hint));
    }
}

fn hash(spec: &HashSpec, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    match spec.encoding {
        TokenEncoding::Uuid => problems.push(refused_encoding(path, "a digest has 256 bits and a UUID 128")),
        TokenEncoding::Base64 => problems.push(refused_encoding(path, "`base64` is not offered for digests")),
        _ => {}
    }
    let message = "`hash` uses no key: anyone can compute the digest of a guessed value";
    let hint = "`pseudonym` gives tokens that nobody can guess without the key";
    problems.push(Diagnostic::warning(Code::UnkeyedHash, path.clone(), message).hint(hint));
}

fn refused_encoding(path: &DocPath, message: &str) -> Diagnostic {
    Diagnostic::error(Code::Encoding, path.key("encoding"), message)
        .hint("use `hex`, `base32`, `base64url` or `binary`")
}

fn options(options: &RuleOptions, transform: &TransformSpec, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    for (index, step) in options.normalize.iter().enumerate() {
        if let Err(error) = step.parse::<Step>() {
            let problem = Diagnostic::error(Code::NormalizeStep, path.key("normalize").index(index), error.to_string());
            let candidates = error.candidates();
            problems.push(match suggest::closest(step, candidates.iter().map(String::as_str)) {
                Some(candidate) => problem.hint(format!("did you mean `{candidate}`?")),
                None => problem,
            });
        }
    }
    let derives = matches!(transform, TransformSpec::Derive(_));
    let drops = matches!(transform, TransformSpec::Drop(_));
    let idle = !transform.takes_value_options();
    let useless = [
        ("normalize", idle && !options.normalize.is_empty()),
        ("empty", idle && options.empty != OnEmpty::default()),
        ("on_error", idle && options.on_error != OnError::default()),
        ("rename", (derives || drops) && options.rename.is_some()),
        ("optional", derives && options.optional),
        ("type", derives && options.column_type.is_some()),
    ];
    for (key, _) in useless.iter().filter(|(_, useless)| *useless) {
        let message = format!("`{key}` has no effect beside `{}`", transform.name());
        let hint = match (derives, *key) {
            (true, "rename") => "the rule's key is the new column's name".to_owned(),
            (true, _) => format!("remove `{key}`; the expression itself can do it"),
            _ => format!("remove `{key}`"),
        };
        problems.push(Diagnostic::error(Code::UselessOption, path.key(*key), message).hint(hint));
    }
}
