//! The files of the project: scenarios, statements, faults, secrets, hosts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::generation::{Fault, Generation, Manifest};
use crate::scenario::{Section, Source};

use super::{Error, Result};

/// A checkout of this project.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

/// The file by which a checkout is recognised.
const SIGN: &str = "scenarios/statements.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statements {
    statement: BTreeMap<String, String>,
}

impl Project {
    /// Finds the checkout: `$HARNESS_PROJECT`, else this folder or one above it, else where the program was built.
    pub fn find() -> Result<Project> {
        if let Some(root) = std::env::var_os("HARNESS_PROJECT") {
            return Project::at(root.into());
        }
        let here = std::env::current_dir().map_err(Error::io("find", "the current folder"))?;
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
        let mut candidates = here.ancestors().chain([built]);
        match candidates.find(|root| root.join(SIGN).is_file()) {
            Some(root) => Project::at(root.to_owned()),
            None => Err(Error::Usage(format!(
                "no checkout of the project here: none of the folders above {} has {SIGN}; change there or set HARNESS_PROJECT",
                here.display()
            ))),
        }
    }

    /// The checkout in a folder.
    pub fn at(root: PathBuf) -> Result<Project> {
        let root = root.canonicalize().map_err(|error| {
            Error::Usage(format!("cannot find the checkout of the project at {}: {error}", root.display()))
        })?;
        if root.join(SIGN).is_file() {
            Ok(Project { root })
        } else {
            Err(Error::Usage(format!("{} is no checkout of the project: it has no {SIGN}", root.display())))
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every scenario file, in the order of section and name. `extra` are files from anywhere.
    pub fn sources(&self) -> Result<Vec<Source>> {
        let mut paths = Vec::new();
        for section in [Section::Functional, Section::Failure, Section::Regression] {
            let folder = self.root.join("scenarios").join(section.name());
            for entry in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
                let path = entry.map_err(Error::io("list", &folder))?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        paths.iter().map(|path| self.source(path)).collect()
    }

    /// One scenario file, named as people open it from the checkout.
    pub fn source(&self, path: &Path) -> Result<Source> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        Ok(Source { path: shown.display().to_string(), text: text.into() })
    }

    /// The statements by number, as sentences.
    pub fn statements(&self) -> Result<BTreeMap<String, String>> {
        let text = self.read(SIGN)?;
        let statements: Statements = toml::from_str(&text)
            .map_err(|error| Error::Project { place: SIGN.to_owned(), problem: error.to_string() })?;
        Ok(statements.statement)
    }

    /// The reasons why statements are not proven.
    pub fn unproven(&self) -> Result<Source> {
        self.source(&self.root.join("scenarios/unproven.toml"))
    }

    /// The faults.
    pub fn faults(&self) -> Result<Vec<Fault>> {
        Ok(Fault::parse_all(&self.read("fixtures/faults.toml")?)?)
    }

    /// The text of the project's list of known noise.
    pub fn noise(&self) -> Result<String> {
        self.read("fixtures/noise.toml")
    }

    /// The hosts that the project has a rendered copy of, each with its manifest. The copy serves whoever only reads
    /// scenarios, without Nix; a test holds it to what the stack library renders.
    pub fn manifests(&self) -> Result<Vec<Manifest>> {
        let folder = self.root.join("fixtures/rendered");
        let mut hosts: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            hosts.push(entry.map_err(Error::io("list", &folder))?.path());
        }
        hosts.sort();
        hosts.iter().map(|host| Ok(Generation::read(host)?.manifest)).collect()
    }

    /// The test secrets of a host, encrypted as sops does it, by the absolute path where the guest is to decrypt them to:
    /// natively and as fallback.
    pub fn secrets(&self, manifest: &Manifest) -> Result<Vec<(String, Vec<u8>)>> {
        let mut secrets = Vec::new();
        for stack in &manifest.stacks {
            for secret in &stack.secrets {
                let path = self.root.join("fixtures/secrets").join(&manifest.host).join(&stack.name).join(&secret.name);
                let content = fs::read(&path).map_err(Error::io("read", &path))?;
                secrets.extend(secret.fallback.clone().map(|fallback| (fallback, content.clone())));
                secrets.push((secret.native.clone(), content));
            }
        }
        Ok(secrets)
    }

    /// The age key that opens the test secrets.
    pub fn secrets_key(&self) -> Result<String> {
        self.read("fixtures/secrets/test-key.age")
    }

    fn read(&self, path: &str) -> Result<String> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(Error::io("read", &path))
    }
}
