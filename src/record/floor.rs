//! The floor of a machine: how far apart whole runs of one and the same thing lie on it.
//!
//! `forkbench validate` measures it and stores it for the fingerprint of the machine, outside of any
//! results directory; a gate over directories never takes a margin below it. What is stored is what
//! was found; nothing here computes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{RecordError, Result};
use crate::model::quantity::Quantity;

/// The schema of the file.
pub const SCHEMA: &str = "forkbench.floor/1";

/// What is known of one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// [`SCHEMA`].
    pub schema: String,
    /// The fingerprint of the machine, as `environment.toml` has it.
    pub fingerprint: String,
    /// When it was measured, as RFC 3339 has it.
    pub date: String,
    /// The version of forkbench that measured it.
    pub version: String,
    /// One for each mechanism and quantity.
    pub rows: Vec<FloorRow>,
}

/// The floor of one quantity of one mechanism.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorRow {
    /// The mechanism.
    pub mechanism: String,
    /// The canonical label of the parent's shape: `rss=1GiB`, or `empty`.
    pub shape: String,
    /// The quantity, such as `blocked.p50`.
    pub quantity: Quantity,
    /// The mechanism that its values were divided by, measured in the same blocks; none if they
    /// were not.
    pub reference: Option<String>,
    /// How many runs of the same thing were compared, each with each.
    pub runs: u32,
    /// The distance that 95 % of the pairs of runs do not exceed, as a natural logarithm: 0.03 is
    /// 3 %.
    pub log_ratio: f64,
}

impl Floor {
    /// The floor of that quantity of that mechanism in a parent of that shape, normalised by that
    /// reference, as a natural logarithm; none if it was not measured.
    pub fn of(
        &self,
        mechanism: &str,
        shape: &str,
        quantity: &Quantity,
        reference: Option<&str>,
    ) -> Option<f64> {
        let is_it = |row: &&FloorRow| {
            (row.mechanism.as_str(), row.shape.as_str()) == (mechanism, shape)
                && row.quantity == *quantity
                && row.reference.as_deref() == reference
        };
        self.rows.iter().find(is_it).map(|row| row.log_ratio)
    }
}

/// Where the floor of a fingerprint stands: `forkbench/floor-FINGERPRINT.json` in `$XDG_STATE_HOME`,
/// or else in `~/.local/state`. None where neither variable names an absolute path, and for what
/// is no fingerprint.
pub fn path(fingerprint: &str) -> Option<PathBuf> {
    path_among(fingerprint, |name| std::env::var_os(name).map(PathBuf::from))
}

/// As [`path`], with a way to look up variables.
fn path_among(fingerprint: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let is_hash = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if fingerprint.is_empty() || !fingerprint.bytes().all(is_hash) {
        return None;
    }
    // The specification of these directories has relative paths ignored.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join(format!("forkbench/floor-{fingerprint}.json")))
}

/// The stored floor of that fingerprint; none if there is none, or no place for one.
///
/// # Errors
///
/// If there is one that cannot be read, is garbled, or follows another schema.
pub fn read(fingerprint: &str) -> Result<Option<Floor>> {
    path(fingerprint).map_or(Ok(None), |path| read_from(&path, fingerprint))
}

/// As [`read`], from that file.
///
/// # Errors
///
/// As [`read`].
pub fn read_from(path: &Path, fingerprint: &str) -> Result<Option<Floor>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(RecordError::system(path, "read", cause)),
    };
    let garbled = |line: usize, reason: String| RecordError::garbled(path, line as u64, reason);
    let unread = |error: serde_json::Error| garbled(error.line(), error.to_string());
    let whole: serde_json::Value = serde_json::from_str(&text).map_err(unread)?;
    match whole.get("schema").and_then(serde_json::Value::as_str) {
        Some(SCHEMA) => {}
        found => {
            let found: String = found.unwrap_or("none").chars().take(40).collect();
            return Err(RecordError::Schema { path: path.to_path_buf(), found, known: SCHEMA });
        }
    }
    let floor: Floor = serde_json::from_str(&text).map_err(unread)?;
    if floor.fingerprint != fingerprint {
        let reason = format!("it is the floor of the machine {:.16}", floor.fingerprint);
        return Err(garbled(1, reason));
    }
    if floor.rows.iter().any(|row| !row.log_ratio.is_finite() || row.log_ratio < 0.0) {
        return Err(garbled(1, "a distance is not a number from 0 on".to_owned()));
    }
    Ok(Some(floor))
}

