//! What has to be done to a guest that has one generation so that it has another.

use std::collections::BTreeMap;

use super::{Generation, InstalledFile, Link};

/// The changes of a guest's files from one generation to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// Files that are new, or whose content or mode is another, with their content.
    pub files: Vec<(InstalledFile, Vec<u8>)>,
    /// Links that are new or lead elsewhere.
    pub links: Vec<Link>,
    /// Absolute paths of files and links that are gone.
    pub gone: Vec<String>,
}

impl Delta {
    /// From one generation to another, as their own manifests install them.
    pub fn between(from: &Generation, to: &Generation) -> Delta {
        let (before, after) = (installed(from), installed(to));
        let (links_before, links_after) = (links(from), links(to));
        let new_files = after
            .iter()
            .filter(|(target, new)| before.get(*target).is_none_or(|old| (&old.0.mode, old.1) != (&new.0.mode, new.1)));
        let new_links = links_after.iter().filter(|(path, link)| links_before.get(*path) != Some(*link));
        let stays = |path: &str| after.contains_key(path) || links_after.contains_key(path);
        let paths = before.keys().chain(links_before.keys());
        Delta {
            files: new_files.map(|(_, (file, content))| ((*file).clone(), content.to_vec())).collect(),
            links: new_links.map(|(_, link)| (*link).clone()).collect(),
            gone: paths.filter(|path| !stays(path)).map(|path| (*path).to_owned()).collect(),
        }
    }
}

/// The files by where they are installed.
fn installed(generation: &Generation) -> BTreeMap<&str, (&InstalledFile, &[u8])> {
    let content = |file: &InstalledFile| generation.files.get(&file.source).map_or(&[][..], Vec::as_slice);
    generation.manifest.files.iter().map(|file| (file.target.as_str(), (file, content(file)))).collect()
}

fn links(generation: &Generation) -> BTreeMap<&str, &Link> {
    generation.manifest.links.iter().map(|link| (link.path.as_str(), link)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn igpu() -> Generation {
        Generation::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rendered/igpu")).unwrap()
    }

    #[test]
    fn what_differs_is_what_is_done() {
        let igpu = igpu();
        let targets =
            |delta: &Delta| -> Vec<String> { delta.files.iter().map(|(file, _)| file.target.clone()).collect() };
        assert_eq!(Delta::between(&igpu, &igpu), Delta::default());
        let compose = "/etc/stacks/tdarr-igp/docker-compose.yml";
        let there = Delta::between(&igpu, &igpu.variants["changed-compose"]);
        assert_eq!((targets(&there), there.links.len(), there.gone.len()), (vec![compose.to_owned()], 0, 0));
        assert_eq!(there.files[0].1, igpu.variants["changed-compose"].files["tdarr-igp/docker-compose.yml"]);
        let back = Delta::between(&igpu.variants["changed-compose"], &igpu);
        assert_eq!(back.files[0].1, igpu.files["tdarr-igp/docker-compose.yml"]);
    }

    #[test]
    fn files_and_links_come_and_go() {
        let igpu = igpu();
        let mut other = igpu.clone();
        let unit = "/etc/systemd/user/loki-stack.service";
        other.manifest.files.retain(|file| file.target != unit);
        let link = other.manifest.links.iter().position(|link| link.target == "../loki-stack.service").unwrap();
        let link = other.manifest.links.remove(link);
        other.manifest.files[0].mode = "0600".to_owned();
        let there = Delta::between(&igpu, &other);
        assert_eq!(there.gone, [unit.to_owned(), link.path.clone()]);
        assert_eq!(there.files.len(), 1, "another mode is a change");
        let back = Delta::between(&other, &igpu);
        assert_eq!((back.links, back.gone.len(), back.files.len()), (vec![link], 0, 2));
    }
}
