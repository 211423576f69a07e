//! The view model: all that any rendering shows of one run, as finished numbers and sentences.
//!
//! A conclusion, a row, a warning or a hint is made here, once. Renderings choose columns, colours
//! and places; they never compare, divide or decide. Reads a [`Summary`], never a file.

use std::fmt;

use crate::analyse::columns::{ColumnSummary, Entry, Unit};
use crate::analyse::contrasts::{Bounds, Contrast, Reason};
use crate::analyse::laws::{Growth, Law};
use crate::analyse::places as found;
use crate::analyse::quantiles::Figure;
use crate::analyse::summary::{Count, IntervalSummary, Summary, VariantSummary};
use crate::model::claim::Per;
use crate::model::glossary;
use crate::model::interval::Interval;
use crate::model::knob::{self, KNOBS, Knob};
use crate::model::quantity::{Measure, Quantity};
use crate::model::row::Role;
use crate::model::setup::{Setup, Workload};
use crate::model::units::Size;
use crate::model::workload::{self, Column, Of};
use crate::show::chapter::Chapter;
use crate::show::chart::Chart;
use crate::show::conclusion;
use crate::show::distribution::{Distributions, Length, Step};
use crate::show::figures::Record;
use crate::show::forest::Forest;
use crate::show::hazards::{self, Hazards};
use crate::show::heat::Heat;
use crate::show::law::{self, Applied, Asked, LawRecord};
use crate::show::series::{Series, Spark};
use crate::show::shift::ShiftChart;
use crate::show::support::Support;
use crate::show::units;
use crate::show::warning::{Disturbance, Warning};
use crate::show::work::Work;

/// All that any rendering shows of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Name of the results directory.
    pub source: String,
    /// The answer in words: one paragraph.
    pub conclusion: String,
    /// One table for each shape of the parent, in the order of the run.
    pub sections: Vec<Section>,
    /// Index of the section whose lanes stand on the first screen: where the answer is plainest.
    pub featured: usize,
    /// Why the numbers can be believed, and how far: one entry a line.
    pub trust: Vec<String>,
    /// What to know before trusting them.
    pub warnings: Vec<Warning>,
    /// What to run next.
    pub next: Vec<Next>,
    /// Confidence of every interval, as a share: 0.95.
    pub confidence: f64,
    /// Whether page faults are from getrusage, perf_event having been refused.
    pub faults_from_rusage: bool,
    /// Every figure of every variant and interval, for the formats that machines read.
    pub records: Vec<Record>,
    /// What was done between birth and exec, and by what means.
    pub support: Vec<Support>,
    /// What became of children born beside threads.
    pub hazards: Hazards,
    /// What each scenario of the run says.
    pub chapters: Vec<Chapter>,
    /// Every law, for the formats that machines read.
    pub laws: Vec<LawRecord>,
    /// What the laws say of the values that were asked about; empty if none was.
    pub applied: Vec<Applied>,
    /// The pictures of the laws.
    pub charts: Vec<Chart>,
    /// The pictures of workloads that have columns of their own.
    pub works: Vec<Work>,
    /// What each mechanism costs in each parent, a picture for each workload.
    pub heats: Vec<Heat>,
    /// Every ratio with its interval; none where nothing is compared.
    pub forest: Option<Forest>,
    /// By how much the sides of a check differ along their distributions.
    pub shifts: Vec<ShiftChart>,
    /// The blocks of the row that the answer is about, in the order of time; none with too few.
    pub spark: Option<Spark>,
}

/// What was measured of one workload in parents of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Canonical label of the shape.
    pub shape: String,
    /// The word for the workload.
    pub workload: String,
    /// The columns of a workload that has its own; none: those of a spawn.
    pub columns: Vec<Heading>,
    /// What parent, child and loop were, in one line.
    pub caption: String,
    /// Name of what the others are compared with, as its row is named; none without one.
    pub versus: Option<String>,
    /// The rows, by what they share with their parent.
    pub groups: Vec<Group>,
    /// Where the time of a spawn goes, in the order of the rows.
    pub lanes: Vec<Lane>,
    /// How each interval of each row is distributed, in the order of the rows; none of a workload
    /// that has columns of its own.
    pub curves: Vec<Curve>,
    /// Pictures of lengths by percentile.
    pub tails: Vec<Tail>,
    /// The blocks of each row in the order of time; none with too few.
    pub series: Option<Series>,
    /// What the pictures of this section show, in words.
    pub titles: Titles,
}

/// A column that a workload has of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// What stands above it, at most two lines.
    pub title: &'static str,
    /// What stands in it, in one line.
    pub about: &'static str,
    /// What its figures are counted in.
    pub unit: Unit,
    /// Of the column by which rows are compared and sorted: the verb of its sentence.
    pub main: Option<&'static str>,
}

/// A picture of one length by percentile.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// What its file is called, without an ending: `latency`.
    pub stem: String,
    /// What it shows, as a finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the vertical axis shows.
    pub y_title: String,
    /// What its shares are shares of: `spawns`.
    pub of: &'static str,
    /// A curve for each row.
    pub curves: Vec<Curve>,
}

/// What a picture shows, as a finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Titles {
    /// Of the latency by percentile.
    pub latency: String,
    /// Of the distribution of each interval.
    pub distributions: Vec<(Interval, String)>,
    /// Of the lanes.
    pub lanes: String,
}

/// Rows that share the same with their parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they share.
    pub kind: Kind,
    /// The same, in words.
    pub title: &'static str,
    /// Shortest blocked median first; those without one last.
    pub rows: Vec<Row>,
}

/// What a mechanism shares with its parent, which is what its cost depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The memory itself, until exec or exit.
    Shares,
    /// Copies of the page tables.
    Copies,
    /// No process is made: a thread.
    Thread,
    /// Another program spawns; what it shares is its own affair.
    Extern,
    /// Nothing is made at all.
    Control,
}

