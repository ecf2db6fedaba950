//! A root shell for people: lines that follow one another, as if one shell ran them all.

use std::time::Duration;

use crate::generation::User;

use super::channel::environment;
use super::{Account, Answer, Guest, Kind, Result};

/// A shell in a guest. Guest time passes only while a line runs, where the guest's clock can stand still at all.
#[derive(Debug)]
pub struct Session {
    guest: Guest,
}

/// How much guest time one line may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// Every line is a bash of its own, so that what it did is known to be over; the folder, variables and functions of
/// one are handed on to the next in a file. Variables that nobody may set again are among them, hence the redirection.
/// The user may not be allowed into root's folder, and podman refuses to work in such a one: hence the user's home.
const LINE: &str = r#"
if [ -e /run/harness/session ]; then . /run/harness/session 2> /dev/null; else cd ~; fi
trap '{ declare -p; declare -f; printf "cd -- %q\n" "$PWD"; } > /run/harness/session' EXIT
as-user() { (cd ~@name@ && setpriv --reuid=@uid@ --regid=@gid@ --init-groups env -i @environment@ "$@"); }
"#;

impl Session {
    /// A shell in a guest that is at rest.
    pub fn new(guest: Guest) -> Session {
        Session { guest }
    }

    /// Runs a line, or a whole script, as root; `as-user` in front of a command runs it as the user of the stacks.
    pub async fn run(&mut self, line: &str) -> Result<Answer> {
        let script = script(self.guest.kind(), self.guest.user(), line);
        self.guest.command(&script, Account::Root, LIMIT).await
    }

    /// Ends the machine.
    pub async fn end(self) -> Result<()> {
        Ok(self.guest.into_machine().end().await?)
    }
}

fn script(kind: &Kind, user: &User, line: &str) -> String {
    let prelude = LINE
        .replace("@name@", &user.name)
        .replace("@uid@", &user.uid.to_string())
        .replace("@gid@", &user.gid.to_string())
        .replace("@environment@", &environment(kind, user));
    format!("{prelude}{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs lines here one after another, their state in a folder; gives the last one's output and status.
    fn run(lines: &[&str]) -> (String, Option<i32>) {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("session").display().to_string();
        let user = User {
            name: "root".to_owned(),
            uid: 0,
            group: "root".to_owned(),
            gid: 0,
            home: folder.path().display().to_string(),
        };
        let one = |line: &&str| {
            let script = script(&crate::guest::DEBIAN, &user, line).replace("/run/harness/session", &state);
            std::process::Command::new("bash").arg("-c").arg(script).output().unwrap()
        };
        let last = lines.iter().map(one).collect::<Vec<_>>().pop().unwrap();
        (String::from_utf8(last.stdout).unwrap(), last.status.code())
    }

    #[test]
    fn lines_follow_one_another_as_in_one_shell() {
        let check = |lines: &[&str], output: &str, status: i32| {
            assert_eq!(run(lines), (output.to_owned(), Some(status)), "{lines:?}");
        };
        check(&["cd /usr/lib", "pwd"], "/usr/lib\n", 0);
        check(&["x='a b'; y=(1 '2 3')", "echo \"$x ${y[1]}\""], "a b 2 3\n", 0);
        check(&["f() { echo \"f $1\"; }", "true", "f 1"], "f 1\n", 0);
        check(&["x=1; exit 3", "echo $x"], "1\n", 0);
        check(&["x=1; false"], "", 1);
        check(&["x=1", "exit 7"], "", 7);
        check(&["x=1", "if", "echo $x"], "1\n", 0);
        check(&["if"], "", 2);
    }
}
