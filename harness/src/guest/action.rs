//! Actions of scenarios as commands of the guest.

use std::fmt::Write as _;
use std::time::Duration;

use crate::image::test_image::Place;

use super::Account;

/// A command as the guest runs it and as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// A bash script.
    pub script: String,
    /// What a person would type.
    pub shown: String,
    /// Who runs it.
    pub account: Account,
    /// How much guest time it may take.
    pub limit: Duration,
}

/// How long a job of a manager may take: more than any unit's own time-out, so that it is the unit's that counts.
const JOB_LIMIT: Duration = Duration::from_secs(900);
/// How long our own small changes may take.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);

/// Makes versions of images in the guest's registry.
const PUSH: &str = include_str!("push-image.sh");

/// Commands by what they do; `run` turns a scenario's actions into calls of these.
pub mod act {
    use super::*;

    /// `systemctl VERB UNITS`, in the manager of the system or of the user.
    pub fn systemctl(verb: &str, units: &[&str], user: bool) -> Command {
        let scope = if user { " --user" } else { "" };
        let script = format!("systemctl{scope} {verb} {}", quote_all(units));
        let account = if user { Account::User } else { Account::Root };
        Command { shown: script.clone(), script, account, limit: JOB_LIMIT }
    }

    /// A script of the scenario's own.
    pub fn run(script: &str, account: Account, limit: Duration) -> Command {
        Command { script: script.to_owned(), shown: script.to_owned(), account, limit }
    }

    /// Takes files away, keeping a copy for [`restore`].
    pub fn remove(paths: &[String]) -> Command {
        let body = "[ -e \"$path\" ] || [ -L \"$path\" ] || { echo \"nothing is at $path\" >&2; exit 1; }\n    \
                    rm -rf -- \"$path\"";
        change(paths, "remove", body)
    }

    /// Brings back files as they were before the first change.
    pub fn restore(paths: &[String]) -> Command {
        let body = "if [ -e \"$kept.absent\" ]; then rm -rf -- \"$path\"\n    \
                    elif [ -e \"$kept\" ]; then rm -rf -- \"$path\" && cp -a -- \"$kept\" \"$path\"\n    \
                    else echo \"nothing was changed at $path: there is nothing to restore\" >&2; exit 1; fi\n    \
                    rm -rf -- \"$kept\" \"$kept.absent\"";
        let script = format!("set -e\n{}", for_each(paths, body));
        root(script, format!("restore {}", paths.join(" ")))
    }

    /// Changes the permission bits of files.
    pub fn chmod(paths: &[String], mode: u32) -> Command {
        change(paths, &format!("chmod {mode:04o}"), &format!("chmod {mode:04o} -- \"$path\""))
    }

    /// Changes the owner of files.
    pub fn chown(paths: &[String], owner: &str) -> Command {
        change(paths, &format!("chown {owner}"), &format!("chown -- {} \"$path\"", quote(owner)))
    }

    /// Replaces a file's content; its owner and mode stay.
    pub fn write(path: &str, content: &str) -> Command {
        let print = format!("printf %s {}", quote(content));
        let Command { script, .. } = change(&[path.to_owned()], "write", &format!("{print} > \"$path\""));
        root(script, format!("{print} > {}", quote(path)))
    }

    /// Sets the knob of the test image for services, given as (stack, service) with the file of each, or clears it.
    pub fn knob(services: &[(String, String)], files: &[String], knob: Option<&str>) -> Command {
        let mut script = "set -e\n".to_owned();
        for path in files {
            let path = quote(path);
            let line = match knob {
                Some(knob) => format!("printf '%s\\n' {} > {path}\n", quote(knob)),
                None => format!("rm -f -- {path}\n"),
            };
            script.push_str(&line);
        }
        let names: Vec<_> = services.iter().map(|(stack, service)| format!("{stack}/{service}")).collect();
        root(script, format!("knob {} of {}", knob.unwrap_or("cleared"), names.join(" ")))
    }

