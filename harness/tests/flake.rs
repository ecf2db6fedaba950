//! The flake, evaluated offline against small stand-ins for nixpkgs and sops-nix (see `flake/`): that it is wired as it
//! should be, not that it can be built.
#![allow(clippy::unwrap_used, reason = "a test may panic, and Clippy knows only functions marked as tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::image::test_image::{self, Place};
use serde_json::{Value, json};

/// The flake as a checkout has it, in a folder of its own, and a Nix without a network.
struct Flake {
    folder: tempfile::TempDir,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Flake {
    fn new() -> Flake {
        let folder = tempfile::tempdir().unwrap();
        for part in ["flake.nix", "flake.lock", "Cargo.toml", "Cargo.lock", "clippy.toml", "rustfmt.toml"] {
            copy(&root().join(part), &folder.path().join("flake").join(part));
        }
        for part in ["harness", "nixos-tests", "fixtures", "scenarios"] {
            copy(&root().join(part), &folder.path().join("flake").join(part));
        }
        Flake { folder }
    }

    /// Runs `nix COMMAND FLAKE#FRAGMENT ARGUMENTS`; an error is what it said.
    fn nix(&self, command: &[&str], fragment: &str, arguments: &[&str]) -> Result<String, String> {
        let place = self.folder.path();
        let stand_in = |name: &str| format!("path:{}", root().join("harness/tests/flake").join(name).display());
        let output = nix_in("nix", place)
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(command)
            .arg(format!("path:{}{fragment}", place.join("flake").display()))
            .args(["--offline", "--no-write-lock-file"])
            .args(["--override-input", "nixpkgs", &stand_in("nixpkgs")])
            .args(["--override-input", "sops-nix", &stand_in("sops-nix")])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(said) }
    }

    /// What a function gives for a value of the flake.
    fn eval(&self, fragment: &str, function: &str) -> Value {
        let text = self.nix(&["eval", "--json"], fragment, &["--apply", function]);
        serde_json::from_str(&text.unwrap_or_else(|said| panic!("{fragment}: {said}"))).unwrap()
    }
}

/// One of Nix' programs, with a store and a state in a folder: those of the system may be another user's.
fn nix_in(program: &str, place: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(place)
        .env("NIX_REMOTE", "local")
        .env("NIX_STORE_DIR", place.join("store"))
        .env("NIX_STATE_DIR", place.join("state"))
        .env("NIX_LOG_DIR", place.join("log"))
        .env("NIX_CONF_DIR", place)
        .env("HOME", place);
    command
}

