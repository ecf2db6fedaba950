# Refuses host data that cannot work, with a sentence about what to correct; fills in what data may leave out.
host:
let
  inherit (builtins) all any concatMap elem filter head length map match readFile split toString;

  # A name stands in unit names, paths and command lines, all unquoted.
  nameIsSafe = name: match "[a-z0-9][a-z0-9-]*" name != null;
  pathIsSafe = path: match "/[A-Za-z0-9/._-]+" path != null;
  duplicates = values: filter (value: length (filter (other: other == value) values) > 1) values;
  names = map (thing: thing.name);
  occursIn = text: part: length (split part text) > 1;

  require = condition: sentence: if condition then true else throw "host ${host.name}: ${sentence}";
  requireUnique = what: values:
    let twice = duplicates values; in
    require (twice == [ ]) "${what} ${toString (head (twice ++ [ "" ]))} is used twice: give each its own";

  service = given: {
    container = null;
    health-check = false;
    network-of = null;
    autoupdate = true;
    ports = [ ];
    needs-healthy = [ ];
  } // given;

  stack = given: {
    stale-threshold = 90;
  } // given // {
    services = map
      (declared: service ({ image = "127.0.0.1:5000/${given.name}/${declared.name}:latest"; } // declared))
      given.services;
    secrets = map (secret: { fallback = true; } // secret) given.secrets;
  };

  stacks = map stack host.stacks;

  checkService = owner: declared:
    let
      known = name: elem name (names owner.services);
      healthy = name: any (other: other.name == name && other.health-check) owner.services;
      place = "service ${declared.name} of stack ${owner.name}";
    in
    require (nameIsSafe declared.name) "${place}: a name is lower-case letters, digits and hyphens"
    && require (occursIn (readFile owner.compose) "\n  ${declared.name}:\n")
      "${place} is declared but not in ${toString owner.compose}: correct the one or the other"
    && require (declared.network-of == null || known declared.network-of)
      "${place} shares the network of ${toString declared.network-of}, which the stack does not declare"
    && require (declared.network-of == null || declared.ports == [ ])
      "${place} shares a network: publish its ports on the holder ${toString declared.network-of}"
    && all (name: require (healthy name) "${place} waits for ${name}, which has no health check") declared.needs-healthy;

  checkStack = given:
    require (nameIsSafe given.name) "stack ${given.name}: a name is lower-case letters, digits and hyphens"
    && require (given.services != [ ]) "stack ${given.name} declares no service"
    && requireUnique "the service name of stack ${given.name}" (names given.services)
    && requireUnique "the env file of stack ${given.name}" (names given.secrets)
    && all (mount: require (pathIsSafe mount && elem mount host.mounts) "stack ${given.name} needs the mount ${mount}, which the host does not have") given.mounts
    && all (secret: require (match "[a-z0-9][a-z0-9.-]*" secret.name != null) "stack ${given.name}: ${secret.name} cannot be the name of an env file") given.secrets
    && all (checkService given) given.services;

  valid =
    requireUnique "the stack name" (names stacks)
    && requireUnique "the published port" (concatMap (given: concatMap (s: s.ports) given.services) stacks)
    && all checkStack stacks;
in
if valid then host // { inherit stacks; } else throw "unreachable: every failed check throws its own sentence"
