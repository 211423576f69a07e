//! From a results directory to its view: all that `run` at its end and `show` later have in common.
//!
//! Owns which files a view is made of. Computes and decides nothing itself.

pub mod gate;

use std::path::Path;

use crate::analyse::cells::Cells;
use crate::analyse::environments::is_release_build;
use crate::analyse::estimate::CONFIDENCE;
use crate::analyse::findings::Finding;
use crate::analyse::summary::Summary;
use crate::model::claim::Claim;
use crate::record::error::{RecordError, Result};
use crate::record::read::Recorded;
use crate::record::rows::VariantRow;
use crate::show::distribution::Distributions;
use crate::show::finding::FindingRow;
use crate::show::law::Asked;
use crate::show::verdict::{Claimed, Part};
use crate::show::view::{Origin, View};
use crate::show::warning::Disturbance;

/// The view of a results directory. `vs` is the label or mechanism to compare with, if another
/// than the run was planned with is wanted.
///
/// # Errors
///
/// If a file of it is missing, foreign or garbled.
pub fn read(directory: &Path, vs: Option<&str>) -> Result<View> {
    read_at(directory, vs, &[])
}

/// The same, with what the laws say of these values.
///
/// # Errors
///
/// As [`read`].
pub fn read_at(directory: &Path, vs: Option<&str>, asked: &[Asked]) -> Result<View> {
    let cells = Cells::read(directory)?;
    let summary = Summary::of(&cells, vs);
    of_cells(directory, &cells, &summary, asked)
}

/// The view of a results directory whose samples have been reduced and summarised already.
///
/// # Errors
///
/// As [`read`].
pub(super) fn of_cells(
    directory: &Path,
    cells: &Cells,
    summary: &Summary,
    asked: &[Asked],
) -> Result<View> {
    let distributions = Distributions::of(cells);
    let environment = environment(&Recorded::open(directory)?)?;
    let name = name(directory);
    Ok(View::new(
        summary,
        Origin {
            directory: &name,
            path: &directory.to_string_lossy(),
            libc: libc(&environment).as_deref(),
            release_build: is_release_build(&environment),
            never_left: &never_left(cells),
            machine: &disturbances(&environment),
            distributions: &distributions,
            asked,
        },
    ))
}

/// What a results directory says of claims: of those of its own scenarios, or of a budget, which is
/// the name of its file and what it claims.
///
/// # Errors
///
/// As [`read`].
pub fn claimed(directory: &Path, budget: Option<(&str, &[Claim])>) -> Result<Claimed> {
    let environment = environment(&Recorded::open(directory)?)?;
    let is_release = is_release_build(&environment);
    let Some((file, claims)) = budget else {
        return Ok(Claimed::of_view(&read(directory, None)?, is_release));
    };
    let cells = Cells::read(directory)?;
    let findings = Finding::of_budget(&cells, file, claims);
    Ok(Claimed {
        source: name(directory),
        budget: Some(file.to_owned()),
        confidence: CONFIDENCE,
        has_samples: cells.eligible > 0,
        is_release,
        parts: vec![Part {
            name: file.to_owned(),
            title: file.to_owned(),
            rows: findings.iter().map(FindingRow::of).collect(),
        }],
        notes: Vec::new(),
    })
}

fn name(directory: &Path) -> String {
    directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy().into_owned()
}

/// What the directory says of the machine; nothing where a run died before it had looked at it,
/// since such a run still has its facts.
pub(super) fn environment(recorded: &Recorded) -> Result<toml::Table> {
    match recorded.environment() {
        Err(RecordError::Missing { .. }) => Ok(toml::Table::new()),
        other => other,
    }
}

