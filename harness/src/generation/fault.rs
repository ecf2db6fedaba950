//! Faults: patches on a rendered generation, under which a scenario must go red.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Error, Generation, InstalledFile, Result};

/// One thing that can be wrong with a generation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The name that `broken-by` gives.
    pub id: String,
    /// What is wrong, as a sentence.
    pub says: String,
    /// The changes that bring it about.
    pub patch: Vec<Patch>,
}

/// One change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The file, relative to the generation; `{stack}` stands for the scenario's stack.
    file: String,
    /// A text that occurs exactly once in it.
    find: String,
    /// What stands there instead.
    replace: String,
}

/// A file as a fault leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// Where it is installed.
    pub file: InstalledFile,
    /// The new content.
    pub content: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    fault: Vec<Fault>,
}

impl Fault {
    /// Reads a file of faults; `place` is its path, for messages.
    pub fn parse_all(place: &str, text: &str) -> Result<Vec<Fault>> {
        let faults: Faults = toml::from_str(text)
            .map_err(|error| Error::Manifest { place: place.to_owned(), problem: error.to_string() })?;
        let mut seen = BTreeMap::new();
        for fault in &faults.fault {
            if fault.patch.is_empty() {
                return Err(fault.refuse("it changes nothing: add a [[fault.patch]]".to_owned()));
            }
            if seen.insert(&fault.id, ()).is_some() {
                return Err(fault.refuse("the id is given twice".to_owned()));
            }
        }
        Ok(faults.fault)
    }

    /// The files of a generation as the fault leaves them, for a scenario about `stack`. A patch that does not fit is
    /// an error: a fault that changes nothing would make every scenario look unable to fail.
    pub fn apply(&self, generation: &Generation, stack: Option<&str>) -> Result<Vec<Patched>> {
        let mut patched: BTreeMap<String, String> = BTreeMap::new();
        for patch in &self.patch {
            let source = self.resolve(&patch.file, stack)?;
            let current = match patched.remove(&source) {
                Some(text) => text,
                None => self.original(generation, &source)?,
            };
            let count = current.matches(&patch.find).count();
            if count != 1 {
                return Err(self.refuse(format!(
                    "the text to replace occurs {count} times in {source}, and must occur once; the file has changed: \
                     adapt the patch"
                )));
            }
            let changed = current.replacen(&patch.find, &patch.replace, 1);
            patched.insert(source, changed);
        }
        let file_of = |source: &str| generation.manifest.files.iter().find(|file| file.source == source).cloned();
        patched
            .into_iter()
            .map(|(source, text)| match file_of(&source) {
                Some(file) => Ok(Patched { file, content: text.into_bytes() }),
                None => Err(self.refuse(format!("the manifest does not say where {source} is installed"))),
            })
            .collect()
    }

    fn original(&self, generation: &Generation, source: &str) -> Result<String> {
        let Some(bytes) = generation.files.get(source) else {
            return Err(self.refuse(format!("the generation has no file {source}")));
        };
        String::from_utf8(bytes.clone()).map_err(|_| self.refuse(format!("{source} is no text")))
    }

    fn resolve(&self, text: &str, stack: Option<&str>) -> Result<String> {
        match stack {
            Some(stack) => Ok(text.replace("{stack}", stack)),
            None if text.contains("{stack}") => {
                Err(self
                    .refuse("it needs a stack, and the scenario names none: give the scenario a `stack`".to_owned()))
            }
            None => Ok(text.to_owned()),
        }
    }

    fn refuse(&self, problem: String) -> Error {
        Error::Fault { id: self.id.clone(), problem }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn project() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    #[test]
    fn every_fault_fits_every_stack_of_every_host() {
        let text = std::fs::read_to_string(project().join("fixtures/faults.toml")).unwrap();
        let faults = Fault::parse_all("fixtures/faults.toml", &text).unwrap();
        for host in std::fs::read_dir(project().join("fixtures/rendered")).unwrap() {
            let generation = Generation::read(&host.unwrap().path()).unwrap();
            for (fault, stack) in
                faults.iter().flat_map(|fault| generation.manifest.stacks.iter().map(move |stack| (fault, stack)))
            {
                let patched = fault.apply(&generation, Some(&stack.name)).unwrap();
                for file in patched {
                    assert_ne!(generation.files[&file.file.source], file.content, "{} changes nothing", fault.id);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let generation = Generation::read(&project().join("fixtures/rendered/igpu")).unwrap();
        let refused = |file: &str, find: &str, stack: Option<&str>, words: &str| {
            let patch = Patch { file: file.to_owned(), find: find.to_owned(), replace: String::new() };
            let fault = Fault { id: "x".to_owned(), says: String::new(), patch: vec![patch] };
            let error = fault.apply(&generation, stack).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused("scripts/stack-secrets", "no such text", None, "occurs 0 times in scripts/stack-secrets");
        refused("scripts/stack-secrets", "readable", None, "must occur once");
        refused("scripts/gone", "x", None, "the generation has no file scripts/gone");
        refused("{stack}/override.yml", "x", None, "it needs a stack");
    }
}
