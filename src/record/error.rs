//! What can go wrong with a results directory: what was found, where, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a results directory could not be written or read. Each message is complete: what the system
/// said stands in it, and is not told again as the source of the error.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The directory for the results is already in use.
    #[error(
        "{path}: there are files here already; name another directory with --out, or go on with \
         this run by --resume {path}",
        path = path.display()
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is writing here.
    #[error(
        "{path}: another forkbench is writing its results here; wait for it or name another \
         directory with --out",
        path = path.display()
    )]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The device is full, or a limit on the size of files or on the user's share is reached.
    #[error(
        "{path}: no room to write ({cause}); the {blocks} blocks written before are safe: make \
         room, then go on by --resume {directory}",
        path = path.display(), directory = directory.display()
    )]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// The results directory.
        directory: PathBuf,
        /// Blocks that are committed.
        blocks: usize,
        /// What the system said.
        cause: io::Error,
    },
    /// The system refused.
    #[error("{path}: cannot {action} ({cause})", path = path.display())]
    System {
        /// The file or directory.
        path: PathBuf,
        /// What was to be done with it: `create`, `write`, `read`.
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// A value cannot be written as TOML or CSV.
    #[error("{path}: cannot express the values to be written ({reason})", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What stood in the way.
        reason: String,
    },
    /// A file that every results directory has is not there.
    #[error(
        "{path}: there is no such file, and every results directory has it; give a directory that \
         `forkbench run` wrote",
        path = path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// What is wanted was lost when the directory was archived.
    #[error(
        "{path}: this directory is archived, its times are kept block by block and its samples are \
         not, so {wanted}; use the directory that it was made from",
        path = path.display()
    )]
    Archived {
        /// The directory.
        path: PathBuf,
        /// What cannot be, as the end of that sentence: `no run can go on in it`.
        wanted: &'static str,
    },
    /// A file that is to grow is compressed.
    #[error(
        "{path}: it is compressed, and a run can only go on in plain files; unpack it by \
         gunzip {path}",
        path = path.display()
    )]
    Compressed {
        /// The file.
        path: PathBuf,
    },
    /// A compressed file cannot be unpacked.
    #[error(
        "{path}: it cannot be unpacked ({reason}); the file was changed or damaged after it was \
         written",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The first line of a file is not the one it must have.
    #[error(
        "{path}:1: not a file of forkbench: the header must be `{expected}` but is `{found}`",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The header it must have.
        expected: String,
        /// The header it has, shortened.
        found: String,
    },
    /// The file has all known columns and more: it is from a later version.
    #[error(
        "{path}:1: the columns `{columns}` are not known to forkbench {version}, so a newer one \
         wrote this; read it with that version (environment.toml names it)",
        path = path.display(), version = env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The columns that are not known, joined by commas.
        columns: String,
    },
    /// A file says that it follows a schema that is not known.
    #[error(
        "{path}: its schema is `{found}`, and forkbench {version} knows `{known}`; read it with \
         the version that wrote it, or make it anew",
        path = path.display(), version = env!("CARGO_PKG_VERSION")
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// The schema it names, shortened.
        found: String,
        /// The one that is known.
        known: &'static str,
    },
    /// A line cannot be what forkbench wrote.
    #[error(
        "{path}:{line}: {reason}; the file was changed or damaged after it was written",
        path = path.display()
    )]
    Garbled {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Result of anything done with a results directory.
pub type Result<T> = std::result::Result<T, RecordError>;

impl RecordError {
    /// What the system said about an action on a path.
    pub(super) fn system(path: &Path, action: &'static str, cause: io::Error) -> RecordError {
        RecordError::System { path: path.to_path_buf(), action, cause }
    }

    /// A line that cannot be.
    pub(super) fn garbled(path: &Path, line: u64, reason: impl ToString) -> RecordError {
        RecordError::Garbled { path: path.to_path_buf(), line, reason: reason.to_string() }
    }
}
