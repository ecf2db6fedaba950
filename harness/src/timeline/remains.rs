//! What lies about on a guest and nobody owns up to: files, processes, networks, volumes and images.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::containers::is_container_id;
use super::{ParseError, Remains};

/// The ends of units that come and go with single commands and containers.
const PASSING_UNITS: [&str; 2] = [".scope", ".slice"];

/// What a program is called that has run itself anew through /proc/self/exe, as rootless podman does.
const RUN_ANEW: &str = "exe";

/// The folders that systemd gives to services with PrivateTmp=: they come and go with these.
const PRIVATE_FOLDERS: &str = "/systemd-private-";

/// What the guest says of them, each as the tool prints it.
#[derive(Debug, Clone, Copy)]
pub struct Traces<'a> {
    /// Paths, one a line, as `find` prints them.
    pub paths: &'a str,
    /// `grep -H '' /proc/[0-9]*/comm /proc/[0-9]*/cgroup`: the path, a colon, the text.
    pub processes: &'a str,
    /// The files of podman's networks, by name.
    pub networks: &'a str,
    /// The folders of podman's volumes, by name.
    pub volumes: &'a str,
    /// `images.json` of podman's store; empty where there is none yet.
    pub images: &'a str,
}

/// Reads them.
///
/// # Errors
/// Lines of `grep` that name no process, and a list of images that is none.
pub fn parse_remains(traces: Traces<'_>) -> Result<Remains, ParseError> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let paths = lines(traces.paths);
    let processes = processes(traces.processes)?;
    // What no guest is without: an empty list would be equal to every other, and hide whatever has changed.
    if !paths.contains("/tmp") {
        return Err(ParseError::new("the list of paths", 1, "/tmp is not in it".to_owned()));
    }
    if !processes.contains("systemd of init.scope") {
        return Err(ParseError::new("the list of processes", 1, "no manager is in it".to_owned()));
    }
    let networks =
        lines(traces.networks).iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect();
    Ok(Remains {
        paths: paths.into_iter().filter(|path| !path.contains(PRIVATE_FOLDERS)).collect(),
        processes,
        networks,
        volumes: lines(traces.volumes),
        images: images(traces.images)?,
    })
}

/// The programs in each unit's control group. Kernel threads have none, and those of a container's unit, which bears its
/// id, go with the container.
fn processes(text: &str) -> Result<BTreeSet<String>, ParseError> {
    let mut commands: BTreeMap<&str, &str> = BTreeMap::new();
    let mut groups: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let told = line.strip_prefix("/proc/").and_then(|line| line.split_once('/'));
        let said = told.and_then(|(process, rest)| Some((process, rest.split_once(':')?)));
        match said {
            Some((process, ("comm", command))) => commands.insert(process, command),
            Some((process, ("cgroup", group))) => groups.insert(process, group.strip_prefix("0::").unwrap_or(group)),
            _ => {
                let problem = format!("{line:?} is no process");
                return Err(ParseError::new("the list of processes", index + 1, problem));
            }
        };
    }
    // A process may have ended between the two readings.
    let known = commands.iter().filter(|(_, command)| **command != RUN_ANEW);
    let known = known.filter_map(|(process, command)| Some((*command, unit_of(groups.get(process)?)?)));
    Ok(known.map(|(command, unit)| format!("{command} of {unit}")).collect())
}

/// The unit that a control group belongs to: the innermost part of the path that is one.
fn unit_of(group: &str) -> Option<&str> {
    let of_container = group.split(['/', '-', '.']).any(is_container_id);
    let unit = group.rsplit('/').find(|part| part.contains('.'))?;
    let passes = unit != "init.scope" && PASSING_UNITS.iter().any(|end| unit.ends_with(end));
    (!of_container && !passes).then_some(unit)
}

#[derive(Deserialize)]
struct Image {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
}

/// Each name with the image that it has; an image without a name stands for itself.
fn images(text: &str) -> Result<BTreeMap<String, String>, ParseError> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<Image> = serde_json::from_str(text)
        .map_err(|error| ParseError::new("podman's list of images", error.line(), error.to_string()))?;
    let named = list.into_iter().flat_map(|image| {
        let names = image.names.filter(|names| !names.is_empty()).unwrap_or_else(|| vec![image.id.clone()]);
        names.into_iter().map(move |name| (name, image.id.clone()))
    });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every guest has.
    const LEAST: Traces<'_> = Traces {
        paths: "/tmp\n",
        processes: "/proc/1/comm:systemd\n/proc/1/cgroup:0::/init.scope\n",
        networks: "",
        volumes: "",
        images: "",
    };

    #[test]
    fn what_is_there_is_named() {
        let id = "0123456789abcdef".repeat(4);
        let user = "0::/user.slice/user-1000.slice/user@1000.service";
        let processes = format!(
            "/proc/1/comm:systemd\n/proc/1/cgroup:0::/init.scope\n\
             /proc/2/comm:kthreadd\n/proc/2/cgroup:0::/\n\
             /proc/30/comm:a: b\n/proc/30/cgroup:{user}/app.slice/stack-watch.service\n\
             /proc/31/comm:conmon\n/proc/31/cgroup:{user}/user.slice/libpod-conmon-{id}.scope\n\
             /proc/32/comm:sleep\n/proc/32/cgroup:{user}/app.slice/probe.service/libpod-payload-{id}\n\
             /proc/33/comm:podman\n/proc/33/cgroup:{user}/app.slice/{id}-1f.service\n\
             /proc/34/comm:pasta\n/proc/34/cgroup:{user}/user.slice/rootless-netns-1.scope\n\
             /proc/35/comm:ended\n\
             /proc/36/comm:exe\n/proc/36/cgroup:{user}/app.slice/stack-watch.service\n"
        );
        let images = r#"[{"id":"aa","names":["x:1","x:2"]},{"id":"bb","names":null},{"id":"cc"}]"#;
        let remains = parse_remains(Traces {
            paths: "/tmp\n/tmp/x\n/tmp/systemd-private-0-systemd-logind.service-a/tmp\n",
            processes: &processes,
            networks: "netavark.lock\na_default.json\n",
            volumes: "data\n",
            images,
        });
        let remains = remains.unwrap();
        let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" | ");
        assert_eq!(texts(&remains.paths), "/tmp | /tmp/x");
        assert_eq!(texts(&remains.processes), "a: b of stack-watch.service | systemd of init.scope");
        assert_eq!((texts(&remains.networks), texts(&remains.volumes)), ("a_default".into(), "data".into()));
        let images: Vec<_> = remains.images.iter().map(|(name, id)| format!("{name}={id}")).collect();
        assert_eq!(images.join(" "), "bb=bb cc=cc x:1=aa x:2=aa");
        assert_eq!(parse_remains(LEAST).unwrap().networks, BTreeSet::new());
    }

    #[test]
    fn a_list_without_what_every_guest_has_is_an_error() {
        let check = |traces: Traces<'_>, part: &str| {
            let error = parse_remains(traces).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(Traces { paths: "", ..LEAST }, "/tmp is not in it");
        check(Traces { processes: "", ..LEAST }, "no manager is in it");
    }

    #[test]
    fn other_lines_are_errors() {
        let error = parse_remains(Traces { processes: "/proc/1/comm:x\nx", ..LEAST }).unwrap_err();
        assert!(error.to_string().contains("is no process"), "{error}");
        assert_eq!(error.line, 2);
        let error = parse_remains(Traces { images: "[{}]", ..LEAST }).unwrap_err();
        assert!(error.to_string().contains("podman's list of images"), "{error}");
    }
}