/// One variant in a table. Times are medians in nanoseconds unless named otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its label without the shape and what all rows have in common, which the caption tells.
    pub name: String,
    /// Name of its mechanism, which decides its colour.
    pub mechanism: String,
    /// What it shares with its parent.
    pub kind: Kind,
    /// Its work knobs but the mechanism, in canonical form: rows that agree in it differ in the
    /// mechanism alone.
    pub work: String,
    /// Caller blocked.
    pub blocked: Cell,
    /// Caller blocked by the first spawn after the caches were scrubbed.
    pub cold: Cell,
    /// Caller blocked, 90th percentile.
    pub blocked_p90: Cell,
    /// Caller blocked, in an empty parent.
    pub empty: Cell,
    /// The new image runs.
    pub image: Cell,
    /// Reaped.
    pub reaped: Cell,
    /// The bill after: what the parent then pays to write its memory again.
    pub bill: Cell,
    /// Minor faults of the parent per spawn, those of the bill included.
    pub parent_faults: Option<u64>,
    /// Minor faults of the child per spawn.
    pub child_faults: Option<u64>,
    /// What stands in the columns of its workload, as [`Section::columns`] has them.
    pub entries: Vec<Cell>,
    /// Its figure in the main one of these, or how long the caller is blocked.
    pub main: Cell,
    /// That compared.
    pub versus: Versus,
    /// The median of each interval, in the order of [`Interval::ALL`].
    pub medians: [Cell; Interval::ALL.len()],
    /// Samples that the medians are made of.
    pub samples: usize,
    /// Why there are no figures; none if there are.
    pub missing: Option<String>,
    /// The number of the variant.
    pub variant: u32,
    /// The number of the variant it is compared with.
    pub versus_variant: Option<u32>,
}

/// A figure in a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// In nanoseconds, or in the unit of its column.
    Known(f64),
    /// There are too few samples; so many are needed.
    Needs(usize),
    /// There is no such thing.
    Absent,
    /// A figure would make no sense; this word says why.
    Void(&'static str),
}

/// How a row compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Versus {
    /// It is what the others are compared with.
    Itself,
    /// So many times as long.
    Times {
        /// The ratio.
        value: f64,
        /// Its interval; none with too few blocks for one.
        bounds: Option<(f64, f64)>,
    },
    /// Not shown, and why.
    NotShown(NotShown),
    /// There is nothing to compare with.
    Nothing,
}

/// Why a ratio is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotShown {
    /// The two took no turns in one parent.
    Apart,
    /// No launch has so many samples of each.
    Needs(usize),
    /// One of the two is shorter than the clock can tell.
    ZeroTime,
}

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotShown::Apart => f.write_str("measured in another parent, so there is no ratio"),
            NotShown::Needs(samples) => {
                write!(f, "a ratio needs {samples} samples of each in one parent")
            }
            NotShown::ZeroTime => f.write_str("too short for the clock, so there is no ratio"),
        }
    }
}

/// Where the time of one spawn goes: medians in nanoseconds on one clock, from the call on.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Name of the row.
    pub name: String,
    /// Name of its mechanism.
    pub mechanism: String,
    /// The call has returned.
    pub blocked: f64,
    /// The new image runs.
    pub image: Option<f64>,
    /// The child is reaped.
    pub reaped: Option<f64>,
    /// The bill after: from the last of the marks above, until all memory is writable again.
    pub bill: Option<(f64, f64)>,
}

impl Lane {
    /// The last of its marks before the bill.
    pub fn done(&self) -> f64 {
        [self.image, self.reaped].into_iter().flatten().fold(self.blocked, f64::max)
    }

    /// The last of all its marks.
    pub fn end(&self) -> f64 {
        self.bill.map_or_else(|| self.done(), |(_, end)| end)
    }
}

/// How one length of one row is distributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Name of the row.
    pub name: String,
    /// Name of its mechanism.
    pub mechanism: String,
    /// Which length.
    pub length: Length,
    /// Samples.
    pub samples: u64,
    /// The median, in nanoseconds, if there are samples enough for one.
    pub median: Option<f64>,
    /// Values that so large a share of the samples does not exceed: both rise.
    pub steps: Vec<Step>,
}

/// A command to run next.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Next {
    /// As it is typed.
    pub command: String,
    /// What it answers.
    pub why: String,
}

/// What a view needs beyond the summary.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Name of the results directory.
    pub directory: &'a str,
    /// The way to it, as a command takes it.
    pub path: &'a str,
    /// The libc of the run with its version, if that is known: `glibc 2.36`.
    pub libc: Option<&'a str>,
    /// Whether a release build made the results.
    pub release_build: bool,
    /// Variants whose children were free to leave their parent's CPU and never did.
    pub never_left: &'a [u32],
    /// What disturbs measurements on the machine, in the order in which it was seen.
    pub machine: &'a [Disturbance],
    /// How the samples are distributed.
    pub distributions: &'a Distributions,
    /// Values that the laws are asked about.
    pub asked: &'a [Asked],
}

impl View {
    /// The view of a run.
    pub fn new(summary: &Summary, origin: Origin<'_>) -> View {
        let sections = sections(summary, origin.distributions, |_| true);
        let warnings =
            Warning::of(summary, origin.release_build, origin.never_left, origin.machine);
        let chapters = Chapter::all(summary);
        let laws: Vec<&Law> = summary.laws.iter().collect();
        let hazards = Hazards::of(summary, origin.libc);
        let is_hazard = is_about_hazards(&sections);
        let support = Support::all(summary);
        let answer = conclusion::answer(&sections, &chapters, &support);
        let next = next(summary, &sections, &warnings, origin.path);
        let mut charts = law::charts(&laws, &summary.published);
        charts.extend(hazards::law(&summary.hazards));
        View {
            source: origin.directory.to_owned(),
            conclusion: if is_hazard { hazards.answer.clone() } else { answer },
            featured: conclusion::plainest(&sections),
            trust: if is_hazard { hazards.trust() } else { trust(summary, &sections) },
            next: if is_hazard { of_hazards(&hazards, origin.path) } else { next },
            faults_from_rusage: warnings.contains(&Warning::PerfFallback),
            warnings,
            confidence: summary.confidence,
            records: Record::all(summary),
            support,
            hazards,
            laws: laws.iter().map(|law| LawRecord::of(law)).collect(),
            applied: origin.asked.iter().flat_map(|one| Applied::all(&laws, one)).collect(),
            charts,
            works: Work::all(summary, origin.distributions, &chapters, &sections),
            heats: if is_hazard { Vec::new() } else { Heat::of(&sections) },
            forest: if is_hazard { None } else { Forest::of_sections(&sections) },
            shifts: summary.shifts.iter().filter_map(ShiftChart::of).collect(),
            spark: spark(summary, &sections),
            chapters,
            sections,
        }
    }

