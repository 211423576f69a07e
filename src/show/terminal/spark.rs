//! The blocks of one row in a line, in the order of time: drift and a disturbed parent are seen.

use super::{MARGIN, Screen};
use crate::show::series::Spark;
use crate::show::text;
use crate::show::units;

/// A narrower screen has no room for it.
const NARROWEST: usize = 60;

/// From low to high.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Where there are no bars, a digit says how high.
const DIGITS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

/// The line; none where there is no room for it.
pub(super) fn render(spark: &Spark, screen: Screen) -> Option<String> {
    if screen.columns() < NARROWEST {
        return None;
    }
    let name = text::shorten(&spark.name, screen.columns() / 4);
    let range = format!("{} to {}", units::duration(spark.low), units::duration(spark.high));
    let before = format!("{:<MARGIN$}{name}, {range}  ", "blocks");
    let room = screen.columns().checked_sub(before.chars().count())?;
    // A stroke stands between two parents.
    let heights = spark.heights(room.checked_sub(spark.launches.len())?)?;
    let bars = if screen.unicode { BARS } else { DIGITS };
    let bar = |height: &f64| bars[((height * 8.0) as usize).min(7)];
    let launches: Vec<String> =
        heights.iter().map(|launch| launch.iter().map(bar).collect::<String>()).collect();
    Some(format!("{before}{}", launches.join(screen.pick("│", "|"))))
}
