# A host of this project as a NixOS test node: its stacks, its secrets as sops-nix decrypts them, and every variant as a
# specialisation.
{ name, sops-nix }:
{ config, lib, ... }:
let
  data = import (./hosts + "/${name}.nix");
  cfg = config.services.container-stacks;
  inherit (cfg.host) user;
  secrets = ../fixtures/secrets + "/${name}";

  # The file in the fixtures that a stack's secret is in; a variant may have its own.
  sopsFile = folder: stack: secret:
    let own = folder + "/${stack.name}/${secret.name}"; in
    if builtins.pathExists own then own else secrets + "/${stack.name}/${secret.name}";
  secretsFrom = folder: lib.listToAttrs (lib.concatMap
    (stack: lib.imap0
      (index: secret: lib.nameValuePair "containers/${stack.name}/${toString index}-${secret.name}" {
        sopsFile = sopsFile folder stack secret;
        format = "binary";
        owner = user.name;
        group = user.group;
        mode = "0400";
      })
      stack.secrets)
    cfg.host.stacks);
in
{
  imports = [ ./modules/stacks.nix ./modules/test-node.nix sops-nix.nixosModules.sops ];

  config = {
    networking.hostName = data.host.hostname;
    services.container-stacks = { enable = true; host = data.host; };

    sops = {
      age.keyFile = "/var/lib/sops-nix/key.txt";
      secrets = secretsFrom secrets;
    };
    system.activationScripts = {
      # sops-nix takes no key from the store, rightly: nobody's real one is there. The test key is put in place first.
      harness-test-key = "install -D -m 0400 ${../fixtures/secrets/test-key.age} /var/lib/sops-nix/key.txt";
      setupSecrets = lib.mkIf (!config.sops.useSystemdActivation) { deps = [ "harness-test-key" ]; };
    };

    # The same host a generation later, which `switch-to-configuration` activates.
    specialisation = lib.mapAttrs
      (variant: change: {
        configuration = {
          services.container-stacks.host = lib.mkForce (change data.host);
          sops.secrets = lib.mkForce (secretsFrom (secrets + "/variants/${variant}"));
        };
      })
      data.variants;
  };
}
