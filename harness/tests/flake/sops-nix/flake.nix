# A small stand-in for sops-nix: the options that the nodes set, with the names and types that it declares them with.
{
  outputs = _: {
    nixosModules.sops = { lib, ... }:
      let
        inherit (lib) mkOption types;
        secret = types.submodule {
          options = {
            sopsFile = mkOption { type = types.path; };
            format = mkOption { type = types.enum [ "yaml" "json" "binary" "dotenv" "ini" ]; default = "yaml"; };
            owner = mkOption { type = types.nullOr types.str; default = null; };
            group = mkOption { type = types.nullOr types.str; default = null; };
            mode = mkOption { type = types.str; default = "0400"; };
          };
        };
      in
      {
        options.sops = {
          age.keyFile = mkOption { type = types.nullOr types.str; default = null; };
          useSystemdActivation = mkOption { type = types.bool; default = false; };
          secrets = mkOption { type = types.attrsOf secret; default = { }; };
        };
      };
  };
}
