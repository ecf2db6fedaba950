//! Which trials are run: every scenario on every host, selected by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::generation::{Fault, Generation};
use crate::judge::Noise;
use crate::run::{Error, Project, Result};
use crate::scenario::{ActKind, Scenario, Time, Trial};

use super::lint::{misfit, scenarios_with_faults};

/// Everything that trials are made from, read and checked.
pub struct Matrix {
    /// The scenarios.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The faults.
    pub faults: Vec<Arc<Fault>>,
    /// The known noise.
    pub noise: Arc<Vec<Noise>>,
    /// Somebody else's generation, which faults may not fit.
    foreign: Option<Generation>,
}

/// One trial that may be run.
#[derive(Clone)]
pub struct Planned {
    /// `igpu::failure::missing-secret-fails-hard`
    pub name: String,
    /// What is wrong with the generation in it.
    pub fault: Option<Arc<Fault>>,
    /// Which repetition it is, from 1, and of how many.
    pub repetition: (u32, u32),
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The index of its host among the scenario's trials.
    pub index: usize,
    /// Why it is not run, where it cannot be.
    pub skip: Option<String>,
}

/// Which trials are wanted.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Parts of names; none means all.
    pub filters: Vec<String>,
    /// Whether a filter has to be the whole name.
    pub exact: bool,
    /// Parts of names that are not wanted.
    pub skip: Vec<String>,
    /// Only this host.
    pub host: Option<String>,
    /// Whether the scenarios' faults are put in.
    pub broken: bool,
    /// How often each is run.
    pub repeat: u32,
    /// Only these names, where given.
    pub only: Option<Vec<String>>,
    /// Only this share of what is selected.
    pub shard: Option<Shard>,
}

/// One of several shares into which the selected trials are divided, for as many machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which share, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            _ => Err("expected the share and how many there are, such as 1/3".to_owned()),
        }
    }
}

impl Shard {
    /// Every so manieth of a list, so that what is long is spread.
    fn of<T>(self, list: Vec<T>) -> Vec<T> {
        let mine = |(index, one)| (index % self.of + 1 == self.number).then_some(one);
        list.into_iter().enumerate().filter_map(mine).collect()
    }
}

impl Matrix {
    /// Reads and checks everything. The error shows every mistake with its place.
    pub fn read(project: &Project) -> Result<Matrix> {
        Ok(Matrix {
            scenarios: scenarios_with_faults(project)?.into_iter().map(Arc::new).collect(),
            faults: project.faults()?.into_iter().map(Arc::new).collect(),
            noise: Arc::new(project.noise()?),
            foreign: project.foreign().map(|foreign| foreign.generation().clone()),
        })
    }

    /// Has time pass like this wherever a scenario does not say.
    pub fn pass_time(&mut self, time: Time) {
        for scenario in self.scenarios.iter_mut().filter(|scenario| scenario.hardware.time == Time::Any) {
            Arc::make_mut(scenario).hardware.time = time;
        }
    }

    /// The trials of a selection, in the order of host, section and name. A filter, skip or host that fits nothing is
    /// an error: it is a slip of the pen, and running nothing must not look like success.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Planned>> {
        let all: Vec<Planned> = self.all(selection);
        for filter in selection.filters.iter().chain(&selection.skip) {
            if !all.iter().any(|planned| fits(&planned.label(), filter, selection.exact)) {
                return Err(Error::Usage(format!("no trial's name fits `{filter}`; `harness list` shows them all")));
            }
        }
        if let Some(host) = &selection.host
            && !all.iter().any(|planned| planned.host().host == *host)
        {
            let hosts: BTreeSet<&str> = all.iter().map(|planned| planned.host().host.as_str()).collect();
            let hosts = hosts.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::Usage(format!("no trial is for host `{host}`; there are trials for: {hosts}")));
        }
        let mut selected: Vec<Planned> = all.into_iter().filter(|planned| selection.wants(planned)).collect();
        if selected.is_empty() {
            return Err(Error::Usage("nothing is selected; `harness list` shows all trials".to_owned()));
        }
        // A small host is baked first, and its trials are run while a larger one is baked. What restarts its guest takes
        // longest: begun last, it would keep everybody waiting at the end.
        selected.sort_by_cached_key(|planned| {
            let host = planned.host();
            (host.stacks.len(), host.host.clone(), !planned.restarts(), planned.name.clone())
        });
        if let Some(shard) = selection.shard {
            let count = selected.len();
            selected = shard.of(selected);
            if selected.is_empty() {
                let problem = format!("share {} of {} has none of the {count} trials", shard.number, shard.of);
                return Err(Error::Usage(format!("{problem}: divide them into fewer")));
            }
        }
        let times = selection.repeat.max(1);
        let repeated = (1..=times).flat_map(|time| {
            selected.iter().map(move |planned| Planned { repetition: (time, times), ..planned.clone() })
        });
        Ok(repeated.collect())
    }

    /// Whether the trials are on somebody else's generation.
    pub fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// Why a trial cannot be run.
    fn obstacle(&self, fault: Option<&Fault>, trial: &Trial) -> Option<String> {
        // A fault that does not fit the project's own generations would be a mistake.
        trial.lacks.clone().or_else(|| misfit(self.foreign.as_ref()?, fault?, trial))
    }

    fn all(&self, selection: &Selection) -> Vec<Planned> {
        let mut all = Vec::new();
        for scenario in &self.scenarios {
            for (index, trial) in scenario.trials.iter().enumerate() {
                let name = format!("{}::{}::{}", trial.host, scenario.section.name(), scenario.name);
                let planned = |fault: Option<Arc<Fault>>| Planned {
                    name: name.clone(),
                    skip: self.obstacle(fault.as_deref(), trial),
                    fault,
                    repetition: (1, 1),
                    scenario: scenario.clone(),
                    index,
                };
                if selection.broken {
                    let wanted = |fault: &&Arc<Fault>| scenario.broken_by.contains(&fault.id);
                    all.extend(self.faults.iter().filter(wanted).map(|fault| planned(Some(fault.clone()))));
                } else {
                    all.push(planned(None));
                }
            }
        }
        all
    }
}

