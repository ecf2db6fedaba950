//! Actions: from the tables of `given` and `when` to what the runner does.

use std::time::Duration;

use super::context::{Context, Unresolved};
use super::diagnostic::suggest;
use super::table::{Node, Table};
use super::words::{self, Place};
use super::{Account, Act, ActKind, AlertMode, Container, ExitRule, HostFacts, Verb};

/// How much guest time a script may take when the scenario does not say.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);
/// What scenarios call the host's generation itself, beside its variants.
const BASE: &str = "base";

impl<'a> Context<'a> {
    /// The actions of a table or an array of tables.
    pub(super) fn acts(&self, node: Node<'a>) -> Vec<Act> {
        let written = node.one_or_more();
        let acts: Vec<Act> = written.iter().filter_map(|act| self.act(*act)).collect();
        if acts.len() < written.len() {
            self.unread.set(true);
        }
        acts
    }

    fn act(&self, node: Node<'a>) -> Option<Act> {
        let table = node.table(Place::Act)?;
        let (verb, subject) = table.lead("the action")?;
        let what = self.act_kind(&table, verb, subject);
        let may_fail = matches!(verb, "start" | "stop" | "restart" | "reload" | "activate" | "run");
        let exit = if may_fail && table.flag("expect-failure") { ExitRule::Failure } else { ExitRule::Success };
        table.finish(&format!("`{verb}`"));
        Some(Act { span: node.span(), what: what?, exit })
    }

    fn act_kind(&self, table: &Table<'a>, verb: &str, subject: Node<'a>) -> Option<ActKind> {
        match verb {
            "start" => self.systemctl(Verb::Start, subject),
            "stop" => self.systemctl(Verb::Stop, subject),
            "restart" => self.systemctl(Verb::Restart, subject),
            "reload" => self.systemctl(Verb::Reload, subject),
            "run" => self.run(table, subject),
            "remove" => Some(ActKind::Remove { paths: self.paths(subject) }),
            "restore" => Some(ActKind::Restore { paths: self.paths(subject) }),
            "chmod" => {
                let mode = table.need("mode").and_then(mode);
                Some(ActKind::Chmod { paths: self.paths(subject), mode: mode? })
            }
            "chown" => {
                let owner = table.need("owner").and_then(Node::text);
                Some(ActKind::Chown { paths: self.paths(subject), owner: owner?.to_owned() })
            }
            "write" => self.write(table, subject),
            "knob" => {
                let knob = knob(subject);
                let services = table.need("of").map(|of| self.services(of));
                let (services, files) = services?;
                Some(ActKind::Knob { services, files, knob: Some(knob?) })
            }
            "clear-knobs" => {
                let (services, files) = self.services(subject);
                Some(ActKind::Knob { services, files, knob: None })
            }
            "push" => {
                let version = subject.text().map(str::to_owned);
                let broken = table.flag("broken");
                let images = table.need("of").map(|of| self.images(of));
                Some(ActKind::Push { images: images?, version: version?, broken })
            }
            "activate" => self.activate(subject),
            "alerts" => subject.word(Place::AlertMode).map(|word| ActKind::Alerts(alert_mode(word.name))),
            "wait" => subject.duration().map(ActKind::Wait),
            "reboot" => subject.flag().then_some(ActKind::Reboot),
            "power-cut" => subject.flag().then_some(ActKind::PowerCut),
            // The words of the vocabulary that lead an action are those above; a test reads each of them.
            _ => None,
        }
    }

    fn systemctl(&self, verb: Verb, subject: Node<'a>) -> Option<ActKind> {
        let units = self.units(subject);
        if units.iter().any(|unit| unit.scope != units[0].scope) {
            let advice = "one `systemctl` speaks to one manager: write an action for each";
            subject.report("these units belong to different managers", Some(advice.into()));
        }
        (!units.is_empty()).then_some(ActKind::Systemctl { verb, units })
    }

    fn activate(&self, subject: Node<'a>) -> Option<ActKind> {
        let generation = subject.text()?;
        self.reported(subject, self.activation_of(generation))
    }

    fn activation_of(&self, generation: &str) -> Result<ActKind, Unresolved> {
        let HostFacts { name: host, activation, variants, .. } = self.host;
        if activation.is_empty() {
            let advice = "list the units that activate a generation in its manifest";
            return Err(Unresolved::new(format!("no unit of host `{host}` activates a generation"), advice).lacking());
        }
        if generation != BASE && !variants.contains_key(generation) {
            let names: Vec<_> = variants.keys().map(|name| format!("`{name}`, ")).collect();
            let advice = format!("there are {}and `{BASE}`", names.concat());
            return Err(Unresolved::new(format!("host `{host}` has no variant `{generation}`"), advice).lacking());
        }
        Ok(ActKind::Activate { generation: generation.to_owned(), units: activation.clone() })
    }

