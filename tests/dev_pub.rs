//! Temporary.
#[allow(dead_code)]
#[path = "it/support.rs"]
mod support;
#[path = "it/interrupts.rs"]
mod interrupts;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/paths.rs"]
mod paths;
#[path = "it/publishing.rs"]
mod publishing;
#[path = "it/stores.rs"]
mod stores;
