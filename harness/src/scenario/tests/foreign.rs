//! Somebody else's generation: what it lacks is said, and is no mistake of the file.

use super::mistakes::GOOD;
use super::*;

/// A host on which `plex` is a stack of one native container, without secrets, lists, health checks and alerts.
fn foreign_world(name: &str) -> World {
    let mut world = world();
    let mut host = world.hosts["igpu"].clone();
    host.name = name.to_owned();
    host.alerts = false;
    host.texts.retain(|name, _| name == "missing-secret");
    host.variants.clear();
    host.stacks.retain(|stack| stack.name == "plex");
    for stack in &mut host.stacks {
        (stack.project, stack.compose, stack.env_paths) = (None, None, None);
        stack.secrets.clear();
        stack.services.truncate(1);
        stack.services[0].health_check = false;
        stack.services[0].knobs = None;
    }
    world.hosts = [(name.to_owned(), host)].into();
    world.foreign = Some(name.to_owned());
    world
}

fn read_in(world: &World, text: &str) -> Result<Scenario, String> {
    let source = source("scenarios/failure/example.toml", text);
    let mistakes = |found: Vec<Diagnostic>| found.iter().map(|mistake| mistake.render(&source, false)).collect();
    read(source.clone(), Section::Failure, "example", world).map_err(mistakes)
}

const FITS: &str = r#"title = "t"
proves = ["A4"]
hosts = ["pantry"]
stack = "plex"
broken-by = "no-alert"
[[step]]
when = { run = "true" }
then = [ { unit = "@unit", is = "active", red = true } ]
"#;

#[test]
fn what_the_host_lacks_is_the_reason_of_a_skip() {
    let lacks = |from: &str, to: &str, reason: &str| {
        assert!(FITS.contains(from), "{from}");
        let scenario = read_in(&foreign_world("pantry"), &FITS.replace(from, to)).unwrap();
        assert_eq!(scenario.trials.len(), 1);
        assert_eq!(scenario.trials[0].lacks.as_deref(), Some(reason).filter(|reason| !reason.is_empty()), "{to}");
    };
    lacks("plex", "plex", "");
    lacks("\"plex\"", "\"jellyfin\"", "host `pantry` has no stack `jellyfin`");
    for (act, reason) in [
        ("{ remove = \"@secret\" }", "`@secret` does not exist in stack `plex`"),
        ("{ remove = \"@fallback\" }", "`@fallback` does not exist in stack `plex`"),
        ("{ remove = \"@env-paths\" }", "stack `plex` writes no list of env paths"),
        ("{ remove = \"@compose\" }", "stack `plex` has no compose file"),
        ("{ run = \"echo {override}\" }", "stack `plex` has no compose file"),
        ("{ run = \"echo {project}\" }", "stack `plex` is no compose project"),
        ("{ knob = \"unhealthy\", of = \"@holder\" }", "no service of stack `plex` holds a network that others join"),
        ("{ knob = \"unhealthy\", of = \"plex/plex\" }", "stack `plex` has no service `plex`"),
        ("{ clear-knobs = \"@stack\" }", "`plex-plex-network-holder-1` has no file of knobs"),
        ("{ start = \"no.service\" }", "the generation of `pantry` has no unit `no.service`"),
        ("{ activate = \"changed-host\" }", "host `pantry` has no variant `changed-host`"),
        ("{ start = \"@others\" }", "`@others` names nothing on host `pantry`"),
    ] {
        lacks("{ run = \"true\" }", act, reason);
    }
    for (line, reason) in [
        ("{ alert = \"@unit\", red", "host `pantry` posts no alerts"),
        ("{ journal = \"@unit\", text = \"stale-kept\", red", "the manifest of pantry has no text `stale-kept`"),
        ("{ journal = \"@unit\", text = \"missing-secret\", red", ""),
        ("{ containers = \"@stack\", are = \"healthy\", red", "`plex-plex-network-holder-1` has no health check"),
    ] {
        lacks("{ unit = \"@unit\", is = \"active\", red", line, reason);
    }
}

#[test]
fn only_the_foreign_host_is_left() {
    let hosts = |text: &str, name: &str| {
        let trials = read_in(&foreign_world(name), text).unwrap().trials;
        assert_eq!(trials.iter().map(|trial| trial.host.as_str()).collect::<Vec<_>>(), [name]);
        trials[0].lacks.clone()
    };
    let reason = "the scenario is for igpu; the generation is of pantry";
    assert_eq!(hosts(GOOD, "pantry").as_deref(), Some(reason));
    assert_eq!(hosts(&FITS.replace("[\"pantry\"]", "[\"igpu\", \"pantry\"]"), "pantry"), None);
    // Several generations share a folder of scenarios: what is for another is not read against this one, nor any other.
    let reason = "the scenario is for cellar and attic; the generation is of pantry";
    let others = FITS.replace("[\"pantry\"]", "[\"cellar\", \"attic\"]").replace("plex", "jars");
    assert_eq!(hosts(&others, "pantry").as_deref(), Some(reason));
    // With a value for each host, only that of the generation counts.
    let each = "stack = { cellar = \"jars\", pantry = \"plex\" }";
    let both = FITS.replace("[\"pantry\"]", "[\"cellar\", \"pantry\"]").replace("stack = \"plex\"", each);
    assert_eq!(hosts(&both, "pantry"), None);
    // In the place of a host of the project, it is tried on what that host's scenarios want.
    assert_eq!(hosts(GOOD, "igpu").as_deref(), Some("`@secret` does not exist in stack `plex`"));
}

#[test]
fn mistakes_stay_mistakes() {
    for (from, to, words) in [
        ("@unit", "@unti", "`@unti` is not"),
        ("[\"pantry\"]", "[]", "this array is empty"),
        ("[\"pantry\"]", "[\"cellar\", \"cellar\"]", "`cellar` is named before"),
        ("[\"A4\"]\nhosts = [\"pantry\"]", "[\"B99\"]\nhosts = [\"cellar\"]", "there is no statement `B99`"),
        ("\"true\"", "\"{secrt}\"", "unknown placeholder `{secrt}`"),
        ("is = \"active\"", "is = \"activ\"", "`activ`"),
        (", red = true", "", "no line is marked `red`"),
    ] {
        let said = read_in(&foreign_world("pantry"), &FITS.replace(from, to)).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
}
