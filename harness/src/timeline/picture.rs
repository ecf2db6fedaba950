//! The state of a guest at one moment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What can be seen of a guest at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The loaded units of both managers.
    pub units: Vec<UnitState>,
    /// All containers of the stacks' user.
    pub containers: Vec<ContainerState>,
    /// The files that the trial's lines look at.
    pub files: Vec<FileState>,
    /// The listening sockets, as `tcp 127.0.0.1:8096` or `unix /run/…`.
    pub sockets: Vec<String>,
    /// What lies about beside these.
    pub remains: Remains,
}

/// What lies about on a guest: nothing removes it for a unit or a container that forgets to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    /// What is below the folders for temporary files, the user's runtime directory and the stacks' folders, but for what
    /// podman and systemd keep there for containers and units.
    pub paths: BTreeSet<String>,
    /// The programs that run, as `stack-watch of stack-watch.service`; those of containers are not among them.
    pub processes: BTreeSet<String>,
    /// The user's podman networks.
    pub networks: BTreeSet<String>,
    /// The user's podman volumes.
    pub volumes: BTreeSet<String>,
    /// The names of the user's podman images, each with the id of its image.
    pub images: BTreeMap<String, String>,
}

/// A unit's properties, as `systemctl show` gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// `system` or `user`.
    pub scope: String,
    /// `Id`.
    pub name: String,
    /// `LoadState`.
    pub load: String,
    /// `ActiveState`.
    pub active: String,
    /// `SubState`.
    pub sub: String,
    /// `Result`; empty for units that have none.
    pub result: String,
    /// `InvocationID`.
    pub invocation: String,
    /// `NRestarts`.
    pub restarts: u64,
    /// `ActiveEnterTimestampMonotonic`, microseconds.
    pub active_enter: u64,
    /// `StateChangeTimestampMonotonic`, microseconds.
    pub state_change: u64,
    /// `FragmentPath`.
    pub fragment: String,
    /// `Transient`.
    pub transient: bool,
}

/// A container, as `podman ps` lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerState {
    /// The full id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The image's name.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// `running`, `exited`, `created`, …
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`; empty without a health check.
    pub health: String,
    /// The last exit status.
    pub exit: i64,
    /// When it was started, and as which process: another start differs in it.
    pub started: String,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The environment, where the trial wants it.
    pub environment: BTreeMap<String, String>,
}

/// A file that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// The path.
    pub path: String,
    /// Its metadata and text; none when it is not there.
    pub found: Option<FileFound>,
}

/// A file that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFound {
    /// The permission bits.
    pub mode: u32,
    /// The owner's name.
    pub owner: String,
    /// The group's name.
    pub group: String,
    /// The text (the first 64 KiB).
    pub text: String,
}
