//! What was published beside what is measured here, of one run or of many.
//!
//! Owns which figures stand beside each other, and in which order. Whether they are alike is not
//! judged: machines differ. What is judged are the claims of each scenario, and their verdicts come
//! finished.

use crate::analyse::columns::Unit;
use crate::model::quantity::{Measure, Quantity};
use crate::model::scenario::Source;
use crate::show::dots::{Asked, Dots, Figure, Group, Key, Plan, Scaled, Sign};
use crate::show::finding::{FigureRow, FindingRow, MACHINES_DIFFER, Tally};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::View;

/// What was published and measured again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    /// Each source in each run, the oldest first.
    pub works: Vec<Reproduced>,
}

/// What one source says, and what one run says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reproduced {
    /// Name of the scenario.
    pub scenario: String,
    /// The results directory, if there are several.
    pub directory: Option<String>,
    /// Where it was published.
    pub source: Source,
    /// Its figures.
    pub figures: Vec<FigureRow>,
    /// What is claimed of it.
    pub claims: Vec<FindingRow>,
}

impl Published {
    /// All that these runs reproduce.
    pub fn of(views: &[&View]) -> Published {
        let mut works: Vec<Reproduced> = Vec::new();
        for view in views {
            for chapter in &view.chapters {
                let Some(reproduction) = &chapter.reproduction else { continue };
                works.push(Reproduced {
                    scenario: chapter.name.clone(),
                    directory: (views.len() > 1).then(|| view.source.clone()),
                    source: reproduction.source.clone(),
                    figures: reproduction.figures.clone(),
                    claims: chapter.findings.clone(),
                });
            }
        }
        works.sort_by(|a, b| {
            let key = |one: &Reproduced| (one.source.year, one.source.title.clone());
            key(a).cmp(&key(b))
        });
        Published { works }
    }

    /// What became of all claims.
    pub fn tally(&self) -> Tally {
        self.works.iter().map(Reproduced::tally).fold(Tally::default(), Tally::and)
    }

    /// Factors of all figures that are lengths, here / theirs, upwards.
    fn factors(&self) -> Vec<f64> {
        let figures = self.works.iter().flat_map(|work| &work.figures).filter(|one| is_time(one));
        let mut factors: Vec<f64> = figures.filter_map(|one| one.record.factor).collect();
        factors.sort_by(f64::total_cmp);
        factors
    }

    /// In a sentence: how far the figures lie from each other, and what became of the claims.
    pub fn sentence(&self) -> String {
        let factors = self.factors();
        let figures = match factors.as_slice() {
            [] => "No published figure has one of ours beside it".to_owned(),
            [only] => format!("Here the published figure comes out {}", units::ratio(*only)),
            [least, .., most] => format!(
                "Here {} published figures come out {} to {} times as long, {} in the middle",
                factors.len(),
                units::factor(*least),
                units::factor(*most),
                units::factor(factors[factors.len() / 2])
            ),
        };
        match self.tally() {
            tally if tally.all() == 0 => figures,
            tally => format!(
                "{figures}; of {} {}",
                units::plural(tally.all() as u64, "claim", "claims"),
                units::plural(tally.holds as u64, "holds", "hold")
            ),
        }
    }

    /// The picture: published and measured on one axis; none where no length was published.
    pub fn dots(&self) -> Option<Dots> {
        let mut groups: Vec<Group<Asked>> = Vec::new();
        let mut left_out = 0;
        for work in &self.works {
            let (times, others): (Vec<&FigureRow>, Vec<&FigureRow>) =
                work.figures.iter().partition(|one| is_time(one));
            left_out += others.len();
            if !times.is_empty() {
                groups.push(Group {
                    title: work.heading(),
                    note: verdicts(work.tally()),
                    rows: times.into_iter().map(asked).collect(),
                });
            }
        }
        let more = match left_out {
            0 => String::new(),
            1 => " One that is no length is in the table.".to_owned(),
            more => format!(" {more} that are no lengths are in the table."),
        };
        let told = self.works.iter().flat_map(|work| &work.figures).filter_map(|one| {
            let factor = one.record.factor?;
            let source = &one.record.source;
            Some(format!("{source}, {}: {}", one.at, units::ratio(factor)))
        });
        let key =
            |sign: Sign, name: &str| Key { sign, mechanism: String::new(), name: name.to_owned() };
        let plan = Plan {
            stem: "published".to_owned(),
            title: self.sentence(),
            subtitle: format!("{MACHINES_DIFFER}{more}"),
            x_title: "time".to_owned(),
            keys: vec![
                key(Sign::Ring, "published, elsewhere"),
                key(
                    Sign::Own,
                    "mark of the mechanism: measured here, 95 % interval; factor: here / published",
                ),
            ],
            groups,
            told: told.take(12).collect(),
        };
        plan.laid(Topic::Published, Scaled::In(Unit::Of(Measure::Nanoseconds)))
    }
}

