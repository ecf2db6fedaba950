//! What runs in a guest, and what renders it, is clean by the judgement of the tools made for it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// Runs a tool on files; says what it printed unless it is content, and `install` where it is not there.
fn complaints(tool: &str, arguments: &[&str], files: &[PathBuf], install: &str) -> Option<String> {
    assert!(!files.is_empty(), "nothing to give to {tool}");
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool);
    command.args(arguments).args(files);
    command
        .env("NIX_REMOTE", "local")
        .env("NIX_STATE_DIR", state.path())
        .env("NIX_STORE_DIR", state.path().join("store"));
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {tool}: {error}; {install}"));
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

fn shellcheck(files: &[PathBuf]) -> Option<String> {
    complaints("shellcheck", &[], files, "apt-get install shellcheck")
}

fn parse(files: &[PathBuf]) -> Option<String> {
    complaints("nix-instantiate", &["--parse"], files, "`harness doctor --install` installs it")
}

#[test]
fn rendered_scripts_are_clean_shell() {
    let files = below(&project().join("fixtures/rendered"));
    let scripts: Vec<_> =
        files.into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "scripts")).collect();
    assert_eq!(shellcheck(&scripts), None);
}

#[test]
fn nix_files_parse() {
    let files = below(&project().join("nixos-tests"));
    let nix: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "nix")).collect();
    assert_eq!(parse(&nix), None);
}

#[test]
fn the_tools_find_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let spoilt = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        [path]
    };
    assert!(shellcheck(&spoilt("script", "#!/bin/bash\nrm $1/*\n")).unwrap().contains("SC2086"));
    assert!(parse(&spoilt("a.nix", "{ a = 1 }\n")).unwrap().contains("syntax error"));
}
