//! `lakeveil run`

use super::{document, runtime};
use crate::cli::args::{Format, LogFormat, RunArgs};
use crate::cli::{output, progress_bar};
use crate::engine::stop::Stop;
use crate::engine::storage::Environment;
use crate::jobs::{JobError, Settings, run as job};
use crate::lineage::model::Report;
use crate::lineage::render;

pub fn run(args: &RunArgs, log: LogFormat) -> Result<u8, JobError> {
    let document = document(&args.job.policy)?;
    for path in args.report.iter().chain(&args.report_html) {
        output::check_writable(path)?;
    }
    let settings = Settings {
        sync: !args.no_fsync,
        break_lease: args.break_lease,
        openlineage: args.openlineage.clone(),
        namespace: args.openlineage_namespace.clone(),
        ..args.job.settings()
    };
    let stop = Stop::default();
    let progress = progress_bar::for_stderr(args.quiet, log);
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        tokio::spawn(stop_when_asked(stop.clone()));
        job::run(&document, &settings, Environment::of_process(), progress, stop).await
    })?;
    if let Some(path) = &args.report {
        output::write_file(path, &render::json::render(&report))?;
    }
    if let Some(path) = &args.report_html {
        output::write_file(path, &render::html::render(&report))?;
    }
    if args.quiet {
        say_failed_objects(&report);
    } else {
        output::print(&match args.format {
            Format::Text => render::text::render(&report, output::width()),
            Format::Json => render::json::render(&report),
        });
    }
    if let Some(failure) = &report.failure {
        output::say("ERROR", &format!("error: {}", failure.message));
    }
    Ok(job::exit_code(&report))
}

/// What `--quiet` does not keep quiet about.
fn say_failed_objects(report: &Report) {
    for object in &report.objects {
        if let Some(failure) = &object.failure {
            output::say("ERROR", &format!("error: {}: {}", object.input.path.escape_debug(), failure.message));
        }
    }
}

/// Exit code of a program that a second interrupt ended at once, as shells have it (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// The first interrupt stops cleanly, the second at once: what is written is then still whole, and the sink's lease
/// runs out by itself.
async fn stop_when_asked(stop: Stop) {
    if interrupted().await.is_err() {
        return;
    }
    output::say(
        "WARN",
        "stopping; objects under way are given up, finished ones stay (interrupt again to stop at once)",
    );
    stop.request();
    if interrupted().await.is_ok() {
        output::say("WARN", "stopped at once; the sink's lease runs out by itself, or is taken with --break-lease");
        std::process::exit(INTERRUPTED);
    }
}

/// Ctrl-C, or the signal by which a service manager ends a job.
async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            asked = tokio::signal::ctrl_c() => asked,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
