//! Archives made of the same members everywhere: owned by root, as old as time, in a fixed order, so that equal
//! content gives equal bytes.

use std::io;

use tar::{Builder, EntryType, Header};

use super::{Error, Result};

/// The bits of a cpio member's mode that say what it is.
const CPIO_FOLDER: u32 = 0o040_000;
const CPIO_FILE: u32 = 0o100_000;
const CPIO_LINK: u32 = 0o120_000;

/// One member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) content: Content,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Folder,
    File(Vec<u8>),
    Link(String),
}

impl Item {
    pub(super) fn file(path: impl Into<String>, mode: u32, bytes: impl Into<Vec<u8>>) -> Item {
        Item { path: path.into(), mode, content: Content::File(bytes.into()) }
    }

    pub(super) fn folder(path: impl Into<String>, mode: u32) -> Item {
        Item { path: path.into(), mode, content: Content::Folder }
    }

    pub(super) fn link(path: impl Into<String>, target: impl Into<String>) -> Item {
        Item { path: path.into(), mode: 0o777, content: Content::Link(target.into()) }
    }
}

/// Packs members as a tar, in the order given.
pub(super) fn tar_of(items: impl IntoIterator<Item = Item>) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for item in items {
        append_to_tar(&mut archive, &item).map_err(Error::io("pack", &item.path))?;
    }
    archive.into_inner().map_err(Error::io("pack", "an archive"))
}

fn append_to_tar(archive: &mut Builder<Vec<u8>>, item: &Item) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(item.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    match &item.content {
        Content::Folder => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, format!("{}/", item.path), io::empty())
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

/// Packs members as a cpio in the "newc" format, which the kernel unpacks as its initial RAM disk. Folders come before
/// what is in them.
pub(super) fn cpio_of(items: impl IntoIterator<Item = Item>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (number, item) in (1..).zip(items) {
        let (kind, bytes) = match &item.content {
            Content::Folder => (CPIO_FOLDER, [].as_slice()),
            Content::File(bytes) => (CPIO_FILE, bytes.as_slice()),
            Content::Link(target) => (CPIO_LINK, target.as_bytes()),
        };
        append_to_cpio(&mut archive, number, &item.path, kind | item.mode, bytes);
    }
    append_to_cpio(&mut archive, 0, "TRAILER!!!", 0, &[]);
    archive
}

fn append_to_cpio(archive: &mut Vec<u8>, number: usize, path: &str, mode: u32, bytes: &[u8]) {
    // Inode, mode, owner, group, links, time, size, four device numbers, length of the name with its NUL, no checksum.
    let fields = [number, mode as usize, 0, 0, 1, 0, bytes.len(), 0, 0, 0, 0, path.len() + 1, 0];
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(path.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(bytes);
    pad(archive);
}

/// Every part of a cpio begins at a multiple of four bytes.
fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// What a program of the host lists when it reads an archive.
    fn listed_by(words: &[&str], archive: &[u8]) -> String {
        let mut child =
            Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(archive).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    fn items() -> [Item; 4] {
        let long = format!("folder/{}", "x".repeat(120));
        [
            Item::folder("folder", 0o1777),
            Item::file("folder/file", 0o755, "abcde"),
            Item::link("folder/link", "file"),
            Item::file(long, 0o644, ""),
        ]
    }

    #[test]
    fn tar_reads_what_was_packed() {
        let listed = listed_by(&["tar", "-tv", "--numeric-owner", "--utc"], &tar_of(items()).unwrap());
        let lines: Vec<_> = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], "drwxrwxrwt 0/0 0 1970-01-01 00:00 folder/");
        assert_eq!(lines[1], "-rwxr-xr-x 0/0 5 1970-01-01 00:00 folder/file");
        assert_eq!(lines[2], "lrwxrwxrwx 0/0 0 1970-01-01 00:00 folder/link -> file");
        assert!(lines[3].ends_with(&"x".repeat(120)));
    }

    #[test]
    fn a_cpio_has_its_members_at_multiples_of_four() {
        let archive = cpio_of(items());
        let mut rest = archive.as_slice();
        let mut seen = Vec::new();
        while !rest.is_empty() {
            assert_eq!(&rest[..6], b"070701");
            let field = |index: usize| {
                let text = std::str::from_utf8(&rest[6 + index * 8..14 + index * 8]).unwrap();
                usize::from_str_radix(text, 16).unwrap()
            };
            let (mode, size, name_length) = (field(1), field(6), field(11));
            let name = String::from_utf8(rest[110..110 + name_length - 1].to_vec()).unwrap();
            let data = (110 + name_length).next_multiple_of(4);
            seen.push((name, mode, rest[data..data + size].to_vec()));
            rest = &rest[(data + size).next_multiple_of(4)..];
        }
        assert_eq!(seen[0], ("folder".to_owned(), 0o041_777, Vec::new()));
        assert_eq!(seen[1], ("folder/file".to_owned(), 0o100_755, b"abcde".to_vec()));
        assert_eq!(seen[2], ("folder/link".to_owned(), 0o120_777, b"file".to_vec()));
        assert_eq!(seen[4].0, "TRAILER!!!");
    }
}
