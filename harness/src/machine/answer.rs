//! Answers of a guest, as they come over their port.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{Error, Result};

/// Reads texts that each end in a mark, whose last byte is a zero and may be in the texts, too.
pub(super) async fn read_parts<const PARTS: usize>(
    stream: &mut (impl AsyncBufRead + Unpin),
    end: &[u8],
    waiting: &str,
) -> Result<[Vec<u8>; PARTS]> {
    let mut parts = [const { Vec::new() }; PARTS];
    for part in &mut parts {
        while !part.ends_with(end) {
            if !matches!(stream.read_until(0, part).await, Ok(1..)) {
                return Err(Error::Closed { command: waiting.to_owned() });
            }
        }
        part.truncate(part.len() - end.len());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut said: &[u8]) -> Option<[String; 2]> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let parts = runtime.block_on(read_parts::<2>(&mut said, b"\0end\0", "for a test")).ok()?;
        Some(parts.map(|part| String::from_utf8(part).unwrap()))
    }

    #[test]
    fn parts_end_at_their_marks_only() {
        let parts = |first: &str, second: &str| Some([first.to_owned(), second.to_owned()]);
        assert_eq!(read(b"one\0end\0two\0end\0"), parts("one", "two"));
        assert_eq!(read(b"\0end\0\0end\0"), parts("", ""));
        assert_eq!(read(b"a\0b\0\0end\0end\0c\0end\0"), parts("a\0b\0", "end\0c"));
    }

    #[test]
    fn an_answer_that_stops_short_is_none() {
        assert_eq!(read(b"one\0end\0two\0"), None);
        assert_eq!(read(b""), None);
    }
}
