//! Cells as an archived directory keeps them, and back.
//!
//! A block of an interval is a row of `cells.csv`; the cold and the warm-up times of a variant stand
//! together, as [`Cells`] has them. A block of which no time is kept has a row without times that
//! says whose it is. What samples say beside their times stands in `archive.toml`.

use super::{Cell, Cells, Facts, Reduction, Segment};
use crate::analyse::values::Values;
use crate::model::interval::Interval;
use crate::model::row::Phase;
use crate::record::archive::{self, Archive, VariantFacts};
use crate::record::error::Result;
use crate::record::read::Recorded;
use crate::record::rows::{BlockRow, CellRow, Row, SampleRow};

impl Cells {
    /// What `archive.toml` of an archive of these is to say.
    pub fn to_archive(&self, exact: bool) -> Archive {
        let variants = self.variants.iter().zip(&self.facts).map(|(row, facts)| VariantFacts {
            variant: row.variant,
            failed: facts.failed,
            eligible: facts.eligible,
            clocked: facts.clocked,
            contended: facts.contended,
            moved: facts.moved,
        });
        Archive {
            schema: archive::SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            exact,
            samples: self.samples,
            eligible: self.eligible,
            uncommitted_rows: self.uncommitted_samples,
            torn: self.losses.torn.contains(&SampleRow::FILE.name),
            lost: archive::LOST.map(str::to_owned).to_vec(),
            variants: variants.collect(),
        }
    }

    /// The rows of `cells.csv` of an archive of these: with every time as it was measured, or
    /// rounded as [`archive::unit_for`] says.
    pub fn rows(&self, exact: bool) -> impl Iterator<Item = CellRow> {
        let times = self.variants.iter().zip(&self.cells).flat_map(move |(variant, cells)| {
            Interval::ALL
                .into_iter()
                .zip(cells)
                .flat_map(move |(interval, cell)| cell.rows(variant.variant, interval, exact))
        });
        self.blocks_without_times().chain(times)
    }

    /// Of each block that has samples and no measured time, a row that says whose it is.
    fn blocks_without_times(&self) -> impl Iterator<Item = CellRow> {
        let is_measured = |block: &BlockRow, place: usize| {
            let key = (block.launch, block.block);
            let of_block = |cell: &Cell| {
                cell.segments.binary_search_by_key(&key, |s| (s.launch, s.block)).is_ok()
            };
            self.cells[place].iter().any(of_block)
        };
        let first = self.blocks.iter().zip(&self.first_variant);
        first.filter_map(move |(block, &place)| {
            let place = place.filter(|&place| !is_measured(block, place))?;
            Some(CellRow {
                launch: Some(block.launch),
                block: Some(block.block),
                variant: self.variants[place].variant,
                phase: None,
                interval: None,
                unit_ns: 1,
                values: String::new(),
            })
        })
    }
}

impl Cell {
    fn rows(&self, variant: u32, interval: Interval, exact: bool) -> impl Iterator<Item = CellRow> {
        let row = move |place: Option<&Segment>,
                        phase,
                        values: &Values,
                        range: std::ops::Range<usize>| {
            let unit = if exact { 1 } else { archive::unit_for(values.get(range.start)) };
            CellRow {
                launch: place.map(|segment| segment.launch),
                block: place.map(|segment| segment.block),
                variant,
                phase: Some(phase),
                interval: Some(interval.word().to_owned()),
                unit_ns: unit,
                values: archive::encode(range.map(|index| values.get(index)), unit),
            }
        };
        let pooled = [(Phase::Settle, &self.cold), (Phase::Warmup, &self.warmup)];
        let pooled = pooled.into_iter().filter(|(_, values)| !values.is_empty());
        self.segments
            .iter()
            .map(move |segment| {
                row(Some(segment), Phase::Measure, &self.values, segment.start..segment.end)
            })
            .chain(pooled.map(move |(phase, values)| row(None, phase, values, 0..values.len())))
    }
}

