//! Sides that are measured now, interleaved in one run, and judged from its directory alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Args, margins, release_build, tell, waivers, write_exports};
use crate::analyse::cells::Cells;
use crate::analyse::environments::is_release_build;
use crate::analyse::gate::Verdict;
use crate::analyse::judgement::Judgement;
use crate::command::exit::{self, Exit};
use crate::command::run::{self, Manner};
use crate::drive::environment::{self, Root};
use crate::drive::harness::Finish;
use crate::drive::library;
use crate::drive::plan::{Plan, Wishes};
use crate::drive::roster::Roster;
use crate::drive::roster::sides::CHECK;
use crate::model::gate::{Margin, Sides};
use crate::model::knob::{self, KNOBS};
use crate::model::scenario::{Axis, Scenario, Setting, apply};
use crate::model::setup::Setup;
use crate::model::waiver::Waivers;
use crate::model::{did_you_mean, order::Rng};
use crate::record::append::Writer;
use crate::show::judgement::Gated;
use crate::show::source::gate::CONFIRMATION;

pub(in crate::command) use crate::show::source::gate::{Found, judge};

/// What both sides run as unless they say otherwise.
const MECHANISM: &str = "posix_spawn";

/// At this share of its margin the half-width of an interval decides nearly all that can be.
const PRECISE: f64 = 1.0 / 3.0;

/// The budget of a comparison, and of one in which much memory is copied and written again.
const TIME: Duration = Duration::from_secs(60);
const TIME_OF_MUCH: Duration = Duration::from_secs(120);
/// From here on it is much, in bytes.
const MUCH: u64 = 256 << 20;

/// An A/B that is to be measured.
pub(in crate::command) struct Question {
    /// What the sides have in common, and its axes.
    pub scenario: Scenario,
    /// In what they differ.
    pub sides: Sides,
    /// What is judged.
    pub margins: Vec<Margin>,
    /// The level.
    pub alpha: f64,
    /// Whether it may end as soon as a row is worse.
    pub fail_fast: bool,
}

impl Question {
    /// Who takes part, on this machine.
    ///
    /// # Errors
    ///
    /// Of usage: a setting that is none, a program that cannot be executed, memory that is not here.
    pub(in crate::command) fn roster(&self) -> anyhow::Result<Roster> {
        let roster =
            Roster::of_sides(&self.scenario, &self.sides, self.alpha, self.margins.clone());
        let mut roster = roster.map_err(exit::usage)?;
        let limit = environment::memory_limit(&Root::live());
        for entry in &roster.entries {
            if let Some((knob, why)) = run::bad_program(&entry.setup) {
                return Err(exit::usage_text(format!("{knob}={why}")));
            }
            if let Some(why) = limit.as_ref().and_then(|limit| run::too_large(entry, limit)) {
                return Err(exit::usage_text(why));
            }
        }
        if let Some(gate) = &mut roster.gate {
            gate.fail_fast = self.fail_fast;
        }
        Ok(roster)
    }

    /// The usual budget of it.
    fn time(&self, roster: &Roster) -> Duration {
        let comparisons = roster.gate.as_ref().map_or(1, |gate| gate.comparisons.len());
        let much = roster
            .entries
            .iter()
            .any(|entry| entry.row.copies_pages && entry.setup.parent.shape.rss.bytes() >= MUCH);
        (if much { TIME_OF_MUCH } else { TIME }) * comparisons as u32
    }
}

/// How it is measured.
pub(in crate::command) struct Sampling {
    /// The budget; none: the usual.
    pub time: Option<Duration>,
    /// A fixed number of launches.
    pub launches: Option<u32>,
    /// A fixed number of blocks.
    pub blocks: Option<u32>,
    /// The seed of every random choice.
    pub seed: u64,
    /// How long nothing may move.
    pub stall: Duration,
}

