//! A timeline as a drawing: a lane for each unit, its states as spans, its journal records as marks.

use std::fmt::Write as _;

use crate::timeline::{Entry, Moment, Timeline, Transition, TransitionKind, UnitRef};

use super::axis::{Axis, NAMES, WIDTH};
use super::html::escaped;
use super::row::{is_health_check, row};

/// The height of a lane, and of what is above and below all lanes.
const LANE: f64 = 26.0;
const HEAD: f64 = 22.0;

/// More lanes than this cannot be overlooked; how many are left out is said below them.
const LANES: usize = 14;

/// Records nearer to each other than this share a mark, so that a talkative unit does not make a huge page.
const APART: f64 = 3.0;

/// A letter's width, to decide whether a word fits into its span.
const LETTER: f64 = 6.6;

/// A unit's lane.
#[derive(Debug, Clone, PartialEq)]
struct Lane<'a> {
    unit: UnitRef<'a>,
    states: Vec<Span>,
    /// Where records stand, and which entries they are.
    marks: Vec<(f64, usize)>,
}

/// A time in one state, in units of the drawing.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    state: String,
    from: f64,
    to: f64,
}

/// The timeline as an SVG element; `evidence` are the entries to point out. Empty where no unit did anything.
pub(super) fn strip(timeline: &Timeline, evidence: &[usize]) -> String {
    let axis = Axis::new(timeline);
    let lanes = lanes(timeline, &axis);
    let (shown, left_out) = choose(lanes, evidence);
    if shown.is_empty() {
        return String::new();
    }
    let bottom = HEAD + LANE * shown.len() as f64;
    let height = bottom + HEAD;
    let mut svg = format!(
        "<svg class=\"strip\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"units over guest time\">\n"
    );
    for (index, lane) in shown.iter().enumerate() {
        let top = HEAD + LANE * index as f64;
        svg.push_str(&draw_lane(lane, top, timeline, evidence));
    }
    svg.push_str(&draw_events(timeline, &axis, bottom));
    let note = match left_out {
        0 => String::new(),
        1 => "1 more unit is not drawn".to_owned(),
        _ => format!("{left_out} more units are not drawn"),
    };
    svg.push_str(&text(0.0, height - 6.0, "start", &note));
    let end = format!("{:.1} s of guest time", axis.total);
    svg.push_str(&text(WIDTH, height - 6.0, "end", &end));
    svg.push_str("</svg>\n");
    svg
}

fn lanes<'a>(timeline: &'a Timeline, axis: &Axis) -> Vec<Lane<'a>> {
    let mut lanes: Vec<Lane<'a>> = Vec::new();
    for (index, entry) in timeline.entries.iter().enumerate() {
        match entry {
            Entry::Journal(record) => {
                let unit = record.unit().filter(|unit| !is_health_check(*unit));
                if let Some(unit) = unit {
                    let lane = lane_of(&mut lanes, unit, timeline, axis);
                    let x = axis.place(record.at);
                    lane.marks.push((x, index));
                    if let Some(transition) = record.transition() {
                        follow(lane, &transition, x);
                    }
                }
            }
            Entry::Boot { at } => {
                let x = axis.place(*at);
                for lane in &mut lanes {
                    enter(lane, "", x);
                }
            }
            _ => {}
        }
    }
    for lane in &mut lanes {
        enter(lane, "", WIDTH);
        lane.states.retain(|span| !span.state.is_empty());
    }
    lanes
}

/// The unit's lane; a new one begins in the state that the first picture shows.
fn lane_of<'l, 'a>(
    lanes: &'l mut Vec<Lane<'a>>,
    unit: UnitRef<'a>,
    timeline: &'a Timeline,
    axis: &Axis,
) -> &'l mut Lane<'a> {
    let index = lanes.iter().position(|lane| lane.unit == unit);
    let index = index.unwrap_or_else(|| {
        let mut lane = Lane { unit, states: Vec::new(), marks: Vec::new() };
        if let Some((state, at)) = first_seen(timeline, unit) {
            enter(&mut lane, state, axis.place(at));
        }
        lanes.push(lane);
        lanes.len() - 1
    });
    &mut lanes[index]
}

fn first_seen<'a>(timeline: &'a Timeline, unit: UnitRef) -> Option<(&'a str, Moment)> {
    timeline.entries.iter().find_map(|entry| match entry {
        Entry::Picture { step: None, at, picture } => {
            let same = |scope: &str, name: &str| UnitRef { scope, name } == unit;
            let mut units = picture.units.iter();
            let known = units.find(|state| same(&state.scope, &state.name))?;
            Some((known.active.as_str(), *at))
        }
        _ => None,
    })
}

/// Ends the state that the lane is in and begins the next.
fn enter(lane: &mut Lane, state: &str, x: f64) {
    if let Some(last) = lane.states.last_mut() {
        last.to = x;
    }
    lane.states.push(Span { state: state.to_owned(), from: x, to: x });
}

/// Enters the state that a manager's record announces, if it announces one.
fn follow(lane: &mut Lane, transition: &Transition, x: f64) {
    let state = match transition.kind {
        TransitionKind::Starting | TransitionKind::RestartScheduled => "activating",
        TransitionKind::Started | TransitionKind::Reloaded { .. } => "active",
        // Whether it is active or inactive now depends on RemainAfterExit=, which the record does not tell.
        TransitionKind::Finished => "finished",
        TransitionKind::Reloading => "reloading",
        TransitionKind::Stopping => "deactivating",
        TransitionKind::Failed { .. } => "failed",
        // What failed on the way stays so.
        TransitionKind::Stopped if lane.states.last().is_some_and(|s| s.state == "failed") => {
            return;
        }
        TransitionKind::Stopped | TransitionKind::Deactivated => "inactive",
        TransitionKind::NotStarted { .. } | TransitionKind::Skipped | TransitionKind::OutOfMemory => return,
    };
    enter(lane, state, x);
}

