//! The program as the guest and people run it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and Clippy knows only functions marked as tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A pair of keys that nothing else uses.
const SECRET_KEY: &str = "AGE-SECRET-KEY-1UWVPEKA9QUL4SKQH9U90Y8PC8MQYTVGPQ6A58XVVANUEZD000AASYQ3UDC";
const PUBLIC_KEY: &str = "age1hfgan6n4vertma7uhawunzdz02pxwf4ucz74s36jmwer3ae3u9mqqs59nd";

/// Runs the program and gives its status, and what it printed on both streams.
fn run(arguments: &[&str], keys: &str, input: &str) -> (bool, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sops-file"))
        .args(arguments)
        .env("ROPS_AGE", keys)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_encrypted_comes_back_for_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.env");
    let plain = "TOKEN=one two\nOTHER=\"three\"\n";
    let (success, encrypted, errors) = run(&["encrypt", PUBLIC_KEY], "", plain);
    assert!(success, "{errors}");
    assert!(!encrypted.contains("TOKEN"), "{encrypted}");

    let check = |text: &str, keys: &str, expected: Result<&str, &str>| {
        fs::write(&path, text).unwrap();
        let (success, printed, errors) = run(&["decrypt", path.to_str().unwrap()], keys, "");
        match expected {
            Ok(plain) => assert_eq!((success, &*printed, &*errors), (true, plain, "")),
            Err(problem) => {
                assert!(!success && printed.is_empty(), "{problem}: {printed}");
                assert!(errors.contains(problem), "expected {problem:?}, found {errors:?}");
                assert!(!errors.contains("TOKEN"), "{errors}");
            }
        }
    };
    let other_key = test_key();
    check(&encrypted, SECRET_KEY, Ok(plain));
    check(&encrypted, &format!("{other_key},{SECRET_KEY}"), Ok(plain));
    check(&encrypted, &other_key, Err(&format!("no age key here fits, it is encrypted to {PUBLIC_KEY}")));
    check(&encrypted, "", Err("unable to parse private key"));
    check(plain, SECRET_KEY, Err("is no file of sops"));
    check("{}", SECRET_KEY, Err("is no file of sops"));
    let other_name = encrypted.replacen("\"data\"", "\"text\"", 1);
    check(&other_name, SECRET_KEY, Err("unable to decrypt map value"));
    // A file that was put together from two: each part is whole, but they do not belong to one another.
    let (_, second, _) = run(&["encrypt", PUBLIC_KEY], "", "TOKEN=other\n");
    let data = |text: &str| text.lines().find(|line| line.contains("\"data\"")).unwrap().to_owned();
    check(&encrypted.replace(&data(&encrypted), &data(&second)), SECRET_KEY, Err("unable to decrypt map value"));
}

#[test]
fn wrong_calls_say_what_is_right() {
    let check = |arguments: &[&str], problem: &str| {
        let (success, _, errors) = run(arguments, SECRET_KEY, "");
        assert!(!success && errors.contains(problem), "{arguments:?}: {errors}");
    };
    check(&[], "usage: sops-file decrypt FILE");
    check(&["decrypt"], "usage: ");
    check(&["encrypt", "age1nobody"], "cannot encrypt: ");
    check(&["decrypt", "/no/such/file"], "cannot read /no/such/file: ");
}

/// Every secret of the fixtures opens with the test key, and is an env file.
#[test]
fn the_fixtures_open_with_the_test_key() {
    let (mut files, key) = (Vec::new(), test_key());
    files_below(&fixtures(), &mut files);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "env"));
    assert!(!files.is_empty());
    for path in files {
        let (success, text, errors) = run(&["decrypt", path.to_str().unwrap()], &key, "");
        assert!(success, "{errors}");
        let is_variable =
            |line: &str| line.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty());
        assert!(!text.is_empty() && text.lines().all(is_variable), "{} is no env file", path.display());
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/secrets")
}

/// The secret key of the fixtures, without the comments around it.
fn test_key() -> String {
    let text = fs::read_to_string(fixtures().join("test-key.age")).unwrap();
    text.lines().find(|line| !line.starts_with('#')).unwrap().to_owned()
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}
