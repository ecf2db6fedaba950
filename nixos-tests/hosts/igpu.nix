# The host igpu: a media server with a GPU. Five stacks, eighteen services.
let
  compose = stack: file: ../../fixtures/compose/igpu + "/${stack}/${file}.yml";

  # The default of every stack: its compose file, and one env file of its name.
  stack = name: given: {
    inherit name;
    compose = compose name "docker-compose";
    secrets = [{ name = "${name}.env"; }];
  } // given;

  host = {
    name = "igpu";
    hostname = "igpu";
    user = { name = "abl030"; uid = 1000; group = "users"; gid = 100; home = "/home/abl030"; };
    mounts = [ "/mnt/docker" "/mnt/data" "/mnt/fuse" ];
    alerts = { url = "http://127.0.0.1:8099/message?token=harness"; priority = 8; };
    # Seconds for which a container stays after it stopped.
    prune-after = 14400;

    stacks = [
      # Both services mount the API socket.
      (stack "igpu-management" {
        mounts = [ "/mnt/docker" ];
        services = [
          { name = "autoheal"; container = "autoheal"; }
          { name = "dozzle-agent"; container = "dozzle-agent"; health-check = true; ports = [ 7007 ]; }
        ];
      })
      (stack "tdarr-igp" {
        mounts = [ "/mnt/docker" "/mnt/data" "/mnt/fuse" ];
        services = [
          { name = "tdarr-node"; health-check = true; ports = [ 8267 ]; }
        ];
      })
      # Four services live in the network of a holder, which publishes their ports.
      (stack "jellyfin" {
        mounts = [ "/mnt/docker" "/mnt/data" "/mnt/fuse" ];
        services = [
          { name = "jellyfin-network-holder"; ports = [ 8096 8080 ]; }
          { name = "jellyfin"; network-of = "jellyfin-network-holder"; health-check = true; }
          { name = "tailscale"; network-of = "jellyfin-network-holder"; }
          { name = "caddy"; network-of = "jellyfin-network-holder"; }
          { name = "watchstate"; network-of = "jellyfin-network-holder"; }
          { name = "jellystat-db"; health-check = true; }
          { name = "jellystat"; ports = [ 3000 ]; needs-healthy = [ "jellystat-db" ]; }
          { name = "inotify-receiver"; health-check = true; ports = [ 9999 ]; }
        ];
      })
      (stack "plex" {
        mounts = [ "/mnt/docker" "/mnt/data" "/mnt/fuse" ];
        services = [
          { name = "plex-network-holder"; ports = [ 32400 ]; }
          { name = "plex"; network-of = "plex-network-holder"; health-check = true; }
        ];
      })
      # Updated by hand: no service asks for auto-update.
      (stack "loki" {
        mounts = [ "/mnt/docker" ];
        services = [
          { name = "grafana"; autoupdate = false; ports = [ 3001 ]; }
          { name = "loki"; autoupdate = false; ports = [ 3100 ]; }
          { name = "tempo"; autoupdate = false; ports = [ 3200 ]; }
          { name = "mimir"; autoupdate = false; ports = [ 9009 ]; }
          { name = "loki-mcp"; autoupdate = false; ports = [ 8081 ]; }
        ];
      })
    ];

    native-units = [
      {
        unit = "update-probe.service";
        scope = "user";
        container = "update-probe";
        image = "127.0.0.1:5000/native/update-probe:latest";
      }
    ];
  };

  # A variant that differs from the host in one stack.
  inStack = name: change: given: given // {
    stacks = map (declared: if declared.name == name then declared // change declared else declared) given.stacks;
  };
  dozzle = {
    name = "dozzle";
    container = "dozzle";
    image = "127.0.0.1:5000/igpu-management/dozzle-agent:latest";
  };
  withCompose = name: file: inStack name (_: { compose = compose name file; });
in
{
  inherit host;

  # Each a small delta on the host, by name.
  variants = {
    # The compose file and the declaration call a service by another name; what it runs stays.
    renamed-service = inStack "igpu-management" (declared: {
      compose = compose "igpu-management" "renamed-service";
      services = map (service: if service.name == "dozzle-agent" then service // dozzle else service) declared.services;
    });
    changed-compose = withCompose "tdarr-igp" "changed-compose";
    # The generation is the host's own; what changes is the env file, kept beside the host's.
    changed-secret = given: given;
    # Alerting changes, no stack does.
    monitoring-only = given: given // { alerts = given.alerts // { priority = 5; }; };
    # The compose file has a service that the declaration, and so the override, lacks.
    uncovered-service = withCompose "tdarr-igp" "uncovered-service";
    unparsable = withCompose "tdarr-igp" "unparsable";
    no-fallback = inStack "tdarr-igp" (_: { secrets = [{ name = "tdarr-igp.env"; fallback = false; }]; });
    short-threshold = inStack "tdarr-igp" (_: { stale-threshold = 20; });
  };
}
