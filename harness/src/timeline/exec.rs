//! Programs that were started, from the kernel's trace of a kprobe on `execve`.

use super::{Entry, Moment, ParseError};

const EVENT: &str = ": harness_exec: (";

/// Reads the trace of the kprobe event `harness_exec`, whose string arguments `a0`, `a1`, … are a program's. A `(fault)`
/// ends the arguments: behind it there are none. Events that the kernel lost give a [`Entry::Broken`].
///
/// The kernel does not escape: an argument with a line break goes on in the next line of the trace.
///
/// # Errors
/// Names the line of an event that has no clock or no arguments.
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
    let (_, values) = rest.split_once(") ").ok_or_else(|| error(number, "the event has no arguments"))?;
    entries.push(Entry::Exec { at: Moment { boot, micros }, arguments: arguments(values) });
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

    const HEAD: &str = "            bash-123     [000] .....   12.345678: harness_exec: (__x64_sys_execve+0x0/0x20)";

    #[test]
    fn arguments_end_at_the_fault() {
        let check = |values: &str, expected: &[&str]| {
            let text = format!("# tracer: nop\n#\n{HEAD} {values}\n");
            let at = Moment { boot: 2, micros: 12_345_678 };
            let arguments = expected.iter().map(ToString::to_string).collect();
            let entries = parse_exec_trace(&text, 2).unwrap();
            assert_eq!(entries, [Entry::Exec { at, arguments }], "{values}");
        };
        check(r#"a0="podman" a1="ps" a2=(fault) a3=(fault)"#, &["podman", "ps"]);
        check(r#"a0="sh" a1="-c" a2="echo "hi" x" a3=(fault)"#, &["sh", "-c", "echo \"hi\" x"]);
        check("a0=\"sh\" a1=\"-c\" a2=\"one\n# two\n\" a3=(fault)", &["sh", "-c", "one\n# two\n"]);
        check(r#"a0="last" a1="argument""#, &["last", "argument"]);
        check(r#"a0="" a1=(fault)"#, &[""]);
        check("a0=(fault)", &[]);
    }

    #[test]
    fn events_follow_one_another() {
        let text = format!("{HEAD} a0=\"a\" a1=(fault)\n{HEAD} a0=\"b\" a1=(fault)\n");
        assert_eq!(parse_exec_trace(&text, 0).unwrap().len(), 2);
        assert_eq!(parse_exec_trace("", 0).unwrap(), []);
        let lost = parse_exec_trace("CPU:0 [LOST 12 EVENTS]\n", 0).unwrap();
        assert!(matches!(&lost[..], [Entry::Broken { reason }] if reason.contains("LOST 12")));
        assert!(parse_exec_trace("cat: trace: No such file", 0).is_err());
        assert!(parse_exec_trace(HEAD, 0).is_err());
    }
}
