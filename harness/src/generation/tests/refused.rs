//! Generations that cannot be what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::super::*;
use super::project;

fn with_variants() -> Generation {
    Generation::read(&project().join("fixtures/rendered/igpu")).unwrap()
}

/// Without variants, which would only be checked alike.
fn igpu() -> Generation {
    static READ: LazyLock<Generation> = LazyLock::new(|| {
        let mut generation = with_variants();
        generation.manifest.variants.clear();
        Generation { variants: BTreeMap::new(), ..generation }
    });
    READ.clone()
}

#[test]
fn what_contradicts_itself_is_refused_with_its_place() {
    type Change = fn(&mut Generation);
    const WEB: &str = "/etc/systemd/user/plex-stack.service";
    let refused = |change: Change, words: &str| {
        let mut generation = igpu();
        change(&mut generation);
        let error = generation.checked().unwrap_err().to_string();
        assert!(error.contains(words), "not `{words}`, but: {error}");
    };
    let to = |target: &'static str, words: &str| {
        let mut generation = igpu();
        generation.manifest.files[0].target = target.to_owned();
        let error = generation.checked().unwrap_err().to_string();
        assert!(error.contains(words), "{target}: not `{words}`, but: {error}");
    };
    // Paths.
    refused(|it| it.manifest.files[0].source = "../x".to_owned(), "../x: a path inside the generation");
    refused(|it| it.manifest.files[0].source = "/etc/x".to_owned(), "/etc/x: a path inside the generation");
    refused(|it| it.manifest.files[0].source = String::new(), "a path inside the generation");
    to("etc/x", "etc/x: a path in the guest has to be absolute");
    to("/etc/../x", "without `..`");
    to("/etc/x\ny", "a path in the guest");
    to("/usr/bin/podman", "only below /etc, /nix, /opt, /srv, /usr/local, /var/lib and /home/abl030");
    to("/home/other/x", "nothing is installed here");
    to("/run/x", "nothing is installed here");
    to("/etc", "nothing is installed here");
    to("/usr/local/lib/harness/backdoor", "this belongs to the harness");
    to("/etc/systemd/system/harness-journal.service.d/x.conf", "this belongs to the harness");
    to("/etc/passwd", "this belongs to the harness");
    to(WEB, "plex-stack.service is installed twice");
    to("/etc/systemd/user/plex-stack.service/x", "lies below /etc/systemd/user/plex-stack.service, which is no folder");
    refused(|it| it.manifest.links[0].path = WEB.to_owned(), "is installed twice");
    refused(|it| it.manifest.links[0].path = "/etc/stacks".to_owned(), "lies below /etc/stacks, which is no folder");
    refused(|it| it.manifest.links[0].path = "/../x".to_owned(), "without `..`");
    // Files.
    refused(|it| it.manifest.files[0].mode = "rw".to_owned(), "`rw` is no octal mode");
    refused(|it| it.manifest.files[0].mode = "77777".to_owned(), "`77777` is no octal mode");
    refused(|it| it.files.clear(), "the manifest lists it, but the file is not there");
    // Units.
    refused(|it| it.manifest.units[0].unit = "no.service".to_owned(), "the user's unit no.service is listed, but no");
    refused(
        |it| it.manifest.units[0].scope = Scope::System,
        "the system's unit igpu-management-stack.service is listed",
    );
    refused(|it| it.manifest.activation[0].unit = "no.service".to_owned(), "no.service activates, but is not among");
    refused(|it| it.manifest.stacks[0].unit = "no.service".to_owned(), "its unit no.service is not among `units`");
    refused(|it| it.manifest.stacks[0].update_unit = Some("no.service".to_owned()), "its unit no.service is not among");
    refused(
        |it| it.manifest.files.retain(|file| file.source != "scripts/stack-secrets"),
        "it starts /usr/local/lib/stacks/stack-secrets, which the manifest does not install",
    );
    // Names, and what must be there once.
    refused(|it| it.manifest.host = "../x".to_owned(), "`../x` cannot name a host");
    refused(|it| it.manifest.hostname = "a b".to_owned(), "`a b` is no host's name");
    refused(|it| it.manifest.stacks[0].name = "A".to_owned(), "`A` cannot name a stack");
    refused(|it| it.manifest.stacks[0].secrets[0].name = "../x".to_owned(), "`../x` cannot name a secret");
    refused(|it| it.manifest.stacks[0].secrets[0].native = "x".to_owned(), "x: a path in the guest");
    refused(|it| it.manifest.stacks[0].secrets[0].native = "/etc/shadow".to_owned(), "/etc/shadow: this belongs to");
    refused(|it| it.manifest.stacks[0].secrets[0].native = "/usr/x".to_owned(), "/usr/x: nothing is installed here");
    refused(
        |it| it.manifest.stacks[0].secrets[0].fallback = Some(it.manifest.stacks[0].secrets[0].native.clone()),
        "the path of a secret /run/secrets/containers/igpu-management/0-igpu-management.env is listed twice",
    );
    refused(
        |it| it.manifest.stacks[1].name = it.manifest.stacks[0].name.clone(),
        "stack igpu-management is listed twice",
    );
    refused(
        |it| it.manifest.stacks[1].unit = it.manifest.stacks[0].unit.clone(),
        "the unit of a stack igpu-management-",
    );
    refused(|it| it.manifest.native_units[0].container = "autoheal".to_owned(), "container autoheal is listed twice");
    refused(|it| it.manifest.stacks[0].services[0].ports = vec![32400], "published port 32400 is listed twice");
    refused(
        |it| it.manifest.stacks[0].services[0].name = "dozzle-agent".to_owned(),
        "in stack igpu-management, service dozzle-agent is listed twice",
    );
    // What belongs together.
    refused(
        |it| it.manifest.stacks[0].compose = Some("/etc/x".to_owned()),
        "its compose file /etc/x is the target of no",
    );
    refused(
        |it| it.manifest.stacks[0].services[0].network_of = Some("x".to_owned()),
        "stack igpu-management: service autoheal names x, which is no service of it",
    );
    refused(|it| it.manifest.mounts.clear(), "its mount /mnt/docker is not among the manifest's `mounts`");
    refused(
        |it| it.manifest.mounts.push("/usr/share".to_owned()),
        "/usr/share: this belongs to the guest's own system",
    );
    refused(|it| it.manifest.folders.push("/".to_owned()), "this belongs to the guest's own system");
    refused(|it| it.manifest.devices.push("/etc/x".to_owned()), "a device is a path below /dev");
    refused(|it| drop(it.manifest.texts.insert("x".to_owned(), "(".to_owned())), "text x is no regular expression");
}