/// Where the results of a directory were measured: names and values, as far as its environment says.
///
/// # Errors
///
/// If the environment cannot be read.
pub fn machine(directory: &Path) -> Result<Vec<(String, String)>> {
    let environment = environment(&Recorded::open(directory)?)?;
    let of = |path: [&str; 2]| {
        let value = environment.get(path[0])?.get(path[1])?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let facts = [
        ("started", of(["tool", "started"])),
        ("forkbench", of(["tool", "version"])),
        ("kernel", of(["kernel", "release"])),
        ("libc", libc(&environment)),
        ("cpu", of(["cpu", "name"])),
        ("cpus", of(["cpu", "logical"])),
        ("hypervisor", of(["cpu", "hypervisor"])),
        ("load before", environment.get("noise").and_then(|noise| load(noise, "start"))),
        ("load after", environment.get("noise").and_then(|noise| load(noise, "end"))),
        (
            "fingerprint",
            environment.get("fingerprint").and_then(|one| Some(one.as_str()?.to_owned())),
        ),
    ];
    Ok(facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn load(noise: &toml::Value, when: &str) -> Option<String> {
    noise.get(when)?.get("load").map(ToString::to_string)
}

/// The libc with its version, as far as the environment says.
pub(super) fn libc(environment: &toml::Table) -> Option<String> {
    let part = |name: &str| environment.get("libc")?.get(name)?.as_str();
    Some(format!("{} {}", part("name")?, part("version")?))
}

/// What disturbed the measurements, as far as the environment says; what has another form than
/// today's is left out.
fn disturbances(environment: &toml::Table) -> Vec<Disturbance> {
    let warnings = environment.get("warnings").and_then(toml::Value::as_array);
    warnings.into_iter().flatten().filter_map(|one| one.clone().try_into().ok()).collect()
}

/// Variants whose children were free to leave their parent's CPU and were never seen elsewhere.
fn never_left(cells: &Cells) -> Vec<u32> {
    let is_free = |row: &VariantRow| row.settings.split(';').any(|one| one == "child-cpu=free");
    cells
        .variants
        .iter()
        .zip(&cells.facts)
        .filter(|(row, facts)| is_free(row) && facts.moved == Some(false))
        .map(|(row, _)| row.variant)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Role;
    use crate::record::append::{Block, Writer};
    use crate::record::fixture;
    use crate::record::rows::SampleRow;
    use crate::show::warning::Warning;

    fn written(environment: Option<&str>, plan: impl Fn(u32) -> u32) -> View {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("20261124T060000Z-run");
        let mut variants = vec![
            fixture::variant(0, Role::Subject, "empty", "vfork"),
            fixture::variant(1, Role::Subject, "empty", "posix_spawn"),
        ];
        for variant in &mut variants {
            variant.settings += ";child-cpu=free";
        }
        let mut writer = Writer::create(&path, &variants).unwrap();
        let samples: Vec<SampleRow> = (0..40)
            .map(|i| SampleRow {
                child_cpu: Some(plan(i % 2)),
                ..fixture::sample(1, 1, i % 2, 50_000 + u64::from(i))
            })
            .collect();
        let row = &fixture::block(1, 1);
        writer
            .block(Block { row, samples: &samples, readings: &[], histograms: &[], events: &[] })
            .unwrap();
        writer.launch(&fixture::launch(1, 0, "empty")).unwrap();
        drop(writer);
        if let Some(environment) = environment {
            std::fs::write(path.join("environment.toml"), environment).unwrap();
        }
        read(&path, None).unwrap()
    }

    #[test]
    fn a_directory_becomes_a_view() {
        let view = written(Some("[tool]\nbuild_profile = \"release\"\n"), |_| 1);
        assert_eq!(view.source, "20261124T060000Z-run");
        assert_eq!(view.sections.len(), 1);
        assert_eq!(view.sections[0].versus.as_deref(), Some("posix_spawn"));
        assert_eq!(view.sections[0].curves.len(), 4, "blocked and reaped of two variants");
        assert!(!view.warnings.contains(&Warning::NotReleaseBuild));
    }

    #[test]
    fn what_disturbed_is_told() {
        let warnings = "[[warnings]]\nid = \"one-cpu\"\ntext = \"one CPU for all\"\nadvice = \"\"\n\
                        [[warnings]]\nid = 3\n";
        let view = written(Some(warnings), |_| 1);
        let one = Disturbance { id: "one-cpu".to_owned(), text: "one CPU for all".to_owned() };
        let told: Vec<&Warning> =
            view.warnings.iter().filter(|w| matches!(w, Warning::Machine(_))).collect();
        assert_eq!(told, [&Warning::Machine(one)]);
    }

    #[test]
    fn a_debug_build_is_told() {
        let view = written(Some("[tool]\nbuild_profile = \"debug\"\n"), |_| 1);
        assert_eq!(view.warnings[0], Warning::NotReleaseBuild);
        assert!(!written(None, |_| 1).warnings.contains(&Warning::NotReleaseBuild));
    }

    #[test]
    fn children_that_never_left_are_told() {
        // The children of variant 0 stay on CPU 0, where their parent is; those of 1 do not.
        let view = written(None, |variant| variant);
        let stayed: Vec<&Warning> =
            view.warnings.iter().filter(|w| w.word() == "child-never-left").collect();
        let label = "empty vfork".to_owned();
        assert_eq!(stayed, [&Warning::ChildNeverLeft { label }]);
    }
}
