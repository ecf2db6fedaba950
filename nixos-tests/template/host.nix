# The host: what you would deploy. The harness adds what a test node needs.
{ ... }:
{
  networking.hostName = "photos";
  system.stateVersion = "25.11";

  services.container-stacks = {
    enable = true;
    host = {
      user = { name = "alice"; home = "/home/alice"; };
      alerts.url = "http://127.0.0.1:8099/message?token=harness";
      stacks = [
        {
          name = "photos";
          compose = ./photos/docker-compose.yml;
          services = [{ name = "web"; health-check = true; ports = [ 8080 ]; }];
        }
      ];
    };
  };

  # Of a real host this is in hardware-configuration.nix; in a test node the framework's takes its place.
  fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
  boot.loader.grub.device = "/dev/vda";
}
