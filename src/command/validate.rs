//! `forkbench validate`: how often a check is wrong on this machine, from checks whose truth is known.
//!
//! Runs checks of nothing (A/A) and of slowdowns that it makes itself, each through what `forkbench
//! check` does, into a directory of its own that can be checked again. Owns the list of what is run
//! (`validate.toml`) and what became of each (`checks.csv`), by which an interrupted validation goes
//! on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::check::sides::{self, Question, Sampling};
use super::exit::{self, Exit};
use super::run::{self, Manner, duration};
use crate::analyse::cells::Cells;
use crate::analyse::contrasts::{Contrast, compare};
use crate::analyse::validation::{self, Outcome};
use crate::drive::environment::{Environment, Root};
use crate::drive::harness::Finish;
use crate::drive::library;
use crate::measure::image;
use crate::model::gate::{self, Sides};
use crate::model::interval::Interval;
use crate::model::order::Rng;
use crate::model::quantity::Quantity;
use crate::model::scenario::{Axis, Scenario, Setting};
use crate::model::waiver::Waivers;
use crate::record::floor::{self, Floor, FloorRow};
use crate::show::judgement::GateRow;
use crate::show::validation as table;

/// What is run.
const PLAN: &str = "validate.toml";
/// What became of each check.
const CHECKS: &str = "checks.csv";
/// What became of each series.
const SUMMARY: &str = "summary.csv";
/// The same as a table for people.
const REPORT: &str = "validation.md";

/// Slowdowns that are made, in percent of the median of the call.
const SLOWDOWNS: [u32; 5] = [1, 2, 3, 5, 10];

/// Flags of `forkbench validate`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench validate --quick                 a short form, for CI
  forkbench validate --aa 30 --seeded 20     false alarms and power on this machine, hours
  forkbench validate --design same,pairs --mechanism vfork --time 20s
  forkbench validate --resume results/20261124T060000Z-validate

Every check goes the way that `forkbench check` goes, and its directory is kept. With --floor the
distance between whole runs is stored for this machine, below which `check --base DIR.. --cand DIR..`
sets no margin.

Exit codes: 0 fine, 1 failed at run time, 2 wrong usage (nothing was run), 3 more false alarms than
promised, 130 interrupted (what was finished is kept; see --resume).")]
pub struct Args {
    /// Checks of nothing, for each mechanism and design [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    aa: Option<u32>,
    /// Checks of each slowdown, for each mechanism [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    seeded: Option<u32>,
    /// Whole runs of which the floor of this machine is made [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    floor: Option<u32>,
    /// The ways in which sides are kept apart
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = ["same", "pairs", "images", "1g", "doses"],
        default_value = "same,pairs,images,1g,doses")]
    design: Vec<String>,
    /// The mechanisms
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "vfork,posix_spawn")]
    mechanism: Vec<String>,
    /// A short form for CI: one mechanism, one design, few and short checks
    #[arg(long)]
    quick: bool,
    /// The budget of each check [default: as for check]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,
    /// The seed of every random choice [default: a new one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..1 << 63))]
    seed: Option<u64>,
    /// The directory of all checks [default: results/UTC-validate]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an interrupted validation in its directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["aa", "seeded", "floor", "quick", "time", "seed", "out"])]
    resume: Option<PathBuf>,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
}

/// What is run: `validate.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// The command that made it.
    command: String,
    seed: u64,
    /// The budget of each check; none: the usual.
    time_ms: Option<u64>,
    series: Vec<Series>,
}

/// Checks of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    name: String,
    runs: u32,
    /// Whether both sides are the same in all that counts.
    is_same: bool,
    /// How much longer one side is made, in percent of the median of the call; 0: not at all.
    slower_percent: u32,
    /// One, or more for each of which a comparison is made.
    mechanisms: Vec<String>,
    common: Vec<Setting>,
    base: Vec<Setting>,
    cand: Vec<Setting>,
}

/// One row of `checks.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Check {
    series: String,
    run: u32,
    name: String,
    quantity: String,
    design: String,
    is_same: bool,
    truth: Option<f64>,
    verdict: String,
    base_value: Option<f64>,
    ratio: Option<f64>,
    ratio_lo: Option<f64>,
    ratio_hi: Option<f64>,
    p: Option<f64>,
    seconds: f64,
}

