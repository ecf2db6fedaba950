//! What a machine's console shows when the machine is in trouble.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// What a Linux kernel says when it does not survive: behind its report of a fault, or by itself with its stack behind it.
const PANIC: &str = "Kernel panic - not syncing";

/// How a Linux kernel begins to report a fault (arch/x86/kernel/traps.c, arch/x86/mm/fault.c, lib/bug.c).
const FAULTS: [&str; 7] = [
    "BUG: ",
    "Oops: ",
    "general protection fault",
    "kernel BUG at",
    "invalid opcode: ",
    "double fault: ",
    "divide error: ",
];

/// What tells something in such a report, between the registers: where it was, on behalf of whom, and how it came there.
const TELLING: [&str; 4] = [" Comm: ", "RIP: ", "+0x", PANIC];

/// More frames than this say little more.
const LONGEST: usize = 16;

/// Whether a kernel has said on the console that it panicked. Its stack may follow, so that the last lines do not tell.
pub(super) fn shows_panic(folder: &Path) -> bool {
    end_of(&folder.join("console.log")).contains(PANIC)
}

/// The last lines of the machine's console.
fn tail(folder: &Path) -> String {
    last_lines(&folder.join("console.log"), 8)
}

/// The last words of QEMU and of the machine's console, and whose they are.
pub(super) fn said(folder: &Path) -> String {
    let ends = [("QEMU said", last_lines(&folder.join("qemu.log"), 5)), ("the console's last lines", tail(folder))];
    let parts: Vec<String> =
        ends.iter().filter(|(_, end)| !end.is_empty()).map(|(whose, end)| format!("{whose}: {end}")).collect();
    if parts.is_empty() { "neither QEMU nor the console said anything".to_owned() } else { parts.join("; ") }
}

/// The last lines of a file that have anything in them.
fn last_lines(path: &Path, count: usize) -> String {
    let text = end_of(path);
    let lines = lines_of(&text);
    lines[lines.len().saturating_sub(count)..].join(" | ")
}

/// What the kernel said when it panicked: the fault and whose it was. Where that is not to be found, the last lines.
pub(super) fn last_words(folder: &Path) -> String {
    let text = end_of(&folder.join("console.log"));
    let lines = lines_of(&text);
    let first = |words: &[&str]| lines.iter().position(|line| words.iter().any(|word| line.contains(word)));
    let Some(fault) = first(&FAULTS).or_else(|| first(&[PANIC])) else {
        return tail(folder);
    };
    // A question mark stands before a frame that the kernel only guesses at.
    let tells = |line: &&str| TELLING.iter().any(|part| line.contains(part)) && !line.contains(" ? ");
    let mut words = vec![lines[fault]];
    words.extend(lines[fault + 1..].iter().filter(|line| tells(line)).take(LONGEST));
    words.join(" | ")
}

fn lines_of(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The last few KiB of a file; nothing, if it cannot be read.
fn end_of(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(16384)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("console.log"), text).unwrap();
        folder
    }

    #[test]
    fn a_panic_is_told_by_its_fault() {
        let console = console(
            "[    5.2] systemd[1]: Hostname set\n\
             [    5.3] BUG: unable to handle page fault for address: ffffffff00000000\r\n\
             [    5.3] #PF: supervisor read access in kernel mode\n\
             [    5.3] CPU: 1 UID: 0 PID: 190 Comm: (udev-worker) Not tainted 6.12.57\n\
             [    5.3] RIP: 0010:kmem_cache_alloc+0x8e/0x300\n\
             [    5.4] RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000\n\
             [    5.4]  ? __die+0x23/0x70\n\
             [    5.4]  security_file_alloc+0x2a/0xb0\n\
             [    5.4] Kernel panic - not syncing: Fatal exception in interrupt\n\
             [    5.4] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---\n",
        );
        let words = last_words(console.path());
        let parts: Vec<_> = words.split(" | ").map(|part| part.split_once("] ").unwrap().1.trim()).collect();
        assert_eq!(parts[0], "BUG: unable to handle page fault for address: ffffffff00000000");
        assert_eq!(parts[1], "CPU: 1 UID: 0 PID: 190 Comm: (udev-worker) Not tainted 6.12.57");
        assert_eq!(parts[2], "RIP: 0010:kmem_cache_alloc+0x8e/0x300");
        assert_eq!(parts[3], "security_file_alloc+0x2a/0xb0");
        assert!(parts[4].starts_with(PANIC), "{parts:?}");
    }

    #[test]
    fn a_panic_without_a_fault_is_told_by_itself_however_long_its_stack_is() {
        let frames: Vec<_> = (0..40).map(|frame| format!("[    5.2]  frame_{frame}+0x1/0x2")).collect();
        let panic = "[    5.1] Kernel panic - not syncing: sysrq triggered crash";
        let console = console(&format!("one\n{panic}\n{}\n", frames.join("\n")));
        assert!(shows_panic(console.path()));
        assert!(last_words(console.path()).starts_with(&format!("{panic} | [    5.2]  frame_0+0x1/0x2 | ")));
    }

    #[test]
    fn without_a_fault_the_last_lines_must_do() {
        let lines: Vec<_> = (0..20).map(|line| format!("line {line}")).collect();
        let console = console(&lines.join("\n"));
        assert_eq!(last_words(console.path()), tail(console.path()));
        assert!(tail(console.path()).starts_with("line 12 | "));
        assert_eq!(tail(Path::new("/nowhere")), "");
    }

    #[test]
    fn qemu_and_the_console_both_have_a_last_word() {
        let folder = console("one\n\ntwo\n");
        assert_eq!(said(folder.path()), "the console's last lines: one | two");
        fs::write(folder.path().join("qemu.log"), "cat: devices: No such file or directory\n").unwrap();
        let both = "QEMU said: cat: devices: No such file or directory; the console's last lines: one | two";
        assert_eq!(said(folder.path()), both);
        assert_eq!(said(Path::new("/nowhere")), "neither QEMU nor the console said anything");
    }
}
