//! What is looked at in every trial, asked or not: crashes of programs and of the kernel, lack of memory, other units
//! that fail, and errors in the journal that nothing explains.

use std::collections::BTreeSet;

use crate::scenario::{
    Act, ActKind, ActiveState, Container, ContainerCondition, Excepted, ExitRule, Expectation, JournalSource, Line,
    Trial, Unit,
};
use crate::timeline::{Entry, MESSAGE_ID_COREDUMP, MESSAGE_ID_OOMD_KILL, Record, TransitionKind, UnitRef};

use super::counted::{self, is_about};
use super::finding::Finding;
use super::history::Change;
use super::recording::Recording;
use super::{Noise, Subject, Verdict, compose, words};

/// Syslog's `err`.
const ERR: u8 = 3;

/// How programs begin what they have to say of an error.
const COMPLAINTS: [&str; 2] = ["ERROR:", "Error:"];

/// The kernel's words for a program that it killed for a fault of its own.
const PROGRAM_FAULTS: [&str; 4] = ["segfault at ", "general protection fault", "traps: ", "invalid opcode"];

/// The kernel's words for its own faults.
const KERNEL_FAULTS: [&str; 10] = [
    "Oops:",
    "BUG:",
    "kernel BUG at",
    "Kernel panic",
    "blocked for more than",
    "rcu_sched self-detected stall",
    "rcu_preempt self-detected stall",
    "detected stalls on CPUs",
    "rcu: INFO:",
    "soft lockup",
];

/// The kernel's words for lack of memory.
const MEMORY_FAULTS: [&str; 3] = ["Out of memory:", "oom-kill:", "Memory cgroup out of memory"];

/// The gates that have something to say.
pub(super) fn verdicts(recording: &Recording, noise: &[Noise]) -> Vec<Verdict> {
    let gates = Gates { recording, noise, reported: BTreeSet::new() };
    gates.verdicts()
}

struct Gates<'r, 'a> {
    recording: &'r Recording<'a>,
    noise: &'r [Noise],
    /// The entries that a gate has reported: no record is reported twice.
    reported: BTreeSet<usize>,
}

