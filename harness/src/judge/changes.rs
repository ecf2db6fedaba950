//! `nothing-else-changed`: the first picture against the last, but for what the scenario acts on or expects.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{
    Act, ActKind, Container, ContainerCondition, Excepted, Expectation, JournalSource, StackFacts, Trial, Unit,
};
use crate::timeline::{ContainerState, Picture, UnitRef, UnitState};

use super::finding::Finding;
use super::gates::is_own;
use super::integrity::units_of;
use super::picture::short;
use super::recording::Recording;
use super::{Subject, Verdict, compose, remains, words};

/// The verdict, if something else changed.
pub(super) fn verdict(recording: &Recording) -> Option<Verdict> {
    let (first, last) = (recording.pictures.first()?, recording.pictures.last()?);
    let concern = Concern::of(recording.trial, first.picture, last.picture);
    let mut differences = units(first.picture, last.picture, &concern);
    differences.extend(containers(first.picture, last.picture, &concern));
    // Units and containers have exceptions of their own, which name them.
    let others = sockets(first.picture, last.picture, &concern).into_iter();
    let others = others.chain(remains::differences(first.picture, last.picture, &concern));
    differences.extend(others.filter(|difference| !is_excepted(recording.trial, difference)));
    (!differences.is_empty()).then(|| {
        let subject = Subject::Gate("nothing-else-changed".into());
        let expected = "nothing changes but what the scenario acts on or expects".to_owned();
        Finding::failed(differences.join("\n"))
            .evidence(vec![first.index, last.index])
            .at(last.at)
            .verdict(subject, None, expected)
    })
}

fn is_excepted(trial: &Trial, difference: &str) -> bool {
    let mut exceptions = trial.except.iter();
    exceptions.any(|exception| matches!(&exception.what, Excepted::Change(pattern) if pattern.is_match(difference)))
}

/// What the scenario acts on or expects, and its exceptions: their changes are not "else".
#[derive(Default)]
pub(super) struct Concern<'a> {
    /// The stacks of the host.
    host: &'a [StackFacts],
    /// The trial's stack: a concern as a whole as soon as one container of it is.
    own_stack: Option<&'a str>,
    units: BTreeSet<UnitRef<'a>>,
    stacks: BTreeSet<&'a str>,
    containers: BTreeSet<&'a str>,
    services: BTreeSet<(&'a str, &'a str)>,
    /// The files that actions remove, write or give other owners and modes.
    paths: BTreeSet<&'a str>,
    /// The images of which actions publish another version.
    images: BTreeSet<&'a str>,
    /// Whether the machine is started again: then every container is, too.
    boots: bool,
    /// Whether another generation is activated.
    switches: bool,
    /// Whether a user's manager that the trial acts on is stopped for good: then everything that it ran is, too.
    users_stop: bool,
}

impl<'a> Concern<'a> {
    fn of(trial: &'a Trial, first: &Picture, last: &Picture) -> Self {
        let mut concern = Self { host: &trial.stacks, own_stack: trial.stack.as_deref(), ..Self::default() };
        trial.acts().for_each(|act| concern.act(act));
        trial.lines().for_each(|line| concern.line(&line.what, first));
        for exception in &trial.except {
            match &exception.what {
                Excepted::Units(units) => units.iter().for_each(|unit| concern.unit(unit)),
                Excepted::Containers(containers) => {
                    containers.iter().for_each(|container| concern.container(container))
                }
                Excepted::Journal(_) | Excepted::Change(_) => {}
            }
        }
        let runs_in =
            |picture, name: &str| users_managers(picture).any(|state| state.name == name && state.active == "active");
        let mut acted_on = users_managers(first).filter(|manager| concern.units.contains(&manager.unit()));
        concern.users_stop = acted_on.any(|manager| runs_in(first, &manager.name) && !runs_in(last, &manager.name));
        concern
    }

    fn unit(&mut self, unit: &'a Unit) {
        self.units.insert(words::as_ref(unit));
        let owned = self.host.iter().filter(|stack| stack.owns_unit(unit));
        self.stacks.extend(owned.map(|stack| &*stack.name));
    }

