//! Preparing NixOS test nodes: looked at once, then baked like any host where they can be frozen.

use std::collections::BTreeMap;
use std::fs;
use std::sync::PoisonError;

use sha2::{Digest, Sha256};

use crate::image::{Key, Progress};
use crate::machine::{self, Accelerator, Clock, Node, Probe, Program, Spec};

use super::bake::{self, Bake};
use super::host::Shape;
use super::nodes::NodeFile;
use super::{Error, Hosts, Origin, Prepared, Result, runtime};

impl Hosts {
    /// What a node is made of, and the verdict on this machine's accelerator, both from the cache where it has them.
    pub(super) fn look_at(&self, node: &NodeFile) -> Result<(Node, Probe)> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = nodes.get(&node.name) {
            return Ok(known.clone());
        }
        let looked = self.look(node)?;
        nodes.insert(node.name.clone(), looked.clone());
        Ok(looked)
    }

    fn look(&self, node: &NodeFile) -> Result<(Node, Probe)> {
        let progress = self.recorder().task(&format!("node {}", node.name));
        let key = Key::builder().part("script", script_digest(node)?).part("qemu", machine::qemu_version()?).finish();
        let node: Node = self.remembered("node", "node.json", &key, &progress, || {
            progress.phase("running the start script once, to see what machine it makes");
            let place = self.workspace().folder()?;
            let work = async { Ok(machine::look_at_node(&node.start_script, place.path()).await?) };
            runtime()?.block_on(self.recorder().until_interrupted(work))?
        })?;
        let probe = match &node.kernel {
            Some(direct) => self.probe(&direct.qemu, &direct.kernel, &direct.initrd, NO_USERSPACE)?,
            None => Probe {
                accelerator: Accelerator::Tcg,
                reason: "the node boots no kernel directly that /dev/kvm could be tried with: software emulation"
                    .to_owned(),
            },
        };
        Ok((node, probe))
    }

    /// A node on which trials can be run: its template, or what each trial boots.
    pub(super) fn prepare_node(&self, file: &NodeFile, shape: Shape) -> Result<Prepared> {
        let progress = self.recorder().task(&format!("bake {}", file.name));
        let (node, probe) = self.look_at(file)?;
        let generation = self.generation(&file.name, &progress)?;
        let clock = shape.clock;
        let (accelerator, cpus) = match clock {
            Clock::Virtual => (Accelerator::Tcg, shape.cpus),
            Clock::Real => (probe.accelerator, node.cpus.max(shape.cpus)),
        };
        let program = Program::Script(file.start_script.clone());
        let spec = Spec { accelerator, clock, cpus, memory_mib: node.memory_mib, program };
        let origin = match node.obstacle {
            Some(obstacle) => {
                progress.notice(&format!("every trial boots this node, and none is kept: {obstacle}"));
                Origin::Boot(Box::new(spec))
            }
            None => {
                let key = bake::key(&spec)?.part("script", script_digest(file)?).finish();
                let manifest = &generation.manifest;
                let bake = Bake { store: self.store(), key, spec, kind: self.kind(), manifest };
                Origin::Template(Box::new(self.get_or_bake(&bake, &progress)?))
            }
        };
        // A node has its secrets from its own secrets machinery.
        Ok(Prepared { generation, secrets: BTreeMap::new(), kind: self.kind(), origin })
    }
}

/// A kernel that finds no program to begin with has run all of its own by then.
const NO_USERSPACE: &str = "rdinit=/none";

/// On NixOS the text of a start script names everything that the node is made of.
fn script_digest(node: &NodeFile) -> Result<String> {
    let text = fs::read(&node.start_script).map_err(Error::io("read", &node.start_script))?;
    Ok(hex::encode(Sha256::digest(text)))
}
