//! Exceptions and known noise that no trial of a run needed.

use std::collections::BTreeSet;

use crate::judge::Needed;
use crate::run::Result;
use crate::scenario::{Exception, Source};

use super::plan::{Matrix, Planned, Selection};

/// What the trials that passed so far have needed.
#[derive(Debug, Default)]
pub struct Needs {
    passed: BTreeSet<String>,
    exceptions: BTreeSet<(String, usize)>,
    noise: BTreeSet<usize>,
}

/// What nothing has needed, as sentences with their places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needless {
    /// Exceptions of scenarios whose every trial passed in the run. Some are for what happens only now and then.
    pub exceptions: Vec<String>,
    /// Entries of the list of noise, where every trial passed in the run.
    pub noise: Vec<String>,
}

impl Needs {
    /// A trial has passed, without a fault in its generation.
    pub fn passed(&mut self, planned: &Planned, needed: Needed) {
        self.passed.insert(planned.name.clone());
        let path = &planned.scenario.source.path;
        self.exceptions.extend(needed.exceptions.into_iter().map(|span| (path.clone(), span.start)));
        self.noise.extend(needed.noise);
    }

    /// What could be taken away. Only whole scenarios tell something of their exceptions, and only the whole matrix
    /// something of the noise.
    pub fn needless(&self, matrix: &Matrix) -> Result<Needless> {
        let all = matrix.select(&Selection::default())?;
        let mut needless = Needless::default();
        for scenario in &matrix.scenarios {
            let source = &scenario.source;
            let trials = || all.iter().filter(|planned| planned.scenario.source.path == source.path);
            if !trials().all(|planned| self.is_settled(planned)) {
                continue;
            }
            let ran = trials().filter(|planned| planned.skip.is_none());
            let exceptions = ran.flat_map(|planned| &planned.host().except);
            let unused = exceptions.filter(|one| !self.exceptions.contains(&(source.path.clone(), one.span.start)));
            let sentences: BTreeSet<String> = unused.map(|exception| sentence(source, exception)).collect();
            needless.exceptions.extend(sentences);
        }
        if all.iter().all(|planned| self.is_settled(planned)) {
            let unused = matrix.noise.iter().enumerate().filter(|(index, _)| !self.noise.contains(index));
            needless.noise.extend(unused.map(|(index, noise)| {
                format!(
                    "the list of noise, entry {}: nothing matches `{}` any more: remove it",
                    index + 1,
                    noise.pattern
                )
            }));
        }
        Ok(needless)
    }

    fn is_settled(&self, planned: &Planned) -> bool {
        planned.skip.is_some() || self.passed.contains(&planned.name)
    }
}

fn sentence(source: &Source, exception: &Exception) -> String {
    format!("{}: {}", source.place(exception.span.start), exception.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Noise;
    use crate::run::Project;

    fn matrix(noise: &str) -> Matrix {
        let mut matrix = Matrix::read(&Project::find().unwrap()).unwrap();
        matrix.noise = std::sync::Arc::new(Noise::parse_all(noise).unwrap());
        matrix
    }

    /// What is told after a run in which these trials passed, and each needed everything, or nothing.
    fn told(matrix: &Matrix, needs_everything: bool, ran: impl Fn(&Planned) -> bool) -> Needless {
        let mut needs = Needs::default();
        for planned in matrix.select(&Selection::default()).unwrap().iter().filter(|planned| ran(planned)) {
            let spans = planned.host().except.iter().map(|exception| exception.span.clone());
            let needed = Needed { exceptions: spans.collect(), noise: (0..matrix.noise.len()).collect() };
            needs.passed(planned, if needs_everything { needed } else { Needed::default() });
        }
        needs.needless(matrix).unwrap()
    }

    #[test]
    fn what_no_trial_needs_is_told() {
        let matrix = matrix("[[noise]]\npattern = '^x'\nreason = 'r'");
        assert_eq!(told(&matrix, true, |_| true), Needless::default());
        let all = told(&matrix, false, |_| true);
        assert_eq!(all.noise, ["the list of noise, entry 1: nothing matches `^x` any more: remove it"]);
        let full_disk = |sentence: &&String| sentence.starts_with("scenarios/failure/full-disk-fails-clearly.toml:");
        assert!(all.exceptions.iter().filter(full_disk).count() > 1, "{:?}", all.exceptions);
    }

    #[test]
    fn half_a_scenario_tells_nothing() {
        let matrix = matrix("[[noise]]\npattern = '^x'\nreason = 'r'");
        let is_on_both = |planned: &Planned| planned.scenario.trials.len() > 1;
        let half = told(&matrix, false, |planned| !is_on_both(planned) || planned.index == 0);
        assert_eq!(half.noise, Vec::<String>::new());
        assert!(!half.exceptions.iter().any(|sentence| sentence.contains("full-disk")), "{:?}", half.exceptions);
    }
}