    /// The knobs along which a law runs, each once.
    pub fn axes(&self) -> Vec<&str> {
        let mut axes: Vec<&str> = Vec::new();
        for law in &self.laws {
            if !axes.contains(&law.axis.as_str()) {
                axes.push(&law.axis);
            }
        }
        axes
    }

    /// Whether anything was measured: any sample that counts in a statistic.
    pub fn has_samples(&self) -> bool {
        self.records.iter().any(|record| record.n > 0)
    }
}

impl Section {
    /// All its rows, in the order in which they are shown.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|group| &group.rows)
    }

    /// Whether the parent is as the program starts.
    pub fn is_empty_parent(&self) -> bool {
        self.shape == EMPTY
    }
}

impl Cell {
    /// The figure, if there is one.
    pub fn known(self) -> Option<f64> {
        match self {
            Cell::Known(value) => Some(value),
            Cell::Needs(_) | Cell::Absent | Cell::Void(_) => None,
        }
    }
}

impl From<Option<Figure>> for Cell {
    fn from(figure: Option<Figure>) -> Cell {
        match figure {
            Some(Figure::Known(quantile)) => Cell::Known(quantile.value),
            // Nothing was stamped, so no number of samples would give a figure.
            Some(Figure::Needs { count: 0, .. }) | None => Cell::Absent,
            Some(Figure::Needs { needed, .. }) => Cell::Needs(needed),
        }
    }
}

impl Kind {
    fn of(variant: &VariantSummary) -> Kind {
        let row = &variant.row;
        match row.mechanism.as_str() {
            _ if row.role == Role::Control => Kind::Control,
            "none" => Kind::Control,
            "thread" => Kind::Thread,
            other if other.starts_with("extern:") => Kind::Extern,
            _ if row.copies_pages => Kind::Copies,
            _ => Kind::Shares,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Shares => "share the parent's memory until exec",
            Kind::Copies => "copy its page tables",
            Kind::Thread => "make no process, for reference",
            Kind::Extern => "spawned by another program",
            Kind::Control => "control: no process, the cost of the tool itself",
        }
    }
}

fn of_hazards(hazards: &Hazards, path: &str) -> Vec<Next> {
    let hint = |(command, why): (String, &str)| Next { command, why: why.to_owned() };
    hazards.next(&quoted(path)).into_iter().map(hint).collect()
}

/// Whether all that was done is workload=hazard, which has an answer and a table of its own.
fn is_about_hazards(sections: &[Section]) -> bool {
    let is_hazard = |section: &Section| section.workload == Workload::Hazard.word();
    !sections.is_empty() && sections.iter().all(is_hazard)
}

/// The label of a parent as the program starts.
const EMPTY: &str = "empty";

