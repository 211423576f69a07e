//! What a validation found, as a table in markdown: what is printed, and what reports keep.
//!
//! Judges nothing: rates come finished from [`crate::analyse::validation`].

use std::fmt::Write;

use crate::analyse::hazards::Rate;
use crate::analyse::validation::Summary;

/// The table, with a line for each quantity of each series.
pub fn table(summaries: &[Summary]) -> String {
    let mut text =
        "| series | of | design | checks | made | found | furthest off | REGRESSED | OK | \
                    IMPROVED | half-width | above, p | small p | time |\n"
            .to_owned();
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for one in summaries {
        let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.4}"));
        let share = |share: Option<f64>| {
            share.map_or(String::new(), |share| format!("{:.2} %", 100.0 * share))
        };
        let p = |p: Option<f64>| p.map_or(String::new(), |p| format!("{p:.2}"));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {}, {} | {} | {:.1} s |",
            one.series,
            one.name,
            one.quantity,
            one.design,
            one.runs,
            ratio(one.truth),
            ratio(one.ratio),
            share(one.furthest),
            rate(&one.regressed),
            rate(&one.fine),
            rate(&one.improved),
            share(one.half_width),
            one.above,
            p(Some(one.symmetry)),
            p(one.uniformity),
            one.seconds,
        );
    }
    text
}

/// What the columns say, and what the table was made by.
pub fn legend(command: &str, alpha: f64) -> String {
    format!(
        "Made by `{command}`.\n\n*made*: the ratio that the sides really have; *found*: the median \
         of the estimates; *furthest off*: the largest distance of one from what was made. Shares \
         stand with their exact 95 % interval (Clopper and Pearson). A check of nothing may be \
         REGRESSED in {:.0} % of all cases, over all its rows. *above, p*: how many estimates lie \
         above what was made, and the probability of a division as uneven if both sides are as \
         frequent. *small p*: of checks of nothing, the probability of small p as frequent as here \
         if they are not more frequent than they may be.\n",
        100.0 * alpha
    )
}

fn rate(rate: &Rate) -> String {
    format!("{:.0} % ({:.1} to {:.1})", 100.0 * rate.value, 100.0 * rate.low, 100.0 * rate.high)
}
