//! Switching a guest to another generation: its files are laid over those that are there, then its activation units are
//! started.

use std::fmt::Write as _;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::generation::{BASE, Delta, Scope, UnitName, User};

use super::action::{quote, wrap};
use super::channel::environment;
use super::seed::archive_of;
use super::{Account, Command, Error, Kind, Result};

/// How long laying files may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(60);
/// How long the activation units may take: more than their own time-outs, so that it is those that count.
const ACTIVATION_LIMIT: Duration = Duration::from_secs(1800);

/// Changes the guest's files as a delta says, and puts changed secrets, by the path where they belong, in place.
/// No manager is told.
pub(super) fn install(delta: &Delta, secrets: &[(String, Vec<u8>)], user: &User) -> Result<Command> {
    let archive = BASE64_STANDARD.encode(archive_of(delta, secrets, user)?);
    // The content is given in lines: one long line would be too much for a terminal's habits. What runs keeps the file
    // that it has open, since the archive's files take the places of those that are there.
    let mut script =
        format!("set -eo pipefail\nbase64 -d <<'END' | tar --extract --directory=/\n{}\nEND\n", wrap(&archive));
    for path in &delta.gone {
        let path = quote(path);
        let _infallible =
            writeln!(script, "rm -f -- {path}\nrmdir --ignore-fail-on-non-empty -- \"$(dirname -- {path})\"");
    }
    if !secrets.is_empty() {
        script.push_str("/usr/local/lib/harness/install-secrets\n");
    }
    let count = delta.files.len() + delta.links.len() + delta.gone.len() + secrets.len();
    let shown = format!("replace {count} files");
    Ok(Command { script, shown, account: Account::Root, limit: INSTALL_LIMIT })
}

/// Mounts other files over those of a generation, until the next boot. No manager is told. What NixOS has added to a
/// unit of somebody's package by a file of its own is in the unit that is mounted, and so its own file is empty then.
pub(super) fn mount_over(delta: &Delta, secrets: &[(String, Vec<u8>)], _user: &User) -> Result<Command> {
    if !(delta.links.is_empty() && delta.gone.is_empty() && secrets.is_empty()) {
        let problem = "only the content of its files can be replaced, not which files, links and secrets there are";
        return Err(Error::Nonsense { what: "generation", problem: problem.to_owned() });
    }
    let mut script = "set -eo pipefail\nmkdir -p /run/harness/replaced\n: > /run/harness/empty\n".to_owned();
    for (file, content) in &delta.files {
        let _infallible = writeln!(
            script,
            "file=$(readlink -e {target})\ncopy=$(mktemp /run/harness/replaced/XXXXXX)\n\
             base64 -d > \"$copy\" <<'END'\n{content}\nEND\nchmod {mode} \"$copy\"\nmount --bind \"$copy\" \"$file\"\n\
             [ ! -e {target}.d/overrides.conf ] || mount --bind /run/harness/empty \"$(readlink -e {target}.d/overrides.conf)\"",
            target = quote(&file.target),
            content = wrap(&BASE64_STANDARD.encode(content)),
            mode = file.mode,
        );
    }
    let shown = format!("replace {} files", delta.files.len());
    Ok(Command { script, shown, account: Account::Root, limit: INSTALL_LIMIT })
}

/// Switches a NixOS system to one of its specialisations, or back to the system that was booted.
pub(super) fn specialise(name: &str) -> Command {
    let system = match name {
        BASE => "/run/booted-system".to_owned(),
        variant => format!("/run/booted-system/specialisation/{}", quote(variant)),
    };
    let shown = format!("{system}/bin/switch-to-configuration test");
    // 4 says that it is done and that units failed, which is for the trial to judge.
    let script = format!("{shown} || [ $? = 4 ]");
    Command { shown, script, account: Account::Root, limit: ACTIVATION_LIMIT }
}

/// Has the managers read their units again. A user's manager that is down has none to read.
pub fn reload_managers(kind: &Kind, user: &User) -> Command {
    let script = format!("{}{RELOAD}exit $status\n", prelude(kind, user));
    Command { script, shown: "systemctl daemon-reload".to_owned(), account: Account::Root, limit: INSTALL_LIMIT }
}

/// What a switch of the system does once the files are in place, and nothing else: both managers read their units again,
/// then the units that activate a generation are started, one after the other. It fails if any of that fails.
pub fn activate(units: &[UnitName], kind: &Kind, user: &User, generation: &str) -> Command {
    let mut script = format!("{}{RELOAD}", prelude(kind, user));
    for unit in units {
        let systemctl = if unit.scope == Scope::User { "as_user systemctl --user" } else { "systemctl" };
        let _infallible = writeln!(script, "{systemctl} start {} || status=$?", quote(&unit.unit));
    }
    script.push_str("exit $status\n");
    Command { script, shown: activation(generation), account: Account::Root, limit: ACTIVATION_LIMIT }
}

/// How people read the activation of a generation.
pub fn activation(generation: &str) -> String {
    format!("activate {generation}")
}

