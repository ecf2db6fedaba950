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
    partOf = strings;
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
    options = {
      text = or' null (types.nullOr types.lines);
      source = or' null (types.nullOr types.path);
      mode = or' "symlink" types.str;
    };
  };
  target = types.submodule { options = common; };
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
    systemd.targets = or' { } (types.attrsOf target);
    systemd.user.targets = or' { } (types.attrsOf target);
    systemd.tmpfiles.rules = strings;
    environment.etc = or' { } (types.attrsOf file);
    environment.systemPackages = or' [ ] (types.listOf types.package);
    users.users = or' { } (types.attrsOf user);
    boot.kernel.sysctl = settings;
    boot.kernelParams = strings;
    services.dockerRegistry.enable = or' false types.bool;
    services.dockerRegistry.enableDelete = or' false types.bool;
    system.activationScripts = settings;
    system.userActivationScripts = settings;
    # The framework of tests and qemu-vm.nix make this.
    system.build.vm = of types.package;
    system.stateVersion = or' "26.05" types.str;
    fileSystems = settings;
    boot.loader.grub.device = or' "" types.str;
    system.switch.enable = or' false types.bool;
    virtualisation = {
      podman.enable = or' false types.bool;
      podman.package = or' pkgs.podman types.package;
    };
  };
}
