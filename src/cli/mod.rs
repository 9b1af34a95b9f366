//! Floor 6: arguments, progress bars, exit codes.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done, or nothing to do |
//! | 1 | some objects failed, or the run was stopped |
//! | 2 | wrong usage, a policy with problems, a source that can't be planned |
//! | 3 | no usable key |
//! | 4 | a store that can't be read or written |

mod args;
mod commands;
mod output;
mod progress_bar;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::jobs::JobError;

/// Runs the program with these arguments, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match args::Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // clap's own text: usage, help or version
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    output::silence_panics();
    output::start_log(args.log_format);
    match commands::run(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            match &error {
                // each of them says `error` itself
                JobError::Policy(problems) => output::say("ERROR", &problems.to_string()),
                other => output::say("ERROR", &format!("error: {other}")),
            }
            ExitCode::from(error.exit_code())
        }
    }
}
