//! The files of the project: scenarios, statements, faults, secrets, hosts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::generation::{self, Fault, Generation, Manifest};
use crate::judge::Noise;
use crate::scenario::Source;

use super::scenario_files::{listed, scenario_files};
use super::{Error, Foreign, ForeignSystem, Nodes, Result};

/// A checkout of this project, and what is run instead of its own hosts.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    foreign: Option<Arc<Foreign>>,
    nodes: Option<Nodes>,
    /// The generations, once they were read: whoever checks scenarios asks for them several times.
    generations: Arc<OnceLock<Vec<Generation>>>,
}

/// The content of secrets by the absolute path where they belong in the guest.
pub type Secrets = Vec<(String, Vec<u8>)>;

/// The file by which a checkout is recognised.
const SIGN: &str = "scenarios/statements.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statements {
    statement: BTreeMap<String, String>,
}

/// Where a file of a variant is: below `variants` where the variant has one of its own, else where the base has it.
pub(super) fn in_variant(folder: &Path, generation: &str, file: &Path) -> PathBuf {
    let own = folder.join("variants").join(generation).join(file);
    if own.is_file() { own } else { folder.join(file) }
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
            Ok(Project { root, foreign: None, nodes: None, generations: Arc::default() })
        } else {
            Err(Error::Usage(format!("{} is no checkout of the project: it has no {SIGN}", root.display())))
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The project with somebody else's generation in the place of its hosts.
    pub fn with_foreign(self, system: &ForeignSystem) -> Result<Project> {
        let foreign = Foreign::read(system, &self)?;
        Ok(Project { foreign: Some(Arc::new(foreign)), ..self })
    }

    /// The project with its hosts as NixOS nodes.
    pub fn with_nodes(self, nodes: Nodes) -> Project {
        Project { nodes: Some(nodes), ..self }
    }

    /// The NixOS nodes, where the hosts are such.
    pub fn nodes(&self) -> Option<&Nodes> {
        self.nodes.as_ref()
    }

    /// Somebody else's generation, where one is run.
    pub fn foreign(&self) -> Option<&Foreign> {
        self.foreign.as_deref()
    }

    /// The hosts that can be run, by name.
    pub fn hosts(&self) -> Result<Vec<String>> {
        match &self.foreign {
            Some(foreign) => Ok(vec![foreign.host().to_owned()]),
            None => Ok(generation::hosts(&self.root)?),
        }
    }

    /// Every scenario file, in the order of section and name.
    pub fn sources(&self) -> Result<Vec<Source>> {
        let foreign = self.foreign.as_ref().and_then(|foreign| foreign.scenarios());
        let folder = foreign.map_or_else(|| self.root.join("scenarios"), Path::to_owned);
        scenario_files(&folder)?.iter().map(|path| self.source(path)).collect()
    }

    /// One scenario file, named as people open it from the checkout.
    pub fn source(&self, path: &Path) -> Result<Source> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        Ok(Source { path: shown.display().to_string(), text: text.into() })
    }

    /// The statements by number, as sentences.
    pub fn statements(&self) -> Result<BTreeMap<String, String>> {
        let source = self.statements_source()?;
        let statements: Statements = toml::from_str(&source.text)
            .map_err(|error| Error::Project { place: source.path, problem: error.to_string() })?;
        Ok(statements.statement)
    }

    /// The file of the statements.
    pub fn statements_source(&self) -> Result<Source> {
        self.beside_scenarios("statements.toml", SIGN)
    }

    /// The file of the faults.
    pub fn faults_source(&self) -> Result<Source> {
        self.beside_scenarios("faults.toml", "fixtures/faults.toml")
    }

    /// The reasons why statements are not proven: the project's for its own hosts; for somebody else's generation those
    /// beside its scenarios, where it keeps them.
    pub fn unproven(&self) -> Result<Option<Source>> {
        const REASONS: &str = "unproven.toml";
        let path = match &self.foreign {
            Some(foreign) => foreign.beside_scenarios(REASONS),
            None => Some(self.root.join("scenarios").join(REASONS)),
        };
        path.map(|path| self.source(&path)).transpose()
    }

    /// The faults.
    pub fn faults(&self) -> Result<Vec<Fault>> {
        let source = self.faults_source()?;
        Ok(Fault::parse_all(&source.path, &source.text)?)
    }

    /// Whether the faults were written for the generations that are run: then each has to fit those of its scenarios.
    pub fn faults_are_its_own(&self) -> bool {
        self.foreign.as_ref().is_none_or(|foreign| foreign.beside_scenarios("faults.toml").is_some())
    }

    /// The known noise: the guest's, and behind it that of somebody else's generation.
    pub fn noise(&self) -> Result<Vec<Noise>> {
        const OWN: &str = "fixtures/noise.toml";
        let parse = |place: String, text: &str| {
            Noise::parse_all(text).map_err(|error| Error::Project { place, problem: error.to_string() })
        };
        let mut noise = parse(OWN.to_owned(), &self.read(OWN)?)?;
        if let Some(path) = self.foreign.as_ref().and_then(|foreign| foreign.beside_scenarios("noise.toml")) {
            let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
            noise.extend(parse(path.display().to_string(), &text)?);
        }
        Ok(noise)
    }

    /// The guest's table of file systems.
    pub fn fstab(&self) -> Result<String> {
        self.read("fixtures/guest/overlay/etc/fstab")
    }

    /// The hosts that the project has a rendered copy of, or somebody else's generation, alone. The copy serves whoever
    /// only reads scenarios, without Nix; a test holds it to what the stack library renders.
    pub fn generations(&self) -> Result<&[Generation]> {
        if let Some(foreign) = &self.foreign {
            return Ok(std::slice::from_ref(foreign.generation()));
        }
        if let Some(read) = self.generations.get() {
            return Ok(read);
        }
        let folder = self.root.join("fixtures/rendered");
        let read = listed(&folder)?.iter().map(|host| Ok(Generation::read(host)?)).collect::<Result<_>>()?;
        Ok(self.generations.get_or_init(|| read))
    }

    /// The test secrets of a generation, the base or a variant, encrypted as sops does it: natively and as fallback. A
    /// secret that the variant has a file of its own for is that, else it is the base's. Those of somebody else's
    /// generation may be plain text.
    pub fn secrets(&self, generation: &str, manifest: &Manifest) -> Result<Secrets> {
        let mut secrets = Vec::new();
        for stack in &manifest.stacks {
            for secret in &stack.secrets {
                let content = match &self.foreign {
                    Some(foreign) => foreign.secret(generation, &stack.name, &secret.name)?,
                    None => self.secret(generation, manifest, &stack.name, &secret.name)?,
                };
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

    fn secret(&self, generation: &str, manifest: &Manifest, stack: &str, name: &str) -> Result<Vec<u8>> {
        let folder = self.root.join("fixtures/secrets").join(&manifest.host);
        let path = in_variant(&folder, generation, &Path::new(stack).join(name));
        fs::read(&path).map_err(Error::io("read", path))
    }

    /// A file that belongs to the scenarios: beside those that are read, else the project's.
    fn beside_scenarios(&self, name: &str, own: &str) -> Result<Source> {
        let foreign = self.foreign.as_ref().and_then(|foreign| foreign.beside_scenarios(name));
        self.source(&foreign.unwrap_or_else(|| self.root.join(own)))
    }

    fn read(&self, path: &str) -> Result<String> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(Error::io("read", &path))
    }
}
