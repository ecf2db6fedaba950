# What every file in hosts/ is written with: the defaults of a stack and of a host, and the variants, which each host
# has under the same names, so that one scenario can be about all of them.
name:
let
  inherit (builtins) filter map;
  compose = stack: file: ../fixtures/compose + "/${name}/${stack}/${file}.yml";

  # A variant that differs from the host in one stack.
  inStack = stack: change: given: given // {
    stacks = map (declared: if declared.name == stack then declared // change declared else declared) given.stacks;
  };
  withCompose = stack: file: inStack stack (_: { compose = compose stack file; });
in
{
  # A stack with what most have: its compose file, one env file of its name, and its data.
  stack = stack: given: {
    name = stack;
    compose = compose stack "docker-compose";
    secrets = [{ name = "${stack}.env"; }];
    mounts = [ "/mnt/docker" ];
  } // given;

  host = given: {
    inherit name;
    hostname = name;
    user = { name = "abl030"; uid = 1000; group = "users"; gid = 100; home = "/home/abl030"; };
    alerts = { url = "http://127.0.0.1:8099/message?token=harness"; priority = 8; };
    # Seconds for which a container stays after it stopped.
    prune-after = 14400;
    native-units = [
      {
        unit = "update-probe.service";
        scope = "user";
        container = "update-probe";
        image = "127.0.0.1:5000/native/update-probe:latest";
      }
    ];
  } // given;

  # Each a small delta on the host, by name. They change `single`, a stack of one service with a health check and one
  # env file; `holder`, one with a network holder; and `renamed`, a service `from` that is called `to` afterwards.
  # What is to run differently is in a compose file of the variant's name beside the host's.
  variants = { single, holder, renamed }: {
    # The compose file and the declaration call a service by another name; its image stays.
    renamed-service = inStack renamed.stack (declared: {
      compose = compose renamed.stack "renamed-service";
      services = map
        (service:
          if service.name != renamed.from then service
          else {
            image = "127.0.0.1:5000/${renamed.stack}/${renamed.from}:latest";
          } // service // { name = renamed.to; } // (if service ? container then { container = renamed.to; } else { }))
        declared.services;
    });
    changed-compose = withCompose single "changed-compose";
    # A network holder changes, and with it what lives in its network.
    changed-holder = withCompose holder "changed-holder";
    # The generation is the host's own; what changes is the env file, kept beside the host's.
    changed-secret = given: given;
    # Alerting changes, no stack does.
    monitoring-only = given: given // { alerts = given.alerts // { priority = 5; }; };
    removed-stack = given: given // { stacks = filter (declared: declared.name != single) given.stacks; };
    no-fallback = inStack single (_: { secrets = [{ name = "${single}.env"; fallback = false; }]; });
    short-threshold = inStack single (_: { stale-threshold = 20; });
    # Those that cannot work. The compose file has a service that the declaration, and so the override, lacks.
    uncovered-service = withCompose single "uncovered-service";
    unparsable = withCompose single "unparsable";
    missing-image = withCompose single "missing-image";
    # Something else listens where a port is to be published.
    taken-port = withCompose single "taken-port";
    # A container whose program does not exist, and one whose program ends at once.
    cannot-start = withCompose single "cannot-start";
    exits-at-once = withCompose single "exits-at-once";
  };
}
