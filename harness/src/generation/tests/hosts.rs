//! The hosts have the shape of the real ones: what stands below is what those run.

use pretty_assertions::assert_eq;

use super::project;
use crate::generation::{Generation, Stack, hosts};

/// One line for each stack.
const IGPU: &str = "
igpu-management services=2 health=1 joins=0 waits=0 autoupdate=2 socket=2 env-files=1 mounts=docker
tdarr-igp       services=1 health=1 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker,data,fuse
jellyfin        services=8 health=3 joins=4 waits=1 autoupdate=8 socket=0 env-files=1 mounts=docker,data,fuse
plex            services=2 health=1 joins=1 waits=0 autoupdate=2 socket=0 env-files=1 mounts=docker,data,fuse
loki            services=5 health=0 joins=0 waits=0 autoupdate=0 socket=0 env-files=1 mounts=docker
5 stacks: services=18 health=6 joins=5 waits=1 autoupdate=13 socket=2 env-files=5
";

/// Likewise.
const DOC1: &str = "
management      services=3 health=1 joins=0 waits=0 autoupdate=3 socket=2 env-files=1 mounts=docker
tailscale-caddy services=3 health=1 joins=2 waits=2 autoupdate=3 socket=0 env-files=1 mounts=docker
immich          services=7 health=4 joins=5 waits=2 autoupdate=6 socket=0 env-files=1 mounts=docker
paperless       services=5 health=1 joins=0 waits=0 autoupdate=4 socket=0 env-files=1 mounts=docker,data
mealie          services=2 health=2 joins=0 waits=1 autoupdate=2 socket=0 env-files=1 mounts=docker,data
kopia           services=2 health=2 joins=0 waits=0 autoupdate=2 socket=0 env-files=2 mounts=docker,data
atuin           services=2 health=0 joins=0 waits=0 autoupdate=2 socket=0 env-files=1 mounts=docker
audiobookshelf  services=1 health=1 joins=0 waits=0 autoupdate=1 socket=0 env-files=0 mounts=docker,data
domain-monitor  services=2 health=0 joins=0 waits=0 autoupdate=2 socket=0 env-files=1 mounts=docker
invoices        services=13 health=0 joins=2 waits=0 autoupdate=13 socket=0 env-files=1 mounts=docker
jdownloader2    services=1 health=1 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker,data
music           services=5 health=1 joins=4 waits=0 autoupdate=5 socket=0 env-files=2 mounts=docker
netboot         services=1 health=0 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker
smokeping       services=1 health=0 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker
stirlingpdf     services=1 health=0 joins=0 waits=0 autoupdate=1 socket=0 env-files=0 mounts=docker
tautulli        services=1 health=0 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker,data
uptime-kuma     services=1 health=1 joins=0 waits=0 autoupdate=1 socket=1 env-files=1 mounts=docker
webdav          services=1 health=1 joins=0 waits=0 autoupdate=1 socket=0 env-files=1 mounts=docker,data
youtarr         services=2 health=2 joins=0 waits=0 autoupdate=2 socket=0 env-files=1 mounts=docker,data
19 stacks: services=54 health=18 joins=13 waits=5 autoupdate=52 socket=3 env-files=19
";

/// The names of what is counted, in the order of the counts.
const COUNTED: [&str; 7] = ["services", "health", "joins", "waits", "autoupdate", "socket", "env-files"];

#[test]
fn hosts_have_the_shape_of_the_real_ones() {
    check("igpu", IGPU);
    check("doc1", DOC1);
    assert_eq!(hosts(&project()).unwrap(), ["doc1", "igpu"], "a new host needs its table here");
}

fn check(host: &str, expected: &str) {
    let generation = Generation::read(&project().join("fixtures/rendered").join(host)).unwrap();
    let stacks = &generation.manifest.stacks;
    let mut table = String::from("\n");
    let mut total = [0; COUNTED.len()];
    for stack in stacks {
        let counts = counts(&generation, stack);
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let mounts: Vec<_> = stack.mounts.iter().map(|mount| mount.trim_start_matches("/mnt/")).collect();
        table += &format!("{:<15} {} mounts={}\n", stack.name, words(counts), mounts.join(","));
    }
    table += &format!("{} stacks: {}\n", stacks.len(), words(total));
    assert_eq!(table, expected, "{host}");
}

/// What the manifest says of a stack. Where its compose file says the same thing in its own words, they must agree.
fn counts(generation: &Generation, stack: &Stack) -> [usize; COUNTED.len()] {
    let compose = String::from_utf8(generation.files[&format!("{}/docker-compose.yml", stack.name)].clone()).unwrap();
    let of = |text: &str| compose.matches(text).count();
    let both = |declared: usize, text: &str| {
        assert_eq!(declared, of(text), "`{text}` in the compose file of {}", stack.name);
        declared
    };
    let services = || stack.services.iter();
    both(services().map(|service| service.ports.len()).sum(), "\"127.0.0.1:");
    both(services().filter(|service| service.network_of.is_some()).count(), "network_mode: service:");
    for mount in stack.mounts.iter().filter(|mount| *mount != "/mnt/docker") {
        assert!(of(&format!("- {mount}:")) > 0, "no service of {} mounts {mount}", stack.name);
    }
    [
        both(stack.services.len(), "    image: 127.0.0.1:5000/"),
        both(services().filter(|service| service.health_check).count(), "healthcheck:"),
        services().filter(|service| service.network_of.is_some()).count(),
        both(services().map(|service| service.needs_healthy.len()).sum(), "condition: service_healthy"),
        both(services().filter(|service| service.autoupdate).count(), "io.containers.autoupdate=registry"),
        of("${XDG_RUNTIME_DIR}/podman/podman.sock:"),
        stack.secrets.len(),
    ]
}

fn words(counts: [usize; COUNTED.len()]) -> String {
    let words: Vec<_> = COUNTED.iter().zip(counts).map(|(name, count)| format!("{name}={count}")).collect();
    words.join(" ")
}
