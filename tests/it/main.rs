//! The integration tests: one binary, a file per capability.

mod storage;
