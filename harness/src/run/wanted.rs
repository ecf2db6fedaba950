//! What the pictures of a trial have to show.

use std::collections::BTreeSet;

use crate::generation::Manifest;
use crate::guest::Wanted;
use crate::scenario::{Act, Excepted, Expectation, JournalSource, Scope, Trial, Unit};

/// The files that a trial's lines look at, and the units of which it asks more than whether they run on: of those the
/// list of units has enough, and all properties of a single unit cost a ninth of a `podman ps`.
pub(super) fn wanted(trial: &Trial, manifest: &Manifest) -> Wanted {
    let files: BTreeSet<String> = trial
        .lines()
        .filter_map(|line| match &line.what {
            Expectation::File { path, .. } => Some(path.clone()),
            _ => None,
        })
        .collect();
    let environments: BTreeSet<String> = trial
        .lines()
        .filter_map(|line| match &line.what {
            Expectation::ContainerEnvironment { containers, .. } => Some(containers),
            _ => None,
        })
        .flatten()
        .map(|container| container.name.clone())
        .collect();
    let mut units: Vec<&Unit> = trial.lines().flat_map(|line| units_of(&line.what)).collect();
    units.extend(trial.acts().flat_map(Act::units));
    for exception in &trial.except {
        if let Excepted::Units(named) = &exception.what {
            units.extend(named);
        }
    }
    let named = |scope: Scope| units.iter().filter(move |unit| unit.scope == scope).map(|unit| unit.name.clone());
    let user: BTreeSet<String> = named(Scope::User).collect();
    let system: BTreeSet<String> = named(Scope::System).collect();
    Wanted {
        files: files.into_iter().collect(),
        environments: environments.into_iter().collect(),
        system_units: system.into_iter().collect(),
        user_units: user.into_iter().collect(),
        ..of_host(manifest)
    }
}

/// What every trial of a host wants to see: the folders of its stacks.
pub(super) fn of_host(manifest: &Manifest) -> Wanted {
    let compose = manifest.stacks.iter().filter_map(|stack| stack.compose.as_deref());
    let folders: BTreeSet<String> =
        compose.filter_map(|file| file.rsplit_once('/')).map(|(folder, _)| folder.to_owned()).collect();
    Wanted { folders: folders.into_iter().collect(), ..Wanted::default() }
}

fn units_of(expectation: &Expectation) -> Vec<&Unit> {
    match expectation {
        Expectation::UnitEnters { units, .. }
        | Expectation::UnitNeverEnters { units, .. }
        | Expectation::UnitIs { units, .. }
        | Expectation::Alert { units, .. }
        | Expectation::Journal { of: JournalSource::Units(units), .. } => units.iter().collect(),
        Expectation::Order { entries } => entries.iter().flat_map(|(units, _)| units).collect(),
        _ => Vec::new(),
    }
}