    fn container(&mut self, container: &'a Container) {
        self.containers.insert(&container.name);
        self.part_of(container.stack.as_deref());
    }

    fn part_of(&mut self, stack: Option<&'a str>) {
        self.stacks.extend(stack.filter(|stack| self.own_stack == Some(stack)));
    }

    fn act(&mut self, act: &'a Act) {
        act.units().iter().for_each(|unit| self.unit(unit));
        match &act.what {
            ActKind::Knob { services, .. } => {
                for (stack, service) in services {
                    self.services.insert((stack, service));
                    self.part_of(Some(stack));
                }
            }
            ActKind::Remove { paths }
            | ActKind::Restore { paths }
            | ActKind::Chmod { paths, .. }
            | ActKind::Chown { paths, .. } => self.paths.extend(paths.iter().map(|path| &**path)),
            ActKind::Write { path, .. } => {
                self.paths.insert(path);
            }
            ActKind::Push { images, .. } => self.images.extend(images.iter().map(|image| &**image)),
            ActKind::Reboot | ActKind::PowerCut => self.boots = true,
            ActKind::Activate { .. } => self.switches = true,
            _ => {}
        }
    }

    /// Lines that expect something to stay as it is do not make it a concern, whether they say so or ask for the state
    /// that it was in: they check it, and so does this gate.
    fn line(&mut self, what: &'a Expectation, first: &Picture) {
        match what {
            Expectation::UnitEnters { .. } | Expectation::Order { .. } => {
                units_of(what).into_iter().for_each(|unit| self.unit(unit));
            }
            Expectation::UnitIs { units, state, .. } => {
                let was = |unit: &Unit| first.units.iter().find(|known| words::same_unit(unit, known.unit()));
                let is_so = |unit: &Unit| was(unit).is_some_and(|known| known.active == words::state_name(*state));
                units.iter().filter(|unit| !is_so(unit)).for_each(|unit| self.unit(unit));
            }
            Expectation::Containers { containers, are } => {
                let was = |container: &Container| first.containers.iter().find(|known| known.name == container.name);
                let is_so = |known: &ContainerState| match are {
                    ContainerCondition::Running => known.state == "running",
                    ContainerCondition::Healthy => known.health == "healthy",
                    ContainerCondition::Unchanged | ContainerCondition::SameIds => true,
                    _ => false,
                };
                let others = containers.iter().filter(|container| !was(container).is_some_and(is_so));
                others.for_each(|container| self.container(container));
            }
            Expectation::Journal { of: JournalSource::Units(units), times, .. }
            | Expectation::Alert { units, times, .. }
                if times.least > 0 =>
            {
                units.iter().for_each(|unit| self.unit(unit));
            }
            _ => {}
        }
    }

    /// Whether the trial acts on the unit or expects something of it.
    pub(super) fn has_unit(&self, unit: UnitRef) -> bool {
        let owner = self.host.iter().find(|stack| unit.scope == "user" && unit.name == stack.unit);
        self.units.contains(&unit) || owner.is_some_and(|stack| self.stacks.contains(&*stack.name))
    }

