//! Where scenarios lie in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scenario::Section;

use super::{Error, Result};

/// The folders of scenarios, in the order of the matrix.
const SECTIONS: [Section; 3] = [Section::Functional, Section::Failure, Section::Regression];

/// The files that may lie beside the folders of scenarios.
pub const BESIDE: [&str; 4] = ["statements.toml", "unproven.toml", "faults.toml", "noise.toml"];

/// Refuses folders and files where scenarios would be run by nobody: anything but `<section>/<name>.toml`.
fn only_read(scenarios: &Path) -> Result<()> {
    let refuse = |path: &Path, problem: &str| {
        let problem =
            format!("nobody reads this {problem}: scenarios are `{{functional,failure,regression}}/<name>.toml`");
        Err(Error::Project { place: path.display().to_string(), problem })
    };
    for path in listed(scenarios)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_dir() {
            if is_toml(&path) && !BESIDE.contains(&&*name) {
                return refuse(&path, "file");
            }
            continue;
        }
        if !SECTIONS.map(Section::name).contains(&&*name) {
            return refuse(&path, "folder");
        }
        for inner in listed(&path)? {
            let is_hidden = inner.file_name().unwrap_or_default().to_string_lossy().starts_with('.');
            if inner.is_dir() || !is_toml(&inner) && !is_hidden {
                return refuse(&inner, if inner.is_dir() { "folder" } else { "file" });
            }
        }
    }
    Ok(())
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// What a folder has, in the order of names.
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io("list", folder))?;
    let paths = entries.map(|entry| Ok(entry.map_err(Error::io("list", folder))?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Every scenario file of a folder, in the order of section and name.
pub(super) fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>> {
    only_read(folder)?;
    let mut paths = Vec::new();
    for section in SECTIONS.map(|section| folder.join(section.name())).iter().filter(|section| section.is_dir()) {
        paths.extend(listed(section)?.into_iter().filter(|path| is_toml(path)));
    }
    if paths.is_empty() {
        let sections = "functional, failure and regression";
        return Err(Error::Usage(format!("{} has no scenario in {sections}", folder.display())));
    }
    paths.sort();
    Ok(paths)
}
