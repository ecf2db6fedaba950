# The environment that every unit of the user's containers shares.
{ paths, host }:
let
  runtime = "/run/user/${builtins.toString host.user.uid}";
in
{
  inherit runtime;
  # Enough for podman itself, run as the user.
  user = {
    HOME = host.user.home;
    XDG_RUNTIME_DIR = runtime;
  };
  # What compose needs besides: the API socket, and the one provider.
  compose = {
    HOME = host.user.home;
    XDG_RUNTIME_DIR = runtime;
    DATA_ROOT = paths.dataRoot;
    CONTAINER_HOST = "unix://${runtime}/podman/podman.sock";
    PODMAN_COMPOSE_PROVIDER = paths.composeProvider;
    PODMAN_COMPOSE_WARNING_LOGS = "false";
  };
  alerts = {
    ALERT_HOST = host.hostname;
    ALERT_URL = host.alerts.url;
    ALERT_PRIORITY = host.alerts.priority;
  };
}
