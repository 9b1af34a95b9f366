//! One report, several forms: JSON for programs, text for the terminal, HTML for mail, OpenLineage for catalogs.
pub mod html;
pub mod json;
pub mod openlineage;
pub mod plan;
pub mod text;

mod clean;
mod table;
mod words;

pub use clean::clean;
