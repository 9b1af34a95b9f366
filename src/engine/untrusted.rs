//! Other makers' code over bytes that may be damaged: where it panics, the bytes are at fault, not the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives, or `None` if it panicked. What it had hold of must not be used again then.
///
/// Only for short calls that leave the thread for no other work.
pub fn survive<T>(work: impl FnOnce() -> T) -> Option<T> {
    let outer = UNDER_WAY.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    UNDER_WAY.set(outer);
    result.ok()
}

/// Whether this thread is within [`survive`]: its panic is no fault to be told.
pub fn is_under_way() -> bool {
    UNDER_WAY.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_survived_and_known_as_such() {
        assert!(!is_under_way());
        assert_eq!(survive(|| survive(is_under_way)), Some(Some(true)));
        assert_eq!(survive(|| (survive(|| panic!("foreign")).map(|()| 1), is_under_way())), Some((None, true)));
        assert!(!is_under_way());
    }
}
