//! What a reviewer has to look at between two generations: units, their order, what they run, and files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use similar::{Algorithm, ChangeTag, capture_diff_slices};

use super::files::malformed;
use super::unit_file::UnitFile;
use super::{Generation, Result, Scope};

/// Everything that differs; empty lists where nothing does. Variants are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The units that are new, gone, or others.
    pub units: Vec<UnitDiff>,
    /// Files that are no units, and links.
    pub files: Vec<FileDiff>,
    /// Keys of the manifest, but for those that say where units, files and variants are.
    pub manifest: Vec<String>,
}

/// How something of one generation is in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Only in the second.
    New,
    /// Only in the first.
    Gone,
    /// In both.
    Changed,
}

/// Lines of the first generation that the second lacks, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Lines {
    /// Only in the first.
    pub gone: Vec<String>,
    /// Only in the second.
    pub new: Vec<String>,
}

/// A unit that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitDiff {
    /// The manager that it belongs to.
    pub scope: Scope,
    /// Its name.
    pub unit: String,
    /// Whether it is in both.
    pub change: Change,
    /// Order and dependencies, as in `After=podman.socket`; links by which targets want it are among them.
    pub order: Lines,
    /// Command lines. What only stands at another place among them is gone here and new there.
    pub commands: Lines,
    /// All other settings, each with its section.
    pub settings: Lines,
}

/// A file or link that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// Where it is installed.
    pub path: String,
    /// Whether it is in both.
    pub change: Change,
    /// Lines of its text; its mode, if that is another, is one of them.
    pub lines: Lines,
}

impl Diff {
    /// What differs between two generations as they are installed.
    pub fn between(first: &Generation, second: &Generation) -> Result<Diff> {
        let (before, after) = (Side::of(first), Side::of(second));
        let units =
            differing(&before.units, &after.units).into_iter().map(|((scope, unit), change, [was, is])| UnitDiff {
                scope,
                unit: unit.to_owned(),
                change,
                order: Lines::of_sets(&was.edges, &is.edges),
                commands: Lines::of_sequences(&was.commands, &is.commands),
                settings: Lines::of_sets(&was.settings, &is.settings),
            });
        let files = differing(&before.files, &after.files).into_iter().map(|(path, change, [was, is])| FileDiff {
            path: path.to_owned(),
            change,
            lines: Lines::of_sequences(&was, &is),
        });
        let mut manifest = first.manifest.differing_keys(&second.manifest).map_err(malformed)?;
        manifest.retain(|key| !["units", "files", "links", "variants"].contains(&key.as_str()));
        Ok(Diff { units: units.collect(), files: files.collect(), manifest })
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.files.is_empty() && self.manifest.is_empty()
    }
}

