# Refuses host data that cannot work, with a sentence about what to correct; fills in what data may leave out.
host:
let
  inherit (builtins) all any attrNames concatMap concatStringsSep elem filter head length map match pathExists readFile split toString;

  # What each kind of thing may say. A word that is none of these is misspelt, and would silently do nothing.
  options = {
    host = [ "alerts" "hostname" "mounts" "name" "native-units" "prune-after" "stacks" "user" ];
    stack = [ "compose" "mounts" "name" "secrets" "services" "stale-threshold" ];
    service = [ "autoupdate" "container" "health-check" "image" "name" "needs-healthy" "network-of" "ports" ];
    secret = [ "fallback" "name" ];
    native = [ "container" "image" "scope" "unit" ];
  };

  # A name stands in unit names, paths and command lines, all unquoted.
  nameIsSafe = name: match "[a-z0-9][a-z0-9-]*" name != null;
  pathIsSafe = path: match "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+" path != null;
  imageIsSafe = image: match "[a-z0-9][A-Za-z0-9./:@_-]*" image != null;
  duplicates = values: filter (value: length (filter (other: other == value) values) > 1) values;
  names = map (thing: thing.name);
  list = concatStringsSep ", ";
  occursIn = text: part: length (split part text) > 1;

  require = condition: sentence: if condition then true else throw "host ${host.name}: ${sentence}";
  requireUnique = what: values:
    let twice = duplicates values; in
    require (twice == [ ]) "${what} ${toString (head (twice ++ [ "" ]))} is used twice: give each its own";
  requireOptions = kind: place: given:
    let unknown = filter (word: !(elem word options.${kind})) (attrNames given); in
    require (unknown == [ ]) "${place} has no option ${list unknown}: known are ${list options.${kind}}";

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
    requireOptions "service" place declared
    && require (nameIsSafe declared.name) "${place}: a name is lower-case letters, digits and hyphens"
    && require (imageIsSafe declared.image) "${place}: ${declared.image} cannot be the name of an image"
    && require (occursIn (readFile owner.compose) "\n  ${declared.name}:\n")
      "${place} is declared but not in ${toString owner.compose}: correct the one or the other"
    && require (declared.network-of == null || known declared.network-of)
      "${place} shares the network of ${toString declared.network-of}, which the stack does not declare"
    && require (declared.network-of == null || declared.ports == [ ])
      "${place} shares a network: publish its ports on the holder ${toString declared.network-of}"
    && all (name: require (healthy name) "${place} waits for ${name}, which has no health check") declared.needs-healthy;

  checkSecret = owner: secret:
    requireOptions "secret" "the env file ${secret.name} of stack ${owner.name}" secret
    && require (match "[a-z0-9][a-z0-9.-]*" secret.name != null)
      "stack ${owner.name}: ${secret.name} cannot be the name of an env file";

  checkMount = owner: mount:
    require (pathIsSafe mount) "stack ${owner.name}: ${mount} is no absolute path without `..` and blanks"
    && require (elem mount host.mounts) "stack ${owner.name} needs the mount ${mount}, which the host does not have";

  checkStack = given:
    requireOptions "stack" "stack ${given.name}" given
    && require (nameIsSafe given.name) "stack ${given.name}: a name is lower-case letters, digits and hyphens"
    && require (given.services != [ ]) "stack ${given.name} declares no service"
    && require (pathExists given.compose) "the compose file ${toString given.compose} of stack ${given.name} is not there: write it"
    && requireUnique "the service name of stack ${given.name}" (names given.services)
    && requireUnique "the env file of stack ${given.name}" (names given.secrets)
    && all (checkMount given) given.mounts
    && all (checkSecret given) given.secrets
    && all (checkService given) given.services;

  checkNative = native:
    requireOptions "native" "native unit ${native.unit}" native
    && require (elem native.scope [ "user" "system" ]) "native unit ${native.unit}: its scope is user or system";

  valid =
    requireOptions "host" "the host" host
    && requireUnique "the stack name" (names stacks)
    && requireUnique "the published port" (concatMap (given: concatMap (s: s.ports) given.services) stacks)
    && requireUnique "the container name" (filter (name: name != null) (concatMap (given: map (s: s.container) given.services) stacks))
    && all checkNative host.native-units
    && all checkStack stacks;
in
if valid then host // { inherit stacks; } else throw "unreachable: every failed check throws its own sentence"
