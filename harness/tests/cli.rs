//! The commands that need no machine, as people call them: exit codes and messages for good and bad input.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::timeline::{ActionDone, Entry, Header, Moment, Timeline};
use tempfile::TempDir;

/// The checkout.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A copy of what the commands read of the project, to be spoilt.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["scenarios", "fixtures/rendered", "fixtures/faults.toml", "fixtures/noise.toml"] {
        let target = folder.path().join(part);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-r").arg(project().join(part)).arg(target).status().unwrap();
        assert!(copied.success(), "{part}");
    }
    folder
}

/// Runs the program on a project, with an empty cache; gives its exit code and everything it said.
fn harness(project: &Path, arguments: &[&str]) -> (i32, String) {
    harness_among(&std::env::var("PATH").unwrap(), project, arguments)
}

/// [`harness`], with the programs of these folders.
fn harness_among(programs: &str, project: &Path, arguments: &[&str]) -> (i32, String) {
    harness_with(tempfile::tempdir().unwrap().path(), programs, project, arguments)
}

/// [`harness_among`], with this cache.
fn harness_with(cache: &Path, programs: &str, project: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .current_dir(cache)
        .env("HARNESS_PROJECT", project)
        .env("HARNESS_CACHE", cache)
        .env("PATH", programs)
        .env_remove("CARGO")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Runs the program and expects an exit code and some words.
fn check(project: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let (found, said) = harness(project, arguments);
    assert_eq!(found, code, "{arguments:?} said:\n{said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?} did not say `{word}`:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "colours belong on terminals only:\n{said}");
    said
}

const MISSING_SECRET: &str = "scenarios/failure/missing-secret-fails-hard.toml";

/// Replaces a text that is in a file once.
fn spoil(project: &Path, path: &str, from: &str, to: &str) {
    let path = project.join(path);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{} in {}", from, path.display());
    fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn lint_finds_nothing_in_the_project_and_every_mistake_in_a_spoilt_one() {
    check(&project(), &["lint"], 0, &["scenarios, ", "trials: no mistakes"]);
    let copy = copy();
    spoil(copy.path(), MISSING_SECRET, "title", "titel");
    spoil(copy.path(), "scenarios/failure/fallback-secret-warns.toml", "proves = [\"A4\"", "proves = [\"A444\"");
    let said =
        check(copy.path(), &["lint"], 2, &["titel", "A444", "fallback-secret-warns.toml:", "^^^^", " mistakes\n"]);
    assert!(said.contains(&format!("{MISSING_SECRET}:1:1")), "{said}");
}

#[test]
fn lint_checks_what_scenarios_refer_to() {
    for (path, from, to, words) in [
        ("fixtures/noise.toml", "# Journal records", "[[noise]]\npattern = '('\nreason = 'r'\n#", "entry 1"),
        ("fixtures/faults.toml", "id = \"no-alert\"", "idd = \"no-alert\"", "unknown field `idd`"),
        ("scenarios/statements.toml", "[statement]", "[statment]", "statment"),
    ] {
        let copy = copy();
        spoil(copy.path(), path, from, to);
        check(copy.path(), &["lint"], 2, &[words, "the scenarios were not read", "1 mistake\n"]);
    }
    let copy = copy();
    spoil(copy.path(), "fixtures/rendered/igpu/manifest.json", "\"version\": 1", "\"version\": 9");
    check(copy.path(), &["lint"], 2, &["version 9 is unknown"]);
}

#[test]
fn lint_reads_files_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let draft = folder.path().join("draft.toml");
    fs::copy(project().join(MISSING_SECRET), &draft).unwrap();
    let good = draft.to_str().unwrap();
    check(&project(), &["lint", good], 0, &["1 scenario, 2 trials: no mistakes"]);
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, "title = 3\n").unwrap();
    let bad = bad.to_str().unwrap();
    let nowhere = folder.path().join("nowhere.toml");
    check(&project(), &["lint", good, bad, nowhere.to_str().unwrap()], 2, &["bad.toml:1:9", "cannot read", "nowhere"]);
}

#[test]
fn lint_refuses_what_nobody_would_run() {
    let copy = copy();
    for (stray, words) in [
        ("scenarios/stray.toml", "nobody reads this file"),
        ("scenarios/failure/wrong-ending.tml", "nobody reads this file"),
        ("scenarios/failure/more/deep.toml", "nobody reads this folder"),
    ] {
        let path = copy.path().join(stray);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(project().join(MISSING_SECRET), &path).unwrap();
        check(copy.path(), &["lint"], 2, &[words, "{functional,failure,regression}/<name>.toml"]);
        check(copy.path(), &["run", "--list"], 2, &[words]);
        fs::remove_file(&path).unwrap();
    }
    fs::remove_dir(copy.path().join("scenarios/failure/more")).unwrap();
    fs::write(copy.path().join("scenarios/failure/.editor"), "").unwrap();
    check(copy.path(), &["lint"], 0, &["no mistakes"]);
    // A fault that does not fit its scenario's stack is told before anything boots.
    spoil(copy.path(), MISSING_SECRET, "broken-by = ", "broken-by = \"ports-unpublished\" # ");
    for arguments in [&["lint"][..], &["run", "--list"], &["run", "--broken", "--list"]] {
        check(copy.path(), arguments, 2, &["missing-secret-fails-hard.toml", "fault `ports-unpublished`"]);
    }
    let readme = project().join("README.md");
    check(&project(), &["lint", readme.to_str().unwrap()], 2, &["README.md: this is no scenario", "1 mistake\n"]);
    let faults = project().join("fixtures/faults.toml");
    check(
        &project(),
        &["lint", faults.to_str().unwrap()],
        2,
        &["`harness lint` without files checks it", "1 mistake\n"],
    );
}

#[test]
fn list_shows_trials_and_faults() {
    let trial = "igpu::failure::missing-secret-fails-hard";
    check(&project(), &["list"], 0, &[trial, "B21", "trials of"]);
    check(&project(), &["list", "--host", "igpu"], 0, &[trial]);
    check(&project(), &["list", "--host", "igpo"], 2, &["no host `igpo`; known: ", "igpu"]);
    check(&project(), &["list", "--faults"], 0, &["no-alert", "faults are noticed", MISSING_SECRET]);
    for (arguments, key) in [(["list", "--json"].as_slice(), "trial"), (&["list", "--faults", "--json"], "fault")] {
        let said = check(&project(), arguments, 0, &[]);
        let items: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
        assert!(!items.is_empty() && items.iter().all(|item| item[key].is_string()), "{said}");
    }
    let copy = copy();
    spoil(copy.path(), MISSING_SECRET, "title", "titel");
    check(copy.path(), &["list"], 2, &["titel", "^^^^"]);
}

#[test]
fn a_choice_of_time_that_changes_nothing_is_refused() {
    let hanging = "failure::hanging-provider-is-bounded";
    check(&project(), &["run", hanging, "--time", "real", "--list"], 2, &["`--time real` changes nothing"]);
    check(&project(), &["run", hanging, "fallback-secret", "--time", "real", "--list"], 0, &[hanging]);
}

#[test]
fn coverage_has_no_hole_without_a_reason_and_no_reason_too_many() {
    check(&project(), &["list", "--coverage"], 0, &["proven by ", "failure/missing-secret-fails-hard", "not proven: "]);
    let said = check(&project(), &["list", "--coverage", "--host", "igpu", "--json"], 0, &[]);
    let statements: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
    assert!(statements.iter().all(|one| one["hosts"]["igpu"].is_object()), "{said}");
    check(&project(), &["list", "--coverage", "--host", "igpo"], 2, &["no host `igpo`"]);
    for (from, to, words) in [
        ("[igpu]\n", "[igpu]\nB33 = \"Later.\"\n", "B33 is proven on igpu by failure/missing-mount-fails-hard"),
        ("[igpu]\nA", "[igpu]\n# A", "and no reason says why"),
    ] {
        let copy = copy();
        spoil(copy.path(), "scenarios/unproven.toml", from, to);
        check(copy.path(), &["lint"], 2, &[words, "scenarios/unproven.toml:", "1 mistake\n"]);
        check(copy.path(), &["list", "--coverage"], 2, &[words]);
    }
}

#[test]
fn render_writes_generations_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("igpu");
    let target = target.to_str().unwrap();
    check(&project(), &["render", "--host", "igpu", target], 0, &["igpu: 5 stacks", target]);
    let manifest = || fs::read_to_string(Path::new(target).join("manifest.json")).unwrap();
    let base = manifest();
    let variant = ["render", "--host", "igpu", "--variant", "no-fallback", target];
    check(&project(), &variant, 0, &["igpu (no-fallback): 5 stacks"]);
    assert_ne!(manifest(), base);
    check(&project(), &["render", "--host", "igpo", target], 2, &["no host `igpo`; known: ", "igpu"]);
    let unknown = ["render", "--host", "igpu", "--variant", "nothing", target];
    check(&project(), &unknown, 2, &["no variant of igpu `nothing`; known: ", "no-fallback"]);
    let foreign = folder.path().to_str().unwrap();
    check(&project(), &["render", "--host", "igpu", foreign], 2, &["neither empty nor a generation"]);
}

