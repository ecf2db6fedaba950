//! `harness bench`: how fast clones are, measured on a host's template.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::guest::{Guest, Wanted};
use crate::machine::Machine;
use crate::run::{Error, Hosts, Prepared, Result};
use crate::scenario::Hardware;

use super::Exit;
use super::arguments::BenchArguments;
use super::session;

/// What was measured. Times are the host's.
#[derive(Debug, Serialize)]
struct Figures {
    host: String,
    containers: usize,
    accelerator: String,
    processors: usize,
    clones: usize,
    /// From QEMU's start to the root shell.
    boot_s: f64,
    /// From there until every stack is active and healthy, no job is left and the journal is quiet for 5 guest seconds.
    settle_s: f64,
    /// From there until memory, devices and disks are written.
    freeze_ms: f64,
    /// From nothing to a running guest.
    clone_running_ms: Spread,
    /// From nothing to the exit status of `true`.
    clone_first_command_ms: Spread,
    /// From nothing to the properties of every stack's unit from both managers.
    clone_first_picture_ms: Spread,
    /// `true` in a clone that has answered before.
    command_ms: Spread,
    /// From asking for a journal record to having it from the stream, `true`'s own time included.
    journal_latency_ms: Spread,
    /// Memory of one clone that has taken a full picture, beside what it shares with its template.
    resident_mib: Spread,
    /// Clone, first and last picture with barrier, and ending the machine: what a trial costs beyond what it does.
    trial_overhead_ms: Spread,
    /// Of that, what the guest itself computed for the pictures.
    trial_overhead_in_guest_ms: Spread,
    /// Boot and settle, over a clone's first picture.
    clone_speed_up: f64,
}

/// The middle and the tail of several measurements.
#[derive(Debug, Clone, Serialize)]
struct Spread {
    p50: f64,
    p95: f64,
}

/// The measurements of one clone, milliseconds.
#[derive(Debug, Default, Clone)]
struct Sample {
    running: f64,
    first_command: f64,
    first_picture: f64,
    command: f64,
    journal: f64,
    resident_mib: f64,
    overhead: f64,
    overhead_in_guest: f64,
}

const LIMIT: Duration = Duration::from_secs(60);

/// Measures and prints.
pub fn bench(arguments: &BenchArguments) -> Result<Exit> {
    let hosts = session::open(session::project(&arguments.system)?, session::say_progress)?;
    let host = arguments.host.clone().unwrap_or_else(|| session::default_host(hosts.project()));
    let prepared = hosts.prepare(&host, Hardware::default())?;
    let probe = hosts.accelerator(&host)?;
    let baked = prepared.template()?.figures;
    let mut samples = Vec::new();
    for number in 1..=arguments.clones {
        anstream::eprintln!("clone {number} of {}", arguments.clones);
        let work = sample(&hosts, &prepared);
        samples.push(crate::run::runtime()?.block_on(hosts.recorder().until_interrupted(work))??);
    }
    let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of).collect());
    let first_picture = spread(|sample| sample.first_picture);
    let figures = Figures {
        host,
        containers: prepared.generation.manifest.containers(),
        accelerator: probe.reason,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        clones: samples.len(),
        boot_s: baked.boot_seconds,
        settle_s: baked.settle_seconds,
        freeze_ms: baked.freeze_milliseconds,
        clone_running_ms: spread(|sample| sample.running),
        clone_first_command_ms: spread(|sample| sample.first_command),
        clone_speed_up: (baked.boot_seconds + baked.settle_seconds) * 1000.0 / first_picture.p50,
        clone_first_picture_ms: first_picture,
        command_ms: spread(|sample| sample.command),
        journal_latency_ms: spread(|sample| sample.journal),
        resident_mib: spread(|sample| sample.resident_mib),
        trial_overhead_ms: spread(|sample| sample.overhead),
        trial_overhead_in_guest_ms: spread(|sample| sample.overhead_in_guest),
    };
    if arguments.json {
        anstream::println!("{}", serde_json::to_string_pretty(&figures).unwrap_or_default());
    } else {
        print(&figures);
    }
    Ok(Exit::Passed)
}

