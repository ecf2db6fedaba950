# The host igpu: a media server with a GPU. Five stacks, eighteen services.
let
  inherit (import ../host.nix "igpu") host stack variants;
in
{
  host = host {
    mounts = [ "/mnt/docker" "/mnt/data" "/mnt/fuse" ];

    stacks = [
      # Both services mount the API socket.
      (stack "igpu-management" {
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
        services = [
          { name = "grafana"; autoupdate = false; ports = [ 3001 ]; }
          { name = "loki"; autoupdate = false; ports = [ 3100 ]; }
          { name = "tempo"; autoupdate = false; ports = [ 3200 ]; }
          { name = "mimir"; autoupdate = false; ports = [ 9009 ]; }
          { name = "loki-mcp"; autoupdate = false; ports = [ 8081 ]; }
        ];
      })
    ];
  };

  variants = variants {
    single = "tdarr-igp";
    holder = "plex";
    renamed = { stack = "igpu-management"; from = "dozzle-agent"; to = "logs"; };
  };
}
