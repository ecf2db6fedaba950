//! Whether a generation can be what it says: its manifest agrees with itself and with its files, and nothing is
//! installed where it would be lost or would change what does the testing.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use regex::Regex;

use super::{BASE, Error, Generation, InstalledFile, MANIFEST, Manifest, Result, Scope, Stack, User};

/// Where a generation may put files and links, beside the home of its user.
const PLACES: &[&str] = &["/etc", "/nix", "/opt", "/srv", "/usr/local", "/var/lib"];

/// What in these places makes the guest the harness's guest.
const RESERVED: &[&str] = &[
    "/etc/docker/registry",
    "/etc/fstab",
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/machine-id",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/systemd/journald.conf.d/harness.conf",
    "/etc/systemd/system/backdoor.service",
    "/usr/local/lib/harness",
    "/var/lib/docker-registry",
    "/var/lib/harness",
    "/var/lib/systemd",
];

/// Below these, what a file system of the guest brings along lies, or what is gone after a boot.
const UNMOUNTABLE: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr",
    "/var",
];

/// Below these, a program is there only if the generation brings it.
const BROUGHT: &[&str] = &["/nix/", "/opt/", "/srv/", "/usr/local/", "/home/"];

impl Generation {
    /// Finds the first thing that is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let manifest = &self.manifest;
        check_names(manifest)?;
        for file in &manifest.files {
            check_relative(&file.source)?;
            check_target(&file.target, manifest)?;
            file.permission_bits()?;
            if !self.files.contains_key(&file.source) {
                return Err(refuse(&file.source, "the manifest lists it, but the file is not there"));
            }
        }
        for link in &manifest.links {
            check_target(&link.path, manifest)?;
        }
        check_overlaps(manifest)?;
        for unit in &manifest.units {
            if !is_installed(manifest, unit.scope, &unit.unit) {
                let manager = unit.scope.name();
                let problem = format!("the {manager}'s unit {} is listed, but no file installs it", unit.unit);
                return Err(refuse(MANIFEST, &format!("{problem} in a folder systemd/{manager}")));
            }
        }
        if let Some(stray) = manifest.activation.iter().find(|unit| !manifest.units.contains(unit)) {
            return Err(refuse(MANIFEST, &format!("unit {} activates, but is not among `units`", stray.unit)));
        }
        manifest.stacks.iter().try_for_each(|stack| check_stack(stack, manifest))?;
        check_uniqueness(manifest)?;
        check_surroundings(manifest)?;
        for (name, text) in &manifest.texts {
            Regex::new(text)
                .map_err(|error| refuse(MANIFEST, &format!("text {name} is no regular expression: {error}")))?;
        }
        manifest.files.iter().try_for_each(|file| self.check_programs(file))?;
        self.variants.iter().try_for_each(|(name, variant)| self.check_variant(name, variant))?;
        manifest.variants.values().try_for_each(|folder| check_relative(folder))?;
        if manifest.variants.keys().eq(self.variants.keys()) {
            Ok(())
        } else {
            Err(refuse(MANIFEST, "the variants that it lists are not those that are there"))
        }
    }

    fn check_variant(&self, name: &str, variant: &Generation) -> Result<()> {
        let place = format!("variant {name}");
        if name == BASE {
            return Err(refuse(&place, "this name is the generation's own: choose another"));
        }
        if !variant.manifest.variants.is_empty() {
            return Err(refuse(&place, "a variant has no variants: list all of them in the base's manifest"));
        }
        if variant.manifest.world() != self.manifest.world() {
            let problem =
                "a variant is switched to in the same guest: it keeps host, user, mounts, folders and devices";
            return Err(refuse(&place, problem));
        }
        variant.check().map_err(|error| match error {
            Error::Manifest { place: inner, problem } => refuse(&format!("{place}: {inner}"), &problem),
            other => other,
        })
    }

    /// A unit that starts a program of its generation has it.
    fn check_programs(&self, file: &InstalledFile) -> Result<()> {
        if !file.target.contains("/systemd/system/") && !file.target.contains("/systemd/user/") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.files[&file.source]);
        for line in text.lines().filter(|line| line.starts_with("Exec")) {
            let Some(command) = line.split_once('=').map(|(_, command)| command) else { continue };
            let first = command.split_whitespace().next().unwrap_or_default();
            let program =
                first.trim_start_matches(['@', '-', ':', '+', '!', '|']).replace("%h", &self.manifest.user.home);
            let brought = BROUGHT.iter().any(|place| program.starts_with(place)) && !program.contains('%');
            if brought && !self.manifest.installs(&program) {
                return Err(refuse(&file.source, &format!("it starts {program}, which the manifest does not install")));
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// What the guest is made for.
    fn world(&self) -> (&str, &str, &User, [&Vec<String>; 3]) {
        (&self.host, &self.hostname, &self.user, [&self.mounts, &self.folders, &self.devices])
    }

    /// Whether a file or a link, or what a link stands for, is at this place.
    fn installs(&self, path: &str) -> bool {
        let by_link = |link: &str| path == link || path.strip_prefix(link).is_some_and(|rest| rest.starts_with('/'));
        self.files.iter().any(|file| file.target == path) || self.links.iter().any(|link| by_link(&link.path))
    }
}

impl InstalledFile {
    /// The permission bits as a number.
    pub fn permission_bits(&self) -> Result<u32> {
        u32::from_str_radix(&self.mode, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| refuse(&self.source, &format!("`{}` is no octal mode such as 0644", self.mode)))
    }
}

/// Names end up in names of trials and folders.
fn check_names(manifest: &Manifest) -> Result<()> {
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_name = |name: &str| name.split('-').all(is_word);
    let refused = |what: &str, name: &str| {
        Err(refuse(MANIFEST, &format!("`{name}` cannot name a {what}: take lower-case words joined with `-`")))
    };
    if !is_name(&manifest.host) {
        return refused("host", &manifest.host);
    }
    if let Some(stack) = manifest.stacks.iter().find(|stack| !is_name(&stack.name)) {
        return refused("stack", &stack.name);
    }
    let label = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '.';
    if manifest.hostname.is_empty() || !manifest.hostname.chars().all(label) {
        return Err(refuse(MANIFEST, &format!("`{}` is no host's name", manifest.hostname)));
    }
    Ok(())
}

/// What is installed below another file, or through a link, would end up elsewhere than the manifest says.
fn check_overlaps(manifest: &Manifest) -> Result<()> {
    let files = manifest.files.iter().map(|file| file.target.as_str());
    let paths: Vec<&str> = files.chain(manifest.links.iter().map(|link| link.path.as_str())).collect();
    let mut seen = BTreeSet::new();
    for path in &paths {
        if !seen.insert(*path) {
            return Err(refuse(MANIFEST, &format!("{path} is installed twice")));
        }
    }
    for path in &paths {
        if let Some(above) = Path::new(path).ancestors().skip(1).filter_map(Path::to_str).find(|up| seen.contains(up)) {
            return Err(refuse(MANIFEST, &format!("{path} lies below {above}, which is no folder")));
        }
    }
    Ok(())
}

fn check_stack(stack: &Stack, manifest: &Manifest) -> Result<()> {
    let refused = |problem: String| Err(refuse(MANIFEST, &format!("stack {}: {problem}", stack.name)));
    let is_listed = |unit: &str| manifest.units.iter().any(|known| known.scope == Scope::User && known.unit == *unit);
    if let Some(unit) =
        [Some(&stack.unit), stack.update_unit.as_ref()].into_iter().flatten().find(|unit| !is_listed(unit))
    {
        return refused(format!("its unit {unit} is not among `units` with scope user"));
    }
    if let Some(compose) = stack.compose.as_ref().filter(|compose| !manifest.installs(compose)) {
        return refused(format!("its compose file {compose} is the target of no file"));
    }
    let is_service = |name: &String| stack.services.iter().any(|service| service.name == *name);
    for service in &stack.services {
        if let Some(other) = service.network_of.iter().chain(&service.needs_healthy).find(|name| !is_service(name)) {
            return refused(format!("service {} names {other}, which is no service of it", service.name));
        }
    }
    for secret in &stack.secrets {
        let component = Path::new(&secret.name).components().eq([Component::Normal(secret.name.as_ref())]);
        if !component {
            return refused(format!("`{}` cannot name a secret: it is the name of a file", secret.name));
        }
        for path in [Some(&secret.native), secret.fallback.as_ref()].into_iter().flatten() {
            check_absolute(path)?;
            // Secrets are put in place at each boot, so they may also be where nothing stays.
            if !lies_in(path, "/run") {
                check_target(path, manifest)?;
            }
        }
    }
    match stack.mounts.iter().find(|mount| !manifest.mounts.contains(mount)) {
        Some(mount) => refused(format!("its mount {mount} is not among the manifest's `mounts`")),
        None => Ok(()),
    }
}

/// Two things of one name would be one thing, or none.
fn check_uniqueness(manifest: &Manifest) -> Result<()> {
    let stacks = &manifest.stacks;
    once("stack", stacks.iter().map(|stack| stack.name.clone()))?;
    once("the unit of a stack", stacks.iter().map(|stack| stack.unit.clone()))?;
    let native = manifest.native_units.iter().map(|unit| unit.container.clone());
    once("container", manifest.services().map(|service| service.container.clone()).chain(native))?;
    let secrets = || stacks.iter().flat_map(|stack| &stack.secrets);
    let paths = secrets().map(|secret| &secret.native).chain(secrets().filter_map(|secret| secret.fallback.as_ref()));
    once("the path of a secret", paths.cloned())?;
    once("published port", manifest.services().flat_map(|service| &service.ports).map(u16::to_string))?;
    for stack in stacks {
        let names = stack.services.iter().map(|service| service.name.clone());
        once(&format!("in stack {}, service", stack.name), names)?;
    }
    Ok(())
}

fn once(what: &str, names: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if seen.contains(&name) {
            return Err(refuse(MANIFEST, &format!("{what} {name} is listed twice")));
        }
        seen.insert(name);
    }
    Ok(())
}

