//! What a check found, as other tools read it: JUnit and a comment for a change.
//!
//! Claims and gates are the same here: rows, each with its verdict. Owns the formats and nothing of
//! the verdicts, which come finished.

use std::io::Write;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::markdown;
use crate::analyse::gate;
use crate::model::claim::Verdict;
use crate::show::formats::Failure;
use crate::show::judgement::Gated;
use crate::show::verdict::Claimed;

/// What was found of one results directory, or of several together.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Where: the name of the directory.
    pub source: String,
    /// The last line of the check: `REGRESSED 1, OK 3 (exit 3)`.
    pub headline: String,
    /// Why nothing could be judged; none if something could.
    pub reason: Option<String>,
    /// What stands above the cells of a row, beside its name and its verdict.
    pub columns: Vec<&'static str>,
    /// Every row that was judged.
    pub rows: Vec<Row>,
    /// What else a reader should know: a sentence each.
    pub notes: Vec<String>,
    /// Where it was measured: names and values.
    pub environment: Vec<(String, String)>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What is judged; unique in its group.
    pub name: String,
    /// What it belongs to: a scenario, or the sides that are compared.
    pub group: String,
    /// Its cells, as [`Report::columns`] has them.
    pub cells: Vec<String>,
    /// The verdict: `REGRESSED`.
    pub verdict: &'static str,
    /// What that is for a build.
    pub outcome: Outcome,
    /// Why it is that; empty where the cells say so.
    pub why: String,
}

/// What a row is for a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Passed,
    /// It fails the build.
    Failed,
    /// Nothing can be said of it, or what there is to say is waived.
    Skipped,
}

/// A way to write reports.
pub struct Format {
    /// Its name: what `check --format` takes.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Writes them into one document.
    ///
    /// Fails if the writer does.
    pub write: fn(&[Report], &mut dyn Write) -> Result<(), Failure>,
}

/// All of them.
pub static FORMATS: [Format; 2] = [
    Format {
        name: "junit",
        about: "JUnit XML: a test case for each row that is judged",
        write: junit,
    },
    Format {
        name: "md",
        about: "markdown: a comment for a change, the verdict first",
        write: |reports, out| Ok(out.write_all(comment(reports).as_bytes())?),
    },
];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

