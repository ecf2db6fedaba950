//! Rendering a host's generation from the stack library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Error, Generation, Manifest, Result};

/// Where each host has its profile.
const PROFILES: &str = "nixos-tests/hosts";

/// What `nixos-tests/render.nix` evaluates to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rendered {
    base: Rendering,
    variants: BTreeMap<String, Rendering>,
}

/// What the stack library gives for one generation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rendering {
    manifest: Manifest,
    files: BTreeMap<String, String>,
    copies: BTreeMap<String, PathBuf>,
}

/// Evaluates the stack library for a host of the project and all its variants, in one go of `nix-instantiate` and
/// without a store or a network.
pub fn render(project: &Path, host: &str) -> Result<Generation> {
    let rendered = evaluate(project, host)?;
    let mut base = rendered.base.generation()?;
    for (name, rendering) in rendered.variants {
        base.variants.insert(name, rendering.generation()?);
    }
    base.checked()
}

impl Rendering {
    /// The texts, and the files that are copied byte for byte.
    fn generation(self) -> Result<Generation> {
        let mut files: BTreeMap<_, _> = self.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        for (path, source) in self.copies {
            files.insert(path, fs::read(&source).map_err(Error::io("read", source))?);
        }
        Ok(Generation { manifest: self.manifest, files, variants: BTreeMap::new() })
    }
}

/// The hosts of the project: those that have a profile.
pub fn hosts(project: &Path) -> Result<Vec<String>> {
    let folder = project.join(PROFILES);
    let mut hosts = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
        let name = entry.map_err(Error::io("list", &folder))?.file_name();
        hosts.extend(name.to_str().and_then(|name| name.strip_suffix(".nix")).map(str::to_owned));
    }
    hosts.sort();
    Ok(hosts)
}

/// What the stack library evaluates to.
fn evaluate(project: &Path, host: &str) -> Result<Rendered> {
    let mut command = Command::new("nix-instantiate");
    command.args(["--eval", "--strict", "--json"]).arg(project.join("nixos-tests/render.nix"));
    command.args(["--argstr", "host", host]);
    // A store of its own below a folder that is thrown away: evaluation writes nothing, but Nix wants a state folder.
    let state = tempfile::tempdir().map_err(Error::io("create", std::env::temp_dir()))?;
    command.env("NIX_REMOTE", "local").env("NIX_STATE_DIR", state.path()).env("NIX_LOG_DIR", state.path());
    command.env("NIX_STORE_DIR", state.path().join("store")).env("NIX_CONF_DIR", state.path());
    let output = command.stdin(Stdio::null()).output().map_err(Error::NoNix)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Render { host: host.to_owned(), said });
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Error::Manifest {
        place: format!("what the stack library gives for host {host}"),
        problem: error.to_string(),
    })
}

/// Every file that a rendering of a host depends on, in a fixed order: the stack library and the compose files.
pub fn inputs(project: &Path, host: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for folder in [project.join("nixos-tests"), project.join("fixtures/compose").join(host)] {
        collect(&folder, &mut paths)?;
    }
    paths.sort();
    Ok(paths)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