/// The lanes with evidence and with states first, then the others; and how many there is no room for.
fn choose<'a>(mut lanes: Vec<Lane<'a>>, evidence: &[usize]) -> (Vec<Lane<'a>>, usize) {
    lanes.sort_by_key(|lane| {
        let is_evidence = lane.marks.iter().any(|(_, index)| evidence.contains(index));
        (!is_evidence, lane.states.is_empty())
    });
    let left_out = lanes.len().saturating_sub(LANES);
    lanes.truncate(LANES);
    (lanes, left_out)
}

fn draw_lane(lane: &Lane, top: f64, timeline: &Timeline, evidence: &[usize]) -> String {
    let mut svg = text(0.0, top + 16.0, "start", &short_name(lane.unit.name));
    for Span { state, from, to } in &lane.states {
        let width = (to - from).max(1.0);
        let class = escaped(state);
        let _ = writeln!(
            svg,
            "<rect class=\"state {class}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"16\" rx=\"2\"><title>{class}</title></rect>",
            top + 3.0
        );
        if state.len() as f64 * LETTER + 8.0 < width {
            svg.push_str(&text(from + 4.0, top + 15.0, "start", state));
        }
    }
    let mut marked = f64::NEG_INFINITY;
    for (x, index) in &lane.marks {
        let is_evidence = evidence.contains(index);
        if !is_evidence && x - marked < APART {
            continue;
        }
        marked = *x;
        let (class, size) = if is_evidence { ("mark evidence", 6.0) } else { ("mark", 3.5) };
        let y = top + 21.0;
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" d=\"M{:.1} {:.1}h{:.1}l{:.1} -{size}z\"><title>{}</title></path>",
            x - size,
            y + 3.0,
            2.0 * size,
            -size,
            escaped(&row(&timeline.entries[*index]).what)
        );
    }
    svg
}

/// The vertical lines at which steps and boots begin.
fn draw_events(timeline: &Timeline, axis: &Axis, bottom: f64) -> String {
    let mut svg = String::new();
    for entry in &timeline.entries {
        let (name, at) = match entry {
            Entry::Step { step, at } => (format!("step {}", step + 1), at),
            Entry::Boot { at } => (format!("boot {}", at.boot), at),
            _ => continue,
        };
        let x = axis.place(*at);
        let _ = writeln!(svg, "<line class=\"event\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"4\" y2=\"{bottom:.1}\"/>");
        let anchor = if x > WIDTH - 50.0 { "end" } else { "start" };
        svg.push_str(&text(x, 14.0, anchor, &format!(" {name} ")));
    }
    svg
}

fn short_name(unit: &str) -> String {
    let room = (NAMES / LETTER) as usize - 2;
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    if name.chars().count() <= room { name.to_owned() } else { name.chars().take(room - 1).chain(['…']).collect() }
}

fn text(x: f64, y: f64, anchor: &str, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(content))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Recording, UNIT, at, timeline};
    use super::*;

    fn states(timeline: &Timeline) -> Vec<(String, f64, f64)> {
        let axis = Axis::new(timeline);
        let lanes = lanes(timeline, &axis);
        let lane = lanes.iter().find(|lane| lane.unit.name == UNIT).unwrap();
        let spans = lane.states.iter();
        spans.map(|span| (span.state.clone(), span.from.round(), span.to.round())).collect()
    }

    #[test]
    fn states_follow_the_managers_records_up_to_the_next_boot() {
        let found = states(&timeline());
        let names: Vec<&str> = found.iter().map(|(state, ..)| state.as_str()).collect();
        assert_eq!(names, ["activating", "failed"]);
        assert_eq!(found[0].2, found[1].1);
        assert!(found[0].1 > NAMES && found[1].2 <= WIDTH);
    }

    #[test]
    fn the_drawing_has_lanes_marks_and_steps() {
        let svg = strip(&timeline(), &[5]);
        for (piece, count) in [
            ("<rect", 2),
            ("class=\"mark evidence\"", 1),
            ("class=\"mark\"", 2),
            ("class=\"event\"", 2),
            (">activating</text>", 1),
        ] {
            assert_eq!(svg.matches(piece).count(), count, "{piece} in {svg}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn records_that_stand_together_share_a_mark_unless_they_are_evidence() {
        let start = Recording::default().process(0.0, UNIT, "first");
        let crowd = (0..500).fold(start, |recording, _| recording.process(5.0, UNIT, "crowd"));
        let svg = strip(&crowd.process(10.0, UNIT, "last").done(), &[17]);
        assert_eq!(svg.matches("class=\"mark\"").count(), 3);
        assert_eq!(svg.matches("class=\"mark evidence\"").count(), 1);
    }

    #[test]
    fn lanes_that_have_no_room_are_counted() {
        let units: Vec<String> = (0..LANES + 2).map(|n| format!("u{n}.service")).collect();
        let recording = units.iter().fold(Recording::default(), |recording, unit| recording.process(1.0, unit, "x"));
        let svg = strip(&recording.done(), &[LANES + 1]);
        assert!(svg.contains("2 more units are not drawn"));
        assert!(svg.contains(&format!(">u{}<", LANES + 1)), "evidence has room");
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn nothing_is_drawn_where_no_unit_did_anything() {
        let still = Recording::default().entry(Entry::Ready { at: at(1.0) });
        assert_eq!(strip(&still.done(), &[]), "");
        assert_eq!(strip(&Timeline::default(), &[]), "");
    }
}
