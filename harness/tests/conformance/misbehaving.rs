//! Nodes that do not keep the contract: each is noticed, at once where that can be, and named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::machine::{Accelerator, Clock, Machine, Program, Spec, look_at_node};
use libtest_mimic::{Failed, Trial};

/// How long it may take to notice what can be noticed at once, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(60);
/// How long it may take to notice that a machine does nothing at all.
const STANDSTILL: Duration = Duration::from_secs(240);

/// What every real script ends with.
const QEMU: &str = "exec qemu-system-x86_64 -machine accel=kvm:tcg -m 64 ";

/// The trials, by what the node does.
pub fn trials() -> Vec<Trial> {
    let boots = |name: &str, script: &str, limit, parts: &'static [&'static str]| {
        let script = script.to_owned();
        Trial::test(name, move || check_boot(&script, limit, parts))
    };
    let looks = |name: &str, script: &str, expected| {
        let script = script.to_owned();
        Trial::test(name, move || check_look(&script, expected))
    };
    let stand_in = |conduct: &str| {
        let program = std::env::current_exe().unwrap();
        format!("export HARNESS_STAND_IN={conduct}; exec -a qemu-stand-in '{}' \"$@\"", program.display())
    };
    let long = "x".repeat(100);
    vec![
        boots(
            "dies_before_it_connects",
            "echo 'no such disk' >&2; exit 3",
            AT_ONCE,
            &["exit status: 3", "for QEMU to connect", "no such disk"],
        ),
        boots("dies_before_the_banner", &stand_in("dies"), AT_ONCE, &["QEMU ended", "root shell", "the disk is gone"]),
        boots("never_prints_the_banner", &stand_in("silent"), STANDSTILL, &["for the guest's root shell, in vain"]),
        boots("prints_after_the_banner", &stand_in("chatter"), AT_ONCE, &["Welcome to this machine", "/dev/hvc0"]),
        boots(
            "panics",
            &format!("{QEMU} -drive file=\"$TMPDIR/../boot\",format=raw \"$@\""),
            AT_ONCE,
            &["the guest's kernel panicked", "Kernel panic - not syncing: no init"],
        ),
        boots(
            "has_a_socket_with_too_long_a_path",
            &format!("{QEMU} -chardev socket,id=x,path=\"$TMPDIR/{long}\",server=on,wait=off \"$@\""),
            AT_ONCE,
            &["is too long", "HARNESS_CACHE"],
        ),
        looks("is_looked_at", &format!("{QEMU} \"$@\""), Ok(None)),
        looks(
            "shares_a_folder",
            &format!(
                "mkdir xchg; {QEMU} -virtfs local,path=\"$TMPDIR/xchg\",security_model=none,mount_tag=xchg \"$@\""
            ),
            Ok(Some("it shares folders with the host (-virtfs)")),
        ),
        looks(
            "writes_outside_its_state_folder",
            &format!("{QEMU} -drive file=\"$TMPDIR/../boot\",format=raw,if=virtio \"$@\""),
            Ok(Some("outside its state folder")),
        ),
        looks("does_not_execute_qemu", &format!("{} \"$@\"", QEMU.trim_start_matches("exec ")), Err("(`exec`)")),
        looks("adds_arguments_behind_ours", &format!("{QEMU} \"$@\" -name igpu"), Err("(`\"$@\"`)")),
    ]
}

/// A folder with a start script, and beside it a disk whose boot sector prints a kernel's last words.
struct Place {
    folder: tempfile::TempDir,
    script: PathBuf,
}

impl Place {
    fn new(script: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run-node-vm");
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("boot"), boot_sector("Kernel panic - not syncing: no init\r\n")).unwrap();
        fs::create_dir(folder.path().join("machine")).unwrap();
        Place { folder, script: path }
    }

    fn machine(&self) -> PathBuf {
        self.folder.path().join("machine")
    }
}

/// 16-bit code that writes a text to the serial line, byte by byte, and halts.
fn boot_sector(text: &str) -> Vec<u8> {
    let mut sector = vec![
        0xbe, 0x13, 0x7c, // mov si, text
        0xba, 0xf8, 0x03, // mov dx, 0x3f8
        0xac, // next: lodsb
        0x84, 0xc0, // test al, al
        0x74, 0x03, // jz end
        0xee, // out dx, al
        0xeb, 0xf8, // jmp next
        0xfa, 0xf4, // end: cli, hlt
        0xeb, 0xfd, // and halt again
        0x00,
    ];
    sector.extend(text.bytes());
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector
}

/// Boots a node by its script and waits for its root shell, which must fail in time with these words.
fn check_boot(script: &str, limit: Duration, parts: &[&str]) -> Result<(), Failed> {
    let place = Place::new(script);
    let begin = Instant::now();
    let said = harness::run::runtime()?.block_on(async {
        let mut machine = Machine::boot_once(&spec(&place.script), &place.machine()).await?;
        machine.banner("for the guest's root shell", 60).await
    });
    let said = said.err().ok_or("the node was taken for a good one")?.to_string();
    if let Some(part) = parts.iter().find(|part| !said.contains(*part)) {
        return Err(format!("no `{part}` in: {said}").into());
    }
    if begin.elapsed() > limit {
        return Err(format!("noticed only after {:?}: {said}", begin.elapsed()).into());
    }
    Ok(())
}

/// Looks at a node and compares the obstacle to freezing it, or the error.
fn check_look(script: &str, expected: Result<Option<&str>, &str>) -> Result<(), Failed> {
    let place = Place::new(script);
    let looked = harness::run::runtime()?.block_on(look_at_node(&place.script, &place.machine()));
    let found = looked.map(|node| (node.memory_mib, node.obstacle)).map_err(|error| error.to_string());
    let fits = match (&found, expected) {
        (Ok((memory, None)), Ok(None)) => *memory == 64,
        (Ok((_, Some(obstacle))), Ok(Some(part))) => obstacle.contains(part),
        (Err(error), Err(part)) => error.contains(part),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}").into()) }
}

fn spec(script: &Path) -> Spec {
    Spec {
        accelerator: Accelerator::Tcg,
        clock: Clock::Real,
        cpus: 1,
        memory_mib: 64,
        program: Program::Script(script.to_owned()),
    }
}