impl Report {
    /// What a gate found.
    pub fn of_gate(gated: &Gated, environment: Vec<(String, String)>) -> Report {
        let rows = gated.rows.iter().map(|row| {
            let is_waived = row.waived.is_some();
            Row {
                name: row.row.clone(),
                group: "check".to_owned(),
                cells: vec![
                    row.told(row.base_value),
                    row.told(row.cand_value),
                    match row.told_interval() {
                        interval if interval.is_empty() => row.told_ratio(),
                        interval => format!("{} [{interval}]", row.told_ratio()),
                    },
                    row.told_margin(),
                ],
                verdict: row.verdict,
                outcome: if row.is(gate::Verdict::Fine) || row.is(gate::Verdict::Improved) {
                    Outcome::Passed
                } else if row.is(gate::Verdict::Regressed) && !is_waived {
                    Outcome::Failed
                } else {
                    Outcome::Skipped
                },
                why: row.told_why(),
            }
        });
        let mut notes: Vec<String> = gated.notes.clone();
        if !gated.left_out.is_empty() {
            notes.push(format!("not judged: {}", gated.left_out.join(", ")));
        }
        let mut facts: Vec<(String, String)> = Vec::new();
        for row in &gated.rows {
            for (side, settings) in
                [(&row.base, &row.base_settings), (&row.cand, &row.cand_settings)]
            {
                let fact = (side.clone(), settings.clone());
                if !settings.is_empty() && !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
        }
        facts.extend(environment);
        let last_line = gated.last_line();
        Report {
            source: gated.source.clone(),
            headline: last_line.strip_prefix("forkbench: ").unwrap_or(&last_line).to_owned(),
            reason: gated.reason.clone(),
            columns: vec!["base", "cand", "ratio [interval]", "margin"],
            rows: rows.collect(),
            notes,
            environment: facts,
        }
    }

    /// What was found of the claims of a run. `headline` is the last line of the check; `reason`
    /// says why nothing could be judged.
    pub fn of_claims(
        claimed: &Claimed,
        headline: &str,
        reason: Option<&str>,
        environment: Vec<(String, String)>,
    ) -> Report {
        let rows = claimed.parts.iter().flat_map(|part| {
            part.rows.iter().map(|finding| Row {
                name: finding.claim.clone(),
                group: part.name.clone(),
                cells: vec![finding.measured.clone().unwrap_or_default(), finding.claimed.clone()],
                verdict: finding.verdict.word(),
                outcome: match finding.verdict {
                    _ if reason.is_some() => Outcome::Skipped,
                    Verdict::Holds => Outcome::Passed,
                    Verdict::Fails if finding.record.waived.is_none() => Outcome::Failed,
                    _ => Outcome::Skipped,
                },
                why: finding.why.clone(),
            })
        });
        Report {
            source: claimed.source.clone(),
            headline: headline.to_owned(),
            reason: reason.map(str::to_owned),
            columns: vec!["measured", "claimed"],
            rows: rows.collect(),
            notes: claimed.notes.clone(),
            environment,
        }
    }
}

/// JUnit as Jenkins and most others read it: a suite for each report.
///
/// A row that is worse is a failure; one of which nothing can be said is skipped, with the reason.
/// A report without a row that could be judged has one test case, which is an error: no reader is to
/// take nothing for a success.
fn junit(reports: &[Report], out: &mut dyn Write) -> Result<(), Failure> {
    let mut document = quick_junit::Report::new("forkbench check");
    for report in reports {
        let mut suite = TestSuite::new(report.source.as_str());
        for (name, value) in &report.environment {
            suite.add_property(Property::new(name.as_str(), value.as_str()));
        }
        for row in &report.rows {
            suite.add_test_case(test_case(report, row));
        }
        if report.rows.is_empty() {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("NOT COMPARABLE");
            status.set_message(report.reason.as_deref().unwrap_or("nothing was judged"));
            let mut case = TestCase::new("check", status);
            case.set_classname("forkbench");
            suite.add_test_case(case);
        }
        suite.set_system_out(report.headline.as_str());
        document.add_test_suite(suite);
    }
    let text = document.to_string().map_err(std::io::Error::other)?;
    out.write_all(as_jenkins(&text).as_bytes())?;
    Ok(())
}

fn test_case(report: &Report, row: &Row) -> TestCase {
    let mut told: Vec<String> = report
        .columns
        .iter()
        .zip(&row.cells)
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(column, cell)| format!("{column} {cell}"))
        .collect();
    told.extend(Some(row.why.clone()).filter(|why| !why.is_empty()));
    told.extend(report.reason.clone());
    let message = format!("{}: {}", row.verdict, told.join("; "));
    let mut status = match row.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Skipped => TestCaseStatus::skipped(),
    };
    if row.outcome != Outcome::Passed {
        status.set_type(row.verdict);
        status.set_message(message.as_str());
    }
    let mut case = TestCase::new(row.name.as_str(), status);
    case.set_classname(format!("forkbench.{}", row.group));
    if row.outcome == Outcome::Passed {
        case.set_system_out(message);
    }
    case
}

/// Jenkins' schema (junit-10.xsd) does not let the outermost element count what was skipped; its
/// suites do.
fn as_jenkins(text: &str) -> String {
    let Some(start) = text.find("<testsuites") else { return text.to_owned() };
    let end = text[start..].find('>').map_or(text.len(), |length| start + length);
    let tag: Vec<&str> =
        text[start..end].split(' ').filter(|part| !part.starts_with("skipped=")).collect();
    format!("{}{}{}", &text[..start], tag.join(" "), &text[end..])
}