/// The shapes that were asked for and what was done in each, in the order of the run. The empty
/// parent that every run carries is not one of them.
fn places(summary: &Summary) -> Vec<(&str, &str)> {
    let of_role = |role: Role| {
        let mut places: Vec<(&str, &str)> = Vec::new();
        for variant in summary.variants.iter().filter(|v| v.row.role == role) {
            let place = (variant.row.shape.as_str(), variant.row.workload.as_str());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    };
    let asked = of_role(Role::Subject);
    if asked.is_empty() { of_role(Role::Control) } else { asked }
}

/// One section for each shape that was asked for and each workload in it, made of these variants
/// and of the controls.
pub(super) fn sections(
    summary: &Summary,
    distributions: &Distributions,
    members: impl Fn(u32) -> bool,
) -> Vec<Section> {
    let section = |(shape, workload): (&str, &str)| {
        let is_told = |variant: &&VariantSummary| {
            let row = &variant.row;
            row.shape == shape
                && row.workload == workload
                && match row.role {
                    Role::Subject => members(row.variant),
                    Role::Control => true,
                    Role::Twin | Role::Reference => false,
                }
        };
        let variants: Vec<&VariantSummary> = summary.variants.iter().filter(is_told).collect();
        section(summary, (shape, workload), &variants, distributions)
    };
    let has_subject = |section: &Section| section.rows().any(|row| row.kind != Kind::Control);
    let all: Vec<Section> = places(summary).into_iter().map(section).collect();
    // A run of controls alone has sections too.
    if all.iter().any(has_subject) { all.into_iter().filter(has_subject).collect() } else { all }
}

fn section(
    summary: &Summary,
    (shape, workload): (&str, &str),
    variants: &[&VariantSummary],
    distributions: &Distributions,
) -> Section {
    let compared: Vec<u32> = variants.iter().filter_map(|v| v.versus).collect();
    let columns = headings(workload);
    let told = told_above(variants);
    let mut rows: Vec<Row> =
        variants.iter().map(|v| row(summary, v, &compared, &told, &columns)).collect();
    let main = columns.iter().find(|column| column.main.is_some());
    // The more of it, the better it is.
    let is_rate = main.is_some_and(|column| matches!(column.unit, Unit::PerSecond(_)));
    let cost = |row: &Row| match row.main.known() {
        Some(rate) if is_rate => -rate,
        Some(length) => length,
        None => f64::INFINITY,
    };
    rows.sort_by(|a, b| a.kind.cmp(&b.kind).then(cost(a).total_cmp(&cost(b))));

    let is_spawn = columns.is_empty();
    let versus = rows.iter().find(|row| row.versus == Versus::Itself).map(|row| {
        let several = rows.iter().filter(|other| other.versus == Versus::Itself).count() > 1;
        // Several setups, each compared with its own: what they have in common is the mechanism.
        if several { row.mechanism.clone() } else { row.name.clone() }
    });
    let all = Interval::ALL.map(Length::Interval);
    let mut section = Section {
        shape: shape.to_owned(),
        workload: workload.to_owned(),
        columns,
        caption: caption(shape, variants),
        versus,
        lanes: if is_spawn { rows.iter().filter_map(lane).collect() } else { Vec::new() },
        curves: if is_spawn { curves(&rows, &all, distributions) } else { Vec::new() },
        tails: Vec::new(),
        series: series(variants, &rows, &caption(shape, variants)),
        groups: group(rows),
        titles: Titles::default(),
    };
    section.titles = conclusion::titles(&section);
    section.tails = match () {
        () if is_spawn => vec![latency(&section)],
        // A batch is one sample: its rates are the picture.
        () if is_about_hazards(std::slice::from_ref(&section)) => Vec::new(),
        () => tails(&section, distributions),
    };
    section.tails.retain(|tail| !tail.curves.is_empty());
    section
}

/// The columns that a workload has of its own; none of a spawn.
fn headings(workload: &str) -> Vec<Heading> {
    let columns = workload::find(workload).map_or(&[] as &[_], |row| row.columns);
    columns
        .iter()
        .map(|column| Heading {
            title: column.heading,
            about: column.about,
            unit: Unit::of(column.of),
            main: column.main,
        })
        .collect()
}

/// How these lengths of rows are distributed, those of the controls left out.
fn curves(rows: &[Row], lengths: &[Length], distributions: &Distributions) -> Vec<Curve> {
    rows.iter()
        .filter(|row| row.kind != Kind::Control)
        .flat_map(|row| lengths.iter().map(move |length| (row, length)))
        .filter_map(|(row, length)| curve(row, length, distributions))
        .collect()
}

fn curve(row: &Row, length: &Length, distributions: &Distributions) -> Option<Curve> {
    let steps = distributions.steps(row.variant, length)?;
    let middle = steps.iter().find(|step| step.share >= 0.5).map(|step| step.nanoseconds);
    let median = match length {
        Length::Interval(interval) => row.medians[*interval as usize].known(),
        Length::Reading(_) => middle,
    };
    Some(Curve {
        name: row.name.clone(),
        mechanism: row.mechanism.clone(),
        length: length.clone(),
        samples: distributions.samples(row.variant, length),
        median,
        steps,
    })
}

/// How long the caller is blocked, by percentile.
fn latency(section: &Section) -> Tail {
    let is_blocked = |curve: &&Curve| curve.length == Length::Interval(Interval::Blocked);
    Tail {
        stem: "latency".to_owned(),
        title: section.titles.latency.clone(),
        subtitle: format!("How long the caller is blocked, by percentile. {}.", section.caption),
        y_title: "caller blocked".to_owned(),
        of: "spawns",
        curves: section.curves.iter().filter(is_blocked).cloned().collect(),
    }
}

/// More curves than this cannot be told apart.
const MOST_CURVES: usize = 12;

/// The lengths of a workload by percentile: the intervals that its columns name, and all that it
/// times or counts itself.
fn tails(section: &Section, distributions: &Distributions) -> Vec<Tail> {
    let row = workload::find(&section.workload);
    let texts = row.into_iter().flat_map(|row| row.columns).flat_map(|column| match column.of {
        Of::Quantity(text) => vec![text],
        Of::Each(one, other) | Of::PerSecond(one, other) => vec![one, other],
    });
    let mut lengths: Vec<Length> = Vec::new();
    for text in texts {
        if let Ok(Quantity::Time { interval, .. }) = text.parse()
            && !lengths.contains(&Length::Interval(interval))
        {
            lengths.push(Length::Interval(interval));
        }
    }
    for reading in section.rows().flat_map(|row| distributions.readings(row.variant)) {
        let length = Length::Reading(reading.to_owned());
        if !lengths.contains(&length) {
            lengths.push(length);
        }
    }
    let rows: Vec<Row> = section.rows().cloned().collect();
    lengths
        .iter()
        .map(|length| {
            let (name, about) = match length {
                Length::Interval(interval) => (interval.word(), interval.about()),
                Length::Reading(reading) => {
                    let entry = glossary::find(reading);
                    (reading.as_str(), entry.map_or("", |entry| entry.short))
                }
            };
            let about = about.trim_end_matches(", in nanoseconds");
            let curves: Vec<Curve> =
                rows.iter().filter_map(|row| curve(row, length, distributions)).collect();
            let about = if about.is_empty() { String::new() } else { format!(": {about}") };
            Tail {
                stem: format!("percentiles-{name}"),
                title: conclusion::halves(name, &curves),
                subtitle: format!("{name}{about}, by percentile. {}.", section.caption),
                y_title: name.to_owned(),
                of: "values",
                curves,
            }
        })
        .filter(|tail| tail.curves.len() <= MOST_CURVES)
        .collect()
}

/// The blocks of the rows of a section, those of the controls left out.
fn series(variants: &[&VariantSummary], rows: &[Row], caption: &str) -> Option<Series> {
    let told = rows.iter().filter(|row| row.kind != Kind::Control);
    let of = |row: &Row| {
        let variant = variants.iter().find(|variant| variant.row.variant == row.variant)?;
        Some((row.name.clone(), *variant))
    };
    Series::of(&told.filter_map(of).collect::<Vec<_>>(), caption)
}

fn group(rows: Vec<Row>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        match groups.last_mut() {
            Some(group) if group.kind == row.kind => group.rows.push(row),
            _ => groups.push(Group { kind: row.kind, title: row.kind.title(), rows: vec![row] }),
        }
    }
    groups
}