fn check_surroundings(manifest: &Manifest) -> Result<()> {
    for path in manifest.mounts.iter().chain(&manifest.folders) {
        check_absolute(path)?;
        if path == "/" || UNMOUNTABLE.iter().any(|place| lies_in(path, place)) {
            return Err(refuse(path, "this belongs to the guest's own system: name a folder elsewhere"));
        }
    }
    for device in &manifest.devices {
        check_absolute(device)?;
        if !device.starts_with("/dev/") {
            return Err(refuse(device, "a device is a path below /dev"));
        }
    }
    Ok(())
}

fn is_installed(manifest: &Manifest, scope: Scope, unit: &str) -> bool {
    let template =
        unit.split_once('@').zip(unit.rsplit_once('.')).map(|((name, _), (_, kind))| format!("{name}@.{kind}"));
    let place = |name: &str| format!("/systemd/{}/{name}", scope.name());
    let places: Vec<String> = std::iter::once(unit).chain(template.as_deref()).map(place).collect();
    let mut paths = manifest.files.iter().map(|file| &file.target).chain(manifest.links.iter().map(|link| &link.path));
    paths.any(|path| places.iter().any(|place| path.ends_with(place.as_str())))
}

/// A path inside the generation.
pub(super) fn check_relative(path: &str) -> Result<()> {
    let safe = !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if safe { Ok(()) } else { Err(refuse(path, "a path inside the generation has to be relative, without `..`")) }
}

