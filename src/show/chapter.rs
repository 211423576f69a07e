//! What one scenario of a run says: its laws, its findings, what was published of it.

use std::collections::BTreeSet;

use crate::analyse::findings::Compared;
use crate::analyse::laws::{Growth, Law};
use crate::analyse::summary::Summary;
use crate::model::knob;
use crate::model::scenario::Scenario;
use crate::show::distribution::Distributions;
use crate::show::finding::{FindingRow, Reproduction, Tally};
use crate::show::law::{self, LawTable};
use crate::show::matrix::Matrix;
use crate::show::view::{self, Section};

/// One scenario of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// Its name.
    pub name: String,
    /// The question it answers.
    pub about: String,
    /// Its laws in words, one sentence or two for each axis.
    pub laws: Vec<String>,
    /// Whether anything grows by them, or falls.
    pub grows: bool,
    /// Its laws, a table for each axis.
    pub tables: Vec<LawTable>,
    /// Its parents, one table for each.
    pub sections: Vec<Section>,
    /// Its many parents in little room; empty where they are few.
    pub matrices: Vec<Matrix>,
    /// What was found of its claims, in their order.
    pub findings: Vec<FindingRow>,
    /// What was published of it; none if it reproduces nothing.
    pub reproduction: Option<Reproduction>,
}

impl Chapter {
    /// A chapter for each scenario, in the order of the run.
    pub fn all(summary: &Summary) -> Vec<Chapter> {
        summary.scenarios.iter().map(|one| Chapter::of(one, summary)).collect()
    }

    fn of(scenario: &Scenario, summary: &Summary) -> Chapter {
        let name = &scenario.name;
        let laws: Vec<&Law> = summary.laws.iter().filter(|law| law.scenario == *name).collect();
        let axes = law::by_axis(&laws);
        let findings = summary.findings.iter().filter(|finding| finding.scenario == *name);
        let compared: Vec<&Compared> =
            summary.published.iter().filter(|one| one.scenario == *name).collect();
        let members = members(scenario, summary);
        let is_member = |variant: u32| members.contains(&variant);
        let sections = view::sections(summary, &Distributions::default(), is_member);
        Chapter {
            name: name.clone(),
            about: scenario.about.clone(),
            laws: axes.iter().filter_map(|axis| law::sentences(axis)).collect(),
            grows: laws.iter().any(|law| {
                law.is_main && matches!(law.growth, Growth::Linear | Growth::Bent | Growth::Falls)
            }),
            tables: axes.iter().filter_map(|axis| LawTable::of(axis)).collect(),
            matrices: Matrix::of(&sections),
            sections,
            findings: findings.map(FindingRow::of).collect(),
            reproduction: Reproduction::of(scenario, &compared),
        }
    }

    /// Its name, and the question it answers.
    pub fn title(&self) -> String {
        match self.about.as_str() {
            "" => self.name.clone(),
            about => format!("{}: {about}", self.name),
        }
    }

    /// What became of its claims.
    pub fn tally(&self) -> Tally {
        Tally::of(self.findings.iter().map(|finding| finding.verdict))
    }
}

/// The variants of a scenario. A setup that several scenarios ask for is one variant, whose row
/// names the first of them; so setups are compared, not names.
fn members(scenario: &Scenario, summary: &Summary) -> BTreeSet<u32> {
    if summary.scenarios.len() == 1 {
        return summary.variants.iter().map(|variant| variant.row.variant).collect();
    }
    let setups = scenario.expand().unwrap_or_default();
    let settings: BTreeSet<String> = setups.iter().map(knob::settings).collect();
    let is_member = |row: &crate::record::rows::VariantRow| {
        row.scenario == scenario.name || settings.contains(&row.settings)
    };
    let rows = summary.variants.iter().map(|variant| &variant.row);
    rows.filter(|row| is_member(row)).map(|row| row.variant).collect()
}
