//! Whether a file of the user's can be executed, as far as can be seen from outside.
//!
//! Says what is wrong; how that is told, and what to do about it, is for who asks.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Why a file cannot be executed.
#[derive(Debug)]
pub enum Unfit {
    /// It cannot be looked at: it is not there, as a rule.
    Unseen(io::Error),
    /// It is a directory.
    Directory,
    /// It is neither a file nor a directory.
    Special,
    /// It is a file that nobody may execute.
    NotExecutable,
}

/// Why that file cannot be executed; none if it can.
pub fn unfit(path: &Path) -> Option<Unfit> {
    match fs::metadata(path) {
        Err(error) => Some(Unfit::Unseen(error)),
        Ok(metadata) if metadata.is_dir() => Some(Unfit::Directory),
        Ok(metadata) if !metadata.is_file() => Some(Unfit::Special),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => Some(Unfit::NotExecutable),
        Ok(_) => None,
    }
}

/// Whether a directory of PATH has such a program.
pub fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| unfit(&directory.join(program)).is_none())
}
