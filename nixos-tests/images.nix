# Stand-ins for the images of the stacks: busybox and two scripts, made without a network. `list` is a file with one line
# for each image: its archive, its place in the node's registry, and its whole name; `registries` has podman look there
# for the images of every registry; `images` are their names in parts.
{ lib, pkgs, names }:
let
  busybox = pkgs.pkgsStatic.busybox;
  scripts = ../fixtures/image;
  # Programs of real images that compose files call to check health; all follow the rule of /bin/health. A test holds
  # them to those of the Debian guest (harness/src/image/test_image/layer.rs).
  healthPrograms = [
    "curl"
    "mariadb-admin"
    "mongosh"
    "mysqladmin"
    "nc"
    "pg_isready"
    "redis-cli"
    "valkey-cli"
    "wget"
  ];

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

  local = "127.0.0.1:5000";
  # The folder of the node's registry that has the images of another one.
  folderOf = host: lib.replaceStrings [ ":" ] [ "_" ] host;

  # A name in its parts, as podman takes it: what looks like a host is one, and without one it is Docker's.
  parse = name:
    let
      matched = builtins.match "(([^/]*[.:][^/]*|localhost)/)?([a-z0-9][a-z0-9._/-]*)(:([A-Za-z0-9_][A-Za-z0-9._-]*))?" name;
      part = builtins.elemAt matched;
      orElse = default: given: if given == null then default else given;
      host = orElse "docker.io" (part 1);
      repository = lib.optionalString (host == "docker.io" && !lib.hasInfix "/" (part 2)) "library/" + part 2;
      folder = lib.optionalString (host != local) "${folderOf host}/";
      tag = orElse "latest" (part 4);
    in
    if matched == null then
      throw "harness.images: no stand-in can be made for ${name}: name it as [HOST/]PATH[:TAG], without a digest"
    else {
      inherit host repository tag;
      whole = "${host}/${repository}:${tag}";
      place = "${local}/${folder}${repository}:${tag}";
      service = lib.last (lib.splitString "/" repository);
    };

  archive = image: pkgs.dockerTools.buildImage {
    name = "${image.host}/${image.repository}";
    inherit (image) tag;
    copyToRoot = root;
    # Whatever user a service runs as writes here.
    extraCommands = "chmod 1777 tmp www";
    config = {
      Entrypoint = [ "/bin/service" ];
      Env = [ "PATH=/bin" "HARNESS_SERVICE=${image.service}" "HARNESS_VERSION=v1" ];
      # No two images have the same id.
      Labels = { "harness.image" = image.whole; "harness.version" = "v1"; };
    };
  };

  images = map parse names;
  others = lib.unique (lib.filter (host: host != local) (map (image: image.host) images));
in
{
  inherit images;
  list = pkgs.writeText "harness-images"
    (lib.concatMapStrings (image: "${archive image} ${image.place} ${image.whole}\n") images);
  registries = lib.concatMapStrings
    (host: ''

      [[registry]]
      prefix = "${host}"
      location = "${local}/${folderOf host}"
      insecure = true
    '')
    others;
}
