# One stack: its two units, its override, its list of inputs, and its entry in the manifest.
{ paths, host }: stack:
let
  inherit (builtins) any concatStringsSep filter genList elemAt length map toString;
  unitFile = import ./unit-file.nix;
  environment = import ./environment.nix { inherit paths host; };

  unit = "${stack.name}-stack.service";
  updateUnit = "${stack.name}-update.service";
  directory = "${paths.stacks}/${stack.name}";
  script = name: "${paths.scripts}/${name}";
  words = concatStringsSep " ";

  # The number in a native path is the file's place in the stack's list: compose lets later files win.
  secrets = genList
    (index:
      let file = elemAt stack.secrets index; in
      {
        name = file.name;
        native = "${paths.nativeSecrets}/${stack.name}/${toString index}-${file.name}";
        fallback = if file.fallback then "${environment.runtime}/secrets/${file.name}" else null;
      })
    (length stack.secrets);
  fallbacks = filter (path: path != null) (map (secret: secret.fallback) secrets);

  resolveSecrets =
    let
      declared = map
        (secret: "${secret.name}:${secret.native}" + (if secret.fallback == null then "" else ":${secret.fallback}"))
        secrets;
    in
    if secrets == [ ] then [ ] else [ (words ([ (script "stack-secrets") ] ++ declared)) ];

  # The services in whose network others live, each once.
  holders = filter
    (name: any (service: service.network-of == name) stack.services)
    (map (service: service.name) stack.services);

  # In this order: nothing is asked of podman while an input is missing, and nothing is removed before the
  # configuration that would replace it is accepted.
  prepare =
    [ (words ([ (script "stack-mounts") ] ++ stack.mounts)) ]
    ++ resolveSecrets
    ++ [
      (script "stack-preflight")
      (words ([ (script "stack-clean") (toString stack.stale-threshold) ] ++ holders))
    ];
  # Without --wait: a start does not hang on an unhealthy container.
  up = "${script "stack-compose"} up -d --remove-orphans";
  record = "${script "stack-digest"} --record ${stack.name}";

  variables = unitFile.environment (environment.compose // {
    COMPOSE_PROJECT_NAME = stack.name;
    PODMAN_SYSTEMD_UNIT = unit;
    # The services that a start must bring to run.
    STACK_SERVICES = words (map (service: service.name) stack.services);
  });

  lifecycle = {
    Unit = {
      Description = "Container stack ${stack.name}";
      After = [ "podman.socket" "stacks-namespace.service" ];
      Wants = [ "podman.socket" "stacks-namespace.service" ];
      OnFailure = "stack-alert@%n.service";
    };
    Service = {
      Type = "oneshot";
      RemainAfterExit = true;
      Environment = variables;
      ExecStartPre = prepare;
      ExecStart = up;
      ExecStartPost = [ record (script "stack-timers") ];
      ExecReload = prepare ++ [ up record (script "stack-timers") ];
      ExecStop = "${script "stack-compose"} stop";
      ExecStopPost = script "stack-timers";
      TimeoutStartSec = 300;
      TimeoutStopSec = 120;
      StandardOutput = "journal";
      StandardError = "journal";
    };
    Install.WantedBy = "default.target";
  };

  # New images are pulled here and taken over by a reload of the one unit that owns the containers; a stack that
  # is stopped stays stopped.
  update = {
    Unit = {
      Description = "Update of container stack ${stack.name}";
      After = "podman.socket";
      Wants = "podman.socket";
      OnFailure = "stack-alert@%n.service";
    };
    Service = {
      Type = "oneshot";
      Environment = variables;
      ExecCondition = "${paths.tools}/systemctl --user is-active --quiet ${unit}";
      ExecStart = [
        "${script "stack-compose"} pull --quiet"
        "${paths.tools}/systemctl --user reload ${unit}"
      ];
      TimeoutStartSec = 900;
      TimeoutStopSec = 60;
    };
  };

  override = "# Generated: puts every declared service under ${unit}.\nservices:\n" + concatStringsSep "" (map
    (service: "  ${service.name}:\n    labels:\n      PODMAN_SYSTEMD_UNIT: ${unit}\n")
    stack.services);

  # Everything that the containers are made from; activation compares their digests.
  inputs =
    [ "${paths.userUnits}/${unit}" "${directory}/docker-compose.yml" "${directory}/override.yml" ]
    ++ map (secret: secret.native) secrets
    ++ fallbacks;

  file = name: content: {
    source = "${stack.name}/${name}";
    target = "${directory}/${name}";
    mode = "0644";
  } // content;
in
{
  units = [
    { name = unit; scope = "user"; text = unitFile.render lifecycle; wanted-by = [ "default.target" ]; }
    { name = updateUnit; scope = "user"; text = unitFile.render update; wanted-by = [ ]; }
  ];
  files = [
    (file "docker-compose.yml" { copy = toString stack.compose; })
    (file "override.yml" { text = override; })
    (file "inputs" { text = concatStringsSep "\n" inputs + "\n"; })
  ];
  manifest = {
    inherit (stack) name mounts;
    inherit unit secrets;
    update-unit = updateUnit;
    project = stack.name;
    compose = "${directory}/docker-compose.yml";
    env-paths = "${environment.runtime}/secrets/${stack.name}.env-paths";
    services = map
      (service: {
        inherit (service) name image health-check network-of autoupdate ports needs-healthy;
        knobs = "${paths.dataRoot}/${stack.name}/${service.name}/knobs";
        container = if service.container == null then "${stack.name}-${service.name}-1" else service.container;
      })
      stack.services;
  };
}
