//! The vocabulary of scenario files: the one list that the reader takes its keys from and that docs/scenarios.md is
//! made of.

/// Where a word may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    File,
    Step,
    Act,
    Line,
    OrderEntry,
    Exception,
    Time,
    UnitTarget,
    ContainerTarget,
    PathTarget,
    JournalSource,
    Placeholder,
    State,
    Condition,
    Knob,
    AlertMode,
    Account,
    Result,
    Sub,
}

impl Place {
    /// What a word of this place is, with its article.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::File | Self::Step | Self::Act | Self::Line | Self::OrderEntry | Self::Exception => "a key",
            Self::Time => "a kind of time",
            Self::UnitTarget => "a target for units",
            Self::ContainerTarget => "a target for containers",
            Self::PathTarget => "a target for paths",
            Self::JournalSource => "a source of journal records",
            Self::Placeholder => "a placeholder",
            Self::State => "a unit's state",
            Self::Condition => "a condition of containers",
            Self::Knob => "a knob of the test image",
            Self::AlertMode => "a behaviour of the alert endpoint",
            Self::Account => "an account",
            Self::Result => "a unit's result",
            Self::Sub => "a unit's sub state",
        }
    }
}

/// How a key stands in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It may stand there whatever else does; values are of this kind too.
    Plain,
    /// It says what the table is about; exactly one of these stands in each.
    Leads,
    /// It goes with these leading keys.
    With(&'static [&'static str]),
}

/// One word of the vocabulary.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) place: Place,
    pub(super) name: &'static str,
    pub(super) role: Use,
    pub(super) meaning: &'static str,
    pub(super) example: &'static str,
}

/// The names of the words that may stand at a place.
pub(super) fn names(place: Place) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter(move |word| word.place == place).map(|word| word.name)
}

/// The names of the words of a place, as messages list them.
pub(super) fn list(place: Place) -> String {
    let quoted: Vec<String> = names(place).map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The words that can lead a table of a place.
pub(super) fn leads(place: Place) -> impl Iterator<Item = &'static str> {
    let leads = move |word: &&Word| word.place == place && word.role == Use::Leads;
    WORDS.iter().filter(leads).map(|word| word.name)
}

/// The word of this name at a place.
pub(super) fn find(place: Place, name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.place == place && word.name == name)
}

const fn word(place: Place, role: Use, name: &'static str, meaning: &'static str, example: &'static str) -> Word {
    Word { place, name, role, meaning, example }
}

use Place::{
    Account, Act, AlertMode, Condition, ContainerTarget, Exception, File, JournalSource, Knob, Line, OrderEntry,
    PathTarget, Placeholder, Result as UnitResult, State, Step, Sub, Time, UnitTarget,
};
use Use::{Leads, Plain, With};

const COUNTED: Use = With(&["journal", "alert", "output", "process"]);

