//! The reference of the vocabulary, made of the same list that files are read by.

use std::fmt::Write;

use super::words::{Place, Use, WORDS};

const CHAPTERS: &[(Place, &str, &str)] = &[
    (Place::File, "The file", "Keys at the top of a file. Unknown keys are errors, here as everywhere."),
    (Place::Step, "Steps", "Keys of a `[[step]]`."),
    (
        Place::Act,
        "Actions",
        "Each table of `given` and `when` has one key that leads, and the keys that go with it. Every action must \
     succeed unless it says otherwise.",
    ),
    (
        Place::Line,
        "Lines",
        "Each table of `then` has one key that leads. A line about several units or containers must hold for each of \
     them. `within` counts guest time. Beside its lines, every trial fails if a program crashes, a unit fails, the journal \
         has an error, or anything changes that no line or action is about: `except` is for what may.",
    ),
    (
        Place::OrderEntry,
        "Entries of `order`",
        "First to last: the last unit of one entry before the first of the next.",
    ),
    (Place::Exception, "Exceptions", "Tables of `except`, each with a reason."),
    (Place::Time, "Kinds of time", "Values of `time`."),
    (
        Place::UnitTarget,
        "Units",
        "A target is a string or an array of strings, or a table with such a value for each host of the scenario. Units of \
     the generation are named as they are; units from elsewhere with their manager, as in `user:podman.socket` or \
     `system:user@1000.service`.",
    ),
    (
        Place::ContainerTarget,
        "Containers",
        "Containers are named by their service (`plex`), those of another stack as `stack/service`, and one that \
         no stack makes by its own name, as `container:update-probe`.",
    ),
    (Place::PathTarget, "Paths", "Absolute paths, or one of these."),
    (Place::JournalSource, "Journals", "Values of `journal` beside units."),
    (Place::State, "States", "Values of `enters`, `never-enters` and `is`; `is` also takes `unchanged`."),
    (Place::Result, "Results", "Values of `result`."),
    (Place::Sub, "Sub states", "Values of `sub`."),
    (Place::Condition, "Conditions", "Values of `are`."),
    (Place::Knob, "Knobs", "Values of `knob`; `exit` takes a status."),
    (
        Place::AlertMode,
        "The alert endpoint",
        "Values of `alerts`. The endpoint answers until told otherwise, and again after a boot.",
    ),
    (Place::Account, "Accounts", "Values of `as`."),
    (
        Place::Placeholder,
        "Placeholders",
        "Replaced in scripts, contents, lines, labels, variables, names of units and regular expressions (there by \
     text that matches itself). In lines about containers they mean each container's own stack. `${name}`, `\\{` and braces \
     around anything but a lower-case word stay as they are.",
    ),
];

/// The reference of the vocabulary as Markdown: what docs/scenarios.md holds.
pub fn reference() -> String {
    let mut text = String::from(
        "# Scenario files\n\n\
         Made from the vocabulary in harness/src/scenario/words.rs; renew it with\n\
         `HARNESS_UPDATE=1 cargo test -p harness reference`.\n\n\
         A scenario is a TOML file in `scenarios/functional`, `scenarios/failure` or `scenarios/regression`. Its name is\n\
         that of the file, in lower-case words joined with `-`. Durations are a whole number with `ms`, `s` or `m`.\n",
    );
    for (place, title, introduction) in CHAPTERS {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {title}\n\n{introduction}\n\n| Word | Meaning | Example |\n|---|---|---|\n");
        for word in WORDS.iter().filter(|word| word.place == *place) {
            let with = match word.role {
                Use::With(leads) => format!(" With `{}`.", leads.join("`, `")),
                Use::Plain | Use::Leads => String::new(),
            };
            let example = word.example.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {}{with} | `{example}` |", word.name, word.meaning);
        }
    }
    text
}
