//! Containers, as `podman ps` lists them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ContainerState, ParseError};

const WHAT: &str = "the output of podman ps";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    names: Vec<String>,
    image: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    state: String,
    status: String,
    started_at: i64,
    pid: i64,
    exit_code: i64,
    labels: Option<BTreeMap<String, String>>,
}

/// Reads the array of `podman ps --all --format json`, and the environments of containers, each on a line with the
/// container's id and a JSON list, as far as they were asked for.
///
/// `podman ps` is half the work of `podman inspect` and says all but the environment.
///
/// # Errors
/// A text that broke off or a container without one of the properties that every container has.
pub fn parse_containers(json: &str, environments: &str) -> Result<Vec<ContainerState>, ParseError> {
    let listed: Vec<Listed> =
        serde_json::from_str(json).map_err(|error| ParseError::new(WHAT, error.line(), error.to_string()))?;
    let mut environments = parse_environments(environments)?;
    Ok(listed.into_iter().map(|container| state_of(container, &mut environments)).collect())
}

type Environments = BTreeMap<String, BTreeMap<String, String>>;

fn parse_environments(text: &str) -> Result<Environments, ParseError> {
    let mut environments = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let error = |problem: String| ParseError::new("the environments of containers", index + 1, problem);
        let (id, json) = line.split_once(' ').ok_or_else(|| error(format!("{line:?} is no id and list")))?;
        let variables: Option<Vec<String>> =
            serde_json::from_str(json).map_err(|problem| error(problem.to_string()))?;
        let pairs = variables.unwrap_or_default().into_iter().map(|variable| match variable.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (variable, String::new()),
        });
        environments.insert(id.to_owned(), pairs.collect());
    }
    Ok(environments)
}

fn state_of(container: Listed, environments: &mut Environments) -> ContainerState {
    ContainerState {
        environment: environments.remove(&container.id).unwrap_or_default(),
        health: health_in(&container.status).to_owned(),
        // Seconds alone would not tell a container that was started twice in one.
        started: format!("{} as process {}", container.started_at, container.pid),
        id: container.id,
        name: container.names.into_iter().next().unwrap_or_default(),
        image: container.image,
        image_id: container.image_id,
        state: container.state,
        exit: container.exit_code,
        labels: container.labels.unwrap_or_default(),
    }
}

/// Whether a text is a container's whole id.
pub(super) fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The health in a status such as `Up 23 seconds (healthy)`; none without a health check, or in `Exited (0) …`.
fn health_in(status: &str) -> &str {
    let last = status.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    last.filter(|word| ["healthy", "unhealthy", "starting"].contains(word)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"[
      {"Id":"aa","Names":["plex"],"Image":"127.0.0.1:5000/plex/plex:1","ImageID":"1","State":"running","Pid":7,
       "Status":"Up 23 seconds (healthy)","StartedAt":1795314546,"ExitCode":0,"Exited":false,
       "Labels":{"PODMAN_SYSTEMD_UNIT":"plex-stack.service"}},
      {"Id":"bb","Names":["side"],"Image":"x","ImageID":"2","State":"exited","Pid":0,
       "Status":"Exited (137) 2 minutes ago","StartedAt":1795314500,"ExitCode":137,"Labels":null}]"#;

    #[test]
    fn listed_containers_are_read() {
        let environments = "aa [\"A=b=c\",\"EMPTY\"]\nbb null\n";
        let containers = parse_containers(JSON, environments).unwrap();
        assert_eq!((&*containers[0].name, &*containers[0].health), ("plex", "healthy"));
        assert_eq!(containers[0].environment["A"], "b=c");
        assert_eq!(containers[0].environment["EMPTY"], "");
        assert_eq!(containers[0].started, "1795314546 as process 7");
        assert_eq!(containers[0].labels["PODMAN_SYSTEMD_UNIT"], "plex-stack.service");
        assert_eq!((&*containers[1].health, containers[1].exit), ("", 137));
        assert_eq!(parse_containers("[]", "").unwrap(), []);
    }

    #[test]
    fn health_stands_in_the_status() {
        for (status, health) in [
            ("Up 2 minutes (unhealthy)", "unhealthy"),
            ("Up 1 second (starting)", "starting"),
            ("Up 5 hours", ""),
            ("Exited (0) 3 minutes ago", ""),
            ("Exited (0)", ""),
        ] {
            assert_eq!(health_in(status), health, "{status}");
        }
    }

    #[test]
    fn half_an_answer_is_an_error() {
        let check = |json: &str, environments: &str, part: &str| {
            let error = parse_containers(json, environments).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("", "", "EOF");
        check(&JSON[..200], "", "EOF");
        check(&JSON.replace("\"State\":\"running\",", ""), "", "State");
        check(&JSON.replace("\"Id\":\"bb\",", ""), "", "Id");
        check(JSON, "aa [\"A=", "EOF");
        check(JSON, "aa", "no id and list");
    }
}
