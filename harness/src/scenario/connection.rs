//! What only shows when the parts of a trial are looked at together: lines that cannot fail or cannot hold there.

use std::collections::BTreeSet;

use super::diagnostic::Mistakes;
use super::{Act, ActKind, ContainerCondition, Expectation, Line, Step, Times, Trial};

/// Reports lines and actions that do not fit what comes before them.
pub(super) fn check_connections(trial: &Trial, mistakes: &Mistakes<'_>) {
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    let mut measured: BTreeSet<&str> = BTreeSet::new();
    check_restores(&trial.given, &mut changed, mistakes);
    for step in &trial.steps {
        check_restores(&step.when, &mut changed, mistakes);
        check_restarts(&step.when, mistakes);
        for line in &step.then {
            check_line(line, step, &measured, mistakes);
        }
        if let Some(name) = &step.measure {
            check_measure(step, name, !measured.insert(name), mistakes);
        }
    }
}

fn check_restores<'t>(acts: &'t [Act], changed: &mut BTreeSet<&'t str>, mistakes: &Mistakes<'_>) {
    for act in acts {
        match &act.what {
            ActKind::Remove { paths } | ActKind::Chmod { paths, .. } | ActKind::Chown { paths, .. } => {
                changed.extend(paths.iter().map(String::as_str));
            }
            ActKind::Write { path, .. } => {
                changed.insert(path);
            }
            ActKind::Knob { files, knob: Some(_), .. } => changed.extend(files.iter().map(String::as_str)),
            ActKind::Knob { files, knob: None, .. }
                if !files.is_empty() && !files.iter().any(|path| changed.contains(path.as_str())) =>
            {
                let advice = "`clear-knobs` undoes what an earlier `knob` has set";
                mistakes.missing(act.span.clone(), "no knob of these is set before this", advice);
            }
            ActKind::Restore { paths } => {
                for path in paths.iter().filter(|path| !changed.contains(path.as_str())) {
                    let advice = "`restore` brings back what an earlier action removed or changed";
                    mistakes.missing(act.span.clone(), format!("nothing changes `{path}` before this"), advice);
                }
            }
            _ => {}
        }
    }
}

/// What a step did before its guest is restarted would be looked for in the recording of two boots, of which the first
/// may lack its end.
fn check_restarts(acts: &[Act], mistakes: &Mistakes<'_>) {
    let restarts = |act: &&Act| matches!(act.what, ActKind::Reboot | ActKind::PowerCut);
    for act in acts.iter().skip(1).filter(restarts) {
        let advice =
            "let it begin a step of its own: then the actions before it are looked at in the boot that they are in";
        mistakes.missing(act.span.clone(), "this restart of the guest is not its step's first action", advice);
    }
}

fn check_measure(step: &Step, name: &str, again: bool, mistakes: &Mistakes<'_>) {
    if step.when.is_empty() {
        let advice = "`measure` keeps the guest time of actions: add `when`";
        mistakes.missing(step.span.clone(), format!("`{name}` measures a step without actions"), advice);
    }
    if again {
        let advice = "choose another name, so that `of` means one step";
        mistakes.report(step.span.clone(), format!("`{name}` is measured before"), Some(advice.into()));
    }
}

fn check_line(line: &Line, step: &Step, measured: &BTreeSet<&str>, mistakes: &Mistakes<'_>) {
    let report = |message: String, advice: &str| mistakes.missing(line.span.clone(), message, advice);
    let only_looks = step.when.is_empty();
    if only_looks && line.within.is_none() && holds_when_nothing_happens(&line.what) {
        report(
            "this line can hardly fail: the step does nothing and looks at no stretch of time".into(),
            "add `when` to the step, or `within` to the line",
        );
    }
    match &line.what {
        Expectation::Output { .. } if !prints(step) => report(
            "the step's last action prints nothing".into(),
            "end `when` with `run`, whose output this line is about",
        ),
        Expectation::AtMost { .. } if only_looks => {
            report("this step has no actions whose time could be compared".into(), "add `when` to the step")
        }
        Expectation::AtMost { of, .. } if !measured.contains(of.as_str()) => report(
            format!("no earlier step measures `{of}`"),
            "add `measure` to the step that this one is compared with",
        ),
        _ => {}
    }
}

fn prints(step: &Step) -> bool {
    let last = step.when.last().map(|act| &act.what);
    matches!(last, Some(ActKind::Run { .. } | ActKind::Systemctl { .. } | ActKind::Activate { .. }))
}

fn holds_when_nothing_happens(what: &Expectation) -> bool {
    let none = |times: &Times| times.most == Some(0);
    match what {
        Expectation::UnitNeverEnters { .. } | Expectation::UnitUnchanged { .. } => true,
        Expectation::Containers { are, .. } => {
            matches!(are, ContainerCondition::Unchanged | ContainerCondition::SameIds)
        }
        Expectation::Journal { times, .. } | Expectation::Alert { times, .. } | Expectation::Process { times, .. } => {
            none(times)
        }
        _ => false,
    }
}
