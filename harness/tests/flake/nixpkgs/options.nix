# The options of NixOS that the modules set, with the names and types that nixpkgs declares them with.
{ lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  of = type: mkOption { inherit type; };
  or' = default: type: mkOption { inherit type default; };
  strings = or' [ ] (types.listOf types.str);
  settings = or' { } (types.attrsOf types.anything);
  unit = types.submodule {
    options = { text = or' null (types.nullOr types.str); wantedBy = strings; };
  };
  common = {
    description = or' "" types.str;
    wantedBy = strings;
    wants = strings;
    before = strings;
    after = strings;
    bindsTo = strings;
    unitConfig = settings;
  };
  service = types.submodule {
    options = common // {
      path = or' [ ] (types.listOf (types.oneOf [ types.package types.str ]));
      environment = settings;
      script = or' "" types.lines;
      restartIfChanged = or' true types.bool;
      serviceConfig = settings;
    };
  };
  socket = types.submodule {
    options = common // { listenStreams = strings; socketConfig = settings; };
  };
  range = types.submodule {
    options = {
      startUid = or' null (types.nullOr types.int);
      startGid = or' null (types.nullOr types.int);
      count = or' 1 types.int;
    };
  };
  user = types.submodule {
    options = {
      isNormalUser = or' false types.bool;
      uid = or' null (types.nullOr types.int);
      group = or' "" types.str;
      home = or' "/var/empty" types.path;
      linger = or' null (types.nullOr types.bool);
      subUidRanges = or' [ ] (types.listOf range);
      subGidRanges = or' [ ] (types.listOf range);
    };
  };
  file = types.submodule {
    options = { text = or' null (types.nullOr types.lines); source = or' null (types.nullOr types.path); };
  };
  mount = types.submodule {
    options = { device = of types.str; fsType = or' "auto" types.str; options = or' [ "defaults" ] (types.listOf types.str); };
  };
in
{
  options = {
    networking.hostName = or' "nixos" types.str;
    systemd.package = or' pkgs.systemd types.package;
    systemd.units = or' { } (types.attrsOf unit);
    systemd.user.units = or' { } (types.attrsOf unit);
    systemd.user.settings.Manager = settings;
    systemd.settings.Manager = settings;
    systemd.services = or' { } (types.attrsOf service);
    systemd.sockets = or' { } (types.attrsOf socket);
    environment.etc = or' { } (types.attrsOf file);
    environment.systemPackages = or' [ ] (types.listOf types.package);
    users.users = or' { } (types.attrsOf user);
    boot.kernel.sysctl = settings;
    boot.kernelParams = strings;
    services.dockerRegistry.enable = or' false types.bool;
    services.dockerRegistry.enableDelete = or' false types.bool;
    system.activationScripts = settings;
    system.userActivationScripts = settings;
    system.build.vm = of types.package;
    virtualisation = {
      podman.enable = or' false types.bool;
      podman.package = or' pkgs.podman types.package;
      useNixStoreImage = or' false types.bool;
      sharedDirectories = settings;
      vlans = or' [ 1 ] (types.listOf types.ints.unsigned);
      interfaces = settings;
      memorySize = or' 1024 types.ints.positive;
      diskSize = or' 1024 types.ints.positive;
      fileSystems = or' { } (types.attrsOf mount);
    };
  };
}
