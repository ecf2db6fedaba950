//! The flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Boots NixOS-like hosts in real VMs, clones the settled machine for every trial, and judges by what systemd, the
/// journal and podman really did.
#[derive(Debug, Parser)]
#[command(name = "harness", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  everything selected passed
  1  failed: the stacks did not do what they must
  2  bad input: nothing was run
  3  broken: the harness, the image or this machine did not do its work
  4  nothing failed, but something was skipped
";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run trials
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Prepare the templates of hosts
    #[command(after_help = BAKE_EXAMPLES)]
    Bake(BakeArguments),
    /// Measure how fast a host's clones are
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArguments),
}

const RUN_EXAMPLES: &str = "\
Examples:
  harness run                                     the whole matrix
  harness run secret --host igpu                  what has `secret` in its name, on one host
  harness run --exact igpu::failure::missing-secret-fails-hard
  harness run --last-failed --keep                what failed last time; its machines stay for `harness enter`
  harness run --broken                            put each scenario's fault in and see it noticed
";

/// `harness run`
#[derive(Debug, Args)]
pub struct RunArguments {
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
    /// How many trials run at once; as many as there are processors if not given
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// Run each trial so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat_each: u32,
    /// Only what failed or broke in the last run
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

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number of 1 or more is needed".to_owned()),
        Ok(number) => Ok(number),
    }
}

const BAKE_EXAMPLES: &str = "\
Examples:
  harness bake                 every host's template
  harness bake --host igpu     only this host's
";

/// `harness bake`
#[derive(Debug, Args)]
pub struct BakeArguments {
    /// Only this host
    #[arg(long)]
    pub host: Option<String>,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  harness bench
  harness bench --json --clones 40 > bench.json
";

/// `harness bench`
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// The host whose template is cloned
    #[arg(long, default_value = "igpu")]
    pub host: String,
    /// How many clones are measured
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub clones: u32,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}