impl<'a> Gates<'_, 'a> {
    fn verdicts(mut self) -> Vec<Verdict> {
        let from = self.recording.ready().unwrap_or(0);
        let found = [
            ("core-dump", "no program crashes", self.records(0, is_crash)),
            ("kernel", "the kernel finds no fault in itself", self.records(0, is_kernel_fault)),
            ("out-of-memory", "nothing is killed for lack of memory", self.records(0, is_out_of_memory)),
        ];
        let mut verdicts: Vec<_> =
            found.into_iter().filter_map(|(name, expected, records)| self.gate(name, expected, records)).collect();
        // No exception and no noise speaks for the harness itself.
        let own = self.failures(from, is_own, |_| false);
        verdicts.extend(self.report("harness", "the harness's own units work", own, Finding::broken));
        let failures = self.unit_failures(from);
        verdicts.extend(self.gate("unit-failure", "no unit fails but those that are expected to", failures));
        let unhealthy = self.unhealthy(from);
        verdicts.extend(self.gate(
            "health",
            "no container becomes unhealthy but those that are expected to",
            unhealthy,
        ));
        let errors = self.errors(from);
        verdicts.extend(self.gate("journal-error", "the journal has no error that nothing explains", errors));
        let strays = self.stray_errors(from);
        verdicts.extend(self.report("stray-error", "the journal knows whose each error is", strays, Finding::broken));
        verdicts
    }

    fn gate(&mut self, name: &str, expected: &str, found: Vec<(usize, String)>) -> Option<Verdict> {
        self.report(name, expected, found, Finding::failed)
    }

    /// One verdict on all that was found and that no gate has reported before.
    fn report(
        &mut self,
        name: &str,
        expected: &str,
        found: Vec<(usize, String)>,
        as_finding: fn(String) -> Finding,
    ) -> Option<Verdict> {
        let new: Vec<_> = found.into_iter().filter(|(index, _)| !self.reported.contains(index)).collect();
        let first = new.first()?;
        let at = self.recording.entries.get(first.0).and_then(Entry::at);
        let (evidence, sentences): (Vec<_>, Vec<_>) = new.into_iter().unzip();
        self.reported.extend(&evidence);
        let finding = as_finding(sentences.join("\n")).evidence(evidence);
        let finding = Finding { at, ..finding };
        Some(finding.verdict(Subject::Gate(name.into()), None, expected.into()))
    }

    fn records(&self, from: usize, is_found: impl Fn(&Record) -> bool) -> Vec<(usize, String)> {
        let records = self.recording.records(from..self.recording.entries.len());
        records
            .filter(|(_, record)| is_found(record) && !self.is_known(record))
            .map(|(index, record)| (index, quoted(record)))
            .collect()
    }

    /// The project's list and the scenario's exceptions speak for a record.
    fn is_known(&self, record: &Record) -> bool {
        let excepted = self.recording.trial.except.iter().any(|exception| match &exception.what {
            Excepted::Journal(pattern) => pattern.is_match(record.message()),
            _ => false,
        });
        excepted || self.noise.iter().any(|noise| noise.explains(record))
    }

    fn unit_failures(&self, from: usize) -> Vec<(usize, String)> {
        let counts = |unit: UnitRef| !is_own(unit) && !self.is_excepted(unit) && unit.health_check_of().is_none();
        self.failures(from, counts, |record| self.is_known(record))
    }

    /// Whether the step in which a unit failed expects it, by a line or by an action that must not succeed, or a later
    /// line expects it to be failed still. That it may fail in one step is no leave to fail in another.
    fn is_expected_then(&self, change: &Change) -> bool {
        let steps = &self.recording.trial.steps;
        let began = |step: &usize| self.recording.step(*step).is_some_and(|view| view.range.start <= change.index);
        let Some(of) = (0..steps.len()).rev().find(began) else { return false };
        let is_it = |units: &[Unit]| units.iter().any(|unit| words::same_unit(unit, change.unit));
        let must_fail = |act: &Act| act.exit == ExitRule::Failure && is_it(act.units());
        let expects = |line: &Line| expects_failure(&line.what, change.unit);
        let is_still = |line: &Line| matches!(line.what, Expectation::UnitIs { .. }) && expects(line);
        let mut later = steps[of..].iter().flat_map(|step| &step.then);
        steps[of].when.iter().any(must_fail) || steps[of].then.iter().any(expects) || later.any(is_still)
    }

    fn failures(
        &self,
        from: usize,
        counts: impl Fn(UnitRef) -> bool,
        is_known: impl Fn(&Record) -> bool,
    ) -> Vec<(usize, String)> {
        let failed = self.recording.changes.iter().filter(|change| {
            change.state == ActiveState::Failed
                && change.index >= from
                && counts(change.unit)
                && !self.is_expected_then(change)
                && !matches!(&self.recording.entries[change.index], Entry::Journal(record) if is_known(record))
        });
        failed
            .map(|change| {
                let at = words::moment(change.at);
                let sentence = format!("{} failed ({}) at {at}", words::unit_ref(change.unit), change.result);
                (change.index, sentence)
            })
            .collect()
    }

    /// Whether nothing that is said about a failure of the unit is an error of its own.
    fn may_fail(&self, unit: UnitRef) -> bool {
        let mut lines = self.recording.trial.lines();
        let expected = lines.any(|line| expects_failure(&line.what, unit));
        expected || self.is_excepted(unit) || unit.health_check_of().is_some()
    }

    fn is_excepted(&self, unit: UnitRef) -> bool {
        let mut exceptions = self.recording.trial.except.iter();
        exceptions.any(|exception| match &exception.what {
            Excepted::Units(units) => units.iter().any(|excepted| words::same_unit(excepted, unit)),
            _ => false,
        })
    }

    /// A health check runs as a transient unit that fails with each single check, also with one that was at work when
    /// its container was stopped, and with one that podman 5.4 now and then takes for hung though it has answered. What
    /// counts is the health that podman concludes from several: it writes it down after each check.
    fn unhealthy(&self, from: usize) -> Vec<(usize, String)> {
        let records = self.recording.records(from..self.recording.entries.len());
        records
            .filter_map(|(index, record)| {
                let id = record.unhealthy_container()?;
                let name = record.field("PODMAN_NAME").unwrap_or(id);
                let sentence = || (index, format!("{name} is unhealthy at {}", words::moment(record.at)));
                (!self.may_be_unhealthy(id, name)).then(sentence)
            })
            .collect()
    }

    /// Whether a line expects it, an exception allows it, or an action turned a knob of the container.
    fn may_be_unhealthy(&self, id: &str, name: &str) -> bool {
        let trial = self.recording.trial;
        let mut states = self.recording.pictures.iter().flat_map(|taken| &taken.picture.containers);
        let place = states.find(|state| state.id == id).and_then(|state| compose::place(state, &trial.stacks));
        let is_it = |named: &[Container]| named.iter().any(|named| named.name == name);
        let expected = trial.lines().any(|line| match &line.what {
            Expectation::Containers { containers, are: ContainerCondition::Unhealthy } => is_it(containers),
            _ => false,
        });
        let excepted = trial.except.iter().any(|exception| match &exception.what {
            Excepted::Containers(containers) => is_it(containers),
            _ => false,
        });
        let turned = trial.acts().any(|act| match &act.what {
            ActKind::Knob { services, .. } => services.iter().any(|(stack, service)| place == Some((stack, service))),
            _ => false,
        });
        expected || excepted || turned
    }

    fn errors(&self, from: usize) -> Vec<(usize, String)> {
        self.unexplained(from, |record| {
            let is_error = record.priority().is_some_and(|priority| priority <= ERR);
            is_error || complains(record) && record.unit().is_some_and(|unit| !self.may_fail(unit))
        })
    }

    /// Errors of which nobody can say whether they are of a unit that may fail.
    fn stray_errors(&self, from: usize) -> Vec<(usize, String)> {
        self.unexplained(from, |record| complains(record) && record.is_stray())
    }

    fn unexplained(&self, from: usize, is_error: impl Fn(&Record) -> bool) -> Vec<(usize, String)> {
        let records = self.recording.records(from..self.recording.entries.len());
        records
            .filter(|(_, record)| is_error(record))
            .filter(|(_, record)| !self.is_known(record) && !self.is_consequence(record))
            .filter(|(_, record)| !is_asked_for(self.recording.trial, record))
            .map(|(index, record)| (index, quoted(record)))
            .collect()
    }

    /// What a manager says about a unit that may fail.
    fn is_consequence(&self, record: &Record) -> bool {
        record.managed_unit().is_some_and(|unit| self.may_fail(unit))
    }
}

