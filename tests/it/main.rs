//! The integration tests: one binary, a file per capability.

mod bad_input;
mod bad_objects;
mod floors;
mod formats;
mod interrupts;
mod publishing;
mod quickstart;
mod rules;
mod storage;
mod support;
