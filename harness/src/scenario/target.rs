//! Targets: from `@unit`, `plex/plex` or `user:podman.socket` to units, containers and paths.

use super::context::{Context, Unresolved, compose, env_paths, fallback, holder, secret};
use super::diagnostic::{nearest, suggest};
use super::table::Node;
use super::words::{self, Place};
use super::{Container, Scope, ServiceFacts, StackFacts, Unit};

/// What stands before the name of a container that is not a service of a stack.
const BY_NAME: &str = "container:";

impl<'a> Context<'a> {
    /// The units that a string or an array of strings names.
    pub(super) fn units(&self, node: Node<'a>) -> Vec<Unit> {
        self.targets(node, Self::units_named)
    }

    /// The containers that a string or an array of strings names.
    pub(super) fn containers(&self, node: Node<'a>) -> Vec<Container> {
        self.targets(node, Self::containers_named)
    }

    /// The paths that a string or an array of strings names.
    pub(super) fn paths(&self, node: Node<'a>) -> Vec<String> {
        self.targets(node, |context, name| context.path_named(name).map(|path| vec![path]))
    }

    /// Everything that the texts name; naming nothing, or one thing twice, is a mistake.
    fn targets<T: PartialEq>(
        &self,
        node: Node<'a>,
        resolve: impl Fn(&Self, &str) -> Result<Vec<T>, Unresolved>,
    ) -> Vec<T> {
        let mut found: Vec<T> = Vec::new();
        for text in self.on_host(node).map(Node::one_or_more).unwrap_or_default() {
            let Some(name) = text.text() else { continue };
            let Some(named) = self.reported(text, resolve(self, name)) else { continue };
            if named.is_empty() {
                let advice = "a line about nothing checks nothing: choose another host or target";
                let message = format!("`{name}` names nothing on host `{}`", self.host.name);
                self.reported::<()>(text, Err(Unresolved::new(message, advice).lacking()));
            }
            if named.iter().any(|target| found.contains(target)) {
                text.report(format!("`{name}` is named before"), Some("drop it here or there".into()));
                continue;
            }
            found.extend(named);
        }
        found
    }

    fn units_named(&self, name: &str) -> Result<Vec<Unit>, Unresolved> {
        let unit_of = |stack: &StackFacts| Unit { scope: Scope::User, name: stack.unit.clone() };
        match name {
            "@unit" => Ok(vec![unit_of(self.stack_for(name)?)]),
            "@units" => Ok(self.host.stacks.iter().map(unit_of).collect()),
            "@others" => Ok(self.other_stacks(name)?.map(unit_of).collect()),
            _ if name.starts_with('@') => Err(unknown_target(name, Place::UnitTarget)),
            _ => self.unit_named(&self.fill(name, str::to_owned)?).map(|unit| vec![unit]),
        }
    }

    /// A unit by its name; the manager may be left out where the generation has the unit in only one.
    fn unit_named(&self, name: &str) -> Result<Unit, Unresolved> {
        let scoped = |scope, name: &str| {
            let unit = Unit { scope, name: name.to_owned() };
            let advice = "write the whole name, as in `user:podman.socket`";
            let message = format!("`{name}` is no unit's name: it has no suffix");
            if has_unit_suffix(name) { Ok(unit) } else { Err(Unresolved::new(message, advice)) }
        };
        if let Some(name) = name.strip_prefix("user:") {
            return scoped(Scope::User, name);
        }
        if let Some(name) = name.strip_prefix("system:") {
            return scoped(Scope::System, name);
        }
        let mut found = self.host.units.iter().filter(|unit| unit.name == name);
        match (found.next(), found.next()) {
            (Some(unit), None) => Ok(unit.clone()),
            (Some(_), Some(_)) => Err(Unresolved::new(
                format!("both managers of `{}` have a unit `{name}`", self.host.name),
                format!("write `user:{name}` or `system:{name}`"),
            )),
            (None, _) => {
                let mut known: Vec<&str> = words::names(Place::UnitTarget).collect();
                known.extend(self.host.units.iter().map(|unit| unit.name.as_str()));
                let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
                let stack = self.host.stacks.iter().find(|stack| [&*stack.name, stem_of(&stack.unit)].contains(&stem));
                let advice = match (stack, nearest(name, known)) {
                    (Some(stack), _) => format!("did you mean `{}`, the unit of stack `{}`?", stack.unit, stack.name),
                    (None, Some(near)) => format!("did you mean `{near}`?"),
                    (None, None) => {
                        format!("a unit from elsewhere needs its manager: `user:{name}` or `system:{name}`")
                    }
                };
                let message = format!("the generation of `{}` has no unit `{name}`", self.host.name);
                Err(Unresolved::new(message, advice).lacking())
            }
        }
    }

