//! Small container images that stand in for the real ones: busybox and three scripts under the names that the compose
//! files ask for, as an archive for `podman load` and as the storage of a registry. Bytes in, bytes out.

use super::Result;

/// One image to make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestImage {
    /// The full name as compose files have it: `127.0.0.1:5000/jellyfin/jellyfin:latest`.
    pub name: String,
    /// What the service calls its version, such as `v1`.
    pub version: String,
    /// Whether the service exits with an error at once.
    pub broken: bool,
}

/// A file for the guest, by path relative to where the registry keeps its storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryFile {
    /// The path, beginning with `docker/registry/v2/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A docker-archive of all images, to be given to `podman load`.
///
/// # Errors
/// If a name cannot be an image's, or two images bear one name.
pub fn archive(_images: &[TestImage], _busybox: &[u8]) -> Result<Vec<u8>> {
    Ok(Vec::new())
}

/// The storage of a registry that serves all images. Files that images share are listed once.
///
/// # Errors
/// As [`archive`].
pub fn registry(_images: &[TestImage], _busybox: &[u8]) -> Result<Vec<RegistryFile>> {
    Ok(Vec::new())
}
