//! Containers, as `podman inspect` prints them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ContainerState, ParseError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    image: String,
    image_name: String,
    state: State,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    started_at: String,
    exit_code: i64,
    // Podman before 4 called it `Healthcheck`; without a check the object is missing or its status is empty.
    #[serde(alias = "Healthcheck")]
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
    env: Option<Vec<String>>,
}

/// Reads the array that `podman inspect` prints for containers.
///
/// # Errors
/// A text that broke off or a container without one of the properties that every container has.
pub fn parse_containers(json: &str) -> Result<Vec<ContainerState>, ParseError> {
    let containers: Vec<Inspected> = serde_json::from_str(json)
        .map_err(|error| ParseError::new("the output of podman inspect", error.line(), error.to_string()))?;
    Ok(containers.into_iter().map(state_of).collect())
}

fn state_of(container: Inspected) -> ContainerState {
    let environment = container.config.env.unwrap_or_default();
    ContainerState {
        id: container.id,
        name: container.name,
        image: container.image_name,
        image_id: container.image,
        state: container.state.status,
        health: container.state.health.map_or_else(String::new, |health| health.status),
        exit: container.state.exit_code,
        started: container.state.started_at,
        labels: container.config.labels.unwrap_or_default(),
        environment: environment
            .iter()
            .map(|variable| variable.split_once('=').unwrap_or((variable, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"[
      {"Id":"aa","Name":"plex","Image":"sha256:1","ImageName":"127.0.0.1:5000/plex/plex:1",
       "State":{"Status":"running","StartedAt":"2026-01-01T00:00:00.5Z","ExitCode":0,
                "Health":{"Status":"healthy","FailingStreak":0,"Log":null}},
       "Config":{"Labels":{"PODMAN_SYSTEMD_UNIT":"plex-stack.service"},"Env":["A=b=c","EMPTY"],"Tty":false}},
      {"Id":"bb","Name":"side","Image":"sha256:2","ImageName":"x",
       "State":{"Status":"exited","StartedAt":"","ExitCode":137},"Config":{"Labels":null,"Env":null}}]"#;

    #[test]
    fn inspected_containers_are_read() {
        let containers = parse_containers(JSON).unwrap();
        assert_eq!(containers[0].health, "healthy");
        assert_eq!(containers[0].environment["A"], "b=c");
        assert_eq!(containers[0].environment["EMPTY"], "");
        assert_eq!(containers[0].image_id, "sha256:1");
        assert_eq!((&*containers[1].health, containers[1].exit), ("", 137));
        let old = JSON.replace("\"Health\"", "\"Healthcheck\"");
        assert_eq!(parse_containers(&old).unwrap(), containers);
        assert_eq!(parse_containers("[]").unwrap(), []);
    }

    #[test]
    fn half_an_answer_is_an_error() {
        let check = |json: &str, part: &str| {
            let error = parse_containers(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("", "EOF");
        check(&JSON[..200], "EOF");
        check(&JSON.replace("\"Status\":\"running\",", ""), "Status");
        check(&JSON.replace("\"Id\":\"bb\",", ""), "Id");
    }
}