/// Copies a file or folder.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// The manifest of igpu as the Debian guest has it.
fn manifest() -> Value {
    let text = fs::read_to_string(root().join("fixtures/rendered/igpu/manifest.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_flake_has_the_outputs_that_its_users_expect() {
    let flake = Flake::new();
    flake.nix(&["flake", "check", "--no-build"], "", &[]).unwrap_or_else(|said| panic!("{said}"));
    let shown: Value = serde_json::from_str(&flake.nix(&["flake", "show", "--json"], "", &[]).unwrap()).unwrap();
    for system in ["x86_64-linux", "aarch64-linux"] {
        let names = |output: &str| keys(&shown[output][system]);
        assert_eq!(names("packages"), BTreeSet::from(["default", "harness"]));
        assert_eq!(names("apps"), BTreeSet::from(["default", "harness"]));
        assert_eq!(names("devShells"), BTreeSet::from(["default"]));
        let hosts = ["igpu", "doc1"].map(|host| ["functional", "failure", "regression"].map(|s| format!("{host}-{s}")));
        let own = ["unit-tests", "lint", "format", "dead-code", "scenarios", "scenarios-are-toml"];
        // Trials need the trace of started programs, which knows one kind of processor.
        let trials = hosts.iter().flatten().map(String::as_str).filter(|_| system == "x86_64-linux");
        assert_eq!(names("checks"), trials.chain(own).collect());
        assert_eq!(shown["formatter"][system]["name"], "nixpkgs-fmt");
    }
    assert_eq!(keys(&shown["nixosModules"]), BTreeSet::from(["stacks", "test-node"]));
    assert_eq!(keys(&shown["templates"]), BTreeSet::from(["default"]));
}

#[test]
fn a_node_has_what_its_generation_names() {
    let flake = Flake::new();
    let manifest = manifest();
    let of_node = |function: &str| flake.eval("#checks.x86_64-linux.igpu-failure.node", function);

    let names =
        "node: { user = builtins.attrNames node.systemd.user.units; system = builtins.attrNames node.systemd.units; }";
    let units = of_node(names);
    for scope in ["user", "system"] {
        let all = manifest["units"].as_array().unwrap().iter().filter(|unit| unit["scope"] == scope);
        let expected: BTreeSet<_> = all.map(|unit| unit["unit"].as_str().unwrap()).collect();
        let found: BTreeSet<_> = units[scope].as_array().unwrap().iter().map(|unit| unit.as_str().unwrap()).collect();
        assert_eq!(found, expected, "{scope}");
    }
    let wanted = of_node("node: node.systemd.user.units.\"plex-stack.service\".wantedBy");
    assert_eq!(wanted, json!(["default.target"]));
    // What a switch of the system must leave alone, and what the host has beside its own file systems.
    let text = of_node("node: node.systemd.user.units.\"plex-stack.service\".text");
    assert!(text.as_str().unwrap().ends_with("[Unit]\nX-StopOnRemoval=false\n\n[Service]\nX-RestartIfChanged=false\n"));
    let mounts = of_node("node: builtins.attrNames node.virtualisation.fileSystems");
    let texts = |list: &Value| list.as_array().unwrap().iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let mut expected = texts(&manifest["mounts"]);
    expected.insert("\"/home/abl030/.local/share/containers\"".to_owned());
    assert_eq!(texts(&mounts), expected);
    // The harness starts the activation itself: it must not be started before.
    let started = of_node("node: node.systemd.units.\"stacks-user-manager.service\".wantedBy");
    assert_eq!(started, json!([]));

    // A file that is named without being brought along would be missing in the machine.
    let sources = of_node(
        "node: builtins.mapAttrs (_: file: file.source == null || builtins.hasContext \"${file.source}\") node.environment.etc",
    );
    let expected = manifest["files"].as_array().unwrap().iter().map(|file| file["target"].as_str().unwrap());
    let below = |prefix: &'static str| expected.clone().filter_map(move |target| target.strip_prefix(prefix));
    for name in below("/etc/stacks/").map(|name| format!("stacks/{name}")) {
        assert_eq!(sources[&name], true, "{name}");
    }
    for name in below("/usr/local/lib/stacks/").map(|name| format!("stacks-scripts/{name}")) {
        assert_eq!(sources[&name], true, "{name}");
    }

    let secrets = of_node("node: builtins.attrNames node.sops.secrets");
    let stacks = manifest["stacks"].as_array().unwrap().iter();
    let native: BTreeSet<_> = stacks
        .flat_map(|stack| stack["secrets"].as_array().unwrap())
        .map(|secret| secret["native"].as_str().unwrap().trim_start_matches("/run/secrets/"))
        .collect();
    let found: BTreeSet<_> = secrets.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(found, native);

    let real = "node: [ node.systemd.settings.Manager node.systemd.user.settings.Manager node.virtualisation.vlans \
                node.virtualisation.sharedDirectories node.virtualisation.useNixStoreImage \
                node.boot.kernel.sysctl.\"vm.panic_on_oom\" ]";
    let timeouts = json!({ "DefaultTimeoutStartSec": "90s", "DefaultDeviceTimeoutSec": "90s" });
    assert_eq!(of_node(real), json!([timeouts, timeouts, [], {}, true, 0]));
}

#[test]
fn images_of_a_node_have_the_programs_of_those_of_other_guests() {
    // Each is a list of texts behind its name, up to the first semicolon.
    let list = |path: &str, name: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let (_, list) = text.split_once(name).unwrap();
        let (list, _) = list.split_once(';').unwrap();
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let node = list("nixos-tests/images.nix", "healthPrograms = ");
    assert_eq!(node, list("harness/src/image/test_image/layer.rs", "HEALTH_PROGRAMS: &[&str] ="));
    assert!(node.iter().any(|program| program == "curl"));
}

#[test]
fn images_of_a_node_have_the_names_and_places_of_those_of_other_guests() {
    let names =
        ["127.0.0.1:5000/photos/web:latest", "ghcr.io/immich-app/server:v1.2", "redis", "library/redis:7-alpine"];
    let names = [&names[..], &["registry.example:5000/a/b/c", "localhost/a:B", "docker.io/redis", "a.b-c_d"]].concat();
    let place = tempfile::tempdir().unwrap();
    let evaluate = |names: &[&str]| {
        let flake = root().join("harness/tests/flake/nixpkgs");
        let expression = format!(
            "let lib = import {flake}/lib.nix; pkgs = import {flake}/packages.nix \"x86_64-linux\"; made = import {} {{ \
             inherit lib pkgs; names = builtins.fromJSON ''{}''; }}; in {{ inherit (made) images registries; }}",
            root().join("nixos-tests/images.nix").display(),
            json!(names),
            flake = flake.display(),
        );
        let output = nix_in("nix-instantiate", place.path())
            .args(["--eval", "--strict", "--json", "--expr", &expression])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(serde_json::from_slice::<Value>(&output.stdout).unwrap()) } else { Err(said) }
    };
    let made = evaluate(&names).unwrap();
    for (name, image) in names.iter().zip(made["images"].as_array().unwrap()) {
        assert_eq!(image["whole"], *test_image::whole_name(name).unwrap(), "{name}");
        let Place { repository, tag } = test_image::place(name).unwrap();
        let address = repository.replace("http://127.0.0.1:5000/v2/", "127.0.0.1:5000/");
        assert_eq!(image["place"], format!("{address}:{tag}"), "{name}");
        if let Some((host, location)) = test_image::stand_in(name).unwrap() {
            let registry = format!("prefix = \"{host}\"\nlocation = \"{location}\"\ninsecure = true\n");
            assert!(made["registries"].as_str().unwrap().contains(&registry), "{name}: {}", made["registries"]);
        }
    }
    let said = evaluate(&["redis@sha256:00"]).unwrap_err();
    assert!(said.contains("no stand-in can be made for redis@sha256:00"), "{said}");
}

#[test]
fn every_variant_is_a_specialisation() {
    let flake = Flake::new();
    let specialisations =
        flake.eval("#checks.x86_64-linux.igpu-failure.node", "node: builtins.attrNames node.specialisation");
    assert_eq!(specialisations, json!(keys(&manifest()["variants"])));
}

#[test]
fn a_configuration_as_the_template_has_it_becomes_a_node() {
    let flake = Flake::new();
    let nix = root().join("nixos-tests");
    let function = format!(
        "make: let pkgs = import {}/packages.nix \"x86_64-linux\"; in (make {{ inherit pkgs; nodes.photos = pkgs.nixos {{ \
         imports = [ {}/modules/stacks.nix {}/template/host.nix ]; }}; }}).photos-failure.node",
        root().join("harness/tests/flake/nixpkgs").display(),
        nix.display(),
        nix.display(),
    );
    let of_node = |field: &str| {
        let function = format!("make: (({function}) make).{field}");
        let said = flake.nix(&["eval", "--impure", "--json"], "#lib.mkStackChecks", &["--apply", &function]);
        serde_json::from_str::<Value>(&said.unwrap_or_else(|said| panic!("{field}: {said}"))).unwrap()
    };
    assert_eq!(of_node("virtualisation.vlans"), json!([]), "what a test has, a configuration gets");
    assert_eq!(of_node("system.switch.enable"), true, "it can be switched to itself");
    let mounts = of_node("virtualisation.fileSystems");
    assert_eq!(mounts["/mnt/docker"]["device"], "/srv/mnt/docker", "where its services are made to misbehave");
    assert!(mounts["/home/alice/.local/share/containers"]["autoFormat"] == true, "{mounts}");
}

#[test]
fn a_host_activates_its_stacks_when_whoever_lingers_is_there() {
    let flake = Flake::new();
    let packages = root().join("harness/tests/flake/nixpkgs/packages.nix");
    let nix = root().join("nixos-tests");
    let function = format!(
        "_: (((import {} \"x86_64-linux\").nixos {{ imports = [ {}/modules/stacks.nix {}/template/host.nix ]; }}).config\
         .systemd.units).\"stacks-user-manager.service\"",
        packages.display(),
        nix.display(),
        nix.display(),
    );
    let said = flake.nix(&["eval", "--impure", "--json"], "#lib.mkStackChecks", &["--apply", &function]);
    let unit: Value = serde_json::from_str(&said.unwrap()).unwrap();
    assert_eq!(unit["wantedBy"], json!(["multi-user.target"]));
    assert!(unit["text"].as_str().unwrap().ends_with("\n[Unit]\nAfter=systemd-logind.service linger-users.service\n"));
}

#[test]
fn what_is_no_node_is_refused_with_advice() {
    let flake = Flake::new();
    let packages = root().join("harness/tests/flake/nixpkgs/packages.nix");
    let check = |arguments: &str, expected: &str| {
        let function = format!(
            "make: (make {{ pkgs = import {} \"x86_64-linux\"; {arguments} }}).web-failure.drvPath",
            packages.display()
        );
        let said = flake.nix(&["eval", "--impure"], "#lib.mkStackChecks", &["--apply", &function]).unwrap_err();
        assert!(said.contains(expected), "{arguments}: {said}");
    };
    check("nodes.web = 3;", "node web is int: give it a NixOS configuration");
    check("nodes.web = { type = \"derivation\"; };", "node web is a package: give it the nixosConfiguration");
    check("nodes.web = { nixosConfigurations = { }; };", "node web is a flake: give it one of its");
    check(
        "nodes.web = { extendModules = _: { config.services = { }; }; };",
        "node web has no container stacks: add nixosModules.stacks",
    );
    // The stand-in knows the options of NixOS, so that a misspelt one does not go unnoticed.
    let stacks = root().join("nixos-tests/modules/stacks.nix");
    let misspelt =
        format!("nodes.web = {{ imports = [ {} ]; services.container-stacks.enabled = true; }};", stacks.display());
    check(&misspelt, "container-stacks.enabled does not exist");
    check("shards = 0; nodes.web = { };", "shards must be a whole number of 1 or more");
}

#[test]
fn every_nix_file_parses() {
    let mut files = vec![root().join("flake.nix")];
    for folder in ["nixos-tests", "harness/tests/flake"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 15, "{files:?}");
    let place = tempfile::tempdir().unwrap();
    for file in files {
        let output = nix_in("nix-instantiate", place.path()).arg("--parse").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "nix") {
            files.push(path);
        }
    }
}
