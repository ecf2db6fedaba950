//! Programs that were started, from the kernel's trace of a probe that sees each of them with its arguments.

use super::{Entry, Moment, ParseError};

const EVENT: &str = ": harness_exec: (";
/// How many arguments an event has at most.
const RECORDED: usize = 24;

/// Reads the trace of the kprobe event `harness_exec`, which has the number of a program's arguments as `argc` and the
/// first of them as `a0`, `a1`, …. Events that the kernel lost give a [`Entry::Broken`].
///
/// The kernel does not escape: an argument with a line break goes on in the next line of the trace.
///
/// # Errors
/// Names the line of an event that has no clock, no number of arguments, or an argument that the kernel could not read.
pub fn parse_exec_trace(text: &str, boot: u32) -> Result<Vec<Entry>, ParseError> {
    let mut entries = Vec::new();
    let mut event: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        if lost_events(line) {
            let reason = format!("the kernel's trace says {:?}: give its buffer more room", line.trim());
            entries.push(Entry::Broken { reason });
        } else if begins_event(line) {
            finish(event.replace((index + 1, line.to_owned())), boot, &mut entries)?;
        } else if let Some((_, begun)) = &mut event {
            begun.push('\n');
            begun.push_str(line);
        } else if !line.starts_with('#') && !line.is_empty() {
            let problem = format!("{line:?} belongs to no event");
            return Err(error(index + 1, problem));
        }
    }
    finish(event, boot, &mut entries)?;
    Ok(entries)
}

fn error(line: usize, problem: impl Into<String>) -> ParseError {
    ParseError::new("the trace of started programs", line, problem)
}

fn lost_events(line: &str) -> bool {
    line.trim_start().starts_with("CPU:") && line.contains("[LOST ")
}

/// Whether an event begins: an argument may contain the event's name, but hardly a clock before it.
fn begins_event(line: &str) -> bool {
    line.find(EVENT).is_some_and(|place| line[..place].contains('[') && clock(&line[..place]).is_some())
}

fn clock(before_event: &str) -> Option<u64> {
    let (seconds, fraction) = before_event.split_whitespace().next_back()?.split_once('.')?;
    if fraction.len() != 6 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}

fn finish(event: Option<(usize, String)>, boot: u32, entries: &mut Vec<Entry>) -> Result<(), ParseError> {
    let Some((number, text)) = event else {
        return Ok(());
    };
    let (head, rest) = text.split_once(EVENT).ok_or_else(|| error(number, "the event has no name"))?;
    let micros = clock(head).ok_or_else(|| error(number, "the event has no clock"))?;
    let count = rest.split_once(") argc=").and_then(|(_, rest)| rest.split_once(' '));
    let count = count.and_then(|(count, values)| Some((count.parse::<usize>().ok()?, values)));
    let (count, values) = count.ok_or_else(|| error(number, "the event has no arguments"))?;
    let arguments = arguments(values);
    if arguments.len() < count.min(RECORDED) {
        let problem = format!("only {} of {count} arguments can be read: {values}", arguments.len());
        return Err(error(number, problem));
    }
    entries.push(Entry::Exec { at: Moment { boot, micros }, arguments });
    Ok(())
}

fn arguments(mut rest: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    while let Some(value) = rest.strip_prefix(&format!("a{}=\"", arguments.len())) {
        let next = format!("\" a{}=", arguments.len() + 1);
        let end = value.find(&next);
        let argument = match end {
            Some(end) => &value[..end],
            None => value.strip_suffix('"').unwrap_or(value),
        };
        arguments.push(argument.to_owned());
        rest = end.map_or("", |end| &value[end + 2..]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "            bash-123     [000] .....   12.345678: harness_exec: (start_thread+0x0/0x20)";

    #[test]
    fn events_are_programs_with_their_arguments() {
        let check = |values: &str, expected: &[&str]| {
            let text = format!("# tracer: nop\n#\n{HEAD} {values}\n");
            let at = Moment { boot: 2, micros: 12_345_678 };
            let arguments = expected.iter().map(ToString::to_string).collect();
            let entries = parse_exec_trace(&text, 2).unwrap();
            assert_eq!(entries, [Entry::Exec { at, arguments }], "{values}");
        };
        check(r#"argc=2 a0="podman" a1="ps""#, &["podman", "ps"]);
        check(r#"argc=3 a0="sh" a1="-c" a2="echo "hi" x""#, &["sh", "-c", "echo \"hi\" x"]);
        check("argc=3 a0=\"sh\" a1=\"-c\" a2=\"one\n# two\n\"", &["sh", "-c", "one\n# two\n"]);
        check(r#"argc=1 a0="""#, &[""]);
        let recorded: Vec<String> = (0..RECORDED).map(|index| format!("a{index}=\"x\"")).collect();
        check(&format!("argc=99 {}", recorded.join(" ")), &["x"; RECORDED]);
    }

    #[test]
    fn events_follow_one_another() {
        let text = format!("{HEAD} argc=1 a0=\"a\"\n{HEAD} argc=1 a0=\"b\"\n");
        assert_eq!(parse_exec_trace(&text, 0).unwrap().len(), 2);
        assert_eq!(parse_exec_trace("", 0).unwrap(), []);
        let lost = parse_exec_trace("CPU:0 [LOST 12 EVENTS]\n", 0).unwrap();
        assert!(matches!(&lost[..], [Entry::Broken { reason }] if reason.contains("LOST 12")));
        let check = |text: &str, part: &str| {
            let error = parse_exec_trace(text, 0).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("cat: trace: No such file", "belongs to no event");
        check(HEAD, "no arguments");
        check(&format!("{HEAD} argc=2 a0=\"true\" a1=(fault)"), "only 1 of 2 arguments");
        check(&format!("{HEAD} a0=\"true\""), "no arguments");
    }
}