fn row(
    summary: &Summary,
    variant: &VariantSummary,
    compared: &[u32],
    told: &[String],
    columns: &[Heading],
) -> Row {
    let kind = Kind::of(variant);
    let figure = |interval: Interval, pick: fn(&IntervalSummary) -> Option<Figure>| {
        Cell::from(variant.interval(interval).and_then(pick))
    };
    let p50 = |interval| figure(interval, |i| Some(i.p50));
    let blocked = p50(Interval::Blocked);
    let bill = match p50(Interval::Rewrite) {
        // It left no page write-protected, so there is nothing to pay.
        Cell::Absent if kind == Kind::Shares && blocked.known().is_some() => Cell::Known(0.0),
        cell => cell,
    };
    let mode = |count: Option<Count>| count.map(|count| count.mode);
    let faults = &variant.faults;
    let entries = entries(variant);
    let main = columns.iter().position(|column| column.main.is_some());
    let contrast = match main {
        Some(place) => variant.columns.get(place).and_then(|column| column.versus),
        None => variant.interval(Interval::Blocked).and_then(|i| i.versus_p50),
    };
    Row {
        name: name(variant, told),
        mechanism: variant.row.mechanism.clone(),
        kind,
        work: work(&variant.row.settings),
        blocked,
        cold: figure(Interval::Blocked, |i| i.cold_p50),
        blocked_p90: figure(Interval::Blocked, |i| Some(i.p90)),
        empty: figure(Interval::Blocked, |i| i.if_empty_p50),
        image: p50(Interval::Image),
        reaped: p50(Interval::Reaped),
        bill,
        parent_faults: mode(faults.parent).map(|n| n + mode(faults.rewrite).unwrap_or(0)),
        child_faults: mode(faults.child),
        versus: versus(variant, compared, contrast),
        main: main.map_or(blocked, |place| entries.get(place).copied().unwrap_or(Cell::Absent)),
        entries,
        medians: Interval::ALL.map(p50),
        samples: match main {
            Some(_) => variant.samples,
            None => variant.interval(Interval::Blocked).map_or(0, |i| i.count),
        },
        missing: missing(summary, variant),
        variant: variant.row.variant,
        versus_variant: variant.versus,
    }
}

/// What stands in the columns of the workload of a variant.
fn entries(variant: &VariantSummary) -> Vec<Cell> {
    let row = workload::find(&variant.row.workload);
    let columns = row.map_or(&[] as &[_], |row| row.columns);
    let cell = |(column, summary): (&Column, &ColumnSummary)| match summary.entry {
        Entry::Known { value, .. } => Cell::Known(value),
        Entry::Needs(samples) => Cell::Needs(samples),
        Entry::Absent => Cell::Absent,
        Entry::Void => Cell::Void(column.word()),
    };
    columns.iter().zip(&variant.columns).map(cell).collect()
}

fn versus(variant: &VariantSummary, compared: &[u32], contrast: Option<Contrast>) -> Versus {
    if compared.contains(&variant.row.variant) {
        return Versus::Itself;
    }
    // It makes no process: what it costs is told as the tool's own cost.
    if Kind::of(variant) == Kind::Control {
        return Versus::Nothing;
    }
    match contrast {
        None => Versus::Nothing,
        Some(Contrast::Shown(ratio)) => Versus::Times {
            value: ratio.value,
            bounds: match ratio.bounds {
                Bounds::Between { low, high } => Some((low, high)),
                Bounds::Needs { .. } => None,
            },
        },
        Some(Contrast::NotShown(reason)) => Versus::NotShown(match reason {
            Reason::NotInOneBlock => NotShown::Apart,
            Reason::TooFewSamples { needed, .. } => NotShown::Needs(needed),
            Reason::ZeroTime => NotShown::ZeroTime,
        }),
    }
}

/// Why a variant has no figures; none if it has.
fn missing(summary: &Summary, variant: &VariantSummary) -> Option<String> {
    let has_some = variant.intervals.iter().any(|interval| interval.count > 0)
        || (!variant.columns.is_empty() && variant.samples > 0);
    (!has_some).then(|| found::missing(&variant.row, &summary.events, &summary.launches))
}

fn lane(row: &Row) -> Option<Lane> {
    if row.kind == Kind::Control {
        return None;
    }
    let mut lane = Lane {
        name: row.name.clone(),
        mechanism: row.mechanism.clone(),
        blocked: row.blocked.known()?,
        image: row.image.known(),
        reaped: row.reaped.known(),
        bill: None,
    };
    let start = lane.done();
    lane.bill = row.bill.known().filter(|&bill| bill > 0.0).map(|bill| (start, start + bill));
    Some(lane)
}

/// The label without the shape in front of it and without what the caption has told; of the
/// control also without what is as usual.
fn name(variant: &VariantSummary, told: &[String]) -> String {
    let row = &variant.row;
    let name = row
        .label
        .strip_prefix(row.shape.as_str())
        .and_then(|rest| rest.strip_prefix(' '))
        .unwrap_or(&row.label);
    let usual = Setup::default();
    let is_usual = |word: &str| {
        row.role == Role::Control
            && word.split_once('=').is_some_and(|(name, value)| {
                knob::find(name).is_some_and(|knob| (knob.get)(&usual) == value)
            })
    };
    let name = told.iter().fold(name.to_owned(), |name, setting| without(&name, setting));
    let words: Vec<&str> = name.split(' ').filter(|word| !is_usual(word)).collect();
    words.join(" ")
}

/// A label without one of its settings.
fn without(label: &str, setting: &str) -> String {
    match label.split_once(&format!(" {setting}")) {
        Some((before, rest)) if rest.is_empty() || rest.starts_with(' ') => {
            format!("{before}{rest}")
        }
        _ => label.to_owned(),
    }
}

/// The value of a knob among settings of the form `name=value;name=value`.
pub(super) fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The settings but the mechanism.
fn work(settings: &str) -> String {
    let rest: Vec<&str> =
        settings.split(';').filter(|part| !part.starts_with("mechanism=")).collect();
    rest.join(";")
}

/// Work knobs that a caption tells first if all rows agree in them.
const TOLD: [&str; 7] =
    ["image", "child-cpu", "between", "rewrite", "env-bytes", "args-bytes", "path-dirs"];

/// The work knobs but the mechanism, those of [`TOLD`] first.
fn work_knobs() -> impl Iterator<Item = &'static Knob> {
    let others =
        KNOBS.iter().filter(|knob| knob.group == knob::Group::Work && knob.name != "mechanism");
    let others = others.filter(|knob| !TOLD.contains(&knob.name));
    TOLD.iter().filter_map(|name| knob::find(name)).chain(others)
}

