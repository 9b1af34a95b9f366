//! What can be wrong with keys. No message repeats anything of a keyring but key ids, which are public.

use std::io;
use std::path::PathBuf;

use super::keyring::Scheme;
use super::problem::{EntryProblem, SpecProblem};
use super::source::MAX_DOCUMENT_BYTES;

/// What went wrong with a keyring. `Display` says what happened, [`KeyError::hint`] what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The error, and the source whose document it is about.
    #[error("{origin}: {error}")]
    Within {
        /// The source, as it describes itself.
        origin: String,
        /// What is wrong with its document.
        error: Box<KeyError>,
    },

    /// The document begins like a keyring and is not JSON.
    #[error("the keyring is not JSON: line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The document is JSON, but not of a keyring's shape.
    #[error(
        "the keyring has an unknown, repeated or missing key, or a value of the wrong type: line {line}, column {column}"
    )]
    NotKeyring {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The document is neither a keyring nor text.
    #[error("the key source holds neither a keyring nor UTF-8 text")]
    NotUtf8,
    /// A byte order mark before a keyring, which would make the whole document a bare secret.
    #[error("the keyring begins with a byte order mark")]
    ByteOrderMark,
    /// The document is of a version that this program does not read, or names none.
    #[error("the keyring is of version {}, this program reads version 1", .found.map_or("(none)".into(), |v| v.to_string()))]
    Version {
        /// The version that the document names.
        found: Option<u64>,
    },
    /// One entry is wrong.
    #[error("{entry}: {problem}")]
    Entry {
        /// The key id where that is valid, else its place in the document.
        entry: String,
        /// What is wrong with it.
        problem: EntryProblem,
    },
    /// Two entries with one id.
    #[error("two keys have the id `{id}`")]
    DuplicateId {
        /// The id of both.
        id: String,
    },
    /// No entry is active.
    #[error("no key is active among {keys}")]
    NoneActive {
        /// How many entries there are.
        keys: usize,
    },
    /// More than one entry is active.
    #[error("two keys are active: `{first}` and `{second}`")]
    TwoActive {
        /// The first active one in the document.
        first: String,
        /// The second.
        second: String,
    },

    /// A key id that the keyring does not hold.
    #[error("the keyring has no key `{id}`; it has {known}")]
    UnknownKey {
        /// The id asked for.
        id: String,
        /// The ids that there are.
        known: String,
    },
    /// A chain without keys.
    #[error("a key chain names at least one key")]
    EmptyChain,
    /// A chain that names a key twice.
    #[error("the key chain names `{id}` twice")]
    ChainRepeats {
        /// The id of the key.
        id: String,
    },
    /// New tokens were asked of a compromised key.
    #[error("key `{id}` is compromised: its tokens would not protect anything")]
    Compromised {
        /// The id of the key.
        id: String,
    },
    /// A key was asked for a scheme other than its own.
    #[error("key `{id}` is for scheme {own}, and {wanted} was asked of it")]
    WrongScheme {
        /// The id of the key.
        id: String,
        /// The scheme of the key.
        own: Scheme,
        /// The scheme asked for.
        wanted: Scheme,
    },
    /// The entry holds subkeys alone, and none is for this use. Domain and tenant may be data and are not repeated.
    #[error(
        "key `{id}` holds {subkeys} exported subkeys, none of them for this domain and tenant of purpose {purpose}"
    )]
    NotServed {
        /// The id of the key.
        id: String,
        /// How many subkeys it holds.
        subkeys: usize,
        /// The purpose asked for.
        purpose: String,
    },
    /// An exported subkey is of another length than the transform needs.
    #[error("key `{id}` holds a subkey of {found} bytes for purpose {purpose}, which needs {wanted}")]
    SubkeyLength {
        /// The id of the key.
        id: String,
        /// The purpose asked for.
        purpose: String,
        /// Bytes in the entry.
        found: usize,
        /// Bytes needed.
        wanted: usize,
    },
    /// The root was asked of an entry that holds subkeys alone.
    #[error("key `{id}` holds exported subkeys and no root secret")]
    NoRoot {
        /// The id of the key.
        id: String,
    },
    /// A subkey was asked for without a domain.
    #[error("a subkey of purpose {purpose} was asked for with an empty domain")]
    EmptyDomain {
        /// The purpose asked for.
        purpose: String,
    },

    /// A policy's `keyring:` that names no source, or more than one.
    #[error(transparent)]
    Spec(#[from] SpecProblem),
    /// The variable is missing or empty.
    #[error("environment variable `{name}` is {}", if *.set { "empty" } else { "not set" })]
    Env {
        /// The name of the variable.
        name: String,
        /// Whether it is there at all.
        set: bool,
    },
    /// The file cannot be read.
    #[error("cannot read keyring file {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write keyring file {}: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file may be read by others.
    #[error("keyring file {} has mode {mode:04o}, so others than its owner can reach it; 0600 is expected", .path.display())]
    FileMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The document is longer than a keyring can reasonably be.
    #[error("{origin} holds more than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge {
        /// The source, as it describes itself.
        origin: String,
    },
    /// The program cannot be started, or its output cannot be read.
    #[error("cannot run keyring command `{program}`: {error}")]
    CommandIo {
        /// The program, without its arguments.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// The program failed.
    #[error("keyring command `{program}` failed: {status}")]
    CommandFailed {
        /// The program, without its arguments.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The program took too long and was stopped.
    #[error("keyring command `{program}` did not finish within {seconds} s and was stopped")]
    CommandTimeout {
        /// The program, without its arguments.
        program: String,
        /// The time that it had, in seconds.
        seconds: u64,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl KeyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Within { error, .. } => error.hint(),
            Self::NotJson { .. } => {
                "a source that begins with `{` must be a keyring; write a bare secret as hex:, base64: or text:"
            }
            Self::NotKeyring { .. } => {
                "a keyring has `version` and `keys`; a key has `id`, `state`, `created`, `scheme`, and `secret` or `subkeys`"
            }
            Self::NotUtf8 => "write a binary secret as hex: or base64:",
            Self::ByteOrderMark => "save the document as UTF-8 without a byte order mark",
            Self::Version { .. } => "write `\"version\": 1` first in the document, or use a newer program",
            Self::Entry { problem, .. } => problem.hint(),
            Self::DuplicateId { .. } => {
                "give each key an id of its own, with `--id` where `key new` makes it; an id is never used twice"
            }
            Self::NoneActive { .. } | Self::TwoActive { .. } => {
                "exactly one key is `active`: mark the others `retired` or `compromised`"
            }
            Self::UnknownKey { .. } => "name one of these in the policy's `key`, or add the key to the keyring",
            Self::EmptyChain | Self::ChainRepeats { .. } => "list each key of the chain once, oldest first",
            Self::Compromised { .. } => "use the active key, and rotate what was made with this one",
            Self::WrongScheme { .. } => {
                "use a key of its own for each scheme: who holds an interoperable key could derive every other one"
            }
            Self::NotServed { .. } | Self::NoRoot { .. } => "ask the key's owner to export a subkey for this use",
            Self::SubkeyLength { .. } => "ask the key's owner to export the subkey anew, with the length needed",
            Self::EmptyDomain { .. } => "give the rule a `domain`",
            Self::Spec(problem) => problem.hint(),
            Self::Env { .. } => "set it to a keyring or a secret; `lakeveil key new` makes one",
            Self::Read { .. } => "check the path, which is taken from the working directory, and who may read it",
            Self::Write { .. } => {
                "an existing keyring is never overwritten: choose another name, or `--add-to` it; else check the folder, \
                 and whether a left-over `.new` file in it belongs to a broken run"
            }
            Self::FileMode { .. } => "chmod 600 the file, or write `permissions: any` if others are meant to read it",
            Self::TooLarge { .. } => "check that it is a keyring",
            Self::CommandIo { .. } => {
                "check that the program is on the PATH; the command is a list, run without a shell"
            }
            Self::CommandFailed { .. } => "run it by hand to see why: what it says is never shown here",
            Self::CommandTimeout { .. } => "run it by hand: it may be waiting for input, of which it gets none here",
            Self::Random(_) => "no key can be made on this machine now; try another",
        }
    }
}
