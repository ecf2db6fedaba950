//! What runs a guest's instructions, found out by running a guest.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::process::QEMU;
use super::{Error, Result};

/// What runs a guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor, through /dev/kvm.
    Kvm,
    /// QEMU, in software.
    Tcg,
}

impl Accelerator {
    /// QEMU's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        }
    }

    /// The processor that the guest sees. In software a plain one is twice as fast to boot as all that QEMU can
    /// emulate.
    pub fn cpu_model(self) -> &'static str {
        match self {
            Accelerator::Kvm => "host",
            Accelerator::Tcg if cfg!(target_arch = "x86_64") => "Nehalem",
            Accelerator::Tcg => "max",
        }
    }
}

/// The verdict on this machine's accelerator, with its reason as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What to use.
    pub accelerator: Accelerator,
    /// Why.
    pub reason: String,
}

/// How long the probe guest may take. Under KVM it needs about a second; the verdict holds until this machine is booted
/// anew, so it must not be one on a busy moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a guest shows that has come to life: the line that the guest image's initrd prints when the kernel's command
/// line has `harness.probe`, or the last of a kernel that was given no program to begin with.
const SIGNS_OF_LIFE: [&str; 2] = ["harness-probe: ok", "Unable to mount root fs"];

/// Runs a small guest under KVM and sees whether it comes to life. A present /dev/kvm proves nothing: inside another
/// virtual machine it can be there, open, and crash every ordinary guest. `append` is what the kernel's command line
/// has beside the console.
pub async fn probe(qemu: &Path, kernel: &Path, initrd: &Path, append: &str) -> Result<Probe> {
    let software = |reason: String| Probe { accelerator: Accelerator::Tcg, reason };
    match std::fs::File::options().read(true).write(true).open("/dev/kvm") {
        Ok(_) => {}
        Err(error) => return Ok(software(format!("/dev/kvm cannot be opened ({error}): software emulation"))),
    }
    let run = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(qemu)
        .args(["-nodefaults", "-no-user-config", "-nographic", "-no-reboot"])
        .args(["-accel", "kvm", "-cpu", "host", "-machine", "q35", "-m", "256M", "-serial", "stdio"])
        .args(["-append", &format!("console=ttyS0 panic=-1 {append}"), "-kernel"])
        .arg(kernel)
        .arg("-initrd")
        .arg(initrd)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, run).await {
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            return Ok(software(format!(
                "/dev/kvm opens, but a test guest showed no life in {seconds} s: software emulation"
            )));
        }
        Ok(output) => output.map_err(|source| Error::Start { program: QEMU, source })?,
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    if SIGNS_OF_LIFE.iter().any(|sign| shown.contains(sign)) {
        return Ok(Probe { accelerator: Accelerator::Kvm, reason: "a test guest ran under KVM".to_owned() });
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned();
    Ok(software(format!("/dev/kvm opens, but a test guest crashed under it ({said}): software emulation")))
}
