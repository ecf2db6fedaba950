//! Waiting until a guest has come to rest.

use std::time::Duration;

use crate::generation::Manifest;
use crate::timeline::{Entry, Picture, Record};

use super::{Error, Guest, Result, Wanted};

/// What is recorded while a guest comes to rest.
#[derive(Debug, Default)]
pub struct Settling {
    /// Everything in its journal so far.
    pub records: Vec<Record>,
    /// The programs that were started so far.
    pub started: Vec<Entry>,
}

/// How long the journal must have been quiet, but for health checks: where there are many, one always runs.
const QUIET: Duration = Duration::from_secs(5);

/// Waits, in guest time, until every stack is active, every container runs, every health check passes, no job is left
/// in either manager and the journal is quiet; `tell` hears what is waited for.
pub async fn settle(
    guest: &mut Guest,
    manifest: &Manifest,
    deadline: Duration,
    tell: impl FnMut(String),
) -> Result<()> {
    let waits_for = |picture: &Picture| [missing(manifest, picture), moving(picture)].concat();
    match wait_until(guest, deadline, &mut Settling::default(), tell, waits_for).await? {
        Some(waiting) => Err(Error::Unsettled { seconds: deadline.as_secs(), waiting }),
        None => Ok(()),
    }
}

/// Waits, in guest time, until no unit is on its way and the journal is quiet, however the stacks are. A guest that never
/// comes to rest is no error: why it does not is in its journal, and for others to judge. What was recorded is in `settling`
/// also where something goes wrong.
pub async fn rest(guest: &mut Guest, deadline: Duration, settling: &mut Settling) -> Result<()> {
    let _still_waiting = wait_until(guest, deadline, settling, |_| {}, moving).await?;
    Ok(())
}

/// What the guest still waits for when its time is over; nothing once it is at rest.
async fn wait_until(
    guest: &mut Guest,
    deadline: Duration,
    settling: &mut Settling,
    mut tell: impl FnMut(String),
    waits_for: impl Fn(&Picture) -> Vec<String>,
) -> Result<Option<String>> {
    let mut passed = Duration::ZERO;
    let mut waiting = "the first sign of life".to_owned();
    while passed < deadline {
        let (fresh, _) = guest.pass(QUIET).await?;
        passed += QUIET;
        let quiet = fresh.iter().all(is_health_check);
        if let Some(last) = fresh.iter().rev().find_map(newsworthy) {
            tell(format!("guest second {}: {last}", fresh.last().map_or(0, |record| record.at.micros / 1_000_000)));
        }
        settling.records.extend(fresh);
        if !quiet {
            continue;
        }
        let looked = guest.look(&Wanted::default()).await?;
        settling.records.extend(looked.records);
        settling.started.extend(looked.started);
        waiting = in_words(waits_for(&looked.picture));
        if waiting.is_empty() {
            return Ok(None);
        }
        if let Some(failed) = stuck(&looked.picture) {
            let journal = journal_of(failed, &settling.records);
            return Err(Error::Wrong(format!("{failed} failed; its journal:\n{journal}")));
        }
        tell(format!("waiting for {waiting}"));
    }
    Ok(Some(waiting))
}

/// The stacks, containers and health checks that are not as they shall be.
fn missing(manifest: &Manifest, picture: &Picture) -> Vec<String> {
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
    missing
}

/// The units that are on their way from one state to another.
fn moving(picture: &Picture) -> Vec<String> {
    let states = ["activating", "deactivating", "reloading"];
    let moving = picture.units.iter().filter(|unit| states.contains(&unit.active.as_str()));
    moving.map(|unit| format!("{} ({})", unit.name, unit.active)).collect()
}

/// A unit that has failed while nothing is on its way that could mend it. Failed health checks mend themselves.
fn stuck(picture: &Picture) -> Option<&str> {
    if !moving(picture).is_empty() {
        return None;
    }
    let failed = picture.units.iter().find(|unit| unit.active == "failed" && !unit.transient);
    failed.map(|unit| unit.name.as_str())
}

/// The last lines of a unit's journal, for people.
fn journal_of(unit: &str, records: &[Record]) -> String {
    let lines: Vec<_> = records
        .iter()
        .filter(|record| record.unit().or(record.managed_unit()).is_some_and(|owner| owner.name == unit))
        .map(|record| format!("  {:>10.3}  {}", record.at.micros as f64 / 1e6, record.message()))
        .collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// The first few of many things.
fn in_words(mut things: Vec<String>) -> String {
    things.dedup();
    let count = things.len();
    if count > 4 {
        things.truncate(3);
        things.push(format!("{} more", count - 3));
    }
    things.join(", ")
}

/// Whether a record comes from the run of a health check.
fn is_health_check(record: &Record) -> bool {
    record.unit().is_some_and(|unit| unit.health_check_of().is_some())
}

/// The message of a record that tells people how far a boot is.
fn newsworthy(record: &Record) -> Option<String> {
    let message = record.message();
    let manager = record.field("_COMM") == Some("systemd");
    (manager && (message.starts_with("Start") || message.starts_with("Finished") || message.starts_with("Reached")))
        .then(|| message.to_owned())
}
