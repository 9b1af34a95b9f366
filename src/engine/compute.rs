//! The one crossing between async tasks, which move bytes, and the rayon pool, which computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::error::RewriteError;

/// The pool on which all decoding, transforming and encoding runs.
#[derive(Clone)]
pub struct Compute {
    pool: Arc<rayon::ThreadPool>,
}

impl std::fmt::Debug for Compute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compute({} threads)", self.threads())
    }
}

impl Compute {
    /// A pool of `threads` threads; 0 means one for each processor.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn new(threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let name = |index| format!("lakeveil-compute-{index}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build()?;
        Ok(Self { pool: Arc::new(pool) })
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` on the pool. `doing` names it, should it panic: the panic's own text may quote data.
    ///
    /// # Errors
    /// [`RewriteError::Internal`] if `work` panicked, else what it gave.
    pub async fn run<T, F>(&self, doing: &'static str, work: F) -> Result<T, RewriteError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, RewriteError> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        self.pool.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(RewriteError::Internal(doing)));
            // nobody waits for it when the run was cancelled
            let _ = send.send(result);
        });
        receive.await.unwrap_or(Err(RewriteError::Internal(doing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_on_the_pool_and_gives_its_result() {
        let compute = Compute::new(2).unwrap();
        let name = compute.run("naming", || Ok(std::thread::current().name().map(str::to_owned))).await.unwrap();
        assert!(name.unwrap().starts_with("lakeveil-compute-"));
    }

    #[tokio::test]
    async fn a_panic_becomes_an_error_without_the_panics_text() {
        let compute = Compute::new(1).unwrap();
        let error = compute.run::<(), _>("testing", || panic!("CANARY")).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
        assert_eq!(error.code(), "internal");
        assert!(compute.run("going on", || Ok(())).await.is_ok());
    }
}
