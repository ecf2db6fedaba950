# The packages and builders that the flake uses. A package is its name; a builder gives a derivation of its arguments.
system:
let
  lib = import ./lib.nix;
  made = name: arguments: extra: derivation
    ({ inherit name system; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; } // arguments) // extra;
  package = name: made name { } { meta.mainProgram = name; pname = name; };
  names = [
    "cargo"
    "cargo-nextest"
    "clippy"
    "coreutils"
    "curl"
    "deadnix"
    "docker-compose"
    "iproute2"
    "jq"
    "makeWrapper"
    "nix"
    "nixpkgs-fmt"
    "podman"
    "qemu"
    "qemu_test"
    "rust-analyzer"
    "rustc"
    "rustfmt"
    "shellcheck"
    "skopeo"
    "systemd"
    "util-linux"
  ];
  text = name: text: made name { inherit text; passAsFile = [ "text" ]; } { };
  modulesPath = ./modules;
  specialArgs = { inherit pkgs; modulesPath = toString modulesPath; };

  # The framework's test, as far as nodes go. A specialisation is the node once more, with changes of its own.
  runNixOSTest = test: {
    nodes = lib.mapAttrs
      (name: node:
        let
          evaluate = changes: (lib.evalModules {
            modules = [ ./options.nix specialisations node (machine name) ] ++ virtual ++ changes;
            inherit specialArgs;
          }).config;
          specialisations.options.specialisation = lib.mkOption {
            type = lib.types.attrsOf (lib.types.submodule {
              options.configuration = lib.mkOption { type = lib.types.anything; };
            });
            default = { };
            apply = lib.mapAttrs (_: one: {
              configuration = evaluate [ one.configuration { specialisation = lib.mkForce { }; } ];
            });
          };
        in
        evaluate [ ])
      test.nodes;
  };
  machine = name: { config.networking.hostName = lib.mkDefault name; };
  without-specialisations.options.specialisation =
    lib.mkOption { type = lib.types.attrsOf lib.types.anything; default = { }; };
  virtual = map (name: modulesPath + "/virtualisation/${name}.nix") [ "qemu-vm" "guest-networking-options" ];

  overridable = arguments:
    let
      built = made arguments.pname
        (removeAttrs arguments [ "meta" "cargoLock" ] // { lock = builtins.hashFile "sha256" arguments.cargoLock.lockFile; })
        { inherit (arguments) meta pname; };
    in
    built // { overrideAttrs = change: overridable (arguments // change arguments); };

  pkgs = lib.genAttrs names package // {
    inherit lib system;
    stdenv.hostPlatform = { inherit system; isx86_64 = system == "x86_64-linux"; };
    pkgsStatic.busybox = package "busybox";
    runCommand = name: arguments: script:
      made name (removeAttrs arguments [ "passthru" ] // { inherit script; }) (arguments.passthru or { });
    writeText = text;
    writeScript = text;
    writeShellScript = text;
    linkFarm = name: links: made name { links = builtins.toJSON links; } { };
    dockerTools.buildImage = image: made "image.tar" { image = builtins.toJSON image; } { };
    mkShell = shell: made "shell" shell { };
    rustPlatform.buildRustPackage = overridable;
    testers = { inherit runNixOSTest; };
    # A whole configuration, which need not be a virtual machine's.
    nixos = module: lib.evalModules { modules = [ ./options.nix module without-specialisations ]; inherit specialArgs; };
    callPackage = file: given:
      let make = import file; in
      make (builtins.intersectAttrs (builtins.functionArgs make) pkgs // given);
  };
in
pkgs
