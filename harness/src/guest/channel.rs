//! Commands in a guest, through its root shell.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::generation::User;
use crate::machine::{Machine, PAUSE_PROGRAM};
use crate::timeline::Moment;

use super::action::{Command, quote_all};
use super::follow::Follower;
use super::{Error, Kind, Result};

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// uid 0.
    Root,
    /// The user who owns the stacks, with their bus and runtime folder.
    User,
}

/// What ends each part of an answer: nothing that a command prints by chance, zero bytes or not.
const END: &[u8] = b"\0end of what it said\0";

/// A booted guest.
#[derive(Debug)]
pub struct Guest {
    machine: Machine,
    kind: &'static Kind,
    user: User,
    follower: Follower,
    questions: u64,
    barriers: u64,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit status; 124 or 137 when its time was over.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// When the guest began it.
    pub from: Moment,
    /// When it was done.
    pub to: Moment,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
}

/// How much processor time QEMU may use for each second of guest time that a command may take, and on top of it. A
/// guest second costs a few seconds in software, and much less where the guest waits.
const PROCESSOR_SECONDS: (u64, u64) = (10, 300);

impl Guest {
    /// Waits for the shell of a machine that boots.
    pub async fn booted(mut machine: Machine, kind: &'static Kind, user: &User) -> Result<Guest> {
        let follower = Follower::start(&mut machine)?;
        machine.banner("for the guest's root shell", 900).await?;
        let mut guest = Guest { machine, kind, user: user.clone(), follower, questions: 0, barriers: 0 };
        guest.prepare().await?;
        Ok(guest)
    }

    /// Takes over a clone, whose shell was prepared before it was frozen.
    pub fn cloned(mut machine: Machine, kind: &'static Kind, user: &User, boots: Vec<String>) -> Result<Guest> {
        let mut follower = Follower::start(&mut machine)?;
        follower.boots = boots;
        Ok(Guest { machine, kind, user: user.clone(), follower, questions: 0, barriers: 0 })
    }

    /// Runs a bash script as root or as the user, in a bash of its own, for at most `limit` of guest time.
    pub async fn command(&mut self, script: &str, account: Account, limit: Duration) -> Result<Answer> {
        let how = match account {
            Account::Root => "root",
            Account::User => "user",
        };
        let arguments = [how, &limit.as_secs_f64().to_string(), script];
        let answer = self.ask(&arguments, &first_line(script), limit).await?;
        let elapsed = Duration::from_micros(answer.to.micros.saturating_sub(answer.from.micros));
        let timed_out = matches!(answer.exit, 124 | 137) && elapsed + Duration::from_millis(20) >= limit;
        Ok(Answer { timed_out, ..answer })
    }

    /// Runs a script of ours, which must succeed and must be known to end, as root in a subshell of the shell that is
    /// there: starting programs is what costs an emulated guest most.
    pub async fn must(&mut self, script: &str, allowance: Duration) -> Result<Answer> {
        let answer = self.ask(&["here", "0", script], &first_line(script), allowance).await?;
        if answer.exit == 0 {
            return Ok(answer);
        }
        Err(failed(script, &answer))
    }

    /// Runs a command that must succeed.
    pub async fn carry_out(&mut self, command: &Command) -> Result<Answer> {
        let answer = self.command(&command.script, command.account, command.limit).await?;
        if answer.exit == 0 {
            return Ok(answer);
        }
        Err(failed(&command.shown, &answer))
    }

    async fn ask(&mut self, arguments: &[&str], shown: &str, limit: Duration) -> Result<Answer> {
        self.questions += 1;
        let nonce = self.questions;
        let question = format!("harness {nonce} {}\n", quote_all(arguments));
        let allowance = limit.as_secs() * PROCESSOR_SECONDS.0 + PROCESSOR_SECONDS.1;
        let parts = self.machine.ask::<3>(question.as_bytes(), END, &format!("for `{shown}`"), allowance).await?;
        self.parse(&parts, nonce)
    }

    /// Restarts the guest, in order or by cutting its power, and waits for its shell.
    pub async fn reboot(&mut self, in_order: bool) -> Result<()> {
        self.follower.reboots = true;
        if in_order {
            self.machine.tell(b"systemctl reboot\n").await?;
        } else {
            self.machine.power_cut().await?;
        }
        self.machine.banner("for the guest's root shell after the restart", 900).await?;
        self.prepare().await?;
        // After a power cut there is no more of it: what had not been written is lost, and rightly so.
        if in_order { self.fetch_end_of_last_boot().await } else { Ok(()) }
    }

    /// A number for a barrier that no other barrier of this guest has.
    pub(super) fn next_barrier(&mut self) -> u64 {
        self.barriers += 1;
        self.barriers
    }

