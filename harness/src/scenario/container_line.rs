//! Lines about containers, whose placeholders mean each container's own stack.

use std::collections::BTreeMap;

use super::context::{Context, Unresolved};
use super::table::{Node, Table};
use super::words::Place;
use super::{Container, ContainerCondition, Expectation, Span};

impl<'a> Context<'a> {
    /// One expectation, or for texts with placeholders one for each of the stacks that they differ for.
    pub(super) fn container_line(&self, table: &Table<'a>, value: Node<'a>) -> Option<(Vec<Expectation>, String)> {
        let containers = self.containers(value);
        let (verb, node) = table.choose("what becomes of the containers", &["are", "labels", "environment"])?;
        let expectations = match verb {
            "are" => self.condition(node, containers).into_iter().collect(),
            "labels" => self
                .by_stack(node, containers, |containers, labels| Expectation::ContainerLabels { containers, labels }),
            _ => self.by_stack(node, containers, |containers, variables| Expectation::ContainerEnvironment {
                containers,
                variables,
            }),
        };
        Some((expectations, format!("`{verb}`")))
    }

    fn condition(&self, node: Node<'a>, containers: Vec<Container>) -> Option<Expectation> {
        let are = match node.word(Place::Condition)?.name {
            "running" => ContainerCondition::Running,
            "healthy" => ContainerCondition::Healthy,
            "unhealthy" => ContainerCondition::Unhealthy,
            "unchanged" => ContainerCondition::Unchanged,
            "same-ids" => ContainerCondition::SameIds,
            "stopped" => ContainerCondition::Stopped,
            "recreated" => ContainerCondition::Recreated,
            _ => ContainerCondition::Gone,
        };
        if matches!(are, ContainerCondition::Healthy | ContainerCondition::Unhealthy) {
            self.require_health_checks(node, &containers);
        }
        Some(Expectation::Containers { containers, are })
    }

    /// A container without a health check is neither healthy nor unhealthy, ever.
    fn require_health_checks(&self, node: Node<'a>, containers: &[Container]) {
        let unchecked = |container: &&Container| {
            let stack = self.host.stacks.iter().find(|stack| Some(&stack.name) == container.stack.as_ref());
            let mut services = stack.into_iter().flat_map(|stack| self.services_of(stack));
            !services.any(|service| service.name == container.service && service.health_check)
        };
        let mut of_stacks = containers.iter().filter(|container| container.stack.is_some());
        if let Some(container) = of_stacks.find(unchecked) {
            let advice = "name containers with a health check, or expect `running`";
            let message = format!("`{}` has no health check", container.name);
            self.reported::<()>(node, Err(Unresolved::new(message, advice).lacking()));
        }
    }

    fn by_stack(
        &self,
        node: Node<'a>,
        containers: Vec<Container>,
        expectation: impl Fn(Vec<Container>, BTreeMap<String, String>) -> Expectation,
    ) -> Vec<Expectation> {
        let entries = node.entries();
        let mut groups: BTreeMap<BTreeMap<String, String>, Vec<Container>> = BTreeMap::new();
        for container in containers {
            let own = self.of_container(&container);
            let filled =
                |(key, _, value): &(&str, Span, Node<'a>)| Some(((*key).to_owned(), own.filled_or_empty(*value)?));
            groups.entry(entries.iter().filter_map(filled).collect()).or_default().push(container);
        }
        groups.into_iter().map(|(texts, containers)| expectation(containers, texts)).collect()
    }

    /// This context, with the container's stack as the one that placeholders mean.
    fn of_container(&self, container: &Container) -> Self {
        let own = container.stack.as_deref().map(|name| self.stack_named(name));
        Self { stack: own.and_then(Result::ok).or(self.stack), ..*self }
    }

    /// A value may be empty: a variable can be.
    fn filled_or_empty(&self, node: Node<'a>) -> Option<String> {
        let text = node.any_text()?;
        self.reported(node, self.fill(text, str::to_owned))
    }
}
