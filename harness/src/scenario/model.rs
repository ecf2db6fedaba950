//! What a scenario file says, resolved: the types that the runner acts on and the judge decides by.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{Container, Line, Pattern, StackFacts, Unit};

/// A file of scenarios as it was read, for messages that show a place in it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as the user gave it or the project knows it.
    pub path: String,
    /// The text.
    pub text: Arc<str>,
}

impl Source {
    /// The place of a byte as `path:line`.
    pub fn place(&self, byte: usize) -> String {
        let line = self.text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

/// A stretch of bytes in a [`Source`].
pub type Span = Range<usize>;

/// A mistake in a scenario file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file it is in.
    pub path: String,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do about it.
    pub advice: Option<String>,
}

/// The three sections of the matrix, which are also the folders of the scenario files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Group A.
    Functional,
    /// Group B.
    Failure,
    /// Group C.
    Regression,
}

/// One scenario file, read and resolved.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file.
    pub source: Source,
    /// The folder it is in.
    pub section: Section,
    /// The file's name without its ending.
    pub name: String,
    /// What it shows, as a sentence.
    pub title: String,
    /// The statements it proves.
    pub proves: Vec<String>,
    /// The faults under each of which a trial must go red at a marked line.
    pub broken_by: Vec<String>,
    /// What it asks of its machines.
    pub hardware: Hardware,
    /// Why its trials take more than a minute where a guest is emulated.
    pub slow: Option<String>,
    /// One trial for each of its hosts.
    pub trials: Vec<Trial>,
}

/// What a scenario asks of its machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hardware {
    /// How time passes.
    pub time: Time,
    /// Whether two processors are needed, whatever the clock.
    pub two_processors: bool,
}

/// How time passes in a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Time {
    /// Virtual where there is no hardware acceleration, real where there is.
    #[default]
    Any,
    /// Counted instructions; one processor, unless two are asked for.
    Virtual,
    /// The host's clock; two processors.
    Real,
}

/// One scenario on one host.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The host's name.
    pub host: String,
    /// The stack that `@unit` and its like mean, where the scenario has one.
    pub stack: Option<String>,
    /// Every stack of the host, which tells whose a unit or a container is.
    pub stacks: Vec<StackFacts>,
    /// What is done before the first picture.
    pub given: Vec<Act>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What may differ at the end, each with its reason.
    pub except: Vec<Exception>,
    /// What the host's generation lacks for it, as a sentence; the rest of such a trial is not to be used.
    pub lacks: Option<String>,
}

/// One action and what must follow from it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The step's name, where it has one.
    pub name: Option<String>,
    /// Where it begins in the file.
    pub span: Span,
    /// What is done, in order; empty for a step that only looks.
    pub when: Vec<Act>,
    /// The name under which the guest time of its actions is kept for a later `of`.
    pub measure: Option<String>,
    /// What must hold.
    pub then: Vec<Line>,
}

/// Something done to the guest.
#[derive(Debug, Clone)]
pub struct Act {
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub what: ActKind,
    /// Whether its exit status must be zero, must not be, or is left to the lines.
    pub exit: ExitRule,
}

/// What an action's exit status has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitRule {
    /// Zero; anything else is a failed verdict at the action's place.
    Success,
    /// Not zero (`expect-failure = true`).
    Failure,
}

