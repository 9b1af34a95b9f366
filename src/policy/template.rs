//! The commented template that the program hands out.

/// A policy with every key, its default and a comment: `lakeveil policy template`.
pub const TEMPLATE: &str = include_str!("../../policies/template.yaml");
