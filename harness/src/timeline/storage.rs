//! What podman keeps beside containers: images, networks, volumes.

use serde::Deserialize;

use super::ParseError;

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    names: Vec<String>,
}

/// Reads podman's list of images, `images.json`, and gives each name with the id that it means, as `NAME is ID`; an
/// image without a name is there by its id alone. No text at all means that there is no list, and so no image.
///
/// # Errors
/// If it is not such a list.
pub fn parse_images(json: &str) -> Result<Vec<String>, ParseError> {
    if json.is_empty() {
        return Ok(Vec::new());
    }
    let listed: Vec<Listed> = serde_json::from_str(json)
        .map_err(|error| ParseError::new("podman's list of images", error.line(), error.to_string()))?;
    let mut images = Vec::new();
    for image in listed {
        let id = image.id.get(..12).unwrap_or(&image.id);
        if image.names.is_empty() {
            images.push(id.to_owned());
        }
        images.extend(image.names.iter().map(|name| format!("{name} is {id}")));
    }
    images.sort();
    Ok(images)
}

/// Reads the names of the files in podman's folder of networks, one a line; its lock is not a network.
pub fn parse_networks(names: &str) -> Vec<String> {
    names.lines().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_listed_by_name() {
        let json = r#"[{"id":"0123456789abcdef","names":["b:1","a:1"],"digest":"x"},{"id":"fedcba9876543210"}]"#;
        assert_eq!(parse_images(json).unwrap(), ["a:1 is 0123456789ab", "b:1 is 0123456789ab", "fedcba987654"]);
        assert_eq!(parse_images("").unwrap(), [""; 0]);
        assert!(parse_images("[{").unwrap_err().to_string().contains("list of images"));
    }

    #[test]
    fn networks_are_files() {
        assert_eq!(parse_networks("a_default.json\nnetavark.lock\n"), ["a_default"]);
    }
}