    fn run(&self, table: &Table<'a>, subject: Node<'a>) -> Option<ActKind> {
        let command = self.filled(subject);
        let account = table.get("as").and_then(|node| node.word(Place::Account));
        let limit = table.get("limit").and_then(Node::duration);
        Some(ActKind::Run {
            command: command?,
            user: match account.map(|word| word.name) {
                Some("root") => Account::Root,
                _ => Account::User,
            },
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        })
    }

    fn write(&self, table: &Table<'a>, subject: Node<'a>) -> Option<ActKind> {
        let content = table.need("content").and_then(|node| self.filled(node));
        let mut paths = self.paths(subject);
        let path = paths.pop()?;
        if !paths.is_empty() {
            subject.report("`write` takes one path", Some("write an action for each file".into()));
        }
        Some(ActKind::Write { path, content: content? })
    }

    /// The images that the containers of a target run.
    fn images(&self, node: Node<'a>) -> Vec<String> {
        let image = |container: Container| {
            let services = self.host.stacks.iter().filter(|stack| Some(&stack.name) == container.stack.as_ref());
            let mut services = services.flat_map(|stack| &stack.services);
            let service = services.find(|service| service.name == container.service);
            let image = service.map(|service| &service.image).or(self.host.native_images.get(&container.name));
            let resolved = image.ok_or_else(|| {
                let advice = suggest(&container.name, self.host.native_images.keys().map(String::as_str));
                let message = format!("the generation runs no container `{}`", container.name);
                Unresolved::suggesting(message, advice).lacking()
            });
            self.reported(node, resolved).cloned()
        };
        self.containers(node).into_iter().filter_map(image).collect()
    }

    /// The services that a target for containers names, as (stack, service), and the file of each that has the knobs.
    fn services(&self, node: Node<'a>) -> (Vec<(String, String)>, Vec<String>) {
        let service = |container: Container| {
            if container.stack.is_none() {
                let advice = "knobs reach services of stacks: name one of those";
                node.report(format!("`{}` is not a service of a stack", container.name), Some(advice.into()));
                return None;
            }
            let file = self.reported(node, self.knobs_of(&container))?;
            Some(((container.stack?, container.service), file))
        };
        self.containers(node).into_iter().filter_map(service).unzip()
    }

    /// The file by which the test image of a stack's container is made to misbehave.
    fn knobs_of(&self, container: &Container) -> Result<String, Unresolved> {
        let stack = self.host.stacks.iter().find(|stack| Some(&stack.name) == container.stack.as_ref());
        let mut services = stack.iter().flat_map(|stack| &stack.services);
        let service = services.find(|service| service.name == container.service);
        service.and_then(|service| service.knobs.clone()).ok_or_else(|| {
            let message = format!("`{}` has no file of knobs", container.name);
            Unresolved::new(message, "have it mount one at /config/knobs, and name it in the manifest").lacking()
        })
    }
}

/// Permission bits written in octal, as a text so that nobody reads them as decimal.
pub(super) fn mode(node: Node<'_>) -> Option<u32> {
    let text = node.text()?;
    let bits = u32::from_str_radix(text, 8).ok();
    let bits = bits.filter(|&bits| bits <= 0o7777 && matches!(text.len(), 3 | 4));
    if bits.is_none() {
        let advice = "write three or four octal digits, as in \"0600\"";
        node.report(format!("`{text}` is not a mode"), Some(advice.into()));
    }
    bits
}

fn alert_mode(name: &str) -> AlertMode {
    match name {
        "refuse" => AlertMode::Refuse,
        "hang" => AlertMode::Hang,
        "error" => AlertMode::Error,
        _ => AlertMode::Answer,
    }
}

/// A knob's line: its name, and for `exit` the status.
fn knob(node: Node<'_>) -> Option<String> {
    let text = node.text()?;
    let known = match text.split_once(' ') {
        Some(("exit", status)) => status.parse::<u8>().is_ok(),
        Some(_) => false,
        None => text != "exit" && words::find(Place::Knob, text).is_some(),
    };
    if !known {
        let advice =
            format!("known are {}; `exit` takes a status from 0 to 255, as in \"exit 3\"", words::list(Place::Knob));
        node.report(format!("`{text}` is not {}", Place::Knob.noun()), Some(advice));
    }
    known.then(|| text.to_owned())
}
