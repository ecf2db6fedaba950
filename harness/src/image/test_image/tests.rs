//! The archives, read back by other means than they were written with.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::*;

const BUSYBOX: &[u8] = b"not really busybox";

fn images() -> Vec<String> {
    ["127.0.0.1:5000/jellyfin/jellyfin:latest", "127.0.0.1:5000/redis", "127.0.0.1:5000/redis:sick"]
        .map(str::to_owned)
        .to_vec()
}

/// The members of a tar: path to mode, and link target or content.
fn members(archive: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(target) = entry.link_name().unwrap() {
            bytes = target.display().to_string().into_bytes();
        }
        assert_eq!((entry.header().uid().unwrap(), entry.header().mtime().unwrap()), (0, 0));
        let mode = entry.header().mode().unwrap();
        assert_eq!(members.insert(path, (mode, bytes)), None);
    }
    members
}

#[test]
fn the_archive_lists_every_image_with_true_digests_and_an_id_of_its_own() {
    let archive = archive(&images(), BUSYBOX).unwrap();
    let members = members(&archive);
    let list: Vec<Value> = serde_json::from_slice(&members["manifest.json"].1).unwrap();
    let names: Vec<_> = list.iter().map(|item| item["RepoTags"][0].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["127.0.0.1:5000/jellyfin/jellyfin:latest", "127.0.0.1:5000/redis:latest", "127.0.0.1:5000/redis:sick"]
    );
    let mut ids = BTreeSet::new();
    for item in &list {
        let config_file = item["Config"].as_str().unwrap();
        let config_bytes = &members[config_file].1;
        assert_eq!(config_file, format!("{}.json", hexadecimal(config_bytes)));
        let config: Value = serde_json::from_slice(config_bytes).unwrap();
        let layer = &members[item["Layers"][0].as_str().unwrap()].1;
        assert_eq!(config["rootfs"]["diff_ids"][0], digest_of(layer));
        ids.insert(config_file);
    }
    assert_eq!(ids.len(), 3);
    assert_eq!(members.len(), 1 + 1 + 3, "manifest, one shared layer, three configurations");
}

#[test]
fn the_configuration_says_what_the_service_is() {
    let name = ImageName::parse(&images()[0]).unwrap();
    let config: Value = serde_json::from_slice(&config_of(&name, b"")).unwrap();
    assert_eq!(config["config"]["Entrypoint"], json!(["/bin/service"]));
    assert_eq!(config["config"]["Env"], json!(["PATH=/bin", "HARNESS_SERVICE=jellyfin", "HARNESS_VERSION=v1"]));
}

#[test]
fn the_layer_has_the_scripts_and_the_names_that_health_checks_call() {
    let members = members(&layer::build(BUSYBOX).unwrap());
    let check = |path: &str, mode: u32, content: &[u8]| {
        assert_eq!(members.get(path), Some(&(mode, content.to_vec())), "{path}");
    };
    check("bin/busybox", 0o755, BUSYBOX);
    check("bin/service", 0o755, include_bytes!("../../../../fixtures/image/service"));
    check("bin/health", 0o755, include_bytes!("../../../../fixtures/image/health"));
    check("bin/sh", 0o777, b"busybox");
    check("bin/curl", 0o777, b"health");
    check("bin/pg_isready", 0o777, b"health");
    check("bin/redis-cli", 0o777, b"health");
    check("bin/wget", 0o777, b"health");
    check("bin/nc", 0o777, b"health");
    check("usr/bin", 0o777, b"../bin");
    check("tmp/", 0o1777, b"");
    check("config/", 0o755, b"");
}

#[test]
fn a_registry_finds_every_blob_by_following_the_links_from_a_tag() {
    let files: BTreeMap<_, _> =
        registry(&images(), BUSYBOX).unwrap().into_iter().map(|file| (file.path, file.bytes)).collect();
    let text = |path: String| String::from_utf8(files[&path].clone()).unwrap();
    let blob = |digest: &str| {
        let hexadecimal = digest.strip_prefix("sha256:").unwrap();
        let bytes = &files[&format!("docker/registry/v2/blobs/sha256/{}/{hexadecimal}/data", &hexadecimal[..2])];
        assert_eq!(digest_of(bytes), digest);
        bytes
    };
    for (repository, tag) in [("jellyfin/jellyfin", "latest"), ("redis", "latest"), ("redis", "sick")] {
        let root = format!("docker/registry/v2/repositories/{repository}");
        let digest = text(format!("{root}/_manifests/tags/{tag}/current/link"));
        let revision = digest.replace(':', "/");
        assert_eq!(text(format!("{root}/_manifests/tags/{tag}/index/{revision}/link")), digest);
        assert_eq!(text(format!("{root}/_manifests/revisions/{revision}/link")), digest);
        let manifest: Value = serde_json::from_slice(blob(&digest)).unwrap();
        for part in [&manifest["config"], &manifest["layers"][0]] {
            let digest = part["digest"].as_str().unwrap();
            assert_eq!(part["size"], blob(digest).len());
            assert_eq!(text(format!("{root}/_layers/{}/link", digest.replace(':', "/"))), digest);
        }
    }
}

#[test]
fn the_same_images_give_the_same_bytes_and_one_place_holds_one_image() {
    let mut turned = images();
    turned.reverse();
    assert_eq!(archive(&images(), BUSYBOX).unwrap(), archive(&turned, BUSYBOX).unwrap());
    assert_eq!(registry(&images(), BUSYBOX).unwrap(), registry(&turned, BUSYBOX).unwrap());

    let twice = ["a/b".to_owned(), "a/b:latest".to_owned()];
    let error = archive(&twice, BUSYBOX).unwrap_err().to_string();
    assert!(error.contains("a/b:latest") && error.contains("the same place"), "{error}");
    let hosts = ["one.example/a".to_owned(), "two.example:5000/a".to_owned()];
    assert!(archive(&hosts, BUSYBOX).is_ok());
    let paths: Vec<_> = registry(&hosts, BUSYBOX).unwrap().into_iter().map(|file| file.path).collect();
    for repository in ["one.example/a", "two.example_5000/a"] {
        assert!(
            paths
                .contains(&format!("docker/registry/v2/repositories/{repository}/_manifests/tags/latest/current/link"))
        );
    }
}

#[test]
fn images_of_every_registry_have_a_place_in_the_guests() {
    let check = |name: &str, repository: &str, tag: &str| {
        let place = place(name).unwrap();
        assert_eq!((&*place.repository, &*place.tag), (&*format!("http://127.0.0.1:5000/v2/{repository}"), tag));
    };
    check("127.0.0.1:5000/jellyfin/jellyfin:v2", "jellyfin/jellyfin", "v2");
    check("redis", "docker.io/library/redis", "latest");
}
