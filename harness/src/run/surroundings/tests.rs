//! What stands in for what, and what nothing can stand in for.

use std::path::Path;

use super::*;

const FSTAB: &str = "# comment\nLABEL=root / ext4 defaults 0 0\n/srv/docker /mnt/docker none bind 0 0\n";

fn read(folder: &str) -> Generation {
    Generation::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder)).unwrap()
}

/// The foreign generation, changed.
fn of(change: impl Fn(&mut Generation)) -> Result<Surroundings> {
    let mut generation = read("foreign");
    change(&mut generation);
    Surroundings::of(&generation, FSTAB)
}

fn text(surroundings: &Surroundings, path: &str) -> Option<String> {
    let file = surroundings.files.iter().find(|file| file.path == path)?;
    Some(String::from_utf8(file.content.clone()).unwrap())
}

#[test]
fn everything_that_a_foreign_generation_names_has_a_stand_in() {
    let surroundings = of(|_| {}).unwrap();
    let images: Vec<_> = surroundings.images.iter().map(String::as_str).collect();
    assert_eq!(
        images,
        ["docker.io/library/nginx:1.27", "docker.io/library/redis:7-alpine", "ghcr.io/pantry/shelves:2"]
    );
    let text = |path: &str| text(&surroundings, path).unwrap();
    insta::assert_snapshot!(text("/etc/containers/registries.conf.d/harness-stand-ins.conf"), @r#"
    unqualified-search-registries = ["docker.io"]

    [[registry]]
    prefix = "docker.io"
    location = "127.0.0.1:5000/docker.io"
    insecure = true

    [[registry]]
    prefix = "ghcr.io"
    location = "127.0.0.1:5000/ghcr.io"
    insecure = true
    "#);
    assert_eq!(text("/etc/tmpfiles.d/harness-devices.conf"), "c+ /dev/dri/renderD128 0666 root root - 1:3\n");
    assert_eq!(text("/etc/fstab"), format!("{FSTAB}/srv/mounts/media/shelf /media/shelf none bind 0 0\n"));
    assert_eq!(text("/etc/hosts"), "127.0.0.1 localhost pantry\n127.0.0.1 notes.pantry.example\n");
    let address = "/etc/systemd/system/harness-alerts.socket.d/address.conf";
    assert_eq!(text(address), "[Socket]\nListenStream=127.0.0.1:8090\n");
    let folders = ["/srv/mounts/media/shelf", "/srv/mounts/media/shelf/jars", "/home/abl030/pantry/window"];
    assert_eq!(surroundings.folders, folders);
}

#[test]
fn hosts_of_the_project_need_no_stand_ins() {
    for host in ["igpu", "doc1"] {
        let generation = read(&format!("rendered/{host}"));
        let fstab = generation.manifest.mounts.iter().map(|point| format!("/srv/x {point} none bind 0 0\n"));
        let surroundings = Surroundings::of(&generation, &fstab.collect::<String>()).unwrap();
        assert_eq!(surroundings.files, [], "{host}");
        assert_eq!(surroundings.images.len(), generation.manifest.images().len(), "{host}");
    }
}

#[test]
fn compose_files_are_asked_as_well() {
    let with = |compose: &str| {
        of(|generation| {
            generation.manifest.stacks[0].compose = Some("/opt/pantry/bin/tell".to_owned());
            generation.files.insert("bin/tell".to_owned(), compose.as_bytes().to_vec());
        })
    };
    let more = with("services: { a: { image: 'postgres:16', devices: [/dev/fuse, /dev/dri] } }").unwrap();
    assert!(more.images.iter().any(|image| image == "docker.io/library/postgres:16"));
    for (compose, words) in [
        ("services: { a: { build: . } }", "bin/tell: service a: it is built"),
        ("services: { a: { image: 'a@sha256:00' } }", "name a tag instead"),
        ("services: { a: { devices: [/dev/kvm] } }", "bin/tell: service a: the guest has no device /dev/kvm; list it"),
        ("services: { a: { devices: ['nvidia.com/gpu=all'] } }", "no device nvidia.com/gpu=all"),
        ("services: [", "bin/tell: no compose file can be read here"),
    ] {
        let error = with(compose).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_nothing_can_stand_in_for_is_refused() {
    let refused = |words: &str, change: &dyn Fn(&mut Manifest)| {
        let error = of(|generation| change(&mut generation.manifest)).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(words), "not `{words}`, but: {error}");
    };
    refused("user keeper (1000, ", &|it| it.user.name = "keeper".to_owned());
    refused("the guest's only user is abl030", &|it| it.user.uid = 1001);
    refused("port 5000 of container web is taken in the guest by its image registry", &|it| {
        it.stacks[0].services[0].ports = vec![5000];
    });
    refused("name a tag instead", &|it| it.stacks[0].services[0].image = "nginx@sha256:00".to_owned());
    for url in ["https://a/message", "http://a/other", "http://a:99999/message", "ftp://a/message", "http:///message"] {
        refused("the guest's receiver answers at", &|it| it.alert_url = Some(url.to_owned()));
    }
    refused("the guest has no such address", &|it| it.alert_url = Some("http://10.0.0.1/message".to_owned()));
    refused("a container publishes port 8080, too", &|it| it.alert_url = Some("http://a:8080/message".to_owned()));
}

#[test]
fn folders_are_made_where_they_are_while_nothing_is_mounted() {
    let folders = |mounts: &[&str], folders: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let changed = of(|generation| {
            generation.manifest.mounts = texts(mounts);
            generation.manifest.folders = texts(folders);
            generation.manifest.stacks.truncate(1);
        });
        changed.unwrap().folders
    };
    assert_eq!(folders(&[], &["/home/abl030/x"]), ["/home/abl030/x"]);
    assert_eq!(folders(&["/mnt/docker"], &[]), ["/srv/docker/window", "/srv/docker/window/web"]);
    assert_eq!(
        folders(&["/a", "/a/b"], &["/a/b/c", "/ab"]),
        ["/srv/mounts/a", "/srv/mounts/a/b", "/srv/mounts/a/b/c", "/ab"]
    );
}
