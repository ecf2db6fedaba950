# The harness itself. Its tests need the repository and host tools, and its trials a machine: the checks run them.
{ lib, makeWrapper, nix, qemu, rustPlatform, util-linux }:
let
  root = ../.;
  manifest = lib.importTOML (root + "/Cargo.toml");
in
rustPlatform.buildRustPackage {
  pname = "harness";
  inherit (manifest.workspace.package) version;
  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.unions [ ../Cargo.toml ../Cargo.lock ../clippy.toml ../rustfmt.toml ../harness ../fixtures ];
  };
  cargoLock.lockFile = ../Cargo.lock;
  doCheck = false;
  nativeBuildInputs = [ makeWrapper ];
  # What it calls on the host to run NixOS nodes: `qemu-img` and `setpriv`, and Nix to render generations.
  postInstall = "wrapProgram $out/bin/harness --suffix PATH : ${lib.makeBinPath [ nix qemu util-linux ]}";
  meta = {
    description = manifest.workspace.package.description or "Integration tests for hosts of rootless podman compose stacks";
    license = lib.licenses.mit;
    mainProgram = "harness";
    platforms = [ "x86_64-linux" "aarch64-linux" ];
  };
}
