//! Programs that were started, from the kernel's trace of two probes: one counts them, one has their arguments.

use std::collections::BTreeMap;

use super::{Entry, Moment, ParseError};

const EVENT: &str = ": harness_exec: (";
const COUNT: &str = ": harness_count: (";
/// How many arguments an event has at most.
const RECORDED: usize = 24;

/// Reads the trace of the kprobe events `harness_count`, one for each program, and `harness_exec`, which has the number
/// of its arguments as `argc`, the first of them as `a0`, `a1`, …, and perhaps more strings that are no arguments.
/// Events that the kernel lost, said or unsaid, give a [`Entry::Broken`].
///
/// The kernel does not escape: an argument with a line break goes on in the next line of the trace. An empty string, and
/// one that is nowhere, it shows as `(fault)`; arguments are always somewhere.
///
/// # Errors
/// Names the line of an event that has no clock, no number of arguments, or fewer of them than it says.
pub fn parse_exec_trace(text: &str, boot: u32) -> Result<Vec<Entry>, ParseError> {
    let mut entries = Vec::new();
    let mut programs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut event: Option<(usize, String)> = None;
    let mut unrecorded: BTreeMap<&str, isize> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(lost) = lost_events(line) {
            let reason = format!("the kernel's trace says {lost:?}: give its buffer more room");
            entries.push(Entry::Broken { reason });
        } else if begins(line, EVENT) {
            finish(event.replace((index + 1, line.to_owned())), boot, &mut programs, &mut entries)?;
            *unrecorded.entry(task(line)).or_default() -= 1;
        } else if begins(line, COUNT) {
            finish(event.take(), boot, &mut programs, &mut entries)?;
            *unrecorded.entry(task(line)).or_default() += 1;
        } else if let Some((_, begun)) = &mut event {
            begun.push('\n');
            begun.push_str(line);
        } else if !line.starts_with('#') && !line.is_empty() {
            let problem = format!("{line:?} belongs to no event");
            return Err(error(index + 1, problem));
        }
    }
    finish(event, boot, &mut programs, &mut entries)?;
    let missing: Vec<&str> = unrecorded.into_iter().filter(|(_, count)| *count != 0).map(|(task, _)| task).collect();
    if !missing.is_empty() {
        let reason = format!(
            "the kernel's trace lacks the arguments of programs that were started ({}): perhaps they are too long, some \
             KiB; hand such a text over by standard input",
            missing.join(", ")
        );
        entries.push(Entry::Broken { reason });
    }
    Ok(entries)
}

fn error(line: usize, problem: impl Into<String>) -> ParseError {
    ParseError::new("the trace of started programs", line, problem)
}

/// The program and its process, with which a line begins.
fn task(line: &str) -> &str {
    line.split_once(" [").map_or(line, |(task, _)| task).trim()
}

/// What the kernel says of events that it dropped to make room for newer ones: in a line of its own, or in the head,
/// where the number of events that are there differs from the number of those that were written.
fn lost_events(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with("CPU:") && line.contains("[LOST ") {
        return Some(line);
    }
    let (_, counts) = line.strip_prefix('#')?.split_once("entries-in-buffer/entries-written:")?;
    let (there, written) = counts.split_whitespace().next()?.split_once('/')?;
    (there != written).then_some(line)
}

/// Whether an event begins: an argument may contain the event's name, but hardly a clock before it.
fn begins(line: &str, event: &str) -> bool {
    line.find(event).is_some_and(|place| line[..place].contains('[') && clock(&line[..place]).is_some())
}

fn clock(before_event: &str) -> Option<u64> {
    let (seconds, fraction) = before_event.split_whitespace().next_back()?.split_once('.')?;
    if fraction.len() != 6 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}

/// Whether a program is one that Nix has wrapped (`.podman-wrapped`, called by the `podman` that sets its environment
/// and is the same process with the same arguments): both are one to whoever counts. `programs` has what each process
/// ran last.
fn is_wrapped(head: &str, arguments: &[String], programs: &mut BTreeMap<String, Vec<String>>) -> bool {
    let Some((name, process)) = task(head).rsplit_once('-') else { return false };
    let before = programs.insert(process.to_owned(), arguments.to_vec());
    name.starts_with('.') && before.as_deref() == Some(arguments)
}

fn finish(
    event: Option<(usize, String)>,
    boot: u32,
    programs: &mut BTreeMap<String, Vec<String>>,
    entries: &mut Vec<Entry>,
) -> Result<(), ParseError> {
    let Some((number, text)) = event else {
        return Ok(());
    };
    let (head, rest) = text.split_once(EVENT).ok_or_else(|| error(number, "the event has no name"))?;
    let micros = clock(head).ok_or_else(|| error(number, "the event has no clock"))?;
    let count = rest.split_once(") argc=").and_then(|(_, rest)| rest.split_once(' '));
    let count = count.and_then(|(count, values)| Some((count.parse::<usize>().ok()?.min(RECORDED), values)));
    let (count, values) = count.ok_or_else(|| error(number, "the event has no arguments"))?;
    let mut arguments = strings(values);
    if arguments.len() < count {
        let problem = format!("there are only {} of {count} arguments: {values}", arguments.len());
        return Err(error(number, problem));
    }
    arguments.truncate(count);
    if !is_wrapped(head, &arguments, programs) {
        entries.push(Entry::Exec { at: Moment { boot, micros }, arguments });
    }
    Ok(())
}

