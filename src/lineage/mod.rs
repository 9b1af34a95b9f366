//! Floor 4: the report: model, collector, renderers. Never a cell value, never a key.
//!
//! ```text
//! RunFacts + PlanDescription + Outcomes ── Collector ──> Report ── render::{json, text, html, openlineage}
//!                                                                               emit: events to a file or a server
//! ```
pub mod collect;
pub mod emit;
pub mod model;
pub mod render;
pub mod schema;

#[cfg(test)]
mod testing;
