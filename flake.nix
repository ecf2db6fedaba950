{
  description = "Integration tests for hosts that run rootless podman compose stacks as systemd user services";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";
    sops-nix = {
      url = "github:Mic92/sops-nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs = { self, nixpkgs, sops-nix }:
    let
      inherit (nixpkgs) lib;
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forAllSystems = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # What the program reads when it runs: scenarios, fixtures, and the stack library.
      source = lib.fileset.toSource {
        root = ./.;
        fileset = lib.fileset.unions [ ./scenarios ./fixtures ./nixos-tests ];
      };
      harness = pkgs: pkgs.callPackage ./nixos-tests/package.nix { };
      mkStackChecks = pkgs: import ./nixos-tests/checks.nix {
        harness = harness pkgs;
        testNode = self.nixosModules.test-node;
        ownScenarios = ./scenarios;
        inherit source;
      };
      hosts = [ "igpu" "doc1" ];
      node = name: import ./nixos-tests/node.nix { inherit name sops-nix; };
    in
    {
      packages = forAllSystems (pkgs: rec {
        harness = pkgs.callPackage ./nixos-tests/package.nix { };
        default = harness;
      });

      apps = forAllSystems (pkgs: rec {
        harness = {
          type = "app";
          program = lib.getExe self.packages.${pkgs.stdenv.hostPlatform.system}.harness;
          meta.description = "Run trials on hosts in virtual machines";
        };
        default = harness;
      });

      checks = forAllSystems (pkgs:
        lib.optionalAttrs pkgs.stdenv.hostPlatform.isx86_64 (mkStackChecks pkgs { inherit pkgs; nodes = lib.genAttrs hosts node; })
        // import ./nixos-tests/repository.nix { inherit pkgs source; harness = harness pkgs; root = ./.; });

      devShells = forAllSystems (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.cargo-nextest
            pkgs.clippy
            pkgs.deadnix
            pkgs.nixpkgs-fmt
            pkgs.qemu_test
            pkgs.rust-analyzer
            pkgs.rustc
            pkgs.rustfmt
            pkgs.shellcheck
          ];
        };
      });

      formatter = forAllSystems (pkgs: pkgs.nixpkgs-fmt);

      nixosModules = {
        stacks.imports = [ ./nixos-tests/modules/stacks.nix ];
        test-node.imports = [ ./nixos-tests/modules/test-node.nix ];
      };

      templates.default = {
        path = ./nixos-tests/template;
        description = "Checks for the container stacks of a NixOS host of your own";
      };

      lib.mkStackChecks = arguments: mkStackChecks arguments.pkgs arguments;
    };
}
