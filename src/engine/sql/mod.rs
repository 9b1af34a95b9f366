//! SQL over the source columns, by DataFusion: `where`, `derive`, and our transforms as functions.
//!
//! | room | holds |
//! |---|---|
//! | [`expressions`] | binds and evaluates one expression |
//! | `functions`, `forms` | the transforms as scalar functions, and how they are called |
//! | `parse_email` | a function that hides nothing |

pub mod expressions;
mod forms;
mod functions;
mod parse_email;

pub use functions::register;
