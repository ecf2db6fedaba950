//! The stack library refuses data that cannot work, and says what to correct.

use std::process::Command;

use super::project;

/// Changes of the host igpu, as Nix functions of it, each with the sentence that refuses it.
const REFUSED: &[(&str, &str)] = &[
    ("host: host // { mount = [ ]; }", "the host has no option mount: known are alerts, hostname, mounts, name,"),
    ("inStack { mounst = [ ]; }", "stack tdarr-igp has no option mounst: known are compose, mounts, name, secrets,"),
    ("inService { port = [ 1 ]; }", "service tdarr-node of stack tdarr-igp has no option port: known are autoupdate,"),
    (
        "inStack { secrets = [{ name = \"a.env\"; fallbck = false; }]; }",
        "the env file a.env of stack tdarr-igp has no option fallbck: known are fallback, name",
    ),
    ("inStack { name = \"plex\"; }", "the stack name plex is used twice: give each its own"),
    ("inStack { name = \"Tdarr\"; }", "stack Tdarr: a name is lower-case letters, digits and hyphens"),
    ("inStack { services = [ ]; }", "stack tdarr-igp declares no service"),
    (
        "inStack { compose = /nowhere/compose.yml; }",
        "the compose file /nowhere/compose.yml of stack tdarr-igp is not there",
    ),
    ("inStack { mounts = [ \"/mnt/../etc\" ]; }", "stack tdarr-igp: /mnt/../etc is no absolute path without `..`"),
    ("inStack { mounts = [ \"mnt/data\" ]; }", "stack tdarr-igp: mnt/data is no absolute path"),
    (
        "inStack { mounts = [ \"/mnt/tape\" ]; }",
        "stack tdarr-igp needs the mount /mnt/tape, which the host does not have",
    ),
    (
        "inStack { secrets = [{ name = \"../a.env\"; }]; }",
        "stack tdarr-igp: ../a.env cannot be the name of an env file",
    ),
    (
        "inStack { secrets = [{ name = \"a.env\"; } { name = \"a.env\"; }]; }",
        "the env file of stack tdarr-igp a.env is used twice",
    ),
    ("inService { ports = [ 7007 ]; }", "the published port 7007 is used twice: give each its own"),
    ("inService { container = \"autoheal\"; }", "the container name autoheal is used twice: give each its own"),
    ("inService { name = \"tdarr\"; }", "service tdarr of stack tdarr-igp is declared but not in /"),
    ("inService { image = \"a b\"; }", "service tdarr-node of stack tdarr-igp: a b cannot be the name of an image"),
    ("inService { network-of = \"vpn\"; }", "tdarr-igp shares the network of vpn, which the stack does not declare"),
    (
        "inService { network-of = \"tdarr-node\"; }",
        "service tdarr-node of stack tdarr-igp shares a network: publish its ports on the holder tdarr-node",
    ),
    ("inService { needs-healthy = [ \"db\" ]; }", "tdarr-igp waits for db, which has no health check"),
    (
        "host: host // { native-units = [{ unit = \"x.service\"; scope = \"usr\"; }]; }",
        "native unit x.service: its scope is user or system",
    ),
];

/// Evaluates one change and ends with what the library says of it.
const EXPRESSION: &str = r"
  { project }:
  let
    host = (import (/. + project + /nixos-tests/hosts/igpu.nix)).host;
    only = change: thing: thing // change;
    inStack = change: host: host // {
      stacks = map (stack: if stack.name == ''tdarr-igp'' then stack // change else stack) host.stacks;
    };
    inService = change: host:
      let stack = builtins.head (builtins.filter (stack: stack.name == ''tdarr-igp'') host.stacks); in
      inStack { services = map (only change) stack.services; } host;
  in
  (import (/. + project + /nixos-tests/stacks) {
    paths = import (/. + project + /nixos-tests/stacks/paths.nix);
    host = (CHANGE) host;
  }).manifest
";

#[test]
fn data_that_cannot_work_is_refused_with_advice() {
    check("inService { ports = [ 7008 ]; }", None);
    for (change, sentence) in REFUSED {
        check(change, Some(sentence));
    }
}

fn check(change: &str, refused: Option<&str>) {
    let expression = EXPRESSION.replace("CHANGE", change);
    let mut nix = Command::new("nix-instantiate");
    nix.args(["--eval", "--strict", "--json", "--expr", &expression, "--argstr", "project"]).arg(project());
    let state = tempfile::tempdir().unwrap();
    nix.env("NIX_REMOTE", "local").env("NIX_STATE_DIR", state.path()).env("NIX_STORE_DIR", state.path().join("store"));
    let output = nix.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), refused.is_none(), "{change}: {said}");
    if let Some(sentence) = refused {
        assert!(said.contains("host igpu: ") && said.contains(sentence), "{change}: {said}");
    }
}
