//! Exit codes (they are part of the contract) and errors that carry one.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::record::error::RecordError;
use crate::show::formats::Failure;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Fine.
    Fine,
    /// Failed at run time.
    Failed,
    /// Wrong usage: nothing was run.
    Usage,
    /// A claim that FAILS.
    Regression,
    /// A claim that is UNCLEAR or NOT SHOWN, where that is not to pass.
    Inconclusive,
    /// Nothing was measured, or nothing is claimed.
    Nothing,
    /// Interrupted; what was finished is kept.
    Interrupted,
}

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Regression => 3,
            Exit::Inconclusive => 4,
            Exit::Nothing => 5,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// As the context of an error it decides the exit code; what is printed of it names the kind.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exit::Fine => "fine",
            Exit::Failed => "failed",
            Exit::Usage => "error",
            Exit::Regression => "a claim fails",
            Exit::Inconclusive => "inconclusive",
            Exit::Nothing => "nothing was measured",
            Exit::Interrupted => "interrupted",
        })
    }
}

impl std::error::Error for Exit {}

/// An error of usage: what was given, what is allowed, what to do.
pub fn usage(error: impl Into<anyhow::Error>) -> anyhow::Error {
    error.into().context(Exit::Usage)
}

/// An error of usage from a text.
pub fn usage_text(text: impl fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{text}").context(Exit::Usage)
}

/// Why a results directory cannot be read, as an error of usage: it is none, it is damaged, or
/// another version of forkbench wrote it. What the system refuses is a failure at run time.
pub fn unreadable(error: RecordError) -> anyhow::Error {
    match error {
        RecordError::System { .. } => error.into(),
        error => usage(error),
    }
}

/// How a command ends on an error. That an archived directory has not what was asked of it is the
/// same wherever it is found out: wrong usage.
pub fn of(error: &anyhow::Error) -> Exit {
    let is_archived = |cause: &(dyn std::error::Error + 'static)| {
        let in_an_export = match cause.downcast_ref::<Failure>() {
            Some(Failure::Read(error)) => Some(error),
            _ => None,
        };
        let error = in_an_export.or_else(|| cause.downcast_ref::<RecordError>());
        matches!(error, Some(RecordError::Archived { .. }))
    };
    match error.downcast_ref::<Exit>() {
        Some(exit) => *exit,
        None if error.chain().any(is_archived) => Exit::Usage,
        None => Exit::Failed,
    }
}

/// That what was given as a results directory is a directory.
///
/// # Errors
///
/// Of usage, if it is none.
pub fn results_directory(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    Err(usage_text(format!(
        "{} is no directory: give one that `forkbench run` has made (under results/)",
        path.display()
    )))
}
