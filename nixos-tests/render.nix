# Renders the generation of one host and all its variants:
#   nix-instantiate --eval --strict --json nixos-tests/render.nix --argstr host igpu
#
# `base` is the host itself, `variants` maps each variant's name to the whole of its generation. The base's manifest
# says in which folder, relative to its own, each variant is written.
{ host, paths ? import ./stacks/paths.nix }:
let
  inherit (builtins) mapAttrs pathExists toString;
  profile = ./hosts + "/${host}.nix";
  data =
    if pathExists profile then import profile
    else throw "there is no host ${host}: ${toString profile} does not exist";
  generation = change: import ./stacks { inherit paths; host = change data.host; };
  base = generation (unchanged: unchanged);
  folders = mapAttrs (name: _: "variants/${name}") data.variants;
in
{
  base = base // { manifest = base.manifest // { variants = folders; }; };
  variants = mapAttrs (_: generation) data.variants;
}