fn check_target(path: &str, manifest: &Manifest) -> Result<()> {
    check_absolute(path)?;
    if RESERVED.iter().any(|reserved| lies_in(path, reserved)) || path.contains("/systemd/system/harness-") {
        return Err(refuse(path, "this belongs to the harness: install it elsewhere"));
    }
    let home = manifest.user.home.as_str();
    // A folder itself is no place for a file.
    let allowed = |place: &&str| lies_in(path, place) && *path != **place;
    if PLACES.iter().any(allowed) || allowed(&home) {
        return Ok(());
    }
    let problem = format!("nothing is installed here: only below {} and {home}", PLACES.join(", "));
    Err(refuse(path, &problem))
}

fn check_absolute(path: &str) -> Result<()> {
    let parts = Path::new(path);
    let safe = parts.is_absolute()
        && parts.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir))
        && !path.contains(['\n', '\\', '"']);
    if safe { Ok(()) } else { Err(refuse(path, "a path in the guest has to be absolute, without `..`")) }
}

fn lies_in(path: &str, folder: &str) -> bool {
    Path::new(path).starts_with(folder)
}

/// A refusal of a generation.
pub(super) fn refuse(place: &str, problem: &str) -> Error {
    Error::Manifest { place: place.to_owned(), problem: problem.to_owned() }
}
