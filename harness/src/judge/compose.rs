//! Which stack and service a container belongs to.

use crate::scenario::StackFacts;
use crate::timeline::ContainerState;

/// The labels by which a container names its compose project, which is its stack.
const PROJECT: [&str; 2] = ["io.podman.compose.project", "com.docker.compose.project"];

/// The labels by which it names its service.
const SERVICE: [&str; 2] = ["io.podman.compose.service", "com.docker.compose.service"];

/// The stack and the service of a container: by the labels that compose gives it, else by its name; none for one that
/// belongs to no stack.
pub(super) fn place<'a>(container: &'a ContainerState, stacks: &'a [StackFacts]) -> Option<(&'a str, &'a str)> {
    if let Some(project) = project(container) {
        let owner = stacks.iter().find(|stack| stack.project.as_deref() == Some(project));
        return Some((owner.map_or(project, |stack| &*stack.name), service(container)));
    }
    let services = stacks.iter().flat_map(|stack| stack.services.iter().map(move |service| (stack, service)));
    let mut named = services.filter(|(_, service)| service.container == container.name);
    named.next().map(|(stack, service)| (&*stack.name, &*service.name))
}

/// The compose project; none for a native container.
pub(super) fn project(container: &ContainerState) -> Option<&str> {
    label(container, PROJECT)
}

/// The service; a native container's name is the only one it has.
pub(super) fn service(container: &ContainerState) -> &str {
    label(container, SERVICE).unwrap_or(&container.name)
}

fn label<'a>(container: &'a ContainerState, names: [&str; 2]) -> Option<&'a str> {
    names.iter().find_map(|name| container.labels.get(*name)).map(String::as_str)
}
