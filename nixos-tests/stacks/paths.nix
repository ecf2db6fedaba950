# Where things live in the Debian guest. The NixOS module passes its own set of the same shape, with
# store paths in it; nothing else in the library knows a path.
{
  # Directory of every tool that the scripts call; it resolves in both guests.
  tools = "/run/current-system/sw/bin";
  # The one compose provider. Pinned, so that no other one earlier in PATH is ever picked.
  composeProvider = "/run/current-system/sw/bin/docker-compose";
  # The generation, as it is installed.
  scripts = "/usr/local/lib/stacks";
  stacks = "/etc/stacks";
  userUnits = "/etc/systemd/user";
  systemUnits = "/etc/systemd/system";
  # State and inputs that are not part of the generation.
  dataRoot = "/mnt/docker";
  nativeSecrets = "/run/secrets/containers";
}
