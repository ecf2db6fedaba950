//! The guest's initial RAM disk: a busybox, the modules that the root disk needs, and an init script. Debian's own is
//! ten times the size, and unpacking that costs an emulated processor many seconds.

use super::archive::{Item, cpio_of};

/// The script that runs as the first process.
pub(super) const INIT: &str = include_str!("initrd/init.sh");

/// What the script calls.
const APPLETS: &[&str] =
    &["findfs", "grep", "insmod", "mount", "poweroff", "sh", "sleep", "switch_root", "tar", "touch", "umount", "unxz"];

/// Packs the initial RAM disk. The modules are xz-compressed, in the order in which they are to be loaded.
pub(super) fn build(busybox: &[u8], modules: &[Vec<u8>]) -> Vec<u8> {
    let folders = ["bin", "dev", "modules", "proc", "root", "sys"];
    let mut items: Vec<_> = folders.iter().map(|path| Item::folder(*path, 0o755)).collect();
    items.push(Item::file("init", 0o755, INIT));
    items.push(Item::file("bin/busybox", 0o755, busybox));
    items.extend(APPLETS.iter().map(|name| Item::link(format!("bin/{name}"), "busybox")));
    // The script loads them in the order of their names.
    let named = modules.iter().enumerate();
    items.extend(named.map(|(index, bytes)| Item::file(format!("modules/{index:03}.ko.xz"), 0o644, bytes.clone())));
    cpio_of(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_calls_only_what_is_packed() {
        let builtins = [
            "echo",
            "exit",
            "exec",
            "fail",
            "for",
            "if",
            "fi",
            "until",
            "do",
            "done",
            "tries",
            "[",
            "mount_root",
            "disk",
            "}",
        ];
        let lines = INIT.lines().filter(|line| !line.starts_with('#'));
        // What stands behind `$(` is called, too; `$((` only counts.
        let calls = lines.flat_map(|line| line.split("$(")).filter(|call| !call.starts_with('('));
        for word in calls.filter_map(|call| call.split_whitespace().next()) {
            let word = word.split(['=', '(']).next().unwrap();
            assert!(APPLETS.contains(&word) || builtins.contains(&word) || word == "}", "{word} is not packed");
        }
    }

    #[test]
    fn modules_keep_their_order() {
        let initrd = build(b"busybox", &[b"<one>".to_vec(), b"<two>".to_vec()]);
        let text = String::from_utf8_lossy(&initrd);
        let place = |needle: &str| text.find(needle).unwrap();
        assert!(place("modules/000.ko.xz") < place("<one>"));
        assert!(place("<one>") < place("modules/001.ko.xz"));
        assert!(place("modules/001.ko.xz") < place("<two>"));
    }
}
