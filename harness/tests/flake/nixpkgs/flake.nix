# A small stand-in for nixpkgs, so that the flake's wiring can be evaluated where the real one cannot be had. It has what
# the flake uses and no more: a name that it lacks is an error. Nothing that it gives can be built.
{
  outputs = _: {
    lib = import ./lib.nix;
    legacyPackages = builtins.listToAttrs (map
      (system: { name = system; value = import ./packages.nix system; })
      [ "x86_64-linux" "aarch64-linux" ]);
  };
}