/// What a script prints has the priority of any other output; that it is an error only its words say.
fn complains(record: &Record) -> bool {
    COMPLAINTS.iter().any(|word| record.message().starts_with(word))
}

/// Whether a unit is the harness's own.
pub(super) fn is_own(unit: UnitRef) -> bool {
    unit.name.starts_with("harness-")
}

fn quoted(record: &Record) -> String {
    let unit = record.unit().map(words::unit_ref);
    let by = unit.or_else(|| record.identifier().map(str::to_owned));
    let by = by.unwrap_or_else(|| "somebody".to_owned());
    format!("{by} says {:?} at {}", record.message(), words::moment(record.at))
}

fn kernel_says(record: &Record, words: &[&str]) -> bool {
    record.is_kernel() && words.iter().any(|word| record.message().contains(word))
}

fn is_crash(record: &Record) -> bool {
    record.message_id() == Some(MESSAGE_ID_COREDUMP) || kernel_says(record, &PROGRAM_FAULTS)
}

fn is_kernel_fault(record: &Record) -> bool {
    kernel_says(record, &KERNEL_FAULTS)
}

fn is_out_of_memory(record: &Record) -> bool {
    let kind = record.transition().map(|transition| transition.kind);
    record.message_id() == Some(MESSAGE_ID_OOMD_KILL)
        || matches!(kind, Some(TransitionKind::OutOfMemory | TransitionKind::Failed { result: "oom-kill" }))
        || kernel_says(record, &MEMORY_FAULTS)
}

fn expects_failure(what: &Expectation, unit: UnitRef) -> bool {
    let is_it = |units: &[Unit]| units.iter().any(|named| words::same_unit(named, unit));
    match what {
        Expectation::UnitEnters { units, state: ActiveState::Failed, .. }
        | Expectation::UnitIs { units, state: ActiveState::Failed, .. } => is_it(units),
        Expectation::Order { entries } => {
            entries.iter().any(|(units, state)| *state == ActiveState::Failed && is_it(units))
        }
        _ => false,
    }
}

/// Whether a line of the scenario asks for such records.
fn is_asked_for(trial: &Trial, record: &Record) -> bool {
    trial.lines().any(|line| match &line.what {
        Expectation::Journal { of, pattern, times } if times.most != Some(0) => {
            let is_of = match of {
                JournalSource::Units(units) => units.iter().any(|unit| is_about(record, unit)),
                JournalSource::Kernel => record.is_kernel(),
                JournalSource::Anything => true,
            };
            is_of && pattern.is_match(record.message())
        }
        Expectation::Alert { units, times, .. } if times.most != Some(0) => {
            units.iter().any(|unit| counted::is_alert_about(record, unit))
        }
        _ => false,
    })
}
