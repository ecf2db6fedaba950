//! What a run tells its reporters: the whole interface between the two.

use serde::{Deserialize, Serialize};

use crate::judge::{Judgement, Outcome};

/// Something that happened in a run. One line of `events.jsonl` each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// When, RFC 3339.
        at: String,
        /// The program's version.
        version: String,
        /// The names of the selected trials.
        trials: Vec<String>,
        /// The accelerator and how guest time passes, as a sentence.
        accelerator: String,
    },
    /// A long piece of work goes on (image, bake, boot): its name and what it does now.
    Progress {
        /// `image`, `bake igpu`, …
        task: String,
        /// What it does or waits for.
        message: String,
    },
    /// A trial begins.
    TrialStarted {
        /// Its name.
        trial: String,
    },
    /// A trial ended.
    TrialFinished(TrialFinished),
    /// The run ended.
    RunFinished {
        /// When, RFC 3339.
        at: String,
        /// How long it took, seconds of the host.
        seconds: f64,
        /// Exceptions, known noise and marks that no trial needed, as sentences with their places.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        needless: Vec<String>,
    },
}

/// The end of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialFinished {
    /// `igpu::failure::missing-secret-fails-hard`, with ` [broken-by x]` behind it in a run with faults.
    pub trial: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario file, as people open it.
    pub scenario: String,
    /// The statements it proves.
    pub proves: Vec<String>,
    /// How it ended. In a run with faults: passed means the fault was noticed at a marked line.
    pub outcome: Outcome,
    /// Why it was skipped, or what broke or was not noticed, where there is a sentence for it.
    pub reason: Option<String>,
    /// The judgement, where there was one.
    pub judgement: Option<Judgement>,
    /// Seconds of the host from clone to the last verdict.
    pub host_seconds: f64,
    /// Seconds of guest time.
    pub guest_seconds: f64,
    /// Why it may take more than a minute, as the scenario says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<String>,
    /// The folder with timeline, journal and console, where one was written.
    pub folder: Option<String>,
    /// Whether the machine was kept.
    pub kept: bool,
}
