//! Standard output and error.

use std::io::{ErrorKind, Write};

use crate::run::{Error, Result};

const MIB: u64 = 1 << 20;

/// Writes a text to standard output, with its colours where they can be shown. A reader that has seen enough, such as
/// `head`, is no error.
pub fn print(text: &str) -> Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("write to", "standard output")(error)),
        _ => Ok(()),
    }
}

/// Says something beside what the command is asked for. Nothing depends on its being heard: the terminal may be closed by
/// now, or the disk full.
pub fn say(text: &str) {
    let _unheard = writeln!(anstream::stderr(), "{text}");
}

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    let mib = bytes as f64 / MIB as f64;
    if mib >= 1024.0 { format!("{:.1} GiB", mib / 1024.0) } else { format!("{mib:.0} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        for (bytes, text) in [(0, "0 MiB"), (700 * MIB, "700 MiB"), (1536 * MIB, "1.5 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
