//! The integration tests: one binary, a file per capability.

mod bad_input;
mod bad_objects;
mod corpora;
mod examples;
mod floors;
mod formats;
mod interrupts;
mod keys;
mod paths;
mod publishing;
mod quickstart;
mod routes;
mod rules;
mod storage;
mod stores;
mod support;
mod types;
