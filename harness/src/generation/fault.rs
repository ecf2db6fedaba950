//! Faults: patches on a rendered generation, under which a scenario must go red.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;

use super::{Error, Generation, Result};

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

    /// The generation and its variants as the fault leaves them, for a scenario about `stack`. A patch that does not fit
    /// the generation is an error: a fault that changes nothing would make every scenario look unable to fail. In a
    /// variant it may have nothing to change, since variants differ from the base.
    pub fn apply(&self, generation: &Generation, stack: Option<&str>) -> Result<Generation> {
        let mut patched = generation.clone();
        patched.files.extend(self.patched(generation, stack, 1..=1)?);
        for variant in patched.variants.values_mut() {
            let files = self.patched(variant, stack, 0..=1)?;
            variant.files.extend(files);
        }
        Ok(patched)
    }

    /// Whether [`Fault::apply`] would succeed.
    pub fn check(&self, generation: &Generation, stack: Option<&str>) -> Result<()> {
        self.patched(generation, stack, 1..=1)?;
        generation.variants.values().try_for_each(|variant| self.patched(variant, stack, 0..=1).map(drop))
    }

    /// The files that the fault changes, as it leaves them. The text of each patch has to occur as often as `expected`
    /// says.
    fn patched(
        &self,
        generation: &Generation,
        stack: Option<&str>,
        expected: RangeInclusive<usize>,
    ) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut changed: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for patch in &self.patch {
            let source = self.resolve(&patch.file, stack)?;
            let Some(bytes) = changed.get(&source).or_else(|| generation.files.get(&source)) else {
                if expected.contains(&0) {
                    continue;
                }
                return Err(self.refuse(format!("the generation has no file {source}")));
            };
            let text = str::from_utf8(bytes).map_err(|_| self.refuse(format!("{source} is no text")))?;
            let count = text.matches(&patch.find).count();
            if !expected.contains(&count) {
                return Err(self.refuse(format!(
                    "the text to replace occurs {count} times in {source}, and must occur once; the file has changed: \
                     adapt the patch"
                )));
            }
            let text = text.replacen(&patch.find, &patch.replace, 1);
            changed.insert(source, text.into_bytes());
        }
        Ok(changed)
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
    fn variants_have_the_fault_where_it_fits() {
        let generation = Generation::read(&project().join("fixtures/rendered/igpu")).unwrap();
        let file = "units/user/tdarr-igp-stack.service";
        let patched = |find: &str| {
            let patch = Patch { file: file.to_owned(), find: find.to_owned(), replace: "PATCHED".to_owned() };
            let fault = Fault { id: "x".to_owned(), says: String::new(), patch: vec![patch] };
            let patched = fault.apply(&generation, None).unwrap();
            let is_patched =
                |name: &str| patched.variant(name).unwrap().files[file].windows(7).any(|w| w == b"PATCHED");
            ["base", "changed-compose", "no-fallback"].map(is_patched)
        };
        assert_eq!(patched("RemainAfterExit=yes"), [true, true, true]);
        let with_fallback = "0-tdarr-igp.env:/run/user/1000/secrets/tdarr-igp.env\nExecStartPre";
        assert_eq!(patched(with_fallback), [true, true, false], "no-fallback has no such line");
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
