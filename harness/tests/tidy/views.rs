//! A Rust file without its comments, with the program and its tests apart.

use std::sync::LazyLock;

use regex::Regex;

use crate::file::File;

/// The text of a Rust file, taken apart line by line: what the program is made of, and what only its tests are.
/// Neither has comments, and both have the file's lines, so that places agree.
pub struct Views {
    /// What is compiled always.
    pub program: String,
    /// What is compiled for tests only.
    pub tests: String,
}

/// Takes a file apart, given what [`test_files`] says of all of them.
pub fn views(file: &File, test_files: &[String]) -> Views {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(^|\s)//.*$").unwrap());
    let whole_file = is_test_file(file, test_files);
    let mut views = Views { program: String::new(), tests: String::new() };
    let mut test_item: Option<usize> = None;
    for line in file.text.lines() {
        let code = COMMENT.replace(line, "");
        let indentation = code.len() - code.trim_start().len();
        let is_attribute = code.trim_start().starts_with("#[");
        if code.trim() == "#[cfg(test)]" {
            test_item = test_item.or(Some(indentation));
        }
        let (here, there) = match whole_file || test_item.is_some() {
            true => (&mut views.tests, &mut views.program),
            false => (&mut views.program, &mut views.tests),
        };
        *here += &format!("{code}\n");
        *there += "\n";
        // rustfmt ends an item on a line indented as it began.
        if test_item == Some(indentation) && !is_attribute && code.trim_end().ends_with(['}', ';', ',']) {
            test_item = None;
        }
    }
    views
}

/// Whether a file is compiled for tests only, itself or with the module that it is part of.
pub fn is_test_file(file: &File, test_files: &[String]) -> bool {
    let is_below = |stem: &String| file.path.strip_prefix(stem.as_str()).is_some_and(|rest| rest.starts_with('/'));
    file.path.starts_with("harness/tests/") || test_files.iter().any(|stem| file.stem() == stem || is_below(stem))
}

/// The stems of the module files that are compiled for tests only, because their parent declares them so.
pub fn test_files(files: &[File]) -> Vec<String> {
    static DECLARATION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"#\[cfg\(test\)\]\n\s*(?:pub(?:\(\w+\))? )?mod (\w+);").unwrap());
    let declared = |file: &File| {
        let modules = DECLARATION.captures_iter(&file.text);
        modules.map(|module| format!("{}/{}", file.stem(), &module[1])).collect::<Vec<_>>()
    };
    files.iter().flat_map(declared).collect()
}
