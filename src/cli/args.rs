//! What may be typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::jobs::{Prune, Settings};
use crate::policy::Variables;

/// Pseudonymizes the columns that a policy names, over Parquet and CSV in folders and object stores.
#[derive(Debug, Parser)]
#[command(name = "lakeveil", version, about, max_term_width = 110)]
pub struct Args {
    /// How log lines are written to standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

/// A log line's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Rewrite a dataset as a policy says, and report what was done.
    Run(RunArgs),
    /// Show what `run` would do, column by column and object by object; writes nothing.
    Plan(PlanArgs),
    /// Check a policy, or print its JSON Schema or a commented template.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Make keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the JSON Schema of reports.
    ReportSchema,
}

/// A policy and what is set from outside.
#[derive(Debug, ClapArgs)]
pub struct PolicyArgs {
    /// The policy file (YAML).
    pub policy: PathBuf,
    /// Set a variable that the policy writes as ${NAME}; wins over the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub assignments: Vec<(String, String)>,
    /// Read from here instead of the policy's `source.url`.
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// Write to here instead of the policy's `sink.url`.
    #[arg(long, value_name = "URL")]
    pub sink: Option<String>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl PolicyArgs {
    /// The variables of the environment, and what stands above them.
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::from_environment();
        for (name, value) in &self.assignments {
            variables = variables.set(name, value);
        }
        if let Some(url) = &self.source {
            variables = variables.source(url);
        }
        if let Some(url) = &self.sink {
            variables = variables.sink(url);
        }
        variables
    }
}

/// What `run` and `plan` share.
#[derive(Debug, ClapArgs)]
pub struct JobArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Rewrite every object, also those whose record says that they are done.
    #[arg(long)]
    pub full: bool,
    /// Remove outputs whose input is gone; `force` also when the source is empty or more than half would go.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub prune: Option<PruneArg>,
    /// Compute threads [default: one for each processor].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
    /// Memory for work in flight, such as 512MiB or 2GiB.
    #[arg(long, default_value = "1GiB", value_parser = bytes)]
    pub memory: u64,
}

/// `--prune[=force]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PruneArg {
    /// Within the safeguards.
    Yes,
    /// Without them.
    Force,
}

impl JobArgs {
    /// The job's settings.
    pub fn settings(&self) -> Settings {
        let prune = match self.prune {
            None => Prune::No,
            Some(PruneArg::Yes) => Prune::Yes,
            Some(PruneArg::Force) => Prune::Force,
        };
        Settings { threads: self.threads, memory_bytes: self.memory, full: self.full, prune, ..Settings::default() }
    }
}

/// `512MiB`, `2GiB`, `1000000`.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("write a number and B, KiB, MiB or GiB".to_owned()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| "write a number and B, KiB, MiB or GiB")?;
    let bytes = number.checked_mul(unit).ok_or("too large")?;
    if bytes < 16 << 20 { Err("at least 16MiB".to_owned()) } else { Ok(bytes) }
}

/// Arguments of `run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Write the report (JSON) here too.
    #[arg(long, value_name = "PATH")]
    pub report: Option<PathBuf>,
    /// Write the report as one HTML page here.
    #[arg(long, value_name = "PATH")]
    pub report_html: Option<PathBuf>,
    /// Send OpenLineage run events to a file (one event a line) or a URL.
    #[arg(long, value_name = "FILE|URL")]
    pub openlineage: Option<String>,
    /// The job's namespace in OpenLineage events.
    #[arg(long, value_name = "NAME", env = "OPENLINEAGE_NAMESPACE")]
    pub openlineage_namespace: Option<String>,
    /// Leave files to the system to write back: faster, and a crash of the machine may lose them.
    #[arg(long)]
    pub no_fsync: bool,
    /// Take the sink from a run that is dead but still holds its lease.
    #[arg(long)]
    pub break_lease: bool,
    /// No progress and no report on the terminal, only errors.
    #[arg(long, short)]
    pub quiet: bool,
    /// How the report is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Arguments of `plan`.
#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy by itself, without looking at its source.
    Check {
        #[command(flatten)]
        policy: PolicyArgs,
        /// How problems are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print the JSON Schema of policies, for editors.
    Schema,
    /// Print a commented policy with every key.
    Template,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new keyring with one random key, or add an active key to a keyring file.
    New {
        /// Name of the key: letters, digits, `.`, `_`, `-` [default: the year and month].
        #[arg(long)]
        id: Option<String>,
        /// The keyring file to create, readable by its owner alone; without it the keyring is printed.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Add the key to this existing keyring file: it becomes the active one, the old one is retired.
        #[arg(long, value_name = "FILE", conflicts_with = "out")]
        add_to: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn memory_sizes() {
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
        assert_eq!(bytes("512m"), Ok(512 << 20));
        assert_eq!(bytes("20000000"), Ok(20_000_000));
        for bad in ["", "GiB", "1TiBs", "-1", "1KiB", "99999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prune_takes_its_force_with_an_equals_sign_only() {
        let parse = |args: &[&str]| Args::try_parse_from([&["lakeveil", "run"], args].concat());
        let prune = |args: &[&str]| match parse(args).map(|args| args.command) {
            Ok(Command::Run(run)) => run.job.settings().prune,
            _ => panic!("{args:?} is a run"),
        };
        assert_eq!(prune(&["p.yaml"]), Prune::No);
        assert_eq!(prune(&["--prune", "p.yaml"]), Prune::Yes);
        assert_eq!(prune(&["p.yaml", "--prune=force"]), Prune::Force);
    }
}
