//! Plans trials, runs each in a clone of its host's template, and emits events; it never prints.

mod acts;
mod bake;
mod error;
mod foreign;
mod host;
mod installed;
mod node;
mod nodes;
mod prepared;
mod project;
mod record;
mod scenario_files;
mod surroundings;
mod template;
mod trial;
mod wanted;
mod workspace;
mod world;

pub use acts::recorded_as;
pub use bake::{BakeFigures, Baked};
pub use error::Error;
pub use foreign::{Foreign, ForeignSystem};
pub use host::{Hosts, Shape, runtime};
pub use nodes::Nodes;
pub use prepared::{Origin, Prepared};
pub use project::Project;
pub use record::Recorder;
pub use scenario_files::{BESIDE, is_toml};
pub use trial::{Finished, TrialRun};
pub use workspace::{Folder, Workspace};
pub use world::world;

/// A result whose error is the run's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
