//! `harness clean`

use std::time::{Duration, SystemTime};

use crate::image::{Content, Store};
use crate::run::Result;

use super::Exit;
use super::arguments::CleanArguments;
use super::print::{print, size};

/// After so many days without use something is removed, if nothing else is said.
pub const DAYS: u32 = 7;

const DAY: Duration = Duration::from_secs(86_400);

/// Removes from the cache what nobody has used for a while, and says what.
pub fn clean(arguments: &CleanArguments) -> Result<Exit> {
    let store = Store::from_environment()?;
    let now = SystemTime::now();
    let contents = store.contents()?;
    let old = unused(&contents, arguments.days, now);
    if !arguments.dry_run {
        store.remove(&old)?;
    }
    let verb = if arguments.dry_run { "would be removed" } else { "removed" };
    let row = |content: &Content| {
        let name = content.folder.strip_prefix(store.root()).unwrap_or(&content.folder);
        let days = content.age(now).as_secs() / DAY.as_secs();
        format!("{:>9}  {:<42}  unused for {days} d\n", size(content.bytes), name.display().to_string())
    };
    let mut text: String = old.iter().map(row).collect();
    text.push_str(&format!(
        "{} of {} entries {verb}: {} of {} at {}\n",
        old.len(),
        contents.len(),
        size(Content::total(&old)),
        size(Content::total(&contents)),
        store.root().display()
    ));
    print(&text)?;
    Ok(Exit::Passed)
}

/// What nobody has used for so many days.
pub fn unused(contents: &[Content], days: u32, now: SystemTime) -> Vec<Content> {
    contents.iter().filter(|content| content.age(now) >= DAY * days).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_it_is_over() {
        let now = SystemTime::now();
        let used = |age: Duration| Content { folder: "template/a".into(), used: now - age, bytes: 1 };
        let contents = [used(DAY * 7), used(DAY * 7 - Duration::from_secs(1)), used(Duration::ZERO)];
        assert_eq!(unused(&contents, 7, now), contents[..1]);
        assert_eq!(unused(&contents, 0, now), contents);
    }
}