/// Runs the checks, and tells what became of them.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (directory, plan) = match &args.resume {
        Some(directory) => (directory.clone(), Plan::read(directory)?),
        None => {
            let directory = args
                .out
                .clone()
                .unwrap_or_else(|| Path::new("results").join(format!("{}-validate", run::utc())));
            let plan = Plan::of(args, &directory)?;
            plan.write(&directory)?;
            (directory, plan)
        }
    };
    if cfg!(debug_assertions) && !args.quiet {
        run::tell("this is a debug build: its figures are not to be relied on (use --release)");
    }
    let interrupted = run::begin()?;
    let validation = Validation { args, directory: &directory, plan: &plan };
    let mut checks = read_checks(&directory)?;
    let rounds = plan.series.iter().map(|series| series.runs).max().unwrap_or(0);
    for number in 0..rounds {
        for (place, series) in plan.series.iter().enumerate() {
            let is_done = checks.iter().any(|one| (&one.series, one.run) == (&series.name, number));
            if number >= series.runs || is_done {
                continue;
            }
            let Some(found) = validation.check(place, number, &checks, &interrupted)? else {
                let shown = directory.display();
                run::tell(&format!(
                    "interrupted; what was finished is kept: forkbench validate --resume {shown}"
                ));
                return Ok(Exit::Interrupted.into());
            };
            checks.extend(found);
            write_csv(&directory.join(CHECKS), &checks)?;
        }
    }
    validation.conclude(&checks)
}

struct Validation<'a> {
    args: &'a Args,
    directory: &'a Path,
    plan: &'a Plan,
}

