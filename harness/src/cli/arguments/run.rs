//! The flags of `harness run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::plan::Shard;

use super::SystemArguments;

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  harness run                                     the whole matrix
  harness run secret --host igpu                  what has `secret` in its name, on one host
  harness run --exact igpu::failure::missing-secret-fails-hard
  harness run --last-failed --keep                what failed last time; its machines stay for `harness enter`
  harness run --broken                            put each scenario's fault in and see it noticed
  harness run all-stacks --time real              by the host's clock, on two processors that run at once
  harness run --system fixtures/foreign           another generation than the project's, with its own scenarios
  harness run --guest nixos --nodes nodes.json    the hosts as NixOS test nodes
";

/// `harness run`
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// Parts of trials' names; all trials if none is given
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Filters are whole names
    #[arg(long)]
    pub exact: bool,
    /// Parts of names that are not to be run
    #[arg(long, value_name = "FILTER")]
    pub skip: Vec<String>,
    /// Only this host
    #[arg(long)]
    pub host: Option<String>,
    /// Put each scenario's fault into the generation; a trial passes if a line marked `red` notices it
    #[arg(long)]
    pub broken: bool,
    /// How time passes in trials that do not say: by counted instructions, or by the host's clock on two
    /// processors, which a loaded host delays. The first where guests are emulated, the second with KVM, if not given
    #[arg(long, value_enum)]
    pub time: Option<TimeChoice>,
    /// How many machines run at once, one with two emulated processors counting twice; as many as there are processors
    /// if not given
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// Run each trial so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat_each: u32,
    /// Only one share of the selected trials, such as 1/3: for dividing a run among machines
    #[arg(long, value_name = "N/M")]
    pub shard: Option<Shard>,
    /// Only what failed or broke in the last run, or was not finished
    #[arg(long)]
    pub last_failed: bool,
    /// Keep the machines of trials that fail or break, for `harness enter`
    #[arg(long)]
    pub keep: bool,
    /// The folder below which each run leaves its own; `out` in the checkout if not given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the JUnit report here, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Install missing host tools first (as root; otherwise the command is shown)
    #[arg(long)]
    pub install: bool,
    /// Only list the selected trials
    #[arg(long)]
    pub list: bool,
}

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimeChoice {
    /// Counted instructions.
    Virtual,
    /// The host's clock, two processors.
    Real,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number of 1 or more is needed".to_owned()),
        Ok(number) => Ok(number),
    }
}
