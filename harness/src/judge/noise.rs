//! Journal records that the project knows and tolerates, each with its reason.

use regex::Regex;
use serde::Deserialize;

use crate::timeline::Record;

/// A kind of record that explains itself.
#[derive(Debug, Clone)]
pub struct Noise {
    /// What the message matches.
    pub pattern: Regex,
    /// The program that writes it, where only that one may.
    pub identifier: Option<String>,
    /// Why it is tolerated.
    pub reason: String,
}

/// A list of noise that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoiseError {
    /// It is not what a list of noise looks like.
    #[error("cannot read the list of noise: {0}")]
    Form(#[from] toml::de::Error),
    /// An entry says nothing, or too much.
    #[error("the list of noise, entry {entry}: {problem}")]
    Entry {
        /// The entry, counted from 1.
        entry: usize,
        /// What to change.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    noise: Vec<WrittenNoise>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNoise {
    pattern: String,
    identifier: Option<String>,
    reason: String,
}

impl Noise {
    /// Reads a list of `[[noise]]` entries: `pattern`, `reason` and, where only one program may, its `identifier`.
    ///
    /// # Errors
    /// No TOML, unknown keys, a pattern that does not compile or matches the empty text, an empty reason.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, NoiseError> {
        let written: Written = toml::from_str(text)?;
        written
            .noise
            .into_iter()
            .enumerate()
            .map(|(index, noise)| Self::new(noise).map_err(|problem| NoiseError::Entry { entry: index + 1, problem }))
            .collect()
    }

    fn new(written: WrittenNoise) -> Result<Self, String> {
        let pattern = Regex::new(&written.pattern).map_err(|error| error.to_string())?;
        if pattern.is_match("") {
            return Err("the pattern matches everything: name what the message says".into());
        }
        if written.reason.trim().is_empty() {
            return Err("say in `reason` why the message may be there".into());
        }
        Ok(Self { pattern, identifier: written.identifier, reason: written.reason })
    }

    /// Whether the record is of this kind.
    pub fn explains(&self, record: &Record) -> bool {
        let program = self.identifier.as_deref();
        program.is_none_or(|name| record.identifier() == Some(name)) && self.pattern.is_match(record.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_list_can_be_read() {
        Noise::parse_all(include_str!("../../../fixtures/noise.toml")).unwrap();
    }

    #[test]
    fn entries_need_a_pattern_and_a_reason() {
        let check = |text: &str, part: &str| {
            let error = Noise::parse_all(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("[[noise]]\npattern = 'x'", "reason");
        check("[[noise]]\npattern = 'x'\nreason = ' '", "entry 1");
        check("[[noise]]\npattern = '('\nreason = 'r'", "entry 1");
        check("[[noise]]\npattern = '.*'\nreason = 'r'", "matches everything");
        check("[[noise]]\npattern = 'x'\nreason = 'r'\nunit = 'u'", "unknown field");
        let noise = Noise::parse_all("[[noise]]\npattern = '^x'\nidentifier = 'p'\nreason = 'r'");
        assert_eq!(noise.unwrap()[0].identifier.as_deref(), Some("p"));
    }
}