/// The value of a knob in which all subjects agree.
fn common(variants: &[&VariantSummary], knob: &Knob) -> Option<String> {
    let usual = (knob.get)(&Setup::default());
    let mut values = variants
        .iter()
        .filter(|v| v.row.role == Role::Subject)
        .map(|v| setting(&v.row.settings, knob.name).unwrap_or(&usual).to_owned());
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The settings that the caption tells, as labels have them: `image=exit`.
fn told_above(variants: &[&VariantSummary]) -> Vec<String> {
    let agreed =
        work_knobs().filter_map(|knob| Some(format!("{}={}", knob.name, common(variants, knob)?)));
    agreed.collect()
}

/// What parent, child and loop were, in one line. What differs between the rows is left to them.
fn caption(shape: &str, variants: &[&VariantSummary]) -> String {
    let settings = variants.first().map_or("", |v| v.row.settings.as_str());
    let mut parts = vec![parent(shape, settings)];
    for knob in work_knobs() {
        let Some(value) = common(variants, knob) else { continue };
        match (knob.name, value.as_str()) {
            ("image", "noop") => parts.push("child execs the shipped image".to_owned()),
            ("image", "dynamic") => {
                parts.push("child execs the shipped image behind the loader".to_owned());
            }
            ("image", "exit") => parts.push("child exits without exec".to_owned()),
            ("image", command) => parts.push(format!("child execs {command}")),
            ("child-cpu", "same") => parts.push("same CPU".to_owned()),
            ("child-cpu", "free") => parts.push("child on any CPU".to_owned()),
            _ if value == (knob.get)(&Setup::default()) => {}
            (name, value) => parts.push(format!("{name} {value}")),
        }
    }
    parts.join("; ")
}

/// What the parent was: `Parent 1 GiB in 4 KiB pages, 1 thread`.
fn parent(shape: &str, settings: &str) -> String {
    let number = |knob: &str| setting(settings, knob).and_then(|text| text.parse::<u64>().ok());
    let mut parts = Vec::new();
    match setting(settings, "rss") {
        Some(size) => {
            let split = size.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(size.len());
            let (number, unit) = size.split_at(split);
            let pages = match setting(settings, "page") {
                None => "4 KiB pages",
                Some("thp") => "transparent huge pages",
                Some(other) => other,
            };
            parts.push(format!("Parent {number} {unit} in {pages}"));
        }
        None if shape == EMPTY => parts.push("Empty parent".to_owned()),
        None => parts.push("Parent without memory of its own".to_owned()),
    }
    let threads = number("threads").unwrap_or(0) + 1;
    parts.push(units::plural(threads, "thread", "threads"));
    if let Some(mappings) = number("vmas") {
        parts.push(units::plural(mappings, "more mapping", "more mappings"));
    }
    if let Some(descriptors) = number("fds") {
        parts.push(units::plural(descriptors, "more descriptor", "more descriptors"));
    }
    if let Some(prefix) = setting(settings, "prefix") {
        parts.push(format!("under {prefix}"));
    }
    parts.join(", ")
}

/// Why the numbers can be believed, and how far.
fn trust(summary: &Summary, sections: &[Section]) -> Vec<String> {
    let mut lines = Vec::new();
    let featured = sections.get(conclusion::plainest(sections));
    let subject = featured.and_then(|section| conclusion::subject(section));
    if let (Some(section), Some(row)) = (featured, subject)
        && let Some(variant) = summary.variant(row.variant)
    {
        lines.extend(by_launch(section, variant));
    }
    let mut parts = Vec::new();
    if let (Some(section), Some(row)) = (featured, subject) {
        let mut counts =
            format!("{} of {}", units::plural(row.samples as u64, "sample", "samples"), row.name);
        let other = section
            .rows()
            .find(|other| Some(other.variant) == row.versus_variant && other.samples > 0);
        if let Some(other) = other {
            counts += &format!(", {} of {}", units::count(other.samples as u64), other.name);
        }
        parts.push(counts);
    }
    parts.push(twin(summary));
    if let Some(cost) = summary.own_cost.and_then(Figure::known) {
        parts.push(format!("own cost {}", units::duration(cost.value)));
    }
    lines.push(parts.join("; "));
    lines
}

/// The blocks of the row that the answer is about.
fn spark(summary: &Summary, sections: &[Section]) -> Option<Spark> {
    let section = sections.get(conclusion::plainest(sections))?;
    let row = conclusion::subject(section)?;
    Spark::of(&row.name, summary.variant(row.variant)?.interval(Interval::Blocked)?)
}

/// What each launch says of a variant: of the caller, or of the main column of its workload and of
/// each in which a single value decides.
fn by_launch(section: &Section, variant: &VariantSummary) -> Vec<String> {
    let label = &variant.row.label;
    let parents = |count: usize| units::plural(count as u64, "fresh parent", "fresh parents");
    if section.columns.is_empty() {
        let medians = variant.interval(Interval::Blocked).map(|i| &i.launch_medians);
        let medians: Vec<f64> = medians.into_iter().flatten().map(|median| median.p50).collect();
        if medians.is_empty() {
            return Vec::new();
        }
        let values = units::durations(&medians);
        return vec![format!("{label} blocked, in each of {}: {values}", parents(medians.len()))];
    }
    let of = workload::find(&section.workload).map_or(&[] as &[_], |row| row.columns);
    of.iter()
        .zip(&section.columns)
        .zip(&variant.columns)
        .filter(|((column, _), summary)| {
            let is_max = matches!(column.of, Of::Quantity(text) if text.ends_with(".max"));
            (column.main.is_some() || is_max) && !summary.launches.is_empty()
        })
        .map(|((_, heading), summary)| {
            let values = match heading.unit {
                Unit::Of(Measure::Nanoseconds) => units::durations(&summary.launches),
                unit => {
                    let figure = |&value: &f64| units::figure(unit, value);
                    summary.launches.iter().map(figure).collect::<Vec<String>>().join("  ")
                }
            };
            let title = heading.title.replace('\n', " ");
            let parents = parents(summary.launches.len());
            format!("{label}, {title}, in each of {parents}: {values}")
        })
        .collect()
}

/// The A/A check of the blocked interval, or of whichever interval was compared.
fn twin(summary: &Summary) -> String {
    let check = summary
        .twins
        .iter()
        .find(|twin| twin.interval == Interval::Blocked)
        .or_else(|| summary.twins.first());
    match check.map(|twin| twin.ratio) {
        None => "no A/A twin".to_owned(),
        Some(Contrast::NotShown(_)) => "A/A twin not shown: too few samples".to_owned(),
        Some(Contrast::Shown(ratio)) => match ratio.bounds {
            Bounds::Between { low, high } => {
                format!("A/A twin {:.3} ({low:.3} to {high:.3})", ratio.value)
            }
            Bounds::Needs { needed, count } => {
                format!("A/A twin {:.3} ({count} blocks; an interval needs {needed})", ratio.value)
            }
        },
    }
}

/// Memory below this costs too little to be worth an axis of its own.
const SMALLEST_AXIS: Size = Size::from_bytes(16 << 20);

/// The most hints that a screen shows.
const HINTS: usize = 3;

/// What to run next: what the run at hand leaves open.
fn next(summary: &Summary, sections: &[Section], warnings: &[Warning], path: &str) -> Vec<Next> {
    let mut hints = Vec::new();
    let mut hint = |command: String, why: &str| {
        hints.push(Next { command, why: why.to_owned() });
    };
    let settings = common_settings(sections);
    let rest = flags(&settings);
    let size = |section: &Section| -> Option<Size> {
        setting(section.rows().next()?.work.as_str(), "rss")?.parse().ok()
    };
    if let Some((axis, beyond)) = beyond(&summary.laws) {
        hint(
            format!("forkbench show {} --at {axis}={beyond}", quoted(path)),
            "the law, beyond what was measured",
        );
    }
    if !summary.findings.is_empty() {
        hint(format!("forkbench check {}", quoted(path)), "exit 3 if a claim fails");
    }
    match sections {
        [] => {}
        [section] if !section.columns.is_empty() => hint(
            format!("forkbench explain {}", section.workload),
            "what was done, and what its columns say",
        ),
        // More than one question was asked: none of them is the next one.
        _ if summary.scenarios.len() > 1 => {}
        [section] => match size(section).filter(|size| *size >= SMALLEST_AXIS) {
            None => hint(
                format!("forkbench run --rss 1G{rest}"),
                "the same in a parent that holds 1 GiB",
            ),
            Some(size) => {
                let whole = command_size(size);
                let steps = [4, 2].map(|part| command_size(Size::from_bytes(size.bytes() / part)));
                hint(
                    format!("forkbench run --rss 0,{},{whole}{rest}", steps.join(",")),
                    "what each further MiB costs",
                );
                if !settings.iter().any(|setting| setting.starts_with("page=")) {
                    hint(
                        format!("forkbench run --rss {whole} --page thp{rest}"),
                        "the same in huge pages",
                    );
                }
            }
        },
        _ if sections.iter().any(|section| !section.columns.is_empty()) => {}
        _ => {
            let opens_files = |row: &Row| setting(&row.work, "fds").is_some();
            if !sections.iter().flat_map(Section::rows).any(opens_files) {
                hint(format!("forkbench run --fds 0,10k{rest}"), "what open descriptors cost");
            }
        }
    }
    if let Some(warning) = warnings.first().filter(|w| !matches!(w, Warning::Machine(_))) {
        hint(format!("forkbench explain {}", warning.word()), "what that warning means");
    }
    hint(format!("forkbench show {} --format csv", quoted(path)), "every figure with its interval");
    hints.truncate(HINTS);
    hints
}

/// The axis of the steepest line, and a value four times as large as any that was measured.
fn beyond(laws: &[Law]) -> Option<(&str, String)> {
    let steepest = laws
        .iter()
        .filter(|law| law.is_main && law.growth == Growth::Linear)
        // There is no share beyond the whole.
        .filter(|law| Per::of_knob(&law.axis) != Some(Per::Percent))
        .max_by(|a, b| rise(a).total_cmp(&rise(b)))?;
    let largest = steepest.points.last()?.x as u64 * 4;
    let text = if knob::is_size(&steepest.axis) {
        Size::from_bytes(largest).to_string()
    } else {
        largest.to_string()
    };
    Some((&steepest.axis, text))
}

/// How many times as large the last point is as the first.
fn rise(law: &Law) -> f64 {
    match law.points.as_slice() {
        [first, .., last] if first.value > 0.0 => last.value / first.value,
        _ => 1.0,
    }
}

/// The settings, but memory, in which all rows agree that make something: `image=exit`.
fn common_settings(sections: &[Section]) -> Vec<&str> {
    let mut works = sections
        .iter()
        .flat_map(Section::rows)
        .filter(|row| row.kind != Kind::Control)
        .map(|row| row.work.split(';').collect::<Vec<&str>>());
    let first = works.next().unwrap_or_default();
    let common = works.fold(first, |common, work| {
        common.into_iter().filter(|setting| work.contains(setting)).collect()
    });
    common.into_iter().filter(|part| !part.is_empty() && !part.starts_with("rss=")).collect()
}

/// Settings as flags, each with a space in front: ` --image exit`.
fn flags(settings: &[&str]) -> String {
    let known = settings.iter().filter_map(|setting| setting.split_once('='));
    known.map(|(knob, value)| format!(" --{knob} {}", quoted(value))).collect()
}

/// Text as a shell takes it.
fn quoted(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), |text| text.into_owned())
}

