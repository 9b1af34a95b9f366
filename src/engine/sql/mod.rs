//! SQL over the source columns, by DataFusion: `where`, `derive`, and our transforms as functions.
//!
//! | room | holds |
//! |---|---|
//! | [`expressions`] | binds and evaluates one expression |
//! | [`functions`] | `pseudonym`, `mask`, `hash` as scalar functions |

pub mod expressions;
pub mod functions;
