//! What the managers say about their units: structured records, told apart by `MESSAGE_ID` and never by their words,
//! but for two cases in which systemd uses one id for two things.

use super::{Moment, Record, UnitRef};

/// `systemd-coredump` stored a core dump.
pub const MESSAGE_ID_COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";
/// `systemd-oomd` killed processes of a unit.
pub const MESSAGE_ID_OOMD_KILL: &str = "d989611b15e44c9dbf31e3c81256e4ed";
/// The last record of a journal daemon that is stopped in order (SD_MESSAGE_JOURNAL_STOP, sd-messages.h).
pub const MESSAGE_ID_JOURNAL_STOPPED: &str = "d93fb3c9c24d451a97cea615ce59c00b";

const STARTING: &str = "7d4958e842da4a758f6c1cdc7b36dcc5";
const START_DONE: &str = "39f53479d3a045ac8e11786248231fbf";
const START_NOT_DONE: &str = "be02cf6855d2428ba40df7e9d022f03d";
const STOPPING: &str = "de5b426a63be47a7b6ac3eaac82e2f6f";
const STOPPED: &str = "9d1aaa27d60140bd96365438aad20286";
const RELOADING: &str = "d34d037fff1847e6ae669a370e694725";
const RELOADED: &str = "7b05ebc668384222baa8881179cfda54";
const FAILURE_RESULT: &str = "d9b373ed55a64feb8242e02dbe79a49c";
const DEACTIVATED: &str = "7ad2d189f7e94e70a38c781354912448";
const RESTART_SCHEDULED: &str = "5eb03494b6584870a536b337290809b3";
const OUT_OF_MEMORY: &str = "fe6faa94e7774663a0da52717891d8ef";

/// Something that happened to a unit, by its manager's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition<'a> {
    /// When the journal received the record.
    pub at: Moment,
    /// The unit.
    pub unit: UnitRef<'a>,
    /// The invocation; empty where the record names none.
    pub invocation: &'a str,
    /// What happened.
    pub kind: TransitionKind<'a>,
}

/// What can happen to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind<'a> {
    /// A start job runs: `activating`.
    Starting,
    /// A start job is done: `active`.
    Started,
    /// The start job of a oneshot service is done: `active` with `RemainAfterExit=`, else `inactive` again.
    Finished,
    /// A start job did nothing, since a condition is not met; the state is as it was.
    Skipped,
    /// A start job was not done; the state is as other records say.
    NotStarted {
        /// `failed`, `dependency`, `timeout`, `assert`, …
        job_result: &'a str,
    },
    /// The unit failed: `failed`, however shortly.
    Failed {
        /// The unit's Result: `exit-code`, `timeout`, `oom-kill`, …
        result: &'a str,
    },
    /// A stop job runs: `deactivating`.
    Stopping,
    /// A stop job is done: `inactive`, or still `failed` if it failed on the way.
    Stopped,
    /// The unit ended without a failure: `inactive`. Managers of users do not log this.
    Deactivated,
    /// A reload job runs: `reloading`.
    Reloading,
    /// A reload job has ended: `active`.
    Reloaded {
        /// `done`, `failed`, `timeout`.
        job_result: &'a str,
    },
    /// `Restart=` queued a start.
    RestartScheduled,
    /// The kernel killed a process of the unit for want of memory.
    OutOfMemory,
}

impl Record {
    /// What the record says about a unit, if a manager wrote it to say so.
    pub fn transition(&self) -> Option<Transition<'_>> {
        let unit = self.managed_unit()?;
        let kind = self.transition_kind()?;
        let invocation = self.field("USER_INVOCATION_ID").or_else(|| self.field("INVOCATION_ID")).unwrap_or_default();
        Some(Transition { at: self.at, unit, invocation, kind })
    }

    fn transition_kind(&self) -> Option<TransitionKind<'_>> {
        let job_result = self.field("JOB_RESULT").unwrap_or_default();
        Some(match self.message_id()? {
            STARTING => TransitionKind::Starting,
            START_DONE => self.start_done(),
            START_NOT_DONE => TransitionKind::NotStarted { job_result },
            STOPPING => TransitionKind::Stopping,
            STOPPED => TransitionKind::Stopped,
            RELOADING => TransitionKind::Reloading,
            RELOADED => TransitionKind::Reloaded { job_result },
            FAILURE_RESULT => TransitionKind::Failed { result: self.field("UNIT_RESULT").unwrap_or_default() },
            DEACTIVATED => TransitionKind::Deactivated,
            RESTART_SCHEDULED => TransitionKind::RestartScheduled,
            OUT_OF_MEMORY => TransitionKind::OutOfMemory,
            _ => return None,
        })
    }

    /// systemd gives the end of a start job one id, whether the unit was started, ran to its end or was skipped for a
    /// condition that is not met. Only the words differ.
    fn start_done(&self) -> TransitionKind<'_> {
        let message = self.message();
        if message.contains(" was skipped because ") {
            TransitionKind::Skipped
        } else if message.starts_with("Finished ") {
            TransitionKind::Finished
        } else {
            TransitionKind::Started
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_tell_transitions_apart() {
        let check = |id: &str, rest: &str, expected: Option<TransitionKind>| {
            let line = format!(
                r#"{{"__MONOTONIC_TIMESTAMP":"1","_BOOT_ID":"b","_UID":"1000","USER_UNIT":"a.service",
                "USER_INVOCATION_ID":"i","MESSAGE_ID":"{id}",{rest}}}"#
            );
            let record = Record::parse(&line, |_| 0).unwrap();
            let transition = record.transition();
            assert_eq!(transition.as_ref().map(|found| found.kind), expected, "{id}");
            assert!(transition.is_none_or(|found| found.invocation == "i"));
        };
        let message = |text: &str| format!(r#""MESSAGE":"{text}","JOB_RESULT":"done""#);
        check(STARTING, &message("Starting a..."), Some(TransitionKind::Starting));
        check(START_DONE, &message("Started a."), Some(TransitionKind::Started));
        check(START_DONE, &message("Finished a."), Some(TransitionKind::Finished));
        let skipped = message("a was skipped because of an unmet condition check (ConditionPathExists=/x).");
        check(START_DONE, &skipped, Some(TransitionKind::Skipped));
        check(
            START_NOT_DONE,
            r#""JOB_RESULT":"dependency""#,
            Some(TransitionKind::NotStarted { job_result: "dependency" }),
        );
        check(FAILURE_RESULT, r#""UNIT_RESULT":"exit-code""#, Some(TransitionKind::Failed { result: "exit-code" }));
        check(STOPPING, r#""X":"""#, Some(TransitionKind::Stopping));
        check(STOPPED, r#""X":"""#, Some(TransitionKind::Stopped));
        check(DEACTIVATED, r#""X":"""#, Some(TransitionKind::Deactivated));
        check(RELOADING, r#""X":"""#, Some(TransitionKind::Reloading));
        let reload_failed = TransitionKind::Reloaded { job_result: "failed" };
        check(RELOADED, r#""JOB_RESULT":"failed""#, Some(reload_failed));
        check(RESTART_SCHEDULED, r#""X":"""#, Some(TransitionKind::RestartScheduled));
        check(OUT_OF_MEMORY, r#""X":"""#, Some(TransitionKind::OutOfMemory));
        check("98e322203f7a4ed290d09fe03c09fe15", r#""X":"""#, None);
    }
}
