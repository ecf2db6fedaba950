//! The command line: flags to runs, runs to exit codes.

mod arguments;
mod bake;
mod exit;
mod session;

use clap::Parser;

pub use arguments::{Cli, Command};
pub use exit::Exit;

/// Runs the program with this process' arguments.
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Bake(arguments) => bake::bake(&arguments),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::of(&error).into()
        }
    }
}
