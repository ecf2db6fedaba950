//! The parts of a container image's name.

use crate::image::{Error, Result};

/// The tag that a name without one means.
const DEFAULT_TAG: &str = "latest";

/// The registry that a name without one means, and where it keeps what has no folder.
const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library";

/// The registry in the guest.
const LOCAL: &str = "127.0.0.1:5000";

/// A name such as `127.0.0.1:5000/jellyfin/jellyfin:latest` in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageName {
    /// The registry's host with its port.
    pub(super) host: String,
    /// The path within the registry.
    pub(super) repository: String,
    /// The tag.
    pub(super) tag: String,
}

impl ImageName {
    pub(super) fn parse(text: &str) -> Result<ImageName> {
        let refused =
            |reason: &str| Err(Error::Content { what: format!("the image name {text:?}"), reason: reason.to_owned() });
        if text.contains('@') {
            return refused("a test image cannot have the digest of a real one; name a tag instead");
        }
        // As in docker, the first component is a host only if it looks like one.
        let (host, rest) = match text.split_once('/') {
            Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) => (Some(first), rest),
            _ => (None, text),
        };
        let host = host.unwrap_or(DEFAULT_REGISTRY);
        let (repository, tag) = rest.rsplit_once(':').unwrap_or((rest, DEFAULT_TAG));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let component = |part: &str| part.bytes().all(allowed) && part.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !repository.split('/').all(component) {
            return refused(
                "each part of its path must be lower-case letters, digits and '._-', a letter or digit first",
            );
        }
        let in_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if tag.is_empty() || tag.starts_with(['.', '-']) || !tag.bytes().all(in_tag) {
            return refused("its tag must be letters, digits and '._-'");
        }
        let repository = match (host, repository.contains('/')) {
            (DEFAULT_REGISTRY, false) => format!("{DEFAULT_FOLDER}/{repository}"),
            _ => repository.to_owned(),
        };
        Ok(ImageName { host: host.to_owned(), repository, tag: tag.to_owned() })
    }

    /// The whole name with its tag.
    pub(super) fn full(&self) -> String {
        format!("{}/{}:{}", self.host, self.repository, self.tag)
    }

    /// The repository in the guest's registry that has it.
    pub(super) fn local_repository(&self) -> String {
        match folder_of(&self.host) {
            Some(folder) => format!("{folder}/{}", self.repository),
            None => self.repository.clone(),
        }
    }

    /// The name as the guest's registry knows it.
    pub(super) fn in_registry(&self) -> String {
        format!("{}:{}", self.local_repository(), self.tag)
    }

    /// What the service calls itself: the path's last part.
    pub(super) fn service(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }
}

/// The folder of the guest's registry that has what another registry has; none for its own.
fn folder_of(host: &str) -> Option<String> {
    (host != LOCAL).then(|| host.replace(':', "_"))
}

/// Another registry than the guest's, and where the guest's registry has its images.
pub(super) fn stand_in(name: &ImageName) -> Option<(String, String)> {
    folder_of(&name.host).map(|folder| (name.host.clone(), format!("{LOCAL}/{folder}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_as_docker_takes_them() {
        let check = |text: &str, host: &str, repository: &str, tag: &str, service: &str| {
            let name = ImageName::parse(text).unwrap();
            assert_eq!((name.host.as_str(), name.repository.as_str()), (host, repository), "{text}");
            assert_eq!((name.tag.as_str(), name.service()), (tag, service), "{text}");
        };
        let local = "127.0.0.1:5000";
        check("127.0.0.1:5000/jellyfin/jellyfin:latest", local, "jellyfin/jellyfin", "latest", "jellyfin");
        check("127.0.0.1:5000/redis", local, "redis", "latest", "redis");
        check("ghcr.io/immich-app/immich-server:v1.2", "ghcr.io", "immich-app/immich-server", "v1.2", "immich-server");
        check("localhost/a:b", "localhost", "a", "b", "a");
        check("library/redis:7-alpine", "docker.io", "library/redis", "7-alpine", "redis");
        check("docker.io/redis", "docker.io", "library/redis", "latest", "redis");
        check("redis", "docker.io", "library/redis", "latest", "redis");
    }

    #[test]
    fn names_that_cannot_be_are_refused_with_the_reason() {
        let check = |text: &str, reason: &str| {
            let error = ImageName::parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(reason), "{error}");
        };
        check("redis@sha256:00", "name a tag");
        check("Redis:7", "lower-case");
        check("a//b", "lower-case");
        check("a/../b", "lower-case");
        check("redis:", "its tag");
        check("redis:a b", "its tag");
    }
}
