//! Overlays and copies: what a machine writes goes into a file of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Error, Result};

/// Copies a raw image; its holes stay holes.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    qemu_img(Command::new("qemu-img").args(["convert", "-f", "raw", "-O", "raw"]).arg(from).arg(to))?;
    Ok(())
}

/// Makes an overlay of so many bytes on an image that will be there.
pub(super) fn create_overlay(overlay: &Path, base: &Path, format: &str, size: u64) -> Result<()> {
    let mut command = Command::new("qemu-img");
    command
        .args(["create", "-q", "-u", "-f", "qcow2", "-F", format, "-b"])
        .arg(base)
        .arg(overlay)
        .arg(size.to_string());
    qemu_img(&mut command)?;
    Ok(())
}

/// The size in bytes of the disk that an image shows.
pub(super) fn virtual_size(image: &Path) -> Result<u64> {
    let info = info(image)?;
    info["virtual-size"].as_u64().ok_or_else(|| refused(image, "no virtual-size".to_owned()))
}

/// The format of an image.
pub(super) fn format(image: &Path) -> Result<String> {
    let info = info(image)?;
    info["format"].as_str().map(str::to_owned).ok_or_else(|| refused(image, "no format".to_owned()))
}

fn info(image: &Path) -> Result<serde_json::Value> {
    let text = qemu_img(Command::new("qemu-img").args(["info", "--output=json", "-U"]).arg(image))?;
    serde_json::from_slice(&text).map_err(|error| refused(image, error.to_string()))
}

fn refused(image: &Path, answer: String) -> Error {
    Error::Refused { command: format!("qemu-img info {}", image.display()), answer }
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
