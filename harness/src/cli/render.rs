//! `harness render`

use std::fs;
use std::path::Path;

use crate::generation::{self, Generation};
use crate::run::{Error, Project, Result};

use super::Exit;
use super::arguments::RenderArguments;
use super::print::print;

/// Writes a host's generation to a folder.
pub fn render(arguments: &RenderArguments) -> Result<Exit> {
    let project = Project::find()?;
    let RenderArguments { host, variant, folder } = arguments;
    known("host", host, &generation::hosts(project.root())?)?;
    let before = generation_in(folder)?;
    let whole = generation::render(project.root(), host)?;
    let generation = match variant {
        Some(variant) => variant_of(&whole, variant)?,
        None => &whole,
    };
    if let Some(before) = before {
        remove_leftovers(folder, &before, generation)?;
    }
    generation.write(folder)?;
    print(&summary(generation, variant.as_deref(), folder))?;
    Ok(Exit::Passed)
}

/// A variant by its name; the error lists those that there are.
pub fn variant_of<'a>(generation: &'a Generation, variant: &str) -> Result<&'a Generation> {
    let names: Vec<String> = generation.variants.keys().cloned().collect();
    known(&format!("variant of {}", generation.manifest.host), variant, &names)?;
    Ok(&generation.variants[variant])
}

/// Refuses a name that does not exist, and says which do.
pub fn known(noun: &str, name: &str, names: &[String]) -> Result<()> {
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let advice = if names.is_empty() { "there are none".to_owned() } else { format!("known: {}", names.join(", ")) };
    Err(Error::Usage(format!("there is no {noun} `{name}`; {advice}")))
}

/// The generation that is in a folder now, if any; a folder with anything else in it is refused, so that nothing of
/// anybody's is overwritten.
fn generation_in(folder: &Path) -> Result<Option<Generation>> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(Error::Usage(format!("{} is a file; name a folder", folder.display())));
        }
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    Generation::read(folder).map(Some).map_err(|error| {
        Error::Usage(format!(
            "{} is neither empty nor a generation ({error}), and what is in it is not to be lost; name another folder",
            folder.display()
        ))
    })
}

/// Removes the files of an older generation that the new one does not have.
fn remove_leftovers(folder: &Path, before: &Generation, now: &Generation) -> Result<()> {
    for path in before.paths()?.difference(&now.paths()?) {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(Error::io("remove", path))?;
    }
    Ok(())
}

fn summary(generation: &Generation, variant: Option<&str>, folder: &Path) -> String {
    let manifest = &generation.manifest;
    let variant = variant.map(|variant| format!(" ({variant})")).unwrap_or_default();
    format!(
        "{}{variant}: {} stacks with {} containers, {} units, {} files, written to {}\n",
        manifest.host,
        manifest.stacks.len(),
        manifest.containers(),
        manifest.units.len(),
        generation.files.len(),
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        let names = ["igpu".to_owned(), "doc1".to_owned()];
        assert!(known("host", "igpu", &names).is_ok());
        let check = |names: &[String], words: &str| {
            assert_eq!(known("host", "gpu", names).unwrap_err().to_string(), words);
        };
        check(&names, "there is no host `gpu`; known: igpu, doc1");
        check(&[], "there is no host `gpu`; there are none");
    }

    #[test]
    fn only_generations_and_empty_folders_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path, refused: Option<&str>| match (generation_in(path), refused) {
            (Ok(None), None) => {}
            (Err(error), Some(words)) if error.is_usage() => assert!(error.to_string().contains(words), "{error}"),
            (other, _) => panic!("{}: {other:?}", path.display()),
        };
        check(folder.path(), None);
        check(&folder.path().join("new"), None);
        fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        check(folder.path(), Some("name another folder"));
        check(&folder.path().join("thesis.txt"), Some("is a file"));
        fs::write(folder.path().join("manifest.json"), "{}").unwrap();
        check(folder.path(), Some("neither empty nor a generation"));
    }
}
