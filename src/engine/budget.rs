//! One byte budget for the process: how much work may be in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes for each permit, so that terabytes fit a semaphore's 32-bit counts.
const GRAIN: u64 = 64 * 1024;

/// Bounds the bytes that units of work hold at one time.
///
/// - A unit reserves once, before it starts, in the order of its object's output, and never asks for more while it
///   holds: so there is no circle of waiting.
/// - A unit larger than the budget waits until it is alone.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    total: u32,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub struct Reservation(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Budget {
    /// A budget of `bytes`.
    pub fn new(bytes: u64) -> Self {
        let total = grains(bytes, u32::MAX >> 3).max(1);
        Self { permits: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// All of it, in bytes.
    pub fn total(&self) -> u64 {
        u64::from(self.total) * GRAIN
    }

    /// Waits until `bytes`, or all of the budget if they are more, are free.
    pub async fn reserve(&self, bytes: u64) -> Reservation {
        let wanted = grains(bytes, self.total);
        let permit = Arc::clone(&self.permits).acquire_many_owned(wanted).await;
        Reservation(permit.expect("the semaphore is never closed"))
    }
}

fn grains(bytes: u64, most: u32) -> u32 {
    u32::try_from(bytes.div_ceil(GRAIN)).map_or(most, |grains| grains.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_enough_is_given_back() {
        let budget = Budget::new(10 * GRAIN);
        let first = budget.reserve(6 * GRAIN).await;
        let mut second = Box::pin(budget.reserve(5 * GRAIN));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert!(futures::poll!(&mut second).is_ready());
    }

    #[tokio::test]
    async fn a_unit_larger_than_the_budget_runs_alone() {
        let budget = Budget::new(GRAIN);
        let large = budget.reserve(u64::MAX).await;
        let mut other = Box::pin(budget.reserve(1));
        assert!(futures::poll!(&mut other).is_pending());
        drop(large);
        assert!(futures::poll!(&mut other).is_ready());
    }
}