    /// Whether the trial acts on the file itself, or on a folder that it is in.
    pub(super) fn has_path(&self, path: &str) -> bool {
        self.paths
            .iter()
            .any(|acted| path.strip_prefix(acted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Whether the name of a file, a network or a volume is that of a stack which the trial stops or starts: it goes
    /// with the stack.
    pub(super) fn has_name_of_stack(&self, name: &str) -> bool {
        self.stacks.iter().any(|stack| {
            name.strip_prefix(stack)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-'))
        })
    }

    /// Whether the trial publishes other versions of images.
    pub(super) fn publishes(&self) -> bool {
        !self.images.is_empty()
    }

    /// Whether the trial acts on a container of the image, or on the image itself.
    pub(super) fn has_image(&self, name: &str, picture: &Picture) -> bool {
        let mut containers = picture.containers.iter().filter(|container| container.image == name);
        self.images.contains(name) || containers.any(|container| self.has_container(container))
    }

    /// Whether a container that the trial does not name goes with its user's manager.
    fn may_stop(&self, was: &ContainerState) -> bool {
        self.users_stop && was.state == "running"
    }

    fn has_container(&self, container: &ContainerState) -> bool {
        let is_concern = |(stack, service)| self.stacks.contains(stack) || self.services.contains(&(stack, service));
        self.containers.contains(&*container.name) || compose::place(container, self.host).is_some_and(is_concern)
    }
}

/// What a switch of NixOS starts anew: what a boot does not start (nixos/modules/system/boot/systemd/tmpfiles.nix), the
/// user's own activation (nixos/modules/system/activation/activation-script.nix), and secrets that differ (sops-nix,
/// modules/sops/default.nix).
const OF_A_SWITCH: [&str; 4] = [
    "nixos-activation.service",
    "sops-install-secrets.service",
    "sysinit-reactivation.target",
    "systemd-tmpfiles-resetup.service",
];

fn units(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let (before, after) = (compared_units(first), compared_units(last));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let differing = names.into_iter().filter(|unit| !concern.has_unit(*unit)).filter_map(|unit| {
        let was = state_of(before.get(&unit).copied());
        let is = state_of(after.get(&unit).copied());
        let of_a_switch = concern.switches && OF_A_SWITCH.contains(&unit.name);
        let passing = comes_and_goes(unit, first) || of_a_switch;
        let on_demand = passing && was != "failed" && is != "failed";
        // What the harness or a scenario started for one use goes with a boot.
        let was_passing = before.get(&unit).is_some_and(|state| state.transient) && is == "inactive";
        let went_with_user = concern.users_stop && unit.scope == "user" && is == "inactive";
        if was != is {
            return (!on_demand && !was_passing && !went_with_user)
                .then(|| format!("{} was {was}, is {is}", words::unit_ref(unit)));
        }
        // Our own go with what they serve.
        let began_anew = !passing
            && !is_own(unit)
            && is == "active"
            && invocation_of(&before, unit).zip(invocation_of(&after, unit)).is_some_and(|(was, is)| was != is)
            && has_same_manager(unit, first, last, concern);
        began_anew.then(|| format!("{} was stopped and is {is} again", words::unit_ref(unit)))
    });
    differing.collect()
}

/// Where it is known.
fn invocation_of<'a>(units: &BTreeMap<UnitRef<'_>, &'a UnitState>, unit: UnitRef) -> Option<&'a str> {
    units.get(&unit).map(|state| &*state.invocation).filter(|invocation| !invocation.is_empty())
}

/// Whether the unit's manager is still that of the first picture: a new one starts everything anew.
fn has_same_manager(unit: UnitRef, first: &Picture, last: &Picture, concern: &Concern) -> bool {
    let invocations = |picture| users_managers(picture).map(|manager| &*manager.invocation);
    !concern.boots && (unit.scope != "user" || invocations(first).eq(invocations(last)))
}

fn users_managers(picture: &Picture) -> impl Iterator<Item = &UnitState> {
    let is_manager = |state: &&UnitState| {
        state.scope == "system" && state.name.starts_with("user@") && state.name.ends_with(".service")
    };
    picture.units.iter().filter(is_manager)
}

/// Units that say something about the host. Transient ones, scopes and sessions belong to single commands and health
/// checks, as long as they do not stay behind as failed; devices are the kernel's; slices come and go with what is in
/// them.
fn compared_units(picture: &Picture) -> BTreeMap<UnitRef<'_>, &UnitState> {
    let passing = [".scope", ".slice", ".device"];
    let checks_a_container = |state: &UnitState| {
        let unit = state.unit();
        let id = unit.health_check_of();
        id.is_some_and(|id| picture.containers.iter().any(|container| container.id == id))
    };
    let stays = |state: &UnitState| !state.transient || state.active == "failed" && !checks_a_container(state);
    let lasting =
        picture.units.iter().filter(|state| stays(state) && !passing.iter().any(|suffix| state.name.ends_with(suffix)));
    lasting.map(|state| (state.unit(), state)).collect()
}

/// A unit that is not loaded is inactive to its manager, and a failure is a failure whatever its Result.
fn state_of(state: Option<&UnitState>) -> &str {
    state.map_or("inactive", |state| match &*state.result {
        "" | "success" => &state.active,
        _ if state.active == "failed" => "failed",
        _ => "inactive after a failure",
    })
}

/// A service with a socket or a timer runs when somebody asks for it or its time comes, whatever the scenario does; a
/// socket with `Accept=yes` starts an instance of its template for each connection (systemd.socket(5)).
pub(super) fn comes_and_goes(unit: UnitRef, picture: &Picture) -> bool {
    let Some(name) = unit.name.strip_suffix(".service") else {
        return false;
    };
    let stem = name.split_once('@').map_or(name, |(template, _)| template);
    let starters = [format!("{stem}.socket"), format!("{stem}.timer")];
    picture.units.iter().any(|state| state.scope == unit.scope && starters.contains(&state.name))
}

fn containers(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let others = |picture| other_containers(picture, concern);
    let (before, after) = (others(first), others(last));
    let gone = before.iter().filter(|(name, was)| !after.contains_key(*name) && !concern.may_stop(was));
    let gone = gone.map(|(name, _)| format!("the container {name} is gone"));
    let new = after.keys().filter(|name| !before.contains_key(*name));
    let new = new.map(|name| format!("the container {name} is new"));
    let both = before.iter().filter_map(|(name, was)| Some((*was, *after.get(name)?)));
    let changed = both.filter_map(|(was, is)| container_difference(was, is, concern));
    gone.chain(new).chain(changed).collect()
}

fn other_containers<'a>(picture: &'a Picture, concern: &Concern) -> BTreeMap<&'a str, &'a ContainerState> {
    let others = picture.containers.iter().filter(|container| !concern.has_container(container));
    others.map(|container| (&*container.name, container)).collect()
}

fn container_difference(was: &ContainerState, is: &ContainerState, concern: &Concern) -> Option<String> {
    let name = &was.name;
    if was.id != is.id {
        return Some(format!("{name} was recreated: {}, before {}", short(&is.id), short(&was.id)));
    }
    if was.state != is.state {
        let went_with_user = concern.may_stop(was) && is.state == "exited";
        return (!went_with_user).then(|| format!("{name} was {}, is {}", was.state, is.state));
    }
    if was.started != is.started && !concern.boots {
        return Some(format!("{name} was started again: at {}, before at {}", is.started, was.started));
    }
    // A check that is still starting becomes healthy by itself, and starts anew with the machine.
    let regressed = was.health != is.health && is.health != "healthy" && !(concern.boots && is.health == "starting");
    regressed.then(|| format!("{name} was {:?}, is {:?} by its health check", was.health, is.health))
}

/// The published ports of the containers that the scenario stops or starts come and go with them, and a picture does
/// not say whose a port is: then a port that is gone, or a new one, tells nothing. Nor does a picture know a user's sockets.
fn sockets(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let running = |picture: &Picture| -> BTreeSet<String> {
        let concerned = picture.containers.iter().filter(|container| concern.has_container(container));
        let running = concerned.filter(|container| container.state == "running");
        running.map(|container| container.name.clone()).collect()
    };
    let (ran, runs) = (running(first), running(last));
    let is_port = |socket: &str| !socket.starts_with("unix ");
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (first.sockets.iter().collect(), last.sockets.iter().collect());
    let closed =
        before.difference(&after).filter(|socket| !concern.users_stop && (ran.is_subset(&runs) || !is_port(socket)));
    let closed = closed.map(|socket| format!("nobody listens on {socket} any more"));
    let opened = after.difference(&before).filter(|socket| runs.is_subset(&ran) || !is_port(socket));
    let opened = opened.map(|socket| format!("somebody listens on {socket} now"));
    closed.chain(opened).collect()
}
