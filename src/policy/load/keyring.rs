//! Secrets do not stand in policies.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::read::Reader;
use super::super::yaml::{Node, Value};

/// How a literal secret begins in a keyring.
const SECRET_PREFIXES: [&str; 3] = ["hex:", "base64:", "text:"];
/// Keys of a keyring document, which has no place here.
const KEYRING_KEYS: [&str; 4] = ["secret", "secrets", "keys", "subkeys"];

/// Leaves a `keyring` out that holds what looks like a secret. Neither its text nor its keys are quoted.
pub(super) fn refuse_secrets(root: &Node, reader: &mut Reader<'_>) {
    let Some(keyring) = root.entry("keyring") else { return };
    if holds_secret(keyring) {
        let message = "a secret stands in the policy itself";
        let hint =
            "take it out, as it is no secret any more, and name where a new one lies: `file`, `env` or `command`";
        reader.leave_out(keyring, Diagnostic::error(Code::SecretInPolicy, keyring.path.clone(), message).hint(hint));
    }
}

fn holds_secret(node: &Node) -> bool {
    let begins_like_one = |text: &str| SECRET_PREFIXES.iter().any(|prefix| text.trim_start().starts_with(prefix));
    match &node.value {
        Value::Null(_) => false,
        Value::Scalar(text) => begins_like_one(text),
        Value::List(items) => items.iter().any(holds_secret),
        Value::Map(entries) => entries.iter().any(|entry| {
            KEYRING_KEYS.contains(&entry.key.as_str()) || begins_like_one(&entry.key) || holds_secret(&entry.node)
        }),
    }
}