#[test]
fn the_rendered_copies_are_what_the_stack_library_renders() {
    let folder = tempfile::tempdir().unwrap();
    for host in fs::read_dir(project().join("nixos-tests/hosts")).unwrap() {
        let host = host.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let target = folder.path().join(&host);
        check(&project(), &["render", "--host", &host, target.to_str().unwrap()], 0, &[]);
        let copy = project().join("fixtures/rendered").join(&host);
        let diff = Command::new("diff").arg("-r").arg(&copy).arg(&target).output().unwrap();
        let advice = format!("render it again: `harness render --host {host} fixtures/rendered/{host}`");
        assert!(diff.status.success(), "{advice}\n{}", String::from_utf8_lossy(&diff.stdout));
    }
}

#[test]
fn somebody_elses_generation_takes_the_place_of_the_hosts() {
    let foreign = project().join("fixtures/foreign");
    let system = foreign.to_str().unwrap();
    let own = ["--system", system, "--scenarios", "scenarios"];
    let scenarios = project().join("scenarios");
    let with = |command: &'static str, more: &[&'static str]| {
        let arguments = [&[command], own.as_slice(), more].concat().into_iter();
        arguments.map(|word| if word == "scenarios" { scenarios.to_str().unwrap() } else { word }.to_owned()).collect()
    };
    let check = |arguments: Vec<String>, code: i32, words: &[&str]| {
        check(&project(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), code, words)
    };
    let its_own = |command: &str| vec![command.to_owned(), "--system".to_owned(), system.to_owned()];
    let said = check(its_own("lint"), 0, &["trials: no mistakes"]);
    assert!(!said.contains("skipped"), "{said}");
    check(its_own("list"), 0, &["pantry::failure::missing-key", "P1"]);
    let coverage = [its_own("list"), vec!["--coverage".to_owned()]].concat();
    check(coverage, 0, &["pantry  proven by failure/missing-key", "5 statements, proven of them: 5 on pantry"]);
    check(with("lint", &[]), 0, &["no mistakes", "skipped: ", "the scenario is for igpu; the generation is of pantry"]);
    check(with("lint", &["--as", "igpu"]), 0, &["skipped: ", "host `igpu` has no stack `tdarr-igp`"]);
    check(with("lint", &["--as", "a b"]), 2, &["`a b` cannot name a host"]);
    check(vec!["lint".to_owned(), "--as".to_owned(), "igpu".to_owned()], 2, &["--system <DIR>"]);
    // Nothing is built or booted where everything is skipped.
    let out = tempfile::tempdir().unwrap();
    let run = [with("run", &[]), vec!["--out".to_owned(), out.path().display().to_string()]].concat();
    check(run, 4, &["SKIPPED pantry::failure::missing-secret-fails-hard", "the scenario is for igpu", "0 PASSED"]);
    let report = fs::read_to_string(out.path().join("latest/junit.xml")).unwrap();
    assert!(
        report.contains("<skipped message=\"the scenario is for igpu; the generation is of pantry\"/>"),
        "{report}"
    );
}

