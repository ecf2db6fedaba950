//! What holds for the crate's code: which module imports which, what pure modules stay away from, and no panics.

use std::sync::LazyLock;

use regex::Regex;

use crate::file::{File, matches};
use crate::views::{test_files, views};

/// What each module of the crate may import besides itself. The binary and the crate's root are modules here too.
const LAYERS: &[(&str, &[&str])] = &[
    ("scenario", &[]),
    ("timeline", &[]),
    ("generation", &[]),
    ("image", &[]),
    ("judge", &["scenario", "timeline"]),
    ("event", &["judge"]),
    ("report", &["scenario", "timeline", "judge", "event"]),
    ("machine", &["image"]),
    ("guest", &["image", "machine", "generation", "timeline"]),
    ("run", &["scenario", "timeline", "generation", "image", "judge", "event", "machine", "guest"]),
    ("cli", &["scenario", "timeline", "generation", "image", "judge", "event", "report", "machine", "guest", "run"]),
    ("main", &["cli"]),
    ("lib", &[]),
    ("golden", &[]),
];

/// What test code may import wherever it stands: scenarios and timelines are about real generations, and some files of the
/// repository are made from the code.
const ALSO_IN_TESTS: &[&str] = &["generation", "golden"];

/// The modules without process, file system, environment and clock: the same input always gives the same output.
const PURE: &[&str] = &["scenario", "timeline", "judge", "report", "event"];

/// Imports run one way, as [`LAYERS`] says.
pub fn layering(files: &[File]) -> Vec<String> {
    let test_files = test_files(files);
    let mut breaches = Vec::new();
    for file in files {
        let Some(module) = file.module() else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            let advice = "say in LAYERS of tests/tidy/code.rs what it may import";
            breaches.push(file.breach(1, format!("{module} is a new module: {advice}")));
            continue;
        };
        let views = views(file, &test_files);
        for (text, is_test) in [(&views.program, false), (&views.tests, true)] {
            for (line, import) in imports(file, text, is_test) {
                let may = import == module || allowed.contains(&import) || is_test && ALSO_IN_TESTS.contains(&import);
                if !may {
                    let advice = "name one module that LAYERS of tests/tidy/code.rs lists for it, or move the code";
                    breaches.push(file.breach(line, format!("{module} must not import `{import}`: {advice}")));
                }
            }
        }
    }
    breaches
}

/// What a text imports from the crate, with lines: the names of modules, or the path itself where it hides the name.
fn imports<'t>(file: &File, text: &'t str, is_test: bool) -> Vec<(usize, &'t str)> {
    static FROM_ROOT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:crate|harness)::\s*(\w+|\W)").unwrap());
    static FROM_PARENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:super::)+").unwrap());
    // A module inside the file is one step deeper, and only tests are written so.
    let inside_file = usize::from(is_test && file.text.contains("#[cfg(test)]"));
    let depth = file.stem().matches('/').count() - 1 + inside_file;
    let mut found = matches(&FROM_PARENT, text);
    found.retain(|(_, path)| path.matches("super").count() >= depth);
    found.extend(matches(&FROM_ROOT, text));
    found
}

/// Pure modules name nothing that reads the world.
pub fn purity(files: &[File]) -> Vec<String> {
    static IMPURE: LazyLock<Regex> = LazyLock::new(|| {
        let modules = r"process|fs|env|Instant|SystemTime";
        let pattern = format!(
            r"\btokio\b|\b(?:Instant|SystemTime)\b|\bstd::(?:{modules})\b|::now\(|\bstd::\{{[^;]*\b(?:{modules})\b"
        );
        Regex::new(&pattern).unwrap()
    });
    let message = |found: &str| format!("`{found}` in a pure module: take what it gives as an argument");
    in_programs(files, &IMPURE, |file| file.module().is_some_and(|module| PURE.contains(&module)), message)
}

/// The program gives errors; only tests panic.
pub fn panics(files: &[File]) -> Vec<String> {
    static PANIC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\.(?:unwrap|expect)(?:_err)?\(|\b(?:todo|unimplemented|dbg)!").unwrap());
    let message = |found: &str| format!("`{found}` outside of tests: give an error that says what to do");
    in_programs(files, &PANIC, |file| file.module().is_some(), message)
}

/// The matches of a pattern in what the selected files contribute to the program.
fn in_programs(
    files: &[File],
    pattern: &Regex,
    select: impl Fn(&File) -> bool,
    message: impl Fn(&str) -> String,
) -> Vec<String> {
    let test_files = test_files(files);
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| select(file)) {
        let program = views(file, &test_files).program;
        breaches.extend(matches(pattern, &program).into_iter().map(|(line, found)| file.breach(line, message(found))));
    }
    breaches
}
