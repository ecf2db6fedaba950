//! Events as JSON lines, written and read back.

use std::io::{self, Write};

use crate::event::Event;

/// Writes events as JSON lines, each flushed at once, so that a run that is killed leaves all it had to say.
#[derive(Debug)]
pub struct EventLog<W: Write> {
    out: W,
    /// Whether the last line could not be written whole.
    torn: bool,
}

impl<W: Write> EventLog<W> {
    /// A log that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, torn: false }
    }

    /// Writes one event.
    ///
    /// # Errors
    ///
    /// Fails when the writer does.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        if self.torn {
            // Half a line must not take this one with it.
            line.insert(0, b'\n');
        }
        let written = self.out.write_all(&line).and_then(|()| self.out.flush());
        self.torn = written.is_err();
        written
    }
}

/// A line of an event log that is no event.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the event log is no event of this version: {source}")]
pub struct ReadEventsError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub source: serde_json::Error,
}

/// Reads what an [`EventLog`] wrote, and says of which lines it can make nothing: a disk that was full for a moment must
/// not take the whole run's events with it.
pub fn read_events(text: &str) -> (Vec<Event>, Vec<ReadEventsError>) {
    let mut events = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(source) => errors.push(ReadEventsError { line: index + 1, source }),
        }
    }
    (events, errors)
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
        let (read, errors) = read_events(&text);
        assert!(errors.is_empty());
        assert_eq!(read, events());
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let start = r#"{"event":"trial-started","trial":"x"}"#;
        for (text, line, rest) in [
            ("{".to_owned(), 1, 0),
            (format!("{start}\n{}", &start[..20]), 2, 1),
            (format!("{start}\n{}\n{start}", &start[..20]), 2, 2),
            (format!("{start}\n\n{start}\n{{\"event\":\"other\"}}"), 4, 2),
        ] {
            let (events, errors) = read_events(&text);
            assert_eq!((errors[0].line, errors.len(), events.len()), (line, 1, rest), "{}", errors[0]);
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

    #[test]
    fn half_a_line_does_not_take_the_next_one_with_it() {
        /// Takes ten bytes, then nothing for once.
        struct Tight(Vec<u8>, usize);
        impl Write for Tight {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 += 1;
                match self.1 {
                    1 => self.0.write(&bytes[..10]),
                    2 => Err(io::ErrorKind::StorageFull.into()),
                    _ => self.0.write(bytes),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut log = EventLog::new(Tight(Vec::new(), 0));
        log.event(&events()[0]).unwrap_err();
        log.event(&events()[1]).unwrap();
        log.event(&events()[2]).unwrap();
        let (read, errors) = read_events(&String::from_utf8(log.out.0).unwrap());
        assert_eq!((&read[..], errors.len()), (&events()[1..3], 1));
    }
}
