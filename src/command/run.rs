//! `forkbench run`: the main job.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::analyse::cells::Cells;
use crate::analyse::contrasts::{Bounds, Contrast};
use crate::analyse::summary::Summary;
use crate::command;
use crate::command::exit::{self, Exit};
use crate::command::export::Export;
use crate::command::knobs::KnobFlags;
use crate::command::show;
use crate::drive::environment::{self, Environment, MemoryLimit, Root};
use crate::drive::harness::{Finish, Harness, Listeners, Progress, needed_bytes};
use crate::drive::library;
use crate::drive::machine;
use crate::drive::plan::{Ground, Plan, Wishes};
use crate::drive::roster::{Entry, Roster};
use crate::measure::mechanism::external;
use crate::measure::program::{Unfit, is_in_path, unfit};
use crate::measure::workload;
use crate::model::claim::Place;
use crate::model::interval::Interval;
use crate::model::knob;
use crate::model::order::Rng;
use crate::model::row::{EventKind, Phase, Role};
use crate::model::scenario::{Axis, Sampling, Scenario};
use crate::model::setup::{Image, Setup, Workload};
use crate::model::units::{self, Size};
use crate::record::append::Writer;
use crate::record::read::Recorded;
use crate::record::resume::Committed;
use crate::record::rows::VariantRow;
use crate::show::formats::Shown;
use crate::show::terminal::Screen;
use crate::show::view::View;
use crate::show::{plots, source};

/// Flags of `forkbench run`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench run --rss 1G                       the main job: every mechanism, a parent of 1 GiB
  forkbench run --rss 0,256M,1G                one run, interleaved: how each grows
  forkbench run rss                            a scenario: its sweep, its law, its claims
  forkbench run fds vmas --time 3m             several, their parents interleaved
  forkbench run published                      what others published, held against this machine
  forkbench run --rss 512M --rewrite all,none --mechanism fork
  forkbench run --threads 8 --fds 1000 --vmas 10000 --mechanism all
  forkbench run --image '/bin/sh -c true' --vs vfork --format csv
  forkbench run --resume results/20261124T060000Z-spawn")]
pub struct Args {
    /// Scenarios: names of `forkbench list scenarios`, or paths of files [default: the flags alone]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    #[command(flatten)]
    knobs: KnobFlags,
    /// The mechanism that ratios are against [default: posix_spawn]
    #[arg(long, value_name = "NAME")]
    vs: Option<String>,
    /// The budget for the whole run [default: 60s, or as long as the scenarios say]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,
    /// Stop when every ratio of blocked p50 is known as closely as this [default: 1%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    precision: Option<f64>,
    /// Exactly so many launches of fresh parents [default: 10 to 20, as the budget allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    launches: Option<u32>,
    /// Exactly so many timed blocks of each parent in each launch [default: about 100 in all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    blocks: Option<u32>,
    /// The most variants that a run may have: what axes multiply to
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    most_variants: u32,
    /// The seed of every random choice [default: a new one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..1 << 63))]
    seed: Option<u64>,
    /// A parent in which nothing moves for so long is examined, killed, and a row of its own
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    stall: Duration,
    /// The results directory [default: results/UTC-NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Complete the plan of an interrupted run in its directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scenarios", "out", "vs", "time", "precision",
        "launches", "blocks", "seed", "stall", "verify"])]
    resume: Option<PathBuf>,
    /// Spawn each variant a few times, check that it works, keep nothing
    #[arg(long)]
    verify: bool,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
    /// How to print the results
    #[arg(long, default_value = "table", value_parser = show::format_names())]
    format: String,
    /// Write them to a file too, or to a directory of files (hgrm); see `list formats` (repeatable)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = Export::parse)]
    export: Vec<Export>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let length = units::parse_duration(text).map_err(|error| error.to_string())?;
    if length < Duration::from_millis(100) {
        return Err(format!("{text} is too short: give at least 100ms"));
    }
    Ok(length)
}

fn share(text: &str) -> Result<f64, String> {
    units::parse_percentage(text).map_err(|error| error.to_string())
}

