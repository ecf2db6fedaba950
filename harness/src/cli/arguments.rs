//! The flags.

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
    /// Prepare the templates of hosts
    Bake(BakeArguments),
}

/// `harness bake`
#[derive(Debug, Args)]
pub struct BakeArguments {
    /// Only this host
    #[arg(long)]
    pub host: Option<String>,
}
