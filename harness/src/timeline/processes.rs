//! Running programs, with the unit that each belongs to.

use std::collections::BTreeMap;

use super::{ParseError, ProcessState};

const WHAT: &str = "the processes of a picture";

/// Programs that podman starts for a container or for the containers' network, and that go with it: pictures show
/// containers and their ports for themselves. The last are what a picture is taken with.
const NOT_SHOWN: &[&str] = &["conmon", "pasta", "aardvark-dns", "rootlessport", "rootlessport-child", "(udev-worker)"];
/// How the programs begin that list the processes.
const OURS: &[&str] = &["tail -n +1 ", "tr \\0 "];

/// Reads what `tail -n +1` prints of files `N/cgroup` and `N/cmdline` below `/proc`, with blanks for zero bytes. Left
/// out are the kernel's threads, what runs in containers or for them, and what has ended meanwhile.
///
/// # Errors
/// Names the line that comes before any file's.
pub fn parse_processes(text: &str) -> Result<Vec<ProcessState>, ParseError> {
    let mut groups: BTreeMap<&str, &str> = BTreeMap::new();
    let mut commands: BTreeMap<&str, String> = BTreeMap::new();
    let mut file = None;
    for (index, line) in text.lines().enumerate() {
        match (header(line), file) {
            (Some(begun), _) => file = Some(begun),
            (None, Some((process, "cgroup"))) if !line.is_empty() => {
                groups.insert(process, line.trim_start_matches("0::"));
            }
            (None, Some((process, "cmdline"))) if !line.is_empty() => {
                commands.entry(process).or_default().push_str(line);
            }
            (None, Some(_)) => {}
            (None, None) if line.is_empty() => {}
            (None, None) => return Err(ParseError::new(WHAT, index + 1, format!("{line:?} belongs to no file"))),
        }
    }
    let shown = commands.into_iter().filter_map(|(process, command)| {
        let group = groups.get(process)?;
        let is_shown = !group.contains("/libpod-") && is_shown(&command);
        let (scope, unit) = unit_of(group);
        is_shown.then(|| ProcessState { scope, unit, command: command.trim_end().to_owned() })
    });
    let mut processes: Vec<ProcessState> = shown.collect();
    processes.sort();
    Ok(processes)
}

/// The process and the name of its file, where the line begins one.
fn header(line: &str) -> Option<(&str, &str)> {
    let (process, file) = line.strip_prefix("==> ")?.strip_suffix(" <==")?.split_once('/')?;
    let is_number = process.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && ["cgroup", "cmdline"].contains(&file)).then_some((process, file))
}

fn is_shown(command: &str) -> bool {
    let program = command.split(' ').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    !NOT_SHOWN.contains(&name) && !OURS.iter().any(|beginning| command.starts_with(beginning))
}

/// The innermost unit of a control group's path, and the manager that it is of.
fn unit_of(group: &str) -> (String, String) {
    let parts = || group.split('/');
    let unit = parts().rfind(|part| part.ends_with(".service") || part.ends_with(".scope"));
    let scope = if parts().any(|part| part.starts_with("user@")) { "user" } else { "system" };
    (scope.to_owned(), unit.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_have_their_unit() {
        let user = "0::/user.slice/user-1000.slice/user@1000.service";
        let text = format!(
            "==> 1/cgroup <==\n0::/init.scope\n\n==> 10/cgroup <==\n0::/\n\n\
             ==> 20/cgroup <==\n{user}/app.slice/watch.service\n\n\
             ==> 21/cgroup <==\n{user}/app.slice/probe.service/libpod-payload-aa\n\n\
             ==> 22/cgroup <==\n{user}/app.slice/podman.service\n\n==> 23/cgroup <==\n0::/system.slice/b.service/udev\n\n\
             ==> 1/cmdline <==\n/sbin/init \n\n==> 10/cmdline <==\n\n\
             ==> 20/cmdline <==\nbash -c true\n==> no header <== \n\n==> 21/cmdline <==\n/bin/sh /bin/service \n\n\
             ==> 22/cmdline <==\n/usr/bin/pasta --quiet \n\n==> 23/cmdline <==\ntail -n +1 1/cgroup \n\n\
             ==> 24/cmdline <==\nended \n"
        );
        let processes = parse_processes(&text).unwrap();
        let found: Vec<_> = processes.iter().map(|found| (&*found.scope, &*found.unit, &*found.command)).collect();
        let expected =
            [("system", "init.scope", "/sbin/init"), ("user", "watch.service", "bash -c true==> no header <==")];
        assert_eq!(found, expected);
        assert_eq!(parse_processes("").unwrap(), []);
        let error = parse_processes("tail: not found\n").unwrap_err();
        assert!(error.to_string().contains("belongs to no file"), "{error}");
    }
}