impl Args {
    fn manner(&self) -> Manner<'_> {
        Manner {
            command: "run",
            quiet: self.quiet,
            formats: vec![&self.format],
            exports: &self.export,
        }
    }
}

/// How a command that measures speaks.
pub(super) struct Manner<'a> {
    /// The command that completes what was interrupted.
    pub command: &'static str,
    /// No progress on standard error.
    pub quiet: bool,
    /// How the results are printed, one after the other.
    pub formats: Vec<&'a str>,
    /// The files that they are also written to.
    pub exports: &'a [Export],
}

/// Measures, and prints what the numbers mean.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        say(
            &args.manner(),
            "this is a debug build: its figures are not to be relied on (use --release)",
        );
    }
    args.export.iter().try_for_each(Export::check)?;
    let interrupted = begin()?;
    if let Some(directory) = &args.resume {
        if !args.knobs.given.is_empty() {
            return Err(exit::usage_text(
                "--resume completes the plan as it was made: leave the knobs out",
            ));
        }
        return resume(&args.manner(), directory, &interrupted);
    }
    let scenarios = scenarios(args)?;
    let mut roster = Roster::of(&scenarios, args.vs.as_deref()).map_err(exit::usage)?;
    check_programs(args, &mut roster)?;
    check_memory(args, &mut roster)?;
    let ground = ground()?;
    let wishes = wishes(args, &scenarios);
    if args.verify {
        return verify(args, roster, scenarios, wishes, ground, &interrupted);
    }
    let writer = writer(args.out.as_deref(), &name(args, &scenarios), &roster)?;
    measure(&args.manner(), args.stall, writer, &interrupted, |harness| {
        harness.run(roster, scenarios, wishes, ground)
    })
}

/// Puts back what an earlier run has left of the machine; whether the user wants the run to end.
pub(super) fn begin() -> anyhow::Result<Arc<AtomicBool>> {
    for note in machine::recover() {
        tell(&note);
    }
    catch_signals()
}

/// Makes the results directory, the one that is asked for or one named after the run, and notes the
/// variants in it.
pub(super) fn writer(out: Option<&Path>, name: &str, roster: &Roster) -> anyhow::Result<Writer> {
    let directory = match out {
        Some(directory) => directory.to_path_buf(),
        None => Path::new("results").join(format!("{}-{name}", utc())),
    };
    let rows: Vec<VariantRow> = roster.entries.iter().map(|entry| entry.row.clone()).collect();
    Writer::create(&directory, &rows).map_err(exit::usage)
}

/// What the results directory is named after.
fn name(args: &Args, scenarios: &[Scenario]) -> String {
    let words: Vec<String> = args
        .scenarios
        .iter()
        .take(3)
        .map(|word| {
            let path = Path::new(word);
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        })
        .collect();
    if words.is_empty() { scenarios[0].name.clone() } else { words.join("+") }
}

/// The scenarios that are named, or the one that the flags make; each knob that is given takes the
/// place of the axis of that name.
fn scenarios(args: &Args) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for word in &args.scenarios {
        for scenario in library::find(word).map_err(exit::usage)? {
            match scenarios.iter().find(|other| other.name == scenario.name) {
                None => scenarios.push(scenario),
                Some(other) if *other == scenario => {}
                Some(_) => {
                    return Err(exit::usage_text(format!(
                        "two scenarios are named `{}`: rename the file of one",
                        scenario.name
                    )));
                }
            }
        }
    }
    if args.scenarios.is_empty() {
        scenarios.push(Scenario {
            name: "spawn".to_owned(),
            about: "What does making a process cost?".to_owned(),
            axes: vec![Axis::list("mechanism", &library::mechanisms(false))],
            ..Scenario::default()
        });
    }
    for scenario in &mut scenarios {
        for axis in args.knobs.axes() {
            scenario.set_axis(axis);
        }
        library::name_mechanisms(scenario);
        // Shapes vary slowest, mechanisms fastest.
        scenario.axes.sort_by_key(|axis| axis.name == "mechanism");
        scenario.unmet = library::unmet(&scenario.requires);
        if args.vs.is_some() {
            scenario.contrast = Place::default();
        }
    }
    let combinations = scenarios.iter().map(Scenario::combinations).fold(0, u64::saturating_add);
    if combinations > u64::from(args.most_variants) {
        return Err(exit::usage_text(format!(
            "the axes multiply to {combinations} variants, and a run has at most {}: give fewer \
             values, or raise the limit (--most-variants {combinations})",
            args.most_variants
        )));
    }
    Ok(scenarios)
}

