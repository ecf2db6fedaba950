//! What is proven, and reasons that are missing or not needed.

use super::*;

const HEAD: &str = "title = \"t\"\nstack = \"plex\"\nbroken-by = \"no-alert\"\nhosts = [\"igpu\"]\n\
                    [[step]]\nthen = [ { unit = \"@unit\", is = \"active\", red = true } ]\n";

fn scenarios(world: &World) -> Vec<Scenario> {
    let scenario = |name: &str, proves: &str| {
        let text = format!("proves = {proves}\n{HEAD}");
        read(source(&format!("scenarios/failure/{name}.toml"), &text), Section::Failure, name, world).unwrap()
    };
    vec![scenario("one", r#"["A1", "B21"]"#), scenario("two", r#"["B21"]"#)]
}

/// A world of three statements, with igpu and a host that no scenario is for.
fn small_world() -> World {
    let mut world = world();
    world.statements = ["A1", "A10", "A2", "B21"].map(str::to_owned).into();
    let doc1 = HostFacts { name: "doc1".to_owned(), ..world.hosts["igpu"].clone() };
    world.hosts.insert("doc1".to_owned(), doc1);
    world
}

const REASONS: &str = "[igpu]\nA2 = \"Later.\"\nA10 = \"Later.\"\n\
                       [doc1]\nA1 = \"No.\"\nA2 = \"No.\"\nA10 = \"No.\"\nB21 = \"No.\"\n";

#[test]
fn every_statement_has_a_standing_on_every_host() {
    let world = small_world();
    let coverage = coverage(&scenarios(&world), Some(&source("unproven.toml", REASONS)), &world).unwrap();
    assert_eq!(coverage.hosts, ["doc1", "igpu"]);
    let proven = |names: &[&str]| Standing::Proven(names.iter().map(|name| format!("failure/{name}")).collect());
    let unproven = |reason: &str| Standing::Unproven(reason.to_owned());
    let expected = [
        ("A1", proven(&["one"])),
        ("A2", unproven("Later.")),
        ("A10", unproven("Later.")),
        ("B21", proven(&["one", "two"])),
    ];
    let expected = expected.map(|(statement, igpu)| (statement.to_owned(), vec![unproven("No."), igpu]));
    assert_eq!(coverage.statements, expected);
}

#[test]
fn reasons_are_complete_and_needed() {
    let check = |from: &str, to: &str, expected: &[(&str, &str)]| {
        let world = small_world();
        assert!(REASONS.contains(from), "{from}");
        let text = REASONS.replacen(from, to, 1);
        let mistakes = coverage(&scenarios(&world), Some(&source("unproven.toml", &text)), &world).unwrap_err();
        let found = mistakes.iter().map(|mistake| (&text[mistake.span.clone()], &*mistake.message));
        let found: Vec<_> = found.collect();
        let holds = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, expected)| found.0 == expected.0 && found.1.contains(expected.1));
        assert!(holds, "{text}\nexpected {expected:#?}\nfound {found:#?}");
        assert!(mistakes.iter().all(|mistake| mistake.advice.is_some()), "{mistakes:#?}");
    };
    check("A2 = \"Later.\"\nA10 = \"Later.\"\n", "", &[("igpu", "no scenario proves A2, A10 on igpu")]);
    check("[igpu]", "[igpu]\nB21 = \"Later.\"", &[("B21", "B21 is proven on igpu by failure/one, failure/two")]);
    check("[igpu]", "[igpu]\nA3 = \"Later.\"", &[("A3", "there is no statement `A3`")]);
    check("[igpu]", "[igpo]", &[("", "no scenario proves A2, A10 on igpu"), ("igpo", "there is no host `igpo`")]);
    check("A2 = \"Later.\"", "A2 = \" \"", &[("A2", "no reason why A2 is not proven on igpu")]);
    check("A2 = \"Later.\"", "A2 = 3", &[("3", "cannot read the reasons")]);
    check("A2 = \"Later.\"", "A2 = \"Later.\"\nA2 = \"Later.\"", &[("A2", "duplicate key")]);
}

#[test]
fn a_generation_of_somebody_else_needs_no_reasons() {
    let mut world = small_world();
    world.hosts.remove("doc1");
    world.foreign = Some("igpu".to_owned());
    let unproven = |reasons: Option<&str>| {
        let source = reasons.map(|text| source("unproven.toml", text));
        let coverage = coverage(&scenarios(&world), source.as_ref(), &world);
        coverage.map(|coverage| {
            let reasons = coverage.statements.into_iter().filter_map(|(_, standings)| match &standings[..] {
                [Standing::Unproven(reason)] => Some(reason.clone()),
                _ => None,
            });
            reasons.collect::<Vec<_>>()
        })
    };
    assert_eq!(unproven(None).unwrap(), ["no scenario does so", "no scenario does so"]);
    // Those that are written are shown. What is proven, and other hosts, may be those of another generation.
    assert_eq!(unproven(Some(REASONS)).unwrap(), ["Later.", "Later."]);
    let some = "[igpu]\nA2 = \"Later.\"\nA1 = \"Proven.\"\n[attic]\nA1 = \"No.\"\n";
    assert_eq!(unproven(Some(some)).unwrap(), ["Later.", "no scenario does so"]);
    assert!(unproven(Some("[igpu")).is_err());
}
