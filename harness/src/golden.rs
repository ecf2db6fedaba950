//! Files of the repository that are made from the code, and hold what tests expect.

use std::path::Path;

use pretty_assertions::StrComparison;

/// Compares a file, by its path in the repository, with what it must hold; with `HARNESS_UPDATE` set, renews it instead.
/// The filter selects the test that does so.
#[track_caller]
pub fn check(path: &str, filter: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("HARNESS_UPDATE").is_some() {
        std::fs::write(&file, actual).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == actual,
        "{path} is out of date; if the change is meant, `HARNESS_UPDATE=1 cargo test -p harness {filter}` renews it\n{}",
        StrComparison::new(&found, actual),
    );
}
