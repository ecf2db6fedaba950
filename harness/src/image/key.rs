//! The name under which a cache entry is found: a digest of everything that went into it.

use std::fmt;

use sha2::{Digest, Sha256};

/// How many bytes of the digest are shown and used as the folder's name: 80 bits, enough for any cache.
const SHOWN_BYTES: usize = 10;

/// Longest value that `key.txt` shows as text; longer ones appear as their digest.
const SHOWN_VALUE: usize = 1000;

/// Names one cache entry by digest of its labelled parts. Displays as 20 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    shown: String,
    description: String,
}

impl Key {
    /// Begins a key without parts.
    pub fn builder() -> KeyBuilder {
        KeyBuilder::default()
    }

    /// The parts, one a line, as they are written to `key.txt` so that two entries can be compared with `diff`.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Collects a key's parts, in an order that the caller keeps stable.
#[derive(Debug, Clone, Default)]
pub struct KeyBuilder {
    digest: Sha256,
    description: String,
}

impl KeyBuilder {
    /// Adds one part. Lengths go into the digest too, so that no two lists of parts run together to the same key.
    pub fn part(mut self, label: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        for bytes in [label.as_bytes(), value] {
            self.digest.update((bytes.len() as u64).to_le_bytes());
            self.digest.update(bytes);
        }
        self.description.push_str(&format!("{label} = {}\n", shown_value(value)));
        self
    }

    /// Ends the key.
    pub fn finish(self) -> Key {
        let digest = self.digest.finalize();
        Key { shown: hex::encode(&digest[..SHOWN_BYTES]), description: self.description }
    }
}

/// Short single-line text as it is, everything else by digest and size.
fn shown_value(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if text.len() <= SHOWN_VALUE && !text.contains(char::is_control) => text.to_owned(),
        _ => format!("sha256:{} ({} bytes)", hex::encode(Sha256::digest(value)), value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_in_the_parts_makes_another_key() {
        let key = |parts: &[(&str, &str)]| {
            let builder = parts.iter().fold(Key::builder(), |builder, (label, value)| builder.part(label, value));
            builder.finish().to_string()
        };
        let check = |left: &[(&str, &str)], right: &[(&str, &str)]| assert_ne!(key(left), key(right));
        check(&[], &[("a", "")]);
        check(&[("a", "bc")], &[("ab", "c")]);
        check(&[("a", "b"), ("c", "d")], &[("c", "d"), ("a", "b")]);
        check(&[("a", "1")], &[("a", "2")]);
        assert_eq!(key(&[("a", "1")]), key(&[("a", "1")]));
        assert_eq!(key(&[]).len(), 20);
    }

    #[test]
    fn the_description_shows_text_and_digests() {
        let key = Key::builder().part("mirror", "http://deb.debian.org").part("setup", "a\nb\n").finish();
        let lines: Vec<_> = key.description().lines().collect();
        assert_eq!(lines[0], "mirror = http://deb.debian.org");
        assert!(lines[1].starts_with("setup = sha256:") && lines[1].ends_with("(4 bytes)"), "{}", lines[1]);
    }
}