/// The strings of an event.
fn strings(mut rest: &str) -> Vec<String> {
    let mut strings = Vec::new();
    while let Some(value) = rest.strip_prefix(&format!("a{}=", strings.len())) {
        let next = format!(" a{}=", strings.len() + 1);
        let closing = if value.starts_with('"') { "\"" } else { "" };
        let end = value.find(&format!("{closing}{next}")).map(|end| end + closing.len());
        let shown = end.map_or(value, |end| &value[..end]);
        let string = shown.strip_prefix('"').map_or("", |string| string.strip_suffix('"').unwrap_or(string));
        strings.push(string.to_owned());
        rest = end.map_or("", |end| &value[end + 1..]);
    }
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: &str = "            bash-123     [000] .....   12.345678: harness_count: (start_thread+0x0/0x20)";
    const HEAD: &str = "            bash-123     [000] .....   12.345678: harness_exec: (start_thread+0x0/0x20)";

    #[test]
    fn events_are_programs_with_their_arguments() {
        let check = |values: &str, expected: &[&str]| {
            let text = format!("# tracer: nop\n#\n{COUNTED}\n{HEAD} {values}\n");
            let at = Moment { boot: 2, micros: 12_345_678 };
            let arguments = expected.iter().map(ToString::to_string).collect();
            let entries = parse_exec_trace(&text, 2).unwrap();
            assert_eq!(entries, [Entry::Exec { at, arguments }], "{values}");
        };
        check(r#"argc=2 a0="podman" a1="ps" a2=(fault)"#, &["podman", "ps"]);
        check(r#"argc=3 a0="sh" a1="-c" a2="echo "hi" x""#, &["sh", "-c", "echo \"hi\" x"]);
        check("argc=3 a0=\"sh\" a1=\"-c\" a2=\"one\n# two\n\"", &["sh", "-c", "one\n# two\n"]);
        check(r#"argc=1 a0="" a1=(fault) a2="PATH=/bin""#, &[""]);
        check(r#"argc=3 a0="podman" a1=(fault) a2="ps""#, &["podman", "", "ps"]);
        let recorded: Vec<String> = (0..RECORDED).map(|index| format!("a{index}=\"x\"")).collect();
        check(&format!("argc=99 {}", recorded.join(" ")), &["x"; RECORDED]);
    }

    #[test]
    fn events_follow_one_another() {
        let pair = |name: &str| format!("{COUNTED}\n{HEAD} argc=1 a0=\"{name}\" a1=(fault)\n");
        assert_eq!(parse_exec_trace(&(pair("a") + &pair("b")), 0).unwrap().len(), 2);
        assert_eq!(parse_exec_trace("", 0).unwrap(), []);
    }

    #[test]
    fn a_wrapped_program_counts_once() {
        let event = |task: &str, argument: &str| {
            let line = |probe: &str| format!("  {task} [000] .....   12.345678: {probe}: (start_thread+0x0/0x20)");
            format!("{}\n{} argc=2 a0=\"podman\" a1=\"{argument}\"\n", line("harness_count"), line("harness_exec"))
        };
        let count = |events: &[String]| parse_exec_trace(&events.concat(), 0).unwrap().len();
        assert_eq!(count(&[event("podman-7", "ps"), event(".podman-wrapped-7", "ps")]), 1);
        assert_eq!(count(&[event("podman-7", "ps"), event(".podman-wrapped-8", "ps")]), 2, "another process");
        assert_eq!(count(&[event("podman-7", "ps"), event(".podman-wrapped-7", "info")]), 2, "other arguments");
        assert_eq!(count(&[event("podman-7", "ps"), event("podman-7", "ps")]), 2, "not wrapped");
        assert_eq!(count(&[event(".podman-wrapped-7", "ps")]), 1, "called directly");
    }

    #[test]
    fn what_the_kernel_lost_breaks_the_trial() {
        let check = |text: &str, part: &str| {
            let entries = parse_exec_trace(text, 0).unwrap();
            assert!(matches!(&entries[..], [Entry::Broken { reason }] if reason.contains(part)), "{entries:?}");
        };
        check("CPU:0 [LOST 12 EVENTS]\n", "LOST 12");
        check("# entries-in-buffer/entries-written: 7/9   #P:1\n", "7/9");
        check(
            &format!("{COUNTED}\n"),
            "the arguments of programs that were started (bash-123): perhaps they are too long",
        );
        assert_eq!(parse_exec_trace("# entries-in-buffer/entries-written: 9/9   #P:1\n", 0).unwrap(), []);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let check = |text: &str, part: &str| {
            let error = parse_exec_trace(text, 0).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("cat: trace: No such file", "belongs to no event");
        check(HEAD, "no arguments");
        check(&format!("{HEAD} argc=2 a0=\"true\""), "only 1 of 2 arguments");
        check(&format!("{HEAD} a0=\"true\""), "no arguments");
        check("[LINE TOO BIG]", "belongs to no event");
    }
}
