# Rootless podman compose stacks on NixOS: the options of the stack library, and its files put where NixOS wants them.
# What a stack is, and what is refused, is decided in ../stacks alone.
{ config, lib, pkgs, ... }:
let
  cfg = config.services.container-stacks;
  inherit (lib) mkEnableOption mkIf mkOption types;

  paths = import ../stacks/paths.nix // { scripts = "/etc/stacks-scripts"; };
  rendered = import ../stacks { inherit paths; inherit (cfg) host; };
  inherit (rendered) manifest;
  inherit (manifest) user;

  # The library names targets as every system has them; NixOS makes them itself, from units and from /etc.
  isUnit = file: lib.hasPrefix "units/" file.source;
  wanters = directory: unit: map (link: lib.removeSuffix ".wants" (baseNameOf (dirOf link.path)))
    (lib.filter (link: dirOf (dirOf link.path) == directory && baseNameOf link.path == unit) manifest.links);
  # Podman's package has units of these names, too, and NixOS makes ours additions to those: take back what is there.
  resets = {
    "podman-auto-update.service" = "[Service]\nExecStart=\nExecStartPost=\n\n";
    "podman-auto-update.timer" = "[Timer]\nOnCalendar=\nRandomizedDelaySec=0\n\n";
  };
  # A switch of the system must not stop, start or restart what the stacks' own activation decides about: that one asks
  # first whether the new configuration would be accepted.
  left-alone = scope: unit: lib.optionalString (scope == "user" && lib.hasSuffix ".service" unit)
    "\n[Unit]\nX-StopOnRemoval=false\n\n[Service]\nX-RestartIfChanged=false\n";
  # At a boot nothing asks for the user's manager but the login manager, for who lingers: it has done so when this runs.
  after-linger = scope: unit: lib.optionalString (is-system-activation scope unit)
    "\n[Unit]\nAfter=systemd-logind.service linger-users.service\n";
  is-system-activation = scope: unit: scope == "system" && lib.elem unit (activation scope);
  activation = scope: map (unit: unit.unit) (lib.filter (unit: unit.scope == scope) manifest.activation);
  units = scope: directory: lib.listToAttrs (map
    ({ unit, ... }: lib.nameValuePair unit {
      text = (resets.${unit} or "") + rendered.files."units/${scope}/${unit}" + left-alone scope unit
        + after-linger scope unit;
      # It is wanted anew, and so run, by every switch.
      wantedBy = wanters directory unit ++ lib.optional (cfg.activateOnSwitch && is-system-activation scope unit) "multi-user.target";
    })
    (lib.filter (unit: unit.scope == scope) manifest.units));

  text = file: if file.mode == "0755" then pkgs.writeScript else pkgs.writeText;
  # What the library copies it names by its place only, which does not bring the file along.
  copied = path: if builtins.hasContext path then path else builtins.path { inherit path; name = baseNameOf path; };
  source = file:
    if rendered.copies ? ${file.source} then copied rendered.copies.${file.source}
    else text file (lib.strings.sanitizeDerivationName (baseNameOf file.target)) rendered.files.${file.source};
  etc = lib.listToAttrs (map
    (file: lib.nameValuePair (lib.removePrefix "/etc/" file.target) { source = source file; })
    (lib.filter (file: !isUnit file) manifest.files));

  # The generation as the harness reads it: what is installed, and as variants what specialisations install instead.
  variants = lib.filterAttrs (_: one: one.configuration.services.container-stacks.enable) config.specialisation;
  described = manifest // { variants = lib.mapAttrs (name: _: "variants/${name}") variants; };
  links = pkgs.linkFarm "stacks-links-${cfg.host.name}" (
    [{ name = "manifest.json"; path = pkgs.writeText "manifest.json" (builtins.toJSON described); }]
    ++ map (file: { name = file.source; path = source file; }) manifest.files
    ++ lib.mapAttrsToList
      (name: one: { name = "variants/${name}"; path = one.configuration.services.container-stacks.generation; })
      variants
  );
  # It has no links out of itself.
  generation = pkgs.runCommand "stacks-generation-${cfg.host.name}" { } "cp --recursive --dereference ${links} $out";

  service = {
    options = {
      name = mkOption {
        type = types.str;
        description = "Name of the service in the compose file.";
        example = "web";
      };
      container = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The `container_name` of the compose file; null if compose names the container.";
      };
      health-check = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the compose file gives the service a health check.";
      };
      network-of = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The service whose network this one shares (`network_mode: service:…`).";
        example = "vpn";
      };
      autoupdate = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the compose file labels the service `io.containers.autoupdate=registry`.";
      };
      ports = mkOption {
        type = types.listOf types.port;
        default = [ ];
        description = "The ports that the compose file publishes on the host.";
        example = [ 8080 ];
      };
      needs-healthy = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The services for whose health this one waits (`depends_on` with `service_healthy`).";
        example = [ "database" ];
      };
      image = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The service's image; null for the stack's own in the local registry.";
        example = "127.0.0.1:5000/photos/web:latest";
      };
    };
  };

  secret = {
    options = {
      name = mkOption {
        type = types.str;
        description = "Name of the env file.";
        example = "photos.env";
      };
      fallback = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the file of that name in `$XDG_RUNTIME_DIR/secrets` does if the secret is missing.";
      };
    };
  };

  stack = {
    options = {
      name = mkOption {
        type = types.str;
        description = "Name of the stack: its compose project, and `NAME-stack.service`.";
        example = "photos";
      };
      compose = mkOption {
        type = types.path;
        description = "The compose file. It is installed as it is.";
        example = lib.literalExpression "./photos/docker-compose.yml";
      };
      services = mkOption {
        type = types.listOf (types.submodule service);
        description = "The services of the compose file: those that are left out here are refused at the start.";
      };
      secrets = mkOption {
        type = types.listOf (types.submodule secret);
        default = [ ];
        description = "The stack's env files, in the order in which compose reads them.";
      };
      mounts = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The mount points without which the stack must not start.";
        example = [ "/mnt/data" ];
      };
      stale-threshold = mkOption {
        type = types.ints.unsigned;
        default = 90;
        description = "Seconds for which a container may be unhealthy or starting before a start removes it.";
      };
    };
  };

  native = {
    options = {
      unit = mkOption {
        type = types.str;
        description = "Name of the unit.";
        example = "probe.service";
      };
      scope = mkOption {
        type = types.enum [ "user" "system" ];
        default = "user";
        description = "The manager that has the unit.";
      };
      container = mkOption {
        type = types.str;
        description = "Name of the container.";
      };
      image = mkOption {
        type = types.str;
        description = "The image that it runs.";
      };
    };
  };

  host = {
    options = {
      name = mkOption {
        type = types.str;
        default = config.networking.hostName;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "The name by which scenarios choose this host.";
      };
      hostname = mkOption {
        type = types.str;
        default = config.networking.hostName;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "The name by which alerts name this host.";
      };
      user = mkOption {
        description = "The user who owns the stacks.";
        type = types.submodule {
          options = {
            name = mkOption { type = types.str; description = "Login name."; example = "alice"; };
            uid = mkOption { type = types.ints.positive; default = 1000; description = "User id."; };
            group = mkOption { type = types.str; default = "users"; description = "Primary group."; };
            gid = mkOption { type = types.ints.unsigned; default = 100; description = "Its id."; };
            home = mkOption { type = types.str; description = "Home directory."; example = "/home/alice"; };
          };
        };
      };
      mounts = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The mount points that stacks may need. Mounting them is the host's own business.";
        example = [ "/mnt/data" ];
      };
      alerts = {
        url = mkOption {
          type = types.str;
          description = "Where alerts are posted: a Gotify-compatible endpoint.";
          example = "https://gotify.example.org/message?token=…";
        };
        priority = mkOption { type = types.ints.unsigned; default = 8; description = "The alerts' priority."; };
      };
      prune-after = mkOption {
        type = types.ints.unsigned;
        default = 14400;
        description = "Seconds for which a stopped container is kept.";
      };
      stacks = mkOption {
        type = types.listOf (types.submodule stack);
        default = [ ];
        description = "The stacks.";
      };
      native-units = mkOption {
        type = types.listOf (types.submodule native);
        default = [ ];
        description = "Containers outside the stacks, each with a unit of its own.";
      };
    };
  };

  # The library tells an image that is not given from one that is null.
  withoutNull = lib.filterAttrs (name: value: name != "image" || value != null);