    /// The journal as it has arrived so far.
    pub fn follower(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// The machine under the guest.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Gives the machine back.
    pub fn into_machine(self) -> Machine {
        self.machine
    }

    /// The user who owns the stacks.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// What kind of guest it is.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The ids of the boots so far.
    pub fn boots(&self) -> &[String] {
        &self.follower.boots
    }

    /// Defines the shell function through which every command goes. It lives in the shell's memory, and so in every
    /// clone of this machine.
    async fn prepare(&mut self) -> Result<()> {
        let pause = if self.machine.pauses() { "printf . >&8" } else { ":" };
        let script = PROCEDURE
            .replace("@pause@", pause)
            .replace("@end@", &END.escape_ascii().to_string())
            .replace("@program@", &BASE64_STANDARD.encode(PAUSE_PROGRAM))
            .replace("@uid@", &self.user.uid.to_string())
            .replace("@gid@", &self.user.gid.to_string())
            .replace("@environment@", &environment(self.kind, &self.user));
        self.machine.tell(script.as_bytes()).await?;
        let boot = self.must("cat /proc/sys/kernel/random/boot_id", Duration::from_secs(60)).await?;
        self.follower.boot(boot.stdout.trim().replace('-', ""));
        Ok(())
    }

    fn parse(&self, parts: &[Vec<u8>; 3], nonce: u64) -> Result<Answer> {
        let nonsense = |problem: String| Error::Nonsense { what: "answer", problem };
        let [head, stdout, stderr] = parts.each_ref().map(|part| String::from_utf8_lossy(part).into_owned());
        let fields: Vec<&str> = head.split(' ').collect();
        let [said, exit, from, to] = fields[..] else {
            return Err(nonsense(format!("expected four fields: {}", first_line(&head))));
        };
        if said != nonce.to_string() {
            return Err(nonsense(format!("expected the answer to question {nonce}, got that to {said}")));
        }
        let exit: i32 = exit.parse().map_err(|_| nonsense(format!("`{exit}` is no exit status")))?;
        let (from, to) = (self.moment(from)?, self.moment(to)?);
        Ok(Answer { exit, stdout, stderr, from, to, timed_out: false })
    }

    /// A line of /proc/uptime's first field: seconds with two decimals.
    fn moment(&self, uptime: &str) -> Result<Moment> {
        let nonsense = || Error::Nonsense { what: "clock", problem: format!("`{uptime}` is no uptime") };
        let (seconds, hundredths) = uptime.split_once('.').ok_or_else(nonsense)?;
        let seconds: u64 = seconds.parse().map_err(|_| nonsense())?;
        let hundredths: u64 = hundredths.parse().map_err(|_| nonsense())?;
        Ok(Moment { boot: self.follower.current_boot(), micros: seconds * 1_000_000 + hundredths * 10_000 })
    }
}

/// The variables that the user's commands run with, as words for `env -i`.
pub(super) fn environment(kind: &Kind, user: &User) -> String {
    let variables: BTreeMap<&str, String> = BTreeMap::from([
        ("HOME", user.home.clone()),
        ("USER", user.name.clone()),
        ("LOGNAME", user.name.clone()),
        ("PATH", kind.path.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("XDG_RUNTIME_DIR", format!("/run/user/{}", user.uid)),
        ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path=/run/user/{}/bus", user.uid)),
    ]);
    let words: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.join(" ")
}

/// A command that had to succeed and did not, with the end of what it said.
fn failed(command: &str, answer: &Answer) -> Error {
    let said = if answer.stderr.trim().is_empty() { &answer.stdout } else { &answer.stderr };
    let lines: Vec<_> = said.trim().lines().collect();
    let said = lines[lines.len().saturating_sub(5)..].join("\n");
    Error::Command { command: first_line(command), status: answer.exit, said }
}

/// The first line of a text, shortened, for messages.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.chars().count() > 100 { line.chars().take(100).chain(['…']).collect() } else { line.to_owned() }
}

/// Scripts go through a file, so that no secret in one ever shows in a process's arguments; answers through a port of
/// their own, since the console takes sixteen bytes at a time. Hardly a program is started for it all, which is what costs
/// an emulated guest most: but the shell itself takes ten times as long as `cat` to pass on a long text.
pub const PROCEDURE: &str = r#"
mkdir -p -m 0755 /run/harness
base64 -d > /run/harness/pause <<< '@program@'
chmod 0755 /run/harness/pause
rm -f /run/harness/pauser
mkfifo -m 0600 /run/harness/pauser
exec 8<> /run/harness/pauser
/run/harness/pause <&8 &
until [ -e /dev/virtio-ports/harness.answer ]; do sleep 0.1; done
exec 7> /dev/virtio-ports/harness.answer
umask 022
harness() {
    local from to status said
    read -r from _ < /proc/uptime
    case $2 in
        here) (eval "$4") ;;
        root) printf %s "$4" > /run/harness/script
            timeout --kill-after=10 "$3" bash /run/harness/script ;;
        user) printf %s "$4" > /run/harness/script
            timeout --kill-after=10 "$3" setpriv --reuid=@uid@ --regid=@gid@ --init-groups \
                env -i @environment@ bash /run/harness/script ;;
    esac < /dev/null > /run/harness/stdout 2> /run/harness/stderr 7>&- 8>&-
    status=$?
    read -r to _ < /proc/uptime
    printf '%s %s %s %s@end@' "$1" "$status" "$from" "$to" >&7
    for said in /run/harness/stdout /run/harness/stderr; do
        [ ! -s $said ] || cat $said >&7
        printf '@end@' >&7
    done
    @pause@
}
"#;
