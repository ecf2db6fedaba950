//! What targets and placeholders become.

use super::mistakes::GOOD;
use super::*;

/// The first trial of a file for `stack` with this action and this line.
fn trial(stack: &str, act: &str, line: &str) -> Trial {
    let text = format!(
        "title = \"t\"\nproves = [\"A4\"]\nhosts = [\"igpu\"]\nstack = \"{stack}\"\nbroken-by = \"no-alert\"\n\
         [[step]]\nwhen = {act}\nthen = [ {line}, {{ alert = \"@unit\", never = true, red = true }} ]\n"
    );
    let source = source("scenarios/failure/example.toml", &text);
    let scenario = read(source.clone(), Section::Failure, "example", &world());
    let mut scenario = scenario.unwrap_or_else(|mistakes| panic!("{}", mistakes[0].render(&source, false)));
    scenario.trials.remove(0)
}

const ANY_ACT: &str = r#"{ run = "true" }"#;
const ANY_LINE: &str = r#"{ unit = "@unit", is = "active" }"#;

#[test]
fn unit_targets() {
    let check = |target: &str, expected: &[&str]| {
        let trial = trial("plex", &format!("{{ start = {target} }}"), ANY_LINE);
        let ActKind::Systemctl { verb: Verb::Start, units } = &trial.steps[0].when[0].what else { panic!("{trial:?}") };
        let shown: Vec<String> = units.iter().map(|unit| format!("{:?} {}", unit.scope, unit.name)).collect();
        assert_eq!(shown, expected, "{target}");
    };
    let others = ["igpu-management", "tdarr-igp", "jellyfin", "loki"].map(|name| format!("User {name}-stack.service"));
    check(r#""@unit""#, &["User plex-stack.service"]);
    check(r#""@others""#, &others.each_ref().map(String::as_str));
    check(r#"["@unit", "loki-stack.service"]"#, &["User plex-stack.service", "User loki-stack.service"]);
    check(r#""podman-auto-update.timer""#, &["System podman-auto-update.timer"]);
    check(r#""user:podman.socket""#, &["User podman.socket"]);
    check(r#""system:user@1000.service""#, &["System user@1000.service"]);
    check(r#""user:stack-alert@{unit}.service""#, &["User stack-alert@plex-stack.service.service"]);
}

#[test]
fn container_targets() {
    let check = |target: &str, expected: &[&str]| {
        let trial = trial("plex", ANY_ACT, &format!("{{ containers = {target}, are = \"running\" }}"));
        let Expectation::Containers { containers, .. } = &trial.steps[0].then[0].what else { panic!("{trial:?}") };
        let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, expected, "{target}");
    };
    check(r#""@stack""#, &["plex-plex-network-holder-1", "plex-plex-1"]);
    check(r#""@holder""#, &["plex-plex-network-holder-1"]);
    check(r#""@dependents""#, &["plex-plex-1"]);
    check(r#"["plex", "igpu-management/autoheal"]"#, &["plex-plex-1", "autoheal"]);
    check(r#""container:update-probe""#, &["update-probe"]);
    check(r#"{ igpu = "plex" }"#, &["plex-plex-1"]);
    // A service that only a variant has.
    check(r#""igpu-management/logs""#, &["logs"]);
    assert_eq!(containers_of("@all"), 18);
    assert_eq!(containers_of("@other-stacks"), 16);
}

fn containers_of(target: &str) -> usize {
    let trial = trial("plex", ANY_ACT, &format!("{{ containers = \"{target}\", are = \"running\" }}"));
    match &trial.steps[0].then[0].what {
        Expectation::Containers { containers, .. } => containers.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn labels_mean_each_containers_own_stack() {
    let line = r#"{ containers = "@all", labels = { PODMAN_SYSTEMD_UNIT = "{unit}" } }"#;
    let trial = trial("plex", ANY_ACT, line);
    let lines = &trial.steps[0].then[..5];
    for line in lines {
        let Expectation::ContainerLabels { containers, labels } = &line.what else { panic!("{line:?}") };
        assert!(containers.iter().all(|container| labels["PODMAN_SYSTEMD_UNIT"] == container.unit));
        assert_eq!(line.span, lines[0].span);
    }
}

#[test]
fn placeholders_in_scripts() {
    let check = |script: &str, expected: &str| {
        let trial = trial("plex", &format!("{{ run = '''{script}''' }}"), ANY_LINE);
        let ActKind::Run { command, .. } = &trial.steps[0].when[0].what else { panic!("{trial:?}") };
        assert_eq!(command, expected);
    };
    check("{unit} {stack} {project}", "plex-stack.service plex plex");
    check("{compose} {override}", "/etc/stacks/plex/docker-compose.yml /etc/stacks/plex/override.yml");
    check("{secret} {secret:1}", "/run/secrets/containers/plex/0-plex.env /run/secrets/containers/plex/0-plex.env");
    check("{fallback} {secret-name}", "/run/user/1000/secrets/plex.env plex.env");
    check("{hostname}", "igpu");
    check("{env-paths} {holder}", "/run/user/1000/secrets/plex.env-paths plex-plex-network-holder-1");
    check("${unit} { unit; } {a,b} {{.Names}} {64} {", "${unit} { unit; } {a,b} {{.Names}} {64} {");
}

#[test]
fn placeholders_in_expressions_match_themselves() {
    let line = r#"{ journal = "@unit", matches = '^[0-9a-f]{12} {unit} \{unit\}$', times = 1 }"#;
    let trial = trial("plex", ANY_ACT, line);
    let Expectation::Journal { pattern, .. } = &trial.steps[0].then[0].what else { panic!("{trial:?}") };
    assert!(pattern.regex.is_match("0123456789ab plex-stack.service {unit}"));
    assert!(!pattern.regex.is_match("0123456789ab plex-stackXservice {unit}"));
}

#[test]
fn counts() {
    let check = |count: &str, least: u32, most: Option<u32>| {
        let trial = trial("plex", ANY_ACT, &format!("{{ output = \"x\"{count} }}"));
        let Expectation::Output { times, .. } = &trial.steps[0].then[0].what else { panic!("{trial:?}") };
        assert_eq!(*times, Times { least, most }, "{count}");
    };
    check("", 1, None);
    check(", times = 2", 2, Some(2));
    check(", at-least = 3", 3, None);
    check(", never = true", 0, Some(0));
}

#[test]
fn hardware_is_read_from_the_top() {
    let check = |keys: &str, time: Time, two_processors: bool| {
        let text = GOOD.replace("hosts =", &format!("{keys}\nhosts ="));
        let scenario = read(source("a.toml", &text), Section::Failure, "a", &world()).unwrap();
        assert_eq!(scenario.hardware, Hardware { time, two_processors }, "{keys}");
    };
    check("", Time::Any, false);
    check("cpus = 2", Time::Any, true);
    check("time = \"virtual\"\ncpus = 2", Time::Virtual, true);
    check("time = \"real\"", Time::Real, false);
}

#[test]
fn a_stack_for_each_host() {
    let mut world = world();
    let mut other = world.hosts["igpu"].clone();
    other.name = "doc1".to_owned();
    world.hosts.insert(other.name.clone(), other);
    let text =
        GOOD.replace("[\"igpu\"]", "[\"igpu\", \"doc1\"]").replace("\"plex\"", "{ igpu = \"plex\", doc1 = \"loki\" }");
    let scenario = read(source("a.toml", &text), Section::Failure, "a", &world).unwrap();
    let trials: Vec<_> = scenario.trials.iter().map(|trial| (trial.host.as_str(), trial.stack.as_deref())).collect();
    assert_eq!(trials, [("igpu", Some("plex")), ("doc1", Some("loki"))]);
}
