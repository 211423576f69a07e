//! Cgroups of version 2: the one that this process is in, and one made below it for its children.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::measure::mechanism::Refusal;

/// What the name of a made one begins with; the pid of its maker follows.
const PREFIX: &str = "forkbench-gap-";

/// The directory of the cgroup that this process is in.
///
/// # Errors
///
/// Where there is none.
pub fn own() -> Result<PathBuf, Refusal> {
    let refuse = |reason: &str| Refusal { errno: 0, reason: reason.to_owned() };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = mounts
        .lines()
        .find(|line| line.contains(" - cgroup2 "))
        .and_then(|line| line.split(' ').nth(4))
        .ok_or_else(|| refuse("cgroup v2 is not mounted"))?;
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = membership
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .ok_or_else(|| refuse("this process is in no cgroup of version 2"))?;
    Ok(PathBuf::from(format!("{mount}{}", path.trim_end_matches('/'))))
}

/// Its file cgroup.procs, open for writing.
///
/// # Errors
///
/// Who may not move processes there.
pub fn procs(directory: &Path) -> Result<File, Refusal> {
    OpenOptions::new().write(true).open(directory.join("cgroup.procs")).map_err(|error| {
        Refusal::of(
            &error,
            format!("no process may be put into {}; root may, or its owner", directory.display()),
        )
    })
}

/// The directory, opened as a place to be born in.
///
/// # Errors
///
/// When it cannot be opened.
pub fn open(directory: &Path) -> Result<File, Refusal> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_PATH)
        .open(directory)
        .map_err(|error| {
            Refusal::of(&error, format!("cannot open the cgroup {}", directory.display()))
        })
}

/// A cgroup made by this process; removed when dropped.
#[derive(Debug)]
pub struct Made {
    directory: PathBuf,
}

impl Made {
    /// Makes one below that of this process.
    ///
    /// # Errors
    ///
    /// Where there is none, and who may not.
    pub fn new() -> Result<Made, Refusal> {
        let directory = own()?.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&directory).map_err(|error| {
            Refusal::of(
                &error,
                format!(
                    "no cgroup may be made here ({}); root may, or its owner",
                    directory.display()
                ),
            )
        })?;
        Ok(Made { directory })
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Where a process is still in it, whoever ends that removes it.
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Removes what processes that have been killed had made below the cgroup of this one.
pub fn remove_left() {
    let Ok(entries) = own().map(fs::read_dir) else { return };
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let maker = maker.filter(|pid| pid.parse::<u32>().is_ok());
        if maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_removed_and_what_the_dead_left_too() {
        let Ok(made) = Made::new() else { return println!("skipped: no cgroup may be made here") };
        let directory = made.directory().to_owned();
        let left = directory.with_file_name(format!("{PREFIX}4000000000"));
        fs::create_dir(&left).unwrap();
        remove_left();
        assert!(directory.exists() && !left.exists());
        drop(made);
        assert!(!directory.exists());
    }
}
