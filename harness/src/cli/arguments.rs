//! The flags.

mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use run::RUN_EXAMPLES;
pub use run::{RunArguments, TimeChoice};

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
130  interrupted
`diff` ends with 1 where something differs, `enter` as the last command in the guest does.
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
    /// Check scenario files and show every mistake with its place
    #[command(after_help = LINT_EXAMPLES)]
    Lint(LintArguments),
    /// Show the trials, what they prove, and the faults that they notice
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArguments),
    /// Write a host's generation to a folder
    #[command(after_help = RENDER_EXAMPLES)]
    Render(RenderArguments),
    /// Show what differs between two generations: units, their order, what they run, files
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArguments),
    /// Show what this machine has and lacks
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArguments),
    /// Remove from the cache what nobody has used for a while
    #[command(after_help = CLEAN_EXAMPLES)]
    Clean(CleanArguments),
    /// Judge a recorded trial again, without a machine
    #[command(after_help = JUDGE_EXAMPLES)]
    Judge(JudgeArguments),
    /// Open a root shell in a trial's kept machine, or in a fresh clone
    #[command(after_help = ENTER_EXAMPLES)]
    Enter(EnterArguments),
}

/// Somebody else's generation in the place of the project's hosts. Where `cargo test` runs the trials, the variables
/// are the only way to name it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Somebody else's generation (see docs/foreign.md)")]
pub struct SystemArguments {
    /// The folder of a rendered generation to take in the place of the project's hosts
    #[arg(long, value_name = "DIR", env = "HARNESS_SYSTEM")]
    pub system: Option<PathBuf>,
    /// The folder of its scenarios; DIR/scenarios if not given, and the project's if there is none
    #[arg(long, value_name = "DIR", env = "HARNESS_SCENARIOS", requires = "system")]
    pub scenarios: Option<PathBuf>,
    /// The host that it takes the place of; the one that its manifest names if not given
    #[arg(long = "as", value_name = "HOST", env = "HARNESS_AS", requires = "system")]
    pub host_name: Option<String>,
    /// Which guests the hosts are
    #[command(flatten)]
    pub guests: GuestArguments,
}

/// Which guests the hosts are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Guests (see docs/nixos.md)")]
pub struct GuestArguments {
    /// Debian guests that the harness builds, or NixOS test nodes that Nix has built
    #[arg(long, value_enum, default_value_t, env = "HARNESS_GUEST")]
    pub guest: GuestChoice,
    /// The NixOS nodes, as JSON: {"vms": {"igpu": {"name": "igpu", "start_script": "PATH"}}}
    #[arg(long, value_name = "FILE", env = "HARNESS_NODES")]
    pub nodes: Option<PathBuf>,
}

/// A kind of guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GuestChoice {
    /// Built from Debian's packages.
    #[default]
    Debian,
    /// NixOS test nodes.
    Nixos,
}

/// Only what the environment says.
#[derive(Debug, Parser)]
pub struct Environment {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
}

const BAKE_EXAMPLES: &str = "\
Examples:
  harness bake                 every host's template
  harness bake --host igpu     only this host's
";

/// `harness bake`
#[derive(Debug, Args)]
pub struct BakeArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
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
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// The host whose template is cloned; igpu if not given
    #[arg(long)]
    pub host: Option<String>,
    /// How many clones are measured
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub clones: u32,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

const LINT_EXAMPLES: &str = "\
Examples:
  harness lint                                 all scenarios, faults, statements and known noise of the project
  harness lint scenarios/failure/new.toml      one file, which may be anywhere
Exit code: 0 without a mistake, 2 with mistakes. Neither Nix nor QEMU is needed.
";

/// `harness lint`
#[derive(Debug, Args)]
pub struct LintArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// Scenario files; everything in the project if none is given
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

const LIST_EXAMPLES: &str = "\
Examples:
  harness list                      every trial, and how many prove each statement
  harness list --host igpu --json   the trials of one host, for other programs
  harness list --faults             the faults, and which scenario notices each
  harness list --coverage           each statement: what proves it on each host, or why nothing does
