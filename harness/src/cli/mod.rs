//! The command line: flags to runs, runs to exit codes.

mod arguments;
mod bake;
mod bench;
mod clean;
mod diff;
mod doctor;
mod enter;
mod exit;
mod judge;
mod lint;
mod list;
mod needless;
mod output;
mod plan;
mod print;
mod render;
mod run;
mod session;
mod suite;

use clap::Parser;

pub use arguments::{Cli, Command};
pub use exit::Exit;
pub use run::test_main;

/// Runs the program with this process' arguments.
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Bake(arguments) => bake::bake(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Lint(arguments) => lint::lint(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Render(arguments) => render::render(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Clean(arguments) => clean::clean(&arguments),
        Command::Judge(arguments) => judge::judge(&arguments),
        Command::Enter(arguments) => enter::enter(&arguments),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::of(&error).into()
        }
    }
}
