# Renders the generation of one host, or of one of its variants:
#   nix-instantiate --eval --strict --json nixos-tests/render.nix --argstr host igpu [--argstr variant NAME]
{ host, variant ? "base", paths ? import ./stacks/paths.nix }:
let
  profile = ./hosts + "/${host}.nix";
  data =
    if builtins.pathExists profile then import profile
    else throw "there is no host ${host}: ${toString profile} does not exist";
  variants = { base = unchanged: unchanged; } // data.variants;
  change = variants.${variant} or
    (throw "host ${host} has no variant ${variant}: it has ${builtins.concatStringsSep ", " (builtins.attrNames variants)}");
in
import ./stacks { inherit paths; host = change data.host; }
