//! `lakeveil run`

use super::{document, runtime};
use crate::cli::args::{Format, RunArgs};
use crate::cli::{output, progress_bar};
use crate::engine::stop::Stop;
use crate::engine::storage::Environment;
use crate::jobs::{JobError, Settings, run as job};
use crate::lineage::render;

pub fn run(args: &RunArgs) -> Result<u8, JobError> {
    let document = document(&args.job.policy)?;
    let settings = Settings {
        sync: !args.no_fsync,
        break_lease: args.break_lease,
        openlineage: args.openlineage.clone(),
        namespace: args.openlineage_namespace.clone(),
        ..args.job.settings()
    };
    let stop = Stop::default();
    let progress = progress_bar::for_stderr(args.quiet);
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        let asked = stop.clone();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                eprintln!("stopping; objects under way are given up, finished ones stay");
                asked.request();
            }
        });
        job::run(&document, &settings, Environment::of_process(), progress, stop).await
    })?;
    if let Some(path) = &args.report {
        output::write_file(path, &render::json::render(&report))?;
    }
    if let Some(path) = &args.report_html {
        output::write_file(path, &render::html::render(&report))?;
    }
    if !args.quiet {
        output::print(&match args.format {
            Format::Text => render::text::render(&report, output::width()),
            Format::Json => render::json::render(&report),
        });
    }
    Ok(job::exit_code(&report))
}
