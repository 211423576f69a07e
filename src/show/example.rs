//! A made-up run for the tests of this room, with the figures of a real one.

use crate::analyse::columns::{ColumnSummary, Entry};
use crate::analyse::contrasts::{Bounds, Contrast, Ratio, Reason, Unit};
use crate::analyse::findings::{Compared, Finding, Measured};
use crate::analyse::laws::{Fit, Growth, Law, Point, Slope};
use crate::analyse::quantiles::{Figure, Quantile};
use crate::analyse::summary::{
    BlockMedian, Count, CountSource, Faults, IntervalSummary, LaunchMedian, Steadiness, Summary,
    Totals, TwinSummary, VariantSummary, Warning,
};
use crate::model::claim::{Claim, Estimate, Per, Place, Verdict};
use crate::model::interval::Interval;
use crate::model::quantity::{Percentile, Quantity};
use crate::model::row::{EventKind, Role};
use crate::model::scenario::{Published, Scenario, Setting, Source};
use crate::model::setup::Workload;
use crate::model::workload::{self, Column, Of};
use crate::record::rows::{EventRow, VariantRow};
use crate::show::distribution::Distributions;
use crate::show::view::{Origin, View};

/// One mechanism of the run that is made up; times in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Spawn {
    pub(super) mechanism: &'static str,
    pub(super) copies: bool,
    pub(super) blocked: f64,
    pub(super) image: Option<f64>,
    pub(super) reaped: f64,
    pub(super) rewrite: Option<f64>,
    pub(super) empty: Option<f64>,
    pub(super) faults: (u64, u64, u64),
    pub(super) count: usize,
}

pub(super) const VFORK: Spawn = Spawn {
    mechanism: "vfork",
    copies: false,
    blocked: 52_800.0,
    image: Some(81_100.0),
    reaped: 112_000.0,
    rewrite: None,
    empty: Some(50_900.0),
    faults: (0, 0, 3),
    count: 960,
};

pub(super) const POSIX_SPAWN: Spawn = Spawn {
    mechanism: "posix_spawn",
    copies: false,
    blocked: 97_600.0,
    image: Some(126_000.0),
    reaped: 157_000.0,
    rewrite: None,
    empty: Some(94_500.0),
    faults: (0, 0, 4),
    count: 960,
};

pub(super) const FORK: Spawn = Spawn {
    mechanism: "fork",
    copies: true,
    blocked: 24_400_000.0,
    image: Some(45_400_000.0),
    reaped: 45_500_000.0,
    rewrite: Some(309_000_000.0),
    empty: Some(57_200.0),
    faults: (3, 262_144, 20),
    count: 40,
};

pub(super) const NONE: Spawn = Spawn {
    mechanism: "none",
    copies: false,
    blocked: 60.0,
    image: None,
    reaped: 60.0,
    rewrite: Some(5_440_000.0),
    empty: None,
    faults: (0, 0, 0),
    count: 960,
};

/// A run of `workload=cow`: a page after a fork costs 2.11 us, and without one 7.93 ns.
pub(super) fn cow() -> Summary {
    let mut summary = summary(&[("rss=256MiB", &[FORK, POSIX_SPAWN, NONE])], "posix_spawn");
    for variant in &mut summary.variants {
        let row = &mut variant.row;
        row.workload = "cow".to_owned();
        row.settings = row.settings.replace(";mechanism", ";workload=cow;mechanism");
        let (blocked, per_page, faults) = match row.mechanism.as_str() {
            "fork" => (5.17e6, 2106.0, 65_537.0),
            "posix_spawn" => (72.3e3, 7.93, 0.0),
            _ => (20.0, 7.9, 0.0),
        };
        variant.versus = (row.mechanism != "posix_spawn" && row.mechanism != "none").then_some(1);
        let known = |value: f64| ColumnSummary {
            entry: Entry::Known { value, bounds: Some((value * 0.98, value * 1.02)) },
            launches: [0.99, 1.0, 1.02].map(|factor| value * factor).to_vec(),
            versus: None,
        };
        let column = |column: &Column| match column.of {
            Of::Quantity("blocked.p50") => known(blocked),
            Of::Quantity("rewrite.p50") => known(per_page * 65_536.0),
            Of::Quantity("pages.parent@work") => known(65_536.0),
            Of::Quantity("minor_faults.parent@work") => known(faults),
            Of::Each("rewrite.p50", "pages.parent@work") => ColumnSummary {
                versus: variant.versus.map(|_| times(265.0, 259.0, 272.0)),
                ..known(per_page)
            },
            _ => ColumnSummary { entry: Entry::Absent, launches: Vec::new(), versus: None },
        };
        variant.columns = workload::row(Workload::Cow).columns.iter().map(column).collect();
    }
    summary
}

