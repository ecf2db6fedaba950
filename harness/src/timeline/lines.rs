//! Timelines as JSON lines: a header, then one entry a line, so that a recording that breaks off can still be read.

use serde::{Deserialize, Serialize};

use super::{Entry, Header, ParseError, Timeline};

/// The format's version, the value of `timeline` in the first line.
const VERSION: u32 = 1;

const WHAT: &str = "a timeline";

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    timeline: u32,
    #[serde(flatten)]
    header: Header,
}

impl Timeline {
    /// Writes the timeline down, one JSON object a line.
    ///
    /// # Errors
    /// Only where a value has no JSON form, which no timeline made by this program contains.
    pub fn to_json_lines(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(&HeaderLine { timeline: VERSION, header: self.header.clone() })?;
        text.push('\n');
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads what [`Timeline::to_json_lines`] wrote.
    ///
    /// # Errors
    /// Names the first line that is no header or entry; a last line that broke off is one of them.
    pub fn from_json_lines(text: &str) -> Result<Self, ParseError> {
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        let first: HeaderLine = serde_json::from_str(first)
            .map_err(|error| ParseError::new(WHAT, 1, format!("this is no header: {error}")))?;
        if first.timeline != VERSION {
            let problem = format!(
                "the format's version is {}, this program reads {VERSION}: record the trial again",
                first.timeline
            );
            return Err(ParseError::new(WHAT, 1, problem));
        }
        let entries = lines
            .map(|(index, line)| {
                serde_json::from_str::<Entry>(line).map_err(|error| ParseError::new(WHAT, index + 1, error.to_string()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { header: first.header, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Moment;
    use super::*;

    fn sample() -> Timeline {
        let at = Moment { boot: 0, micros: 5 };
        Timeline {
            header: Header {
                trial: "igpu::failure::x".into(),
                scenario: "scenarios/failure/x.toml".into(),
                host: "igpu".into(),
            },
            entries: vec![Entry::Ready { at }, Entry::Step { step: 0, at }],
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = sample().to_json_lines().unwrap();
        assert!(text.starts_with(r#"{"timeline":1,"trial":"igpu::failure::x","scenario":"#));
        assert_eq!(Timeline::from_json_lines(&text).unwrap(), sample());
    }

    #[test]
    fn mistakes_name_their_line() {
        let text = sample().to_json_lines().unwrap();
        let check = |text: &str, line: usize, part: &str| {
            let error = Timeline::from_json_lines(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        };
        check("", 1, "no header");
        check(&text.replacen(":1,", ":2,", 1), 1, "version is 2");
        check(&text[..text.len() - 5], 3, "EOF");
        check(&text.replace("ready", "reddy"), 2, "unknown variant");
        check(&text.replace("\"ready\"", "\"ready\"\n"), 2, "EOF");
    }
}
