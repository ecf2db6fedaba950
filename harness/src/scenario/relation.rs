//! Comparisons of numbers that a regular expression captures.

use regex::{Captures, Regex};

/// A comparison such as `age > threshold` between two captures, or a capture and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    left: Operand,
    comparison: Comparison,
    right: Operand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Capture(String),
    Number(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    ("=", Comparison::Equal),
    (">=", Comparison::AtLeast),
    (">", Comparison::More),
];

impl Relation {
    /// Reads `LEFT COMPARISON RIGHT`, separated by blanks; the names are those of the expression's groups.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to do.
    pub fn parse(text: &str, regex: &Regex) -> Result<Relation, (String, String)> {
        let [left, comparison, right] = text.split_whitespace().collect::<Vec<_>>()[..] else {
            let advice = "write two operands and a comparison between blanks, as in \"age > threshold\"";
            return Err((format!("`{text}` is not a comparison"), advice.to_owned()));
        };
        let found = COMPARISONS.iter().find(|(sign, _)| *sign == comparison);
        let Some((_, comparison)) = found else {
            let signs = COMPARISONS.map(|(sign, _)| format!("`{sign}`")).join(", ");
            return Err((format!("`{comparison}` is not a comparison"), format!("known are {signs}")));
        };
        let relation = Relation { left: operand(left, regex)?, comparison: *comparison, right: operand(right, regex)? };
        if matches!((&relation.left, &relation.right), (Operand::Number(_), Operand::Number(_))) {
            let advice = "compare a group of the expression, such as `(?<age>[0-9]+)`";
            return Err((format!("`{text}` does not depend on what is matched"), advice.to_owned()));
        }
        Ok(relation)
    }

    /// Whether it holds for what was captured; what is no number is in no relation.
    pub(super) fn holds(&self, captures: &Captures<'_>) -> bool {
        let (Some(left), Some(right)) = (self.left.value(captures), self.right.value(captures)) else { return false };
        match self.comparison {
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::Equal => left == right,
            Comparison::AtLeast => left >= right,
            Comparison::More => left > right,
        }
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = COMPARISONS.iter().find(|(_, comparison)| *comparison == self.comparison);
        let sign = sign.map_or("", |(sign, _)| *sign);
        write!(f, "{} {sign} {}", self.left, self.right)
    }
}

impl Operand {
    fn value(&self, captures: &Captures<'_>) -> Option<i64> {
        match self {
            Operand::Number(number) => Some(*number),
            Operand::Capture(name) => captures.name(name)?.as_str().parse().ok(),
        }
    }
}

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Operand::Number(number) => number.fmt(f),
            Operand::Capture(name) => name.fmt(f),
        }
    }
}

fn operand(text: &str, regex: &Regex) -> Result<Operand, (String, String)> {
    if let Ok(number) = text.parse() {
        return Ok(Operand::Number(number));
    }
    if regex.capture_names().flatten().any(|name| name == text) {
        return Ok(Operand::Capture(text.to_owned()));
    }
    let advice = format!("name a group, as in `(?<{text}>[0-9]+)`, or write a number");
    Err((format!("the expression has no group `{text}`"), advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared() {
        let regex = Regex::new(r"for (?<n>\w+)s \((?<t>\d+)s\)").unwrap();
        let check = |relation: &str, text: &str, expected: bool| {
            let relation = Relation::parse(relation, &regex).unwrap();
            assert_eq!(relation.holds(&regex.captures(text).unwrap()), expected, "{relation} in {text}");
        };
        check("n > t", "for 91s (90s)", true);
        check("n > t", "for 90s (90s)", false);
        check("n >= t", "for 90s (90s)", true);
        check("n <= t", "for 90s (90s)", true);
        check("n < 90", "for 89s (90s)", true);
        check("90 = t", "for 1s (90s)", true);
        // Longer than any number, and no number: neither is more than another.
        check("n > t", "for 99999999999999999999s (90s)", false);
        check("n > t", "for xs (90s)", false);
    }
}
