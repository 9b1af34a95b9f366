//! Asks work that is under way to stop; checked at every batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::RewriteError;

/// Shared by all the work of a run.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on [`check`](Self::check) fails.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`RewriteError::Stopped`] once a stop was asked for.
    pub fn check(&self) -> Result<(), RewriteError> {
        if self.is_requested() { Err(RewriteError::Stopped) } else { Ok(()) }
    }
}

/// Asks for a stop when dropped: whoever lets go of the results wants no more of them.
#[derive(Debug)]
pub struct StopOnDrop(Option<Stop>);

impl StopOnDrop {
    /// Asks `stop` when dropped.
    pub fn armed(stop: Stop) -> Self {
        Self(Some(stop))
    }

    /// The results were all taken: dropping asks for nothing any more.
    pub fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.request();
        }
    }
}