/// Measures one clone. A clone without all of its containers proves nothing.
async fn sample(hosts: &Hosts, prepared: &Prepared) -> Result<Sample> {
    let mut sample = Sample::default();
    let manifest = &prepared.generation.manifest;
    let units: Vec<String> = manifest.stacks.iter().map(|stack| stack.unit.clone()).collect();
    let begin = Instant::now();
    let folder = hosts.workspace().folder()?;
    let template = prepared.template()?;
    let mut machine = Machine::clone_of(&template.spec, template.entry.path(), folder.path()).await?;
    machine.resume().await?;
    sample.running = milliseconds(begin);
    let mut guest = Guest::cloned(machine, prepared.kind, &manifest.user, template.boots.clone())?;
    guest.must("true", LIMIT).await?;
    sample.first_command = milliseconds(begin);
    let wanted = Wanted { user_units: units.clone(), ..Wanted::default() };
    let pictured = guest.look_on(&template.picture, &wanted).await?.picture.units;
    sample.first_picture = milliseconds(begin);
    let active = pictured.iter().filter(|unit| unit.scope == "user" && unit.active == "active").count();

    let again = Instant::now();
    guest.must("true", LIMIT).await?;
    sample.command = milliseconds(again);
    let again = Instant::now();
    guest.barrier().await?;
    sample.journal = milliseconds(again);

    let looked = guest.look(&Wanted::default()).await?;
    let running = looked.picture.containers.iter().filter(|container| container.state == "running").count();
    let expected = manifest.containers() + manifest.native_units.len();
    if running != expected || active != units.len() {
        return Err(Error::Guest(crate::guest::Error::Wrong(format!(
            "a clone shows {running} running containers of {expected} and {active} active stacks of {}",
            units.len()
        ))));
    }
    sample.resident_mib = guest.machine().resident_kib().unwrap_or_default() as f64 / 1024.0;
    guest.into_machine().end().await?;

    let begin = Instant::now();
    let folder = hosts.workspace().folder()?;
    let machine = Machine::clone_of(&template.spec, template.entry.path(), folder.path()).await?;
    let mut guest = Guest::cloned(machine, prepared.kind, &manifest.user, template.boots.clone())?;
    let in_guest = Instant::now();
    guest.look_on(&template.picture, &Wanted::default()).await?;
    guest.look(&Wanted::default()).await?;
    sample.overhead_in_guest = milliseconds(in_guest);
    guest.into_machine().end().await?;
    drop(folder);
    sample.overhead = milliseconds(begin);
    Ok(sample)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        Spread { p50: at(0.5), p95: at(0.95) }
    }
}

fn print(figures: &Figures) {
    let machine = format!("{} processors; {}", figures.processors, figures.accelerator);
    anstream::println!(
        "{} with {} containers, {} clones ({machine})",
        figures.host,
        figures.containers,
        figures.clones
    );
    anstream::println!("  boot                        {:>9.1} s", figures.boot_s);
    anstream::println!("  settle                      {:>9.1} s", figures.settle_s);
    anstream::println!("  freeze                      {:>9.0} ms", figures.freeze_ms);
    for (name, spread, unit) in [
        ("clone runs", &figures.clone_running_ms, "ms"),
        ("clone's first command", &figures.clone_first_command_ms, "ms"),
        ("clone's first picture", &figures.clone_first_picture_ms, "ms"),
        ("command", &figures.command_ms, "ms"),
        ("journal record", &figures.journal_latency_ms, "ms"),
        ("memory of a clone", &figures.resident_mib, "MiB"),
        ("a trial's overhead", &figures.trial_overhead_ms, "ms"),
        ("  of it in the guest", &figures.trial_overhead_in_guest_ms, "ms"),
    ] {
        anstream::println!("  {name:<27} {:>9.0} {unit} (p95 {:.0})", spread.p50, spread.p95);
    }
    anstream::println!("  boot and settle take {:.0} times as long as a clone's first picture", figures.clone_speed_up);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let spread = Spread::of((1..=20).map(f64::from).collect());
        assert_eq!((spread.p50, spread.p95), (10.0, 19.0));
        let one = Spread::of(vec![7.0]);
        assert_eq!((one.p50, one.p95), (7.0, 7.0));
    }
}
