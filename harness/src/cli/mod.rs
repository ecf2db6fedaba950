//! The command line: flags to runs, runs to exit codes.

mod arguments;
mod bake;
mod exit;
mod lint;
mod list;
mod print;
mod render;
mod session;

use clap::Parser;

pub use arguments::{Cli, Command};
pub use exit::Exit;

/// Runs the program with this process' arguments.
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Bake(arguments) => bake::bake(&arguments),
        Command::Lint(arguments) => lint::lint(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Render(arguments) => render::render(&arguments),
        Command::Doctor(arguments) => todo!(),
        Command::Judge(arguments) => todo!(),
        Command::Enter(arguments) => todo!(),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::of(&error).into()
        }
    }
}
