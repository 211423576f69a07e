//! The registry of renderings: what `--format` takes.
//!
//! A rendering writes results and nothing else: progress and messages go elsewhere. A new one is a
//! row here; `forkbench list formats`, help and tests walk the table.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::interval::Interval;
use crate::record::error::RecordError;
use crate::show::exports::{Left, go, hyperfine, markdown, percentiles, smaller};
use crate::show::figures::Record;
use crate::show::finding::{FigureRecord, FindingRecord};
use crate::show::hazards;
use crate::show::law::{Applied, LawRecord};
use crate::show::terminal::{self, Screen};
use crate::show::view::{Next, View};

/// What is written: a run as its view has it, and where the facts behind that are.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The view of the run.
    pub view: &'a View,
    /// Its results directory.
    pub directory: &'a Path,
    /// What the reader's screen can show.
    pub screen: Screen,
}

/// A way to write a run.
pub struct Format {
    /// Its name: what `--format` takes.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Writes it, and says what it has left out of the run. The writer decides whether colour codes
    /// pass (only `table` has any).
    ///
    /// Fails if the writer does, or if a file of the directory cannot be read.
    pub write: fn(Shown<'_>, &mut dyn Write) -> Result<Left, Failure>,
    /// The files of a format that takes several for one run; none of one that takes one.
    ///
    /// Fails if a file of the directory cannot be read.
    pub parts: Option<Split>,
}

/// Splits a run into files, and says what it has left out.
pub type Split = fn(Shown<'_>) -> Result<(Vec<Part>, Left), Failure>;

/// One file of a format that takes several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, without a directory; no two parts of a run have the same.
    pub name: String,
    /// What it holds, in one line.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// Why a run could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The writer failed.
    #[error("it cannot be written")]
    Write(#[from] io::Error),
    /// A file of the directory cannot be read.
    #[error(transparent)]
    Read(#[from] RecordError),
}

/// All of them, the default first.
pub static FORMATS: [Format; 11] = [
    Format {
        name: "table",
        about: "for people: the answer, a table, lanes, and what to trust",
        write: |shown, out| {
            whole(out.write_all(terminal::render(shown.view, shown.screen).as_bytes()))
        },
        parts: None,
    },
    Format {
        name: "csv",
        about: "one row per variant and interval or column, every figure with its bounds",
        write: |shown, out| whole(csv(shown.view, out)),
        parts: None,
    },
    Format {
        name: "json",
        about: "the same and the answer in words (schema forkbench.summary/1)",
        write: |shown, out| whole(json(shown.view, out)),
        parts: None,
    },
    Format {
        name: "md",
        about: "markdown: the answer, a table for each parent, what to trust",
        write: |shown, out| whole(out.write_all(markdown::run(shown.view).as_bytes())),
        parts: None,
    },
    Format {
        name: "hyperfine",
        about: "JSON as of hyperfine --export-json: every sample from the call until reaped",
        write: |shown, out| hyperfine::write(shown, Interval::Reaped, out),
        parts: None,
    },
    Format {
        name: "hyperfine-blocked",
        about: "the same of how long the call blocked its caller",
        write: |shown, out| hyperfine::write(shown, Interval::Blocked, out),
        parts: None,
    },
    Format {
        name: "gobench",
        about: "text of Go benchmarks, for benchstat: the medians of each launch",
        write: go::write,
        parts: None,
    },
    Format {
        name: "smaller-is-better",
        about: "JSON for github-action-benchmark (customSmallerIsBetter)",
        write: smaller::write,
        parts: None,
    },
    Format {
        name: "hgrm",
        about: "HdrHistogram's percentile distributions, in ns: a file for each variant and length",
        write: percentiles::write,
        parts: Some(percentiles::parts),
    },
    Format {
        name: "hazard-csv",
        about: "of workload=hazard: one row per hazard and birth, hung and made, with the rate",
        write: |shown, out| whole(hazard_csv(shown.view, out)),
        parts: None,
    },
    Format {
        name: "evidence",
        about: "of workload=hazard: all that is known of each child whose evidence was kept",
        write: |shown, out| {
            whole(out.write_all(terminal::evidence(shown.view, shown.screen).as_bytes()))
        },
        parts: None,
    },
];

/// The rendering of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// That nothing was left out.
fn whole(written: io::Result<()>) -> Result<Left, Failure> {
    Ok(written.map(|()| Left::new())?)
}

fn csv(view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for record in &view.records {
        writer.serialize(record)?;
    }
    writer.flush()
}

/// The columns of `hazard-csv`, which a file without a row has too.
const HAZARD_COLUMNS: &str =
    "hazard,birth,threads,duty,forks,hung,proven,unproven,crashed,rate,rate_lo,rate_hi";

fn hazard_csv(view: &View, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HAZARD_COLUMNS}")?;
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    for record in &view.hazards.records {
        writer.serialize(record)?;
    }
    writer.flush()
}

/// The name and version of what `json` writes. Fields are only ever added.
const SCHEMA: &str = "forkbench.summary/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    source: &'a str,
    confidence: f64,
    conclusion: &'a str,
    trust: &'a [String],
    warnings: Vec<Told<'a>>,
    next: &'a [Next],
    rows: &'a [Record],
    laws: &'a [LawRecord],
    findings: Vec<&'a FindingRecord>,
    published: Vec<&'a FigureRecord>,
    applied: &'a [Applied],
    hazards: &'a [hazards::Record],
}

#[derive(Serialize)]
struct Told<'a> {
    word: &'a str,
    text: String,
}