    fn containers_named(&self, name: &str) -> Result<Vec<Container>, Unresolved> {
        match name {
            "@stack" => self.stack_for(name).map(all_of),
            "@all" => Ok(self.host.stacks.iter().flat_map(all_of).collect()),
            "@other-stacks" => Ok(self.other_stacks(name)?.flat_map(all_of).collect()),
            "@holder" => {
                let stack = self.stack_for(name)?;
                Ok(vec![container(stack, holder(stack)?)])
            }
            "@dependents" => {
                let stack = self.stack_for(name)?;
                let holder = holder(stack)?;
                let joins = |service: &&ServiceFacts| service.network_of.as_deref() == Some(&holder.name);
                Ok(stack.services.iter().filter(joins).map(|service| container(stack, service)).collect())
            }
            _ if name.starts_with('@') => Err(unknown_target(name, Place::ContainerTarget)),
            _ if name.starts_with(BY_NAME) => outside_stacks(&name[BY_NAME.len()..]).map(|container| vec![container]),
            _ => self.service_named(name).map(|container| vec![container]),
        }
    }

    /// A container by its service, of the scenario's stack or, as `stack/service`, of another.
    fn service_named(&self, name: &str) -> Result<Container, Unresolved> {
        let (stack, service) = match name.split_once('/') {
            Some((stack, service)) => (self.stack_named(stack)?, service),
            None => (self.stack_for(name)?, name),
        };
        let found = self.services_of(stack).find(|facts| facts.name == service);
        found.map(|facts| container(stack, facts)).ok_or_else(|| {
            let known = self.services_of(stack).map(|facts| facts.name.as_str());
            let message = format!("stack `{}` has no service `{service}`", stack.name);
            Unresolved::suggesting(message, suggest(service, known)).lacking()
        })
    }

    /// The services of a stack, and behind them those of its variants.
    pub(super) fn services_of(&self, stack: &'a StackFacts) -> impl Iterator<Item = &'a ServiceFacts> {
        let variants = self.host.variants.values().flatten().filter(|variant| variant.name == stack.name);
        stack.services.iter().chain(variants.flat_map(|variant| &variant.services))
    }

    /// A stack of the host by its name.
    pub(super) fn stack_named(&self, name: &str) -> Result<&'a StackFacts, Unresolved> {
        self.host.stacks.iter().find(|stack| stack.name == name).ok_or_else(|| {
            let known = self.host.stacks.iter().map(|stack| stack.name.as_str());
            let message = format!("host `{}` has no stack `{name}`", self.host.name);
            Unresolved::suggesting(message, suggest(name, known)).lacking()
        })
    }

    fn other_stacks(&self, wanted: &str) -> Result<impl Iterator<Item = &'a StackFacts>, Unresolved> {
        let own = self.stack_for(wanted)?;
        Ok(self.host.stacks.iter().filter(move |stack| stack.name != own.name))
    }

    fn path_named(&self, name: &str) -> Result<String, Unresolved> {
        if name.starts_with('/') {
            return Ok(name.to_owned());
        }
        let (target, number) = match name.split_once(':') {
            Some((target, number)) => (target, number.parse().ok()),
            None => (name, Some(1)),
        };
        match (target, number) {
            ("@secret", Some(_)) => Ok(secret(self.stack_for(name)?, name, number)?.native.clone()),
            ("@fallback", Some(_)) => fallback(secret(self.stack_for(name)?, name, number)?, name),
            ("@env-paths", _) if target == name => env_paths(self.stack_for(name)?),
            ("@compose", _) if target == name => compose(self.stack_for(name)?),
            _ if name.starts_with('@') => Err(unknown_target(name, Place::PathTarget)),
            _ => Err(Unresolved::new(
                format!("`{name}` is not an absolute path"),
                format!("begin it with `/`, or name one of {}", words::list(Place::PathTarget)),
            )),
        }
    }
}

fn unknown_target(name: &str, place: Place) -> Unresolved {
    Unresolved::suggesting(format!("`{name}` is not {}", place.noun()), suggest(name, words::names(place)))
}

fn all_of(stack: &StackFacts) -> Vec<Container> {
    stack.services.iter().map(|service| container(stack, service)).collect()
}

fn container(stack: &StackFacts, service: &ServiceFacts) -> Container {
    Container {
        stack: Some(stack.name.clone()),
        service: service.name.clone(),
        name: service.container.clone(),
        unit: stack.unit.clone(),
    }
}

/// A container that no stack's compose file makes, by its own name.
fn outside_stacks(name: &str) -> Result<Container, Unresolved> {
    if name.is_empty() {
        return Err(Unresolved::new("the container's name is missing", "write it, as in `container:update-probe`"));
    }
    Ok(Container { stack: None, service: String::new(), name: name.to_owned(), unit: String::new() })
}

/// A unit's name without its suffix.
fn stem_of(unit: &str) -> &str {
    unit.rsplit_once('.').map_or(unit, |(stem, _)| stem)
}

fn has_unit_suffix(name: &str) -> bool {
    const SUFFIXES: [&str; 9] =
        [".service", ".socket", ".target", ".timer", ".mount", ".path", ".slice", ".scope", ".automount"];
    SUFFIXES.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix))
}