#[test]
fn variants_are_held_to_the_same_and_to_their_host() {
    type Change = fn(&mut Generation);
    let refused = |change: Change, words: &str| {
        let mut generation = with_variants();
        change(generation.variants.get_mut("unparsable").unwrap());
        let error = generation.checked().unwrap_err().to_string();
        assert!(error.contains(&format!("variant unparsable: {words}")), "not `{words}`, but: {error}");
    };
    refused(|it| it.manifest.files[0].target = "etc/x".to_owned(), "etc/x: a path in the guest");
    refused(|it| it.manifest.hostname = "other".to_owned(), "a variant is switched to in the same guest");
    refused(|it| it.manifest.mounts.clear(), "");
    refused(
        |it| {
            it.manifest.variants.insert("x".to_owned(), "x".to_owned());
        },
        "a variant has no variants",
    );
    let whole = |change: Change, words: &str| {
        let mut generation = with_variants();
        change(&mut generation);
        let error = generation.checked().unwrap_err().to_string();
        assert!(error.contains(words), "not `{words}`, but: {error}");
    };
    whole(|it| it.variants.clear(), "the variants that it lists are not those that are there");
    whole(|it| it.manifest.variants.values_mut().for_each(|folder| *folder = "../x".to_owned()), "../x: a path inside");
    whole(
        |it| {
            let variant = it.variants["unparsable"].clone();
            it.variants.insert(BASE.to_owned(), variant);
        },
        "variant base: this name is the generation's own",
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_file() {
    let refused = |spoil: &dyn Fn(&Path), words: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        igpu().write(folder.path()).unwrap();
        spoil(folder.path());
        let error = Generation::read(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Manifest { .. }), "{error}");
        let said = error.to_string();
        assert!(said.starts_with(&folder.path().display().to_string()), "{said}");
        words.iter().for_each(|words| assert!(said.contains(words), "not `{words}`, but: {said}"));
    };
    let manifest = |from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let path = folder.join(MANIFEST);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{from}");
            fs::write(path, text.replacen(from, to, 1)).unwrap();
        }
    };
    refused(
        &|folder| fs::remove_file(folder.join(MANIFEST)).unwrap(),
        &["manifest.json: no manifest can be read here"],
    );
    refused(&manifest("\"version\": 1", "\"version\": 2"), &["version 2 is unknown; this program reads 1"]);
    refused(&manifest("\"version\": 1", "\"version\": 2, \"new\": 0"), &["version 2 is unknown"]);
    refused(&manifest("\"version\": 1,", ""), &["missing field `version`"]);
    refused(&manifest("\"hostname\"", "\"hostnam\""), &["manifest.json: unknown field `hostnam`", "line 4"]);
    refused(&manifest("\"scope\": \"user\"", "\"scope\": \"root\""), &["unknown variant `root`, expected `system` or"]);
    refused(&manifest("{", "[1, "), &["manifest.json: ", "at line 2"]);
    refused(&manifest("/etc/systemd/user/plex-stack.service", "/etc/../x"), &["manifest.json: /etc/../x: a path in"]);
    let script = "scripts/stack-secrets";
    refused(&|folder| fs::remove_file(folder.join(script)).unwrap(), &["scripts/stack-secrets: the manifest lists it"]);
    let replace = |folder: &Path| {
        let path = folder.join(script);
        fs::remove_file(&path).unwrap();
        path
    };
    refused(&|folder| std::os::unix::fs::symlink("/etc/hostname", replace(folder)).unwrap(), &["leads out of"]);
    refused(&|folder| fs::create_dir(replace(folder)).unwrap(), &["stack-secrets: it is no file"]);
}