impl Reproduced {
    /// What became of its claims.
    pub fn tally(&self) -> Tally {
        Tally::of(self.claims.iter().map(|claim| claim.verdict))
    }

    /// Where it was published and on what it was measured, in one line.
    pub fn heading(&self) -> String {
        let Source { title, year, machine, .. } = &self.source;
        let directory = match &self.directory {
            Some(directory) => format!(" [{directory}]"),
            None => String::new(),
        };
        format!("{year}  {title}{directory}; {machine}")
    }
}

/// What became of claims, without what did not occur: `HOLDS 2, FAILS 1`.
pub fn verdicts(tally: Tally) -> String {
    let Tally { holds, fails, unclear, not_shown } = tally;
    [("HOLDS", holds), ("FAILS", fails), ("UNCLEAR", unclear), ("NOT SHOWN", not_shown)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{word} {count}"))
        .collect::<Vec<String>>()
        .join(", ")
}

fn is_time(figure: &FigureRow) -> bool {
    let quantity = figure.record.quantity.parse::<Quantity>();
    quantity.is_ok_and(|quantity| quantity.measure() == Measure::Nanoseconds)
}

fn asked(figure: &FigureRow) -> Asked {
    let record = &figure.record;
    let mechanism = record
        .at
        .split(' ')
        .find_map(|setting| setting.strip_prefix("mechanism="))
        .unwrap_or("none")
        .to_owned();
    let name = match record.quantity.strip_suffix(".p50") {
        Some(interval) => format!("{}, {interval}", figure.at),
        None => format!("{}, {}", figure.at, record.quantity),
    };
    let range = (record.published_low, record.published_high);
    let mut figures = vec![Figure {
        sign: Sign::Ring,
        mechanism: mechanism.clone(),
        lane: 0,
        value: (range.0 + range.1) / 2.0,
        bounds: (range.0 < range.1).then_some(range),
        text: format!("{name}: published {}", figure.published),
    }];
    if let Some(here) = record.here.filter(|here| *here > 0.0) {
        figures.push(Figure {
            sign: Sign::Own,
            mechanism,
            lane: 0,
            value: here,
            bounds: record.here_low.zip(record.here_high),
            text: format!("{name}: here {}", figure.here),
        });
    }
    let by_law = if record.by_law { ", by the law" } else { "" };
    let note = match record.factor {
        Some(factor) => format!("{}{by_law}", units::ratio(factor)),
        None => "not measured".to_owned(),
    };
    Asked { name, figures, note, is_linked: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    #[test]
    fn figures_of_one_run_and_of_many_stand_in_one_picture() {
        let view = example::view(&example::published());
        let one = Published::of(&[&view]);
        assert_eq!(
            one.sentence(),
            "Here 2 published figures come out 2.52 to 3.54 times as long, 3.54 in the middle; of 4 \
             claims 1 holds"
        );
        let dots = one.dots().unwrap();
        let [group] = &dots.groups[..] else { panic!("{:?}", dots.groups) };
        assert!(group.title.starts_with("2019  A fork() in the road; an Intel"), "{}", group.title);
        assert_eq!(group.note, "HOLDS 1, FAILS 1, UNCLEAR 1, NOT SHOWN 1");
        let notes: Vec<&str> = group.rows.iter().map(|row| row.note.as_str()).collect();
        assert_eq!(notes, ["3.54x", "2.52x, by the law", "not measured"]);
        let signs: Vec<usize> = group.rows.iter().map(|row| row.dots.len()).collect();
        assert_eq!(signs, [2, 2, 1]);
        // A range is an interval of what was published.
        assert!(group.rows[1].dots[0].bounds.is_some() && group.rows[0].dots[0].bounds.is_none());
        assert!(dots.about().contains("fork rss=1GiB: 3.54x"), "{}", dots.about());

        let many = Published::of(&[&view, &view]).dots().unwrap();
        assert_eq!(many.groups.len(), 2);
        assert!(many.groups[0].title.contains("[20260723T101500Z-run]"));
    }

    #[test]
    fn what_reproduces_nothing_has_no_picture() {
        let view = example::view(&example::sweep());
        let found = Published::of(&[&view]);
        assert!(found.works.is_empty() && found.dots().is_none());
        assert_eq!(found.tally().all(), 0);
    }
}
