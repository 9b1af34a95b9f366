//! Floor 4: what a user asks for.
//!
//! | room | holds |
//! |---|---|
//! | [`prepare`] | from a policy to tasks: keys, listing, schemas, plans, names, decisions |
//! | [`plan`] | what a run would do, as data |
//! | [`run`] | does it: lease, rewrite, records, pruning, report |

mod error;
pub mod plan;
pub mod prepare;
mod prune;
pub mod run;
mod settings;

pub use error::JobError;
pub use prune::Prune;
pub use settings::Settings;
