//! The one layer that all test images share, and the tar archives that it and the images travel in.

use tar::{Builder, EntryType, Header};

use crate::image::{Error, Result};

/// What the scripts, the health checks of compose files, and people in a container may call.
const APPLETS: &[&str] = &[
    "cat", "date", "echo", "env", "false", "grep", "head", "hostname", "httpd", "id", "kill", "ls",
    "mkdir", "nc", "nslookup", "sed", "sh", "sleep", "test", "touch", "true", "wget",
];

/// Programs of real images that compose files call to check health; all follow the rule of `/bin/health`.
const HEALTH_PROGRAMS: &[&str] = &["curl", "pg_isready", "redis-cli"];

const SERVICE: &str = include_str!("../../../../fixtures/image/service");
const HEALTH: &str = include_str!("../../../../fixtures/image/health");

/// Users that a compose file may name; podman adds others by number.
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";

/// One member of a tar archive, owned by root and as old as time.
pub(super) struct Item {
    path: String,
    mode: u32,
    content: Content,
}

enum Content {
    Folder,
    File(Vec<u8>),
    Link(String),
}

impl Item {
    pub(super) fn file(path: impl Into<String>, mode: u32, bytes: impl Into<Vec<u8>>) -> Item {
        Item {
            path: path.into(),
            mode,
            content: Content::File(bytes.into()),
        }
    }

    fn folder(path: &str, mode: u32) -> Item {
        Item {
            path: path.to_owned(),
            mode,
            content: Content::Folder,
        }
    }

    fn link(path: impl Into<String>, target: &str) -> Item {
        Item {
            path: path.into(),
            mode: 0o777,
            content: Content::Link(target.to_owned()),
        }
    }
}

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
    items.extend(
        APPLETS
            .iter()
            .map(|name| Item::link(format!("bin/{name}"), "busybox")),
    );
    items.extend(
        HEALTH_PROGRAMS
            .iter()
            .map(|name| Item::link(format!("bin/{name}"), "health")),
    );
    tar_of(items)
}

/// Packs members in the order given.
pub(super) fn tar_of(items: impl IntoIterator<Item = Item>) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for item in items {
        append(&mut archive, &item).map_err(Error::io("pack", &item.path))?;
    }
    archive
        .into_inner()
        .map_err(Error::io("pack", "an archive"))
}

fn append(archive: &mut Builder<Vec<u8>>, item: &Item) -> std::io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(item.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    match &item.content {
        Content::Folder => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, format!("{}/", item.path), std::io::empty())
        }
        Content::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, &item.path, target)
        }
        Content::File(bytes) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, &item.path, bytes.as_slice())
        }
    }
}
