//! The one layer that all test images share.

use crate::image::Result;
use crate::image::archive::{Item, tar_of};

/// What the scripts, the health checks of compose files, and people in a container may call.
const APPLETS: &[&str] = &[
    "cat", "date", "echo", "env", "false", "grep", "head", "hostname", "httpd", "id", "kill", "ls", "mkdir",
    "nslookup", "sed", "sh", "sleep", "test", "touch", "true",
];

/// Programs of real images that compose files call to check health; all follow the rule of `/bin/health`.
const HEALTH_PROGRAMS: &[&str] =
    &["curl", "mariadb-admin", "mongosh", "mysqladmin", "nc", "pg_isready", "redis-cli", "valkey-cli", "wget"];

const SERVICE: &str = include_str!("../../../../fixtures/image/service");
const HEALTH: &str = include_str!("../../../../fixtures/image/health");

/// Users that a compose file may name; podman adds others by number.
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";

/// The layer as an uncompressed tar.
pub(super) fn build(busybox: &[u8]) -> Result<Vec<u8>> {
    let mut items = vec![
        Item::folder("bin", 0o755),
        Item::folder("config", 0o755),
        Item::folder("etc", 0o755),
        Item::folder("tmp", 0o1777),
        Item::folder("usr", 0o755),
        // Whatever user the service runs as writes its page here.
        Item::folder("www", 0o1777),
        Item::link("usr/bin", "../bin"),
        Item::file("etc/passwd", 0o644, PASSWD),
        Item::file("etc/group", 0o644, GROUP),
        Item::file("bin/busybox", 0o755, busybox),
        Item::file("bin/service", 0o755, SERVICE),
        Item::file("bin/health", 0o755, HEALTH),
    ];
    items.extend(APPLETS.iter().map(|name| Item::link(format!("bin/{name}"), "busybox")));
    items.extend(HEALTH_PROGRAMS.iter().map(|name| Item::link(format!("bin/{name}"), "health")));
    tar_of(items)
}