";

/// `harness list`
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Only this host
    #[arg(long)]
    pub host: Option<String>,
    /// The faults instead of the trials
    #[arg(long, conflicts_with = "coverage")]
    pub faults: bool,
    /// Each statement with the scenarios that prove it on each host, or the reason why none does
    #[arg(long)]
    pub coverage: bool,
}

const RENDER_EXAMPLES: &str = "\
Examples:
  harness render --host igpu /tmp/igpu                            what runs in the guest, and its variants
  harness render --host igpu --variant no-fallback /tmp/variant   the whole of one variant
A folder that has anything but a generation in it is refused.
";

/// `harness render`
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The host
    #[arg(long)]
    pub host: String,
    /// One of its variants
    #[arg(long)]
    pub variant: Option<String>,
    /// Where to write it
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  harness diff fixtures/rendered/igpu /tmp/igpu          what was recorded, and what was rendered now
  harness diff --host igpu --variant changed-compose     what a variant changes
Of folders, the generations themselves are compared, without their variants.
Exit code: 0 if nothing differs, 1 if something does, 2 if there is nothing to compare.
";

/// `harness diff`
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// Two folders with a generation in each
    #[arg(value_name = "DIR", num_args = 0..=2)]
    pub folders: Vec<PathBuf>,
    /// Instead of folders: a host, compared with one of its variants
    #[arg(long, requires = "variant", conflicts_with = "folders")]
    pub host: Option<String>,
    /// The variant
    #[arg(long, requires = "host")]
    pub variant: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  harness doctor             what this machine has and lacks
  harness doctor --install   install what is missing (as root), build the guest image, try the accelerator
  harness doctor --verify    read the whole cache again
Exit code: 0 if everything is usable, 3 otherwise.
";

/// `harness doctor`
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Install missing programs, then build the guest image if there is none
    #[arg(long)]
    pub install: bool,
    /// Read every file of the cache and compare it with its digest
    #[arg(long)]
    pub verify: bool,
}

const CLEAN_EXAMPLES: &str = "\
Examples:
  harness clean --dry-run   show what would go
  harness clean             what nobody has used for a week
  harness clean --days 0    everything; the next run builds it anew
Templates of generations that have changed since are never used again. A machine that `run --keep` kept needs its
template. Nothing is removed while another harness uses the cache (exit code 3).
";

/// `harness clean`
#[derive(Debug, Args)]
pub struct CleanArguments {
    /// How many days something must have been without use
    #[arg(long, value_name = "N", default_value_t = super::clean::DAYS)]
    pub days: u32,
    /// Only show what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

const JUDGE_EXAMPLES: &str = "\
Examples:
  harness judge out/latest/TRIAL/timeline.jsonl
  harness judge timeline.jsonl --scenario draft.toml   by another version of the scenario
Exit code: that of a run of this one trial.
";

/// `harness judge`
#[derive(Debug, Args)]
pub struct JudgeArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// The recording of a trial
    #[arg(value_name = "TIMELINE")]
    pub timeline: PathBuf,
    /// The scenario file, where it is not the one that the recording names
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
}

const ENTER_EXAMPLES: &str = "\
Examples:
  harness enter igpu::failure::missing-secret-fails-hard   the machine that `run --keep` kept, or a fresh clone
  harness enter igpu                                       a fresh clone of a host
  echo 'as-user systemctl --user --failed' | harness enter igpu
In the guest:
  a line runs to its end before its output shows; guest time stands still between lines where it can
  as-user COMMAND   as the user who owns the stacks, in that user's home
  exit, Ctrl-D      end the machine; the exit code is that of the last line
";

/// `harness enter`
#[derive(Debug, Args)]
pub struct EnterArguments {
    /// Somebody else's generation
    #[command(flatten)]
    pub system: SystemArguments,
    /// A trial's name as `harness list` or a report shows it, or a host's
    pub trial: String,
    /// Put this fault into the generation
    #[arg(long, value_name = "ID")]
    pub fault: Option<String>,
    /// The folder below which runs leave theirs; `out` in the checkout if not given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
