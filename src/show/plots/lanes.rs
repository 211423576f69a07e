//! Where the time of a spawn goes: a lane per mechanism, its marks on one clock.

use super::canvas::{
    self, Axis, Canvas, Drawn, Error, FAINT, Frame, INK, Page, Point, Side, WIDTH,
};
use crate::show::palette::{self, Mark};
use crate::show::scale::Scale;
use crate::show::text;
use crate::show::units;
use crate::show::view::{Lane, Section};

/// Height of a lane in pixels.
const HEIGHT: i32 = 64;

/// Height of a bar in pixels.
const BAR: i32 = 18;

/// Opacity of the bill, which is a cost of another kind.
const PALE: f64 = 0.28;

/// The marks of a lane.
const IMAGE: Mark = Mark::Circle;
const REAPED: Mark = Mark::Square;
const WRITABLE: Mark = Mark::Triangle;

/// Draws it; none without a lane.
pub(super) fn draw(section: &Section, source: &str) -> Option<Drawn> {
    let scale = Scale::of_lanes(&section.lanes)?;
    let page = Page {
        title: &section.titles.lanes,
        subtitle: format!("Medians on one clock that starts with the call. {}.", section.caption),
        source,
    };
    let top = page.top();
    let bottom = top + 34 + HEIGHT * section.lanes.len() as i32;
    let frame = Frame { from: (190, top + 34), to: (WIDTH - 40, bottom) };
    Some(canvas::page(&page, bottom + 92, |canvas| {
        legend(canvas, &section.lanes, top + 8)?;
        let x = Axis {
            title: "time since the call, log scale".to_owned(),
            ticks: scale.ticks().into_iter().map(|t| (scale.share(t), units::tick(t))).collect(),
        };
        frame.draw(canvas, &x, &Axis { title: String::new(), ticks: Vec::new() })?;
        for (lane, row) in section.lanes.iter().zip(0..) {
            let y = frame.from.1 + row * HEIGHT + 22;
            let at = |nanoseconds: f64| (frame.at(scale.share(nanoseconds), 0.0).0, y);
            draw_lane(canvas, lane, at, frame.from.0)?;
        }
        Ok(())
    }))
}

fn draw_lane(
    canvas: &Canvas<'_>,
    lane: &Lane,
    at: impl Fn(f64) -> Point,
    left: i32,
) -> Result<(), Error> {
    let colour = canvas::rgb(&palette::look(&lane.mechanism));
    let (blocked, y) = at(lane.blocked);
    let bar = |from: i32, to: i32, opacity: f64| {
        canvas.bar([(from, y - BAR / 2), (to, y + BAR / 2)], colour, opacity)
    };
    let story = story(lane);
    canvas.group(&lane.name, "", || {
        canvas.text((left - 14, y), 14, INK, Side::Left, &text::shorten(&lane.name, 20))
    })?;
    canvas.group(&story_of(lane), "", || {
        canvas.line(vec![(blocked, y), at(lane.done())], colour, 2)?;
        if let Some((from, to)) = lane.bill {
            bar(at(from).0, at(to).0, PALE)?;
        }
        bar(left + 1, blocked, 1.0)?;
        if let Some((_, end)) = lane.bill {
            canvas.mark(at(end), WRITABLE, INK)?;
        }
        // One above and one below the line: they often fall together.
        if let Some(image) = lane.image {
            canvas.mark((at(image).0, y - 7), IMAGE, INK)?;
        }
        if let Some(reaped) = lane.reaped {
            canvas.mark((at(reaped).0, y + 6), REAPED, INK)?;
        }
        Ok(())
    })?;
    canvas.text((left + 8, y + 24), 12, FAINT, Side::Right, &story)
}

/// A lane in words, with its name.
pub(super) fn story_of(lane: &Lane) -> String {
    format!("{}: {}", lane.name, story(lane))
}

/// The marks of a lane in words: close marks would cover each other's labels.
fn story(lane: &Lane) -> String {
    let mut parts = vec![format!("caller blocked {}", units::duration(lane.blocked))];
    if let Some(image) = lane.image {
        parts.push(format!("image runs {}", units::duration(image)));
    }
    if let Some(reaped) = lane.reaped {
        parts.push(format!("reaped {}", units::duration(reaped)));
    }
    if let Some((_, end)) = lane.bill {
        parts.push(format!("memory writable again {}", units::duration(end)));
    }
    parts.join(", ")
}

/// What the marks mean: only those that are there.
fn legend(canvas: &Canvas<'_>, lanes: &[Lane], y: i32) -> Result<(), Error> {
    let mut x = 190;
    canvas.bar([(x, y - 7), (x + 26, y + 7)], FAINT, 1.0)?;
    canvas.text((x + 34, y), 13, INK, Side::Right, "caller blocked")?;
    x += 150;
    let marks = [
        (IMAGE, "new image runs", lanes.iter().any(|lane| lane.image.is_some())),
        (REAPED, "child reaped", lanes.iter().any(|lane| lane.reaped.is_some())),
    ];
    for (mark, meaning, is_there) in marks {
        if is_there {
            canvas.mark((x + 6, y), mark, INK)?;
            canvas.text((x + 18, y), 13, INK, Side::Right, meaning)?;
            x += 140;
        }
    }
    if lanes.iter().any(|lane| lane.bill.is_some()) {
        canvas.bar([(x, y - 7), (x + 26, y + 7)], FAINT, PALE)?;
        canvas.mark((x + 32, y), WRITABLE, INK)?;
        canvas.text((x + 46, y), 13, INK, Side::Right, "until memory is writable again")?;
    }
    Ok(())
}
