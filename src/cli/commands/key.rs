//! `lakeveil key new`

use std::time::SystemTime;

use crate::cli::args::KeyCommand;
use crate::cli::output;
use crate::engine::time::timestamp;
use crate::jobs::JobError;
use crate::keys::{new, write};

/// `YYYY-MM`
const MONTH_CHARS: usize = 7;

pub fn run(command: &KeyCommand) -> Result<u8, JobError> {
    let KeyCommand::New { id, out, add_to } = command;
    let now = SystemTime::now();
    let id = id.clone().unwrap_or_else(|| timestamp(now).chars().take(MONTH_CHARS).collect());
    match (out, add_to) {
        (Some(path), _) => {
            write::create(path, &new::generate(&id, now)?)?;
            output::print(&format!(
                "{}: a keyring with the active key `{id}`; keep a copy where it can't be lost\n",
                path.display()
            ));
        }
        (None, Some(path)) => {
            write::add_key(path, &id, now)?;
            output::print(&format!("{}: `{id}` is the active key now\n", path.display()));
        }
        (None, None) => {
            let document = new::generate(&id, now)?;
            output::print(&String::from_utf8_lossy(document.expose()));
        }
    }
    Ok(0)
}
