# The host doc1: everything that the household and its business use. Nineteen stacks, fifty-four services.
let
  inherit (import ../host.nix "doc1") host stack variants;
in
{
  host = host {
    hostname = "proxmox-vm";
    mounts = [ "/mnt/docker" "/mnt/data" ];

    stacks = [
      # Two services mount the API socket.
      (stack "management" {
        services = [
          { name = "autoheal"; container = "autoheal"; }
          { name = "dozzle"; container = "dozzle"; health-check = true; ports = [ 8888 ]; }
          { name = "homepage"; container = "homepage"; ports = [ 3010 ]; }
        ];
      })
      # The way in: a holder, and two services in its network that wait until it is healthy.
      (stack "tailscale-caddy" {
        services = [
          { name = "tailscale"; health-check = true; ports = [ 8443 ]; }
          { name = "caddy"; network-of = "tailscale"; needs-healthy = [ "tailscale" ]; }
          { name = "cloudflared"; network-of = "tailscale"; needs-healthy = [ "tailscale" ]; }
        ];
      })
      # Five services live in the network of a holder; the database stands beside it and is updated by hand.
      (stack "immich" {
        services = [
          { name = "immich-network-holder"; ports = [ 2283 ]; }
          { name = "immich-server"; network-of = "immich-network-holder"; health-check = true; needs-healthy = [ "database" "redis" ]; }
          { name = "immich-machine-learning"; network-of = "immich-network-holder"; health-check = true; }
          { name = "redis"; network-of = "immich-network-holder"; health-check = true; }
          { name = "tailscale"; network-of = "immich-network-holder"; }
          { name = "caddy"; network-of = "immich-network-holder"; }
          { name = "database"; health-check = true; autoupdate = false; }
        ];
      })
      (stack "paperless" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "broker"; }
          { name = "db"; autoupdate = false; }
          { name = "webserver"; health-check = true; ports = [ 8010 ]; }
          { name = "gotenberg"; }
          { name = "tika"; }
        ];
      })
      (stack "mealie" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "mealie"; health-check = true; ports = [ 9925 ]; needs-healthy = [ "postgres" ]; }
          { name = "postgres"; health-check = true; }
        ];
      })
      # Two env files: the later one wins where both set a variable, here KOPIA_LOG_LEVEL.
      (stack "kopia" {
        secrets = [{ name = "kopia.env"; } { name = "b2.env"; }];
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "kopia-photos"; health-check = true; ports = [ 51515 ]; }
          { name = "kopia-documents"; health-check = true; ports = [ 51516 ]; }
        ];
      })
      (stack "atuin" {
        services = [
          { name = "atuin"; ports = [ 8889 ]; }
          { name = "postgresql"; }
        ];
      })
      # No env file at all.
      (stack "audiobookshelf" {
        secrets = [ ];
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "audiobookshelf"; health-check = true; ports = [ 13378 ]; }
        ];
      })
      (stack "domain-monitor" {
        services = [
          { name = "domain-monitor"; ports = [ 8083 ]; }
          { name = "db"; }
        ];
      })
      # The largest: thirteen services, three of them behind a network of their own.
      (stack "invoices" {
        services = [
          { name = "tailscale"; ports = [ 8445 ]; }
          { name = "caddy"; network-of = "tailscale"; }
          { name = "oauth2-proxy"; network-of = "tailscale"; }
          { name = "app"; }
          { name = "nginx"; ports = [ 8084 ]; }
          { name = "queue-worker"; }
          { name = "scheduler"; }
          { name = "mysql"; }
          { name = "redis"; }
          { name = "gotenberg"; }
          { name = "minio"; }
          { name = "mailpit"; }
          { name = "backup"; }
        ];
      })
      (stack "jdownloader2" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "jdownloader2"; container = "jdownloader2"; health-check = true; ports = [ 5800 ]; }
        ];
      })
      # Two env files again, and everything in the network of the VPN.
      (stack "music" {
        secrets = [{ name = "music.env"; } { name = "slskd.env"; }];
        services = [
          { name = "gluetun"; health-check = true; ports = [ 5030 8686 ]; }
          { name = "slskd"; network-of = "gluetun"; }
          { name = "lidarr"; network-of = "gluetun"; }
          { name = "soularr"; network-of = "gluetun"; }
          { name = "prowlarr"; network-of = "gluetun"; }
        ];
      })
      (stack "netboot" {
        services = [
          { name = "netbootxyz"; container = "netbootxyz"; ports = [ 8085 ]; }
        ];
      })
      (stack "smokeping" {
        services = [
          { name = "smokeping"; container = "smokeping"; ports = [ 8086 ]; }
        ];
      })
      (stack "stirlingpdf" {
        secrets = [ ];
        services = [
          { name = "stirling-pdf"; ports = [ 8087 ]; }
        ];
      })
      (stack "tautulli" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "tautulli"; ports = [ 8181 ]; }
        ];
      })
      # Mounts the API socket.
      (stack "uptime-kuma" {
        services = [
          { name = "uptime-kuma"; container = "uptime-kuma"; health-check = true; ports = [ 3020 ]; }
        ];
      })
      (stack "webdav" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "webdav"; health-check = true; ports = [ 8082 ]; }
        ];
      })
      (stack "youtarr" {
        mounts = [ "/mnt/docker" "/mnt/data" ];
        services = [
          { name = "youtarr"; health-check = true; ports = [ 3087 ]; }
          { name = "youtarr-db"; health-check = true; }
        ];
      })
    ];
  };

  variants = variants {
    single = "webdav";
    holder = "tailscale-caddy";
    renamed = { stack = "management"; from = "dozzle"; to = "logs"; };
  };
}
