//! Events as JSON lines, written and read back.

use std::io::{self, Write};

use crate::event::Event;

/// Writes events as JSON lines, each flushed at once, so that a run that is killed leaves all it had to say.
#[derive(Debug)]
pub struct EventLog<W: Write> {
    out: W,
}

impl<W: Write> EventLog<W> {
    /// A log that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one event.
    ///
    /// # Errors
    ///
    /// Fails when the writer does.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

/// A line of an event log that is no event.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the event log is no event of this version ({source}); remove the line, or the log")]
pub struct ReadEventsError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub source: serde_json::Error,
}

/// Reads what an [`EventLog`] wrote.
///
/// # Errors
///
/// Fails with the first line that is no event; empty lines are none either.
pub fn read_events(text: &str) -> Result<Vec<Event>, ReadEventsError> {
    text.lines()
        .enumerate()
        .map(|(index, line)| serde_json::from_str(line).map_err(|source| ReadEventsError { line: index + 1, source }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::events;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut log = EventLog::new(Vec::new());
        for event in events() {
            log.event(&event).unwrap();
        }
        let text = String::from_utf8(log.out).unwrap();
        assert_eq!(text.lines().count(), events().len());
        assert_eq!(read_events(&text).unwrap(), events());
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let start = r#"{"event":"trial-started","trial":"x"}"#;
        for (text, line) in [
            ("{".to_owned(), 1),
            (format!("{start}\n{}", &start[..20]), 2),
            (format!("{start}\n\n{start}"), 2),
            (format!("{start}\n{start}\n{{\"event\":\"other\"}}"), 3),
        ] {
            let error = read_events(&text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
        }
    }

    #[test]
    fn a_writer_that_fails_is_not_ignored() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = EventLog::new(Full).event(&events()[0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
