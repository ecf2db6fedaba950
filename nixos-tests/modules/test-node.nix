# What a NixOS test node owes the harness, beside the root shell that every test node has: its journal as a stream, a
# trace of started programs, an alert receiver, images without a network, and nothing that keeps its machine from being
# frozen. It also takes back what the test framework changes and a test of stacks would notice.
{ config, lib, options, pkgs, ... }:
let
  cfg = config.harness;
  inherit (config.services.container-stacks) host;
  inherit (lib) mkForce mkOption types;
  overlay = ../../fixtures/guest/overlay/usr/local/lib/harness;

  # The guest's own scripts, the same as in every other guest.
  script = name: pkgs.writeShellScript "harness-${name}" (builtins.readFile (overlay + "/${name}"));
  images = import ../images.nix { inherit lib pkgs; names = cfg.images; };
  port = "dev-virtio\\x2dports-harness.journal.device";
  user = toString cfg.user.uid;
  inherit (config.users.users.${cfg.user.name}) home;

  # The machine has none of the host's own file systems. What the host mounts from elsewhere is a mount point here, too,
  # so that stacks which need it start, and a scenario can take one away.
  stand-in = path: "/srv${path}";
  mount = path: lib.nameValuePair path { device = stand-in path; fsType = "none"; options = [ "bind" ]; };
  # Services have their data below this, and there the switches that make them misbehave, whatever the host mounts.
  data = "/mnt/docker";
  mounts = lib.unique (host.mounts ++ [ data ]);
  folders = map stand-in mounts ++ lib.concatMap
    (stack: map (path: stand-in "${data}/${path}") ([ stack.name ] ++ map (service: "${stack.name}/${service.name}") stack.services))
    host.stacks ++ [ "${home}/.local" "${home}/.local/share" storage ];
  storage = "${home}/.local/share/containers";
