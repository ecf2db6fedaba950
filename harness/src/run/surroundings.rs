//! The world around a generation: what stands in for the images, devices, mounts and endpoints that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::generation::{Asked, Generation, Manifest, User};
use crate::guest::SeedFile;
use crate::image::test_image;

use super::{Error, Result};

/// What the guest is given beside the generation itself.
#[derive(Debug)]
pub struct Surroundings {
    /// The images that stand in for those that it names.
    pub images: Vec<String>,
    /// Files of the system.
    pub files: Vec<SeedFile>,
    /// Folders that belong to the user.
    pub folders: Vec<String>,
}

/// TCP ports of the guest's own services, by what listens there.
const OWN_PORTS: [(u16, &str); 2] = [(5000, "image registry"), (RECEIVER, "alert receiver")];
/// Where the alert receiver listens, on the loopback address.
const RECEIVER: u16 = 8099;
/// Devices that every guest has.
const OWN_DEVICES: [&str; 6] = ["/dev/fuse", "/dev/net/tun", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
/// Below this, the data of each service of a stack has a folder.
const DATA: &str = "/mnt/docker";
/// Where the folders are that are mounted in the place of what other hosts mount.
const MOUNTED: &str = "/srv/mounts";

impl Surroundings {
    /// What a generation needs of a guest whose own file systems are as in `fstab`. What cannot be had is an error that
    /// names its place in the generation.
    pub fn of(generation: &Generation, fstab: &str) -> Result<Surroundings> {
        let manifest = &generation.manifest;
        check_user(&manifest.user)?;
        check_ports(manifest)?;
        let compose = generation.compose_services()?;
        check_devices(manifest, &compose)?;
        let names = images(manifest, &compose)?;
        let mounts = Mounts::of(manifest, fstab);
        let mut files = Vec::new();
        files.extend(registries(&names)?);
        files.extend(devices(manifest));
        files.extend(mounts.table(fstab));
        files.extend(receiver(manifest)?);
        Ok(Surroundings { images: names.into_iter().collect(), files, folders: mounts.folders(manifest) })
    }
}

/// The image has one user, whom files of the system name.
fn check_user(user: &User) -> Result<()> {
    let User { name, uid, group, gid, home } = user;
    if (name.as_str(), *uid, group.as_str(), *gid, home.as_str()) == ("abl030", 1000, "users", 100, "/home/abl030") {
        return Ok(());
    }
    refuse(format!(
        "user {name} ({uid}, group {group} {gid}, {home}): the guest's only user is abl030 (1000, group users 100, \
         /home/abl030): render the generation for that one"
    ))
}

fn check_ports(manifest: &Manifest) -> Result<()> {
    for service in manifest.services() {
        if let Some((port, owner)) = OWN_PORTS.iter().find(|(port, _)| service.ports.contains(port)) {
            let container = &service.container;
            return refuse(format!("port {port} of container {container} is taken in the guest by its {owner}"));
        }
    }
    Ok(())
}

/// A device of a compose file is there if the manifest lists it, or something below it.
fn check_devices(manifest: &Manifest, compose: &[Asked]) -> Result<()> {
    let known = || OWN_DEVICES.into_iter().chain(manifest.devices.iter().map(String::as_str));
    for asked in compose {
        let is_there = |device: &String| known().any(|known| std::path::Path::new(known).starts_with(device));
        if let Some(device) = asked.devices.iter().find(|device| !is_there(device)) {
            let place = asked.file.clone();
            let problem = format!("service {}: the guest has no device {device}", asked.service);
            let advice = "list it in the manifest's `devices`, for a device that says nothing";
            return Err(Error::Project { place, problem: format!("{problem}; {advice}") });
        }
    }
    Ok(())
}

/// The whole names of all images, each once.
fn images(manifest: &Manifest, compose: &[Asked]) -> Result<BTreeSet<String>> {
    let in_compose = compose.iter().filter_map(|asked| Some((asked.file.as_str(), asked.image.as_deref()?)));
    let in_manifest = manifest.images().into_iter().map(|image| ("manifest.json", image));
    let whole = |(place, image): (&str, &str)| {
        let refused =
            |error: crate::image::Error| Error::Project { place: place.to_owned(), problem: error.to_string() };
        test_image::whole_name(image).map_err(refused)
    };
    in_manifest.chain(in_compose).map(whole).collect()
}

/// Has podman look for the images of every registry in the one that the guest has.
fn registries(names: &BTreeSet<String>) -> Result<Option<SeedFile>> {
    let mut stand_ins: BTreeSet<(String, String)> = BTreeSet::new();
    for name in names {
        stand_ins.extend(test_image::stand_in(name)?);
    }
    if stand_ins.is_empty() {
        return Ok(None);
    }
    let mut text = "unqualified-search-registries = [\"docker.io\"]\n".to_owned();
    for (host, location) in stand_ins {
        text.push_str(&format!("\n[[registry]]\nprefix = \"{host}\"\nlocation = \"{location}\"\ninsecure = true\n"));
    }
    Ok(Some(file("/etc/containers/registries.conf.d/harness-stand-ins.conf", text)))
}

/// Device nodes that can be opened, read to their end at once, and written to without effect, as /dev/null is.
fn devices(manifest: &Manifest) -> Option<SeedFile> {
    let text: String = manifest.devices.iter().map(|device| format!("c+ {device} 0666 root root - 1:3\n")).collect();
    (!text.is_empty()).then(|| file("/etc/tmpfiles.d/harness-devices.conf", text))
}

/// Mount points and the folders that are mounted there.
struct Mounts {
    /// Those that every guest has.
    own: BTreeMap<String, String>,
    /// Those that only this generation needs.
    more: BTreeMap<String, String>,
}

impl Mounts {
    fn of(manifest: &Manifest, fstab: &str) -> Mounts {
        let lines = fstab.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let bound = lines.filter(|fields| fields.get(3) == Some(&"bind") && !fields[0].starts_with('#'));
        let own: BTreeMap<_, _> = bound.map(|fields| (fields[1].to_owned(), fields[0].to_owned())).collect();
        let missing = manifest.mounts.iter().filter(|point| !own.contains_key(*point));
        let more = missing.map(|point| (point.clone(), format!("{MOUNTED}{point}"))).collect();
        Mounts { own, more }
    }

    /// The guest's table of file systems, if it needs more lines.
    fn table(&self, fstab: &str) -> Option<SeedFile> {
        let lines: String =
            self.more.iter().map(|(point, source)| format!("{source} {point} none bind 0 0\n")).collect();
        (!lines.is_empty()).then(|| file("/etc/fstab", format!("{fstab}{lines}")))
    }

    /// What must be there before anything is mounted: what is mounted later, and the folders in it.
    fn folders(&self, manifest: &Manifest) -> Vec<String> {
        let mut folders: Vec<String> = self.more.values().cloned().collect();
        if manifest.mounts.iter().any(|point| point == DATA) {
            for stack in &manifest.stacks {
                folders.push(format!("{DATA}/{}", stack.name));
                folders.extend(stack.services.iter().map(|service| format!("{DATA}/{}/{}", stack.name, service.name)));
            }
        }
        folders.extend(manifest.folders.iter().cloned());
        folders.iter().map(|folder| self.unmounted(folder)).collect()
    }

    /// The path of a folder while nothing is mounted.
    fn unmounted(&self, folder: &str) -> String {
        let mounts = self.own.iter().chain(&self.more);
        let below = mounts.filter_map(|(point, source)| {
            let rest = folder.strip_prefix(point.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (point.len(), format!("{source}{rest}")))
        });
        below.max().map_or_else(|| folder.to_owned(), |(_, path)| path)
    }
}

/// Has alerts that are sent to the generation's address arrive at the receiver.
fn receiver(manifest: &Manifest) -> Result<Vec<SeedFile>> {
    static ADDRESS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^http://([a-z0-9.-]+)(?::([0-9]{1,5}))?/message(?:\?\S*)?$").ok());
    let Some(url) = &manifest.alert_url else { return Ok(Vec::new()) };
    let parts = ADDRESS.as_ref().and_then(|address| address.captures(url));
    let port = parts.as_ref().map(|parts| parts.get(2).map_or(Ok(80), |port| port.as_str().parse::<u16>()));
    let (Some(parts), Some(Ok(port))) = (parts, port) else {
        return refuse(format!(
            "alert-url {url}: the guest's receiver answers at http://NAME[:PORT]/message, in lower case and without TLS"
        ));
    };
    let name = &parts[1];
    let is_address = name.split('.').all(|part| part.parse::<u8>().is_ok());
    if is_address && name != "127.0.0.1" {
        return refuse(format!("alert-url {url}: the guest has no such address: take a name, or 127.0.0.1"));
    }
    if manifest.services().any(|service| service.ports.contains(&port)) {
        return refuse(format!("alert-url {url}: a container publishes port {port}, too"));
    }
    let mut files = Vec::new();
    if !is_address {
        files.push(file("/etc/hosts", format!("127.0.0.1 localhost {}\n127.0.0.1 {name}\n", manifest.hostname)));
    }
    if port != RECEIVER {
        let text = format!("[Socket]\nListenStream=127.0.0.1:{port}\n");
        files.push(file("/etc/systemd/system/harness-alerts.socket.d/address.conf", text));
    }
    Ok(files)
}

fn file(path: &str, text: String) -> SeedFile {
    SeedFile { path: path.to_owned(), mode: 0o644, content: text.into_bytes() }
}

fn refuse<T>(problem: String) -> Result<T> {
    Err(Error::Project { place: "manifest.json".to_owned(), problem })
}

#[cfg(test)]
mod tests;
