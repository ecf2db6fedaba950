//! What holds for every file: its length, its blanks, its place, its mode.

use std::sync::LazyLock;

use regex::Regex;

use crate::file::{File, matches};
use crate::views::{is_test_file, test_files};

/// The most lines that one file of code may have, tests excepted.
const MOST_LINES: usize = 400;

/// Files in which the home of root is a folder of a guest, not of a person's machine.
const ROOT_OF_A_GUEST: &[&str] = &["harness/src/image/initrd/init.sh"];

/// Code is short enough to be read in one go.
pub fn length(files: &[File]) -> Vec<String> {
    let test_files = test_files(files);
    let is_held = |file: &&File| file.is_code() && !file.is_written_by_a_program() && !is_test_file(file, &test_files);
    let counts = files.iter().filter(is_held).map(|file| (file, file.text.lines().count()));
    let problem = |count| format!("{count} lines, at most {MOST_LINES} are allowed: split the file");
    let too_long = counts.filter(|(_, count)| *count > MOST_LINES);
    too_long.map(|(file, count)| file.breach(MOST_LINES + 1, problem(count))).collect()
}

/// Lines end where their text ends, and files end with a line.
pub fn whitespace(files: &[File]) -> Vec<String> {
    static TRAILING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)[ \t\r]+$").unwrap());
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| !file.is_written_by_a_program()) {
        let trailing = matches(&TRAILING, &file.text).into_iter();
        breaches.extend(trailing.map(|(line, _)| file.breach(line, "trailing blanks: remove them")));
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            breaches.push(file.breach(file.text.lines().count(), "no newline at the end of the file: add one"));
        }
    }
    breaches
}

/// No text depends on how one person's machine is laid out.
pub fn personal_paths(files: &[File]) -> Vec<String> {
    static PERSONAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)(?:^|[^\w.}/-])(/(?:work|root)/)").unwrap());
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| !ROOT_OF_A_GUEST.contains(&file.path.as_str())) {
        let found = matches(&PERSONAL, &file.text).into_iter();
        let problem = |path| format!("`{path}` exists on one person's machine: name the place relative to the project");
        breaches.extend(found.map(|(line, path)| file.breach(line, problem(path))));
    }
    breaches
}

/// Every file among the scenarios is one that is read.
pub fn scenario_places(files: &[File]) -> Vec<String> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^scenarios/(?:statements|unproven|(?:functional|failure|regression)/[a-z0-9-]+)\.toml$").unwrap()
    });
    let misplaced = files.iter().filter(|file| file.path.starts_with("scenarios/") && !PLACE.is_match(&file.path));
    let advice = "no scenario is read from here: name it like-this.toml, in functional, failure or regression";
    misplaced.map(|file| file.breach(1, advice)).collect()
}

/// The test secrets are encrypted like real ones, so that guests have to decrypt them.
pub fn encrypted_secrets(files: &[File]) -> Vec<String> {
    let is_key = |file: &&File| file.path == "fixtures/secrets/test-key.age";
    let is_sops_file = |file: &&File| file.text.contains(r#""data": "ENC["#) && file.text.contains(r#""mac": "ENC["#);
    let secrets = files.iter().filter(|file| file.path.starts_with("fixtures/secrets/") && !is_key(file));
    let advice = "a secret that is not encrypted: CONTRIBUTING.md says how, under \"Add a secret\"";
    secrets.filter(|file| !is_sops_file(file)).map(|file| file.breach(1, advice)).collect()
}

/// The scripts that units of the guest start can be started.
pub fn executables(files: &[File]) -> Vec<String> {
    let is_script = |file: &&File| file.path.starts_with("fixtures/guest/overlay/") && file.text.starts_with("#!");
    let dead = files.iter().filter(is_script).filter(|file| !file.executable);
    dead.map(|file| file.breach(1, "a script that cannot be executed: chmod +x it")).collect()
}