/// Stores a floor where [`read`] finds it, in the place of the one before; none if there is no place
/// for one. It is there whole or not at all.
///
/// # Errors
///
/// If the system refuses.
pub fn write(floor: &Floor) -> Result<Option<PathBuf>> {
    let Some(path) = path(&floor.fingerprint) else { return Ok(None) };
    write_to(&path, floor)?;
    Ok(Some(path))
}

/// As [`write()`], to that file.
///
/// # Errors
///
/// As [`write()`].
pub fn write_to(path: &Path, floor: &Floor) -> Result<()> {
    let mut text = serde_json::to_string_pretty(floor).map_err(|error| {
        RecordError::Unwritable { path: path.to_path_buf(), reason: error.to_string() }
    })?;
    text.push('\n');
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)
        .map_err(|cause| RecordError::system(directory, "create", cause))?;
    let unfinished = path.with_extension(format!("json.{}", std::process::id()));
    let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|cause| {
        // What is left of it is of no use; that it cannot be removed says nothing new.
        let _ = fs::remove_file(&unfinished);
        RecordError::system(path, "write", cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor() -> Floor {
        let row = |mechanism: &str, quantity: &str, reference: Option<&str>, log_ratio| FloorRow {
            mechanism: mechanism.to_owned(),
            shape: "empty".to_owned(),
            quantity: quantity.parse().unwrap(),
            reference: reference.map(str::to_owned),
            runs: 12,
            log_ratio,
        };
        Floor {
            schema: SCHEMA.to_owned(),
            fingerprint: "0123abcd".to_owned(),
            date: "2026-11-24T21:00:00Z".to_owned(),
            version: "0.1.0".to_owned(),
            rows: vec![
                row("vfork", "blocked.p50", None, 0.06),
                row("vfork", "blocked.p50", Some("clone3-vm"), 0.02),
                row("fork", "reaped.p95", Some("_fork"), 0.1),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/forkbench/floor-0123abcd.json");
        assert_eq!(read_from(&path, "0123abcd").unwrap(), None);
        write_to(&path, &floor()).unwrap();
        write_to(&path, &floor()).unwrap();
        let read = read_from(&path, "0123abcd").unwrap().unwrap();
        assert_eq!(read, floor());
        let p50 = "blocked.p50".parse().unwrap();
        assert_eq!(read.of("vfork", "empty", &p50, None), Some(0.06));
        assert_eq!(read.of("vfork", "empty", &p50, Some("clone3-vm")), Some(0.02));
        assert_eq!(read.of("vfork", "rss=1GiB", &p50, None), None);
        assert_eq!(read.of("fork", "empty", &p50, None), None);
        let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing unfinished is left");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("floor.json");
        let good = serde_json::to_string(&floor()).unwrap();
        for (text, complaint) in [
            (String::new(), "floor.json:1:"),
            (good[..good.len() - 9].to_owned(), "floor.json:1:"),
            ("{}".to_owned(), "its schema is `none`"),
            (good.replace("floor/1", "floor/2"), "its schema is `forkbench.floor/2`"),
            (good.replace("0123abcd", "99"), "it is the floor of the machine 99"),
            (good.replace("0.06", "-0.06"), "not a number from 0 on"),
            (good.replace("0.06", "1e999"), "floor.json:1:"),
            (good.replace("\"runs\":12", "\"runs\":12,\"rums\":1"), "unknown field"),
        ] {
            fs::write(&path, text).unwrap();
            let error = read_from(&path, "0123abcd").unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn where_it_stands() {
        let among = |state: Option<&str>, home: Option<&str>| {
            path_among("0a", |name| {
                let value = if name == "HOME" { home } else { state };
                value.map(PathBuf::from)
            })
        };
        let at = |text: &str| Some(PathBuf::from(text));
        assert_eq!(among(Some("/s"), Some("/h")), at("/s/forkbench/floor-0a.json"));
        let home = at("/h/.local/state/forkbench/floor-0a.json");
        assert_eq!((among(None, Some("/h")), among(Some("s"), Some("/h"))), (home.clone(), home));
        assert_eq!(among(None, None), None);
        for no_fingerprint in ["", "../x", "0A", "a b"] {
            assert_eq!(path_among(no_fingerprint, |_| at("/s")), None);
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write_to(&file.join("floor.json"), &floor()).unwrap_err().to_string();
        assert!(error.contains("cannot create"), "{error}");
    }
}
