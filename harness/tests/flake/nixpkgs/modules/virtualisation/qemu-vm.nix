# What makes a virtual machine of a configuration: the options that the modules set, and the program that starts it.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  or' = default: type: mkOption { inherit type default; };
  mount = types.submodule {
    options = {
      device = mkOption { type = types.str; };
      fsType = or' "auto" types.str;
      options = or' [ "defaults" ] (types.listOf types.str);
      autoFormat = or' false types.bool;
    };
  };
in
{
  options.virtualisation = {
    useNixStoreImage = or' false types.bool;
    sharedDirectories = or' { } (types.attrsOf types.anything);
    memorySize = or' 1024 types.ints.positive;
    diskSize = or' 1024 types.ints.positive;
    emptyDiskImages = or' [ ] (types.listOf types.ints.positive);
    fileSystems = or' { } (types.attrsOf mount);
  };
  config.system.build.vm = derivation
    {
      name = "nixos-vm";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "exit 1" ];
      units = builtins.toJSON config.systemd.user.units;
    } // { meta.mainProgram = "run-${config.networking.hostName}-vm"; };
}
