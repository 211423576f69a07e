//! Pictures of workloads that have columns of their own, before they are drawn.
//!
//! Owns which picture answers which workload, and what it says. Every figure comes finished from
//! the columns of a [`Summary`]; only the counts of a histogram come from its distributions.

mod cow;
mod gap;
mod pipeline;
mod rows;
mod stall;
mod throughput;

use crate::analyse::columns::Entry;
use crate::analyse::summary::{Summary, VariantSummary};
use crate::model::knob;
use crate::model::setup::{Setup, Workload};
use crate::model::workload::{self, Of};
use crate::show::chapter::Chapter;
use crate::show::chart::Chart;
use crate::show::distribution::Distributions;
use crate::show::dots::Dots;
use crate::show::histogram::Histogram;
use crate::show::matrix;
use crate::show::plots::Topic;
use crate::show::view::{Kind, Row, Section, setting};

pub(in crate::show) use gap::told;

/// A picture of a workload.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Figures along an axis.
    Chart {
        /// Which question it answers.
        topic: Topic,
        /// The picture.
        chart: Chart,
        /// The figures that matter, in words.
        told: Vec<String>,
    },
    /// Figures in rows.
    Dots(Dots),
    /// How often each length occurred.
    Histogram(Histogram),
}

/// What all pictures of one question are made of.
#[derive(Clone, Copy)]
struct Ground<'a> {
    summary: &'a Summary,
    distributions: &'a Distributions,
    /// The parents of one workload.
    sections: &'a [&'a Section],
    /// What the name of every file begins with.
    prefix: &'a str,
}

/// A row, and all that is known of it.
#[derive(Clone, Copy)]
struct Told<'a> {
    row: &'a Row,
    variant: &'a VariantSummary,
}

/// A figure and its interval.
type Known = (f64, Option<(f64, f64)>);

impl Work {
    /// The pictures of a run: of each scenario by itself, in the order of the run.
    pub fn all(
        summary: &Summary,
        distributions: &Distributions,
        chapters: &[Chapter],
        sections: &[Section],
    ) -> Vec<Work> {
        let mut works = Vec::new();
        match chapters {
            [] | [_] => works.extend(of_question(summary, distributions, sections, "")),
            several => {
                for chapter in several {
                    let prefix = format!("{}-", chapter.name.replace('/', "-"));
                    let sections = &chapter.sections;
                    works.extend(of_question(summary, distributions, sections, &prefix));
                }
            }
        }
        works.extend(gap::all(summary));
        works
    }
}

fn of_question(
    summary: &Summary,
    distributions: &Distributions,
    sections: &[Section],
    prefix: &str,
) -> Vec<Work> {
    let of = |workload: Workload| {
        let own: Vec<&Section> =
            sections.iter().filter(|section| section.workload == workload.word()).collect();
        let ground = Ground { summary, distributions, sections: &own, prefix };
        match workload {
            _ if own.is_empty() => Vec::new(),
            // Spawns have pictures of their own, and so have hazards; what is done between birth
            // and exec is told by what it adds.
            Workload::Spawn | Workload::Hazard | Workload::Gap => Vec::new(),
            Workload::Cow => cow::all(ground),
            Workload::Stall => stall::all(ground),
            Workload::Throughput => throughput::all(ground),
            Workload::Pipeline => pipeline::all(ground),
        }
    };
    workload::WORKLOADS.iter().flat_map(|row| of(row.workload)).collect()
}

impl<'a> Ground<'a> {
    /// What is known of the rows of a section.
    fn rows(&self, section: &'a Section) -> Vec<Told<'a>> {
        let summary = self.summary;
        let told = |row: &'a Row| Some(Told { row, variant: summary.variant(row.variant)? });
        section.rows().filter_map(told).collect()
    }

    /// The name of a file about a section: as short as it can be.
    fn stem(&self, name: &str, section: &Section) -> String {
        let place = match self.sections {
            [_] => String::new(),
            _ => format!("-{}", plain(&section.shape)),
        };
        format!("{}{name}{place}", self.prefix)
    }

    /// What all sections have in common, and what tells each from the others; nothing of one that
    /// has nothing more.
    fn places(&self) -> (String, Vec<Option<String>>) {
        let shapes: Vec<&str> = self.sections.iter().map(|one| one.shape.as_str()).collect();
        let (common, places) = matrix::stripped(&shapes);
        (
            common,
            places.into_iter().map(|one| (one != matrix::NOTHING_MORE).then_some(one)).collect(),
        )
    }
}

impl Told<'_> {
    /// The figure of the column that comes from there.
    fn figure(&self, of: Of) -> Option<Known> {
        let columns = workload::find(&self.variant.row.workload)?.columns;
        let place = columns.iter().position(|column| column.of == of)?;
        match self.variant.columns.get(place)?.entry {
            Entry::Known { value, bounds } => Some((value, bounds)),
            _ => None,
        }
    }

    /// The figure of the main column.
    fn main(&self) -> Option<Known> {
        let row = workload::find(&self.variant.row.workload)?;
        let (place, _) = row.main()?;
        self.figure(row.columns[place].of)
    }

