//! The manifest of a generation: what is in it, by name.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rendered generation consists of: `manifest.json` at the top of its folder. Unknown keys are errors, so that
/// a misspelt one cannot be silently without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of this format: 1.
    pub version: u32,
    /// The name by which scenarios choose the host, in lower-case words joined with `-`.
    pub host: String,
    /// The host's own name: what `/etc/hostname` says.
    pub hostname: String,
    /// The user who owns the stacks.
    pub user: User,
    /// The stacks. No two have the same name, unit, container or published port.
    pub stacks: Vec<Stack>,
    /// Containers outside the stacks that have a unit of their own.
    #[serde(default)]
    pub native_units: Vec<NativeUnit>,
    /// Every unit of the generation. Each is installed by one of `files`.
    pub units: Vec<UnitName>,
    /// Where each file belongs: units, scripts, compose files and whatever they read.
    pub files: Vec<InstalledFile>,
    /// Symbolic links to make, such as those by which targets want units.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The mount points that stacks need. A test folder is mounted at each.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Folders that are there before anything starts and belong to the user, such as those that containers mount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// Device nodes that containers are given, below `/dev`. A device that says nothing stands in for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Where alerts are posted, as Gotify takes them: `http://HOST[:PORT]/message?token=…`. Without it, scenarios about
    /// alerts are skipped.
    #[serde(default)]
    pub alert_url: Option<String>,
    /// The units that bring the managers to this generation once it is installed, in the order of their start. Without
    /// them, scenarios that activate something are skipped.
    #[serde(default)]
    pub activation: Vec<UnitName>,
    /// Regular expressions of the messages that scenarios refer to by name.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// What else the host can be switched to: names of variants, and their folders relative to this manifest's. Such a
    /// folder has only what differs: the manifest's keys that say something else, and the files that are others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, String>,
}

/// The user who owns the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Name of the primary group.
    pub group: String,
    /// Its id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
}

/// A stack: containers that start and stop together, and their unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stack {
    /// Name, in lower-case words joined with `-`.
    pub name: String,
    /// The unit that owns its lifecycle, in the user manager.
    pub unit: String,
    /// The unit that pulls and restarts it, in the user manager.
    #[serde(default)]
    pub update_unit: Option<String>,
    /// The compose project, where its containers bear the labels of one.
    #[serde(default)]
    pub project: Option<String>,
    /// The compose file in the guest, where it is started from one.
    #[serde(default)]
    pub compose: Option<String>,
    /// Its services, one for each container.
    pub services: Vec<Service>,
    /// Its env files, in order.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// The list of resolved env files that a start writes.
    #[serde(default)]
    pub env_paths: Option<String>,
    /// The mount points it needs.
    #[serde(default)]
    pub mounts: Vec<String>,
}

/// A service of a stack: one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Name.
    pub name: String,
    /// The name of its container.
    pub container: String,
    /// The image it runs, with whatever registry and tag; none with a digest.
    pub image: String,
    /// Whether it has a health check.
    #[serde(default)]
    pub health_check: bool,
    /// The service of the stack whose network it joins.
    #[serde(default)]
    pub network_of: Option<String>,
    /// The file on the host that the container has as `/config/knobs`, where it mounts one there. Scenarios that make the
    /// service misbehave write it, and are skipped without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knobs: Option<String>,
    /// Whether podman updates it from the registry.
    #[serde(default)]
    pub autoupdate: bool,
    /// The TCP ports it publishes on the host.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// The services of the stack that must be healthy before it starts.
    #[serde(default)]
    pub needs_healthy: Vec<String>,
}

/// An env file of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// The name that messages give it.
    pub name: String,
    /// Where the secrets machinery puts it.
    pub native: String,
    /// Where an older generation kept it.
    #[serde(default)]
    pub fallback: Option<String>,
}

/// A container outside the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NativeUnit {
    /// Its unit.
    pub unit: String,
    /// The manager that runs it.
    pub scope: Scope,
    /// The container's name.
    pub container: String,
    /// The image it runs.
    pub image: String,
}

/// A unit of the generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UnitName {
    /// Name with suffix.
    pub unit: String,
    /// The manager that runs it.
    pub scope: Scope,
}

/// The manager that runs a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// PID 1.
    System,
    /// The manager of the user who owns the stacks.
    User,
}

impl Scope {
    /// The name of the manager, which is also that of its folders of units.
    pub fn name(self) -> &'static str {
        match self {
            Scope::System => "system",
            Scope::User => "user",
        }
    }
}

/// A file of the generation and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstalledFile {
    /// Relative to the generation's folder.
    pub source: String,
    /// Absolute, in the guest. What lies below the user's home belongs to the user, everything else to root.
    pub target: String,
    /// Permission bits, octal, as in `0755`.
    pub mode: String,
}

/// A symbolic link in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Absolute.
    pub path: String,
    /// What it points to.
    pub target: String,
}

/// Some keys of a manifest with their values.
pub(super) type Keys = serde_json::Map<String, serde_json::Value>;

impl Manifest {
    /// The manifest of a variant of which only what differs is known.
    pub(super) fn changed(&self, changes: Keys) -> serde_json::Result<Manifest> {
        let base = Manifest { variants: BTreeMap::new(), ..self.clone() };
        let mut keys = base.keys()?;
        keys.extend(changes);
        serde_json::from_value(serde_json::Value::Object(keys))
    }

    /// What differs in the manifest of a variant.
    pub(super) fn differing(&self, variant: &Manifest) -> serde_json::Result<Keys> {
        let base = self.keys()?;
        let mut keys = variant.keys()?;
        keys.retain(|key, value| base.get(key) != Some(value));
        Ok(keys)
    }

    /// The names of the keys that are not the same in both.
    pub(super) fn differing_keys(&self, other: &Manifest) -> serde_json::Result<Vec<String>> {
        let (keys, others) = (self.keys()?, other.keys()?);
        let mut names: Vec<String> = keys.keys().chain(others.keys()).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| keys.get(name) != others.get(name));
        Ok(names)
    }

    fn keys(&self) -> serde_json::Result<Keys> {
        serde_json::from_value(serde_json::to_value(self)?)
    }

    /// Every image that the stacks and native units run, each once.
    pub fn images(&self) -> Vec<&str> {
        let services = self.services().map(|service| service.image.as_str());
        let mut images: Vec<_> = services.chain(self.native_units.iter().map(|unit| unit.image.as_str())).collect();
        images.sort_unstable();
        images.dedup();
        images
    }

    /// Every container of the stacks.
    pub fn containers(&self) -> usize {
        self.services().count()
    }

    /// The services of all stacks.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.stacks.iter().flat_map(|stack| &stack.services)
    }
}
