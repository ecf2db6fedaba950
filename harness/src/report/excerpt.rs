//! The place in a scenario file that a verdict is about.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::scenario::Source;

use super::Style;

/// The lines at `span` with a caret under them, headed by `word` and `title`.
///
/// A span that does not lie in the text (the file was edited after the trial was judged) gives a sentence instead.
pub(super) fn excerpt(source: &Source, span: (usize, usize), word: &str, title: &str, style: &Style) -> String {
    if source.text.get(span.0..span.1).is_none() {
        return format!(
            "{word}: {title}\n  --> {} (bytes {}..{}: the file was changed after the trial was judged)",
            source.path, span.0, span.1
        );
    }
    let renderer = if style.colored { Renderer::styled() } else { Renderer::plain() };
    let snippet = Snippet::source(&*source.text)
        .path(source.path.as_str())
        .annotation(AnnotationKind::Primary.span(span.0..span.1));
    let group = Level::ERROR.with_name(word).primary_title(title).element(snippet);
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::plain;
    use super::*;

    proptest! {
        #[test]
        fn every_span_of_every_text_can_be_shown(
            text in "[a-zä🦀 \t\r\n=\"]{0,60}",
            from in 0..70usize,
            to in 0..70usize,
        ) {
            let source = Source {
                path: "x.toml".to_owned(),
                text: text.as_str().into(),
            };
            let shown = excerpt(&source, (from, to), "FAILED", "line 1 of step 1", &plain());
            prop_assert!(shown.starts_with("FAILED: line 1 of step 1"));
            prop_assert!(shown.contains("x.toml"));
        }
    }
}
