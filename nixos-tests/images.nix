# Stand-ins for the images of the stacks: busybox and two scripts, made without a network. The result is a file with one
# line for each image: its archive, and its name.
{ lib, pkgs, names }:
let
  busybox = pkgs.pkgsStatic.busybox;
  scripts = ../fixtures/image;
  # Programs of real images that compose files call to check health; all follow the rule of /bin/health.
  healthPrograms = [ "curl" "pg_isready" "redis-cli" ];

  root = pkgs.runCommand "harness-image-root" { } ''
    mkdir -p $out/bin $out/config $out/etc $out/tmp $out/usr $out/www
    cp ${busybox}/bin/busybox $out/bin/busybox
    for applet in $(${busybox}/bin/busybox --list); do
      [ "$applet" = busybox ] || ln -s busybox "$out/bin/$applet"
    done
    install -m 0755 ${scripts}/service ${scripts}/health $out/bin/
    for program in ${toString healthPrograms}; do ln -sf health "$out/bin/$program"; done
    ln -s ../bin $out/usr/bin
    printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > $out/etc/passwd
    printf 'root:x:0:\nnogroup:x:65534:\n' > $out/etc/group
  '';

  # `127.0.0.1:5000/photos/web:latest` is the service `web`; a tag is behind the last colon, unless a path follows.
  parts = name: builtins.match "(.*/)?([^/:]+)(:([^/:]+))?" name;
  service = name: builtins.elemAt (parts name) 1;
  tag = name: let given = builtins.elemAt (parts name) 3; in if given == null then "latest" else given;

  archive = name: pkgs.dockerTools.buildImage {
    name = lib.removeSuffix ":${tag name}" name;
    tag = tag name;
    copyToRoot = root;
    # Whatever user a service runs as writes here.
    extraCommands = "chmod 1777 tmp www";
    config = {
      Entrypoint = [ "/bin/service" ];
      Env = [ "PATH=/bin" "HARNESS_SERVICE=${service name}" "HARNESS_VERSION=v1" ];
      # No two images have the same id.
      Labels = { "harness.image" = name; "harness.version" = "v1"; };
    };
  };
in
pkgs.writeText "harness-images" (lib.concatMapStrings (name: "${archive name} ${name}\n") names)
