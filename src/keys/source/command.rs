//! A keyring on the standard output of a program.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{KeyringSource, read_capped};
use crate::crypto::Secret;
use crate::keys::KeyError;

/// How long a program may take: long enough for a person to unlock a password store.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How often a program is asked whether it has ended, once its output has.
const POLL: Duration = Duration::from_millis(5);

/// Runs a program, without a shell, and reads its standard output.
///
/// Its standard input is empty. Its standard error is thrown away: it may quote what must not be shown.
#[derive(Debug, Clone)]
pub struct CommandSource {
    program: String,
    arguments: Vec<String>,
    limit: Duration,
}

impl CommandSource {
    /// The program (a path, or a name on the `PATH`) and its arguments. It has 60 s.
    pub fn new(program: impl Into<String>, arguments: Vec<String>) -> Self {
        Self { program: program.into(), arguments, limit: TIME_LIMIT }
    }

    fn io_error(&self, error: io::Error) -> KeyError {
        KeyError::CommandIo { program: self.program.clone(), error }
    }

    /// The output and how the program ended; `None` if time ran out.
    fn output(&self, child: &mut Child) -> Result<Option<(Option<Secret>, ExitStatus)>, KeyError> {
        let deadline = Instant::now() + self.limit;
        let stdout = child.stdout.take().expect("the output is piped");
        let (sender, receiver) = mpsc::sync_channel(1);
        // a thread of its own, since a pipe has no time limit; if nobody listens any more, the output is zeroed
        thread::spawn(move || drop(sender.send(read_capped(stdout))));
        let Ok(document) = receiver.recv_timeout(self.limit) else { return Ok(None) };
        let document = document.map_err(|error| self.io_error(error))?;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().map_err(|error| self.io_error(error))? {
                return Ok(Some((document, status)));
            }
            thread::sleep(POLL);
        }
        Ok(None)
    }
}

impl KeyringSource for CommandSource {
    /// Arguments are left out: they may say more than they should.
    fn describe(&self) -> String {
        format!("keyring command `{}`", self.program)
    }

    fn load(&self) -> Result<Secret, KeyError> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| self.io_error(error))?;
        let ended = self.output(&mut child);
        if !matches!(ended, Ok(Some(_))) {
            stop(&mut child);
        }
        let program = || self.program.clone();
        match ended? {
            None => Err(KeyError::CommandTimeout { program: program(), seconds: self.limit.as_secs() }),
            // a reader that stops early breaks the program's pipe: its length comes before its status
            Some((None, _)) => Err(KeyError::TooLarge { origin: self.describe() }),
            Some((Some(_), status)) if !status.success() => Err(KeyError::CommandFailed { program: program(), status }),
            Some((Some(document), _)) => Ok(document),
        }
    }
}

/// Ends the program and reaps it. It may have ended by itself meanwhile, which is as good.
fn stop(child: &mut Child) {
    if child.kill().is_ok() {
        let _ended = child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::keys::source::MAX_DOCUMENT_BYTES;

    fn shell(script: &str) -> CommandSource {
        CommandSource::new("sh", vec!["-c".to_owned(), script.to_owned()])
    }

    #[test]
    fn the_standard_output_is_the_document_and_standard_input_is_empty() {
        let document = shell("echo canary on stderr >&2; cat; printf 'a secret of 16 b\\n'").load().unwrap();
        assert_eq!(document.expose(), b"a secret of 16 b\n");
    }

    #[test]
    fn arguments_go_through_no_shell() {
        let document = CommandSource::new("printf", vec!["%s".to_owned(), "$HOME; `id`".to_owned()]).load().unwrap();
        assert_eq!(document.expose(), b"$HOME; `id`");
    }

    #[test]
    fn fail_a_status_that_is_not_zero_naming_the_program_alone() {
        let error = shell("echo canary-out; echo canary-err >&2; exit 3").load().unwrap_err();
        let text = format!("{error} {error:?} {}", error.hint());
        assert!(text.contains("keyring command `sh` failed: exit status: 3"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn fail_a_program_that_does_not_end_whether_it_holds_its_output_or_closes_it() {
        for script in ["exec sleep 600", "exec sleep 600 >&-"] {
            let source = CommandSource { limit: Duration::from_millis(100), ..shell(script) };
            let error = source.load().unwrap_err();
            assert!(matches!(error, KeyError::CommandTimeout { .. }), "{error}");
        }
    }

    #[test]
    fn fail_a_program_that_is_not_there() {
        let error = CommandSource::new("lakeveil-no-such-program", vec![]).load().unwrap_err();
        assert!(error.to_string().starts_with("cannot run keyring command `lakeveil-no-such-program`"), "{error}");
    }

    #[test]
    fn fail_an_output_without_end() {
        let error = shell("exec cat /dev/zero").load().unwrap_err();
        assert!(error.to_string().ends_with(&format!("more than {MAX_DOCUMENT_BYTES} bytes")), "{error}");
    }
}
