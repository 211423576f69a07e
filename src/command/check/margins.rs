//! From `--on` and `--margin` to what is judged, and how much worse each may be.

use crate::model::did_you_mean;
use crate::model::gate::{Margin, usual_margin, usual_margins};
use crate::model::interval::Interval;
use crate::model::quantity::{Percentile, Quantity};
use crate::model::setup::Workload;
use crate::model::units;
use crate::model::workload::{Of, WORKLOADS};

/// A count may be higher by as much: they are nearly exact.
const COUNT: f64 = 0.02;

/// What is judged of a workload. `on` are intervals and quantities, `margins` are `p50=3%` or
/// `blocked.p50=3%`.
///
/// # Errors
///
/// What was given, what is allowed, and what to do.
pub(super) fn margins(
    workload: Workload,
    on: &[String],
    given: &[String],
) -> Result<Vec<Margin>, String> {
    let mut margins = match on {
        [] => usual(workload),
        on => on.iter().map(|word| asked(word)).collect::<Result<Vec<_>, _>>()?.concat(),
    };
    let mut intervals: Vec<Interval> = Vec::new();
    for margin in &margins {
        if let Quantity::Time { interval, .. } = margin.of
            && !intervals.contains(&interval)
        {
            intervals.push(interval);
        }
    }
    for text in given {
        let (what, share) = text.split_once('=').ok_or_else(|| {
            format!(
                "--margin `{text}`: give a quantile and a share, such as p50=3% or blocked.p95=10%"
            )
        })?;
        let share = units::parse_percentage(share)
            .map_err(|error| format!("--margin `{text}`: {error}"))?;
        let all: Vec<Quantity> = match what.parse::<Percentile>() {
            Ok(percentile) => {
                let times =
                    intervals.iter().map(|&interval| Quantity::Time { interval, percentile });
                let lengths = margins.iter().filter_map(|margin| match &margin.of {
                    Quantity::Length { reading, .. } => {
                        Some(Quantity::Length { reading: reading.clone(), percentile })
                    }
                    _ => None,
                });
                times.chain(lengths).collect()
            }
            Err(_) => vec![quantity(what).map_err(|why| format!("--margin {why}"))?],
        };
        for of in all {
            match margins.iter_mut().find(|margin| margin.of == of) {
                Some(margin) => (margin.share, margin.asked) = (share, true),
                None => margins.push(Margin { of, share, asked: true }),
            }
        }
    }
    Ok(margins)
}

/// p50 and p95 of the call and of the whole life; of other workloads the median of what tells
/// their point.
fn usual(workload: Workload) -> Vec<Margin> {
    let row = WORKLOADS.iter().find(|row| row.workload == workload);
    let main = row.and_then(|row| row.columns.iter().find(|column| column.main.is_some()));
    let quantity = main.and_then(|column| match column.of {
        Of::Quantity(of) | Of::Each(of, _) | Of::PerSecond(_, of) => of.parse().ok(),
    });
    match quantity {
        Some(of) => vec![Margin { of, share: usual_margin(Percentile::MEDIAN), asked: true }],
        None => usual_margins(&[Interval::Blocked, Interval::Reaped]),
    }
}

/// An interval with its usual quantiles, or a quantity.
fn asked(word: &str) -> Result<Vec<Margin>, String> {
    if let Some(interval) = Interval::ALL.into_iter().find(|one| one.word() == word) {
        return Ok(usual_margins(&[interval]));
    }
    let of = quantity(word).map_err(|why| format!("--on {why}"))?;
    let share = of.percentile().map_or(COUNT, usual_margin);
    Ok(vec![Margin { of, share, asked: true }])
}

fn quantity(word: &str) -> Result<Quantity, String> {
    let words = Interval::ALL.map(Interval::word);
    word.parse().map_err(|why: String| match word.contains('.') {
        true => why,
        false => format!(
            "`{word}`: allowed are {}, and quantities such as blocked.p50 or minor_faults.child{}",
            words.join(", "),
            did_you_mean(word, words.into_iter())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(workload: Workload, on: &[&str], given: &[&str]) -> Result<String, String> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let margins = margins(workload, &own(on), &own(given))?;
        let told = |margin: &Margin| format!("{}={}", margin.of, margin.share);
        Ok(margins.iter().map(told).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_is_judged_and_by_how_much() {
        let spawn = |on: &[&str], given: &[&str]| told(Workload::Spawn, on, given).unwrap();
        assert_eq!(
            spawn(&[], &[]),
            "blocked.p50=0.03 reaped.p50=0.03 blocked.p95=0.1 reaped.p95=0.1"
        );
        assert_eq!(spawn(&["image"], &["p50=5%"]), "image.p50=0.05 image.p95=0.1");
        assert_eq!(
            spawn(&["blocked.p50", "minor_faults.child"], &["p99=20%"]),
            "blocked.p50=0.03 minor_faults.child=0.02 blocked.p99=0.2"
        );
        assert_eq!(told(Workload::Throughput, &[], &[]).unwrap(), "batch_ns.p50=0.03");
        assert_eq!(told(Workload::Cow, &[], &["p50=1%"]).unwrap(), "rewrite.p50=0.01");
    }

    #[test]
    fn what_cannot_be_judged_is_told() {
        for (on, given, said) in [
            (&["blockd"][..], &[][..], "did you mean `blocked`"),
            (&[], &["p50"], "p50=3%"),
            (&[], &["p50=3"], "3"),
            (&[], &["p0=3%"], "p0"),
            (&["blocked.q"], &[], "blocked.q"),
        ] {
            let error = told(Workload::Spawn, on, given).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
