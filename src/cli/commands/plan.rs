//! `lakeveil plan`

use super::{document, pretty, runtime};
use crate::cli::args::{Format, PlanArgs};
use crate::cli::output;
use crate::engine::storage::Environment;
use crate::jobs::JobError;
use crate::jobs::plan::{self as job, Action, PlanReport};
use crate::lineage::render;

pub fn run(args: &PlanArgs) -> Result<u8, JobError> {
    let document = document(&args.job.policy)?;
    let plan = runtime()?.block_on(job::plan(&document, &args.job.settings(), Environment::of_process()))?;
    output::print(&match args.format {
        Format::Text => text(&plan, output::width()),
        Format::Json => pretty(&plan),
    });
    Ok(0)
}

/// Objects shown by name; the rest are counted.
const OBJECTS_SHOWN: usize = 50;

fn text(plan: &PlanReport, width: usize) -> String {
    let description = &plan.plan;
    let mut out = format!("Plan for {}: {} -> {}\n", description.dataset, plan.source, plan.sink);
    for key in &description.keys {
        out.push_str(&format!("key {} (fingerprint {})\n", key.id, key.fingerprint));
    }
    out.push('\n');
    out.push_str(&render::plan::render(description, width));
    let count = |action| plan.objects.iter().filter(|object| object.action == action).count();
    out.push_str(&format!(
        "\nObjects: {} to write, {} done already, {} unreadable; {} names passed over\n",
        count(Action::Write),
        count(Action::Skip),
        count(Action::Fail),
        plan.skipped_by_rule,
    ));
    for object in plan.objects.iter().take(OBJECTS_SHOWN) {
        let what = match object.action {
            Action::Write => "write",
            Action::Skip => "skip ",
            Action::Fail => "FAIL ",
        };
        let rows = object.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        let output = object.output.as_deref().unwrap_or("-");
        let reason = object.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let line = format!("  {what} {} ({} bytes{rows}) -> {output}{reason}", object.input, object.size);
        out.push_str(&render::clean(&line));
        out.push('\n');
    }
    if plan.objects.len() > OBJECTS_SHOWN {
        out.push_str(&format!("  and {} more\n", plan.objects.len() - OBJECTS_SHOWN));
    }
    for path in &plan.prune {
        out.push_str(&format!("  prune {}\n", render::clean(path)));
    }
    if let Some(refused) = &plan.prune_refused {
        out.push_str(&format!("Pruning would be refused: {refused}\n"));
    }
    out.push_str("Nothing was written.\n");
    out
}
