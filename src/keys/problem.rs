//! What can be wrong with an entry, a secret, or the place that a policy names: the parts of [`KeyError`].
//!
//! [`KeyError`]: super::KeyError

use super::material::MAX_SECRET_BYTES;

/// What is wrong with one entry of a keyring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// A field that every entry needs is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The id has other characters, or another length, than ids have.
    #[error("the id is not 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    Id,
    /// The time is not in the form of RFC 3339.
    #[error("`created` is not a time like 2026-11-22T00:00:00Z")]
    Created,
    /// The state is none of the three.
    #[error("`state` is not active, retired or compromised")]
    State,
    /// The scheme is not an interoperable one.
    #[error("`scheme` is not hmac-sha256 or kelora")]
    Scheme,
    /// Both a root and subkeys.
    #[error("there are both `secret` and `subkeys`")]
    SecretAndSubkeys,
    /// Subkeys with an interoperable scheme, which derives none.
    #[error("there are both `scheme` and `subkeys`")]
    SchemeAndSubkeys,
    /// An empty list of subkeys.
    #[error("`subkeys` is empty")]
    NoSubkeys,
    /// A subkey without purpose or domain.
    #[error("a subkey has an empty `{0}`")]
    SubkeyEmpty(&'static str),
    /// Two subkeys for one use.
    #[error("two subkeys have the same purpose, domain and tenant")]
    DuplicateSubkey,
    /// A fingerprint that is not one.
    #[error("a `root_fingerprint` is not 16 lower-case hexadecimal digits")]
    RootFingerprint,
    /// Subkeys of different roots in one entry.
    #[error("its subkeys have different `root_fingerprint`s")]
    DifferentRoots,
    /// The secret itself.
    #[error(transparent)]
    Secret(#[from] SecretProblem),
}

impl EntryProblem {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Missing("secret") => "write `secret`, or the `subkeys` that the key's owner exported",
            Self::Missing(_) => "add it",
            Self::Id => "shorten or rename it, for example 2026-11",
            Self::Created => "write the time in UTC as in RFC 3339, or leave `created` out",
            Self::State => "write one of the three",
            Self::Scheme => "write one of these, or leave `scheme` out for a key of Lakeveil's own scheme",
            Self::SecretAndSubkeys => "keep `secret` if the key is yours, else `subkeys`",
            Self::SchemeAndSubkeys => "an interoperable scheme has no subkeys: leave one of them out",
            Self::NoSubkeys | Self::SubkeyEmpty(_) | Self::DuplicateSubkey | Self::RootFingerprint => {
                "take the entry as the key's owner exported it"
            }
            Self::DifferentRoots => "put the subkeys of each root into an entry of their own",
            Self::Secret(problem) => problem.hint(),
        }
    }
}

/// What is wrong with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretProblem {
    /// A secret in a keyring document without its encoding.
    #[error("the secret does not begin with hex:, base64: or text:")]
    NoEncoding,
    /// After `hex:`.
    #[error("the secret is not hexadecimal after hex:")]
    NotHex,
    /// After `base64:`.
    #[error("the secret is not padded base64 of the standard alphabet after base64:")]
    NotBase64,
    /// Fewer bytes than the scheme takes.
    #[error("the secret has {bytes} bytes, at least {min} are needed")]
    TooShort {
        /// Bytes given.
        bytes: usize,
        /// Bytes needed.
        min: usize,
    },
    /// More bytes than any scheme takes.
    #[error("the secret has {bytes} bytes, at most {MAX_SECRET_BYTES} are taken")]
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
    /// A word such as `changeme`, or a short piece over and over.
    #[error("the secret is a placeholder or a repetition that anybody would guess")]
    Placeholder,
}

impl SecretProblem {
    /// What to do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::NoEncoding => "write its encoding before it: hex:, base64: or text:",
            Self::NotHex => "write two hexadecimal digits for each byte, without spaces",
            Self::NotBase64 => "use + and /, keep the final =, no spaces or line breaks",
            Self::TooShort { .. } | Self::TooLong { .. } => "make one of 32 random bytes with `lakeveil key new`",
            Self::Placeholder => "make a random one with `lakeveil key new`",
        }
    }
}

/// What is wrong with a policy's `keyring:`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecProblem {
    /// None of `file`, `env` and `command`.
    #[error("the keyring names no source")]
    NoSource,
    /// More than one of them.
    #[error("the keyring names {0} sources: {1}")]
    ManySources(usize, String),
    /// `permissions` is about files alone.
    #[error("`permissions` is given without `file`")]
    PermissionsWithoutFile,
    /// `file: ""`.
    #[error("`file` is empty")]
    EmptyFile,
    /// A variable name that no environment can hold.
    #[error("`env` is empty or holds `=` or a zero byte")]
    EnvName,
    /// A command without program.
    #[error("`command` has no program")]
    EmptyCommand,
}

impl SpecProblem {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NoSource | Self::ManySources(..) => {
                "write one of `file: PATH`, `env: NAME`, `command: [PROGRAM, ARGUMENT]`"
            }
            Self::PermissionsWithoutFile => "leave `permissions` out",
            Self::EmptyFile => "write the path of the keyring file",
            Self::EnvName => "write the name of the variable, for example LAKEVEIL_KEYRING, without `$`",
            Self::EmptyCommand => "write the program and its arguments as a list, for example [pass, show, lakeveil]",
        }
    }
}