/// Copies somebody else's generation, to be spoilt.
fn copy_foreign(to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(project().join("fixtures/foreign")).arg(to).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_bad_generation_is_refused_before_anything_is_built() {
    let refused = |spoilt: &str, from: &str, to: &str, words: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("system");
        copy_foreign(&system);
        spoil(&system, spoilt, from, to);
        for command in ["run", "bake", "lint"] {
            let said = check(&project(), &[command, "--system", system.to_str().unwrap()], 2, words);
            assert!(said.contains(system.to_str().unwrap()), "{said}");
        }
    };
    refused("manifest.json", "\"version\": 1", "\"version\": 7", &["manifest.json: version 7 is unknown"]);
    refused("manifest.json", "\"hostname\"", "\"hostnam\"", &["unknown field `hostnam`", "at line 4"]);
    refused(
        "manifest.json",
        "bin/need-shelf\", \"t",
        "bin/gone\", \"t",
        &["bin/gone: the manifest lists it, but the file"],
    );
    refused("manifest.json", "/opt/pantry/bin/tell", "/usr/bin/tell", &["/usr/bin/tell: nothing is installed here"]);
    refused("manifest.json", "nginx:1.27", "nginx@sha256:00", &["name a tag instead"]);
    refused("manifest.json", "\"http://", "\"https://", &["without TLS"]);
    refused("units/web.service", "bin/need-key window", "bin/need-kee window", &["it starts /opt/pantry/bin/need-kee"]);
    let nowhere = project().join("fixtures/nowhere");
    check(
        &project(),
        &["run", "--system", nowhere.to_str().unwrap()],
        2,
        &["nowhere/manifest.json: no manifest can be"],
    );
}