    /// The value of a knob as text, that of a knob which was not set included.
    fn knob(&self, name: &str) -> String {
        let usual = || knob::find(name).map(|knob| (knob.get)(&Setup::default()));
        let set = setting(&self.row.work, name).map(str::to_owned);
        set.or_else(usual).unwrap_or_default()
    }

    /// The same as a number, in bytes, things or percent; none if it is a word.
    fn number(&self, name: &str) -> Option<f64> {
        let knob = knob::find(name)?;
        let mut setup = Setup::default();
        (knob.set)(&mut setup, &self.knob(name)).ok()?;
        knob::number(knob, &setup)
    }

    /// Whether it makes no process.
    fn is_control(&self) -> bool {
        self.row.kind == Kind::Control
    }
}

/// How many different values a knob has among rows.
fn values(rows: &[Told<'_>], knob: &str) -> usize {
    let mut values: Vec<String> =
        rows.iter().filter(|told| !told.is_control()).map(|told| told.knob(knob)).collect();
    values.sort_unstable();
    values.dedup();
    values.len()
}

/// A label as part of the name of a file.
fn plain(label: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    label.chars().map(letter).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::distribution::Distributions;
    use crate::show::example::{self, Job};
    use crate::show::plots;

    const WRITING: Of = Of::Quantity("rewrite.p50");
    const PER_PAGE: Of = Of::Each("rewrite.p50", "pages.parent@work");
    const RATE: Of = Of::PerSecond("jobs.parent@work", "batch_ns.p50");
    const STILL: Of = Of::Quantity("longest_ns.p50");

    fn job<'a>(
        shape: &'a str,
        mechanism: &'static str,
        settings: &'a str,
        figures: &'a [(Of, f64)],
    ) -> Job<'a> {
        Job { shape, mechanism, settings, figures, is_void: false }
    }

    fn works(workload: Workload, jobs: &[Job<'_>]) -> Vec<Work> {
        let view = example::view(&example::worked(workload, jobs));
        // Whatever a view holds can be drawn, and says what it shows.
        for picture in plots::draw(&view).unwrap() {
            assert!(!picture.title.is_empty() && picture.alt.len() > picture.title.len() + 10);
            assert!(!picture.svg.contains("NaN") && !picture.alt.contains("NaN"));
        }
        view.works
    }

    fn chart(works: &[Work]) -> &Chart {
        match works {
            [Work::Chart { chart, .. }, ..] => chart,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn writing_is_told_over_the_share_of_the_pages() {
        let figures = |share: f64, each: f64| [(WRITING, each * share * 655.36), (PER_PAGE, each)];
        let (one, half, all) = (figures(1.0, 900.0), figures(50.0, 1000.0), figures(100.0, 1050.0));
        let (gone, never) = (figures(100.0, 310.0), figures(100.0, 7.9));
        let works = works(
            Workload::Cow,
            &[
                job("rss=256MiB", "fork", "child=alive;written=1%", &one),
                job("rss=256MiB", "fork", "child=alive;written=50%", &half),
                job("rss=256MiB", "fork", "child=alive;written=all", &all),
                job("rss=256MiB", "fork", "child=gone;written=all", &gone),
                job("rss=256MiB", "none", "child=alive;written=all", &never),
            ],
        );
        let chart = chart(&works);
        assert_eq!(works.len(), 1);
        assert_eq!(
            chart.title,
            "Writing a page takes 1.05 us while the child of a fork lives, 310 ns after it has gone, \
             7.90 ns without a fork"
        );
        let names: Vec<(&str, usize)> =
            chart.series.iter().map(|one| (one.name.as_str(), one.points.len())).collect();
        assert_eq!(
            names,
            [("fork, child alive", 3), ("fork, child gone", 1), ("none, never forked", 1)]
        );
        assert!(chart.x_title.ends_with("log scale"), "{}", chart.x_title);
        assert_eq!(chart.series[0].equation, "1.05 us a page");
    }

    #[test]
    fn writing_in_few_shares_stands_in_rows() {
        let each = [(WRITING, 1e6), (PER_PAGE, 900.0)];
        let more = [(WRITING, 1e6), (PER_PAGE, 90_000.0)];
        let works = works(
            Workload::Cow,
            &[
                job("rss=128MiB", "fork", "child=alive;written=all", &each),
                job("rss=128MiB page=thp", "fork", "child=alive;written=1/512", &more),
            ],
        );
        let [Work::Dots(dots)] = &works[..] else { panic!("{works:?}") };
        assert_eq!(dots.groups.len(), 2);
        assert!(dots.title.contains("(page=thp)"), "{}", dots.title);
        assert_eq!(dots.groups[1].rows[0].note, "90.0 us");
    }

    #[test]
    fn stalls_are_counted_by_length_for_each_spawn() {
        let figures = [(STILL, 5e6), (Of::Quantity("blocked.p50"), 4.9e6)];
        let few = [(STILL, 20e3), (Of::Quantity("blocked.p50"), 60e3)];
        let shape = "rss=1GiB threads=1 busy=fault";
        let jobs = [job(shape, "fork", "", &figures), job(shape, "posix_spawn", "", &few)];
        let summary = example::worked(Workload::Stall, &jobs);
        let mut distributions = Distributions::default();
        let length = crate::show::distribution::Length::Reading("bystander_ns".to_owned());
        distributions.add_many(0, &length, 400, 1_000_000);
        distributions.add_many(0, &length, 6_000_000, 960);
        distributions.add_many(1, &length, 400, 50_000);
        let sections = example::view(&summary).sections;
        let works = Work::all(&summary, &distributions, &[], &sections);
        let [Work::Histogram(found)] = &works[..] else { panic!("{works:?}") };
        assert_eq!(
            found.title,
            "fork stops another thread for 5.00 ms, at worst 6.00 ms; posix_spawn for 20.0 us, at \
             worst 400 ns"
        );
        // 960 spawns, and each met one operation that took as long as it did.
        let one = found.y_ticks.iter().find(|(_, label)| label == "1").unwrap().0;
        let fork = found.outlines.iter().find(|one| one.name == "fork").unwrap();
        let (_, last) = fork.corners[fork.corners.len() - 2];
        assert!((last - one).abs() < 1e-9, "{fork:?}");
        assert!(fork.beside.is_some() && found.about().contains("longest operation 6.00 ms"));
    }

    #[test]
    fn responses_run_along_the_load_until_they_have_no_sense() {
        const P50: Of = Of::Quantity("response_ns.p50");
        const P99: Of = Of::Quantity("response_ns.p99");
        let (low, high) = ([(P50, 70e3), (P99, 150e3)], [(P50, 75e3), (P99, 250e3)]);
        let mut past = job("empty", "posix_spawn", "load=120%", &[]);
        past.is_void = true;
        let jobs = [
            job("empty", "posix_spawn", "load=10%", &low),
            job("empty", "posix_spawn", "load=80%", &high),
            past,
        ];
        let works = works(Workload::Throughput, &jobs);
        let chart = chart(&works);
        assert_eq!(
            chart.title,
            "posix_spawn answers half of the jobs within 70.0 us (p99 150 us) at 10 % of the \
             capacity and 75.0 us (p99 250 us) at 80 %; saturated at 120 %"
        );
        assert_eq!((chart.words.len(), &*chart.words[0].word), (1, "saturated"));
        assert_eq!(chart.words[0].x, 1.0);
        let names: Vec<&str> = chart.series.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["posix_spawn p50", "posix_spawn p99"]);
    }

    #[test]
    fn jobs_a_second_run_along_the_spawners_and_else_stand_in_rows() {
        let rates = [10e3, 19e3, 15e3].map(|rate| [(RATE, rate)]);
        let jobs = [
            job("empty", "fork", "spawners=1;spawner-kind=processes", &rates[0]),
            job("empty", "fork", "spawners=2;spawner-kind=processes", &rates[1]),
            job("empty", "fork", "spawners=1;spawner-kind=threads", &rates[0]),
            job("empty", "fork", "spawners=2;spawner-kind=threads", &rates[2]),
        ];
        let found = works(Workload::Throughput, &jobs);
        assert_eq!(
            chart(&found).title,
            "Of several that spawn at once, the most do 1.90x the jobs (fork, processes, 2 against \
             1), the fewest 1.50x (fork, threads, 2 against 1)"
        );
        let rows = [job("empty", "fork", "", &rates[0]), job("empty", "vfork", "", &rates[1])];
        let found = works(Workload::Throughput, &rows);
        let [Work::Dots(dots)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(dots.title, "vfork does 19,000/s, fork 10,000/s");
        assert!(dots.x_ticks[0].1.ends_with("/s"), "{:?}", dots.x_ticks);
    }

    #[test]
    fn the_first_byte_of_a_pipeline_runs_along_its_stages() {
        let figures = |first: f64| {
            [(Of::Quantity("first_byte_ns.p50"), first), (Of::Quantity("reaped.p50"), first * 3.0)]
        };
        let (two, many, threads) = (figures(200e3), figures(1.6e6), figures(100e3));
        let jobs = [
            job("empty", "fork", "stages=2", &two),
            job("empty", "fork", "stages=16", &many),
            job("empty", "thread", "stages=2", &threads),
            job("empty", "thread", "stages=16", &threads),
        ];
        let works = works(Workload::Pipeline, &jobs);
        assert_eq!(works.len(), 1, "all that is left is told by the law of the stages");
        assert_eq!(
            chart(&works).title,
            "The first byte of 16 stages arrives after 1.60 ms with fork and 100 us with thread; all \
             are gone after 4.80 ms and 300 us"
        );
    }

    #[test]
    fn spawns_and_hazards_have_no_picture_here() {
        assert!(example::view(&example::first_screen()).works.is_empty());
        assert!(works(Workload::Hazard, &[job("threads=1", "fork", "", &[])]).is_empty());
        assert!(works(Workload::Cow, &[job("rss=1MiB", "fork", "", &[])]).is_empty());
    }
}
