//! Verdicts on what the harness did: its exit status.

use crate::scenario::{Act, ActKind, ExitRule};
use crate::timeline::{ActionDone, Entry};

use super::finding::Finding;
use super::recording::Recording;
use super::words;
use super::{Subject, Verdict};

/// One verdict for each action of a step, or of `given`.
pub(super) fn verdicts<'a>(
    recording: &'a Recording,
    step: Option<usize>,
    acts: &'a [Act],
) -> impl Iterator<Item = Verdict> + 'a {
    acts.iter().enumerate().map(move |(index, act)| {
        let finding = match done(recording, step, index) {
            Some((place, done)) => judge(act, done).evidence(vec![place]).at(done.to),
            None => {
                Finding::broken("the recording does not have the action: it was not done, or the recording broke off")
            }
        };
        finding.verdict(Subject::Action { step, index }, Some(&act.span), expected(act))
    })
}

fn done<'a>(recording: &Recording<'a>, step: Option<usize>, index: usize) -> Option<(usize, &'a ActionDone)> {
    let mut entries = recording.entries.iter().enumerate();
    entries.find_map(|(place, entry)| match entry {
        Entry::Action(done) if done.step == step && done.index == index => Some((place, done)),
        _ => None,
    })
}

fn judge(act: &Act, done: &ActionDone) -> Finding {
    // What the harness itself does to the guest is not the stacks' business: if it fails, nothing is known of them.
    let unhappy = if is_ours(&act.what) { Finding::broken::<String> } else { Finding::failed::<String> };
    if done.timed_out {
        return unhappy(format!(
            "its time was over before it ended: {:?} was still waited for at {}",
            done.command,
            words::moment(done.to)
        ))
        .nearest(last_words(done));
    }
    let as_expected = match act.exit {
        ExitRule::Success => done.exit == 0,
        ExitRule::Failure => done.exit != 0,
    };
    if as_expected {
        return Finding::passed(Vec::new(), None);
    }
    unhappy(format!("{:?} ended with status {}", done.command, done.exit)).nearest(last_words(done))
}

/// Whether an action is a command of the harness's own, and not of the system under test or the scenario's author.
fn is_ours(what: &ActKind) -> bool {
    match what {
        ActKind::Systemctl { .. } | ActKind::Activate { .. } | ActKind::Run { .. } => false,
        ActKind::Remove { .. }
        | ActKind::Restore { .. }
        | ActKind::Chmod { .. }
        | ActKind::Chown { .. }
        | ActKind::Write { .. }
        | ActKind::Knob { .. }
        | ActKind::Push { .. }
        | ActKind::Alerts(_)
        | ActKind::Wait(_)
        | ActKind::Reboot
        | ActKind::PowerCut => true,
    }
}

/// What the command printed last is mostly why it failed.
fn last_words(done: &ActionDone) -> Option<String> {
    let printed = [&done.stderr, &done.stdout];
    printed
        .iter()
        .find_map(|text| text.lines().rfind(|line| !line.trim().is_empty()))
        .map(|line| format!("it printed {line:?}"))
}

fn expected(act: &Act) -> String {
    let status = match act.exit {
        ExitRule::Success => "ends with status 0",
        ExitRule::Failure => "ends with a status other than 0",
    };
    format!("{} {status}", action(&act.what))
}

fn action(what: &ActKind) -> String {
    match what {
        ActKind::Systemctl { verb, units } => {
            format!("{} {}", verb.name(), words::units(units))
        }
        ActKind::Activate { generation, .. } => format!("activating {generation}"),
        ActKind::Run { .. } => "the command".into(),
        ActKind::Remove { paths } => format!("removing {}", paths.join(", ")),
        ActKind::Restore { paths } => format!("restoring {}", paths.join(", ")),
        ActKind::Chmod { paths, mode } => format!("chmod {mode:04o} {}", paths.join(" ")),
        ActKind::Chown { paths, owner } => format!("chown {owner} {}", paths.join(" ")),
        ActKind::Write { path, .. } => format!("writing {path}"),
        ActKind::Knob { services, .. } => {
            let services: Vec<_> = services.iter().map(|(stack, service)| format!("{stack}/{service}")).collect();
            format!("turning the knob of {}", services.join(", "))
        }
        ActKind::Push { images, version, .. } => format!("pushing {version} of {}", images.join(", ")),
        ActKind::Alerts(mode) => format!("making the alert endpoint {}", mode.name()),
        ActKind::Wait(time) => format!("waiting {}", words::seconds(*time)),
        ActKind::Reboot => "the reboot".into(),
        ActKind::PowerCut => "the power cut".into(),
    }
}