#[test]
fn lint_sees_faults_and_folders_that_nothing_would_come_of() {
    let folder = tempfile::tempdir().unwrap();
    let system = folder.path().join("system");
    let lint = |code, words: &[&str]| {
        check(&project(), &["lint", "--system", system.to_str().unwrap()], code, words);
    };
    copy_foreign(&system);
    lint(0, &["no mistakes"]);
    spoil(&system, "scenarios/faults.toml", "find = \"exit 3\"", "find = \"exit 33\"");
    lint(2, &["fault `"]);
    fs::rename(system.join("scenarios/failure"), system.join("scenarios/failures")).unwrap();
    lint(2, &["scenarios/failures", "nobody reads this folder", "{functional,failure,regression}/<name>.toml"]);
    fs::rename(system.join("scenarios/failures"), system.join("scenarios/failure")).unwrap();
    spoil(&system, "scenarios/faults.toml", "find = \"exit 33\"", "find = \"exit 3\"");
    lint(0, &["no mistakes"]);
    // Several generations share a folder of scenarios.
    let scenario = "scenarios/failure/missing-shelf.toml";
    spoil(&system, scenario, "hosts = [\"pantry\"]", "hosts = [\"cellar\"]");
    lint(0, &["of which 1 would be skipped", "the scenario is for cellar; the generation is of pantry"]);
    let list = ["list", "--coverage", "--system", system.to_str().unwrap()];
    check(&project(), &list, 0, &["pantry  not proven: no scenario does so"]);
    fs::write(system.join("scenarios/unproven.toml"), "[pantry]\nP3 = \"The cellar has it.\"\n").unwrap();
    check(&project(), &list, 0, &["not proven: The cellar has it."]);
    spoil(&system, scenario, "\"P3\"", "\"P33\"");
    lint(2, &["there is no statement `P33`", "All are in", "scenarios/statements.toml"]);
    spoil(&system, scenario, "\"P33\"", "\"P3\"");
    fs::create_dir_all(system.join("secrets/windw")).unwrap();
    lint(2, &["secrets/windw", "no stack `windw`"]);
}

