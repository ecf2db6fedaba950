//! Where scenarios lie in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scenario::Section;

use super::{Error, Result};

/// The folders of scenarios.
const SECTIONS: [Section; 3] = [Section::Functional, Section::Failure, Section::Regression];

/// The files that may lie beside the folders of scenarios.
pub const BESIDE: [&str; 4] = ["statements.toml", "unproven.toml", "faults.toml", "noise.toml"];

/// Every scenario file of a folder, in the order of section and name. Refused are folders and files where scenarios would be
/// run by nobody: anything but `<section>/<name>.toml`.
pub(super) fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in listed(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_dir() {
            if is_toml(&path) && !BESIDE.contains(&&*name) {
                return Err(unread(&path, "file"));
            }
        } else if SECTIONS.map(Section::name).contains(&&*name) {
            paths.extend(files_of_section(&path)?);
        } else {
            return Err(unread(&path, "folder"));
        }
    }
    if paths.is_empty() {
        let sections = "functional, failure and regression";
        return Err(Error::Usage(format!("{} has no scenario in {sections}", folder.display())));
    }
    Ok(paths)
}

/// The scenario files of one section. Hidden files are an editor's.
fn files_of_section(section: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in listed(section)? {
        let is_hidden = path.file_name().unwrap_or_default().to_string_lossy().starts_with('.');
        if path.is_dir() {
            return Err(unread(&path, "folder"));
        } else if is_toml(&path) {
            paths.push(path);
        } else if !is_hidden {
            return Err(unread(&path, "file"));
        }
    }
    Ok(paths)
}

fn unread(path: &Path, what: &str) -> Error {
    let problem = format!("nobody reads this {what}: scenarios are `{{functional,failure,regression}}/<name>.toml`");
    Error::Project { place: path.display().to_string(), problem }
}

/// Whether a file ends like one of TOML.
pub fn is_toml(path: &Path) -> bool {
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