/// The actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActKind {
    /// `systemctl <verb> <units>` in the unit's own manager, waiting for the job.
    Systemctl {
        /// Which verb.
        verb: Verb,
        /// The units, all of one scope.
        units: Vec<Unit>,
    },
    /// Installs another generation and starts the units that activate it.
    Activate {
        /// `base`, or a variant's name.
        generation: String,
        /// The units, in the order of their start.
        units: Vec<Unit>,
    },
    /// A shell command, as the stacks' user or as root.
    Run {
        /// The command, a bash script.
        command: String,
        /// Who runs it.
        user: Account,
        /// How much guest time it may take.
        limit: Duration,
    },
    /// Moves files away, so that `Restore` can bring them back.
    Remove {
        /// Absolute paths.
        paths: Vec<String>,
    },
    /// Brings back what `Remove`, `Chmod`, `Chown` or `Write` changed.
    Restore {
        /// Absolute paths.
        paths: Vec<String>,
    },
    /// Changes the mode of files.
    Chmod {
        /// Absolute paths.
        paths: Vec<String>,
        /// The mode's permission bits.
        mode: u32,
    },
    /// Changes the owner of files.
    Chown {
        /// Absolute paths.
        paths: Vec<String>,
        /// The owner's name.
        owner: String,
    },
    /// Replaces a file's content.
    Write {
        /// Absolute path.
        path: String,
        /// The new content.
        content: String,
    },
    /// Sets a knob of the test image for the containers of services.
    Knob {
        /// The containers, as (stack, service).
        services: Vec<(String, String)>,
        /// The file of each, in the same order.
        files: Vec<String>,
        /// The knob's line (`unhealthy`, `exit 3`, `ignore-term`), or none to clear all of them.
        knob: Option<String>,
    },
    /// Puts another version of images into the registry, under their own names.
    Push {
        /// The images' names.
        images: Vec<String>,
        /// What the version calls itself.
        version: String,
        /// Whether its service ends with an error at once.
        broken: bool,
    },
    /// Makes the alert endpoint behave so from now on.
    Alerts(AlertMode),
    /// Lets guest time pass.
    Wait(Duration),
    /// Restarts the machine in an orderly way and waits until it is settled again.
    Reboot,
    /// Cuts the power, starts again and waits until the machine is settled.
    PowerCut,
}

/// The verbs of `systemctl` that scenarios use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `start`
    Start,
    /// `stop`
    Stop,
    /// `restart`
    Restart,
    /// `reload`
    Reload,
}

/// How the alert endpoint behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertMode {
    /// It takes alerts.
    Answer,
    /// Nobody listens at its port.
    Refuse,
    /// It takes requests and never answers.
    Hang,
    /// It answers with the status 500.
    Error,
}

/// Who runs a command in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// uid 0.
    Root,
    /// The user who owns the stacks, with their bus and runtime directory.
    User,
}

/// Something that may differ or go wrong in a trial, with the reason.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Where it is written.
    pub span: Span,
    /// What is excepted.
    pub what: Excepted,
    /// Why, as a sentence.
    pub reason: String,
}

/// What an exception is about.
#[derive(Debug, Clone)]
pub enum Excepted {
    /// Units whose state may differ or fail.
    Units(Vec<Unit>),
    /// Containers that may differ.
    Containers(Vec<Container>),
    /// Journal records that may be there although they are of priority `err` or worse.
    Journal(Pattern),
    /// What `nothing-else-changed` may say of anything else, in its own words.
    Change(Pattern),
}

impl Trial {
    /// Everything that is done, in order.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.given.iter().chain(self.steps.iter().flat_map(|step| &step.when))
    }

    /// Everything that must hold, in order.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.steps.iter().flat_map(|step| &step.then)
    }
}

impl Act {
    /// The units that it asks a manager to do something with.
    pub fn units(&self) -> &[Unit] {
        match &self.what {
            ActKind::Systemctl { units, .. } | ActKind::Activate { units, .. } => units,
            _ => &[],
        }
    }
}

impl Time {
    /// The word of scenarios for it; `any` is what they leave out.
    pub fn name(self) -> &'static str {
        match self {
            Time::Any => "any",
            Time::Virtual => "virtual",
            Time::Real => "real",
        }
    }
}

impl Verb {
    /// The word that `systemctl` takes.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Restart => "restart",
            Verb::Reload => "reload",
        }
    }
}

impl AlertMode {
    /// The word of scenarios for it.
    pub fn name(self) -> &'static str {
        match self {
            AlertMode::Answer => "answer",
            AlertMode::Refuse => "refuse",
            AlertMode::Hang => "hang",
            AlertMode::Error => "error",
        }
    }
}

impl Section {
    /// The folder of the section's scenario files, which is also its name in trials.
    pub fn name(self) -> &'static str {
        match self {
            Section::Functional => "functional",
            Section::Failure => "failure",
            Section::Regression => "regression",
        }
    }
}
