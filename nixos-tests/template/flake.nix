{
  description = "Checks for the container stacks of my hosts";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    # Where you have the harness from: a git URL, or a path beside this flake.
    harness.url = "git+https://example.org/harness";
    harness.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs = { self, nixpkgs, harness }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
    in
    {
      nixosConfigurations.photos = nixpkgs.lib.nixosSystem {
        inherit system;
        modules = [ harness.nixosModules.stacks ./host.nix ];
      };

      checks.${system} = harness.lib.mkStackChecks {
        inherit pkgs;
        nodes = { inherit (self.nixosConfigurations) photos; };
        scenarios = ./scenarios;
      };
    };
}
