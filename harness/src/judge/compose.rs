//! Which stack and service a container belongs to, by the labels that compose gives it.

use crate::timeline::ContainerState;

/// The labels by which a container names its compose project, which is its stack.
const PROJECT: [&str; 2] = ["io.podman.compose.project", "com.docker.compose.project"];

/// The labels by which it names its service.
const SERVICE: [&str; 2] = ["io.podman.compose.service", "com.docker.compose.service"];

/// The stack; none for a native container.
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