fn json(view: &View, out: &mut dyn Write) -> io::Result<()> {
    let warnings = view
        .warnings
        .iter()
        .map(|warning| Told { word: warning.word(), text: warning.to_string() })
        .collect();
    let chapters = || view.chapters.iter();
    let document = Document {
        schema: SCHEMA,
        source: &view.source,
        confidence: view.confidence,
        conclusion: &view.conclusion,
        trust: &view.trust,
        warnings,
        next: &view.next,
        rows: &view.records,
        laws: &view.laws,
        findings: chapters().flat_map(|one| &one.findings).map(|one| &one.record).collect(),
        published: chapters()
            .filter_map(|chapter| chapter.reproduction.as_ref())
            .flat_map(|reproduction| &reproduction.figures)
            .map(|figure| &figure.record)
            .collect(),
        applied: &view.applied,
        hazards: &view.hazards.records,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    const SCREEN: Screen = Screen { width: 100, unicode: true };

    fn written(name: &str, view: &View) -> String {
        let mut out = Vec::new();
        let shown = Shown { view, directory: Path::new("nowhere"), screen: SCREEN };
        (find(name).unwrap().write)(shown, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_unique() {
        for (position, format) in FORMATS.iter().enumerate() {
            assert!(FORMATS[..position].iter().all(|other| other.name != format.name));
        }
        assert!(find("xml").is_none());
        let view = example::view(&example::first_screen());
        for name in ["table", "csv", "json", "md", "hazard-csv", "evidence"] {
            assert!(written(name, &view).ends_with('\n'), "{name}");
        }
    }

    #[test]
    fn csv_has_every_interval_and_leaves_empty_what_is_not_there() {
        let mut summary = example::first_screen();
        summary.variants[1].row.label = "a \"fork\", quoted".to_owned();
        let text = written("csv", &example::view(&summary));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        // fork has four intervals, none, vfork and posix_spawn three each.
        assert_eq!(rows.len(), 3 + 4 + 3 + 3);
        let fork = rows.iter().find(|row| &row[column("mechanism")] == "fork").unwrap();
        assert_eq!(&fork[column("label")], "a \"fork\", quoted");
        assert_eq!(&fork[column("interval")], "blocked");
        assert_eq!(&fork[column("p50_ns")], "24400000.0");
        assert_eq!(&fork[column("n")], "40");
        // 40 samples are too few for a 99th percentile, and the ratio at p95 is not shown.
        assert_eq!(&fork[column("p99_ns")], "");
        assert_eq!(&fork[column("ratio_p95")], "");
        assert_eq!(&fork[column("versus")], "posix_spawn");
        assert_eq!(&fork[column("ratio_p50")], "250.0");
    }

    #[test]
    fn columns_of_a_workload_have_rows_of_their_own() {
        let text = written("json", &example::view(&example::cow()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows = json["rows"].as_array().unwrap();
        let row = |label: &str| {
            let is_it = |row: &&serde_json::Value| {
                row["label"] == label && row["interval"] == "rewrite.p50/pages.parent@work"
            };
            rows.iter().find(is_it).unwrap()
        };
        let fork = row("fork");
        assert_eq!((&fork["value"], &fork["unit"]), (&2106.0.into(), &"ns".into()));
        assert_eq!((&fork["ratio_p50"], &fork["versus"]), (&265.0.into(), &"posix_spawn".into()));
        assert_eq!((&fork["workload"], &fork["p50_ns"]), (&"cow".into(), &serde_json::Value::Null));
        assert!(row("posix_spawn")["versus"].is_null());
        assert!(written("csv", &example::view(&example::cow())).contains(",cow,count,65536.0,"));
    }

    #[test]
    fn json_carries_laws_findings_and_what_was_published() {
        let text = written("json", &example::view(&example::sweep()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let law = &json["laws"][0];
        assert_eq!((&law["axis"], &law["series"]), (&"rss".into(), &"fork".into()));
        assert_eq!(law["growth"], "linear");
        assert_eq!(law["slopes"][0]["per"], "MiB");
        assert_eq!(law["slopes"][1]["per"], "PTE");
        assert_eq!(law["points"].as_array().unwrap().len(), 5);
        let finding = &json["findings"][1];
        assert_eq!((&finding["verdict"], &finding["unit"]), (&"FAILS".into(), &"times".into()));
        assert_eq!(finding["at_most"], 1.4);
        assert_eq!(json["published"], serde_json::json!([]));
        assert_eq!(json["applied"], serde_json::json!([]));

        let text = written("json", &example::view(&example::published()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let figure = &json["published"][0];
        assert_eq!(figure["published_low"], 6.9e6);
        assert!(figure["factor"].as_f64().unwrap() > 3.0);
    }

    #[test]
    fn json_names_its_schema_and_carries_the_answer() {
        let view = example::view(&example::first_screen());
        let json: serde_json::Value = serde_json::from_str(&written("json", &view)).unwrap();
        assert_eq!(json["schema"], "forkbench.summary/1");
        assert_eq!(json["conclusion"], view.conclusion);
        assert_eq!(json["warnings"][0]["word"], "parents-disagree");
        assert_eq!(json["rows"].as_array().unwrap().len(), view.records.len());
        assert!(json["rows"][0]["p99_ns"].is_null() || json["rows"][0]["p99_ns"].is_number());
    }
}
