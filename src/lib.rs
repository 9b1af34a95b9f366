//! Batch data-lake pseudonymizer: a policy is a function from columns to columns; a run applies it to every
//! object of a dataset, touches nothing that the policy does not name, and says exactly what it did.
//!
//! The floors, each importing only downwards (a test reads the `use` lines):
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 0 | `crypto` | bytes in, bytes out: subkeys, HMAC, encodings, the secret type |
//! | 0 | `arrays` | loops over Arrow arrays: canonical bytes, dictionaries once per value, nested leaves |
//! | 1 | `transforms` | the `Transform` trait, one file per family, the declarative spec |
//! | 1 | `keys` | keyring and where it comes from |
//! | 2 | `policy` | document, diagnostics, bind, plan |
//! | 3 | `engine` | storage, discovery, Parquet and CSV, publishing, `RewriteExec`, SQL functions |
//! | 4 | `lineage` | report model, collector, renderers |
//! | 4 | `jobs` | what a user asks for: run, plan |
//! | 6 | `cli` | arguments, progress bars, exit codes |
// the kernels of `crypto::lanes` alone are let off, each of them by name; a test holds that
#![deny(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod arrays;
pub mod cli;
pub mod crypto;
pub mod engine;
pub mod jobs;
pub mod keys;
pub mod lineage;
pub mod policy;
pub mod transforms;

pub use engine::sql::register;