fn wishes(args: &Args, scenarios: &[Scenario]) -> Wishes {
    let nanoseconds = |length: Duration| u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let samplings = || scenarios.iter().map(|scenario| scenario.sampling);
    let usual = nanoseconds(Duration::from_secs(60));
    let times = samplings().map(|sampling| sampling.time_ns.unwrap_or(usual));
    // What a single scenario says of launches and blocks is about its own parents.
    let own = match scenarios {
        [one] => one.sampling,
        _ => Sampling::default(),
    };
    let finest = samplings().filter_map(|s| s.precision).min_by(f64::total_cmp);
    Wishes {
        time_ns: args.time.map_or_else(|| times.fold(0, u64::saturating_add), nanoseconds),
        precision: args.precision.or(finest).unwrap_or(0.01),
        launches: args.launches.or(own.launches),
        blocks: args.blocks.or(own.blocks),
        seed: args.seed.unwrap_or_else(fresh_seed),
        stall_ns: nanoseconds(args.stall),
    }
}

/// A seed nobody has chosen: the clock and the process id, mixed.
pub(super) fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Rng::new(now.as_nanos() as u64, &[u64::from(std::process::id())]).next_u64() >> 1
}

/// Every program of the user's must be a file that can be executed. What a flag names wrongly ends
/// the run before it begins; what a scenario names, and this machine lacks, is a row that says so.
fn check_programs(args: &Args, roster: &mut Roster) -> anyhow::Result<()> {
    for entry in &mut roster.entries {
        let Some((knob, why)) = bad_program(&entry.setup) else { continue };
        if args.knobs.given.iter().any(|(given, _)| given.name == knob) {
            return Err(exit::usage_text(format!("--{knob} {why}")));
        }
        entry.refused.get_or_insert(why);
    }
    Ok(())
}

/// Which knob of a setup names a program that cannot be executed, and why it cannot.
pub(super) fn bad_program(setup: &Setup) -> Option<(&'static str, String)> {
    let Setup { parent, work } = setup;
    if let Image::Command(words) = &work.image
        && let Some(why) = not_executable(
            Path::new(&words[0]),
            "give the path of a program, noop, dynamic or exit",
        )
    {
        return Some(("image", why));
    }
    if let Some(why) = work.helper().and_then(external::missing) {
        return Some(("mechanism", why));
    }
    if !parent.bin.is_empty()
        && let Some(why) = not_executable(Path::new(&parent.bin), "give the path of a forkbench")
    {
        return Some(("bin", why));
    }
    let words = shlex::split(&parent.prefix).unwrap_or_default();
    let first = words.first()?;
    let advice = "give a program that executes its arguments";
    if first.contains('/') {
        return Some(("prefix", not_executable(Path::new(first), advice)?));
    }
    (!is_in_path(first))
        .then(|| ("prefix", format!("{first}: it is in no directory of PATH; {advice}")))
}

fn not_executable(path: &Path, advice: &str) -> Option<String> {
    let shown = path.display();
    Some(match unfit(path)? {
        Unfit::Unseen(error) => format!("{shown}: {error}; {advice}"),
        Unfit::Directory => format!("{shown}: it is a directory; {advice}"),
        Unfit::Special => format!("{shown}: it is no regular file; {advice}"),
        Unfit::NotExecutable => {
            format!("{shown}: it is not executable; make it so (chmod +x {shown}), or {advice}")
        }
    })
}

/// Every parent must fit into the memory that there is; one of a named scenario that does not is
/// a row that says so, as long as another can be measured.
fn check_memory(args: &Args, roster: &mut Roster) -> anyhow::Result<()> {
    let Some(limit) = environment::memory_limit(&Root::live()) else { return Ok(()) };
    let mut first = None;
    for entry in &mut roster.entries {
        let Some(why) = too_large(entry, &limit) else { continue };
        entry.refused.get_or_insert(why.clone());
        first.get_or_insert(why);
    }
    let mut subjects = roster.entries.iter().filter(|entry| entry.row.role == Role::Subject);
    match first {
        Some(why) if args.scenarios.is_empty() || subjects.all(|e| e.refused.is_some()) => {
            Err(exit::usage_text(why))
        }
        _ => Ok(()),
    }
}

