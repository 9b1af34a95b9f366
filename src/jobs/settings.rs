//! What the caller of a job chooses, apart from the policy. None of it changes an output's bytes.

use super::Prune;

/// Choices for one job.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Compute threads; 0 means one for each processor.
    pub threads: usize,
    /// Bytes of work in flight at most.
    pub memory_bytes: u64,
    /// Rewrite every object, whatever the records say.
    pub full: bool,
    /// Whether outputs without input are removed.
    pub prune: Prune,
    /// Sync files before they get their names.
    pub sync: bool,
    /// Take the sink from whoever holds its lease.
    pub break_lease: bool,
    /// Where OpenLineage events go: a file or a URL.
    pub openlineage: Option<String>,
    /// The job's namespace in OpenLineage events.
    pub namespace: Option<String>,
}

impl Settings {
    /// Memory where the caller names none: 1 GiB.
    pub const DEFAULT_MEMORY_BYTES: u64 = 1 << 30;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: 0,
            memory_bytes: Self::DEFAULT_MEMORY_BYTES,
            full: false,
            prune: Prune::No,
            sync: true,
            break_lease: false,
            openlineage: None,
            namespace: None,
        }
    }
}
