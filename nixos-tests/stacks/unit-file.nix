# The text of a systemd unit file. A section is an attribute set; a list is a key that is repeated.
let
  inherit (builtins) attrNames concatLists concatStringsSep filter isBool isList replaceStrings toString;

  value = v: if isBool v then (if v then "yes" else "no") else toString v;
  lines = key: v: map (single: "${key}=${value single}") (if isList v then v else [ v ]);
  section = sections: name:
    concatStringsSep "\n"
      ([ "[${name}]" ] ++ concatLists (map (key: lines key sections.${name}.${key}) (attrNames sections.${name})));

  # What people look for first comes first.
  order = [ "Unit" "Service" "Timer" "Install" ];
in
{
  # { Unit = { … }; Service = { … }; … } to text.
  render = sections:
    concatStringsSep "\n\n" (map (section sections) (filter (name: sections ? ${name}) order)) + "\n";

  # Environment variables as the values of `Environment=`: quoted, with systemd's specifiers taken literally.
  environment = variables:
    map (name: "\"${name}=${replaceStrings [ "%" ] [ "%%" ] (toString variables.${name})}\"") (attrNames variables);
}