    /// Gives images in the guest's registry another version, or one whose service ends at once; the tags mean that then.
    pub fn push(images: &[Place], version: &str, broken: bool) -> Command {
        let mut script = PUSH.to_owned();
        for Place { repository, tag } in images {
            let broken = if broken { " broken" } else { "" };
            let _infallible = writeln!(script, "push {} {} {}{broken}", quote(repository), quote(tag), quote(version));
        }
        let names: Vec<_> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
        let broken = if broken { ", broken" } else { "" };
        root(script, format!("push {} as {version}{broken}", names.join(" ")))
    }

    /// Makes the alert endpoint `answer`, `hang`, answer with an `error` or, as if nobody were there, `refuse`.
    pub fn alerts(mode: &str) -> Command {
        let script = match mode {
            "refuse" => "systemctl stop harness-alerts.socket".to_owned(),
            _ => format!("set -e\nprintf %s {mode} > /run/harness/alerts\nsystemctl start harness-alerts.socket"),
        };
        root(script, format!("alerts {mode}"))
    }

    /// Lets guest time pass.
    pub fn wait(time: Duration) -> Command {
        let shown = format!("sleep {}", time.as_secs_f64());
        Command { script: shown.clone(), shown, account: Account::Root, limit: time + CHANGE_LIMIT }
    }

    fn change(paths: &[String], verb: &str, body: &str) -> Command {
        let keep = "if [ ! -e \"$kept\" ] && [ ! -e \"$kept.absent\" ]; then\n        \
                    if [ -e \"$path\" ]; then cp -a -- \"$path\" \"$kept\"; else touch \"$kept.absent\"; fi\n    fi";
        let script = format!("set -e\n{}", for_each(paths, &format!("{keep}\n    {body}")));
        root(script, format!("{verb} {}", paths.join(" ")))
    }

    fn for_each(paths: &[String], body: &str) -> String {
        format!(
            "for path in {}; do\n    kept=\"/var/lib/harness/aside$path\"\n    mkdir -p \"${{kept%/*}}\"\n    {body}\ndone\n",
            quote_all(paths)
        )
    }

    fn root(script: String, shown: String) -> Command {
        Command { script, shown, account: Account::Root, limit: CHANGE_LIMIT }
    }
}

/// A word for the shell, whatever is in it.
pub(super) fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Words for the shell, with spaces between them.
pub(super) fn quote_all(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// A long text in lines.
pub(super) fn wrap(text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Runs a command's script here, with its paths below a folder.
    fn run(command: &Command, root: &std::path::Path) -> std::process::Output {
        let script = command.script.replace("/var/lib/harness/aside", &format!("{}/aside", root.display()));
        std::process::Command::new("bash").arg("-c").arg(script).output().unwrap()
    }

    #[test]
    fn what_is_changed_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a secret").display().to_string();
        let paths = [path.clone()];
        std::fs::write(&path, "TOKEN=1\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        // Not without any permission: this test is also run by users to whom that means something.
        for command in [act::chmod(&paths, 0o600), act::write(&path, "TOKEN='2'"), act::remove(&paths)] {
            let output = run(&command, folder.path());
            assert!(output.status.success(), "{command:?}: {output:?}");
        }
        assert!(!std::path::Path::new(&path).exists());
        assert!(run(&act::restore(&paths), folder.path()).status.success());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "TOKEN=1\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let again = run(&act::restore(&paths), folder.path());
        assert!(!again.status.success(), "restoring twice must say that there is nothing to restore");
        let nothing = run(&act::remove(&[format!("{path}.typo")]), folder.path());
        assert!(String::from_utf8_lossy(&nothing.stderr).starts_with("nothing is at "), "{nothing:?}");
        assert!(!nothing.status.success());
    }

    #[test]
    fn a_file_that_was_not_there_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").display().to_string();
        assert!(run(&act::write(&path, "x"), folder.path()).status.success());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
        assert!(run(&act::restore(std::slice::from_ref(&path)), folder.path()).status.success());
        assert!(!std::path::Path::new(&path).exists());
    }

    #[test]
    fn words_survive_the_shell() {
        for word in ["plain-word.service", "it's", "a b", "", "$HOME", "*", "new\nline"] {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
