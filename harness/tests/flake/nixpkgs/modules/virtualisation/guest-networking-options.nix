# What only machines of a test have, as of nixpkgs 26.05: the options of networks between them.
{ lib, ... }:
let inherit (lib) mkOption types; in
{
  options.virtualisation = {
    vlans = mkOption { type = types.listOf types.ints.unsigned; default = [ 1 ]; };
    interfaces = mkOption { type = types.attrsOf types.anything; default = { }; };
  };
}
