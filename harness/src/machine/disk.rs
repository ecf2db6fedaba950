//! Overlays: what a machine writes goes into a file of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Error, Result};

/// Makes an overlay on an image that is there.
pub(super) fn create_overlay(overlay: &Path, base: &Path, format: &str) -> Result<()> {
    qemu_img(
        Command::new("qemu-img").args(["create", "-q", "-f", "qcow2", "-F", format, "-b"]).arg(base).arg(overlay),
    )?;
    Ok(())
}

/// Makes an overlay of so many bytes on a qcow2 image that will be there.
pub(super) fn create_overlay_of_size(overlay: &Path, base: &Path, size: u64) -> Result<()> {
    let mut command = Command::new("qemu-img");
    command
        .args(["create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b"])
        .arg(base)
        .arg(overlay)
        .arg(size.to_string());
    qemu_img(&mut command)?;
    Ok(())
}

/// The size in bytes of the disk that an image shows.
pub(super) fn virtual_size(image: &Path) -> Result<u64> {
    let text = qemu_img(Command::new("qemu-img").args(["info", "--output=json", "-U"]).arg(image))?;
    let refused = |answer: String| Error::Refused { command: format!("qemu-img info {}", image.display()), answer };
    let info: serde_json::Value = serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
    info["virtual-size"].as_u64().ok_or_else(|| refused("no virtual-size".to_owned()))
}

fn qemu_img(command: &mut Command) -> Result<Vec<u8>> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program: "qemu-img", source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let answer = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Refused { command: format!("{command:?}"), answer })
}
