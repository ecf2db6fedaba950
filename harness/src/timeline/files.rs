//! Files that were looked at, one a line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{FileFound, FileState, ParseError};

const WHAT: &str = "the files of a picture";

/// Reads lines of `path TAB mode TAB owner TAB group TAB content`, the mode in octal as `stat` prints it with `%a` and
/// the content in base64, or of `path TAB absent`.
///
/// # Errors
/// Names the line that is neither.
pub fn parse_files(text: &str) -> Result<Vec<FileState>, ParseError> {
    text.lines()
        .enumerate()
        .map(|(index, line)| parse_line(line).map_err(|problem| ParseError::new(WHAT, index + 1, problem)))
        .collect()
}

fn parse_line(line: &str) -> Result<FileState, String> {
    let (path, found) = match line.split('\t').collect::<Vec<_>>()[..] {
        [path, "absent"] => (path, None),
        [path, mode, owner, group, content] => (path, Some(found(mode, owner, group, content)?)),
        _ => return Err(format!("{line:?} has neither two nor five fields")),
    };
    Ok(FileState { path: path.to_owned(), found })
}

fn found(mode: &str, owner: &str, group: &str, content: &str) -> Result<FileFound, String> {
    let content = STANDARD.decode(content).map_err(|error| format!("the content is no base64: {error}"))?;
    Ok(FileFound {
        mode: u32::from_str_radix(mode, 8).map_err(|_| format!("{mode:?} is no octal mode"))?,
        owner: owner.to_owned(),
        group: group.to_owned(),
        text: String::from_utf8_lossy(&content).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_files() {
        let files = parse_files("/a b\t600\tabl030\tusers\tb25lCnR3bwo=\n/gone\tabsent\n").unwrap();
        let found = files[0].found.as_ref().unwrap();
        assert_eq!((found.mode, &*found.text), (0o600, "one\ntwo\n"));
        assert_eq!((&*files[0].path, &*found.owner, &*found.group), ("/a b", "abl030", "users"));
        assert_eq!((&*files[1].path, &files[1].found), ("/gone", &None));
    }

    #[test]
    fn other_lines_are_errors() {
        let check = |line: &str, part: &str| {
            let error = parse_files(&format!("/x\tabsent\n{line}")).unwrap_err();
            assert_eq!(error.line, 2);
            assert!(error.to_string().contains(part), "{error}");
        };
        check("/x", "two nor five");
        check("/x\t9\to\tg\t", "octal");
        check("/x\t600\to\tg\t!", "base64");
    }
}
