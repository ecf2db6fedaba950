# Every message that a scenario may refer to, written once. `{field}` stands for a value: in a script it
# is the shell variable of that name, in the manifest it becomes a pattern. So what the scripts say and
# what the scenarios expect cannot drift apart.
let
  inherit (builtins) concatStringsSep head isList map mapAttrs replaceStrings split;

  messages = {
    mount-missing = "ERROR: mount {mount} needed by stack {stack} is missing: mount it, then start {unit} again";
    missing-secret = "ERROR: missing required secret env file for {secret} (native: {native}, fallback: {fallback})";
    missing-secret-no-fallback = "ERROR: missing required secret env file for {secret} (native: {native})";
    fallback-used = "WARNING: using compatibility fallback env path for {secret}: {fallback} (native missing: {native})";
    label-preflight = "ERROR: service {service} of stack {stack} asks for auto-update but its PODMAN_SYSTEMD_UNIT is '{found}' instead of '{unit}': declare the service in the stack";
    configuration-invalid = "ERROR: the compose configuration of stack {stack} is refused by the compose provider: correct the file that the lines above name";
    api-unreachable = "ERROR: podman's API does not answer stack {stack} at {socket}: start podman.socket, then start {unit} again";
    stale-removed = "Removing container {id} with stale health ({health}) - running for {age}s (threshold: {threshold}s)";
    stale-kept = "Container {id} is {health} but only {age}s old - allowing more time (threshold: {threshold}s)";
    label-removed = "Removing container {id} ({name}) of {stack}: PODMAN_SYSTEMD_UNIT is '{found}' instead of '{unit}'";
    dependent-removed = "Removed container {id} ({name}) of {stack}: it depended on a removed container";
    timer-stopped = "Stopping orphaned health timer {timer}: its container is gone";
    stack-restarted = "Restarting {unit}: its compose file, unit or secrets changed";
    stack-started = "Starting {unit}: it is not active";
    stack-refused = "ERROR: {unit} keeps running its previous configuration: the new one is refused";
    socket-restored = "Restoring podman.socket: {socket} is gone";
    update-failed = "ERROR: {unit} failed with exit code {status}: see its journal";
    update-refused = "Expected refusals of compose containers by podman auto-update: {count}";
    update-rolled-back = "ERROR: podman auto-update: {unit} is {outcome} for image {image}";
    update-error = "ERROR: podman auto-update: {error}";
    container-pruned = "Pruning container {id} ({name}): stopped for {age}s (threshold: {threshold}s)";
    container-died = "Container {name} of {unit} died with exit code {status}";
  };

  # Fields that are not a run of non-blank characters.
  fieldPatterns = {
    age = "[0-9]+";
    threshold = "[0-9]+";
    status = "[0-9]+";
    count = "[0-9]+";
    found = "[^']*";
    error = ".+";
    outcome = "(?:rolled back|failed)";
  };

  # The message cut into literal text and fields, each rendered by its own function.
  render = literal: field: message: concatStringsSep "" (map
    (part: if isList part then field (head part) else literal part)
    (split "\\{([a-z]+)}" message));

  special = [ "\\" "." "(" ")" "[" "]" "{" "}" "*" "+" "?" "^" "$" "|" ];
  escapePattern = replaceStrings special (map (character: "\\" + character) special);

  pattern = message: "^" + render escapePattern (name: fieldPatterns.${name} or "\\S+") message + "$";
  shell = render (text: text) (name: "\${" + name + "}");
in
{
  # Message name to the anchored regular expression of its full line.
  patterns = mapAttrs (_: pattern) messages;
  # Message name to the text inside a double-quoted shell string.
  shell = mapAttrs (_: shell) messages;
}
