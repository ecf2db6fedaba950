# Checks that run trials on NixOS nodes, each a derivation of its own, so that Nix's builders share them.
#
#   mkStackChecks {
#     pkgs;            # the packages of the checks' system
#     nodes;           # by host: a NixOS configuration with nixosModules.stacks, or a module of one
#     scenarios ? …;   # a folder with functional/, failure/ and regression/, in the place of the project's own
#     shards ? 1;      # into how many derivations each section of a host is divided
#   }
#
# gives { igpu-functional = …; igpu-failure = …; igpu-regression = …; … }.
{ harness, testNode, source, ownScenarios }:
{ pkgs, nodes, scenarios ? ownScenarios, shards ? 1 }:
let
  inherit (pkgs) lib;
  sections = lib.filter (section: builtins.pathExists (scenarios + "/${section}")) [ "functional" "failure" "regression" ];

  refuse = name: problem: throw "mkStackChecks: node ${name} ${problem}";
  stacksOf = name: config:
    if config.services ? container-stacks then config
    else refuse name "has no container stacks: add nixosModules.stacks to its modules";

  # A module becomes a node of a NixOS test.
  ofModule = name: node: (pkgs.testers.runNixOSTest {
    name = "stacks-${name}";
    nodes.${name}.imports = [ node testNode ];
    # The harness takes the place of the test script.
    testScript = "";
  }).nodes.${name};

  # A whole configuration keeps its own packages and special arguments, and gets what makes a test node of it.
  ofConfiguration = node: (node.extendModules {
    modules = [
      # By the path that the configuration itself would name them with: whoever has one of them already has it once.
      # Where they are in a file of their own, a test brings along the options of networks between nodes.
      ({ modulesPath, ... }: {
        imports = [ "${modulesPath}/virtualisation/qemu-vm.nix" "${modulesPath}/testing/test-instrumentation.nix" ]
          ++ lib.filter builtins.pathExists [ "${modulesPath}/virtualisation/guest-networking-options.nix" ];
      })
      testNode
    ];
  }).config;

  # Anything else is refused here, with advice, and not by a trace into nixpkgs.
  configOf = name: node: stacksOf name (
    if lib.isFunction node || builtins.isPath node then ofModule name node
    else if !lib.isAttrs node then
      refuse name "is ${builtins.typeOf node}: give it a NixOS configuration or a module of one"
    else if node ? extendModules then ofConfiguration node
    else if node.type or null == "derivation" then
      refuse name "is a package: give it the nixosConfiguration, not what is built from it"
    else if node ? outputs || node ? nixosConfigurations then
      refuse name "is a flake: give it one of its nixosConfigurations"
    else ofModule name node
  );

  checkedShards =
    if builtins.isInt shards && shards >= 1 then shards
    else throw "mkStackChecks: shards must be a whole number of 1 or more, and is ${builtins.toJSON shards}";

  # The node in the form of the test driver's own file.
  file = name: node: pkgs.writeText "nodes.json" (builtins.toJSON {
    vms.${name} = {
      inherit name;
      start_script = lib.getExe node.system.build.vm;
    };
    vlans = [ ];
  });

  # Without the trace, a trial would pass although a program is started that must not be.
  traced =
    if pkgs.stdenv.hostPlatform.isx86_64 then node: node
    else throw "mkStackChecks: the trace of started programs knows x86-64 only: take the pkgs of x86_64-linux";

  check = name: node: section: shard:
    pkgs.runCommand "stacks-${name}-${section}${lib.optionalString (checkedShards > 1) "-${toString shard}"}"
      {
        nativeBuildInputs = [ harness pkgs.qemu_test pkgs.util-linux ];
        # KVM, where a builder has it.
        requiredSystemFeatures = [ "nixos-test" ];
        passthru = { inherit node; };
      }
      ''
        export HOME=$TMPDIR HARNESS_CACHE=$TMPDIR/c HARNESS_PROJECT=${source}
        harness run ::${section}:: --guest nixos --nodes ${file name node} \
          --system ${node.services.container-stacks.generation} --as ${name} --scenarios ${scenarios} \
          --shard ${toString shard}/${toString checkedShards} --out $TMPDIR/out || status=$?
        mkdir -p $out
        cp --recursive $TMPDIR/out/latest/. $out
        # 4: nothing failed, and what was skipped is in the report with its reason.
        [ ''${status:-0} = 4 ] || exit ''${status:-0}
      '';

  checksOf = name: given:
    let
      node = traced (configOf name given);
      one = section: shard: lib.nameValuePair
        "${name}-${section}${lib.optionalString (checkedShards > 1) "-${toString shard}"}"
        (check name node section shard);
    in
    lib.concatMap (section: map (one section) (lib.range 1 checkedShards)) sections;
in
lib.listToAttrs (lib.concatLists (lib.mapAttrsToList checksOf nodes))