/// A row of a run with a workload that has columns of its own.
pub(super) struct Job<'a> {
    pub(super) shape: &'a str,
    pub(super) mechanism: &'static str,
    /// What else was set: `child=gone;written=25%`.
    pub(super) settings: &'a str,
    /// Figures of columns, by where they come from.
    pub(super) figures: &'a [(Of, f64)],
    /// Whether columns that may lose their sense have lost it.
    pub(super) is_void: bool,
}

/// A run of that workload: an interval of 2 % around each figure.
pub(super) fn worked(workload: Workload, jobs: &[Job<'_>]) -> Summary {
    let mut summary = summary(&[], "posix_spawn");
    for (number, job) in (0..).zip(jobs) {
        let spawn = Spawn { mechanism: job.mechanism, ..VFORK };
        let words = job.settings.replace(';', " ");
        let label = format!("{} {} {words}", job.shape, job.mechanism).trim_end().to_owned();
        let mut variant = variant(number, job.shape, label, &spawn, None);
        let row = &mut variant.row;
        row.workload = workload.word().to_owned();
        row.settings = format!("{};workload={};{}", row.settings, row.workload, job.settings);
        let column = |column: &Column| {
            let figure = job.figures.iter().find(|(of, _)| *of == column.of);
            let entry = match figure {
                _ if job.is_void && column.unless.is_some() => Entry::Void,
                Some((_, value)) => {
                    Entry::Known { value: *value, bounds: Some((value * 0.98, value * 1.02)) }
                }
                None => Entry::Absent,
            };
            ColumnSummary { entry, launches: Vec::new(), versus: None }
        };
        variant.columns = workload::row(workload).columns.iter().map(column).collect();
        summary.variants.push(variant);
    }
    summary
}

/// The same spawn from an empty parent.
pub(super) fn empty(spawn: &Spawn) -> Spawn {
    let blocked = spawn.empty.unwrap_or(spawn.blocked);
    let shorter = blocked / spawn.blocked;
    Spawn {
        blocked,
        image: spawn.image.map(|image| image * shorter),
        reaped: spawn.reaped * shorter,
        rewrite: None,
        empty: None,
        faults: (spawn.faults.0, 0, spawn.faults.2),
        count: 960,
        ..spawn.clone()
    }
}

/// A run of these spawns in a parent of that shape, compared with `versus` if that is among them.
pub(super) fn summary(parents: &[(&str, &[Spawn])], versus: &str) -> Summary {
    let mut variants = Vec::new();
    let mut twins = Vec::new();
    let mut own_cost = None;
    for (shape, spawns) in parents {
        let first = variants.len() as u32;
        let other = spawns.iter().position(|spawn| spawn.mechanism == versus);
        for (position, spawn) in spawns.iter().enumerate() {
            let number = first + position as u32;
            let label = if parents.len() > 1 {
                format!("{shape} {}", spawn.mechanism)
            } else {
                spawn.mechanism.to_owned()
            };
            let compared = other.filter(|other| *other != position && spawn.mechanism != "none");
            variants.push(variant(
                number,
                shape,
                label,
                spawn,
                compared.map(|other| (first + other as u32, spawn.blocked / spawns[other].blocked)),
            ));
            if Some(position) == other {
                twins.push(TwinSummary {
                    twin: 1000 + number,
                    original: number,
                    interval: Interval::Blocked,
                    ratio: times(1.001, 0.990, 1.015),
                });
            }
            if spawn.mechanism == "none" {
                own_cost = Some(figure(spawn.blocked, spawn.count, 6));
            }
        }
    }
    Summary {
        scenarios: Vec::new(),
        laws: Vec::new(),
        findings: Vec::new(),
        published: Vec::new(),
        hazards: Vec::new(),
        shifts: Vec::new(),
        vs: Some(versus.to_owned()),
        confidence: 0.95,
        variants,
        twins,
        own_cost,
        shapes: Vec::new(),
        launches: Vec::new(),
        events: Vec::new(),
        totals: Totals::default(),
        warnings: Vec::new(),
    }
}

/// The run of the first screen in the design.
pub(super) fn first_screen() -> Summary {
    let mut summary = summary(&[("rss=1GiB", &[NONE, FORK, VFORK, POSIX_SPAWN])], "posix_spawn");
    summary.warnings.push(Warning::ParentsDisagree {
        variant: 1,
        interval: Interval::Blocked,
        spread: 2.28,
        slowest: 1,
    });
    summary
}

/// The law of a mechanism along `rss`, from 0 to 4 GiB in five points: `at_zero` ns, and `slope`
/// more for each MiB. Bent ones grow with the square root.
pub(super) fn law(
    axis: &str,
    mechanism: &str,
    interval: Interval,
    growth: Growth,
    at_zero: f64,
    slope: f64,
) -> Law {
    const STEPS: [(f64, &str); 5] =
        [(0.0, "0"), (256.0, "256MiB"), (1024.0, "1GiB"), (2048.0, "2GiB"), (4096.0, "4GiB")];
    let point = |(place, (mib, label)): (usize, &(f64, &str))| {
        let grown = if growth == Growth::Bent { mib.sqrt() * 64.0 } else { *mib };
        let value = at_zero + slope * grown;
        Point {
            variant: place as u32,
            x: mib * 1048576.0,
            label: (*label).to_owned(),
            value,
            bounds: Some((value * 0.97, value * 1.04)),
            vm_pte_bytes: Some(40960.0 + mib * 2048.0),
        }
    };
    let of = |per: Per, size: f64| Slope {
        per,
        value: slope / size,
        low: slope * 0.98 / size,
        high: slope * 1.02 / size,
    };
    let has_line = matches!(growth, Growth::Linear | Growth::Flat);
    Law {
        scenario: "rss".to_owned(),
        axis: axis.to_owned(),
        quantity: Quantity::Time { interval, percentile: Percentile::MEDIAN },
        is_main: interval == Interval::Blocked,
        mechanism: mechanism.to_owned(),
        series: mechanism.to_owned(),
        points: STEPS.iter().enumerate().map(point).collect(),
        fit: has_line.then(|| Fit {
            slopes: vec![of(Per::MiB, 1.0), of(Per::Pte, 256.0)],
            intercept: at_zero,
            r2: 0.99984,
            launches: 10,
            lines: vec![(at_zero, slope / 1048576.0); 10],
            misfit: 0.03,
            scatter: 0.02,
        }),
        growth,
    }
}

/// A sweep of memory: five parents, their laws and findings.
pub(super) fn sweep() -> Summary {
    let sizes = [("empty", 0.0), ("rss=256MiB", 256.0), ("rss=1GiB", 1024.0)];
    let sizes = [sizes.as_slice(), &[("rss=2GiB", 2048.0), ("rss=4GiB", 4096.0)]].concat();
    let parents: Vec<(&str, Vec<Spawn>)> = sizes
        .into_iter()
        .map(|(shape, mib)| {
            let blocked = 57_200.0 + 16_900.0 * mib;
            let reaped = blocked * 1.9;
            let rewrite = (mib > 0.0).then_some(mib * 300_000.0);
            let image = Some(reaped * 0.98);
            let fork = Spawn { blocked, image, reaped, rewrite, ..FORK };
            (shape, vec![fork, VFORK, POSIX_SPAWN])
        })
        .collect();
    let parents: Vec<(&str, &[Spawn])> =
        parents.iter().map(|(shape, spawns)| (*shape, spawns.as_slice())).collect();
    let mut summary = summary(&parents, "posix_spawn");
    summary.scenarios = vec![Scenario {
        name: "rss".to_owned(),
        about: "What does each MiB of the parent's memory cost?".to_owned(),
        ..Scenario::default()
    }];
    summary.laws = laws();
    summary.findings = findings();
    summary
}

fn laws() -> Vec<Law> {
    let law = |mechanism, interval, growth, at_zero, slope| {
        law("rss", mechanism, interval, growth, at_zero, slope)
    };
    use Growth::{Flat, Linear};
    vec![
        law("fork", Interval::Blocked, Linear, 57_200.0, 16_900.0),
        law("fork", Interval::Reaped, Linear, 107_000.0, 32_000.0),
        law("fork", Interval::Rewrite, Linear, 1_200.0, 300_000.0),
        law("posix_spawn", Interval::Blocked, Flat, 94_500.0, 0.75),
        law("posix_spawn", Interval::Reaped, Flat, 152_000.0, 1.2),
        law("vfork", Interval::Blocked, Flat, 50_900.0, 0.46),
        law("vfork", Interval::Reaped, Flat, 108_000.0, 1.0),
    ]
}

/// One claim for each verdict.
pub(super) fn findings() -> Vec<Finding> {
    let blocked = || "blocked.p50".parse().unwrap();
    let place = |settings: &[(&str, &str)]| {
        let setting = |(knob, value): &(&str, &str)| Setting {
            knob: (*knob).to_owned(),
            value: (*value).to_owned(),
        };
        Place(settings.iter().map(setting).collect())
    };
    let claim = |name: &str, estimate, at_least, at_most| Claim {
        name: name.to_owned(),
        estimate,
        at_least,
        at_most,
        r2_at_least: None,
        published: None,
        because: None,
    };
    let ratio = |at, to| Estimate::Ratio { of: blocked(), at, to_of: blocked(), to };
    let measured = |value, low, high, r2| Some(Measured { value, low, high, r2, launches: 10 });
    let finding = |claim, measured, verdict, why: &str| Finding {
        scenario: "rss".to_owned(),
        claim,
        measured,
        verdict,
        why: why.to_owned(),
    };
    let slope = Estimate::Slope {
        of: blocked(),
        at: place(&[("mechanism", "fork")]),
        over: "rss".to_owned(),
        per: Per::MiB,
    };
    let spread = Estimate::Spread {
        of: blocked(),
        at: place(&[("mechanism", "posix_spawn")]),
        over: "rss".to_owned(),
    };
    let of_fork = |size: &str| place(&[("mechanism", "fork"), ("rss", size)]);
    let mut line =
        claim("fork grows with memory, along a line", slope, Some(10_000.0), Some(30_000.0));
    line.r2_at_least = Some(0.99);
    let mut times = claim(
        "a GiB costs 200 times an empty parent",
        ratio(of_fork("1GiB"), of_fork("0")),
        Some(200.0),
        None,
    );
    times.published = Some("200x".to_owned());
    let mut pinned = claim(
        "pinned memory is copied in the call",
        ratio(place(&[("memory", "pinned")]), place(&[("memory", "anon")])),
        Some(5.0),
        None,
    );
    pinned.because = Some("Linux 5.12 copies what an io_uring has pinned".to_owned());
    vec![
        finding(line, measured(16_900.0, 16_600.0, 17_300.0, Some(0.99984)), Verdict::Holds, ""),
        finding(
            claim("posix_spawn does not grow", spread, None, Some(1.4)),
            measured(1.62, 1.55, 1.70, None),
            Verdict::Fails,
            "",
        ),
        finding(times, measured(203.0, 188.0, 220.0, None), Verdict::Unclear, ""),
        finding(pinned, None, Verdict::NotShown, "io_uring is not allowed here (EPERM)"),
    ]
}

/// The sweep as the reproduction of something published.
pub(super) fn published() -> Summary {
    let mut summary = sweep();
    summary.scenarios[0].source = Some(Source {
        title: "A fork() in the road".to_owned(),
        by: "Baumann and others, HotOS".to_owned(),
        year: 2019,
        machine: "an Intel i7-6850K, Linux 4.15".to_owned(),
        finding: Some(
            "The figure stands; it grew by a half with page table accounting.".to_owned(),
        ),
    });
    let place = |size: &str| {
        let setting =
            |knob: &str, value: &str| Setting { knob: knob.to_owned(), value: value.to_owned() };
        Place(vec![setting("mechanism", "fork"), setting("rss", size)])
    };
    let compared = |size: &str, low, high, here: Option<f64>, why: &str| Compared {
        scenario: "rss".to_owned(),
        published: Published {
            at: place(size),
            quantity: "blocked.p50".parse().unwrap(),
            low,
            high,
            note: (size == "4GiB").then(|| "read off a figure".to_owned()),
        },
        here: here.map(|value| figure(value, 100, 6)),
        by_law: size == "4GiB",
        why: why.to_owned(),
    };
    summary.published = vec![
        compared("1GiB", 6.9e6, 6.9e6, Some(24.4e6), ""),
        compared("4GiB", 25e6, 30e6, Some(69.3e6), "by the line along rss, 0 to 2GiB"),
        compared("16GiB", 110e6, 110e6, None, "no variant has these settings"),
    ];
    summary
}

/// Adds a mechanism that is not to be had.
pub(super) fn refuse(summary: &mut Summary, mechanism: &'static str, evidence: &str) {
    let number = summary.variants.len() as u32;
    let shape = summary.variants[0].row.shape.clone();
    let spawn = Spawn { mechanism, ..VFORK };
    let mut refused = variant(number, &shape, mechanism.to_owned(), &spawn, None);
    refused.intervals.clear();
    refused.faults = Faults::default();
    summary.variants.push(refused);
    summary.events.push(EventRow {
        launch: 1,
        block: None,
        variant: Some(number),
        event: EventKind::Refused,
        pid: None,
        errno: None,
        evidence: evidence.to_owned(),
    });
}

/// The view of a summary, without the distributions that only pictures need.
pub(super) fn view(summary: &Summary) -> View {
    view_of(summary, &Distributions::default())
}

/// The view of a summary, with distributions around its medians.
pub(super) fn view_with_curves(summary: &Summary) -> View {
    view_of(summary, &distributions(summary))
}

fn view_of(summary: &Summary, distributions: &Distributions) -> View {
    View::new(
        summary,
        Origin {
            directory: "20260723T101500Z-run",
            path: "results/20260723T101500Z-run",
            libc: Some("glibc 2.36"),
            release_build: true,
            never_left: &[],
            machine: &[],
            distributions,
            asked: &[],
        },
    )
}

/// The same summary with blocks: ten in each of five launches, the first of which is slower.
pub(super) fn with_blocks(mut summary: Summary) -> Summary {
    for interval in summary.variants.iter_mut().flat_map(|one| &mut one.intervals) {
        let of_launch = |launch: &LaunchMedian| {
            let (launch, p50) = (launch.launch, launch.p50);
            (0..10).map(move |block| {
                let wave = 1.0 + 0.004 * f64::from((block * 7 + launch * 3) % 5);
                BlockMedian { launch, block, p50: p50 * wave }
            })
        };
        interval.block_medians = interval.launch_medians.iter().flat_map(of_launch).collect();
    }
    summary
}

/// Samples around the medians of a summary, with a tail, the same at each call.
fn distributions(summary: &Summary) -> Distributions {
    let mut distributions = Distributions::default();
    let mut state = 1u64;
    let mut uniform = move || {
        // Knuth's MMIX generator: any will do.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    for variant in &summary.variants {
        let median = |interval: Interval| Some(variant.interval(interval)?.p50.known()?.value);
        let count = variant.interval(Interval::Blocked).map_or(0, |interval| interval.count);
        for _ in 0..count {
            let tail = 0.93 + 0.12 * uniform() / (uniform() + 0.05).powf(0.35);
            for interval in Interval::ALL {
                if let Some(value) = median(interval) {
                    distributions.add(variant.row.variant, interval, (value * tail) as u64);
                }
            }
        }
    }
    distributions
}

/// A contrast with bounds.
pub(super) fn times(value: f64, low: f64, high: f64) -> Contrast {
    Contrast::Shown(Ratio {
        value,
        bounds: Bounds::Between { low, high },
        p: 0.5,
        unit: Unit::Block,
        blocks: 100,
        launches: 10,
        smallest_detectable: Some(1.02),
    })
}

/// A contrast that cannot be shown.
pub(super) const NOT_SHOWN: Contrast =
    Contrast::NotShown(Reason::TooFewSamples { needed: 40, count: 12 });

fn variant(
    number: u32,
    shape: &str,
    label: String,
    spawn: &Spawn,
    versus: Option<(u32, f64)>,
) -> VariantSummary {
    let role = if spawn.mechanism == "none" { Role::Control } else { Role::Subject };
    let mut settings: Vec<String> = Vec::new();
    if shape != "empty" {
        settings.extend(shape.split(' ').map(str::to_owned));
    }
    settings.push(format!("mechanism={}", spawn.mechanism));
    let times_of = [
        (Interval::Blocked, Some(spawn.blocked)),
        (Interval::Image, spawn.image),
        (Interval::Reaped, Some(spawn.reaped)),
        (Interval::Rewrite, spawn.rewrite),
    ];
    let count =
        |mode: u64| Some(Count { mode, mean: mode as f64, spawns: 100, source: CountSource::Perf });
    VariantSummary {
        row: VariantRow {
            variant: number,
            scenario: "run".to_owned(),
            label,
            role,
            shape: shape.to_owned(),
            mechanism: spawn.mechanism.to_owned(),
            image: "noop".to_owned(),
            workload: "spawn".to_owned(),
            copies_pages: spawn.copies,
            settings: settings.join(";"),
        },
        intervals: times_of
            .into_iter()
            .filter_map(|(interval, p50)| Some((interval, p50?)))
            .map(|(interval, p50)| {
                let contrast = versus.filter(|_| interval == Interval::Blocked);
                IntervalSummary {
                    interval,
                    count: spawn.count,
                    min: Some((p50 * 0.9) as u64),
                    max: Some((p50 * 8.0) as u64),
                    p50: figure(p50, spawn.count, 6),
                    p90: figure(p50 * 1.8, spawn.count, 29),
                    p95: figure(p50 * 2.0, spawn.count, 59),
                    p99: figure(p50 * 4.0, spawn.count, 299),
                    cold_p50: (interval == Interval::Blocked && spawn.mechanism != "none")
                        .then(|| figure(p50 * 1.1 + 90_000.0, 100, 6)),
                    if_empty_p50: spawn
                        .empty
                        .filter(|_| interval == Interval::Blocked)
                        .map(|p50| figure(p50, 960, 6)),
                    versus_p50: contrast.map(|(_, r)| times(r, r * 0.98, r * 1.03)),
                    versus_p95: contrast.map(|_| NOT_SHOWN),
                    launch_medians: [2.28, 1.0, 1.0, 0.99, 1.0]
                        .into_iter()
                        .zip(1..)
                        .map(|(slower, launch)| LaunchMedian {
                            launch,
                            p50: p50 * slower,
                            count: spawn.count / 5,
                        })
                        .collect(),
                    block_medians: Vec::new(),
                    launch_spread: Some(2.3),
                    steadiness: Steadiness::default(),
                }
            })
            .collect(),
        empty: None,
        versus: versus.map(|(number, _)| number),
        columns: Vec::new(),
        samples: spawn.count,
        faults: Faults {
            parent: count(spawn.faults.0),
            rewrite: spawn.rewrite.and(count(spawn.faults.1)),
            child: count(spawn.faults.2),
        },
        readings: Vec::new(),
        contended: None,
        failed: 0,
    }
}

fn figure(value: f64, count: usize, needed: usize) -> Figure {
    if count < needed {
        return Figure::Needs { needed, count };
    }
    Figure::Known(Quantile { value, low: value * 0.98, high: value * 1.02 })
}
