//! A program in QEMU's place: it connects to the harness's sockets and answers its control commands, without a guest.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// The variable that tells this program to be the stand-in, and how it behaves.
pub const CONDUCT: &str = "HARNESS_STAND_IN";

/// Behaves as told until the harness ends it.
pub fn run(conduct: &str) -> ExitCode {
    match behave(conduct) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn behave(conduct: &str) -> std::io::Result<()> {
    let mut shell = UnixStream::connect("shell")?;
    let _journal = UnixStream::connect("journal")?;
    let _answer = UnixStream::connect("answer")?;
    let control = UnixStream::connect("qmp")?;
    (&control).write_all(b"{\"QMP\": {}}\n")?;
    let answering = thread::spawn(move || answer(control));
    match conduct {
        "silent" => {}
        "chatter" => shell.write_all(b"Spawning backdoor root shell...\nWelcome to this machine\n")?,
        "dies" => {
            thread::sleep(Duration::from_millis(300));
            return Err(std::io::Error::other("the disk is gone"));
        }
        other => return Err(std::io::Error::other(format!("nobody behaves like `{other}`"))),
    }
    answering.join().unwrap_or(Ok(()))
}

/// Agrees to every command.
fn answer(control: UnixStream) -> std::io::Result<()> {
    for line in BufReader::new(&control).lines() {
        line?;
        (&control).write_all(b"{\"return\": {}}\n")?;
    }
    Ok(())
}