#[test]
fn diff_says_what_a_reviewer_has_to_look_at() {
    let igpu = project().join("fixtures/rendered/igpu");
    let igpu = igpu.to_str().unwrap();
    check(&project(), &["diff", igpu, igpu], 0, &["nothing differs"]);
    let copy = copy();
    let unit = "fixtures/rendered/igpu/units/user/loki-stack.service";
    spoil(copy.path(), unit, "After=podman.socket", "After=podman.service");
    spoil(copy.path(), unit, "ExecStart=/usr/local/lib/stacks/stack-compose up -d", "ExecStart=/bin/true");
    spoil(copy.path(), "fixtures/rendered/igpu/loki/override.yml", "  loki:\n", "  loki2:\n");
    let other = copy.path().join("fixtures/rendered/igpu");
    let said = check(&project(), &["diff", igpu, other.to_str().unwrap()], 1, &["~ unit loki-stack.service (user)"]);
    for line in [
        "    order   - After=podman.socket\n    order   + After=podman.service\n",
        "    command - ExecStart=/usr/local/lib/stacks/stack-compose up -d --remove-orphans\n    command + ExecStart=/bin/true",
        "~ file /etc/stacks/loki/override.yml\n    line    -   loki:\n    line    +   loki2:\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let said = check(&project(), &["diff", "--json", igpu, other.to_str().unwrap()], 1, &[]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["units"][0]["order"]["new"][0], "After=podman.service");
    let variant = ["diff", "--host", "igpu", "--variant", "no-fallback"];
    check(&project(), &variant, 1, &["~ unit tdarr-igp-stack.service (user)", "~ key `stacks` of the manifest"]);
    check(
        &project(),
        &["diff", "--host", "igpu", "--variant", "nothing"],
        2,
        &["no variant of igpu `nothing`; known: "],
    );
    check(&project(), &["diff", igpu], 2, &["name two folders"]);
    let of_variant = format!("{igpu}/variants/no-fallback");
    check(&project(), &["diff", igpu, &of_variant], 2, &["variants/no-fallback/manifest.json", "no whole generation"]);
    check(&project(), &["diff", igpu, "/nowhere"], 2, &["/nowhere/manifest.json", "no manifest can be read here"]);
}

#[test]
fn judge_judges_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let argument = path.to_str().unwrap();
    check(&project(), &["judge", argument], 2, &["cannot judge", "No such file", "below the `out/`"]);
    fs::write(&path, "not a timeline\n").unwrap();
    check(&project(), &["judge", argument], 2, &["line 1", "no header", "a recording is the `timeline.jsonl`"]);
    let write = |trial: &str, scenario: &str, host: &str| {
        let header = Header { trial: trial.to_owned(), scenario: scenario.to_owned(), host: host.to_owned() };
        fs::write(&path, Timeline { header, entries: Vec::new() }.to_json_lines().unwrap()).unwrap();
    };
    let trial = "igpu::failure::missing-secret-fails-hard";
    write(trial, "scenarios/failure/gone.toml", "igpu");
    check(&project(), &["judge", argument], 2, &["no scenario", "gone.toml", "--scenario"]);
    write(trial, MISSING_SECRET, "igpo");
    check(&project(), &["judge", argument], 2, &["host `igpo`"]);
    write(&format!("{trial} [broken-by nothing]"), MISSING_SECRET, "igpu");
    check(&project(), &["judge", argument], 2, &["fault `nothing`"]);
    // An empty recording proves nothing.
    write(trial, MISSING_SECRET, "igpu");
    check(&project(), &["judge", argument], 3, &["BROKEN", trial, MISSING_SECRET, "enter it:"]);
    check(&project(), &["judge", folder.path().to_str().unwrap()], 3, &["BROKEN", trial]);
    write(trial, "scenarios/failure/gone.toml", "igpu");
    let scenario = project().join(MISSING_SECRET);
    let arguments = ["judge", argument, "--scenario", scenario.to_str().unwrap()];
    check(&project(), &arguments, 3, &["BROKEN", MISSING_SECRET]);
    let (code, said) = harness(&project(), &["judge", argument, "--scenario", "/nowhere.toml"]);
    assert!(code == 2 && said.contains("no scenario /nowhere.toml") && !said.contains("--scenario"), "{said}");
}

