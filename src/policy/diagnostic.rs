//! Problems of a policy, as data and as text.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::code::Code;
use super::place::{DocPath, Position};

/// Whether a problem stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// The policy can be used; its author should know.
    Warning,
}

/// One problem of a policy: what happened, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The stable name of the kind of problem.
    pub code: Code,
    /// Whether it stops the run.
    pub severity: Severity,
    /// What happened, with the two facts that disagree.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the text, if the problem has a place there.
    pub at: Option<Position>,
    /// Where in the document.
    pub path: DocPath,
}

impl Diagnostic {
    /// An error without hint and position.
    pub fn error(code: Code, path: DocPath, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), hint: None, at: None, path }
    }

    /// A warning without hint and position.
    pub fn warning(code: Code, path: DocPath, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where in the text.
    #[must_use]
    pub fn at(mut self, at: impl Into<Option<Position>>) -> Self {
        self.at = at.into();
        self
    }
}

/// The text of a policy for showing lines of it, and the lines that must not be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// What the policy is called in messages: a path, or `<stdin>`.
    pub name: String,
    lines: Vec<String>,
    hidden: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Hides what looks like the `keyring`: from a line that names it through all that are indented deeper. The
    /// text is searched rather than the tree, so that it holds for a text that is no YAML, too.
    pub fn new(name: &str, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut hidden = Vec::new();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("keyring")) {
            let deeper = |below: &&String| below.trim().is_empty() || indent(below) > indent(line);
            hidden.push(i + 1..=i + 1 + lines[i + 1..].iter().take_while(deeper).count());
        }
        Self { name: name.to_owned(), lines, hidden }
    }

    /// Hides these lines, counted from 1.
    pub fn hide(&mut self, lines: RangeInclusive<usize>) {
        self.hidden.push(lines);
    }

    fn line(&self, number: usize) -> Option<&str> {
        if self.hidden.iter().any(|range| range.contains(&number)) {
            return None;
        }
        self.lines.get(number.checked_sub(1)?).map(String::as_str)
    }
}

/// All problems found in one go, in the order of the text.
///
/// Displays them as a compiler does, each with the line it is about; serializes as the list of diagnostics.
/// Lines of the `keyring` are never shown.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Problems {
    list: Vec<Diagnostic>,
    #[serde(skip)]
    source: Source,
}

impl Problems {
    pub(super) fn new(mut list: Vec<Diagnostic>, source: Source) -> Self {
        list.sort_by_key(|problem| (problem.at.is_none(), problem.at, problem.severity));
        Self { list, source }
    }

    /// The problems, in the order of the text; those without a place come last.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Whether any of them stops the run.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            write_problem(f, problem, &self.source)?;
            writeln!(f)?;
        }
        let counted = |count: usize, noun: &str| match count {
            0 => None,
            1 => Some(format!("1 {noun}")),
            _ => Some(format!("{count} {noun}s")),
        };
        let parts = [counted(self.count(Severity::Error), "error"), counted(self.count(Severity::Warning), "warning")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        write!(f, "{}: {}", self.source.name, parts.join(", "))
    }
}

fn write_problem(f: &mut fmt::Formatter<'_>, problem: &Diagnostic, source: &Source) -> fmt::Result {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    writeln!(f, "{severity}[{}]: {}", problem.code, problem.message)?;
    let number = problem.at.map_or(0, |at| at.line).to_string();
    let margin = " ".repeat(number.len());
    match problem.at {
        Some(at) => writeln!(f, "{margin}--> {}:{at}", source.name)?,
        None => writeln!(f, "{margin}--> {}", source.name)?,
    }
    if let Some((at, line)) = problem.at.and_then(|at| Some((at, source.line(at.line)?))) {
        // tabs and control characters would move the marks away from what they mark
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", line.trim_end())?;
        writeln!(f, "{margin} | {}{}", " ".repeat(at.column.saturating_sub(1)), "^".repeat(at.width.max(1)))?;
    }
    if let Some(hint) = &problem.hint {
        writeln!(f, "{margin} = help: {hint}")?;
    }
    Ok(())
}
