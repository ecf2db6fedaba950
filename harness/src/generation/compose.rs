//! What the compose files of a generation ask of the world around it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::check::refuse;
use super::{Generation, Result};

/// What a service of a compose file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The compose file, relative to the generation.
    pub file: String,
    /// The service's name.
    pub service: String,
    /// The image, with the defaults of its variables.
    pub image: Option<String>,
    /// Device nodes of the host.
    pub devices: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ComposeFile {
    services: BTreeMap<String, Option<ComposeService>>,
}

/// The keys of a service that the world around it has to answer. All others are left to the compose provider.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ComposeService {
    image: Option<String>,
    build: Option<IgnoredAny>,
    entrypoint: Option<IgnoredAny>,
    devices: Vec<Device>,
}

/// A device in either of its two forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Device {
    Short(String),
    Long { source: String },
}

impl Device {
    /// The node on the host.
    fn node(&self) -> &str {
        match self {
            Device::Short(text) => text.split(':').next().unwrap_or(text),
            Device::Long { source } => source,
        }
    }
}

impl Generation {
    /// What the services of all compose files ask for. What no test image can stand in for is an error.
    pub fn compose_services(&self) -> Result<Vec<Asked>> {
        let mut asked = Vec::new();
        for file in self.manifest.files.iter().filter(|file| self.is_compose_file(&file.target)) {
            let text = String::from_utf8_lossy(&self.files[&file.source]);
            let compose: ComposeFile = serde_saphyr::from_str(&text)
                .map_err(|error| refuse(&file.source, &format!("no compose file can be read here: {error}")))?;
            for (name, service) in compose.services {
                asked.push(asked_by(&file.source, name, service.unwrap_or_default())?);
            }
        }
        Ok(asked)
    }

    /// A compose file is one that a stack names, or that lies beside it by a name that compose gives its files.
    fn is_compose_file(&self, target: &str) -> bool {
        let (folder, name) = target.rsplit_once('/').unwrap_or_default();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let usual = is_yaml && (name.contains("compose") || name.contains("override"));
        let mut named = self.manifest.stacks.iter().filter_map(|stack| stack.compose.as_deref());
        named.any(|compose| compose == target || (usual && compose.rsplit_once('/').unwrap_or_default().0 == folder))
    }
}

fn asked_by(file: &str, name: String, service: ComposeService) -> Result<Asked> {
    let refused = |problem: &str| Err(refuse(file, &format!("service {name}: {problem}")));
    if service.build.is_some() {
        return refused("it is built, and the guest has nothing to build from: name an `image` instead");
    }
    if service.entrypoint.is_some() {
        return refused("its entrypoint is a program that the test image does not have: leave it out");
    }
    let image = match &service.image {
        Some(image) => match with_defaults(image) {
            Some(image) => Some(image),
            None => {
                return refused(&format!(
                    "its image {image} depends on a variable: give it a default, as in ${{TAG:-1}}"
                ));
            }
        },
        None => None,
    };
    let devices = service.devices.iter().map(|device| device.node().to_owned()).collect();
    Ok(Asked { file: file.to_owned(), service: name, image, devices })
}

/// A text with each `${VARIABLE:-default}` replaced by its default; none if a variable has no default.
fn with_defaults(text: &str) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once('$') {
        filled.push_str(before);
        let (inner, after) = variable.strip_prefix('{')?.split_once('}')?;
        let (_, default) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
        filled.push_str(default);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked> {
        let compose: ComposeFile = serde_saphyr::from_str(text).unwrap();
        let (name, service) = compose.services.into_iter().next_back().unwrap();
        asked_by("web/compose.yml", name, service.unwrap_or_default())
    }

    #[test]
    fn images_and_devices_are_found_as_compose_takes_them() {
        for (text, image, devices) in [
            ("services: { a: { image: redis } }", Some("redis"), vec![]),
            ("services: { a: { image: 'x/y:${TAG:-7}' } }", Some("x/y:7"), vec![]),
            ("services: { a: { image: '${REGISTRY-ghcr.io}/y:${TAG:-7}', ports: [80] } }", Some("ghcr.io/y:7"), vec![]),
            (
                "services: { a: { devices: ['/dev/dri/card0:/dev/x:rw', /dev/fuse] } }",
                None,
                vec!["/dev/dri/card0", "/dev/fuse"],
            ),
            ("services: { a: { devices: [{ source: /dev/dri, target: /dev/x }] } }", None, vec!["/dev/dri"]),
            ("x-base: &base\n  image: redis\nservices:\n  a:\n    <<: *base\n", Some("redis"), vec![]),
            ("services:\n  a:\n", None, vec![]),
        ] {
            let asked = asked(text).unwrap();
            assert_eq!(
                (asked.image.as_deref(), asked.devices),
                (image, devices.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_no_test_image_can_be_is_refused() {
        for (service, words) in [
            ("build: .", "web/compose.yml: service a: it is built"),
            ("build: { context: x }", "it is built"),
            ("entrypoint: [/run.sh]", "its entrypoint"),
            ("image: 'x:${TAG}'", "its image x:${TAG} depends on a variable"),
            ("image: 'x:$TAG'", "depends on a variable"),
        ] {
            let error = asked(&format!("services: {{ a: {{ {service} }} }}")).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
