//! `lakeveil policy check | schema | template`

use super::{document, pretty};
use crate::cli::args::{Format, PolicyCommand};
use crate::cli::output;
use crate::jobs::JobError;

pub fn run(command: &PolicyCommand) -> Result<u8, JobError> {
    match command {
        PolicyCommand::Schema => output::print(&pretty(&crate::policy::schema())),
        PolicyCommand::Template => output::print(crate::policy::TEMPLATE),
        PolicyCommand::Check { policy, format } => match (document(policy), format) {
            (Ok(document), Format::Json) => output::print(&pretty(&document.warnings())),
            (Ok(document), Format::Text) if document.warnings().is_empty() => {
                output::print(&format!("{}: no problems\n", document.source_name()));
            }
            (Ok(document), Format::Text) => {
                output::print(&format!("{}\n", document.problems(document.warnings().to_vec())))
            }
            (Err(JobError::Policy(problems)), Format::Json) => {
                output::print(&pretty(&problems));
                return Ok(2);
            }
            (Err(error), _) => return Err(error),
        },
    }
    Ok(0)
}
