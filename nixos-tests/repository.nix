# Checks of the repository that need no machine: lints, unit tests, formatting, and that every scenario is TOML.
{ pkgs, harness, root, source }:
let
  inherit (pkgs) lib;
  scenarios = lib.filter (lib.hasSuffix ".toml") (lib.filesystem.listFilesRecursive (root + "/scenarios"));
  # Cargo with the package's own dependencies, in place of its build.
  cargo = name: command: harness.overrideAttrs (previous: {
    pname = "harness-${name}";
    src = root;
    nativeBuildInputs = previous.nativeBuildInputs ++ [ pkgs.clippy pkgs.rustfmt pkgs.nix pkgs.qemu_test pkgs.util-linux ];
    buildPhase = "runHook preBuild; ${command}; runHook postBuild";
    installPhase = "touch $out";
    dontFixup = true;
  });
in
{
  unit-tests = cargo "unit-tests" "cargo test --release --offline --package harness --test tidy --test cli";
  lint = cargo "lint" "cargo clippy --release --offline --workspace --all-targets -- --deny warnings";
  format = cargo "format" "cargo fmt --all --check && ${lib.getExe pkgs.nixpkgs-fmt} --check flake.nix nixos-tests";
  dead-code = pkgs.runCommand "harness-dead-code" { } ''
    ${lib.getExe pkgs.deadnix} --fail ${root}/flake.nix ${root}/nixos-tests
    touch $out
  '';
  scenarios = pkgs.runCommand "harness-scenarios" { } ''
    HARNESS_PROJECT=${source} ${lib.getExe harness} lint
    touch $out
  '';
  # Nix itself reads every scenario: a file that is no TOML is named when the flake is evaluated.
  scenarios-are-toml = pkgs.writeText "harness-scenarios-are-toml" (builtins.toJSON (map lib.importTOML scenarios));
}
