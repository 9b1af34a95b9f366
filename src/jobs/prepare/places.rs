//! The places of a job: where it reads, writes, and keeps its records.

use crate::engine::storage::{Environment, Location, Overlap, Storage};
use crate::jobs::JobError;
use crate::policy::Policy;

/// Places of a job, opened but not read.
pub struct Places {
    /// What the policy says of the source.
    pub source: Location,
    /// Where outputs go.
    pub sink: Storage,
    /// Where records go.
    pub control: Storage,
    /// Settings of the stores.
    pub environment: Environment,
}

impl Places {
    /// Opens the places of `policy`.
    ///
    /// # Errors
    /// A URL that can't be one, a sink inside its source, a source inside its sink.
    pub fn open(policy: &Policy, environment: Environment) -> Result<Self, JobError> {
        let source = Location::parse(&policy.source.url)?;
        let sink = Location::parse(&policy.sink.url)?;
        if sink.is_web() {
            return Err(JobError::Usage(format!(
                "{sink}: http and https are for sources only; name a folder or a bucket"
            )));
        }
        let control = policy.sink.records.as_deref().map(Location::parse).transpose()?;
        let root = source.split_glob().map_or(source.clone(), |(root, _)| root);
        for place in std::iter::once(&sink).chain(&control) {
            match root.overlap(place)? {
                None => {}
                Some(Overlap::Same) => {
                    return Err(JobError::Usage(format!("the source {root} is the sink too; write somewhere else")));
                }
                Some(_) => {
                    return Err(JobError::Usage(format!(
                        "{root} and {place} lie in each other: a second run would read what the first one wrote; \
                         write somewhere else"
                    )));
                }
            }
        }
        let sink = Storage::open(&sink, &environment)?;
        let control = control.map(|place| Storage::open(&place, &environment)).transpose()?.unwrap_or(sink.clone());
        Ok(Self { source, sink, control, environment })
    }
}
