# The functions of nixpkgs' library that the flake uses, with the meaning that they have there.
let
  inherit (builtins) attrNames concatLists concatStringsSep elemAt foldl' genList hasAttr head
    isList isPath isString length readDir stringLength substring;

  lib = rec {
    inherit (builtins) concatMap filter isAttrs isFunction listToAttrs mapAttrs replaceStrings;
    inherit concatLists concatStringsSep;
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: value: listToAttrs (map (name: nameValuePair name (value name)) names);
    mapAttrsToList = value: set: map (name: value name set.${name}) (attrNames set);
    filterAttrs = keep: set: listToAttrs
      (concatLists (mapAttrsToList (name: value: if keep name value then [ (nameValuePair name value) ] else [ ]) set));
    imap0 = value: list: genList (index: value index (elemAt list index)) (length list);
    range = first: last: genList (index: first + index) (last - first + 1);
    unique = foldl' (found: one: if builtins.elem one found then found else found ++ [ one ]) [ ];
    elem = builtins.elem;
    optional = condition: value: if condition then [ value ] else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    concatMapStrings = text: list: concatStringsSep "" (map text list);
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasInfix = infix: text: builtins.length (splitString infix text) > 1;
    splitString = separator: text:
      filter isString (builtins.split (builtins.replaceStrings [ "." ] [ "[.]" ] separator) text);
    last = list: elemAt list (length list - 1);
    hasSuffix = suffix: text:
      let rest = stringLength text - stringLength suffix; in
      rest >= 0 && substring rest (-1) text == suffix;
    removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    removeSuffix = suffix: text:
      if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
    strings.sanitizeDerivationName = name: concatStringsSep "-" (filter isString (builtins.split "[^[:alnum:]+._?=-]+" name));
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    getExe = package: "${package}/bin/${package.meta.mainProgram or package.pname or package.name}";
    makeBinPath = packages: concatStringsSep ":" (map (package: "${package}/bin") packages);
    stringAfter = deps: text: { inherit deps text; };
    licenses.mit = "MIT";
    filesystem.listFilesRecursive = folder: concatLists (mapAttrsToList
      (name: kind: if kind == "directory" then filesystem.listFilesRecursive (folder + "/${name}") else [ (folder + "/${name}") ])
      (readDir folder));
    fileset = {
      unions = sets: sets;
      toSource = { root, fileset }: assert isPath root && isList fileset; root;
    };

    # Options and what is said about them.
    mkOption = option: option // { _type = "option"; };
    mkEnableOption = what: mkOption { type = types.bool; default = false; description = "Whether to enable ${what}."; };
    literalExpression = text: text;
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkForce = mkOverride 50;
    mkDefault = mkOverride 1000;
    mkAfter = content: { _type = "after"; inherit content; };

    # A type checks a value and completes it; some join several values to one.
    types =
      let
        simple = name: check: { inherit name check; complete = _: value: value; };
        of = name: check: complete: { inherit name check complete; };
        text = value: isString value || value ? outPath;
      in
      rec {
        bool = simple "bool" builtins.isBool;
        int = simple "int" builtins.isInt;
        str = simple "str" text;
        path = simple "path" (value: isPath value || text value);
        package = simple "package" (value: value ? outPath);
        anything = simple "anything" (_: true);
        lines = simple "lines" text // { join = concatStringsSep "\n"; };
        port = simple "port" (value: builtins.isInt value && value > 0 && value < 65536);
        ints.positive = simple "positive" (value: builtins.isInt value && value > 0);
        ints.unsigned = simple "unsigned" (value: builtins.isInt value && value >= 0);
        enum = values: simple "enum" (value: builtins.elem value values);
        nullOr = inner: of "nullOr ${inner.name}" (value: value == null || inner.check value)
          (place: value: if value == null then null else inner.complete place value);
        oneOf = inners: simple "oneOf" (value: builtins.any (inner: inner.check value) inners);
        listOf = inner: of "listOf ${inner.name}" isList
          (place: imap0 (index: checked inner "${place}.${toString index}")) // { join = concatLists; };
        attrsOf = inner: of "attrsOf ${inner.name}" isAttrs
          (place: mapAttrs (name: checked inner "${place}.${name}")) // { joinByName = inner; };
        submodule = module: of "submodule" isAttrs (place: completeAll place (module.options or { })) // {
          options = module.options or { };
        };
      };

    checked = type: place: value:
      if type.check value then type.complete place value
      else throw "the option ${place} is not of type ${type.name}: ${builtins.typeOf value}";
    isOption = value: value._type or null == "option";
    option = place: declared: value:
      let found = if value == null && !(declared.type.check null) then declared.default or (throw "the option ${place} is not set") else value;
      in (declared.apply or (same: same)) (checked declared.type place found);
    # The values of all options of a tree; a name that no option has is an error.
    completeAll = place: options: given:
      let unknown = filter (name: !(hasAttr name options)) (attrNames given); in
      if unknown != [ ] then throw "the option ${place}.${head unknown} does not exist"
      else
        mapAttrs
          (name: declared:
            let here = if place == "" then name else "${place}.${name}"; in
            if isOption declared then option here declared (given.${name} or null)
            else completeAll here declared (given.${name} or { }))
          options;

    # Modules: their options joined, and their values merged by priority.
    evalModules = { modules, specialArgs ? { } }:
      let
        load = module:
          let
            loaded = if isPath module || isString module then import module else module;
            called = if isFunction loaded then loaded (arguments // { lib = lib; }) else loaded;
            shaped = if called ? config || called ? options then called else { config = removeAttrs called [ "imports" ]; };
          in
          concatLists (map load (called.imports or [ ])) ++ [ shaped ];
        loaded = concatLists (map load modules);
        options = foldl' joinOptions { } (map (module: module.options or { }) loaded);
        arguments = specialArgs // { inherit config options; };
        config = completeAll "" options (merge options (map (module: module.config or { }) loaded));
      in
      {
        inherit config options;
        extendModules = extension: evalModules { modules = modules ++ extension.modules; inherit specialArgs; };
        pkgs = specialArgs.pkgs;
      };
    joinOptions = one: other: one // mapAttrs
      (name: value: if hasAttr name one && !(isOption value) then joinOptions one.${name} value else value)
      other;

    # Takes a definition apart into plain values with priorities; what is not to be used goes.
    plain = value:
      if value._type or null == "if" then (if value.condition then plain value.content else [ ])
      else if value._type or null == "override" then map (one: one // { inherit (value) priority; }) (plain value.content)
      else if value._type or null == "after" then map (one: one // { late = true; }) (plain value.content)
      else [{ priority = 100; late = false; inherit value; }];
    # A condition on a set is one on each of its values, so that names are known before any condition is.
    pushDown = value:
      if value ? _type && value ? content then mapAttrs (_: content: value // { inherit content; }) (pushDown value.content)
      else value;
    merge = options: definitions:
      let
        values = map pushDown definitions;
        names = unique (concatLists (map attrNames values));
        under = name: map (value: value.${name}) (filter (hasAttr name) values);
      in
      genAttrs names (name:
        let declared = options.${name} or (throw "the option ${name} does not exist"); in
        if isOption declared then mergeType declared.type (under name) else merge declared (under name));
    mergeType = type: definitions:
      let
        all = concatLists (map plain definitions);
        best = foldl' (least: one: if one.priority < least then one.priority else least) 9999 all;
        chosen = filter (one: one.priority == best) all;
        values = map (one: one.value) (filter (one: !one.late) chosen ++ filter (one: one.late) chosen);
        names = unique (concatLists (map attrNames values));
        under = name: map (value: value.${name}) (filter (hasAttr name) values);
      in
      if values == [ ] then null
      else if type ? options && builtins.all isAttrs values then merge type.options values
      else if type ? joinByName && builtins.all isAttrs values then genAttrs names (name: mergeType type.joinByName (under name))
      else if type ? join && builtins.all type.check values then type.join values
      else if length values == 1 || builtins.all (value: value == head values) values then head values
      else throw "a value of type ${type.name} is set in different ways";
  };
in
lib
