//! The manifest of a generation: what is in it, by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `manifest.json`. Unknown keys are errors, so that a misspelt one cannot be silently without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of this format: 1.
    pub version: u32,
    /// The name by which scenarios choose the host.
    pub host: String,
    /// The host's own name.
    pub hostname: String,
    /// The user who owns the stacks.
    pub user: User,
    /// The stacks.
    pub stacks: Vec<Stack>,
    /// Containers outside the stacks that have a unit of their own.
    pub native_units: Vec<NativeUnit>,
    /// Every unit of the generation.
    pub units: Vec<UnitName>,
    /// Where each file belongs.
    pub files: Vec<InstalledFile>,
    /// Symbolic links to make.
    pub links: Vec<Link>,
    /// The mount points that stacks need.
    pub mounts: Vec<String>,
    /// Where alerts are posted.
    pub alert_url: String,
    /// The units that bring the guest to this generation, in the order in which they are to be started.
    pub activation: Vec<Activation>,
    /// Regular expressions of the messages that scenarios refer to by name.
    pub texts: BTreeMap<String, String>,
}

/// The user who owns the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// A stack: one compose project and its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stack {
    /// Name.
    pub name: String,
    /// The unit that owns its lifecycle, in the user manager.
    pub unit: String,
    /// The unit that pulls and restarts it.
    pub update_unit: Option<String>,
    /// The compose project.
    pub project: String,
    /// The compose file in the guest.
    pub compose: String,
    /// Its services.
    pub services: Vec<Service>,
    /// Its env files, in order.
    pub secrets: Vec<Secret>,
    /// The list of resolved env files that a start writes.
    pub env_paths: Option<String>,
    /// The mount points it needs.
    pub mounts: Vec<String>,
}

/// A compose service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Name.
    pub name: String,
    /// The name of its container.
    pub container: String,
    /// The image it runs.
    pub image: String,
    /// Whether it has a health check.
    pub health_check: bool,
    /// The service whose network it joins.
    pub network_of: Option<String>,
    /// Whether podman updates it from the registry.
    pub autoupdate: bool,
    /// The TCP ports it publishes.
    pub ports: Vec<u16>,
    /// The services that must be healthy before it starts.
    pub needs_healthy: Vec<String>,
}

/// An env file of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// The name that messages give it.
    pub name: String,
    /// Where the secrets machinery puts it.
    pub native: String,
    /// Where an older generation kept it.
    pub fallback: Option<String>,
}

/// A container outside the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NativeUnit {
    /// Its unit.
    pub unit: String,
    /// `system` or `user`.
    pub scope: String,
    /// The container's name.
    pub container: String,
    /// The image it runs.
    pub image: String,
}

/// A unit of the generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UnitName {
    /// Name with suffix.
    pub unit: String,
    /// `system` or `user`.
    pub scope: String,
}

/// A file of the generation and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstalledFile {
    /// Relative to the generation's folder.
    pub source: String,
    /// Absolute, in the guest.
    pub target: String,
    /// Permission bits, octal.
    pub mode: String,
}

/// A symbolic link in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Absolute.
    pub path: String,
    /// What it points to.
    pub target: String,
}

/// A unit that takes part in activating a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Activation {
    /// Its name.
    pub unit: String,
    /// `system` or `user`.
    pub scope: String,
}

impl Manifest {
    /// Every image that the stacks and native units run, each once.
    pub fn images(&self) -> Vec<&str> {
        let services = self.stacks.iter().flat_map(|stack| &stack.services).map(|service| service.image.as_str());
        let mut images: Vec<_> = services.chain(self.native_units.iter().map(|unit| unit.image.as_str())).collect();
        images.sort_unstable();
        images.dedup();
        images
    }

    /// Every container of the stacks.
    pub fn containers(&self) -> usize {
        self.stacks.iter().map(|stack| stack.services.len()).sum()
    }
}
