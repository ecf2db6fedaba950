//! Every kind of mistake, as people see it: the table below, rendered into mistakes.txt.

use super::*;

/// A file without mistakes; each case replaces something in it.
pub(super) const GOOD: &str = r#"title = "A sentence"
proves = ["B21", "B26"]
hosts = ["igpu"]
stack = "plex"
given = [ { remove = "@secret" } ]
broken-by = "no-alert"

[[step]]
when = { start = "@unit", expect-failure = true }
then = [
  { unit = "@unit", enters = "failed", within = "20s" },
  { alert = "@unit", times = 1, red = true },
]
"#;

const ACT: &str = r#"{ start = "@unit", expect-failure = true }"#;
const LINE: &str = r#"{ unit = "@unit", enters = "failed", within = "20s" }"#;

/// (what is replaced in [`GOOD`], by what).
const CASES: &[(&str, &str)] = &[
    // The file.
    ("title = ", "titel = "),
    ("\"A sentence\"", "\"\""),
    ("\"A sentence\"", "3"),
    ("[\"B21\", \"B26\"]", "[]"),
    ("[\"B21\", \"B26\"]", "[\"B21\", \"B211\", \"B21\"]"),
    ("hosts = [\"igpu\"]", "hosts = \"igpu\""),
    ("[\"igpu\"]", "[\"ipgu\"]"),
    ("[\"igpu\"]", "[\"mars\"]"),
    ("[\"igpu\"]", "[]"),
    ("\"plex\"", "\"plexx\""),
    ("\"plex\"", "{ doc1 = \"plex\" }"),
    ("stack = \"plex\"\n", ""),
    ("broken-by = \"no-alert\"\n", ""),
    ("\"no-alert\"", "\"no-alerts\""),
    ("\"no-alert\"", "\"no\\-alert\""),
    ("\"no-alert\"", "\"no\\nalert\""),
    (", red = true", ""),
    ("broken-by = \"no-alert\"", "broken-by = \"no-alert\"\ntime = \"warped\""),
    ("broken-by = \"no-alert\"", "broken-by = \"no-alert\"\ncpus = 3"),
    ("broken-by = \"no-alert\"", "broken-by = \"no-alert\"\ncpus = \"two\""),
    ("broken-by = \"no-alert\"", "broken-by = \"no-alert\"\nexcept = [ { unit = \"@unit\" } ]"),
    ("proves", "title = \"Again\"\nproves"),
    ("\"20s\" },\n  { alert", "\"20s\" },\n  { alert = \"@unit\n"),
    // Steps and how they hang together.
    ("then = [\n", "than = [\n"),
    ("[[step]]", "[step]"),
    ("[[step]]", "except = [ { journal = \"x*\", reason = \"It may be there.\" } ]\n[[step]]"),
    (LINE, ""),
    ("[ { remove = \"@secret\" } ]", "[]"),
    ("[ { remove = \"@secret\" } ]", "{ restore = \"@secret\" }"),
    ("[[step]]\nwhen = { start = \"@unit\", expect-failure = true }", "[[step]]\nmeasure = \"nothing\""),
    (LINE, r#"{ at-most = 1.5, of = "healthy" }"#),
    // Actions.
    (ACT, r#"{ begin = "@unit" }"#),
    (ACT, r#"{ strat = "@unit" }"#),
    (ACT, r#"{ start = "@unit", stop = "@unit" }"#),
    (ACT, r#"{ activate = "changed-compsoe" }"#),
    (ACT, r#"{ activate = "base", limit = "2m" }"#),
    (ACT, r#"{ start = "@unit", mode = "0600" }"#),
    (ACT, r#"{ start = "@unit", expect-failure = false }"#),
    (ACT, r#"{ start = ["@unit", "podman-auto-update.service"] }"#),
    (ACT, r#"{ start = ["@unit", "plex-stack.service"] }"#),
    (ACT, r#"{ start = "plex-stak.service" }"#),
    (ACT, r#"{ start = "user@1000.service" }"#),
    (ACT, r#"{ start = "plex" }"#),
    (ACT, r#"{ start = "user:podman" }"#),
    (ACT, r#"{ run = "cat {secrets}", as = "admin", limit = "1h" }"#),
    (ACT, r#"{ run = "cat {secret:2} ${secrets} { true; }" }"#),
    (ACT, r#"{ remove = "etc/passwd" }"#),
    (ACT, r#"{ chmod = "@secret", mode = "999" }"#),
    (ACT, r#"{ chown = "@secrets:1" }"#),
    (ACT, r#"{ knob = "exit soon", of = "plexy" }"#),
    (ACT, r#"{ knob = "hang", of = "plexx/plex" }"#),
    (ACT, r#"{ clear-knobs = ["container:update-probe", "container:"] }"#),
    (ACT, r#"{ clear-knobs = "@holder" }"#),
    (ACT, r#"{ push = "v2" }"#),
    (ACT, r#"{ push = "v2", of = ["@holder", "container:update-prob"], broken = false }"#),
    (ACT, r#"{ alerts = "hangs" }"#),
    (ACT, r#"{ wait = "0s" }"#),
    (ACT, r#"{ reboot = "now" }"#),
    (ACT, r#"[ { start = "@unit", expect-failure = true }, { reboot = true } ]"#),
    // Lines.
    (LINE, r#"{ unti = "@unit", enters = "failed" }"#),
    (LINE, r#"{ unit = "@unit", entres = "failed" }"#),
    (LINE, r#"{ unit = "@unit", within = "20s" }"#),
    (LINE, r#"{ unit = "@unit", never-enters = "failed", sub = "dead" }"#),
    (LINE, r#"{ unit = "@unit", enters = "faild", result = "exitcode", sub = "deaf" }"#),
    (LINE, r#"{ unit = "@unti", is = "unchanged" }"#),
    (LINE, r#"{ unit = "@unit", enters = "failed", result = "success" }"#),
    (LINE, r#"{ unit = "@unit", is = "active", sub = "dead" }"#),
    (LINE, r#"{ unit = "@unit", is = "active", within = "20 s" }"#),
    (LINE, r#"{ order = [ { unit = "@unit", enters = "active" } ] }"#),
    (LINE, r#"{ journal = "@unit", text = "missing-secrets", times = 1 }"#),
    (LINE, r#"{ journal = "kernel", matches = "(", never = true }"#),
    (LINE, r#"{ journal = "kernel", matches = "x*" }"#),
    (LINE, r#"{ journal = "kernel", matches = "x", text = "fallback-used" }"#),
    (LINE, r#"{ journal = "kernel", matches = "x", times = 0 }"#),
    (LINE, r#"{ journal = "kernel", matches = "x", at-least = 1, never = true }"#),
    (LINE, r#"{ journal = "kernel", matches = "(?<n>x)", where = "n > m" }"#),
    (LINE, r#"{ journal = "kernel", matches = "(?<n>x)", where = "n is more" }"#),
    (LINE, r#"{ journal = "kernel", matches = "(?<n>x)", where = "n>1" }"#),
    (LINE, r#"{ journal = "kernel", matches = "x", where = "2 > 1" }"#),
    (LINE, r#"{ journal = "kernel", text = "fallback-used", where = "n > 1" }"#),
    (LINE, r#"{ containers = "@stack", are = "runing" }"#),
    (LINE, r#"{ containers = "@stack", are = "healthy" }"#),
    (LINE, r#"{ containers = "@stack", labels = {} }"#),
    (LINE, r#"{ containers = "@stack", environment = { A = 1, B = "{unti}" } }"#),
    (LINE, r#"{ file = "@env-paths" }"#),
    (LINE, r#"{ file = "@env-paths", absent = true, mode = "0600" }"#),
    (LINE, r#"{ output = "x", at-least = 0 }"#),
    (LINE, r#"{ alert = "@unit", matches = "host: {hostnam}", priority = "8" }"#),
    (LINE, r#"{ alert = "@unit", matches = ".*", text = "missing-secret" }"#),
    (LINE, r#"{ unit = "user:stack-alert@{units}.service", enters = "failed" }"#),
    (LINE, r#"{ at-most = -1, of = "healthy" }"#),
];

/// Cases that need another base: a stack without a holder, a step that only looks, or several mistakes at once.
const OTHERS: &[(&[(&str, &str)], &str)] = &[
    (
        &[("\"plex\"", "\"loki\""), (LINE, r#"{ containers = ["@holder", "@dependents"], are = "running" }"#)],
        "no holder",
    ),
    (
        &[(ACT, "[]"), (LINE, r#"{ unit = "@unit", never-enters = "failed" }, { output = "x" }"#)],
        "a step that only looks",
    ),
    (
        &[(ACT, r#"{ strat = "@unit" }"#), (LINE, r#"{ unit = "@unit", never-enters = "active" }"#)],
        "an action that cannot be read is an action",
    ),
    (&[(ACT, r#"{ wait = "1s" }"#), (LINE, r#"{ output = "x" }"#)], "nothing printed"),
    (
        &[("title", "titel"), ("B26", "B99"), (ACT, r#"{ start = "@unti" }"#), ("times = 1", "times = 1.5")],
        "all at once",
    ),
];

fn rendered(text: &str) -> String {
    let source = source("scenarios/failure/example.toml", text);
    match read(source.clone(), Section::Failure, "example", &world()) {
        Ok(_) => "no mistake\n".to_owned(),
        Err(mistakes) => mistakes.iter().map(|mistake| mistake.render(&source, false) + "\n").collect(),
    }
}

#[test]
fn every_kind_of_mistake_is_shown_with_its_place() {
    assert_eq!(rendered(GOOD), "no mistake\n");
    let mut all = String::new();
    let mut add = |title: &str, text: &str| {
        assert_ne!(text, GOOD, "{title}: nothing was replaced");
        all.push_str(&format!("### {title}\n{}\n", rendered(text)));
    };
    for (from, to) in CASES {
        add(&format!("{} -> {}", from.escape_debug(), to.escape_debug()), &GOOD.replacen(from, to, 1));
    }
    for (changes, title) in OTHERS {
        add(title, &changes.iter().fold(GOOD.to_owned(), |text, (from, to)| text.replacen(from, to, 1)));
    }
    assert!(!all.contains("no mistake"), "a case is without mistakes:\n{all}");
    golden::check("harness/src/scenario/tests/mistakes.txt", "mistakes", &all);
}

#[test]
fn files_beside_each_other() {
    let check = |paths: &[&str], expected: &[&str]| {
        let sources = paths.iter().map(|path| source(path, GOOD)).collect();
        let found = read_all(sources, &world()).map(|scenarios| scenarios.len());
        let messages: Vec<String> = found.err().unwrap_or_default().into_iter().map(|found| found.message).collect();
        assert_eq!(messages, expected, "{paths:?}");
    };
    check(&["scenarios/failure/a.toml", "scenarios/functional/a.toml"], &[]);
    check(
        &["scenarios/failure/a.toml", "more/failure/a.toml"],
        &["a scenario `a` of this section is in `scenarios/failure/a.toml` too"],
    );
    check(&["scenarios/failure/Two_Words.toml"], &["the file's name `Two_Words` is not kebab-case"]);
    check(&["scenarios/misc/a.toml", "a.toml"], &["this file is in no section", "this file is in no section"]);
}
