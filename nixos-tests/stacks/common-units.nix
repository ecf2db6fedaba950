# The units that belong to no single stack: alerts, activation, watching, the native units, and the system's timers.
{ paths, host }:
let
  inherit (builtins) concatMap concatStringsSep filter map toString;
  unitFile = import ./unit-file.nix;
  environment = import ./environment.nix { inherit paths host; };
  script = name: "${paths.scripts}/${name}";
  # What the user manager has to take from this generation's own files.
  userUnits =
    [ "stack-watch.service" "stacks-activate.service" namespaceUnit ]
    ++ concatMap (stack: [ "${stack.name}-stack.service" "${stack.name}-update.service" ]) host.stacks
    ++ nativeUserUnits;
  nativeUserUnits = map (native: native.unit) (filter (native: native.scope == "user") host.native-units);
  stackNames = concatStringsSep " " (map (stack: stack.name) host.stacks);
  alertOnFailure = "stack-alert@%n.service";
  namespaceUnit = "stacks-namespace.service";

  unit = scope: wanted-by: name: sections: {
    inherit name scope wanted-by;
    text = unitFile.render sections;
  };

  # A program of the system manager that runs as the containers' user and can speak to that user's own manager.
  byUser = variables: {
    Type = "oneshot";
    User = host.user.name;
    Group = host.user.group;
    Environment = unitFile.environment (environment.user // variables // {
      DBUS_SESSION_BUS_ADDRESS = "unix:path=${environment.runtime}/bus";
    });
  };

  # One instance a failed unit, with systemd's own word for the reason. It has no OnFailure= itself: an alert
  # that cannot be delivered is visible as a failed unit and never starts another.
  alert = scope: unit scope [ ] "stack-alert@.service" {
    Unit = {
      Description = "Alert about %i";
      StartLimitIntervalSec = 0;
    };
    Service = {
      Type = "oneshot";
      Environment = unitFile.environment environment.alerts;
      ExecStart = "${script "stack-alert"} %i \"result \${MONITOR_SERVICE_RESULT}\"";
      TimeoutStartSec = 30;
    };
  };

  activate = unit "user" [ ] "stacks-activate.service" {
    Unit = {
      Description = "Activation of the installed container stacks";
      After = "podman.socket";
      OnFailure = alertOnFailure;
    };
    Service = {
      Type = "oneshot";
      Environment = unitFile.environment (environment.compose // {
        GENERATION_UNITS = concatStringsSep " " userUnits;
      });
      ExecStart = "${script "stacks-activate"} ${stackNames}";
      TimeoutStartSec = 900;
    };
  };

  # Started before the user's own activation. It asks for no user manager, which would start one that is down.
  userManager = unit "system" [ ] "stacks-user-manager.service" {
    Unit = {
      Description = "The user manager that an activation needs";
      After = "user@${toString host.user.uid}.service";
      OnFailure = alertOnFailure;
    };
    Service = byUser { } // {
      ExecStart = "${script "stacks-user-manager"} ${host.user.name} ${toString host.user.uid}";
      TimeoutStartSec = 30;
    };
  };

  # Before the host goes down, or its user manager, the stacks stop while podman, its API and D-Bus are still there:
  # a user manager that ends stops all of them at once, starts nothing any more, and no order would be kept.
  # It is never restarted for a change of its own, which would stop the stacks.
  shutdown = unit "system" [ "user@${toString host.user.uid}.service" ] "stacks-shutdown.service" {
    Unit = {
      Description = "Orderly stop of the container stacks at shutdown";
      After = "user@${toString host.user.uid}.service";
      PartOf = "user@${toString host.user.uid}.service";
    };
    Service = byUser { } // {
      X-RestartIfChanged = false;
      RemainAfterExit = true;
      ExecStop = concatStringsSep " " ([ "${paths.tools}/systemctl" "--user" "stop" "*-stack.service" ] ++ nativeUserUnits);
      TimeoutStopSec = 180;
    };
  };

  # The first podman after a boot makes the user's namespace and takes stock of the containers. Two that do so at once
  # get in each other's way: now and then podman 5.4 then loses the socket that systemd hands to its API service
  # ("unexpected fd received from systemd"). So one does it, and every other waits for it.
  namespace = unit "user" [ ] namespaceUnit {
    Unit = {
      Description = "User namespace of the containers";
      OnFailure = alertOnFailure;
    };
    Service = {
      Type = "oneshot";
      RemainAfterExit = true;
      Environment = unitFile.environment environment.user;
      ExecStart = "${paths.tools}/podman ps --quiet";
      StandardOutput = "null";
      TimeoutStartSec = 120;
    };
  };

  watch = unit "user" [ "default.target" ] "stack-watch.service" {
    Unit = {
      Description = "Alerts about containers that die";
      After = namespaceUnit;
      Wants = namespaceUnit;
      OnFailure = alertOnFailure;
    };
    Service = {
      Environment = unitFile.environment (environment.user // environment.alerts);
      ExecStart = script "stack-watch";
      Restart = "always";
      RestartSec = 5;
    };
    Install.WantedBy = "default.target";
  };

  # A container outside every stack, owned by its unit: podman itself updates it, and rolls back an image that
  # does not become healthy, because readiness is the health check's.
  native = container: unit container.scope [ "default.target" ] container.unit {
    Unit = {
      Description = "Native container ${container.container}";
      After = namespaceUnit;
      Wants = namespaceUnit;
      OnFailure = alertOnFailure;
    };
    Service = {
      Type = "notify";
      NotifyAccess = "all";
      Delegate = true;
      Environment = unitFile.environment environment.user ++ [ "PODMAN_SYSTEMD_UNIT=%n" ];
      ExecStart = concatStringsSep " " [
        "${paths.tools}/podman run --rm --replace --detach --name ${container.container}"
        "--cgroups=split --sdnotify=healthy"
        "--label io.containers.autoupdate=registry"
        "--health-cmd /bin/health --health-interval 1m --health-timeout 5s --health-retries 3"
        container.image
      ];
      ExecStop = "${paths.tools}/podman stop --ignore --time 10 ${container.container}";
      TimeoutStartSec = 120;
      TimeoutStopSec = 60;
    };
    Install.WantedBy = "default.target";
  };

  # What the system's timers start.
  asUser = description: service: {
    Unit = {
      Description = description;
      After = "user@${toString host.user.uid}.service";
      Wants = "user@${toString host.user.uid}.service";
      OnFailure = alertOnFailure;
    };
    Service = byUser environment.alerts // service;
  };
  daily = time: description: {
    Unit.Description = description;
    Timer = { OnCalendar = "*-*-* ${time}"; Persistent = true; };
    Install.WantedBy = "timers.target";
  };
  system = unit "system" [ ];
  systemTimer = unit "system" [ "timers.target" ];
in
[ (alert "user") (alert "system") userManager activate shutdown namespace watch ]
++ map native host.native-units
++ [
  (system "podman-auto-update.service" (asUser "Update of all containers" {
    ExecStart = "${script "podman-auto-update"} ${stackNames}";
    TimeoutStartSec = 3600;
  }))
  (systemTimer "podman-auto-update.timer" (daily "04:00:00" "Daily update of all containers"))
  (system "podman-rootless-prune.service" (asUser "Removal of containers that were stopped for long" {
    ExecStart = "${script "podman-rootless-prune"} ${toString host.prune-after}";
    TimeoutStartSec = 600;
  }))
  (systemTimer "podman-rootless-prune.timer" (daily "05:00:00" "Daily removal of containers that were stopped for long"))
]