/// Why a parent does not fit into that memory; none if it does.
pub(super) fn too_large(entry: &Entry, limit: &MemoryLimit) -> Option<String> {
    let Setup { parent, work } = &entry.setup;
    let needed = needed_bytes(parent, workload::copied_bytes(&parent.shape, work));
    (needed > limit.size.bytes()).then(|| {
        format!(
            "a parent with {} needs {} MiB with its page tables, and only {} MiB can be had ({}); \
             ask for less",
            entry.row.shape,
            needed >> 20,
            limit.size.bytes() >> 20,
            limit.source
        )
    })
}

/// Where the run is made: processors, and the buffer that scrubs the caches.
pub(super) fn ground() -> anyhow::Result<Ground> {
    let root = Root::live();
    let cpus: Vec<u32> =
        environment::allowed_cpus(&root).into_iter().map(|cpu| cpu as u32).collect();
    // The last one: interrupts are served by the first ones as a rule.
    let cpu = *cpus.last().context("no processor is allowed to this process")?;
    // As large as the last cache, at most 64 MiB; where the size is not told, 32 MiB.
    let cache = Environment::look(&root).cpu.cache_bytes.into_values().max();
    let scrub_bytes = cache.unwrap_or(32 << 20).clamp(8 << 20, 64 << 20);
    Ok(Ground { cpu, cpus, scrub_bytes })
}

