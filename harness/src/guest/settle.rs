//! Waiting until a guest has come to rest.

use std::time::Duration;

use crate::generation::Manifest;
use crate::timeline::{Picture, Record};

use super::{Error, Guest, Result, Wanted};

/// A guest at rest.
#[derive(Debug)]
pub struct Settled {
    /// Its state.
    pub picture: Picture,
    /// Everything in its journal so far.
    pub records: Vec<Record>,
}

/// How long the journal must have been quiet.
const QUIET: Duration = Duration::from_secs(5);

/// Waits, in guest time, until every stack is active, every container runs, every health check passes, no job is left
/// in either manager and the journal is quiet; `tell` hears what is waited for.
pub async fn settle(
    guest: &mut Guest,
    manifest: &Manifest,
    deadline: Duration,
    mut tell: impl FnMut(String),
) -> Result<Settled> {
    let mut records: Vec<Record> = Vec::new();
    let mut passed = Duration::ZERO;
    let mut waiting = "the first sign of life".to_owned();
    while passed < deadline {
        let fresh = guest.pass(QUIET).await?;
        passed += QUIET;
        let quiet = fresh.is_empty();
        if let Some(last) = fresh.iter().rev().find_map(newsworthy) {
            tell(format!("guest second {}: {last}", fresh.last().map_or(0, |record| record.at.micros / 1_000_000)));
        }
        records.extend(fresh);
        if !quiet {
            continue;
        }
        let looked = guest.look(&Wanted::default()).await?;
        records.extend(looked.records);
        waiting = missing(manifest, &looked.picture);
        if waiting.is_empty() {
            return Ok(Settled { picture: looked.picture, records });
        }
        tell(format!("waiting for {waiting}"));
    }
    Err(Error::Unsettled { seconds: deadline.as_secs(), waiting })
}

/// What keeps a guest from being at rest, in words; empty when nothing does.
fn missing(manifest: &Manifest, picture: &Picture) -> String {
    let mut missing = Vec::new();
    for stack in &manifest.stacks {
        let unit = picture.units.iter().find(|unit| unit.scope == "user" && unit.name == stack.unit);
        match unit {
            Some(unit) if unit.active == "active" => {}
            Some(unit) => missing.push(format!("{} ({})", stack.unit, unit.active)),
            None => missing.push(format!("{} (not loaded)", stack.unit)),
        }
    }
    let services = manifest.stacks.iter().flat_map(|stack| &stack.services);
    for service in services {
        let container = picture.containers.iter().find(|container| container.name == service.container);
        match container {
            Some(container) if container.state != "running" => {
                missing.push(format!("container {} ({})", service.container, container.state));
            }
            Some(container) if service.health_check && container.health != "healthy" => {
                missing.push(format!("container {} ({})", service.container, container.health));
            }
            Some(_) => {}
            None => missing.push(format!("container {}", service.container)),
        }
    }
    let moving = ["activating", "deactivating", "reloading"];
    let jobs = picture.units.iter().filter(|unit| moving.contains(&unit.active.as_str()));
    missing.extend(jobs.map(|unit| format!("{} ({})", unit.name, unit.active)));
    missing.dedup();
    let count = missing.len();
    if count > 4 {
        missing.truncate(3);
        missing.push(format!("{} more", count - 3));
    }
    missing.join(", ")
}

/// The message of a record that tells people how far a boot is.
fn newsworthy(record: &Record) -> Option<String> {
    let message = record.message();
    let manager = record.field("_COMM") == Some("systemd");
    (manager && (message.starts_with("Start") || message.starts_with("Finished") || message.starts_with("Reached")))
        .then(|| message.to_owned())
}
