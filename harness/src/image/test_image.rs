//! Small container images that stand in for the real ones: busybox and two scripts under the names that the compose
//! files ask for, as an archive for `podman load` and as the storage of a registry. Bytes in, bytes out, and always
//! the same ones.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Error, Result, archive};

mod layer;
mod name;

use name::ImageName;

/// What images call their version until a scenario pushes another one.
const VERSION: &str = "v1";

/// When all images were made, as they say. A fixed moment, so that equal images have equal ids.
const CREATED: &str = "2025-01-01T00:00:00Z";

const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
/// Podman gives this type to every layer of an archive that it loads, compressed or not.
const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// Where a registry keeps everything.
const REGISTRY_ROOT: &str = "docker/registry/v2";

/// A file for the guest, by path relative to where the registry keeps its storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryFile {
    /// The path, beginning with `docker/registry/v2/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Where the guest's registry has an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The repository's address in the registry's interface.
    pub repository: String,
    /// The tag.
    pub tag: String,
}

/// A docker-archive of images, to be given to `podman load`, by their names as compose files have them; one without a tag
/// means `latest`. They share one layer and differ in their labels, so that no two have the same id.
///
/// # Errors
/// If a name cannot be an image's, or two images bear one name.
pub fn archive(images: &[String], busybox: &[u8]) -> Result<Vec<u8>> {
    let layer = layer::build(busybox)?;
    let layer_file = format!("{}.tar", hexadecimal(&layer));
    let mut files = BTreeMap::from([(layer_file.clone(), layer.clone())]);
    let mut list = Vec::new();
    for name in named(images, ImageName::full)? {
        let config = config_of(&name, &layer);
        let config_file = format!("{}.json", hexadecimal(&config));
        list.push(json!({ "Config": config_file, "RepoTags": [name.full()], "Layers": [layer_file] }));
        files.insert(config_file, config);
    }
    files.insert("manifest.json".to_owned(), Value::Array(list).to_string().into_bytes());
    archive::tar_of(files.into_iter().map(|(path, bytes)| archive::Item::file(path, 0o644, bytes)))
}

/// The storage of the guest's registry: its own images, and those of each other registry in a folder. Files that images
/// share are listed once.
///
/// # Errors
/// If a name cannot be an image's, or two images would have the same place in the registry.
pub fn registry(images: &[String], busybox: &[u8]) -> Result<Vec<RegistryFile>> {
    let layer = layer::build(busybox)?;
    let mut files = BTreeMap::new();
    for name in named(images, ImageName::in_registry)? {
        let config = config_of(&name, &layer);
        let manifest = manifest_of(&config, &layer);
        let repository = format!("{REGISTRY_ROOT}/repositories/{}", name.local_repository());
        let link = digest_of(&manifest).into_bytes();
        let tag = format!("{repository}/_manifests/tags/{}", name.tag);
        let revision = format!("sha256/{}/link", hexadecimal(&manifest));
        files.insert(format!("{tag}/current/link"), link.clone());
        files.insert(format!("{tag}/index/{revision}"), link.clone());
        files.insert(format!("{repository}/_manifests/revisions/{revision}"), link);
        for blob in [&config, &layer] {
            let path = format!("{repository}/_layers/sha256/{}/link", hexadecimal(blob));
            files.insert(path, digest_of(blob).into_bytes());
        }
        for blob in [config, manifest] {
            files.insert(blob_path(&blob), blob);
        }
    }
    files.insert(blob_path(&layer), layer);
    Ok(files.into_iter().map(|(path, bytes)| RegistryFile { path, bytes }).collect())
}

/// Where the guest's registry has an image of this name.
///
/// # Errors
/// As [`whole_name`].
pub fn place(name: &str) -> Result<Place> {
    let name = ImageName::parse(name)?;
    Ok(Place { repository: name.address(), tag: name.tag })
}

/// The whole name that podman has for an image that a file may name in short, such as `docker.io/library/redis:7`.
///
/// # Errors
/// If it cannot be an image's name, or has a digest, which no test image can have.
pub fn whole_name(name: &str) -> Result<String> {
    Ok(ImageName::parse(name)?.full())
}

/// The registry of an image and the place in the guest's registry where its images are; none if that is the same.
///
/// # Errors
/// As [`whole_name`].
pub fn stand_in(name: &str) -> Result<Option<(String, String)>> {
    Ok(name::stand_in(&ImageName::parse(name)?))
}

/// The names in their parts, refusing two that `place` puts into one place.
fn named(images: &[String], place: fn(&ImageName) -> String) -> Result<Vec<ImageName>> {
    let mut places = BTreeMap::new();
    for image in images {
        let name = ImageName::parse(image)?;
        if let Some((_, other)) = places.insert(place(&name), (name, image)) {
            let reason = format!("the image {other} has the same place, and only one can have it");
            return Err(Error::Content { what: format!("the image {image}"), reason });
        }
    }
    Ok(places.into_values().map(|(name, _)| name).collect())
}

fn config_of(name: &ImageName, layer: &[u8]) -> Vec<u8> {
    let service = format!("HARNESS_SERVICE={}", name.service());
    let version = format!("HARNESS_VERSION={VERSION}");
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {
            "Entrypoint": ["/bin/service"],
            "Env": ["PATH=/bin", service, version],
            "Labels": { "harness.image": name.full(), "harness.version": VERSION },
        },
        "rootfs": { "type": "layers", "diff_ids": [digest_of(layer)] },
        "history": [{ "created": CREATED, "created_by": "harness" }],
    });
    config.to_string().into_bytes()
}

/// The manifest, to the byte what podman writes for the image when it loads the [`archive()`]: a loaded image then has the
/// digest that the registry gives for it, and counts as up to date.
fn manifest_of(config: &[u8], layer: &[u8]) -> Vec<u8> {
    let blob = |media_type: &str, bytes: &[u8]| {
        let (size, digest) = (bytes.len(), digest_of(bytes));
        format!(r#"{{"mediaType":"{media_type}","size":{size},"digest":"{digest}"}}"#)
    };
    let (config, layer) = (blob(CONFIG_TYPE, config), blob(LAYER_TYPE, layer));
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{config},"layers":[{layer}]}}"#).into_bytes()
}

fn blob_path(bytes: &[u8]) -> String {
    let digest = hexadecimal(bytes);
    format!("{REGISTRY_ROOT}/blobs/sha256/{}/{digest}/data", &digest[..2])
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
