# The stack library: from a host's data to everything that its generation consists of, as text.
#
#   { paths, host } -> { manifest, files, copies }
#
# `files` maps a path relative to the generation to its text; `copies` maps one to the source that is copied byte
# for byte (the compose files, which are inputs); `manifest` tells a reader what there is and where it belongs.
# It needs `builtins` alone, so that any Nix renders it, with no nixpkgs and no network.
{ paths, host }:
let
  inherit (builtins) attrNames attrValues concatMap listToAttrs map readDir readFile replaceStrings;

  checked = import ./check.nix host;
  texts = import ./texts.nix;
  stacks = map (import ./stack.nix { inherit paths; host = checked; }) checked.stacks;
  common = import ./common-units.nix { inherit paths; host = checked; };

  # A unit: its name, scope ("user" or "system"), text, and the targets that want it.
  units = concatMap (stack: stack.units) stacks ++ common;
  unitDirectory = unit: if unit.scope == "user" then paths.userUnits else paths.systemUnits;

  # Scripts are plain files; the paths and the messages are put in here.
  placeholders = { inherit (paths) tools scripts stacks; } // texts.shell;
  fill = replaceStrings (map (name: "@${name}@") (attrNames placeholders)) (attrValues placeholders);
  scriptNames = attrNames (readDir ./scripts);

  # What is installed: relative source, target, mode, and either text or the source of a copy.
  installed =
    map
      (unit: {
        source = "units/${unit.scope}/${unit.name}";
        target = "${unitDirectory unit}/${unit.name}";
        mode = "0644";
        text = unit.text;
      })
      units
    ++ map
      (name: {
        source = "scripts/${name}";
        target = "${paths.scripts}/${name}";
        mode = "0755";
        text = fill (readFile (./scripts + "/${name}"));
      })
      scriptNames
    ++ concatMap (stack: stack.files) stacks;

  pick = kind: listToAttrs (concatMap
    (file: if file ? ${kind} then [{ name = file.source; value = file.${kind}; }] else [ ])
    installed);
in
{
  files = pick "text";
  copies = pick "copy";
  manifest = {
    version = 1;
    host = checked.name;
    inherit (checked) hostname user mounts;
    stacks = map (stack: stack.manifest) stacks;
    native-units = map (native: { inherit (native) unit scope container image; }) checked.native-units;
    units = map (unit: { unit = unit.name; inherit (unit) scope; }) units;
    files = map (file: { inherit (file) source target mode; }) installed;
    links = concatMap
      (unit: map
        (target: { path = "${unitDirectory unit}/${target}.wants/${unit.name}"; target = "../${unit.name}"; })
        unit.wanted-by)
      units;
    alert-url = checked.alerts.url;
    # In the order in which they are started.
    activation = [{ unit = "stacks-activate.service"; scope = "user"; }];
    texts = texts.patterns;
  };
}
