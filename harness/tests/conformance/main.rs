//! How the harness drives NixOS test nodes, shown on start scripts that keep the contract and on such that do not.
//!
//! What boots is no NixOS, since not every machine can build one: misbehaving nodes are a boot sector or a stand-in for
//! QEMU, and the node that behaves is the Debian guest behind a start script. It goes the very way that NixOS nodes go,
//! from the file of nodes to the verdicts. As it takes as long as a matrix, it is run with `--ignored` only.
#![allow(clippy::unwrap_used, reason = "a test may panic, and Clippy knows only functions marked as tests")]

mod matrix;
mod misbehaving;
mod stand_in;
mod systems;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(conduct) = std::env::var_os(stand_in::CONDUCT) {
        return stand_in::run(&conduct.to_string_lossy());
    }
    let arguments = Arguments::from_args();
    let mut trials = misbehaving::trials();
    trials.push(Trial::test("the_failure_matrix_passes_on_a_node", matrix::passes).with_ignored_flag(true));
    libtest_mimic::run(&arguments, trials).exit_code()
}
