//! What a scenario may refer to: hosts with their stacks and units, the statements, the faults.

use std::collections::{BTreeMap, BTreeSet};

/// Everything a scenario file is checked against.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The hosts by name.
    pub hosts: BTreeMap<String, HostFacts>,
    /// The numbers of the statements that exist (`A1` … `C49`).
    pub statements: BTreeSet<String>,
    /// The file that has them.
    pub statements_in: String,
    /// The ids of the faults that `broken-by` may name.
    pub faults: BTreeSet<String>,
    /// The file that has them.
    pub faults_in: String,
    /// The only host that is run, where its generation is somebody else's: what it lacks is no mistake of a scenario.
    pub foreign: Option<String>,
}

/// What is known of a host before it boots, taken from its generation's manifest.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// The name by which scenarios choose the host.
    pub name: String,
    /// What the host calls itself.
    pub hostname: String,
    /// The name of the user who owns the stacks.
    pub user: String,
    /// The stacks in the order of the manifest.
    pub stacks: Vec<StackFacts>,
    /// The images of the containers outside the stacks, by container.
    pub native_images: BTreeMap<String, String>,
    /// Every unit of the generation.
    pub units: BTreeSet<Unit>,
    /// The units that activate a generation, in the order of their start.
    pub activation: Vec<Unit>,
    /// The variants that can be activated, by name, each with its stacks.
    pub variants: BTreeMap<String, Vec<StackFacts>>,
    /// Message texts by name, as regular expressions.
    pub texts: BTreeMap<String, String>,
    /// Whether it posts alerts.
    pub alerts: bool,
}

/// One stack of a host.
#[derive(Debug, Clone, Default)]
pub struct StackFacts {
    /// The stack's name.
    pub name: String,
    /// Its compose project, if its containers bear the labels of one.
    pub project: Option<String>,
    /// Its unit, in the user manager.
    pub unit: String,
    /// Its compose file in the guest, if it has one.
    pub compose: Option<String>,
    /// The list of resolved env paths that a start writes, if it does.
    pub env_paths: Option<String>,
    /// Its services.
    pub services: Vec<ServiceFacts>,
    /// Its secrets, in order.
    pub secrets: Vec<SecretFacts>,
}

impl StackFacts {
    /// Whether this is the stack's unit.
    pub fn owns_unit(&self, unit: &Unit) -> bool {
        unit.scope == Scope::User && unit.name == self.unit
    }
}

/// One service: a container.
#[derive(Debug, Clone, Default)]
pub struct ServiceFacts {
    /// The service's name in the compose file.
    pub name: String,
    /// The container's name.
    pub container: String,
    /// The image it runs.
    pub image: String,
    /// Whether the container has a health check.
    pub health_check: bool,
    /// The file on the host by which its test image is made to misbehave, if there is one.
    pub knobs: Option<String>,
    /// The service whose network it joins.
    pub network_of: Option<String>,
}

/// One env file of a stack.
#[derive(Debug, Clone, Default)]
pub struct SecretFacts {
    /// The file's name as messages give it.
    pub name: String,
    /// Where it is put by the secrets machinery.
    pub native: String,
    /// Where an older generation kept it.
    pub fallback: Option<String>,
}

/// The manager a unit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// PID 1.
    System,
    /// The manager of the user who owns the stacks.
    User,
}

/// A unit and the manager it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Unit {
    /// The manager.
    pub scope: Scope,
    /// The name with its suffix.
    pub name: String,
}
