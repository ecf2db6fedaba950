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
  fallbacks = lib.concatMap
    (stack: lib.concatLists (lib.imap0
      (index: secret: lib.optional secret.fallback {
        native = "/run/secrets/containers/${stack.name}/${toString index}-${secret.name}";
        fallback = "/run/user/${toString user.uid}/secrets/${secret.name}";
      })
      stack.secrets))
    cfg.host.stacks;
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
      # By a unit, which scenarios can start again, as systemd's own way of making users has it.
      useSystemdActivation = true;
      age.keyFile = "/var/lib/sops-nix/key.txt";
      secrets = secretsFrom secrets;
    };
    # sops-nix takes no key from the store, rightly: nobody's real one is there. The test key is put in place first; a
    # scenario's own stays.
    system.activationScripts.harness-test-key = ''
      [ -e /var/lib/sops-nix/key.txt ] || install -D -m 0400 ${../fixtures/secrets/test-key.age} /var/lib/sops-nix/key.txt
    '';
    # Podman's own unit for updates waits for this one, which is there from the boot on.
    systemd.targets.network-online.wantedBy = [ "multi-user.target" ];

    # An older generation kept the same secrets elsewhere, and stacks fall back to those.
    systemd.services.harness-fallback-secrets = {
      description = "Secrets where an older generation had them";
      wantedBy = [ "multi-user.target" ];
      wants = [ "user-runtime-dir@${toString user.uid}.service" ];
      after = [ "user-runtime-dir@${toString user.uid}.service" "sops-install-secrets.service" ];
      before = [ "user@${toString user.uid}.service" ];
      partOf = [ "sops-install-secrets.service" ];
      serviceConfig = { Type = "oneshot"; RemainAfterExit = true; User = user.name; UMask = "0077"; };
      script = lib.concatMapStrings
        ({ native, fallback }: "[ ! -e ${native} ] || install -D -m 0400 ${native} ${fallback}\n")
        fallbacks;
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
