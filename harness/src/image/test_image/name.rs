//! The parts of a container image's name.

use crate::image::{Error, Result};

/// The tag that a name without one means.
const DEFAULT_TAG: &str = "latest";

/// A name such as `127.0.0.1:5000/jellyfin/jellyfin:latest` in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageName {
    /// The registry's host with its port, if the name begins with one.
    pub(super) host: Option<String>,
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
        Ok(ImageName { host: host.map(str::to_owned), repository: repository.to_owned(), tag: tag.to_owned() })
    }

    /// The whole name with its tag.
    pub(super) fn full(&self) -> String {
        let place = self.in_registry();
        self.host.as_ref().map_or(place.clone(), |host| format!("{host}/{place}"))
    }

    /// The name as its registry knows it.
    pub(super) fn in_registry(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }

    /// What the service calls itself: the path's last part.
    pub(super) fn service(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_as_docker_takes_them() {
        let check = |text: &str, host: Option<&str>, repository: &str, tag: &str, service: &str| {
            let name = ImageName::parse(text).unwrap();
            assert_eq!((name.host.as_deref(), name.repository.as_str()), (host, repository), "{text}");
            assert_eq!((name.tag.as_str(), name.service()), (tag, service), "{text}");
        };
        let local = Some("127.0.0.1:5000");
        check("127.0.0.1:5000/jellyfin/jellyfin:latest", local, "jellyfin/jellyfin", "latest", "jellyfin");
        check("127.0.0.1:5000/redis", local, "redis", "latest", "redis");
        check(
            "ghcr.io/immich-app/immich-server:v1.2",
            Some("ghcr.io"),
            "immich-app/immich-server",
            "v1.2",
            "immich-server",
        );
        check("localhost/a:b", Some("localhost"), "a", "b", "a");
        check("library/redis:7-alpine", None, "library/redis", "7-alpine", "redis");
        check("redis", None, "redis", "latest", "redis");
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
