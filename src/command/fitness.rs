//! `forkbench env --gate`: whether a check would come to a verdict on this machine, right now.
//!
//! Measures a short A/A of the two mechanisms that most programs use, in a directory that goes
//! away, and says how closely a check of usual length would know what it judges.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::analyse::environments::is_release_build;
use crate::analyse::estimate::detectable;
use crate::command::check::sides::{self, Found, Question, Sampling};
use crate::command::exit::Exit;
use crate::command::run::{self, Manner};
use crate::drive::harness::Finish;
use crate::model::gate::{CHECK, Sides, usual_margins};
use crate::model::interval::Interval;
use crate::model::scenario::{Axis, Scenario};
use crate::model::units;
use crate::model::waiver::Waivers;
use crate::show::judgement::GateRow;

/// Launches and blocks of the pilot: it is over in about five seconds.
const LAUNCHES: u32 = 6;
const BLOCKS: u32 = 4;

/// Blocks that a check of usual length has of each side.
const USUAL_BLOCKS: f64 = 200.0;

/// What was found.
#[derive(Serialize)]
struct Fitness {
    /// The name and version of it.
    schema: &'static str,
    /// `fit`, `noisy` or `unfit`.
    verdict: &'static str,
    /// Why, and what to do: a sentence each.
    reasons: Vec<String>,
    /// How long a usual check of one comparison would take, in seconds.
    check_seconds: f64,
    /// What a usual check would know of each quantity.
    rows: Vec<Resolution>,
}

/// What a usual check would know of a quantity.
#[derive(Serialize)]
struct Resolution {
    /// The mechanism and the quantity: `vfork blocked.p50`.
    row: String,
    /// How much worse it may be.
    margin: f64,
    /// Half-width of the interval of the ratio to be expected, as a share; none: it cannot be told.
    half_width: Option<f64>,
    /// The smallest slowdown, as a ratio, that would be found in four of five checks.
    detects: Option<f64>,
    /// Whether an unchanged system would nearly always be OK.
    decides: bool,
}

/// Measures, and tells; under `strict` a machine that is not fit ends with exit code 4.
pub(super) fn run(json: bool, strict: bool) -> anyhow::Result<ExitCode> {
    let interrupted = run::begin()?;
    let manner = Manner { command: "env", quiet: true, formats: Vec::new(), exports: &[] };
    let question = Question {
        scenario: Scenario {
            name: "gate".to_owned(),
            about: "Is this machine fit to be gated on?".to_owned(),
            axes: vec![Axis::list("mechanism", &["vfork".to_owned(), "posix_spawn".to_owned()])],
            ..Scenario::default()
        },
        sides: Sides::default(),
        margins: usual_margins(&[Interval::Blocked, Interval::Reaped]),
        alpha: CHECK,
        fail_fast: false,
    };
    let sampling = Sampling {
        time: Some(Duration::from_secs(5)),
        launches: Some(LAUNCHES),
        blocks: Some(BLOCKS),
        seed: run::fresh_seed(),
        stall: Duration::from_secs(10),
    };
    let place = tempfile::tempdir().context("a directory for the pilot")?;
    let out = place.path().join("pilot");
    let begun = Instant::now();
    let (directory, finish) =
        sides::measure(&manner, &question, &sampling, Some(&out), &interrupted)?;
    match finish {
        Finish::Interrupted => return Ok(Exit::Interrupted.into()),
        Finish::Failed(why) => anyhow::bail!("the pilot failed: {why}"),
        Finish::Complete { .. } => {}
    }
    let spent = begun.elapsed();
    let found =
        sides::judge(&directory, strict, &Waivers::none())?.context("the pilot has no gate")?;
    let fitness = Fitness::of(&found, spent);
    let text = if json { serde_json::to_string_pretty(&fitness)? + "\n" } else { fitness.text() };
    anstream::stdout().write_all(text.as_bytes())?;
    let passes = fitness.verdict == "fit" || !strict;
    Ok(if passes { Exit::Fine } else { Exit::Inconclusive }.into())
}