impl Reduction<'_> {
    /// What a pass over the samples would have left, from what an archived directory has in place of
    /// them.
    pub(super) fn restore(&mut self, recorded: &mut Recorded, archive: &Archive) -> Result<()> {
        self.samples = archive.samples;
        self.eligible = archive.eligible;
        for kept in &archive.variants {
            if let Some(&index) = self.index_of.get(&kept.variant) {
                self.facts[index] = Facts {
                    failed: kept.failed,
                    eligible: kept.eligible,
                    clocked: kept.clocked,
                    contended: kept.contended,
                    moved: kept.moved,
                };
            }
        }
        recorded.inherit(archive);
        recorded.cells(|block, row| self.put(block, &row))
    }

    /// Puts a row of `cells.csv` where its times belong.
    fn put(&mut self, block: Option<usize>, row: &CellRow) -> std::result::Result<(), String> {
        let index = *self
            .index_of
            .get(&row.variant)
            .ok_or_else(|| format!("variant {} does not stand in variants.csv", row.variant))?;
        if let Some(block) = block {
            self.first_variant[block].get_or_insert(index);
        }
        let Some(word) = &row.interval else { return Ok(()) };
        let interval = Interval::parse(word).ok_or_else(|| format!("`{word}` is no interval"))?;
        let times: Values = archive::decode(&row.values, row.unit_ns)?.into_iter().collect();
        let cell = &mut self.cells[index][interval as usize];
        match (row.phase, block) {
            (Some(Phase::Measure), Some(block)) => {
                let BlockRow { launch, block, .. } = self.blocks[block];
                let start = cell.values.len();
                cell.values.extend_from(&times, 0..times.len());
                let end = cell.values.len();
                if end > start {
                    cell.segments.push(Segment { launch, block, start, end });
                }
            }
            (Some(Phase::Settle), None) => cell.cold = times,
            (Some(Phase::Warmup), None) => cell.warmup = times,
            _ => {
                return Err(
                    "times are `measure` of a block, or `settle` or `warmup` of none".into()
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::analyse::contrasts::{Bounds, Contrast};
    use crate::analyse::fixture::{Run, scenario, simulated};
    use crate::analyse::quantiles::Figure;
    use crate::analyse::summary::Summary;
    use crate::analyse::timeline;
    use crate::model::row::{BlockKind, Role, Scope};
    use crate::record::error::RecordError;
    use crate::record::fixture;
    use crate::record::rows::ReadingRow;

    /// The cells of a run, and those of its archive.
    fn archived(run: &Run, exact: bool, spoil: impl Fn(&std::path::Path)) -> (Cells, Cells) {
        let place = tempfile::tempdir().unwrap();
        let (source, target) = (place.path().join("run"), place.path().join("archive"));
        run.write(&source);
        spoil(&source);
        let cells = Cells::read(&source).unwrap();
        archive::write(&source, &target, &cells.to_archive(exact), cells.rows(exact)).unwrap();
        (cells, Cells::read(&target).unwrap())
    }

    /// A run with everything that is not a plain measured time.
    fn motley() -> Run {
        let variants = vec![
            fixture::variant(4, Role::Subject, "rss=1GiB", "fork"),
            fixture::variant(9, Role::Subject, "rss=1GiB", "vfork"),
            fixture::variant(5, Role::Subject, "empty", "vfork"),
        ];
        let mut run = Run { variants, ..Run::default() };
        run.launches.push(fixture::launch(1, 0, "rss=1GiB"));
        run.events.push(fixture::stuck(1, 2));
        let kinds = [BlockKind::Warmup, BlockKind::Time, BlockKind::Count, BlockKind::Partial];
        for launch in 0..3 {
            for (block, kind) in (0..).zip(kinds) {
                let mut samples = Vec::new();
                for (round, pos, phase, status) in [
                    (0, 0, Phase::Settle, 0),
                    (0, 1, Phase::Warmup, 0),
                    (0, 2, Phase::Measure, 0),
                    (1, 0, Phase::Settle, 0),
                    (1, 2, Phase::Measure, 0),
                    (1, 3, Phase::Measure, 256),
                ] {
                    let blocked = 1_000_003 * u64::from(1 + pos + 7 * block) + u64::from(launch);
                    for variant in [4, 9].map(|variant| if block == 3 { 5 } else { variant }) {
                        let sample = fixture::sample(launch, block, variant, blocked);
                        samples.push(crate::record::rows::SampleRow {
                            round,
                            pos,
                            phase,
                            status,
                            child_cpu: Some(variant / 9),
                            blocked_cpu_ns: Some(blocked / u64::from(1 + round)),
                            ..sample
                        });
                    }
                }
                let seen = ReadingRow {
                    variant: None,
                    reading: "rss_bytes".to_owned(),
                    at: "block".to_owned(),
                    spawns: 0,
                    ..fixture::faults(launch, block, 0, Scope::Parent, 1 << 30, 0)
                };
                let faults = fixture::faults(launch, block, 4, Scope::Child, 60, 3);
                run.histograms.push(fixture::bucket(launch, block, 9, (1000, 1007), 900));
                let row = BlockRow { kind, ..fixture::block(launch, block) };
                run.blocks.push((row, samples, vec![seen, faults]));
            }
        }
        run
    }

    fn leave_unfinished(directory: &std::path::Path) {
        for (file, text) in [
            ("samples.csv", "1,9,1,0,3,measure,9,1,2,,,3,,4,0,0,0\n1,9,1"),
            ("readings.csv", "1,9,4,minor_faults,child,spawn,60,3\n"),
            ("events.csv", "1,"),
        ] {
            let path = directory.join(file);
            let mut file = fs::File::options().append(true).open(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn an_exact_archive_says_what_the_run_says() {
        for spoil in [(|_: &std::path::Path| ()) as fn(&std::path::Path), leave_unfinished] {
            let (run, archive) = archived(&motley(), true, spoil);
            assert_eq!(Summary::of(&run, None), Summary::of(&archive, None));
            assert_eq!(run.seen, archive.seen);
            assert_eq!(run.facts, archive.facts);
            assert!(run.archive.is_none() && archive.archive.unwrap().exact);
        }
    }

    #[test]
    fn laws_and_claims_of_an_archive_are_those_of_the_run() {
        let text = "rss = ['0', '64M', '256M', '1G']\nmechanism = ['fork', 'vfork']\n\
                    [[claim]]\nname = 'it grows'\nslope = 'blocked.p50'\nover = 'rss'\n\
                    at = { mechanism = 'fork' }\nat-least = '3us'\nat-most = '60us'\n";
        let run = simulated(scenario(text), 4, 3, |setup, launch, _| {
            let size = setup.parent.shape.rss.bytes() as f64;
            let slope = if setup.work.mechanism == "fork" { 6e-3 } else { 0.0 };
            50_000.0 + slope * size + f64::from(launch)
        });
        for exact in [true, false] {
            let (run, archive) = archived(&run, exact, |_| ());
            let (run, archive) = (Summary::of(&run, None), Summary::of(&archive, None));
            assert_eq!(run.findings.len(), 1);
            if exact {
                assert_eq!(run, archive);
            }
            let told = |summary: &Summary| {
                let of =
                    |finding: &crate::analyse::findings::Finding| format!("{:?}", finding.verdict);
                summary.findings.iter().map(of).collect::<Vec<_>>()
            };
            assert_eq!(told(&run), told(&archive));
        }
    }

    #[test]
    fn what_is_of_single_samples_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (source, target) = (place.path().join("run"), place.path().join("archive"));
        motley().write(&source);
        let cells = Cells::read(&source).unwrap();
        archive::write(&source, &target, &cells.to_archive(true), cells.rows(true)).unwrap();
        let error = timeline::read(&target, Interval::Blocked).unwrap_err();
        assert!(matches!(error, RecordError::Archived { .. }), "{error}");
        let error = crate::record::append::Writer::resume(&target).unwrap_err();
        assert!(error.to_string().contains("no run can go on in it"), "{error}");
    }

    fn is_near(one: f64, other: f64) -> bool {
        (one - other).abs() <= 0.001 * one.abs()
    }

    fn figures_are_near(one: Figure, other: Figure) -> bool {
        match (one, other) {
            (Figure::Known(one), Figure::Known(other)) => {
                is_near(one.value, other.value)
                    && is_near(one.low, other.low)
                    && is_near(one.high, other.high)
            }
            _ => one == other,
        }
    }

    fn contrasts_are_near(one: &Option<Contrast>, other: &Option<Contrast>) -> bool {
        match (one, other) {
            (Some(Contrast::Shown(one)), Some(Contrast::Shown(other))) => {
                is_near(one.value, other.value)
                    && (one.unit, one.blocks, one.launches)
                        == (other.unit, other.blocks, other.launches)
                    && match (one.bounds, other.bounds) {
                        (
                            Bounds::Between { low, high },
                            Bounds::Between { low: low_2, high: high_2 },
                        ) => is_near(low, low_2) && is_near(high, high_2),
                        (one, other) => one == other,
                    }
            }
            _ => one == other,
        }
    }

    /// Times of three decades, in so many launches and blocks, of two variants.
    fn times() -> impl Strategy<Value = Vec<(u32, u32, u32, Vec<u64>)>> {
        let time = prop_oneof![20..200u64, 20_000..90_000u64, 1_000_000..5_000_000_000u64];
        let block = proptest::collection::vec(time, 1..12);
        (1..4u32, 1..4u32).prop_flat_map(move |(launches, blocks)| {
            let places: Vec<(u32, u32, u32)> = (1..=launches)
                .flat_map(|l| (1..=blocks).flat_map(move |b| [4, 9].map(|v| (l, b, v))))
                .collect();
            let count = places.len();
            proptest::collection::vec(block.clone(), count).prop_map(move |lists| {
                let rows = places.iter().zip(lists).map(|(&(l, b, v), list)| (l, b, v, list));
                rows.collect()
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_rounded_archive_is_within_a_thousandth_and_an_exact_one_the_same(times in times()) {
            let mut run = Run { variants: motley().variants, ..Run::default() };
            for lists in times.chunks(2) {
                let (launch, block, ..) = lists[0];
                let of = |&(_, _, variant, ref list): &(u32, u32, u32, Vec<u64>)| {
                    let sample = |&time: &u64| fixture::sample(launch, block, variant, time);
                    list.iter().map(sample).collect::<Vec<_>>()
                };
                let samples = lists.iter().flat_map(of).collect();
                run.blocks.push((fixture::block(launch, block), samples, vec![]));
            }
            let (cells, exact) = archived(&run, true, |_| ());
            let (summary, exact) = (Summary::of(&cells, None), Summary::of(&exact, None));
            prop_assert_eq!(&summary, &exact);
            let (_, rounded) = archived(&run, false, |_| ());
            let rounded = Summary::of(&rounded, None);
            prop_assert_eq!(&summary.totals, &rounded.totals);
            for (one, other) in summary.variants.iter().zip(&rounded.variants) {
                prop_assert_eq!(one.intervals.len(), other.intervals.len());
                for (one, other) in one.intervals.iter().zip(&other.intervals) {
                    prop_assert_eq!(one.count, other.count);
                    for (one, other) in
                        [(one.p50, other.p50), (one.p90, other.p90), (one.p95, other.p95)]
                    {
                        prop_assert!(figures_are_near(one, other), "{:?} {:?}", one, other);
                    }
                    for (one, other) in [
                        (&one.versus_p50, &other.versus_p50),
                        (&one.versus_p95, &other.versus_p95),
                    ] {
                        prop_assert!(contrasts_are_near(one, other), "{:?} {:?}", one, other);
                    }
                    for (one, other) in one.launch_medians.iter().zip(&other.launch_medians) {
                        prop_assert!(is_near(one.p50, other.p50) && one.count == other.count);
                    }
                    prop_assert_eq!(one.launch_medians.len(), other.launch_medians.len());
                }
            }
        }
    }
}
