//! What holds for every recording.

use proptest::prelude::*;

use crate::judge::{Outcome, judge, progress};
use crate::scenario::{ActiveState, ContainerCondition, Expectation, Trial};
use crate::timeline::{Entry, Timeline};

use super::builder::*;

const UNITS: [&str; 3] = ["a-stack.service", "b-stack.service", "podman.service"];

/// Something that happens, and how much later in milliseconds.
#[derive(Debug, Clone)]
enum Happening {
    Starting(usize),
    Started(usize),
    Failed(usize),
    Stopped(usize),
    Says(usize, &'static str),
    Alert(usize),
    Exec(&'static str),
    Silently(usize, &'static str),
}

fn happening() -> impl Strategy<Value = Happening> {
    let unit = || 0..UNITS.len();
    let texts = prop::sample::select(vec!["ERROR: x", "all good", "ERROR: y"]);
    prop_oneof![
        unit().prop_map(Happening::Starting),
        unit().prop_map(Happening::Started),
        unit().prop_map(Happening::Failed),
        unit().prop_map(Happening::Stopped),
        (unit(), texts).prop_map(|(unit, text)| Happening::Says(unit, text)),
        unit().prop_map(Happening::Alert),
        Just(Happening::Exec("docker-compose up")),
        (unit(), prop::sample::select(vec!["active", "failed", "inactive"]))
            .prop_map(|(unit, state)| Happening::Silently(unit, state)),
    ]
}

fn happen(sample: Sample, what: &Happening) -> Sample {
    match what {
        Happening::Starting(unit) => sample.starting(UNITS[*unit]),
        Happening::Started(unit) => sample.started(UNITS[*unit]),
        Happening::Failed(unit) => sample.failed(UNITS[*unit], "exit-code"),
        Happening::Stopped(unit) => sample.stopped(UNITS[*unit]),
        Happening::Says(unit, text) => sample.says(UNITS[*unit], text),
        Happening::Alert(unit) => sample.alert(UNITS[*unit]),
        Happening::Exec(arguments) => sample.exec(arguments),
        Happening::Silently(unit, state) => sample.becomes(UNITS[*unit], state, "x", "success"),
    }
}

type Story = Vec<(u64, Happening)>;

/// One or two steps in which things happen.
fn stories() -> impl Strategy<Value = Vec<(Story, u64)>> {
    let story = prop::collection::vec((0..40_000_u64, happening()), 0..6);
    prop::collection::vec((story, 0..70_u64), 1..3)
}

/// The recording of the stories, with something unrelated at each place where `noise` says so.
fn record(stories: &[(Story, u64)], mut noise: impl Iterator<Item = bool>) -> Sample {
    let mut sample = Sample::ready();
    let mut millis = 100_000;
    for (story, rest) in stories {
        sample = sample.at(millis as f64 / 1e3).step().acts(1.0);
        millis += 1000;
        for (later, what) in story {
            millis += later;
            sample = happen(sample.at(millis as f64 / 1e3), what);
            if noise.next().unwrap_or(false) {
                sample = sample.record(&[("_SYSTEMD_UNIT", "cron.service"), ("MESSAGE", "tick")]);
            }
        }
        millis += rest * 1000;
        sample = sample.end(millis as f64 / 1e3);
        millis += 1;
    }
    sample
}

fn a_trial(steps: usize) -> Trial {
    let containers = vec![container("a-web")];
    let units = a();
    let then = vec![
        within(enters(ActiveState::Active), 20),
        line(Expectation::UnitNeverEnters { units: a(), state: ActiveState::Failed }),
        line(journal("^ERROR", times(1, 1))),
        line(journal("^ERROR", times(1, None))),
        line(Expectation::Alert { units: a(), pattern: None, priority: None, times: times(0, 0) }),
        line(Expectation::UnitIs { units, state: ActiveState::Active, sub: None, result: None }),
        within(Expectation::Containers { containers, are: ContainerCondition::Unchanged }, 10),
        line(Expectation::Process { pattern: pattern("--wait"), times: times(0, 0) }),
    ];
    trial(vec![step(then); steps])
}

/// The verdicts without the places of entries, which move.
fn results(trial: &Trial, sample: &Sample) -> Vec<String> {
    let verdicts = sample.judge(trial).verdicts.into_iter();
    verdicts.map(|verdict| format!("{:?} {:?} {}", verdict.subject, verdict.result, verdict.observed)).collect()
}

proptest! {
    #[test]
    fn cutting_a_recording_short_never_makes_it_pass(stories in stories(), cut in any::<prop::sample::Index>()) {
        let trial = a_trial(stories.len());
        let mut sample = record(&stories, std::iter::empty());
        let whole = sample.judge(&trial);
        let length = cut.index(sample.timeline.entries.len());
        sample.timeline.entries.truncate(length);
        let short = sample.judge(&trial);
        prop_assert_eq!(short.outcome, Outcome::Broken);
        for (before, after) in whole.verdicts.iter().zip(&short.verdicts) {
            // Gates come last, and only where they have something to say.
            if before.span.is_none() || after.span.is_none() { break; }
            prop_assert_eq!(&before.subject, &after.subject);
            prop_assert!(after.result != PASSED || before.result == PASSED, "{:#?}", after);
        }
    }

    #[test]
    fn unrelated_records_change_nothing(stories in stories(), noise in prop::collection::vec(any::<bool>(), 12)) {
        let trial = a_trial(stories.len());
        let without = record(&stories, std::iter::empty());
        let with = record(&stories, noise.into_iter());
        prop_assert_eq!(results(&trial, &without), results(&trial, &with));
    }

    #[test]
    fn any_disorder_is_judged(stories in stories(), order in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let trial = a_trial(stories.len());
        let entries = record(&stories, std::iter::empty()).timeline.entries;
        let shuffled: Vec<Entry> = order.iter().map(|place| place.get(&entries).clone()).collect();
        let timeline = Timeline { entries: shuffled, ..Timeline::default() };
        let judgement = judge(&trial, &timeline, &[]);
        prop_assert!(judgement.verdicts.len() >= 9 * stories.len());
        for step in 0..3 {
            progress(&trial, step, &timeline);
        }
    }

    #[test]
    fn a_step_that_ends_when_progress_says_so_can_be_judged(stories in stories()) {
        let story = &stories[..1];
        let trial = a_trial(1);
        let mut sample = record(story, std::iter::empty());
        // The step goes on: no picture, no barrier.
        sample.timeline.entries.truncate(sample.timeline.entries.len() - 2);
        let sample = sample.exec("true");
        let progress = progress(&trial, 0, &sample.timeline);
        let last = sample.timeline.entries.iter().filter_map(Entry::at).max().unwrap();
        let horizon = progress.undecided.iter().filter_map(|waiting| waiting.until).chain([progress.horizon, last]).max().unwrap();
        let judgement = sample.end(horizon.micros as f64 / 1e6).judge(&trial);
        for verdict in judgement.verdicts.iter().filter(|verdict| verdict.span.is_some()) {
            prop_assert_ne!(verdict.result, BROKEN, "{:#?}", verdict);
        }
    }

    #[test]
    fn timelines_survive_being_written(stories in stories()) {
        let timeline = record(&stories, std::iter::empty()).timeline;
        let text = timeline.to_json_lines().unwrap();
        prop_assert_eq!(Timeline::from_json_lines(&text).unwrap(), timeline);
    }
}
