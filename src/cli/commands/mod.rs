//! One file for each command.

mod key;
mod plan;
mod policy;
mod run;

use std::path::Path;

use super::args::{Args, Command, PolicyArgs};
use super::output;
use crate::jobs::JobError;
use crate::policy::Document;

/// Does what was typed; gives the exit code.
///
/// # Errors
/// What stopped it, for standard error.
pub fn run(args: Args) -> Result<u8, JobError> {
    match args.command {
        Command::Run(run) => run::run(&run, args.log_format),
        Command::Plan(args) => plan::run(&args),
        Command::Policy(command) => policy::run(&command),
        Command::Key(command) => key::run(&command),
        Command::ReportSchema => {
            output::print(&pretty(&crate::lineage::schema::report()));
            Ok(0)
        }
    }
}

/// Reads and checks the policy.
fn document(args: &PolicyArgs) -> Result<Document, JobError> {
    let text = read(&args.policy)?;
    Document::parse(&text, &args.policy.display().to_string(), &args.variables())
        .map_err(|problems| JobError::Policy(Box::new(problems)))
}

fn read(path: &Path) -> Result<String, JobError> {
    let unreadable =
        |error: std::io::Error| JobError::PolicyFile { path: path.display().to_string(), kind: error.kind() };
    std::fs::read_to_string(path).map_err(unreadable)
}

/// A runtime for moving bytes; computing has a pool of its own.
fn runtime() -> Result<tokio::runtime::Runtime, JobError> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("lakeveil-io").build();
    built.map_err(|_| JobError::Internal("starting the runtime"))
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain data is always written as JSON");
    text.push('\n');
    text
}
