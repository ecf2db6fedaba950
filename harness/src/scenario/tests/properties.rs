//! Whatever is in a file: reading ends, and what it finds lies inside the file.

use proptest::prelude::*;

use super::mistakes::GOOD;
use super::*;

fn check(text: &str) -> Result<(), TestCaseError> {
    let source = source("scenarios/failure/example.toml", text);
    for mistake in read(source.clone(), Section::Failure, "example", &world()).err().unwrap_or_default() {
        prop_assert!(source.text.get(mistake.span.clone()).is_some(), "{mistake:?} is outside of {text:?}");
        prop_assert!(mistake.render(&source, false).contains(&mistake.message));
    }
    Ok(())
}

proptest! {
    #[test]
    fn anything(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn a_file_that_breaks_off(end in 0..GOOD.len()) {
        check(&GOOD[..end])?;
    }

    #[test]
    fn a_file_with_something_else_in_it(
        at in 0..GOOD.len(),
        length in 0..20_usize,
        other in "[a-z@{}\\[\\]=\", .0-9\\\\\n(*é-]{0,8}",
    ) {
        let end = (at + length).min(GOOD.len());
        check(&format!("{}{other}{}", &GOOD[..at], &GOOD[end..]))?;
    }
}