impl Validation<'_> {
    /// One check, and what became of each of its rows; none if it was interrupted.
    fn check(
        &self,
        place: usize,
        number: u32,
        before: &[Check],
        interrupted: &std::sync::Arc<std::sync::atomic::AtomicBool>,
    ) -> anyhow::Result<Option<Vec<Check>>> {
        let series = &self.plan.series[place];
        // Every other check makes the base slower: what is found up is to be found down.
        let turned = number % 2 == 1;
        let delay_ns = series.delay_ns(before)?;
        let question = series.question(delay_ns, turned);
        let seed = Rng::new(self.plan.seed, &[place as u64, u64::from(number)]).next_u64() >> 1;
        let sampling = Sampling {
            time: self.plan.time_ms.map(Duration::from_millis),
            launches: None,
            blocks: None,
            seed,
            stall: Duration::from_secs(10),
        };
        let out = self.directory.join(series.slug()).join(format!("{number:04}"));
        // What is there is not in checks.csv: a check of ours that was interrupted.
        if out.join("variants.csv").is_file() {
            fs::remove_dir_all(&out).with_context(|| out.display().to_string())?;
        }
        let manner = Manner { command: "validate", quiet: true, formats: vec![], exports: &[] };
        let begun = Instant::now();
        let (_, finish) = sides::measure(&manner, &question, &sampling, Some(&out), interrupted)?;
        match finish {
            Finish::Interrupted => return Ok(None),
            Finish::Failed(reason) => anyhow::bail!("{}: {reason}", out.display()),
            Finish::Complete { .. } => {}
        }
        let seconds = begun.elapsed().as_secs_f64();
        let found = sides::judge(&out, false, &Waivers::none())?.context("a check has a gate")?;
        let gated = found.gated;
        let cells = Cells::read(&out)?;
        let checks: Vec<Check> = gated
            .rows
            .iter()
            .map(|row| Check {
                series: series.name.clone(),
                run: number,
                name: row.name.clone(),
                quantity: row.quantity.clone(),
                design: row.design.to_owned(),
                is_same: series.is_same,
                truth: series.truth(row, delay_ns, turned),
                verdict: row.verdict.to_owned(),
                base_value: row.base_value,
                ratio: row.ratio,
                ratio_lo: row.ratio_lo,
                ratio_hi: row.ratio_hi,
                p: two_sided(&cells, row),
                seconds,
            })
            .map(|check| if turned && delay_ns > 0 { check.turned() } else { check })
            .collect();
        if !self.args.quiet {
            let told: Vec<String> = checks
                .iter()
                .map(|one| {
                    let ratio = one.ratio.map_or(String::new(), |ratio| format!(" {ratio:.3}"));
                    format!("{} {} {}{ratio}", one.name, one.quantity, one.verdict)
                })
                .collect();
            let (name, of) = (&series.name, series.runs);
            let told = told.join(", ");
            run::tell(&format!("{name}, {} of {of}, {seconds:.0} s: {told}", number + 1));
        }
        Ok(Some(checks))
    }

    fn conclude(&self, checks: &[Check]) -> anyhow::Result<ExitCode> {
        let outcomes: Vec<Outcome> = checks.iter().map(Check::outcome).collect();
        let summaries = validation::summaries(&outcomes);
        let mut report = table::table(&summaries);
        report.push('\n');
        report.push_str(&doses(checks));
        report.push_str(&table::legend(&self.plan.command, gate::CHECK));
        fs::write(self.directory.join(REPORT), &report)
            .with_context(|| self.directory.join(REPORT).display().to_string())?;
        let mut writer = csv::Writer::from_path(self.directory.join(SUMMARY))?;
        writer.write_record([
            "series",
            "name",
            "quantity",
            "design",
            "is_same",
            "checks",
            "made",
            "found",
            "furthest",
            "regressed",
            "regressed_lo",
            "regressed_hi",
            "ok",
            "ok_lo",
            "ok_hi",
            "improved",
            "half_width",
            "above",
            "symmetry_p",
            "small_p",
            "seconds",
        ])?;
        for one in &summaries {
            let number = |number: Option<f64>| number.map_or(String::new(), |n| n.to_string());
            writer.write_record([
                one.series.clone(),
                one.name.clone(),
                one.quantity.clone(),
                one.design.clone(),
                one.is_same.to_string(),
                one.runs.to_string(),
                number(one.truth),
                number(one.ratio),
                number(one.furthest),
                one.regressed.value.to_string(),
                one.regressed.low.to_string(),
                one.regressed.high.to_string(),
                one.fine.value.to_string(),
                one.fine.low.to_string(),
                one.fine.high.to_string(),
                one.improved.value.to_string(),
                number(one.half_width),
                one.above.to_string(),
                one.symmetry.to_string(),
                number(one.uniformity),
                one.seconds.to_string(),
            ])?;
        }
        writer.flush()?;
        anstream::print!("{report}");
        self.store_floor()?;
        if validation::breaks_its_promise(&summaries, gate::CHECK) {
            run::tell("more checks of nothing were REGRESSED than the level allows");
            return Ok(Exit::Regression.into());
        }
        Ok(Exit::Fine.into())
    }

    /// Stores how far whole runs of one thing lie apart on this machine.
    fn store_floor(&self) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for series in self.plan.series.iter().filter(|series| series.name.starts_with(FLOOR)) {
            let mut runs = Vec::new();
            for number in 0..series.runs {
                let out = self.directory.join(series.slug()).join(format!("{number:04}"));
                runs.push(Cells::read(&out)?);
            }
            if let [mechanism, reference] = series.mechanisms.as_slice() {
                rows.extend(floors(&runs, mechanism, reference));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let floor = Floor {
            schema: floor::SCHEMA.to_owned(),
            fingerprint: Environment::look(&Root::live()).fingerprint,
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rows,
        };
        match floor::write(&floor)? {
            Some(path) if !self.args.quiet => {
                run::tell(&format!("the floor of this machine: {}", path.display()));
            }
            Some(_) => {}
            None => run::tell("no place for the floor of this machine: set XDG_STATE_HOME"),
        }
        Ok(())
    }
}

/// How the series begin that make the floor.
const FLOOR: &str = "whole runs";

