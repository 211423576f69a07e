//! One lane per mechanism: its marks on one logarithmic clock that starts with the call.

use super::{Screen, colour};
use crate::show::scale::Scale;
use crate::show::text;
use crate::show::units;
use crate::show::view::{Lane, Section};

/// The lanes of a section with their legend and axis; nothing without a lane.
pub(super) fn render(section: &Section, is_one_of_several: bool, screen: Screen) -> Vec<String> {
    let Some(scale) = Scale::of_lanes(&section.lanes) else { return Vec::new() };
    let longest = section.lanes.iter().map(|lane| lane.name.chars().count()).max().unwrap_or(0);
    let names = longest.min(screen.columns() / 3);
    let room = screen.columns() - names - 4;

    let mut lines = Vec::new();
    if is_one_of_several {
        lines.extend(text::wrap(&section.caption, screen.columns(), "", ""));
    }
    lines.extend(text::row(&legend(&section.lanes, screen), screen.columns()));
    for lane in &section.lanes {
        let style = colour(&lane.mechanism);
        let name = text::shorten(&lane.name, names);
        lines.push(format!(
            "  {style}{name:<names$}  {}{style:#}",
            draw(lane, &scale, room, screen)
        ));
    }
    lines.push(format!("{}{}", " ".repeat(names + 4), axis(&scale, room)));
    lines
}

/// What the marks mean: only those that are there.
fn legend(lanes: &[Lane], screen: Screen) -> Vec<String> {
    let mut parts = vec![format!("{} caller blocked", screen.pick("█", "#"))];
    if lanes.iter().any(|lane| lane.image.is_some()) {
        parts.push("I image runs".to_owned());
    }
    if lanes.iter().any(|lane| lane.reaped.is_some()) {
        parts.push("R reaped".to_owned());
    }
    if lanes.iter().any(|lane| lane.bill.is_some()) {
        parts.push(format!("{} memory writable at full speed again", screen.pick("░W", "~W")));
    }
    parts.push("log scale".to_owned());
    parts
}

/// One lane in `room` columns.
fn draw(lane: &Lane, scale: &Scale, room: usize, screen: Screen) -> String {
    // Marks that fall on one cell are moved on, so that each is seen: keep room for that.
    let cell = |nanoseconds: f64| (scale.share(nanoseconds) * (room - 4) as f64) as usize;
    let mut cells = vec![" "; room];
    let blocked = cell(lane.blocked);
    let done = cell(lane.done());
    let end = cell(lane.end());
    for (position, drawn) in cells.iter_mut().enumerate().take(end + 1) {
        *drawn = if position <= blocked {
            screen.pick("█", "#")
        } else if position <= done {
            screen.pick("·", ".")
        } else {
            screen.pick("░", "~")
        };
    }
    let mut free = 0;
    let marks = [(lane.image, "I"), (lane.reaped, "R"), (lane.bill.map(|(_, end)| end), "W")];
    for (time, mark) in marks {
        if let Some(time) = time {
            let position = cell(time).max(free);
            cells[position] = mark;
            free = position + 1;
        }
    }
    cells.concat().trim_end().to_owned()
}

/// Ticks with their units, each starting where it stands, none over another.
fn axis(scale: &Scale, room: usize) -> String {
    let mut line = String::new();
    for tick in scale.ticks() {
        let label = units::tick(tick);
        let position = (scale.share(tick) * (room - 4) as f64) as usize;
        let used = line.chars().count();
        let is_apart = used == 0 || position > used + 1;
        if is_apart && position + label.len() <= room {
            line += &" ".repeat(position - used);
            line += &label;
        }
    }
    line
}
