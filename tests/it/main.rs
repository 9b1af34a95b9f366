//! The integration tests: one binary, a file per capability.

mod floors;
mod quickstart;
mod storage;
#[allow(dead_code, reason = "helpers for capabilities still to come")]
mod support;