impl Plan {
    fn of(args: &Args, directory: &Path) -> anyhow::Result<Plan> {
        let quick = args.quick;
        let aa = args.aa.unwrap_or(if quick { 6 } else { 20 });
        let seeded = args.seeded.unwrap_or(if quick { 2 } else { 6 });
        let floor = args.floor.unwrap_or(if quick { 0 } else { 6 });
        let time = args.time.or(quick.then_some(Duration::from_secs(5)));
        let slowdowns: &[u32] = if quick { &[10] } else { &SLOWDOWNS };
        let mechanisms = if quick { &args.mechanism[..1] } else { &args.mechanism[..] };
        let wanted = |design: &str| {
            if quick { design == "same" } else { args.design.iter().any(|one| one == design) }
        };
        let mut series = Vec::new();
        for mechanism in mechanisms {
            let of = |name: String, runs: u32| Series {
                name: format!("{name}, {mechanism}"),
                runs,
                is_same: true,
                slower_percent: 0,
                mechanisms: vec![mechanism.clone()],
                common: Vec::new(),
                base: Vec::new(),
                cand: Vec::new(),
            };
            let slower = |base: &Series, percent: u32| Series {
                name: format!("+{percent} %, {}", base.name),
                runs: seeded,
                is_same: false,
                slower_percent: percent,
                ..base.clone()
            };
            // A slowdown is a share of what the checks of nothing have measured: one comes first.
            let same = of("same".to_owned(), aa);
            if wanted("same") {
                series.push(same.clone());
                series.extend(slowdowns.iter().map(|&percent| slower(&same, percent)));
            }
            if wanted("pairs") {
                let mut pairs = of("pairs".to_owned(), aa);
                pairs.base = vec![Setting::new("env.FORKBENCH_SIDE", "a")];
                pairs.cand = vec![Setting::new("env.FORKBENCH_SIDE", "b")];
                series.extend([slower(&pairs, 10)]);
                series.insert(series.len() - 1, pairs);
            }
            if wanted("images") {
                let mut images = of("copied images".to_owned(), aa);
                let path = |side: &str| -> anyhow::Result<String> {
                    let place = std::path::absolute(directory)?.join("images").join(side);
                    Ok(format!("'{}'", place.join(image::NOOP).display()))
                };
                images.base = vec![Setting::new("image", &path("a")?)];
                images.cand = vec![Setting::new("image", &path("b")?)];
                series.push(images);
            }
        }
        if wanted("1g") {
            let big = Series {
                name: "1 GiB, fork".to_owned(),
                runs: aa,
                is_same: true,
                slower_percent: 0,
                mechanisms: vec!["fork".to_owned()],
                common: vec![Setting::new("rss", "1G")],
                base: Vec::new(),
                cand: Vec::new(),
            };
            let name = format!("+5 %, {}", big.name);
            let slower =
                Series { name, runs: seeded, is_same: false, slower_percent: 5, ..big.clone() };
            series.extend([big, slower]);
        }
        if wanted("doses") {
            for (knob, mechanism, doses) in DOSES {
                series.extend(doses.iter().map(|dose| Series {
                    name: format!("{knob}={dose}, {mechanism}"),
                    runs: 1,
                    is_same: false,
                    slower_percent: 0,
                    mechanisms: vec![(*mechanism).to_owned()],
                    common: Vec::new(),
                    base: Vec::new(),
                    cand: vec![Setting::new(knob, dose)],
                }));
            }
        }
        if floor > 1 {
            for pair in [["posix_spawn", "vfork"], ["fork", "clone3"]] {
                series.push(Series {
                    name: format!("{FLOOR}, {}", pair.join(" and ")),
                    runs: floor,
                    is_same: true,
                    slower_percent: 0,
                    mechanisms: pair.map(str::to_owned).to_vec(),
                    common: Vec::new(),
                    base: Vec::new(),
                    cand: Vec::new(),
                });
            }
        }
        series.retain(|series| series.runs > 0);
        if series.is_empty() {
            return Err(exit::usage_text("nothing to run: --design names nothing that is run"));
        }
        // Nothing is run before all of it is known to be right; the images are not there yet.
        for one in series.iter().filter(|one| !one.has_images()) {
            one.question(0, false).roster()?;
        }
        let words: Vec<String> = std::env::args().skip(1).collect();
        let words = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
        let most = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(Plan {
            command: format!("forkbench {words}"),
            seed: args.seed.unwrap_or_else(run::fresh_seed),
            time_ms: time.map(most),
            series,
        })
    }

    fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let shown = directory.display();
        if fs::read_dir(directory).is_ok_and(|mut files| files.next().is_some()) {
            return Err(exit::usage_text(format!(
                "{shown}: there are files here already; name another directory with --out, or go \
                 on with this validation by --resume {shown}"
            )));
        }
        fs::create_dir_all(directory).with_context(|| shown.to_string())?;
        if self.series.iter().any(Series::has_images) {
            for side in ["a", "b"] {
                let place = directory.join("images").join(side);
                fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
                image::write_all(&place).with_context(|| place.display().to_string())?;
            }
        }
        let path = directory.join(PLAN);
        fs::write(&path, toml::to_string(self)?).with_context(|| path.display().to_string())
    }

    fn read(directory: &Path) -> anyhow::Result<Plan> {
        let path = directory.join(PLAN);
        let text = fs::read_to_string(&path).map_err(|error| {
            exit::usage_text(format!("{}: {error}; give what --out named", path.display()))
        })?;
        toml::from_str(&text)
            .map_err(|error| exit::usage_text(format!("{}: {error}", path.display())))
    }
}

/// What really makes a call longer: a knob, by which mechanism, and how much of it.
const DOSES: &[(&str, &str, &[&str])] = &[
    ("rss", "fork", &["1M", "4M", "16M", "64M"]),
    ("vmas", "fork", &["100", "1000", "10000"]),
    ("fds", "fork", &["256", "4096", "65536"]),
    ("env-bytes", "posix_spawn", &["4K", "64K", "1M"]),
];

impl Series {
    fn has_images(&self) -> bool {
        self.base.iter().any(|setting| setting.knob == "image")
    }

    /// The name of its directory.
    fn slug(&self) -> String {
        let mut slug = String::new();
        for letter in self.name.chars() {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                slug.push(letter);
            } else if letter == '+' {
                slug.push_str("slower");
            } else if !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug
    }

    /// How many nanoseconds its slowdown is: a share of the first check of nothing of its kind.
    fn delay_ns(&self, before: &[Check]) -> anyhow::Result<u64> {
        if self.slower_percent == 0 {
            return Ok(0);
        }
        let kind = self.name.split_once(", ").map_or("", |(_, kind)| kind);
        let base = before
            .iter()
            .find(|one| one.series == kind && one.quantity == BLOCKED)
            .and_then(|one| one.base_value)
            .with_context(|| format!("{kind} has no {BLOCKED}: no slowdown can be made of it"))?;
        Ok((base * f64::from(self.slower_percent) / 100.0).round() as u64)
    }

    fn question(&self, delay_ns: u64, turned: bool) -> Question {
        let mut base = self.common.clone();
        let mut axes = Vec::new();
        match self.mechanisms.as_slice() {
            [mechanism] => base.push(Setting::new("mechanism", mechanism)),
            several => axes.push(Axis::list("mechanism", several)),
        }
        let mut scenario = Scenario {
            name: "validate".to_owned(),
            about: "A check whose truth is known".to_owned(),
            base,
            axes,
            ..Scenario::default()
        };
        library::name_mechanisms(&mut scenario);
        let mut sides =
            Sides { base: self.base.clone(), cand: self.cand.clone(), second_base: None };
        if delay_ns > 0 {
            let slow = if turned { &mut sides.base } else { &mut sides.cand };
            slow.push(Setting::new("delay", &format!("{delay_ns}ns")));
        }
        Question {
            scenario,
            sides,
            margins: gate::usual_margins(&[Interval::Blocked, Interval::Reaped]),
            alpha: gate::CHECK,
            fail_fast: false,
        }
    }

    /// The ratio that was made of a row. A spin adds the same to every spawn, and thereby to every
    /// quantile.
    fn truth(&self, row: &GateRow, delay_ns: u64, turned: bool) -> Option<f64> {
        if self.is_same {
            return Some(1.0);
        }
        if delay_ns == 0 {
            return None;
        }
        let base = row.base_value?;
        let delay = delay_ns as f64;
        Some(if turned { (base - delay) / base } else { (base + delay) / base })
    }
}

/// The quantity of which a slowdown is a share.
const BLOCKED: &str = "blocked.p50";

impl Check {
    /// The same with the sides named the other way round: what was made faster as what was made
    /// slower. The verdict stays in words of what was found, mirrored.
    fn turned(self) -> Check {
        let verdict = match self.verdict.as_str() {
            "IMPROVED" => "REGRESSED".to_owned(),
            "REGRESSED" => "IMPROVED".to_owned(),
            _ => self.verdict,
        };
        let over = |ratio: Option<f64>| ratio.map(|ratio| 1.0 / ratio);
        Check {
            verdict,
            truth: over(self.truth),
            ratio: over(self.ratio),
            ratio_lo: over(self.ratio_hi),
            ratio_hi: over(self.ratio_lo),
            ..self
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            series: self.series.clone(),
            name: self.name.clone(),
            quantity: self.quantity.clone(),
            design: self.design.clone(),
            is_same: self.is_same,
            truth: self.truth,
            verdict: self.verdict.clone(),
            ratio: self.ratio,
            low: self.ratio_lo,
            high: self.ratio_hi,
            p: self.p,
            seconds: self.seconds,
        }
    }
}