/// Measures a question into a directory of its own.
///
/// # Errors
///
/// Of usage, before anything starts; when a row cannot be written or a process not be started.
pub(in crate::command) fn measure(
    manner: &Manner<'_>,
    question: &Question,
    sampling: &Sampling,
    out: Option<&Path>,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<(PathBuf, Finish)> {
    let roster = question.roster()?;
    let nanoseconds = |length: Duration| u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let wishes = Wishes {
        time_ns: nanoseconds(sampling.time.unwrap_or_else(|| question.time(&roster))),
        precision: PRECISE,
        launches: sampling.launches,
        blocks: sampling.blocks,
        seed: sampling.seed,
        stall_ns: nanoseconds(sampling.stall),
    };
    let ground = run::ground()?;
    let writer = run::writer(out, CHECK, &roster)?;
    let directory = writer.directory().to_path_buf();
    let scenarios = vec![question.scenario.clone()];
    let finish = perform(manner, sampling.stall, writer, interrupted, |harness| {
        harness.run(roster, scenarios, wishes, ground)
    })?;
    Ok((directory, finish))
}

fn perform(
    manner: &Manner<'_>,
    stall: Duration,
    writer: Writer,
    interrupted: &Arc<AtomicBool>,
    job: impl FnOnce(&mut crate::drive::harness::Harness) -> anyhow::Result<Finish>,
) -> anyhow::Result<Finish> {
    let directory = writer.directory().to_path_buf();
    let enough = |plan: &Plan, done: u32| is_enough(plan, done, &directory);
    run::perform(manner, stall, writer, interrupted, &enough, job)
}

/// Why so many launches are enough: everything is known closely, or something is certainly worse.
/// Never because of what is found, save where that is what was asked for.
fn is_enough(plan: &Plan, done: u32, directory: &Path) -> Option<String> {
    let gate = plan.gate.as_ref()?;
    if !gate.fail_fast && !plan.is_look(done) {
        return None;
    }
    let judgement = Judgement::of(&Cells::read(directory).ok()?, gate, None);
    if gate.fail_fast
        && let Some(row) = judgement.rows.iter().find(|row| row.verdict == Verdict::Regressed)
    {
        return Some(format!("{} of {} is certainly worse", row.quantity, row.name));
    }
    let widest = plan.is_look(done).then(|| judgement.widest())??;
    (widest <= plan.wishes.precision).then(|| "every ratio is known closely enough".to_owned())
}

/// Measures both sides, judges them, and ends with the exit code that makes.
pub(super) fn run(args: &Args, waivers: &Waivers) -> anyhow::Result<ExitCode> {
    let question = question(args)?;
    // Nothing is run, and no directory made, before all of it is known to be right.
    question.roster()?;
    let interrupted = run::begin()?;
    let manner = manner(args);
    let sampling = Sampling {
        time: args.time,
        launches: args.launches,
        blocks: args.blocks,
        seed: args.seed.unwrap_or_else(run::fresh_seed),
        stall: args.stall,
    };
    let (directory, finish) =
        measure(&manner, &question, &sampling, args.out.as_deref(), &interrupted)?;
    conclude(args, &directory, &finish, Some((&question, &sampling)), waivers, &interrupted)
}

/// Completes an interrupted check, and judges it.
pub(super) fn resume(args: &Args, directory: &Path, waivers: &Waivers) -> anyhow::Result<ExitCode> {
    let plan = run::planned(directory)?;
    if plan.gate.is_none() {
        return Err(exit::usage_text(format!(
            "{} is no check: forkbench run --resume {}",
            directory.display(),
            directory.display()
        )));
    }
    let interrupted = run::begin()?;
    let manner = manner(args);
    let (writer, committed) = run::resumed(&manner, directory)?;
    let stall = Duration::from_nanos(plan.wishes.stall_ns);
    let finish =
        perform(&manner, stall, writer, &interrupted, |harness| harness.resume(&plan, &committed))?;
    conclude(args, directory, &finish, None, waivers, &interrupted)
}

fn manner(args: &Args) -> Manner<'_> {
    Manner { command: "check", quiet: args.quiet, formats: vec![&args.format], exports: &[] }
}

