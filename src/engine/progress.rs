//! How the engine says how far it is. Only the CLI draws.

/// Receives progress; every method may be called from any thread, often, and must return at once.
pub trait Progress: Send + Sync {
    /// The run has this much before it.
    fn start(&self, _objects: u64, _bytes: u64) {}
    /// An object was begun, named by its display name.
    fn object_started(&self, _display: &str) {}
    /// Input bytes were read.
    fn bytes_read(&self, _bytes: u64) {}
    /// Output rows were produced.
    fn rows_done(&self, _rows: u64) {}
    /// An object has come to its end, published or failed.
    fn object_finished(&self, _display: &str, _published: bool) {}
    /// Nothing more will come.
    fn finish(&self) {}
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