in
{
  options.harness = {
    images = mkOption {
      type = types.listOf types.str;
      default = lib.unique (
        lib.concatMap
          (stack: map (service: service.image or "127.0.0.1:5000/${stack.name}/${service.name}:latest") stack.services)
          host.stacks
        ++ map (native: native.image) host.native-units
      );
      defaultText = "every image of services.container-stacks";
      description = "The images that the stacks run: small stand-ins of these names are made for them.";
      example = [ "127.0.0.1:5000/photos/web:latest" ];
    };
    user = {
      name = mkOption {
        type = types.str;
        default = host.user.name;
        defaultText = "that of services.container-stacks";
        description = "The user who owns the stacks.";
        example = "alice";
      };
      uid = mkOption {
        type = types.ints.positive;
        default = host.user.uid;
        defaultText = "that of services.container-stacks";
        description = "The user's id.";
      };
    };
  };

  config = {
    # A machine that shares folders or networks with others cannot be frozen and cloned.
    virtualisation = {
      useNixStoreImage = true;
      sharedDirectories = mkForce { };
      vlans = mkForce [ ];
      interfaces = mkForce { };
      memorySize = lib.mkDefault 2048;
      diskSize = lib.mkDefault 4096;
      # The containers have a disk of their own, so that a scenario that fills it leaves room for the journal. It is the
      # third, after the root's and the store's: not every release takes a serial number by which to find it.
      emptyDiskImages = mkForce [ 4096 ];
      fileSystems = lib.listToAttrs (map mount mounts) // {
        ${storage} = { device = "/dev/vdc"; fsType = "ext4"; autoFormat = true; };
      };
    };
    # Where the library's programs are on other guests, for scenarios that call one.
    systemd.tmpfiles.rules = [ "L+ /usr/local/lib/stacks - - - - /etc/stacks-scripts" ];
    # Specialisations are switched to, also by a node that has none of its own.
    system.switch.enable = mkForce true;
    # No boot of a clone is a machine's first: what belongs to that one only would be missing after a restart.
    environment.etc.machine-id = mkForce { mode = "0444"; text = "5e77a11ed0c1e40f0e1d0c1e40f0e1d0\n"; };
    # Made before anything is mounted, since what is bound to a mount point must be there, and perhaps before the user is.
    system.activationScripts.harness-folders = lib.stringAfter [ "users" "groups" ] ''
      install -d -m 0755 -o ${toString host.user.uid} -g ${toString host.user.gid} ${lib.concatStringsSep " " folders}
    '';

    services.container-stacks = {
      # The harness starts the activation itself, to see how it ends.
      activateOnSwitch = mkForce false;
      # No alert leaves the machine: the receiver below takes them.
      host.alerts.url = mkForce "http://127.0.0.1:8099/message?token=harness";
    };

    # As on real hosts: the framework's own values would hide a start that is too slow, or a lack of memory.
    boot.kernel.sysctl."vm.panic_on_oom" = 0;
    systemd.settings.Manager = {
      DefaultTimeoutStartSec = mkForce "90s";
      DefaultDeviceTimeoutSec = mkForce "90s";
    };
    systemd.user = {
      # A switch asks for each user's targets that are active, which would start stacks that are down before their own
      # activation decides.
      targets.default.unitConfig.X-OnlyManualStart = true;
    } // (
      if options.systemd.user ? settings then {
        settings.Manager = {
          DefaultTimeoutStartSec = mkForce "90s";
          DefaultDeviceTimeoutSec = mkForce "90s";
        };
      } else {
        # The last value of a setting counts.
        extraConfig = lib.mkAfter "DefaultTimeoutStartSec=90s\nDefaultDeviceTimeoutSec=90s";
      }
    );
    # A panic must not restart the machine behind the harness's back.
    boot.kernelParams = lib.mkAfter [ "panic=0" ];

    # Nothing that happens may be missing, and a power cut must not take the evidence with it.
    environment.etc."systemd/journald.conf.d/harness.conf".text = ''
      [Journal]
      Storage=persistent
      RateLimitIntervalSec=0
      RateLimitBurst=0
      ForwardToConsole=no
    '';

    # Whose a record is the journal reads from the writer's cgroup. It goes before all others, so that a program that
    # writes one line and ends is still there when it looks.
    systemd.services.systemd-journald.serviceConfig = {
      CPUSchedulingPolicy = mkForce "rr";
      CPUSchedulingPriority = mkForce 1;
    };

    systemd.services.harness-journal = {
      description = "Journal stream to the host";
      wantedBy = [ "multi-user.target" ];
      bindsTo = [ port ];
      after = [ port "systemd-journald.service" ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        ExecStart = "${config.systemd.package}/bin/journalctl --boot --follow --lines=all --output=json --all";
        StandardOutput = "file:/dev/virtio-ports/harness.journal";
        StandardError = "journal";
        Restart = "on-failure";
      };
    };

    systemd.services.harness-exec-trace = {
      description = "Trace of started programs";
      wantedBy = [ "sysinit.target" ];
      before = [ "basic.target" ];
      unitConfig = { DefaultDependencies = false; RequiresMountsFor = "/sys/kernel/tracing"; };
      serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = script "exec-trace"; };
    };

    systemd.sockets.harness-alerts = {
      description = "Alert endpoint";
      wantedBy = [ "sockets.target" ];
      listenStreams = [ "127.0.0.1:8099" ];
      socketConfig.Accept = true;
    };
    systemd.services."harness-alerts@" = {
      description = "One request to the alert endpoint";
      path = [ pkgs.jq pkgs.util-linux ];
      unitConfig.CollectMode = "inactive-or-failed";
      serviceConfig = {
        ExecStart = script "receive-alert";
        StandardInput = "socket";
        StandardOutput = "socket";
        StandardError = "journal";
        SyslogIdentifier = "alert-receiver";
        TimeoutStartSec = 30;
      };
    };

    # Every image comes from a registry in the guest, and is in the user's storage before the stacks start.
    services.dockerRegistry = { enable = true; enableDelete = true; };
    environment.etc."containers/registries.conf.d/harness.conf".text =
      builtins.readFile ../../fixtures/guest/overlay/etc/containers/registries.conf.d/harness.conf + images.registries;
    systemd.services.harness-images = {
      description = "Load the test images";
      wantedBy = [ "multi-user.target" ];
      wants = [ "user-runtime-dir@${user}.service" "docker-registry.service" ];
      after = [ "user-runtime-dir@${user}.service" "docker-registry.service" ];
      before = [ "user@${user}.service" ];
      path = [ "/run/wrappers" config.virtualisation.podman.package pkgs.curl pkgs.skopeo ];
      environment = { HOME = home; XDG_RUNTIME_DIR = "/run/user/${user}"; };
      # Active at every boot, though there is something to do at the first only.
      script = ''
        [ ! -e /var/lib/harness/images-loaded ] || exit 0
        until curl --silent --fail --output /dev/null http://127.0.0.1:5000/v2/; do sleep 0.2; done
        while read -r archive place name; do
          skopeo copy --quiet --dest-tls-verify=false "docker-archive:$archive" "docker://$place"
          podman pull --quiet "$name"
        done < ${images.list}
      '';
      restartIfChanged = false;
      unitConfig.RequiresMountsFor = storage;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        User = cfg.user.name;
        StateDirectory = "harness";
        # A new disk is root's.
        ExecStartPre = "+${pkgs.coreutils}/bin/chown ${host.user.name}:${host.user.group} ${storage}";
        ExecStartPost = "${pkgs.coreutils}/bin/touch /var/lib/harness/images-loaded";
        TimeoutStartSec = 600;
      };
    };

    # What the harness's own commands call in the guest.
    environment.systemPackages = [ pkgs.jq pkgs.iproute2 ];
  };
}