in
{
  options.services.container-stacks = {
    enable = mkEnableOption "rootless podman compose stacks as systemd user services";
    host = mkOption {
      type = types.submodule host;
      description = "What runs on this host.";
      apply = given: given // {
        stacks = map (declared: declared // { services = map withoutNull declared.services; }) given.stacks;
      };
      example = lib.literalExpression ''
        {
          user = { name = "alice"; home = "/home/alice"; };
          mounts = [ "/mnt/data" ];
          alerts.url = "https://gotify.example.org/message?token=…";
          stacks = [{
            name = "photos";
            compose = ./photos/docker-compose.yml;
            services = [
              { name = "web"; ports = [ 8080 ]; needs-healthy = [ "database" ]; }
              { name = "database"; health-check = true; }
            ];
            secrets = [{ name = "photos.env"; }];
            mounts = [ "/mnt/data" ];
          }];
        }
      '';
    };
    activateOnSwitch = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether a switch of the system brings the stacks to the new generation: it restarts those that changed, and
        fails where the user manager is down. A stack that does not come up afterwards fails its own unit and
        `stacks-activate.service`, with an alert each, but not the switch, which does not wait for what runs for users.
        Without it, somebody has to start `stacks-activate.service`.
      '';
    };
    generation = mkOption {
      type = types.package;
      readOnly = true;
      description = "The generation as the harness reads it: `manifest.json` and the files that it names.";
    };
  };

  config = mkIf cfg.enable {
    services.container-stacks.generation = generation;

    systemd.user.units = units "user" paths.userUnits;
    systemd.units = units "system" paths.systemUnits;
    # It is run by each user's manager, also when that starts: then the stacks start by themselves.
    system.userActivationScripts.container-stacks = mkIf cfg.activateOnSwitch ''
      systemctl=${config.systemd.package}/bin/systemctl
      if [ "$(${pkgs.coreutils}/bin/id -u)" = ${toString user.uid} ] && $systemctl --user --quiet is-active default.target; then
        $systemctl --user start ${lib.concatStringsSep " " (activation "user")}
      fi
    '';
    environment.etc = etc;
    # The library's scripts find every program in the system's own path.
    environment.systemPackages = [ pkgs.docker-compose pkgs.jq pkgs.curl ];

    virtualisation.podman.enable = true;
    users.users.${user.name} = {
      isNormalUser = true;
      inherit (user) uid group home;
      linger = true;
    };
  };
}