#[test]
fn a_recording_of_other_actions_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let trial = "igpu::functional::reboot-brings-everything-back";
    let scenario = "scenarios/functional/reboot-brings-everything-back.toml";
    let check_done = |command: &str, code: i32, words: &[&str]| {
        let at = Moment { boot: 1, micros: 5 };
        let done = ActionDone {
            step: Some(0),
            index: 0,
            command: command.to_owned(),
            from: at,
            to: at,
            exit: 0,
            stdout: String::new(),
            stderr: String::new(),
            timed_out: false,
        };
        let header = Header { trial: trial.into(), scenario: scenario.into(), host: "igpu".into() };
        let timeline = Timeline { header, entries: vec![Entry::Action(done)] };
        fs::write(&path, timeline.to_json_lines().unwrap()).unwrap();
        check(&project(), &["judge", path.to_str().unwrap()], code, words);
    };
    check_done("systemctl reboot", 3, &["BROKEN"]);
    check_done("the power is cut and comes back", 2, &["has `systemctl reboot`", "run the trial again"]);
}

#[test]
fn doctor_shows_what_is_there_and_what_is_not() {
    let (code, said) = harness(&project(), &["doctor", "--verify"]);
    assert_eq!(code == 0, said.contains("Everything is usable."), "{said}");
    assert_eq!(code == 3, said.contains("BAD"), "{said}");
    for word in ["qemu-system-x86_64", "accelerator", "there is no guest image", "memory", "disk", "it is empty"] {
        assert!(said.contains(word), "doctor did not say `{word}`:\n{said}");
    }
}

#[test]
fn clean_shows_and_removes_what_nobody_has_used_for_so_many_days() {
    let cache = tempfile::tempdir().unwrap();
    let day = std::time::Duration::from_secs(86_400);
    for (name, days) in [("old", 8), ("young", 6)] {
        let folder = cache.path().join("template").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("memory"), "x").unwrap();
        fs::File::open(&folder).unwrap().set_modified(std::time::SystemTime::now() - day * days).unwrap();
    }
    let clean = |arguments: &[&str], words: &[&str]| {
        let (code, said) = harness_with(cache.path(), "", &project(), &[&["clean"], arguments].concat());
        assert_eq!(code, 0, "{said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} did not say `{word}`:\n{said}");
        }
        assert!(words[0].contains("young") || !said.contains("young"), "{said}");
    };
    let in_use = harness::image::Store::open(cache.path()).unwrap();
    let (code, said) = harness_with(cache.path(), "", &project(), &["clean"]);
    assert!(code == 3 && said.contains("cannot clean the cache: another harness is using"), "{code}: {said}");
    drop(in_use);
    clean(&["--dry-run"], &["template/old", "unused for 8 d", "1 of 2 entries would be removed"]);
    clean(&[], &["template/old", "1 of 2 entries removed"]);
    assert!(!cache.path().join("template/old").exists() && cache.path().join("template/young").is_dir());
    clean(&["--days", "0"], &["template/young", "1 of 1 entries removed"]);
    clean(&[], &["0 of 0 entries removed"]);
}

#[test]
fn reading_scenarios_needs_no_programs_and_doctor_tells_what_does() {
    let nothing = "/nowhere";
    for arguments in [["lint"].as_slice(), &["list"], &["list", "--faults"]] {
        let (code, said) = harness_among(nothing, &project(), arguments);
        assert_eq!(code, 0, "{arguments:?} said:\n{said}");
    }
    let (code, said) = harness_among(nothing, &project(), &["doctor"]);
    assert_eq!(code, 3, "{said}");
    for word in ["BAD  qemu-system-x86_64", "missing", "apt-get install", "not usable"] {
        assert!(said.contains(word), "doctor did not say `{word}`:\n{said}");
    }
    let (code, said) = harness_among(nothing, &project(), &["render", "--host", "igpu", "/tmp/never-written"]);
    assert!(code == 3 && said.contains("nix-instantiate"), "{code}: {said}");
}

#[test]
fn what_is_not_there_is_told_before_any_machine_starts() {
    check(&project(), &["enter", "igpu::failure::missing-secret"], 2, &["no command on standard input"]);
    check(Path::new("/nowhere"), &["list"], 2, &["cannot find the checkout", "/nowhere"]);
    check(&project(), &["lnt"], 2, &["unrecognized subcommand"]);
}