impl Lines {
    fn of_sets(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Lines {
        Lines { gone: before.difference(after).cloned().collect(), new: after.difference(before).cloned().collect() }
    }

    fn of_sequences(before: &[String], after: &[String]) -> Lines {
        let mut lines = Lines::default();
        for operation in capture_diff_slices(Algorithm::Myers, before, after) {
            for change in operation.iter_changes(before, after) {
                match change.tag() {
                    ChangeTag::Delete => lines.gone.push(change.value()),
                    ChangeTag::Insert => lines.new.push(change.value()),
                    ChangeTag::Equal => {}
                }
            }
        }
        lines
    }
}

/// A generation as it is compared.
#[derive(Default)]
struct Side<'a> {
    units: BTreeMap<(Scope, &'a str), UnitFile>,
    /// The lines of files that are no units, and where links lead.
    files: BTreeMap<&'a str, Vec<String>>,
}

impl<'a> Side<'a> {
    fn of(generation: &'a Generation) -> Side<'a> {
        let mut side = Side::default();
        for file in &generation.manifest.files {
            let content = generation.files.get(&file.source).map(|content| String::from_utf8_lossy(content));
            let content = content.unwrap_or_default();
            match unit_of(&file.target) {
                Some(unit) => {
                    side.units.insert(unit, UnitFile::parse(&content));
                }
                None => {
                    let mode = format!("mode {}", file.mode);
                    let lines = std::iter::once(mode).chain(content.lines().map(str::to_owned));
                    side.files.insert(&file.target, lines.collect());
                }
            }
        }
        for link in &generation.manifest.links {
            match wanted(&link.path).and_then(|(unit, by)| Some((side.units.get_mut(&unit)?, by))) {
                Some((unit, by)) => {
                    unit.edges.insert(format!("linked from {by}"));
                }
                None => {
                    side.files.insert(&link.path, vec![format!("link to {}", link.target)]);
                }
            }
        }
        side
    }
}

/// The unit whose file is installed here.
fn unit_of(target: &str) -> Option<(Scope, &str)> {
    let (folder, name) = target.rsplit_once('/')?;
    let scopes = [("/systemd/system", Scope::System), ("/systemd/user", Scope::User)];
    scopes.into_iter().find(|(end, _)| folder.ends_with(end)).map(|(_, scope)| (scope, name))
}

/// The unit that a link has a target want or require, and the folder that says so.
fn wanted(path: &str) -> Option<((Scope, &str), &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let (scope, folder) = unit_of(folder)?;
    (folder.ends_with(".wants") || folder.ends_with(".requires")).then_some(((scope, name), folder))
}

/// What differs under each key, with an empty value where a side has none.
fn differing<K: Ord + Copy, V: Default + Clone + PartialEq>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> Vec<(K, Change, [V; 2])> {
    let keys: BTreeSet<K> = before.keys().chain(after.keys()).copied().collect();
    let differing = keys.into_iter().filter_map(|key| {
        let sides = [before.get(&key), after.get(&key)];
        let change = match sides {
            [None, _] => Change::New,
            [_, None] => Change::Gone,
            [was, is] if was != is => Change::Changed,
            _ => return None,
        };
        Some((key, change, sides.map(|side| side.cloned().unwrap_or_default())))
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn igpu() -> Generation {
        Generation::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rendered/igpu")).unwrap()
    }

    /// The difference that a change of igpu's generation makes.
    fn changed(change: impl Fn(&mut Generation)) -> Diff {
        let mut other = igpu();
        change(&mut other);
        Diff::between(&igpu(), &other).unwrap()
    }

    fn replaced(source: &str, from: &str, to: &str) -> Diff {
        changed(|generation| {
            let text = String::from_utf8(generation.files[source].clone()).unwrap();
            assert!(text.contains(from), "{source}");
            generation.files.insert(source.to_owned(), text.replace(from, to).into_bytes());
        })
    }

    const UNIT: &str = "units/user/loki-stack.service";

    fn lines(gone: &[&str], new: &[&str]) -> Lines {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Lines { gone: owned(gone), new: owned(new) }
    }

    #[test]
    fn nothing_differs_from_itself() {
        assert!(changed(|_| {}).is_empty());
    }

    #[test]
    fn units_differ_by_order_commands_and_settings() {
        let check = |from: &str, to: &str, order: Lines, commands: Lines, settings: Lines| {
            let diff = replaced(UNIT, from, to);
            let [unit] = &diff.units[..] else { panic!("{diff:?}") };
            assert_eq!((unit.unit.as_str(), unit.scope), ("loki-stack.service", Scope::User));
            assert_eq!((&unit.order, &unit.commands, &unit.settings), (&order, &commands, &settings), "{from}");
            assert!(diff.files.is_empty() && diff.manifest.is_empty());
        };
        let nothing = Lines::default;
        let order = lines(&["After=podman.socket"], &["After=a.mount", "After=b.mount"]);
        check("After=podman.socket", "After=b.mount a.mount", order, nothing(), nothing());
        let up = "ExecStart=/usr/local/lib/stacks/stack-compose up -d --remove-orphans";
        let waits = format!("{up} --wait");
        check(up, &waits, nothing(), lines(&[up], &[&waits]), nothing());
        let time = lines(&["[Service] TimeoutStartSec=300"], &["[Service] TimeoutStartSec=30"]);
        check("TimeoutStartSec=300", "TimeoutStartSec=30", nothing(), nothing(), time);
    }

    #[test]
    fn commands_at_another_place_differ() {
        let (clean, preflight) =
            ("ExecStartPre=/usr/local/lib/stacks/stack-clean 90", "ExecStartPre=/usr/local/lib/stacks/stack-preflight");
        let diff = replaced(UNIT, &format!("{preflight}\n{clean}"), &format!("{clean}\n{preflight}"));
        assert_eq!(diff.units[0].commands.gone, diff.units[0].commands.new);
        assert_eq!(diff.units[0].commands.gone.len(), 1);
    }

    #[test]
    fn links_are_part_of_a_units_order() {
        let diff =
            changed(|generation| generation.manifest.links.retain(|link| !link.path.ends_with("/loki-stack.service")));
        assert_eq!(diff.units.len(), 1);
        assert_eq!(diff.units[0].order, lines(&["linked from default.target.wants"], &[]));
    }

    #[test]
    fn units_files_and_keys_come_and_go() {
        let removed = |generation: &mut Generation| {
            generation.manifest.files.retain(|file| !file.source.contains("loki"));
            generation.manifest.links.retain(|link| !link.path.contains("loki"));
            generation.manifest.stacks.retain(|stack| stack.name != "loki");
        };
        let gone = changed(removed);
        let names: Vec<_> = gone.units.iter().map(|unit| (unit.unit.as_str(), unit.change)).collect();
        assert_eq!(names, [("loki-stack.service", Change::Gone), ("loki-update.service", Change::Gone)]);
        assert!(!gone.units[0].commands.gone.is_empty() && gone.units[0].commands.new.is_empty());
        assert_eq!(gone.files.len(), 3);
        assert_eq!(gone.manifest, ["stacks"]);
        let mut other = igpu();
        removed(&mut other);
        let new = Diff::between(&other, &igpu()).unwrap();
        assert!(
            new.units
                .iter()
                .map(|unit| unit.change)
                .chain(new.files.iter().map(|file| file.change))
                .all(|it| it == Change::New)
        );
        let mode = changed(|generation| {
            let file = generation.manifest.files.iter_mut().find(|file| file.source == "scripts/stack-clean").unwrap();
            file.mode = "0644".to_owned();
        });
        assert_eq!(mode.files[0].lines, lines(&["mode 0755"], &["mode 0644"]));
    }
}