/// Completes the plan of an interrupted run in its directory.
pub(super) fn resume(
    manner: &Manner<'_>,
    directory: &Path,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<ExitCode> {
    let plan = planned(directory)?;
    let (writer, committed) = resumed(manner, directory)?;
    let stall = Duration::from_nanos(plan.wishes.stall_ns);
    measure(manner, stall, writer, interrupted, |harness| harness.resume(&plan, &committed))
}

/// The plan of an interrupted run.
///
/// # Errors
///
/// Of usage, when there is none that this version can carry out.
pub(super) fn planned(directory: &Path) -> anyhow::Result<Plan> {
    let plan = Recorded::open(directory).and_then(|recorded| recorded.plan()).map_err(|error| {
        exit::usage_text(format!("{} cannot be resumed: {error}", directory.display()))
    })?;
    plan.try_into().map_err(|error| {
        exit::usage_text(format!(
            "{}/plan.toml is no plan of this version: {error}",
            directory.display()
        ))
    })
}

/// The results directory of an interrupted run, to be written on, and what is in it.
pub(super) fn resumed(
    manner: &Manner<'_>,
    directory: &Path,
) -> anyhow::Result<(Writer, Committed)> {
    let (writer, committed) = Writer::resume(directory).map_err(exit::usage)?;
    if committed.bytes_cut > 0 {
        say(manner, &format!("{} bytes of an unfinished block were cut off", committed.bytes_cut));
    }
    Ok((writer, committed))
}

/// Runs what `job` does with a harness, and shows what came of it.
pub(super) fn measure(
    manner: &Manner<'_>,
    stall: Duration,
    writer: Writer,
    interrupted: &Arc<AtomicBool>,
    job: impl FnOnce(&mut Harness) -> anyhow::Result<Finish>,
) -> anyhow::Result<ExitCode> {
    let directory = &writer.directory().to_path_buf();
    let enough = |plan: &Plan, done: u32| is_precise(plan, done, directory);
    let finish = perform(manner, stall, writer, interrupted, &enough, job)?;
    let view = source::read(directory, None)?;
    draw(manner, &view, directory);
    if show::has_samples(&view) {
        let shown = Shown { view: &view, directory, screen: Screen::of_stdout() };
        manner.exports.iter().try_for_each(|export| export.write(shown))?;
        for (place, format) in manner.formats.iter().enumerate() {
            let spaced = if place > 0 { writeln!(anstream::stdout()) } else { Ok(()) };
            match spaced.map_err(Into::into).and_then(|()| show::print(shown, format)) {
                // Whoever reads has seen enough; how the run ended is still to be told.
                Err(error) if command::is_broken_pipe(&error) => break,
                printed => printed?,
            }
        }
    }
    Ok(conclude(manner, &finish, &view, directory).into())
}

/// Runs what `job` does with a harness, beside a note of the machine and a progress bar. `enough`
/// says when there is no need of another launch.
pub(super) fn perform(
    manner: &Manner<'_>,
    stall: Duration,
    writer: Writer,
    interrupted: &Arc<AtomicBool>,
    enough: &dyn Fn(&Plan, u32) -> Option<String>,
    job: impl FnOnce(&mut Harness) -> anyhow::Result<Finish>,
) -> anyhow::Result<Finish> {
    let directory = &writer.directory().to_path_buf();
    let root = Root::live();
    let mut environment = Environment::look(&root);
    writer.environment(&environment)?;
    let bar = Bar::new(manner);
    let outcome = {
        let mut progress = |event: Progress| bar.tell(manner, event);
        let is_interrupted = || interrupted.load(Ordering::Relaxed);
        let listeners = Listeners { interrupted: &is_interrupted, progress: &mut progress, enough };
        let mut harness = Harness::new(writer, stall, listeners)?;
        environment.add_image(&harness.noop()).context("the image noop")?;
        for program in own_images(directory)? {
            // One that cannot be read is refused, or fails to be executed, and its row says so.
            let _ = environment.add_image(&program);
        }
        let outcome = job(&mut harness);
        environment.finish(&root);
        // A full disk has been told by then, and what is on it is whole.
        let noted = harness.writer().environment(&environment);
        outcome.and_then(|finish| noted.map(|()| finish).map_err(anyhow::Error::from))
    };
    bar.clear();
    let kept = format!("results so far: {}", directory.display());
    let finish = outcome.context(kept)?;
    if let Finish::Complete { reason, .. } = &finish {
        say(manner, &format!("stopped {reason}"));
    }
    Ok(finish)
}

/// Plots are made last and are not what a run is for: a failure is told, and no more.
fn draw(manner: &Manner<'_>, view: &View, directory: &Path) {
    match plots::write(view, directory) {
        Ok(files) => {
            say(manner, &format!("results and {} plots: {}", files.len(), directory.display()))
        }
        Err(error) => tell(&error.to_string()),
    }
}

/// The exit of a run that did not come to its end, which is told; none of one that did.
pub(super) fn ended_early(command: &str, finish: &Finish, directory: &Path) -> Option<Exit> {
    let shown = directory.display();
    match finish {
        Finish::Interrupted if !directory.join("plan.toml").exists() => {
            tell("interrupted before there was a plan: nothing was measured, start again");
            Some(Exit::Interrupted)
        }
        Finish::Interrupted => {
            tell(&format!(
                "interrupted; what was finished is kept: forkbench {command} --resume {shown}"
            ));
            Some(Exit::Interrupted)
        }
        Finish::Failed(reason) => {
            tell(reason);
            Some(Exit::Failed)
        }
        Finish::Complete { lost, .. } if *lost > 0 => {
            tell(&format!("subjects lost: {lost}; see {shown}/launches.csv"));
            Some(Exit::Failed)
        }
        Finish::Complete { .. } => None,
    }
}

fn conclude(manner: &Manner<'_>, finish: &Finish, view: &View, directory: &Path) -> Exit {
    if let Some(exit) = ended_early(manner.command, finish, directory) {
        return exit;
    }
    if !show::has_samples(view) {
        tell(&format!("nothing was measured; see {}/events.csv", directory.display()));
        return Exit::Nothing;
    }
    let failed = failed_labels(directory);
    if failed.is_empty() {
        return Exit::Fine;
    }
    tell(&format!("no sample of {}: see events.csv", failed.join(", ")));
    Exit::Failed
}

/// Variants that were asked for, could be had here, and yet have no sample that counts.
pub(super) fn failed_labels(directory: &Path) -> Vec<String> {
    let read = || -> anyhow::Result<Vec<String>> {
        let mut recorded = Recorded::open(directory)?;
        let plan: Plan = recorded.plan()?.try_into()?;
        let mut sampled = vec![false; plan.entries.len()];
        recorded.samples(|_, sample| {
            if sample.phase == Phase::Measure && sample.status == 0 {
                sampled[sample.variant as usize] = true;
            }
            Ok(())
        })?;
        // That the kernel does not permit an action is what there is to find of it, too.
        let tries_actions = |variant: u32| {
            let entry = plan.entries.get(variant as usize);
            entry.is_some_and(|entry| entry.setup.work.workload == Workload::Gap)
        };
        // That a variant hangs, with the proof, is what there is to find of it.
        for event in recorded.events()? {
            if let (EventKind::HungProven, Some(variant)) = (event.event, event.variant) {
                sampled[variant as usize] = true;
            }
            if let (EventKind::Refused, Some(variant), Some(libc::EPERM | libc::EACCES)) =
                (event.event, event.variant, event.errno)
                && tries_actions(variant)
            {
                sampled[variant as usize] = true;
            }
        }
        let failed = plan.entries.iter().zip(sampled).filter(|(entry, sampled)| {
            entry.row.role == Role::Subject && entry.refused.is_none() && !sampled
        });
        Ok(failed.map(|(entry, _)| entry.row.label.clone()).collect())
    };
    read().unwrap_or_default()
}

/// Says so when every ratio of blocked p50 is known as closely as is wanted.
fn is_precise(plan: &Plan, done: u32, directory: &Path) -> Option<String> {
    let width = plan.is_look(done).then(|| widest_ratio(directory))??;
    (width <= plan.wishes.precision)
        .then(|| format!("every ratio is known to {:.2} %", width * 100.0))
}

/// The half-width of the widest ratio of blocked p50, as a share; none while one is not to be had.
fn widest_ratio(directory: &Path) -> Option<f64> {
    let summary = Summary::of(&Cells::read(directory).ok()?, None);
    let mut widest: f64 = 0.0;
    for variant in summary.variants.iter().filter(|v| v.row.role == Role::Subject) {
        let Some(interval) = variant.interval(Interval::Blocked) else { continue };
        match interval.versus_p50 {
            Some(Contrast::Shown(ratio)) => match ratio.bounds {
                Bounds::Between { low, high } if low > 0.0 => {
                    widest = widest.max((high / low).ln() / 2.0);
                }
                _ => return None,
            },
            Some(Contrast::NotShown(_)) => return None,
            None => {}
        }
    }
    (widest > 0.0).then_some(widest)
}

/// Each variant a few times, in a directory that goes away.
fn verify(
    args: &Args,
    roster: Roster,
    scenarios: Vec<Scenario>,
    wishes: Wishes,
    ground: Ground,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<ExitCode> {
    let directory = std::env::temp_dir().join(format!("forkbench-verify-{}", std::process::id()));
    let rows: Vec<VariantRow> = roster.entries.iter().map(|entry| entry.row.clone()).collect();
    let refused: Vec<Option<String>> =
        roster.entries.iter().map(|entry| entry.refused.clone()).collect();
    let writer = Writer::create(&directory, &rows)?;
    let checked = check_once(args, writer, roster, scenarios, wishes, ground, interrupted)
        .and_then(|finish| Ok((finish, tally(&directory, rows.len())?)));
    let _ = std::fs::remove_dir_all(&directory);
    let (finish, tally) = checked?;
    if finish == Finish::Interrupted {
        return Ok(Exit::Interrupted.into());
    }
    let mut exit = Exit::Fine;
    let mut out = anstream::stdout();
    for ((row, refused), (good, bad)) in rows.iter().zip(refused).zip(tally) {
        let verdict = match refused {
            Some(reason) => format!("not here: {reason}"),
            None if good > 0 && bad == 0 => format!("ok, {good} spawns"),
            None => {
                exit = Exit::Failed;
                format!("FAILED, {bad} of {} spawns", good + bad)
            }
        };
        writeln!(out, "{:24} {verdict}", row.label)?;
    }
    if let Finish::Failed(reason) = finish {
        tell(&reason);
        exit = Exit::Failed;
    }
    Ok(exit.into())
}

fn check_once(
    args: &Args,
    writer: Writer,
    roster: Roster,
    scenarios: Vec<Scenario>,
    wishes: Wishes,
    ground: Ground,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<Finish> {
    let is_interrupted = || interrupted.load(Ordering::Relaxed);
    let listeners =
        Listeners { interrupted: &is_interrupted, progress: &mut |_| (), enough: &|_, _| None };
    let mut harness = Harness::new(writer, args.stall, listeners)?;
    let wishes = Wishes { launches: Some(1), blocks: Some(1), ..wishes };
    harness.run(roster, scenarios, wishes, ground)
}

/// The programs of the user's that the variants of a directory execute.
fn own_images(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    let image = knob::find("image").expect("there is a knob of that name");
    for row in Recorded::open(directory)?.variants()? {
        let mut setup = Setup::default();
        let known = (image.set)(&mut setup, &row.image).is_ok();
        if let (true, Image::Command(words)) = (known, setup.work.image)
            && let Some(program) = words.first().map(PathBuf::from)
            && !programs.contains(&program)
        {
            programs.push(program);
        }
    }
    Ok(programs)
}

/// Spawns that went well and that did not, per variant.
fn tally(directory: &Path, variants: usize) -> anyhow::Result<Vec<(u32, u32)>> {
    let mut tally = vec![(0, 0); variants];
    let mut recorded = Recorded::open(directory)?;
    recorded.samples(|_, sample| {
        if sample.status == 0 {
            tally[sample.variant as usize].0 += 1;
        }
        Ok(())
    })?;
    for event in recorded.events()? {
        if let Some(variant) = event.variant {
            tally[variant as usize].1 += 1;
        }
    }
    Ok(tally)
}

/// The first of these signals ends the run in order; the second ends it at once.
fn catch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    // Caught, so that a limit on the size of files is an error to be told like a full disk.
    signal_hook::flag::register(libc::SIGXFSZ, Arc::default())?;
    Ok(interrupted)
}

/// `20261124T060000Z`.
pub(super) fn utc() -> String {
    let text = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    text.replace(['-', ':'], "")
}

/// A message about the run, unless it is to be quiet.
pub(super) fn say(manner: &Manner<'_>, text: &str) {
    if !manner.quiet && !text.is_empty() {
        tell(text);
    }
}

/// A message that is never left out.
pub(super) fn tell(text: &str) {
    let _ = writeln!(anstream::stderr(), "forkbench: {text}");
}

/// The progress bar, where standard error is a terminal; lines, where it is not.
struct Bar(ProgressBar);

impl Bar {
    fn new(manner: &Manner<'_>) -> Bar {
        let hidden = manner.quiet || !std::io::stderr().is_terminal();
        let target =
            if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(1000), target);
        let style = ProgressStyle::with_template("{msg:30} {bar:40} {elapsed} spent, {eta} left");
        bar.set_style(style.expect("a template"));
        Bar(bar)
    }

    fn tell(&self, manner: &Manner<'_>, event: Progress) {
        match event {
            Progress::Pilot(label) => self.0.set_message(format!("pilot: {label}")),
            Progress::Planned(plan) => {
                self.0.suspend(|| say(manner, &bought(plan)));
                self.0.reset();
            }
            Progress::Launch { launch, of } => {
                self.0.set_message(format!("launch {launch} of {of}"));
            }
            Progress::Done(part) => self.0.set_position((part * 1000.0) as u64),
            Progress::Note(text) => self.0.suspend(|| tell(&text)),
        }
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// What the budget buys, in one line.
fn bought(plan: &Plan) -> String {
    let seconds = plan.launch_ns as f64 * f64::from(plan.launches) / 1e9;
    let parents = plan.parents.len();
    let largest = plan.parents.iter().map(|p| p.parent.shape.rss).max().unwrap_or(Size::ZERO);
    format!(
        "{} launches of {parents} fresh parents (the largest holds {largest:#}), {} blocks each, \
         in about {seconds:.0} s; seed {}",
        plan.launches, plan.blocks, plan.wishes.seed
    )
}