/// A comment: the verdict, a table, what there is to say, and the machine for whoever asks.
fn comment(reports: &[Report]) -> String {
    let mut page = String::new();
    for report in reports {
        if !page.is_empty() {
            page.push('\n');
        }
        page += &format!(
            "### forkbench: {}\n\n{}\n",
            markdown::text(&report.headline),
            markdown::text(&report.source)
        );
        if let Some(reason) = &report.reason {
            page += &format!("\n{}\n", markdown::text(reason));
        }
        if !report.rows.is_empty() {
            let mut heading = vec!["row"];
            heading.extend(&report.columns);
            heading.push("verdict");
            let cells = |row: &Row| {
                let mut cells = vec![row.name.clone()];
                cells.extend(row.cells.iter().cloned());
                cells.push(row.verdict.to_owned());
                cells
            };
            page.push('\n');
            page += &markdown::table(&heading, report.rows.iter().map(cells));
        }
        let why = report.rows.iter().filter(|row| !row.why.is_empty());
        let why = why.map(|row| format!("{} {}: {}", row.verdict, row.name, row.why));
        let notes: String = why
            .chain(report.notes.iter().cloned())
            .map(|note| format!("- {}\n", markdown::text(&note)))
            .collect();
        if !notes.is_empty() {
            page += &format!("\n{notes}");
        }
        if !report.environment.is_empty() {
            let rows = report.environment.iter();
            let rows = rows.map(|(name, value)| vec![name.clone(), value.clone()]);
            let table = markdown::table(&["", ""], rows);
            page += &format!(
                "\n<details><summary>where it was measured</summary>\n\n{table}\n</details>\n"
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    fn reports() -> Vec<Report> {
        let environment = vec![("kernel".to_owned(), "6.1.0 <x> | `y`".to_owned())];
        let claimed = Claimed::of_view(&example::view(&example::sweep()), true);
        let judged = Report::of_claims(&claimed, "HOLDS 1, FAILS 1 (exit 3)", None, environment);
        let mut odd = judged.clone();
        odd.source = "a|b <i> \u{7} & \"c\"".to_owned();
        odd.rows[0].name = "]]> <failure/> @you".to_owned();
        let nothing = Report {
            rows: Vec::new(),
            environment: Vec::new(),
            notes: Vec::new(),
            ..Report::of_claims(
                &claimed,
                "NOT COMPARABLE",
                Some("nothing was measured"),
                Vec::new(),
            )
        };
        vec![judged, odd, nothing]
    }

    fn written(name: &str) -> String {
        let mut out = Vec::new();
        (find(name).unwrap().write)(&reports(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_row_is_a_test_case_and_names_are_text() {
        let text = written("junit");
        insta::assert_snapshot!("junit", text);
        let read = quick_junit::Report::deserialize_from_str(&text).unwrap();
        assert_eq!(read.test_suites.len(), 3);
        for (suite, report) in read.test_suites.iter().zip(reports()) {
            assert_eq!(suite.tests, report.rows.len().max(1));
            let failed = report.rows.iter().filter(|row| row.outcome == Outcome::Failed).count();
            let skipped = report.rows.iter().filter(|row| row.outcome == Outcome::Skipped).count();
            assert_eq!((suite.failures, suite.skipped), (failed, skipped));
        }
        assert_eq!(read.test_suites[1].test_cases[0].name.as_str(), "]]> <failure/> @you");
        assert_eq!((read.test_suites[2].errors, read.errors), (1, 1));
        let outermost = text.lines().find(|line| line.contains("<testsuites")).unwrap();
        assert!(!outermost.contains("skipped"), "{outermost}");
    }

    #[test]
    fn a_comment_begins_with_the_verdict_and_names_are_text() {
        let text = written("md");
        insta::assert_snapshot!("comment", text);
        assert!(text.starts_with("### forkbench: HOLDS 1, FAILS 1 (exit 3)"), "{text}");
        assert!(!text.contains("<i>") && !text.contains("@you") && !text.contains("`y`"));
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert!(rows.iter().all(|row| [3, 5].contains(&row.matches('|').count())), "{text}");
    }
}
