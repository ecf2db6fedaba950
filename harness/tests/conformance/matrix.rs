//! The Debian guest as a node: the failure matrix passes on it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use harness::machine::{Program, Spec};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::systems;

const HOST: &str = "igpu";
const HARNESS: &str = env!("CARGO_BIN_EXE_harness");
const SCRIPT: &str = include_str!("run-node-vm");

/// Runs the failure matrix on the node. Its machine is made of the host's own image and seed, from the cache.
pub fn passes() -> Result<(), Failed> {
    let spec = spec_of_template()?;
    // Always the same place, so that the node's template is found again.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    fs::create_dir_all(&folder)?;
    let script = folder.join(format!("run-{HOST}-vm"));
    fs::write(&script, start_script(&spec, &folder)?)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let nodes = folder.join("nodes.json");
    let file =
        json!({ "vms": { HOST: { "name": HOST, "start_script": script } }, "vlans": [], "global_timeout": 3600 });
    fs::write(&nodes, file.to_string())?;
    let status = Command::new(HARNESS)
        .args(["run", "::failure::", "--host", HOST, "--guest", "nixos", "--nodes"])
        .arg(&nodes)
        .arg("--out")
        .arg(folder.join("out"))
        .status()?;
    // A skipped trial would have an exit code of its own.
    if status.success() { Ok(()) } else { Err(format!("harness run ended with {status}").into()) }
}

/// What the machines of the host's own template are made of.
fn spec_of_template() -> Result<Spec, Failed> {
    let baked = Command::new(HARNESS).args(["bake", "--host", HOST]).output()?;
    let said = String::from_utf8_lossy(&baked.stdout);
    let folder = said
        .split_whitespace()
        .next()
        .ok_or_else(|| format!("harness bake made no template: {}", String::from_utf8_lossy(&baked.stderr)))?;
    let text = fs::read_to_string(Path::new(folder).join("template.json"))?;
    let mut description: Value = serde_json::from_str(&text)?;
    Ok(serde_json::from_value(description["spec"].take())?)
}

/// The script that starts the node. Its seed, in a folder, is the host's with the systems that the node can switch to.
fn start_script(spec: &Spec, folder: &Path) -> Result<String, Failed> {
    let Program::Kernel { kernel, initrd, append, disks } = &spec.program else {
        return Err("the host's template is no Debian guest's".into());
    };
    let hosts_seed = disks.iter().find(|disk| disk.serial == "seed").ok_or("the template has no disk `seed`")?;
    let seed = folder.join("seed.tar");
    fs::copy(&hosts_seed.base, &seed)?;
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o600))?;
    systems::add_to(&seed, HOST)?;
    // The image's own disks, as they are before a host is made of them.
    let image = kernel.parent().ok_or("the kernel is in no folder")?;
    let values = [
        ("name", HOST.to_owned()),
        ("memory", spec.memory_mib.to_string()),
        ("kernel", kernel.display().to_string()),
        ("initrd", initrd.display().to_string()),
        ("append", append.clone()),
        ("seed", seed.display().to_string()),
        ("digest", hex::encode(Sha256::digest(fs::read(&seed)?))),
        ("root", image.join("root.raw").display().to_string()),
        ("containers", image.join("containers.raw").display().to_string()),
    ];
    let filled = values.iter().fold(SCRIPT.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value));
    Ok(filled)
}