/// Two-sided p that the sides of a row do not differ.
fn two_sided(cells: &Cells, row: &GateRow) -> Option<f64> {
    let place = |label: &str| cells.variants.iter().position(|variant| variant.label == label);
    let quantity: Quantity = row.quantity.parse().ok()?;
    let q = quantity.percentile()?.share();
    let cell = |label: &str| cells.cell_of(place(label)?, &quantity);
    match compare(cell(&row.cand)?, cell(&row.base)?, q) {
        Contrast::Shown(ratio) => Some(ratio.p),
        Contrast::NotShown(_) => None,
    }
}

/// Whether more of what really makes a call longer makes it longer: a line for each knob.
fn doses(checks: &[Check]) -> String {
    let mut text = String::new();
    for (knob, mechanism, doses) in DOSES {
        let ratio = |dose: &&str| {
            let name = format!("{knob}={dose}, {mechanism}");
            checks.iter().find(|one| one.series == name && one.quantity == BLOCKED)?.ratio
        };
        let ratios: Vec<f64> = doses.iter().filter_map(ratio).collect();
        if ratios.is_empty() {
            continue;
        }
        let told: Vec<String> =
            doses.iter().zip(&ratios).map(|(dose, ratio)| format!("{dose} {ratio:.3}")).collect();
        let rises = ratios.windows(2).all(|pair| pair[0] < pair[1]);
        let word = if rises { "rises with" } else { "does not rise with" };
        text.push_str(&format!("{BLOCKED} of {mechanism} {word} {knob}: {}.\n\n", told.join(", ")));
    }
    text
}

/// The floors of a mechanism and its reference, of runs that have both: divided and not.
fn floors(runs: &[Cells], mechanism: &str, reference: &str) -> Vec<FloorRow> {
    let value = |cells: &Cells, mechanism: &str, quantity: &Quantity| -> Option<f64> {
        let is_it = |row: &crate::record::rows::VariantRow| {
            row.mechanism == mechanism && row.label.ends_with(" base")
        };
        let place = cells.variants.iter().position(is_it)?;
        cells.cell_of(place, quantity)?.quantile(quantity.percentile()?.share())
    };
    let mut rows = Vec::new();
    for margin in gate::usual_margins(&[Interval::Blocked, Interval::Reaped]) {
        let of = |mechanism: &str| -> Option<Vec<f64>> {
            runs.iter().map(|cells| value(cells, mechanism, &margin.of)).collect()
        };
        let (Some(one), Some(other)) = (of(mechanism), of(reference)) else { continue };
        let divided: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one / other).collect();
        let mut add = |mechanism: &str, by: Option<&str>, values: &[f64]| {
            rows.extend(validation::floor(values).map(|log_ratio| FloorRow {
                mechanism: mechanism.to_owned(),
                shape: "empty".to_owned(),
                quantity: margin.of.clone(),
                reference: by.map(str::to_owned),
                runs: runs.len() as u32,
                log_ratio,
            }));
        };
        add(mechanism, Some(reference), &divided);
        add(mechanism, None, &one);
        add(reference, None, &other);
    }
    rows
}

fn read_checks(directory: &Path) -> anyhow::Result<Vec<Check>> {
    let path = directory.join(CHECKS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
    let rows: Result<Vec<Check>, _> = reader.deserialize().collect();
    rows.with_context(|| path.display().to_string())
}

/// Writes the checks anew, whole or not at all.
fn write_csv(path: &Path, checks: &[Check]) -> anyhow::Result<()> {
    let unfinished = path.with_extension("csv.new");
    let mut writer =
        csv::Writer::from_path(&unfinished).with_context(|| unfinished.display().to_string())?;
    checks.iter().try_for_each(|check| writer.serialize(check))?;
    writer.flush()?;
    fs::rename(&unfinished, path).with_context(|| path.display().to_string())
}