const RELOAD: &str = "\
systemctl daemon-reload || status=$?
if systemctl is-active --quiet user@$uid.service; then
    as_user systemctl --user daemon-reload || status=$?
fi
";

fn prelude(kind: &Kind, user: &User) -> String {
    format!(
        "status=0 uid={uid}\nas_user() {{ setpriv --reuid={uid} --regid={gid} --init-groups env -i {variables} \"$@\"; }}\n",
        uid = user.uid,
        gid = user.gid,
        variables = environment(kind, user),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::generation::{InstalledFile, Link};
    use crate::guest::seed::SECRETS;

    use super::*;

    fn user() -> User {
        User { name: "u".to_owned(), uid: 7, group: "g".to_owned(), gid: 8, home: "/h".to_owned() }
    }

    /// Runs a command's script here, with its paths below a folder.
    fn run(command: &Command, root: &Path) -> std::process::Output {
        let root = root.display().to_string();
        let script = command
            .script
            .replace("--directory=/", &format!("--directory={root}"))
            .replace("/etc/", &format!("{root}/etc/"))
            .replace("/usr/local/lib/harness/", &format!("{root}/"));
        std::process::Command::new("bash").arg("-c").arg(script).output().unwrap()
    }

    #[test]
    fn files_links_and_secrets_are_put_in_place_and_what_is_gone_goes() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(at("/etc/stacks/gone")).unwrap();
        std::fs::write(at("/etc/stacks/gone/inputs"), "old").unwrap();
        std::fs::write(at("install-secrets"), "#!/bin/sh\ntouch \"$(dirname \"$0\")/secrets-installed\"\n").unwrap();
        let file =
            InstalledFile { source: "x".to_owned(), target: "/etc/stacks/a/x".to_owned(), mode: "0755".to_owned() };
        let link = Link { path: "/etc/systemd/user/default.target.wants/x".to_owned(), target: "../x".to_owned() };
        let gone = vec!["/etc/stacks/gone/inputs".to_owned()];
        let mut delta = Delta { files: vec![(file, b"new\0".to_vec())], links: vec![link], gone };
        let secrets = [("/run/secrets/it's".to_owned(), b"TOKEN=1\n".to_vec())];
        let done = run(&install(&delta, &secrets, &user()).unwrap(), root.path());
        assert!(!done.status.success(), "a secrets program that cannot run is an error");
        delta.gone.clear();
        let chmod = std::process::Command::new("chmod").arg("+x").arg(at("install-secrets")).status().unwrap();
        assert!(chmod.success());
        let done = run(&install(&delta, &secrets, &user()).unwrap(), root.path());
        assert!(done.status.success(), "{done:?}");
        assert_eq!(std::fs::read(at("/etc/stacks/a/x")).unwrap(), b"new\0");
        assert_eq!(std::fs::read_link(at("/etc/systemd/user/default.target.wants/x")).unwrap(), Path::new("../x"));
        assert!(!at("/etc/stacks/gone").exists(), "an empty folder goes with its last file");
        assert_eq!(std::fs::read(at(&format!("{SECRETS}/run/secrets/it's"))).unwrap(), b"TOKEN=1\n");
        assert!(at("secrets-installed").exists());
    }

    #[test]
    fn secrets_stay_the_users() {
        let secrets = [("/run/secrets/x".to_owned(), b"TOKEN=1\n".to_vec())];
        let nothing = Delta { files: Vec::new(), links: Vec::new(), gone: Vec::new() };
        let archive = archive_of(&nothing, &secrets, &user()).unwrap();
        let owner = |entry: tar::Entry<'_, &[u8]>| {
            let path = entry.path().unwrap().display().to_string();
            (path.trim_end_matches('/') == SECRETS.trim_start_matches('/')).then(|| entry.header().uid().unwrap())
        };
        let mut archive = tar::Archive::new(archive.as_slice());
        let owners: Vec<_> = archive.entries().unwrap().filter_map(|entry| owner(entry.unwrap())).collect();
        assert_eq!(owners, [7], "who owns that folder gets the secrets");
    }

    #[test]
    fn an_activation_starts_its_units_in_order_and_remembers_a_failure() {
        let unit = |unit: &str, scope| UnitName { unit: unit.to_owned(), scope };
        let command = activate(
            &[unit("a.service", Scope::System), unit("b.service", Scope::User)],
            &crate::guest::DEBIAN,
            &user(),
            "base",
        );
        let check = |broken: &str, status: i32| {
            // Stand-ins say what they were asked; one of them fails.
            let programs = format!(
                "systemctl() {{ echo \"$*\"; [ \"$*\" != '{broken}' ]; }}\nsetpriv() {{ shift 12; \"$@\"; }}\n"
            );
            let script = format!("{programs}{}", command.script);
            let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.ends_with("start a.service\n--user start b.service\n"), "{said}");
            assert_eq!(output.status.code(), Some(status), "{broken}: {said}");
        };
        check("nothing", 0);
        check("start a.service", 1);
        check("--user start b.service", 1);
        check("daemon-reload", 1);
        check("is-active --quiet user@7.service", 0);
    }
}
