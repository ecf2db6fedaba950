//! The scripts that take pictures in a guest: what is asked there, and in which order.

use crate::generation::User;

use super::action::{quote, quote_all};
use super::look::Wanted;

/// The properties of units that pictures show.
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,InvocationID,NRestarts,\
                          ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic,FragmentPath,Transient";
/// The kinds of units that pictures show. Devices, slices and scopes come and go with what these do.
const TYPES: &str = "service,socket,timer,mount,target,path";
/// Between the sections of a picture's output.
pub(super) const SEPARATOR: char = '\u{1e}';
/// Where the system's manager keeps what it knows at run time.
pub(super) const SYSTEM_FOLDER: &str = "/run/systemd";

/// Where the user's manager keeps what it knows at run time.
pub(super) fn user_folder(uid: u32) -> String {
    format!("/run/user/{uid}/systemd")
}

/// One command for the whole picture. Tracing is off meanwhile: what we start ourselves is not the stacks' doing.
///
/// In virtual time a short sleep ends only when nothing is left to run, so what the journal daemon was sent before it
/// has been written after it.
pub(super) fn script(wanted: &Wanted, nonce: &str, user: &User) -> String {
    let (barrier, section) = (barrier_script(nonce), section_function());
    format!(
        r#"
set -e
tracing=/sys/kernel/tracing
{section}
echo 0 > $tracing/tracing_on
sleep 0.1
# An argument may have any byte, our separator among them.
section trace; LC_ALL=C sed 's/\x1e//g' $tracing/trace; echo > $tracing/trace
names() {{ for file in "$1"/*; do [ ! -e "$file" ] || printf '%s\n' "${{file##*/}}"; done; }}
section managers; find {{{system_folder},{user_folder}}}/{{transient,units}} -mindepth 1 -printf '%p %l\n' 2>/dev/null || true
section list-system; systemctl list-units --all --type={TYPES} --output=json
section units-system; {system_units}
# Outside of the user's own processes, podman has the user's manager make a scope for it, at a sixth of its cost.
group=/sys/fs/cgroup/harness
[ -d $group ] || {{ mkdir $group; chown {uid} $group; }}
(echo $BASHPID > $group/cgroup.procs; exec {as_user} sh -ec {user_script})
section sockets; ss -H -n -l -t -u -x
runtime=/run/user/{uid}
# What podman, systemd and a switch of NixOS keep for containers and units goes with these. A file may go away meanwhile.
section paths; find /tmp /var/tmp $runtime {folders} -xdev \( -path $runtime/containers -o -path $runtime/libpod \
    -o -path $runtime/netns -o -path $runtime/crun -o -path $runtime/systemd -o -path $runtime/nixos \) -prune -o -print 2>/dev/null || true
section processes; grep -s -H '' /proc/[0-9]*/comm /proc/[0-9]*/cgroup || true
store={home}/.local/share/containers/storage
section networks; names $store/networks
section volumes; names $store/volumes
section images; [ ! -e $store/overlay-images/images.json ] || cat $store/overlay-images/images.json
section files
for path in {files}; do
    if [ -e "$path" ]; then
        printf '%s\t%s\t%s\n' "$path" "$(stat --format=$'%a\t%U\t%G' "$path")" "$(head -c 65536 "$path" | base64 -w 0)"
    else
        printf '%s\tabsent\n' "$path"
    fi
done
section end
{barrier}
echo 1 > $tracing/tracing_on
"#,
        uid = user.uid,
        system_folder = SYSTEM_FOLDER,
        user_folder = user_folder(user.uid),
        as_user = as_user(user),
        user_script = quote(&user_script(wanted, user.uid)),
        system_units = show("systemctl", &wanted.system_units),
        files = quote_all(&wanted.files),
        folders = quote_all(&wanted.folders),
        home = quote(&user.home)
    )
}

/// The part of the picture that the user's manager and the user's podman give, as one program of the user's.
fn user_script(wanted: &Wanted, uid: u32) -> String {
    let units = show("systemctl --user", &wanted.user_units);
    let environments = quote_all(&wanted.environments);
    let section = section_function();
    format!(
        r#"
{section}
# Early in a boot there is no user manager that could be asked; one that has been stopped leaves its socket.
asked() {{ [ -S /run/user/{uid}/bus ] && [ -d /sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service ]; }}
section list-user; if asked; then systemctl --user list-units --all --type={TYPES} --output=json; else echo '[]'; fi
section units-user; ! asked || {units}
# Garbage collection is a third of what `podman ps` costs, and changes nothing of what it says.
export GOGC=off
section containers; containers=$(podman ps --all --no-trunc --format json); printf '%s\n' "$containers"
section environments
if [ -n "{environments}" ]; then
    ids=$(printf '%s' "$containers" |
        jq --raw-output '.[] | select(any(.Names[]; IN($ARGS.positional[]))) | .Id' --args {environments})
    [ -z "$ids" ] || podman container inspect --format '{{{{.Id}}}} {{{{json .Config.Env}}}}' $ids
fi
"#
    )
}

/// The part of a picture that shows the properties of units, by itself.
pub(super) fn units_script(wanted: &Wanted, user: &User) -> String {
    let (section, as_user) = (section_function(), as_user(user));
    let system_units = show("systemctl", &wanted.system_units);
    let user_units = show(&format!("{as_user} systemctl --user"), &wanted.user_units);
    format!(
        "set -e\n{section}\n\
         echo 0 > /sys/kernel/tracing/tracing_on\n\
         section units-system; {system_units}\n\
         section units-user; {user_units}\n\
         section end\n\
         echo 1 > /sys/kernel/tracing/tracing_on"
    )
}

/// The command by which a manager shows the properties of units; without units it would show its own.
fn show(manager: &str, units: &[String]) -> String {
    if units.is_empty() {
        return ":".to_owned();
    }
    format!("{manager} show {} --property={PROPERTIES}", quote_all(units))
}

/// The shell's function that begins a section.
fn section_function() -> String {
    format!("section() {{ printf '\\n{SEPARATOR}%s\\n' \"$1\"; }}")
}

/// What stands before a command that the user shall run; more variables may follow it.
fn as_user(user: &User) -> String {
    format!(
        "setpriv --reuid={uid} --regid={gid} --init-groups env HOME={home} XDG_RUNTIME_DIR=/run/user/{uid} \
         DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus",
        uid = user.uid,
        gid = user.gid,
        home = quote(&user.home)
    )
}

/// Writes the barrier's record and gives the stream a moment to hand it over.
pub(super) fn barrier_script(nonce: &str) -> String {
    format!(
        "journalctl --sync\n\
         printf 'MESSAGE=barrier {nonce}\\nPRIORITY=7\\nSYSLOG_IDENTIFIER=harness\\nHARNESS_BARRIER={nonce}\\n' | \
         logger --journald\n\
         sleep 0.5"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_asked_of_named_units_only() {
        assert_eq!(show("systemctl", &[]), ":");
        let shown = show("systemctl --user", &["a.service".to_owned()]);
        assert!(shown.starts_with("systemctl --user show a.service --property=Id,"), "{shown}");
    }
}