/// Every word, in the order of the reference.
#[rustfmt::skip]
pub(super) const WORDS: &[Word] = &[
    word(File, Plain, "title", "What the scenario shows, as a sentence.", r#"title = "Native secrets are used""#),
    word(File, Plain, "proves", "The statements it proves, by number.", r#"proves = ["B21", "B26"]"#),
    word(File, Plain, "hosts", "The hosts it runs on: one trial each.", r#"hosts = ["igpu"]"#),
    word(File, Plain, "stack", "The stack that `@unit` and its like mean, as a string or a table with a stack for each host. Optional.", r#"stack = "jellyfin""#),
    word(File, Plain, "given", "Actions before the first picture. Optional.", r#"given = [ { stop = "@unit" } ]"#),
    word(File, Plain, "broken-by", "The faults under each of which a line marked `red` must fail: a string or an array.", r#"broken-by = "no-alert""#),
    word(File, Plain, "time", "How time passes, where it matters. Optional.", r#"time = "virtual""#),
    word(File, Plain, "cpus", "How many processors a guest needs, where one cannot have the races that are looked for: two. In virtual time they take turns, by the guest's clock. Optional.", "cpus = 2"),
    word(File, Plain, "except", "What may differ at the end although no line says so. Optional.", r#"except = [ { journal = "^netavark: ", reason = "It warns of a missing kernel module." } ]"#),
    word(File, Plain, "slow", "Why its trials take more than a minute where a guest is emulated: shown beside the time. Optional.", r#"slow = "Every stack is stopped and started.""#),
    word(File, Plain, "step", "The steps, in order; at least one.", "[[step]]"),

    word(Step, Plain, "name", "The step's name in reports. Optional.", r#"name = "the secret is back""#),
    word(Step, Plain, "when", "The actions, a table or an array of tables. Without it, the step only looks.", r#"when = { start = "@unit" }"#),
    word(Step, Plain, "measure", "The name under which the actions' guest time is kept for a later `at-most`. Optional.", r#"measure = "healthy""#),
    word(Step, Plain, "then", "What must hold: at least one line.", r#"then = [ { unit = "@unit", enters = "active" } ]"#),

    word(Act, Leads, "start", "`systemctl start` of units, waiting for the job.", r#"{ start = "@unit" }"#),
    word(Act, Leads, "stop", "`systemctl stop` of units.", r#"{ stop = "@unit" }"#),
    word(Act, Leads, "restart", "`systemctl restart` of units.", r#"{ restart = "@unit" }"#),
    word(Act, Leads, "reload", "`systemctl reload` of units.", r#"{ reload = "@unit" }"#),
    word(Act, Leads, "run", "A bash script. Its exit status is that of its last command, unless it begins with `set -e`.", r#"{ run = "podman ps" }"#),
    word(Act, Leads, "remove", "Moves files away.", r#"{ remove = "@secret" }"#),
    word(Act, Leads, "restore", "Brings back files that were removed or changed before.", r#"{ restore = "@secret" }"#),
    word(Act, Leads, "chmod", "Changes the mode of files.", r#"{ chmod = "@secret", mode = "0000" }"#),
    word(Act, Leads, "chown", "Changes the owner of files.", r#"{ chown = "@secret", owner = "root" }"#),
    word(Act, Leads, "write", "Replaces a file's content.", r#"{ write = "@secret", content = "TOKEN=other" }"#),
    word(Act, Leads, "knob", "Makes the test image of containers misbehave.", r#"{ knob = "unhealthy", of = "@holder" }"#),
    word(Act, Leads, "clear-knobs", "Makes the test image of containers behave again.", r#"{ clear-knobs = "@holder" }"#),
    word(Act, Leads, "push", "Puts another version of the containers' images into the registry, under the same tag.", r#"{ push = "v2", of = "@holder" }"#),
    word(Act, Leads, "activate", "Installs a variant of the host's generation, or `base` again, and starts the units that activate it, as a switch of the system does. A service that only the variant has is named like any other.", r#"{ activate = "changed-compose" }"#),
    word(Act, Leads, "alerts", "How the alert endpoint behaves from now on.", r#"{ alerts = "hang" }"#),
    word(Act, Leads, "wait", "Lets guest time pass.", r#"{ wait = "90s" }"#),
    word(Act, Leads, "reboot", "Restarts the machine in an orderly way and waits until it has settled.", "{ reboot = true }"),
    word(Act, Leads, "power-cut", "Cuts the power, starts again and waits until the machine has settled.", "{ power-cut = true }"),
    word(Act, With(&["start", "stop", "restart", "reload", "activate", "run"]), "expect-failure", "The exit status must not be zero. Without it, it must be.", r#"{ start = "@unit", expect-failure = true }"#),
    word(Act, With(&["run"]), "as", "Who runs it; the stacks' user unless told.", r#"{ run = "id", as = "root" }"#),
    word(Act, With(&["run"]), "limit", "How much guest time it may take; 60 s unless told.", r#"{ run = "sleep 90", limit = "2m" }"#),
    word(Act, With(&["chmod"]), "mode", "The permission bits in octal.", r#"{ chmod = "@secret", mode = "0000" }"#),
    word(Act, With(&["chown"]), "owner", "The new owner's name.", r#"{ chown = "@secret", owner = "root" }"#),
    word(Act, With(&["write"]), "content", "The new content.", r#"{ write = "@secret", content = "TOKEN=other" }"#),
    word(Act, With(&["knob", "push"]), "of", "The containers.", r#"{ knob = "exit 3", of = "@holder" }"#),
    word(Act, With(&["push"]), "broken", "The version's service ends with an error at once.", r#"{ push = "v2", of = "container:update-probe", broken = true }"#),

    word(Line, Leads, "unit", "What becomes of units, each of them.", r#"{ unit = "@unit", enters = "failed", result = "exit-code" }"#),
    word(Line, Leads, "order", "Units enter their states in this order.", r#"{ order = [ { unit = "user:podman.socket", enters = "active" }, { unit = "@unit", enters = "active" } ] }"#),
    word(Line, Leads, "journal", "Records of the journal that match, at least one unless a count is given.", r#"{ journal = "@unit", text = "missing-secret", times = 1 }"#),
    word(Line, Leads, "containers", "What becomes of containers, each of them.", r#"{ containers = "@stack", are = "running" }"#),
    word(Line, Leads, "alert", "Alerts about each of the units that the endpoint accepted.", r#"{ alert = "@unit", matches = "host: {hostname} ", priority = 8, times = 1 }"#),
    word(Line, Leads, "file", "What a file is like at the end of the step.", r#"{ file = "@env-paths", mode = "0600", lines = ["{secret}"] }"#),
    word(Line, Leads, "output", "Lines that the step's last command printed and that match.", r#"{ output = "^healthy$", times = 1 }"#),
    word(Line, Leads, "process", "Programs started during the step whose arguments, joined with blanks, match. Of more than 24 arguments the first 24 are known.", r#"{ process = "docker-compose .* up ", at-least = 1 }"#),
    word(Line, Leads, "at-most", "The largest ratio of the guest time of this step's actions to that of a measured step.", r#"{ at-most = 1.5, of = "healthy" }"#),
    word(Line, Plain, "red", "This line must fail under the faults of `broken-by`.", r#"{ unit = "@unit", enters = "failed", red = true }"#),
    word(Line, With(&["unit"]), "enters", "A state that each unit enters, however shortly.", r#"{ unit = "@unit", enters = "active", sub = "exited", within = "20s" }"#),
    word(Line, With(&["unit"]), "never-enters", "A state that no unit enters.", r#"{ unit = "@unit", never-enters = "active" }"#),
    word(Line, With(&["unit"]), "is", "The state at the end of the step, or `unchanged`: same invocation, no change of state.", r#"{ unit = "@others", is = "unchanged" }"#),
    word(Line, With(&["unit"]), "result", "The unit's Result, with `enters` and `is`.", r#"{ unit = "@unit", enters = "failed", result = "timeout" }"#),
    word(Line, With(&["unit"]), "sub", "The unit's sub state, with `enters` and `is`.", r#"{ unit = "@unit", is = "active", sub = "exited" }"#),
    word(Line, With(&["containers"]), "are", "The containers' condition.", r#"{ containers = "@stack", are = "same-ids" }"#),
    word(Line, With(&["containers"]), "labels", "Labels that each container bears.", r#"{ containers = "@all", labels = { PODMAN_SYSTEMD_UNIT = "{unit}" } }"#),
    word(Line, With(&["containers"]), "environment", "Variables that each container has.", r#"{ containers = "@holder", environment = { PORT = "80" } }"#),
    word(Line, With(&["journal", "file", "alert"]), "matches", "A regular expression, in single quotes where it has a backslash: for the message, for the file's text, or for the alert's title and message, joined as `title: message`.", r#"{ journal = "anything", matches = "podman.sock: connect", never = true }"#),
    word(Line, With(&["journal"]), "text", "The name of a message text of the generation's manifest.", r#"{ journal = "@unit", text = "fallback-used", times = 1 }"#),
    word(Line, With(&["journal", "output"]), "where", "A comparison (`<`, `<=`, `=`, `>=`, `>`) between numbers that the expression's named groups capture, or such a number and another; only what it holds for counts. Not with `text`.", r#"{ journal = "@unit", matches = 'running for (?<age>\d+)s \(threshold: (?<threshold>\d+)s\)$', where = "age > threshold" }"#),
    word(Line, With(&["alert"]), "priority", "The alert's priority.", r#"{ alert = "@unit", priority = 8, times = 1 }"#),
    word(Line, COUNTED, "times", "Exactly so many.", r#"{ alert = "@unit", times = 1 }"#),
    word(Line, COUNTED, "at-least", "So many or more.", r#"{ journal = "@unit", matches = "Removing", at-least = 2 }"#),
    word(Line, COUNTED, "never", "None at all.", r#"{ journal = "@unit", matches = "(?i)password", never = true }"#),
    word(Line, With(&["file"]), "absent", "The file is not there.", r#"{ file = "@env-paths", absent = true }"#),
    word(Line, With(&["file"]), "mode", "Its permission bits in octal.", r#"{ file = "@secret", mode = "0400" }"#),
    word(Line, With(&["file"]), "owner", "Its owner's name.", r#"{ file = "@secret", owner = "abl030" }"#),
    word(Line, With(&["file"]), "lines", "All its lines, in order.", r#"{ file = "@env-paths", lines = ["{secret}"] }"#),
    word(Line, With(&["at-most"]), "of", "The `measure` of an earlier step.", r#"{ at-most = 1.5, of = "healthy" }"#),
    word(Line, With(&["unit", "order", "journal", "containers", "alert", "process"]), "within", "Guest time that the line has, or looks at, from the step's first action; what a line reads from the end of the step is read no sooner. Without it, what must happen has 60 s from the end of the last action, and what must not is watched for until 3 s after the last line that had to come true.", r#"{ alert = "@unit", times = 1, within = "30s" }"#),

    word(OrderEntry, Leads, "unit", "The units.", r#"{ unit = "@unit", enters = "active" }"#),
    word(OrderEntry, With(&["unit"]), "enters", "The state.", r#"{ unit = "@unit", enters = "active" }"#),

    word(Exception, Leads, "unit", "Units that may differ or fail.", r#"{ unit = "@unit", reason = "It stays failed." }"#),
    word(Exception, Leads, "containers", "Containers that may differ.", r#"{ containers = "@holder", reason = "It is left stopped." }"#),
    word(Exception, Leads, "journal", "A regular expression for records of priority err or worse that may be there.", r#"{ journal = "^pasta: ", reason = "No network card." }"#),
    word(Exception, Leads, "change", "A regular expression for what `nothing-else-changed` says of files, processes, networks, volumes, images and sockets.", r#"{ change = "^the file /tmp/note is new$", reason = "The scenario writes it." }"#),
    word(Exception, Plain, "reason", "Why, as a sentence.", r#"{ unit = "@unit", reason = "It stays failed." }"#),

    word(Time, Plain, "virtual", "Counted instructions: long waits cost little, and the load of the machine that runs the guest makes no difference.", r#"time = "virtual""#),
    word(Time, Plain, "real", "The machine's clock, and two processors that run at once.", r#"time = "real""#),

    word(UnitTarget, Plain, "@unit", "The unit of the scenario's stack.", r#"{ start = "@unit" }"#),
    word(UnitTarget, Plain, "@units", "The units of all stacks of the host.", r#"{ unit = "@units", is = "active" }"#),
    word(UnitTarget, Plain, "@others", "The units of all stacks but the scenario's.", r#"{ unit = "@others", is = "unchanged" }"#),

    word(ContainerTarget, Plain, "@stack", "All containers of the scenario's stack.", r#"{ containers = "@stack", are = "running" }"#),
    word(ContainerTarget, Plain, "@all", "All containers of all stacks.", r#"{ containers = "@all", are = "running" }"#),
    word(ContainerTarget, Plain, "@other-stacks", "All containers of the other stacks.", r#"{ containers = "@other-stacks", are = "unchanged" }"#),
    word(ContainerTarget, Plain, "@holder", "The container of the stack whose network others join.", r#"{ containers = "@holder", are = "recreated" }"#),
    word(ContainerTarget, Plain, "@dependents", "The containers that join the holder's network.", r#"{ containers = "@dependents", are = "recreated" }"#),

    word(PathTarget, Plain, "@secret", "The native path of the stack's first secret; `@secret:2` is the second's.", r#"{ remove = "@secret" }"#),
    word(PathTarget, Plain, "@fallback", "The fallback path of the first secret; `@fallback:2` likewise.", r#"{ remove = "@fallback" }"#),
    word(PathTarget, Plain, "@env-paths", "The list of resolved env paths that a start writes.", r#"{ file = "@env-paths", mode = "0600" }"#),
    word(PathTarget, Plain, "@compose", "The stack's compose file.", r#"{ file = "@compose", owner = "root" }"#),

    word(JournalSource, Plain, "kernel", "The kernel's records.", r#"{ journal = "kernel", matches = "Out of memory", never = true }"#),
    word(JournalSource, Plain, "anything", "All records.", r#"{ journal = "anything", matches = "database is locked", never = true }"#),

    word(Placeholder, Plain, "unit", "The stack's unit.", "{unit}"),
    word(Placeholder, Plain, "stack", "The stack's name.", "{stack}"),
    word(Placeholder, Plain, "hostname", "What the host calls itself.", "{hostname}"),
    word(Placeholder, Plain, "project", "The compose project.", "{project}"),
    word(Placeholder, Plain, "compose", "The compose file.", "{compose}"),
    word(Placeholder, Plain, "override", "The generated override beside the compose file.", "{override}"),
    word(Placeholder, Plain, "secret", "The native path of the first secret, or with a number of another.", "{secret:2}"),
    word(Placeholder, Plain, "fallback", "The fallback path of a secret.", "{fallback}"),
    word(Placeholder, Plain, "secret-name", "The name of a secret as messages give it.", "{secret-name}"),
    word(Placeholder, Plain, "env-paths", "The list of resolved env paths.", "{env-paths}"),
    word(Placeholder, Plain, "holder", "The name of the container whose network others join.", "{holder}"),

    word(State, Plain, "active", "Started.", r#"{ unit = "@unit", enters = "active" }"#),
    word(State, Plain, "reloading", "Reloading its configuration.", r#"{ unit = "@unit", enters = "reloading" }"#),
    word(State, Plain, "inactive", "Not running.", r#"{ unit = "@unit", is = "inactive" }"#),
    word(State, Plain, "failed", "Not running after a failure.", r#"{ unit = "@unit", never-enters = "failed" }"#),
    word(State, Plain, "activating", "Being started.", r#"{ unit = "@unit", enters = "activating" }"#),
    word(State, Plain, "deactivating", "Being stopped.", r#"{ unit = "@unit", enters = "deactivating" }"#),

    word(Condition, Plain, "running", "Running.", r#"{ containers = "@stack", are = "running" }"#),
    word(Condition, Plain, "healthy", "Running, with a passing health check.", r#"{ containers = "@holder", are = "healthy" }"#),
    word(Condition, Plain, "unhealthy", "Running, with a failing health check.", r#"{ containers = "@holder", are = "unhealthy" }"#),
    word(Condition, Plain, "unchanged", "Same id, start time and state as before the step.", r#"{ containers = "@stack", are = "unchanged" }"#),
    word(Condition, Plain, "same-ids", "Same id as before the step, whatever the state.", r#"{ containers = "@stack", are = "same-ids" }"#),
    word(Condition, Plain, "stopped", "Same id as before the step, not running.", r#"{ containers = "@stack", are = "stopped" }"#),
    word(Condition, Plain, "recreated", "Another id than before the step, running.", r#"{ containers = "@stack", are = "recreated" }"#),
    word(Condition, Plain, "updated", "Of another image than before the step, running.", r#"{ containers = "@stack", are = "updated" }"#),
    word(Condition, Plain, "same-image", "Of the same image as before the step, running.", r#"{ containers = "@stack", are = "same-image" }"#),
    word(Condition, Plain, "gone", "Not there.", r#"{ containers = "@stack", are = "gone" }"#),

    word(Knob, Plain, "unhealthy", "The health check fails.", r#"{ knob = "unhealthy", of = "@holder" }"#),
    word(Knob, Plain, "exit", "The service ends with this status.", r#"{ knob = "exit 3", of = "@holder" }"#),
    word(Knob, Plain, "ignore-term", "The service does not end when asked to.", r#"{ knob = "ignore-term", of = "@holder" }"#),
    word(Knob, Plain, "hang", "The service neither answers nor ends.", r#"{ knob = "hang", of = "@holder" }"#),

    word(AlertMode, Plain, "answer", "It takes alerts.", r#"{ alerts = "answer" }"#),
    word(AlertMode, Plain, "refuse", "Nobody listens at its port.", r#"{ alerts = "refuse" }"#),
    word(AlertMode, Plain, "hang", "It takes the request and never answers.", r#"{ alerts = "hang" }"#),
    word(AlertMode, Plain, "error", "It answers each request with the status 500.", r#"{ alerts = "error" }"#),

    word(Account, Plain, "user", "The user who owns the stacks, with their bus.", r#"{ run = "id", as = "user" }"#),
    word(Account, Plain, "root", "uid 0.", r#"{ run = "id", as = "root" }"#),

    word(UnitResult, Plain, "success", "Nothing failed.", r#"{ unit = "@unit", enters = "active", result = "success" }"#),
    word(UnitResult, Plain, "exit-code", "A process ended with a status that means failure.", r#"{ unit = "@unit", enters = "failed", result = "exit-code" }"#),
    word(UnitResult, Plain, "signal", "A process was killed by a signal.", r#"{ unit = "@unit", enters = "failed", result = "signal" }"#),
    word(UnitResult, Plain, "core-dump", "A process was killed by a signal and dumped core.", r#"{ unit = "@unit", enters = "failed", result = "core-dump" }"#),
    word(UnitResult, Plain, "timeout", "An operation took too long.", r#"{ unit = "@unit", enters = "failed", result = "timeout" }"#),
    word(UnitResult, Plain, "watchdog", "The service did not report in time.", r#"{ unit = "@unit", enters = "failed", result = "watchdog" }"#),
    word(UnitResult, Plain, "resources", "The system could not give what was needed.", r#"{ unit = "@unit", enters = "failed", result = "resources" }"#),
    word(UnitResult, Plain, "protocol", "The service did not do what its type demands.", r#"{ unit = "@unit", enters = "failed", result = "protocol" }"#),
    word(UnitResult, Plain, "oom-kill", "A process was killed for want of memory.", r#"{ unit = "@unit", enters = "failed", result = "oom-kill" }"#),
    word(UnitResult, Plain, "start-limit-hit", "It was started too often.", r#"{ unit = "@unit", enters = "failed", result = "start-limit-hit" }"#),

    word(Sub, Plain, "dead", "Not running.", r#"{ unit = "@unit", is = "inactive", sub = "dead" }"#),
    word(Sub, Plain, "failed", "Not running after a failure.", r#"{ unit = "@unit", is = "failed", sub = "failed" }"#),
    word(Sub, Plain, "exited", "Done, and kept as active.", r#"{ unit = "@unit", is = "active", sub = "exited" }"#),
    word(Sub, Plain, "running", "Its process runs.", r#"{ unit = "@unit", is = "active", sub = "running" }"#),
    word(Sub, Plain, "start-pre", "Doing what comes before the start.", r#"{ unit = "@unit", is = "activating", sub = "start-pre" }"#),
    word(Sub, Plain, "start", "Starting.", r#"{ unit = "@unit", is = "activating", sub = "start" }"#),
    word(Sub, Plain, "start-post", "Doing what comes after the start.", r#"{ unit = "@unit", is = "activating", sub = "start-post" }"#),
    word(Sub, Plain, "stop", "Stopping.", r#"{ unit = "@unit", is = "deactivating", sub = "stop" }"#),
    word(Sub, Plain, "auto-restart", "Waiting to be restarted.", r#"{ unit = "@unit", is = "activating", sub = "auto-restart" }"#),
    word(Sub, Plain, "listening", "A socket that waits.", r#"{ unit = "@unit", is = "active", sub = "listening" }"#),
    word(Sub, Plain, "waiting", "A timer that waits.", r#"{ unit = "@unit", is = "active", sub = "waiting" }"#),
    word(Sub, Plain, "elapsed", "A timer that waits for nothing more.", r#"{ unit = "@unit", is = "active", sub = "elapsed" }"#),
    word(Sub, Plain, "mounted", "A mount that is there.", r#"{ unit = "@unit", is = "active", sub = "mounted" }"#),
    word(Sub, Plain, "active", "A target that is reached.", r#"{ unit = "@unit", is = "active", sub = "active" }"#),
];
