//! What a line expects, resolved: what the judge decides by.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use super::{Relation, Span, Unit};

/// One expectation as it is written, the unit of verdicts.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where it is written.
    pub span: Span,
    /// Whether it must go red under one of the scenario's faults (`red = true`).
    pub red: bool,
    /// How much guest time it has from the step's action.
    pub within: Option<Duration>,
    /// What must hold.
    pub what: Expectation,
}

/// What a line can expect. Where it names several subjects, it must hold for each of them.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// Each unit enters the state after the step began; seen as a transition, however short it lasted.
    UnitEnters {
        /// The units.
        units: Vec<Unit>,
        /// `active`, `failed`, `inactive`, `activating`, `deactivating`, `reloading`.
        state: ActiveState,
        /// The unit's Result at that transition.
        result: Option<String>,
        /// The sub state at the end of the step.
        sub: Option<String>,
    },
    /// No unit enters the state up to the step's horizon.
    UnitNeverEnters {
        /// The units.
        units: Vec<Unit>,
        /// The state.
        state: ActiveState,
    },
    /// Each unit is so at the end of the step.
    UnitIs {
        /// The units.
        units: Vec<Unit>,
        /// The active state.
        state: ActiveState,
        /// The sub state.
        sub: Option<String>,
        /// The Result.
        result: Option<String>,
    },
    /// Each unit has the same invocation and no state change since before the step.
    UnitUnchanged {
        /// The units.
        units: Vec<Unit>,
    },
    /// The units enter their states in this order: the last to do so of one entry before the first of the next.
    Order {
        /// Units and states, first to last.
        entries: Vec<(Vec<Unit>, ActiveState)>,
    },
    /// The journal has so many records that match.
    Journal {
        /// Whose records.
        of: JournalSource,
        /// What their message matches.
        pattern: Pattern,
        /// How many there must be.
        times: Times,
    },
    /// Each container is in the condition at the end of the step.
    Containers {
        /// The containers.
        containers: Vec<Container>,
        /// The condition.
        are: ContainerCondition,
    },
    /// Each container bears these labels at the end of the step.
    ContainerLabels {
        /// The containers.
        containers: Vec<Container>,
        /// Label and value; in a value `{unit}` was replaced by the container's stack unit.
        labels: BTreeMap<String, String>,
    },
    /// Each container has these variables in its environment at the end of the step.
    ContainerEnvironment {
        /// The containers.
        containers: Vec<Container>,
        /// Name and value.
        variables: BTreeMap<String, String>,
    },
    /// The alert endpoint accepted so many alerts about the units (counted for each).
    Alert {
        /// The units.
        units: Vec<Unit>,
        /// What `title: message` matches, where that matters.
        pattern: Option<Pattern>,
        /// The priority, where that matters.
        priority: Option<u32>,
        /// How many.
        times: Times,
    },
    /// A file at the end of the step.
    File {
        /// Absolute path; files to look at are part of each picture.
        path: String,
        /// What it has to be like.
        is: FileCondition,
    },
    /// What the step's last command printed (standard output and error together).
    Output {
        /// What it matches, line by line.
        pattern: Pattern,
        /// How many lines there must be.
        times: Times,
    },
    /// Programs started in the guest during the step, by their arguments joined with blanks.
    Process {
        /// What the arguments match.
        pattern: Pattern,
        /// How many there must be.
        times: Times,
    },
    /// The guest time of this step's actions, as a ratio to that of an earlier measured step.
    AtMost {
        /// The largest ratio that passes.
        ratio: f64,
        /// The `measure` of the earlier step.
        of: String,
    },
}

/// A regular expression as it was written, compiled.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The expression; `text = "…"` was replaced by the manifest's expression of that name.
    pub regex: Regex,
    /// The name of the text, where it was given by name.
    pub text: Option<String>,
    /// What must hold between the numbers that it captures, where the line says so.
    pub relation: Option<Relation>,
}

impl Pattern {
    /// Whether a text matches, and the relation holds for what it captures.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.relation {
            None => self.regex.is_match(text),
            Some(relation) => self.regex.captures(text).is_some_and(|captures| relation.holds(&captures)),
        }
    }
}

/// How many of something there must be, inclusive on both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// At least so many.
    pub least: u32,
    /// At most so many, where there is a limit.
    pub most: Option<u32>,
}

/// Whose journal records a line looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalSource {
    /// Those of the units' processes and the manager's about the units.
    Units(Vec<Unit>),
    /// The kernel's.
    Kernel,
    /// All.
    Anything,
}

/// The active states of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActiveState {
    /// Started.
    Active,
    /// Reloading its configuration.
    Reloading,
    /// Not running.
    Inactive,
    /// Not running after a failure.
    Failed,
    /// Being started.
    Activating,
    /// Being stopped.
    Deactivating,
}

/// A container by the stack and service it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// The stack, or none for a native container.
    pub stack: Option<String>,
    /// The compose service.
    pub service: String,
    /// The container's name.
    pub name: String,
    /// The stack's unit, in the user manager.
    pub unit: String,
}

/// In what condition containers can be expected, compared with the picture before the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerCondition {
    /// Running.
    Running,
    /// Running, with a passing health check.
    Healthy,
    /// Running, with a failing health check.
    Unhealthy,
    /// Same id, start time and state.
    Unchanged,
    /// Same id, whatever its state.
    SameIds,
    /// Same id, not running.
    Stopped,
    /// Another id, running.
    Recreated,
    /// Of another image, running.
    Updated,
    /// Of the same image, running.
    SameImage,
    /// Not there.
    Gone,
}

/// What a file is expected to be like; each given part must hold.
#[derive(Debug, Clone, Default)]
pub struct FileCondition {
    /// The file is not there.
    pub absent: bool,
    /// The permission bits.
    pub mode: Option<u32>,
    /// The owner's name.
    pub owner: Option<String>,
    /// The lines it consists of, all and in order.
    pub lines: Option<Vec<String>>,
    /// What its text matches.
    pub matches: Option<Pattern>,
}
