//! Somebody else's generation in the place of the project's hosts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::generation::Generation;

use super::project::in_variant;
use super::surroundings::Surroundings;
use super::{Error, Project, Result};

/// Which generation is run instead of the project's own.
#[derive(Debug, Clone, Default)]
pub struct ForeignSystem {
    /// The folder of a rendered generation.
    pub folder: PathBuf,
    /// The folder of its scenarios: its own `scenarios` if not given, and the project's if it has none.
    pub scenarios: Option<PathBuf>,
    /// The host that it takes the place of: the one that its manifest names if not given.
    pub host: Option<String>,
}

/// A generation that this project did not write, read and checked.
#[derive(Debug)]
pub struct Foreign {
    folder: PathBuf,
    scenarios: Option<PathBuf>,
    generation: Generation,
}

/// The folder of a generation that has its scenarios.
const SCENARIOS: &str = "scenarios";

/// What is in a folder; nothing where it is not there.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io("list", folder)(error)),
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(Error::io("list", folder))?.path())).collect(),
    }
}

impl Foreign {
    /// Reads the generation. What the guest cannot give it is an error, before anything is built or booted.
    pub fn read(system: &ForeignSystem, project: &Project) -> Result<Foreign> {
        let folder = &system.folder;
        let mut generation = Generation::read(folder)?;
        if let Some(host) = &system.host {
            generation = generation.in_place_of(host)?;
        }
        let own = Some(folder.join(SCENARIOS)).filter(|scenarios| scenarios.is_dir());
        let scenarios = system.scenarios.clone().or(own);
        if let Some(scenarios) = scenarios.iter().find(|scenarios| !scenarios.is_dir()) {
            return Err(Error::Usage(format!("there is no folder of scenarios {}", scenarios.display())));
        }
        let known: Vec<&str> =
            generation.manifest.stacks.iter().map(|stack| &*stack.name).chain(["variants"]).collect();
        for path in list(&folder.join("secrets"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !known.contains(&&*name) {
                let problem = format!("the manifest has no stack `{name}`, and so nobody reads these secrets");
                return Err(Error::Project { place: path.display().to_string(), problem });
            }
        }
        let in_folder = |error| match error {
            Error::Project { place, problem } => {
                Error::Project { place: folder.join(place).display().to_string(), problem }
            }
            other => other,
        };
        // A NixOS node has its own user, mounts and images; what stands in for the world in it is its own business.
        if project.nodes().is_none() {
            Surroundings::of(&generation, &project.fstab()?).map_err(in_folder)?;
        }
        Ok(Foreign { folder: folder.clone(), scenarios, generation })
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        &self.generation.manifest.host
    }

    /// The generation.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// The folder of the scenarios, where they are not the project's.
    pub fn scenarios(&self) -> Option<&Path> {
        self.scenarios.as_deref()
    }

    /// A file beside the scenarios, where they have one of their own.
    pub fn beside_scenarios(&self, name: &str) -> Option<PathBuf> {
        self.scenarios.as_ref().map(|scenarios| scenarios.join(name)).filter(|path| path.is_file())
    }

    /// The content of a test secret: what the generation's folder `secrets` has for it, else something made up.
    pub fn secret(&self, generation: &str, stack: &str, name: &str) -> Result<Vec<u8>> {
        let path = in_variant(&self.folder.join("secrets"), generation, &Path::new(stack).join(name));
        if path.exists() {
            return fs::read(&path).map_err(Error::io("read", &path));
        }
        Ok(format!("HARNESS_SECRET={stack}/{name}\n").into_bytes())
    }
}
