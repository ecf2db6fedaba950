//! The repository's own rules, as ordinary tests. A rule takes files and gives its breaches, each with file, line and
//! what to do. Every rule is also held to a bad text, so that it is known to be able to fail.

#![allow(clippy::unwrap_used, reason = "a test may panic, and Clippy knows only functions marked as tests")]

mod code;
mod file;
mod layout;
mod scenarios;
mod views;

use file::{File, files_below};
use scenarios::UNUSED_FAULTS;

fn hold(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{} breaches of a rule of the repository:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn modules_import_only_what_is_below_them() {
    hold(code::layering(&files_below("harness/src/")));
}

#[test]
fn pure_modules_stay_pure() {
    hold(code::purity(&files_below("harness/src/")));
}

#[test]
fn only_tests_panic() {
    hold(code::panics(&files_below("harness/src/")));
}

#[test]
fn code_files_are_short() {
    hold(layout::length(&files_below("")));
}

#[test]
fn blanks_are_in_order() {
    hold(layout::whitespace(&files_below("")));
}

#[test]
fn no_machine_of_a_person_is_named() {
    hold(layout::personal_paths(&files_below("")));
}

#[test]
fn scenarios_lie_where_they_are_read() {
    hold(layout::scenario_places(&files_below("scenarios/")));
}

#[test]
fn secrets_are_encrypted() {
    hold(layout::encrypted_secrets(&files_below("fixtures/secrets/")));
}

#[test]
fn scripts_of_the_guest_are_executable() {
    hold(layout::executables(&files_below("fixtures/guest/overlay/")));
}

#[test]
fn statements_are_complete() {
    hold(scenarios::statements(&files_below("scenarios/statements.toml")));
}

#[test]
fn faults_have_scenarios() {
    let mut files = files_below("scenarios/");
    files.extend(files_below("fixtures/faults.toml"));
    hold(scenarios::faults(&files, UNUSED_FAULTS));
}

/// Holds a rule to texts by path: its breaches must be exactly those that begin as expected.
fn check(rule: impl Fn(&[File]) -> Vec<String>, texts: &[(&str, &str)], expected: &[&str]) {
    let file = |(path, text): &(&str, &str)| File { path: path.to_string(), text: text.to_string(), executable: false };
    let breaches = rule(&texts.iter().map(file).collect::<Vec<_>>());
    let is_expected = breaches.len() == expected.len()
        && breaches.iter().zip(expected).all(|(breach, expected)| breach.starts_with(expected));
    assert!(is_expected, "for {texts:?}\nexpected {expected:#?}\nfound {breaches:#?}");
}

#[test]
fn layering_can_fail() {
    let check = |path: &str, text: &str, expected: &[&str]| check(code::layering, &[(path, text)], expected);
    check("harness/src/judge/a.rs", "use crate::timeline::X;\n// crate::run\nuse super::Y;\n", &[]);
    check(
        "harness/src/judge/a.rs",
        "\nuse crate::run::X;\n",
        &["harness/src/judge/a.rs:2: judge must not import `run`"],
    );
    check(
        "harness/src/judge/a.rs",
        "fn f() -> crate::guest::X {}\n",
        &["harness/src/judge/a.rs:1: judge must not import `guest`"],
    );
    check(
        "harness/src/judge/a.rs",
        "use crate::{\n    run,\n};\n",
        &["harness/src/judge/a.rs:1: judge must not import `{`"],
    );
    check(
        "harness/src/judge/a.rs",
        "use super::super::run;\n",
        &["harness/src/judge/a.rs:1: judge must not import `super::super::`"],
    );
    check(
        "harness/src/judge/mod.rs",
        "use super::run;\n",
        &["harness/src/judge/mod.rs:1: judge must not import `super::`"],
    );
    check("harness/src/event.rs", "use super::run;\n", &["harness/src/event.rs:1: event must not import `super::`"]);
    check(
        "harness/src/main.rs",
        "use harness::cli;\nuse harness::run;\n",
        &["harness/src/main.rs:2: main must not import `run`"],
    );
    check("harness/src/new/mod.rs", "", &["harness/src/new/mod.rs:1: new is a new module"]);
    let tests = "#[cfg(test)]\nmod tests {\n    use super::super::at;\n    use crate::generation::X;\n";
    let tests = format!("{tests}    use crate::run::X;\n}}\n");
    check("harness/src/judge/a.rs", &tests, &["harness/src/judge/a.rs:5: judge must not import `run`"]);
    let program = "use crate::generation::X;\n";
    check("harness/src/judge/a.rs", program, &["harness/src/judge/a.rs:1: judge must not import `generation`"]);
}

#[test]
fn purity_can_fail() {
    let check = |path: &str, text: &str, expected: &[&str]| check(code::purity, &[(path, text)], expected);
    check("harness/src/judge.rs", "use std::fmt;\n#[cfg(test)]\nuse std::fs;\nlet a = 1; // std::fs\n", &[]);
    check("harness/src/run/mod.rs", "use std::fs;\n", &[]);
    for impure in [
        "std::fs::read(path)",
        "use std::process::Command;",
        "std::env::var(name)",
        "use std::time::{Duration, Instant};",
        "SystemTime::UNIX_EPOCH",
        "use std::{\n    fmt,\n    fs,\n};",
        "Timestamp::now()",
        "tokio::spawn(task)",
    ] {
        let text = format!("#[cfg(test)]\nmod tests {{\n    use std::fs;\n}}\n\n{impure}\n");
        check("harness/src/report/a.rs", &text, &["harness/src/report/a.rs:6: `"]);
    }
}

#[test]
fn panics_can_fail() {
    // The rule would find these words here too, were this file part of the program.
    for panic in ["a.unwrap()", "a.expect(\"b\")", "a.unwrap_err()", "todo!()", "unimplemented!()", "dbg!(a)"] {
        let texts = [
            ("harness/src/run/mod.rs", &*format!("#[cfg(test)]\nmod sample;\n\n{panic};\n")),
            ("harness/src/run/sample.rs", &*format!("{panic};\n")),
            ("harness/src/run/sample/more.rs", &*format!("{panic};\n")),
            ("harness/src/run/samples.rs", &*format!("// {panic}\n{panic};\n")),
        ];
        check(code::panics, &texts, &["harness/src/run/mod.rs:4: `", "harness/src/run/samples.rs:2: `"]);
    }
    let fallible = "a.unwrap_or(b).expect_less(\"https://c\");\n";
    check(code::panics, &[("harness/src/lib.rs", fallible)], &[]);
}

#[test]
fn length_can_fail() {
    let (long, short) = ("\n".repeat(401), "\n".repeat(400));
    let script = format!("#!/bin/sh{long}");
    let texts = [
        ("harness/src/a.rs", &*long),
        ("harness/src/b.rs", &*short),
        ("harness/src/c/mod.rs", "#[cfg(test)]\nmod tests;\n"),
        ("harness/src/c/tests.rs", &*long),
        ("harness/tests/d.rs", &*long),
        ("fixtures/rendered/script", &*script),
        ("fixtures/script", &*script),
        ("nixos-tests/e.nix", &*long),
        ("docs/f.md", &*long),
    ];
    let expected =
        ["harness/src/a.rs:401: 401 lines", "fixtures/script:401: 401 lines", "nixos-tests/e.nix:401: 401 lines"];
    check(layout::length, &texts, &expected);
}

#[test]
fn whitespace_can_fail() {
    let check = |path: &str, text: &str, expected: &[&str]| check(layout::whitespace, &[(path, text)], expected);
    check("a", "", &[]);
    check("a", "b\n\nc\n", &[]);
    check("a", "b \nc\t\nd\r\n", &["a:1: trailing", "a:2: trailing", "a:3: trailing"]);
    check("a", "b\nc", &["a:2: no newline"]);
    check("harness/src/scenario/tests/golden.txt", "b \nc", &[]);
}

#[test]
fn personal_paths_can_fail() {
    // Put together here, because the rule reads this file too.
    for folder in ["work", "root"] {
        let text = format!("a\n`/{folder}/b` and {{out}}/{folder}/c\n/{folder}ing/\n");
        check(layout::personal_paths, &[("a", &text)], &["a:2: `/"]);
        check(layout::personal_paths, &[("harness/src/image/initrd/init.sh", &text)], &[]);
    }
}

#[test]
fn scenario_places_can_fail() {
    let check = |path: &str, expected: &[&str]| check(layout::scenario_places, &[(path, "")], expected);
    check("scenarios/statements.toml", &[]);
    check("scenarios/failure/a-b2.toml", &[]);
    for misplaced in
        ["scenarios/a.toml", "scenarios/failure/a.tml", "scenarios/other/a.toml", "scenarios/failure/b/a.toml"]
    {
        check(misplaced, &[&*format!("{misplaced}:1: ")]);
    }
}

#[test]
fn encrypted_secrets_can_fail() {
    let encrypted = r#"{ "data": "ENC[a]", "sops": { "mac": "ENC[b]" } }"#;
    let texts = [
        ("fixtures/secrets/test-key.age", "AGE-SECRET-KEY-1\n"),
        ("fixtures/secrets/igpu/a/a.env", encrypted),
        ("fixtures/secrets/igpu/b/b.env", "TOKEN=b\n"),
        ("fixtures/secrets/igpu/c/c.env", r#"{ "data": "TOKEN=c" }"#),
    ];
    let expected = ["fixtures/secrets/igpu/b/b.env:1: a secret", "fixtures/secrets/igpu/c/c.env:1: a secret"];
    check(layout::encrypted_secrets, &texts, &expected);
}

#[test]
fn executables_can_fail() {
    let (script, data) = (("fixtures/guest/overlay/a", "#!/bin/sh\n"), ("fixtures/guest/overlay/b", "b\n"));
    check(layout::executables, &[script, data], &["fixtures/guest/overlay/a:1: "]);
    let executable = File { path: script.0.to_owned(), text: script.1.to_owned(), executable: true };
    hold(layout::executables(&[executable]));
}

#[test]
fn statements_can_fail() {
    let complete = files_below("scenarios/statements.toml").remove(0).text;
    let check =
        |text: &str, expected: &[&str]| check(scenarios::statements, &[("scenarios/statements.toml", text)], expected);
    check(&complete, &[]);
    check(&complete.replace("\nA2 =", "\nA3 ="), &["scenarios/statements.toml:4: A3 where A2 belongs"]);
    check(&complete.replace("\nA2 =", "\n# A2 ="), &["scenarios/statements.toml:5: A3 where A2 belongs"]);
    check(&format!("{complete}C50 = \"More.\"\n"), &["scenarios/statements.toml:56: C50 where the end belongs"]);
    check("[statement]\nA1 = \"One.\"\n", &["scenarios/statements.toml:2: A2 is missing"]);
}

#[test]
fn faults_can_fail() {
    let faults = ("fixtures/faults.toml", "[[fault]]\nid = \"a\"\n\n[[fault]]\nid = \"b\"\n");
    let one = ("scenarios/failure/one.toml", "broken-by = \"a\"\n");
    let both = ("scenarios/failure/both.toml", "broken-by = [\"b\", \"a\"]\n");
    let check = |texts: &[_], unused: &[(&str, &str)], expected: &[&str]| {
        check(|files| scenarios::faults(files, unused), texts, expected);
    };
    check(&[faults, both], &[], &[]);
    check(&[faults, one], &[("b", "A1")], &[]);
    check(&[faults, one], &[], &["fixtures/faults.toml:5: no scenario is broken by b"]);
    check(&[faults, both], &[("b", "A1")], &["fixtures/faults.toml:5: a scenario is broken by b"]);
    check(&[faults, both], &[("c", "A1")], &["fixtures/faults.toml:1: there is no fault c"]);
}
