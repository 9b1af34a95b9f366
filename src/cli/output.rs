//! Where words go: results to standard output, logs and progress to standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use tracing_subscriber::EnvFilter;

use super::args::LogFormat;
use crate::engine::time::timestamp;
use crate::engine::untrusted::is_under_way;
use crate::jobs::JobError;

/// Whether lines on standard error are JSON: one setting for the process, as its log is.
static JSON_LINES: AtomicBool = AtomicBool::new(false);

/// Columns of text where no terminal says.
const WIDTH: usize = 120;

/// Starts the log: warnings and errors, or what `LAKEVEIL_LOG` asks for. Other crates stay silent: their words may
/// quote data.
pub fn start_log(format: LogFormat) {
    JSON_LINES.store(format == LogFormat::Json, Ordering::Relaxed);
    let level = std::env::var("LAKEVEIL_LOG").unwrap_or_else(|_| "warn".to_owned());
    let level: tracing::Level = level.parse().unwrap_or(tracing::Level::WARN);
    let filter = EnvFilter::new(format!("off,lakeveil={level}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // a second start, as in tests, changes nothing
    let _ = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

/// One line, or for people one paragraph, on standard error; as JSON it has the shape of the log's lines.
pub fn say(level: &str, message: &str) {
    if JSON_LINES.load(Ordering::Relaxed) {
        let timestamp = timestamp(SystemTime::now());
        let line = serde_json::json!({ "timestamp": timestamp, "level": level, "fields": { "message": message } });
        eprintln!("{line}");
    } else {
        eprintln!("{message}");
    }
}

/// A panic's own words may quote a cell: of one, only the place in the code is told; of one over damaged bytes,
/// nothing: the object's failure tells it.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if is_under_way() {
            return;
        }
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        say("ERROR", &format!("a fault in lakeveil{place}: please report it"));
    }));
}

/// The terminal's width, or one that suits files.
pub fn width() -> usize {
    match std::io::stdout().is_terminal() {
        true => usize::from(console::Term::stdout().size().1).max(60),
        false => WIDTH,
    }
}

/// Prints to standard output; a reader that has gone away (`| head`) is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Fails at once where [`write_file`] could not write later.
///
/// # Errors
/// As [`write_file`].
pub fn check_writable(path: &Path) -> Result<(), JobError> {
    let new = staged(path);
    std::fs::write(&new, "").and_then(|()| std::fs::remove_file(&new)).map_err(|error| unwritable(path, &error))
}

fn staged(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lakeveil-new");
    path.with_file_name(name)
}

fn unwritable(path: &Path, error: &std::io::Error) -> JobError {
    let kind = error.kind();
    JobError::Usage(format!("{} can't be written ({kind}); check its folder and permissions", path.display()))
}

/// Writes a file that the user asked for, whole or not at all.
///
/// # Errors
/// [`JobError::Usage`] with the path and what the system said.
pub fn write_file(path: &Path, text: &str) -> Result<(), JobError> {
    let new = staged(path);
    std::fs::write(&new, text).map_err(|error| unwritable(path, &error))?;
    std::fs::rename(&new, path).map_err(|error| unwritable(path, &error))
}
