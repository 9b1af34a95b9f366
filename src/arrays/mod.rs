//! Floor 0: loops over Arrow arrays.
//!
//! [`canonical`](canonical::canonical) turns a column into the bytes that every keyed family works on, and
//! [`restore`](restore::restore) turns such bytes into a column again; [`dictionary`] and [`distinct`] do a thing once
//! per distinct value; [`sketch`] counts distinct values, [`space`] bounds how many there could be; [`fields`] says what
//! of a field's metadata may be told; [`calendar`], [`iso`] and [`date_format`] know dates.

pub mod calendar;
pub mod canonical;
pub mod date_format;
pub mod decimal;
pub mod dictionary;
pub mod distinct;
pub mod failure;
pub mod fields;
pub mod iso;
mod parse;
pub mod restore;
pub mod sketch;
pub mod source_type;
pub mod space;
mod temporal;
