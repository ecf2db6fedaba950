//! A host on which trials can be run, and a guest of it for each.

use std::collections::BTreeMap;

use crate::generation::Generation;
use crate::guest::{self, Guest, Kind};
use crate::machine::{Machine, Spec};

use super::bake::SETTLE_DEADLINE;
use super::project::Secrets;
use super::{Baked, Error, Folder, Result, Workspace};

/// A host on which trials can be run.
#[derive(Debug)]
pub struct Prepared {
    /// The generation in it.
    pub generation: Generation,
    /// The secrets of the base and of each variant, by its name, where it is the harness that puts them into the guest.
    pub secrets: BTreeMap<String, Secrets>,
    /// What kind of guest it is.
    pub kind: &'static Kind,
    /// Where its guests come from.
    pub origin: Origin,
}

/// Where the guests of a host come from.
#[derive(Debug)]
pub enum Origin {
    /// They are clones of a template.
    Template(Box<Baked>),
    /// Each is booted, since a machine of this host cannot be frozen.
    Boot(Box<Spec>),
}

impl Prepared {
    /// A guest of this host at rest, and the folder of its machine.
    pub async fn guest(&self, workspace: &Workspace) -> Result<(Guest, Folder)> {
        let folder = workspace.folder()?;
        let manifest = &self.generation.manifest;
        let guest = match &self.origin {
            Origin::Template(template) => {
                let machine = Machine::clone_of(&template.spec, template.entry.path(), folder.path()).await?;
                Guest::cloned(machine, self.kind, &manifest.user, template.boots.clone())?
            }
            Origin::Boot(spec) => {
                let machine = Machine::boot_once(spec, folder.path()).await?;
                let mut guest = Guest::booted(machine, self.kind, &manifest.user).await?;
                guest::settle(&mut guest, manifest, SETTLE_DEADLINE, |_| {}).await?;
                guest
            }
        };
        Ok((guest, folder))
    }

    /// The template, for what makes sense with one only.
    pub fn template(&self) -> Result<&Baked> {
        match &self.origin {
            Origin::Template(template) => Ok(template),
            Origin::Boot(_) => Err(Error::Usage(format!(
                "host {} has no template: its machines cannot be frozen",
                self.generation.manifest.host
            ))),
        }
    }
}