impl Fitness {
    fn of(found: &Found, spent: Duration) -> Fitness {
        let Found { gated, environment, tails_disturbed } = found;
        let rows: Vec<Resolution> = gated.rows.iter().map(Resolution::of).collect();
        let undecided = |tail: bool| -> Vec<&str> {
            let is_tail = |row: &&Resolution| row.row.contains(".p95") == tail;
            rows.iter()
                .filter(is_tail)
                .filter(|row| !row.decides)
                .map(|row| row.row.as_str())
                .collect()
        };
        let mut reasons = Vec::new();
        let (medians, tails) = (undecided(false), undecided(true));
        if !medians.is_empty() {
            reasons.push(format!(
                "{} would stay INCONCLUSIVE: wait until nothing else runs, or give a check more \
                 time (--time) or a wider margin",
                medians.join(", ")
            ));
        }
        if !tails.is_empty() {
            reasons.push(format!(
                "{} would stay INCONCLUSIVE: gate on medians (--on blocked.p50,reaped.p50), or give \
                 a check more time",
                tails.join(", ")
            ));
        }
        if let Some(why) = tails_disturbed {
            reasons.push(format!("tails cannot be judged: {why}"));
        }
        let is_release = is_release_build(environment);
        if !is_release {
            reasons.push("this is a debug build, which check refuses: use --release".to_owned());
        }
        let warnings = environment.get("warnings").and_then(toml::Value::as_array);
        for warning in warnings.into_iter().flatten() {
            let text = |key: &str| warning.get(key).and_then(toml::Value::as_str);
            if let (Some(id), Some(says)) = (text("id"), text("text")) {
                reasons.push(format!("{id}: {says}"));
            }
        }
        let verdict = if !medians.is_empty() || !is_release {
            "unfit"
        } else if !tails.is_empty() || tails_disturbed.is_some() {
            "noisy"
        } else {
            "fit"
        };
        let blocks = f64::from(LAUNCHES * BLOCKS);
        Fitness {
            schema: "forkbench.fitness/1",
            verdict,
            reasons,
            // The pilot has two comparisons.
            check_seconds: spent.as_secs_f64() / 2.0 * USUAL_BLOCKS / blocks,
            rows,
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}: a check of one comparison takes about {:.0} s here, and would know\n\n",
            self.verdict, self.check_seconds
        );
        for row in &self.rows {
            let percent = |share: f64| format!("{:.1} %", share * 100.0);
            let known = row.half_width.map_or("nothing".to_owned(), percent);
            let detects = row.detects.map_or(String::new(), |ratio| {
                format!(", finds a slowdown of {}", percent(ratio - 1.0))
            });
            let undecided = if row.decides { "" } else { ", and stays INCONCLUSIVE" };
            text += &format!(
                " {:24} to {known:>7} (margin {}){detects}{undecided}\n",
                row.row,
                units::print_percentage(row.margin)
            );
        }
        text.push('\n');
        for reason in &self.reasons {
            text += &format!("{reason}\n");
        }
        text
    }
}

impl Resolution {
    fn of(row: &GateRow) -> Resolution {
        let half_width = row.ratio_lo.zip(row.ratio_hi).zip(row.n_units).map(|((low, high), n)| {
            (high.ln() - low.ln()) / 2.0 * (n as f64 / USUAL_BLOCKS).sqrt()
        });
        let bound = (1.0 + row.margin).ln();
        let detects = half_width.map(|width| (bound + detectable(width, 1.0 - 2.0 * CHECK)).exp());
        Resolution {
            row: row.row.clone(),
            margin: row.margin,
            half_width,
            detects,
            // Of estimates that scatter about 1, all but 1 in 50 then lie so that the interval ends
            // below the margin.
            decides: half_width.is_some_and(|width| 2.0 * width <= bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::judgement::Gated;

    fn row(name: &str, low: f64, high: f64) -> GateRow {
        GateRow {
            row: name.to_owned(),
            margin: if name.ends_with("p95") { 0.1 } else { 0.03 },
            ratio_lo: Some(low),
            ratio_hi: Some(high),
            n_units: Some(24),
            ..GateRow::default()
        }
    }

    fn verdict(rows: Vec<GateRow>) -> &'static str {
        let gated = Gated { rows, ..Gated::default() };
        let environment = toml::Table::new();
        let found = Found { gated, environment, tails_disturbed: None };
        Fitness::of(&found, Duration::from_secs(5)).verdict
    }

    #[test]
    fn a_machine_is_as_fit_as_what_it_would_tell() {
        let (quiet, tail) =
            (row("vfork blocked.p50", 0.99, 1.01), row("vfork blocked.p95", 0.9, 1.1));
        assert_eq!(verdict(vec![quiet.clone(), tail]), "fit");
        assert_eq!(verdict(vec![quiet, row("vfork blocked.p95", 0.6, 1.7)]), "noisy");
        assert_eq!(verdict(vec![row("vfork blocked.p50", 0.9, 1.1)]), "unfit");
    }
}
