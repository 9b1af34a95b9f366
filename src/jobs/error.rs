//! Why a job could not be done at all, as opposed to an object that failed in it.

use crate::engine::discover::DiscoverError;
use crate::engine::records::PruneRefused;
use crate::engine::storage::StorageError;
use crate::keys::KeyError;
use crate::policy::Problems;

/// Why a job could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The policy has problems, by itself or when bound to the source.
    #[error("{0}")]
    Policy(Box<Problems>),
    /// The policy's file can't be read.
    #[error("the policy {path} can't be read ({kind}); check its name and permissions")]
    PolicyFile {
        /// As given.
        path: String,
        /// What the system said.
        kind: std::io::ErrorKind,
    },
    /// The request makes no sense, whatever the data.
    #[error("{0}")]
    Usage(String),
    /// The keyring can't be opened, or has no key for this.
    #[error("{0}; {hint}", hint = .0.hint())]
    Key(#[from] KeyError),
    /// A store can't be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The source can't be turned into tasks.
    #[error(transparent)]
    Discover(DiscoverError),
    /// The source holds nothing that could be read.
    #[error(
        "{source_url} holds no object to read ({passed_over} hidden names passed over); check the URL, its glob and \
         `source.format`"
    )]
    EmptySource {
        /// As it may be shown.
        source_url: String,
        /// Names that the discovery rules passed over.
        passed_over: u64,
    },
    /// Pruning would remove too much.
    #[error(transparent)]
    Prune(#[from] PruneRefused),
    /// The run was asked to stop, or lost the sink's lease, between two removals.
    #[error("stopped before everything was removed; run the same command again to go on")]
    Stopped,
    /// A fault of ours.
    #[error("a fault in lakeveil while {0}: please report it")]
    Internal(&'static str),
}

impl From<DiscoverError> for JobError {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Storage(error) => Self::Storage(error),
            other => Self::Discover(other),
        }
    }
}

impl JobError {
    /// The program's exit code: 2 usage or policy, 3 keys, 4 storage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Policy(_)
            | Self::PolicyFile { .. }
            | Self::Usage(_)
            | Self::Discover(_)
            | Self::EmptySource { .. }
            | Self::Prune(_) => 2,
            Self::Key(_) => 3,
            Self::Storage(_) => 4,
            Self::Stopped | Self::Internal(_) => 1,
        }
    }

    /// A stable code for reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Policy(_) => "policy-invalid",
            Self::PolicyFile { .. } => "policy-unreadable",
            Self::Usage(_) => "usage",
            Self::Key(_) => "key-unusable",
            Self::Storage(error) => error.kind().code(),
            Self::Discover(_) => "source-unusable",
            Self::EmptySource { .. } => "source-empty",
            Self::Prune(_) => "prune-refused",
            Self::Stopped => "stopped",
            Self::Internal(_) => "internal",
        }
    }
}
