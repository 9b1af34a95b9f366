//! Draws progress: bars on a terminal, plain lines at intervals elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::LogFormat;
use super::output;
use crate::engine::progress::{Progress, Silent};

/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What suits standard error: a bar, lines, or nothing.
pub fn for_stderr(quiet: bool, log: LogFormat) -> Arc<dyn Progress> {
    if quiet {
        Arc::new(Silent)
    } else if log == LogFormat::Text && std::io::stderr().is_terminal() {
        Arc::new(Bar::new())
    } else {
        Arc::new(Lines::new())
    }
}

/// One bar over the bytes of the source.
struct Bar {
    bar: ProgressBar,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    objects: AtomicU64,
    all_objects: AtomicU64,
    bytes: AtomicU64,
    all_bytes: AtomicU64,
    rows: AtomicU64,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, counts: Counts::default() }
    }

    fn say(&self) {
        let counts = &self.counts;
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let rows = counts.rows.load(Ordering::Relaxed);
        self.bar.set_message(format!(
            "{rows} rows ({:.0}/s)  {}/{} objects",
            rows as f64 / seconds,
            counts.objects.load(Ordering::Relaxed),
            counts.all_objects.load(Ordering::Relaxed),
        ));
    }
}

impl Progress for Bar {
    fn start(&self, objects: u64, bytes: u64) {
        self.counts.all_objects.store(objects, Ordering::Relaxed);
        self.bar.set_length(bytes);
        self.bar.enable_steady_tick(Duration::from_millis(200));
        self.say();
    }

    fn bytes_read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn rows_done(&self, rows: u64) {
        self.counts.rows.fetch_add(rows, Ordering::Relaxed);
        self.say();
    }

    fn object_finished(&self, display: &str, published: bool) {
        self.counts.objects.fetch_add(1, Ordering::Relaxed);
        if !published {
            self.bar.println(format!("failed: {}", display.escape_debug()));
        }
        self.say();
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line now and then, for logs.
struct Lines {
    counts: Counts,
    started: Instant,
    last_seconds: AtomicU64,
}

impl Lines {
    fn new() -> Self {
        Self { counts: Counts::default(), started: Instant::now(), last_seconds: AtomicU64::new(0) }
    }

    fn say_now_and_then(&self) {
        let now = self.started.elapsed().as_secs();
        let last = self.last_seconds.load(Ordering::Relaxed);
        let due = now >= last + LINE_EVERY.as_secs();
        if due && self.last_seconds.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
            let counts = &self.counts;
            let (bytes, all_bytes, rows) = (load(&counts.bytes), load(&counts.all_bytes), load(&counts.rows));
            let left = match bytes {
                0 => "unknown".to_owned(),
                _ => format!("{}s", (all_bytes.saturating_sub(bytes)) * now / bytes),
            };
            let line = format!(
                "{now}s: {}/{} objects, {rows} rows ({}/s), {} of {} MiB, {left} left",
                load(&counts.objects),
                load(&counts.all_objects),
                rows / now.max(1),
                bytes >> 20,
                all_bytes >> 20,
            );
            output::say("INFO", &line);
        }
    }
}

impl Progress for Lines {
    fn start(&self, objects: u64, bytes: u64) {
        self.counts.all_objects.store(objects, Ordering::Relaxed);
        self.counts.all_bytes.store(bytes, Ordering::Relaxed);
    }

    fn bytes_read(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.say_now_and_then();
    }

    fn rows_done(&self, rows: u64) {
        self.counts.rows.fetch_add(rows, Ordering::Relaxed);
        self.say_now_and_then();
    }

    fn object_finished(&self, display: &str, published: bool) {
        self.counts.objects.fetch_add(1, Ordering::Relaxed);
        if !published {
            output::say("ERROR", &format!("failed: {}", display.escape_debug()));
        }
    }
}
