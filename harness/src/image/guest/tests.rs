//! Recipes and their keys. That an image can really be built and boots is a test of its own, which needs the network.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn recipe() -> Recipe {
    Recipe {
        sources: vec!["deb http://deb.debian.org/debian trixie main".to_owned()],
        packages: vec!["podman".to_owned()],
        overlay: vec![
            Item::file("etc/hostname", 0o644, "guest\n"),
            Item::link("etc/localtime", "/usr/share/zoneinfo/UTC"),
        ],
        setup: "true\n".to_owned(),
    }
}

#[test]
fn whatever_the_image_is_made_from_is_in_its_key() {
    let check = |change: fn(&mut Recipe)| {
        let mut changed = recipe();
        change(&mut changed);
        assert_ne!(changed.key(), recipe().key());
    };
    check(|recipe| recipe.sources[0].push_str(" contrib"));
    check(|recipe| recipe.packages.push("crun".to_owned()));
    check(|recipe| recipe.setup.push_str("false\n"));
    check(|recipe| recipe.overlay[0].mode = 0o755);
    check(|recipe| recipe.overlay[0].path.push('2'));
    check(|recipe| recipe.overlay[0].content = Content::File(b"other\n".to_vec()));
    check(|recipe| recipe.overlay[1].content = Content::Link("/other".to_owned()));
    check(|recipe| recipe.overlay.truncate(1));
    assert_eq!(recipe().key(), recipe().key());
}

#[test]
fn package_lists_have_comments_and_no_order() {
    let check = |text: &str, packages: &[&str]| assert_eq!(packages_in(text).unwrap(), packages);
    check("# base\nsystemd\n\npodman # containers\nsystemd\n", &["podman", "systemd"]);
    check("", &[]);
    let error = packages_in("podman crun\n").unwrap_err().to_string();
    assert!(error.contains("\"podman crun\" is not the name of a package"), "{error}");
    let ours = include_str!("../../../../fixtures/guest/packages.txt");
    assert!(packages_in(ours).unwrap().contains(&"busybox-static".to_owned()));
}

#[test]
fn the_overlay_is_read_with_links_and_the_executable_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("usr/bin")).unwrap();
    fs::write(path("usr/bin/tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(path("usr/bin/tool"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(path("a"), "text").unwrap();
    fs::set_permissions(path("a"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("usr/missing", path("b")).unwrap();
    let mut items = Vec::new();
    read_tree(folder.path(), "", &mut items).unwrap();
    assert_eq!(
        items,
        [
            Item::file("a", 0o644, "text"),
            Item::link("b", "usr/missing"),
            Item::file("usr/bin/tool", 0o755, "#!/bin/sh\n"),
        ]
    );
    let error = read_tree(&path("none"), "", &mut items).unwrap_err().to_string();
    assert!(error.starts_with("cannot list ") && error.contains("none"), "{error}");
}

struct Print;

impl Progress for Print {
    fn phase(&self, text: &str) {
        println!("{text}");
    }
    fn waiting(&self, text: &str) {
        println!("{text}");
    }
    fn notice(&self, text: &str) {
        println!("{text}");
    }
}

/// Boots an image with a harmless command line and gives what its console said within a minute and a half.
fn console(image: &GuestImage, words: &str) -> String {
    let drive = format!("file={},if=virtio,snapshot=on", image.disk().display());
    let output = std::process::Command::new("timeout")
        .args(["90", "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "Nehalem", "-m", "1G"])
        .args(["-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-drive", &drive])
        .args(["-append", &format!("console=ttyS0 panic=-1 {words}")])
        .arg("-kernel")
        .arg(image.kernel())
        .arg("-initrd")
        .arg(image.initrd())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "builds a guest from Debian's archive, which takes minutes; needs the tools of `harness doctor`"]
fn an_image_is_built_and_boots() {
    let recipe = Recipe::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/guest")).unwrap();
    let store = Store::from_environment().unwrap();
    let image = recipe.get_or_build(&store, &Print).unwrap();

    assert!(console(&image, "harness.probe").contains("harness-probe: ok"));
    let words = "root=/dev/vda systemd.unit=poweroff.target init=/sbin/init";
    let text = console(&image, words);
    assert!(text.contains("Power down"), "{text}");
    let packages = fs::read_to_string(image.packages()).unwrap();
    assert!(packages.lines().any(|line| line.starts_with("podman 5.")), "{packages}");
}