/// A size in whole pages as one types it: `256M`.
fn command_size(size: Size) -> String {
    const PAGE: u64 = 4096;
    let whole = Size::from_bytes(size.bytes().next_multiple_of(PAGE));
    whole.to_string().trim_end_matches("iB").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Outcome;
    use crate::record::fixture;
    use crate::show::example::{self, FORK, NONE, POSIX_SPAWN, Spawn, VFORK};

    fn captions(settings: &str) -> String {
        let mut summary = example::summary(&[("x", &[NONE, FORK, VFORK])], "vfork");
        for variant in &mut summary.variants {
            variant.row.settings = settings.to_owned();
        }
        example::view(&summary).sections[0].caption.clone()
    }

    #[test]
    fn captions_say_what_parent_child_and_loop_were() {
        for (settings, expected) in [
            (
                "rss=1GiB",
                "Parent 1 GiB in 4 KiB pages, 1 thread; child execs the shipped image; same CPU",
            ),
            (
                "rss=256MiB;page=thp;threads=8;image=exit;child-cpu=free",
                "Parent 256 MiB in transparent huge pages, 9 threads; child exits without exec; \
                 child on any CPU",
            ),
            (
                "vmas=10000;fds=1;image=/bin/true;between=idle:30ms;rewrite=none",
                "Parent without memory of its own, 1 thread, 10,000 more mappings, 1 more \
                 descriptor; child execs /bin/true; same CPU; between idle:30ms; rewrite none",
            ),
            (
                "prefix=nice -n 5",
                "Parent without memory of its own, 1 thread, under nice -n 5; child execs the \
                 shipped image; same CPU",
            ),
        ] {
            assert_eq!(captions(settings), expected);
        }
    }

    #[test]
    fn a_caption_leaves_to_the_rows_what_differs_between_them() {
        let mut summary = example::summary(&[("empty", &[FORK, VFORK])], "vfork");
        summary.variants[0].row.settings = "image=exit;mechanism=fork".to_owned();
        let view = example::view(&summary);
        assert_eq!(view.sections[0].caption, "Empty parent, 1 thread; same CPU");
        assert_eq!(view.sections[0].rows().last().unwrap().work, "image=exit");

        let mut summary = example::summary(&[("empty", &[FORK, NONE])], "vfork");
        summary.variants[0].row.label = "fork image=/bin/sh -c true rewrite=all".to_owned();
        summary.variants[0].row.settings = "image=/bin/sh -c true;mechanism=fork".to_owned();
        let view = example::view(&summary);
        assert_eq!(
            view.sections[0].caption,
            "Empty parent, 1 thread; child execs /bin/sh -c true; same CPU"
        );
        assert_eq!(view.sections[0].rows().next().unwrap().name, "fork");
        assert_eq!(view.next[0].command, "forkbench run --rss 1G --image '/bin/sh -c true'");
    }

    #[test]
    fn the_parent_that_every_run_carries_is_no_section() {
        let spawns = [FORK, POSIX_SPAWN];
        let empty = spawns.clone().map(|spawn| example::empty(&spawn));
        let mut summary =
            example::summary(&[("rss=1GiB", &spawns), ("empty", &empty)], "posix_spawn");
        for variant in summary.variants.iter_mut().filter(|v| v.row.shape == "empty") {
            variant.row.role = Role::Reference;
        }
        let view = example::view(&summary);
        let shapes: Vec<&str> = view.sections.iter().map(|s| s.shape.as_str()).collect();
        assert_eq!(shapes, ["rss=1GiB"]);
        assert_eq!(
            view.sections[0].rows().map(|r| r.name.as_str()).collect::<Vec<_>>(),
            ["posix_spawn", "fork"]
        );
        assert_eq!(view.records.len(), 4 + 3 + 3 + 3, "but its figures are exported");
    }

    #[test]
    fn rows_are_grouped_by_what_they_share_and_sorted_by_cost() {
        let thread = Spawn { mechanism: "thread", ..VFORK };
        let clone3 = Spawn { mechanism: "clone3", blocked: 20e6, ..FORK };
        let spawns = [NONE, FORK, thread, POSIX_SPAWN, clone3, VFORK];
        let view = example::view(&example::summary(&[("rss=1GiB", &spawns)], "posix_spawn"));
        let groups: Vec<(Kind, Vec<&str>)> = view.sections[0]
            .groups
            .iter()
            .map(|group| (group.kind, group.rows.iter().map(|row| row.name.as_str()).collect()))
            .collect();
        assert_eq!(
            groups,
            [
                (Kind::Shares, vec!["vfork", "posix_spawn"]),
                (Kind::Copies, vec!["clone3", "fork"]),
                (Kind::Thread, vec!["thread"]),
                (Kind::Control, vec!["none"]),
            ]
        );
    }

    #[test]
    fn faults_of_the_bill_are_the_parents_and_a_bill_is_nothing_only_where_nothing_is_copied() {
        let unpaid = Spawn { mechanism: "_fork", rewrite: None, ..FORK };
        let view =
            example::view(&example::summary(&[("rss=1GiB", &[FORK, unpaid, VFORK])], "vfork"));
        let row = |name: &str| view.sections[0].rows().find(|row| row.name == name).unwrap();
        assert_eq!(row("fork").parent_faults, Some(262_147));
        assert_eq!(row("fork").bill, Cell::Known(309e6));
        assert_eq!(row("_fork").bill, Cell::Absent);
        assert_eq!(row("vfork").bill, Cell::Known(0.0));
    }

    #[test]
    fn a_row_without_figures_says_why() {
        let mut summary = example::summary(&[("rss=1GiB", &[VFORK, FORK])], "vfork");
        let reason = |summary: &Summary| {
            let view = example::view(summary);
            view.sections[0].rows().find(|row| row.name == "fork").unwrap().missing.clone()
        };
        assert_eq!(reason(&summary), None);
        summary.variants[1].intervals.clear();
        assert_eq!(reason(&summary).as_deref(), Some("not measured"));
        let mut launch = fixture::launch(1, 0, "rss=1GiB");
        launch.outcome = Outcome::Died;
        launch.detail = "signal 9".to_owned();
        summary.launches.push(launch);
        assert_eq!(reason(&summary).as_deref(), Some("its parent died: signal 9"));
        let mut event = fixture::stuck(1, 1);
        event.variant = Some(1);
        event.evidence = "futex_wait".to_owned();
        summary.events.push(event);
        assert_eq!(reason(&summary).as_deref(), Some("stuck: futex_wait"));
    }

    #[test]
    fn hints_ask_for_no_more_memory_than_was_there() {
        let hints = |shape: &str| -> Vec<String> {
            let view = example::view(&example::summary(&[(shape, &[FORK, VFORK])], "vfork"));
            view.next.into_iter().map(|next| next.command).collect()
        };
        assert_eq!(hints("rss=1GiB")[0], "forkbench run --rss 0,256M,512M,1G");
        assert_eq!(hints("rss=4KiB")[0], "forkbench run --rss 1G");
        assert_eq!(
            hints("rss=1GiB page=thp threads=8")[..2],
            [
                "forkbench run --rss 0,256M,512M,1G --page thp --threads 8",
                "forkbench show results/20260723T101500Z-run --format csv"
            ]
        );
        assert_eq!(hints("empty")[0], "forkbench run --rss 1G");
    }
}
