//! The files of the repository, as the rules see them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use regex::Regex;

/// Where files begin whose exact text a program wrote, so that nobody may tidy them by hand.
const WRITTEN_BY_PROGRAMS: &[&str] = &["Cargo.lock", "flake.lock", "fixtures/rendered/", "fixtures/timelines/"];

/// What lies in the repository's folder without being part of it.
const NOT_OURS: &[&str] = &[".git", ".direnv", "target", "out", "result"];

/// One text file of the repository.
pub struct File {
    /// Relative to the repository.
    pub path: String,
    pub text: String,
    pub executable: bool,
}

impl File {
    /// The module of the crate that the file belongs to: the first name below `harness/src`.
    pub fn module(&self) -> Option<&str> {
        self.path.strip_prefix("harness/src/")?.strip_suffix(".rs")?.split('/').next()
    }

    /// The file's path as that of a module: without what Rust leaves out of its name.
    pub fn stem(&self) -> &str {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        ["/mod", "/lib", "/main"].iter().find_map(|name| stem.strip_suffix(name)).unwrap_or(stem)
    }

    /// Whether somebody has to read the file as a program.
    pub fn is_code(&self) -> bool {
        [".rs", ".nix", ".sh"].iter().any(|ending| self.path.ends_with(ending)) || self.text.starts_with("#!")
    }

    /// Whether tidying the file by hand would falsify it.
    pub fn is_written_by_a_program(&self) -> bool {
        let is_golden = self.path.contains("/tests/") && !self.path.ends_with(".rs");
        is_golden || WRITTEN_BY_PROGRAMS.iter().any(|start| self.path.starts_with(start))
    }

    /// One breach of a rule, as a person reads it: place, what is wrong, what to do.
    pub fn breach(&self, line: usize, problem: impl AsRef<str>) -> String {
        format!("{}:{line}: {}", self.path, problem.as_ref())
    }
}

/// The text files of the repository below a path, sorted. None is an error: the rule would check nothing.
pub fn files_below(start: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.retain(|file| file.path.starts_with(start));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!files.is_empty(), "no file below {start}: it has moved, adapt the rule");
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            collect(root, &entry.path(), files);
        } else if kind.is_file() {
            files.extend(read(root, &entry.path()));
        }
    }
}

/// A file, or nothing if it is no text.
fn read(root: &Path, path: &Path) -> Option<File> {
    let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
    let executable = fs::metadata(path).unwrap().permissions().mode() & 0o111 == 0o111;
    Some(File { path: path.strip_prefix(root).unwrap().to_str()?.to_owned(), text, executable })
}

/// Every match of a pattern, or of its group where it has one, with the line.
pub fn matches<'t>(pattern: &Regex, text: &'t str) -> Vec<(usize, &'t str)> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let group =
        |found: &regex::Captures<'t>| found.iter().flatten().last().map(|part| (line(part.start()), part.as_str()));
    pattern.captures_iter(text).filter_map(|found| group(&found)).collect()
}
