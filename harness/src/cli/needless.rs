//! Exceptions, known noise and marks that no trial of a run needed.

use std::collections::BTreeSet;

use crate::judge::{Judgement, Needed, Subject, VerdictResult};
use crate::run::Result;
use crate::scenario::{Exception, Scenario, Source};

use super::plan::{Matrix, Planned, Selection};

/// What the trials that passed so far have needed.
#[derive(Debug, Default)]
pub struct Needs {
    passed: BTreeSet<String>,
    exceptions: BTreeSet<(String, usize)>,
    noise: BTreeSet<usize>,
    noticed: BTreeSet<String>,
    marks: BTreeSet<(String, usize)>,
}

/// What nothing has needed, as sentences with their places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needless {
    /// Exceptions of scenarios whose every trial passed in the run. Some are for what happens only now and then.
    pub exceptions: Vec<String>,
    /// Entries of the list of noise, where every trial passed in the run.
    pub noise: Vec<String>,
    /// Marks `red` of scenarios whose every fault was noticed in the run, each at other lines: they promise what nobody
    /// has seen.
    pub marks: Vec<String>,
}

impl Needless {
    /// All sentences.
    pub fn sentences(self) -> Vec<String> {
        self.exceptions.into_iter().chain(self.noise).chain(self.marks).collect()
    }
}

impl Needs {
    /// A trial has passed, without a fault in its generation.
    pub fn passed(&mut self, planned: &Planned, needed: Needed) {
        self.passed.insert(planned.name.clone());
        let path = &planned.scenario.source.path;
        self.exceptions.extend(needed.exceptions.into_iter().map(|span| (path.clone(), span.start)));
        self.noise.extend(needed.noise);
    }

    /// A trial has noticed the fault in its generation.
    pub fn noticed(&mut self, planned: &Planned, judgement: &Judgement) {
        self.noticed.insert(planned.label());
        let path = &planned.scenario.source.path;
        for verdict in judgement.verdicts.iter().filter(|verdict| verdict.result == VerdictResult::Failed) {
            if let (Subject::Line { red: true, .. }, Some((start, _))) = (&verdict.subject, verdict.span) {
                self.marks.insert((path.clone(), start));
            }
        }
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
        needless.marks = self.unseen_marks(matrix)?;
        Ok(needless)
    }

    fn unseen_marks(&self, matrix: &Matrix) -> Result<Vec<String>> {
        let all = matrix.select(&Selection { broken: true, ..Selection::default() })?;
        let mut sentences = Vec::new();
        for scenario in &matrix.scenarios {
            let path = &scenario.source.path;
            let is_its = |planned: &&Planned| planned.scenario.source.path == *path && planned.skip.is_none();
            let mut labels = all.iter().filter(is_its).map(Planned::label).peekable();
            if labels.peek().is_none() || !labels.all(|label| self.noticed.contains(&label)) {
                continue;
            }
            let unseen = marks(scenario).into_iter().filter(|start| !self.marks.contains(&(path.clone(), *start)));
            let advice = "the mark `red`: each fault was noticed at another line; add one that this line notices";
            sentences.extend(unseen.map(|start| format!("{}: {advice}", scenario.source.place(start))));
        }
        Ok(sentences)
    }

    fn is_settled(&self, planned: &Planned) -> bool {
        planned.skip.is_some() || self.passed.contains(&planned.name)
    }
}

fn sentence(source: &Source, exception: &Exception) -> String {
    format!("{}: the exception: {}", source.place(exception.span.start), exception.reason)
}

/// Where the lines marked `red` begin in the scenario's file.
fn marks(scenario: &Scenario) -> BTreeSet<usize> {
    let lines = scenario.trials.iter().flat_map(|trial| &trial.steps).flat_map(|step| &step.then);
    lines.filter(|line| line.red).map(|line| line.span.start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Noise, Outcome, Verdict};
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
    fn a_mark_that_no_fault_turned_red_is_told_when_all_its_faults_were_seen() {
        let matrix = matrix("");
        let broken = matrix.select(&Selection { broken: true, ..Selection::default() }).unwrap();
        let path = "scenarios/failure/foreign-unit-is-refused.toml";
        let trials: Vec<&Planned> = broken.iter().filter(|one| one.scenario.source.path == path).collect();
        let starts: Vec<usize> = marks(&trials[0].scenario).into_iter().collect();
        let red = |start: usize| Verdict {
            subject: Subject::Line { step: 0, index: 0, red: true },
            span: Some((start, start + 1)),
            result: VerdictResult::Failed,
            expected: String::new(),
            observed: String::new(),
            nearest: None,
            evidence: Vec::new(),
            at: None,
        };
        let seen = |starts: &[usize], trials: &[&Planned]| {
            let verdicts = starts.iter().map(|start| red(*start)).collect();
            let judgement = Judgement { outcome: Outcome::Failed, verdicts };
            let mut needs = Needs::default();
            trials.iter().for_each(|planned| needs.noticed(planned, &judgement));
            needs.needless(&matrix).unwrap().marks
        };
        assert!(starts.len() > 1 && trials.len() > 1);
        assert_eq!(seen(&starts, &trials), Vec::<String>::new());
        assert_eq!(seen(&starts[..1], &trials[1..]), Vec::<String>::new(), "one fault may still be noticed there");
        let told = seen(&starts[..1], &trials);
        assert_eq!(told.len(), starts.len() - 1);
        assert!(told[0].starts_with(path) && told[0].contains("the mark `red`"), "{told:?}");
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
