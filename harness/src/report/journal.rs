//! A whole timeline as a text to read.

use crate::timeline::{Entry, Timeline};

use super::row::{Row, row, visible};

/// The whole timeline for people, one entry a line, in the manner of `journalctl --output=short-monotonic` but with the
/// unit in front; what follows a line break is indented, and a new boot begins with a line of its own.
pub fn timeline_text(timeline: &Timeline) -> String {
    let mut text = String::new();
    for entry in &timeline.entries {
        if let Entry::Boot { at } = entry {
            text.push_str(&format!("-- boot {} --\n", at.boot));
        }
        text.push_str(&line(&row(entry)));
        if let Entry::Action(done) = entry {
            text.push_str(&output("stdout", &done.stdout));
            text.push_str(&output("stderr", &done.stderr));
        }
    }
    text
}

fn line(row: &Row) -> String {
    let time = match row.at {
        Some(at) => format!("[{:>12.6}] ", at.micros as f64 / 1e6),
        None => format!("[{:>12}] ", "-"),
    };
    let indent = " ".repeat(time.len());
    let what = row.what.replace('\n', &format!("\n{indent}  "));
    format!("{time}{}  {what}\n", row.who)
}

fn output(name: &str, text: &str) -> String {
    let indent = " ".repeat(15);
    text.lines().map(|line| format!("{indent}{name}: {}\n", visible(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::timeline;
    use super::*;

    #[test]
    fn a_timeline_reads_like_a_journal() {
        insta::assert_snapshot!(timeline_text(&timeline()), @r"
        [  100.000000] trial  ready: the first picture is taken
        [  100.500000] trial  step 1 begins
        [  100.520000] jellyfin-stack.service  systemd: Starting jellyfin stack...
        [  101.000000] aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1f.service  systemd: Starting health check...
        [  101.800000] jellyfin-stack.service  bash[812]: ERROR: no such secret
                         \u{1b}[31mred\u{1b}[0m
        [  102.250000] jellyfin-stack.service  systemd: Failed with result 'timeout'.
        [  102.400000] action  systemctl --user start jellyfin-stack.service: exit status 1 after 1.900 s
                       stderr: Job for jellyfin-stack.service failed.
        [  106.000000] trial  step 1 ends: the journal is complete
        [  106.100000] picture  0 units, 0 containers, 0 files, 0 sockets
        -- boot 1 --
        [    0.000000] machine  started again (boot 1)
        [           -] harness  BROKEN: the guest stopped answering; see its console
        ");
    }
}