/// Judges what was measured, asks once more about what is red if that is wanted, and tells.
fn conclude(
    args: &Args,
    directory: &Path,
    finish: &Finish,
    asked: Option<(&Question, &Sampling)>,
    waivers: &Waivers,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<ExitCode> {
    let command = manner(args).command;
    if let Some(exit) = run::ended_early(command, finish, directory) {
        return Ok(exit.into());
    }
    if let Some(why) = lacking(directory) {
        run::tell(&why);
        return Ok(Exit::Failed.into());
    }
    let found = || {
        let none = || anyhow::anyhow!("{} has no gate in its plan.toml", directory.display());
        judged(args, directory, waivers)?.ok_or_else(none)
    };
    let mut gated = found()?;
    if let (true, Some((question, sampling))) = (args.confirm && gated.has_red(), asked) {
        let again = directory.join(CONFIRMATION);
        let question = question.about(&gated)?;
        let seed = Rng::new(sampling.seed, &[1]).next_u64() >> 1;
        let sampling = Sampling { seed, ..*sampling };
        run::say(&manner(args), "what is REGRESSED is measured once more");
        let (_, finish) = measure(&manner(args), &question, &sampling, Some(&again), interrupted)?;
        if let Some(exit) = run::ended_early(command, &finish, &again) {
            return Ok(exit.into());
        }
        gated = found()?;
    }
    let mut found = Vec::new();
    let exit = tell(args, &gated, directory, &mut found)?;
    waivers::warn(waivers, &gated.rows.iter().map(|row| row.row.as_str()).collect::<Vec<_>>())?;
    write_exports(args, &found)?;
    Ok(exit.into())
}

/// What the gate of a results directory finds, as the flags want it judged; none if it has none.
pub(super) fn judged(
    args: &Args,
    directory: &Path,
    waivers: &Waivers,
) -> anyhow::Result<Option<Gated>> {
    let Some(found) = judge(directory, args.strict, waivers)? else { return Ok(None) };
    let mut gated = found.gated;
    if let Some(why) = release_build(args, is_release_build(&found.environment)) {
        gated.refuse(&why);
    }
    Ok(Some(gated))
}

/// Why one side has nothing to show: a side that did not run is a failure, not a verdict.
fn lacking(directory: &Path) -> Option<String> {
    let failed = run::failed_labels(directory);
    (!failed.is_empty()).then(|| {
        format!("no sample of {}: see {}/events.csv", failed.join(", "), directory.display())
    })
}

impl Question {
    /// The same question about what is red alone.
    fn about(&self, gated: &Gated) -> anyhow::Result<Question> {
        let red: Vec<_> = gated.rows.iter().filter(|row| row.is_red()).collect();
        let named = |margin: &&Margin| red.iter().any(|row| row.quantity == margin.of.to_string());
        let margins: Vec<Margin> = self.margins.iter().filter(named).cloned().collect();
        let mut question = Question {
            scenario: self.scenario.clone(),
            sides: self.sides.clone(),
            margins: margins.into_iter().map(|margin| Margin { asked: true, ..margin }).collect(),
            ..*self
        };
        question.fail_fast = false;
        Ok(question)
    }
}

/// What the flags ask.
fn question(args: &Args) -> anyhow::Result<Question> {
    let mut base = vec![Setting::new("mechanism", MECHANISM)];
    let mut axes = Vec::new();
    for (knob, values) in &args.knobs.given {
        match values.as_slice() {
            [value] if value != "all" => {
                base.retain(|setting| setting.knob != knob.name);
                base.push(Setting::new(knob.name, value));
            }
            values => {
                base.retain(|setting| setting.knob != knob.name);
                axes.push(Axis::list(knob.name, values));
            }
        }
    }
    let side = |flag: &str, words: &[String]| -> anyhow::Result<Vec<Setting>> {
        words.iter().map(|word| side_setting(flag, word)).collect()
    };
    let sides = Sides {
        base: side("--base", &args.base)?,
        cand: side("--cand", &args.cand)?,
        second_base: (!args.second_base.is_empty())
            .then(|| side("--second-base", &args.second_base))
            .transpose()?,
    };
    let mut scenario = Scenario {
        name: CHECK.to_owned(),
        about: "Is the one side worse than the other?".to_owned(),
        base,
        axes,
        ..Scenario::default()
    };
    library::name_mechanisms(&mut scenario);
    scenario.axes.sort_by_key(|axis| axis.name == "mechanism");
    let mut common = Setup::default();
    apply(&mut common, &scenario.base).map_err(exit::usage)?;
    let margins =
        margins::margins(common.work.workload, &args.on, &args.margin).map_err(exit::usage_text)?;
    Ok(Question { scenario, sides, margins, alpha: args.alpha, fail_fast: args.fail_fast })
}

/// One `K=V` of a side.
fn side_setting(flag: &str, word: &str) -> anyhow::Result<Setting> {
    let names = || KNOBS.iter().map(|knob| knob.name);
    let Some((name, value)) = word.split_once('=') else {
        let what = if Path::new(word).is_dir() {
            "it is a directory, and the other side is none"
        } else {
            "it is no knob with its value, and no directory"
        };
        return Err(exit::usage_text(format!(
            "{flag} {word}: {what}; give a knob and its value, such as image=./new (forkbench list \
             knobs)"
        )));
    };
    if knob::find(name).is_none() && !name.starts_with(knob::VARIABLE) {
        return Err(exit::usage_text(format!(
            "{flag} {word}: there is no knob `{name}`{}; see `forkbench list knobs`, and env.NAME=\
             VALUE sets a variable",
            did_you_mean(name, names())
        )));
    }
    Ok(Setting::new(name, value))
}