impl Selection {
    fn wants(&self, planned: &Planned) -> bool {
        let label = planned.label();
        let host = self.host.as_ref().is_none_or(|host| planned.host().host == *host);
        let chosen = self.filters.is_empty() || self.filters.iter().any(|filter| fits(&label, filter, self.exact));
        let skipped = self.skip.iter().any(|skip| fits(&label, skip, self.exact));
        let only = self.only.as_ref().is_none_or(|only| only.contains(&label));
        host && chosen && !skipped && only
    }
}

impl Planned {
    /// The scenario on its host.
    pub fn host(&self) -> &Trial {
        &self.scenario.trials[self.index]
    }

    /// The name with the fault, where there is one.
    pub fn label(&self) -> String {
        match &self.fault {
            Some(fault) => format!("{} [broken-by {}]", self.name, fault.id),
            None => self.name.clone(),
        }
    }

    /// Whether its guest is restarted.
    fn restarts(&self) -> bool {
        let trial = self.host();
        trial.acts().any(|action| matches!(action.what, ActKind::Reboot | ActKind::PowerCut))
    }

    /// The label with the repetition, where there is one: unique in a run.
    pub fn unique(&self) -> String {
        match self.repetition {
            (_, 1) => self.label(),
            (time, times) => format!("{} ({time} of {times})", self.label()),
        }
    }
}

fn fits(label: &str, filter: &str, exact: bool) -> bool {
    if exact { label == filter } else { label.contains(filter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_fits_the_stacks_that_it_is_put_into() {
        let project = Project::find().unwrap();
        let generations = project.generations().unwrap();
        let broken = Selection { broken: true, ..Selection::default() };
        let planned = Matrix::read(&project).unwrap().select(&broken).unwrap();
        for (planned, fault) in planned.iter().filter_map(|planned| Some((planned, planned.fault.as_deref()?))) {
            let trial = planned.host();
            let generation = generations.iter().find(|generation| generation.manifest.host == trial.host).unwrap();
            let patched = fault.apply(generation, trial.stack.as_deref()).unwrap();
            assert_ne!(generation.files, patched.files, "{} changes nothing", planned.label());
        }
    }

    #[test]
    fn time_passes_as_told_where_a_scenario_does_not_say() {
        let mut matrix = Matrix::read(&Project::find().unwrap()).unwrap();
        let times =
            |matrix: &Matrix| matrix.scenarios.iter().map(|scenario| scenario.hardware.time).collect::<Vec<_>>();
        let before = times(&matrix);
        assert!(before.contains(&Time::Any) && before.contains(&Time::Virtual));
        matrix.pass_time(Time::Real);
        for (before, after) in before.into_iter().zip(times(&matrix)) {
            assert_eq!(after, if before == Time::Any { Time::Real } else { before });
        }
    }

    #[test]
    fn shards_are_disjoint_and_miss_nothing() {
        let check = |text: &str, expected: Option<&[u32]>| {
            let shard = text.parse::<Shard>().ok();
            assert_eq!(shard.map(|shard| shard.of(vec![1, 2, 3, 4, 5])).as_deref(), expected, "{text}");
        };
        check("1/1", Some(&[1, 2, 3, 4, 5]));
        check("1/2", Some(&[1, 3, 5]));
        check("2/2", Some(&[2, 4]));
        check("6/6", Some(&[]));
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/b"] {
            check(wrong, None);
        }
    }
}
