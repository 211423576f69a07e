//! The directory of a run in which its images are: real files where programs may be executed.
//!
//! A memfd executed through /proc costs a fifth more than a file, so it is only the last resort.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::measure::image;
use crate::measure::job::searched_directory;

/// A private directory with the shipped images in it; removed when dropped.
#[derive(Debug)]
pub struct Images {
    directory: PathBuf,
}

impl Images {
    /// Makes the directory in the first place where a program can be executed: `$TMPDIR`, /tmp,
    /// /var/tmp, /dev/shm, the user's runtime directory, `here`.
    ///
    /// # Errors
    ///
    /// Which places were tried, and why each will not do.
    pub fn make(here: &Path) -> io::Result<Images> {
        let mut tried = Vec::new();
        for place in places(here) {
            match try_in(&place) {
                Ok(images) => return Ok(images),
                Err(error) => tried.push(format!("{}: {error}", place.display())),
            }
        }
        Err(io::Error::other(format!(
            "no directory allows the execution of a program ({}); set TMPDIR to one that does",
            tried.join("; ")
        )))
    }

    /// The path of the image `noop`.
    pub fn noop(&self) -> PathBuf {
        self.directory.join(image::NOOP)
    }

    /// The directory of the empty directories that [`Self::make_searched`] makes.
    pub fn search(&self) -> PathBuf {
        self.directory.join("search")
    }

    /// Makes so many empty directories, for `path-dirs` to search in vain.
    ///
    /// # Errors
    ///
    /// When one cannot be made.
    pub fn make_searched(&self, count: u32) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o755).recursive(true);
        (0..count).try_for_each(|i| builder.create(self.search().join(searched_directory(i))))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and nothing depends on it.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn places(here: &Path) -> Vec<PathBuf> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let fixed = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
    let mut places: Vec<PathBuf> = from("TMPDIR").into_iter().collect();
    places.extend(fixed);
    places.extend(from("XDG_RUNTIME_DIR"));
    places.push(here.to_path_buf());
    places
}

fn try_in(place: &Path) -> io::Result<Images> {
    // One length whatever the pid: the path's bytes are copied by every exec.
    let directory = place.join(format!("forkbench-{:010}", std::process::id()));
    fs::DirBuilder::new().mode(0o755).create(&directory)?;
    let images = Images { directory };
    image::write_all(&images.directory)?;
    let status = Command::new(images.noop()).stdin(Stdio::null()).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("the image ended with {status}")));
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_runs_and_goes_away() {
        let here = tempfile::tempdir().unwrap();
        let images = try_in(here.path()).unwrap();
        assert!(images.noop().is_file());
        images.make_searched(3).unwrap();
        images.make_searched(2).unwrap();
        assert_eq!(fs::read_dir(images.search()).unwrap().count(), 3);
        drop(images);
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
