//! Reading the small texts of `/proc` and `/sys`. What they mean is not known here.

use std::fs;
use std::path::{Path, PathBuf};

/// Where `/proc` and `/sys` stand: `/`, or in tests a directory with copies of them.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// This machine.
    pub fn live() -> Root {
        Root(PathBuf::from("/"))
    }

    /// A directory that holds `proc` and `sys`.
    pub fn under(directory: &Path) -> Root {
        Root(directory.to_owned())
    }

    /// Where the file with that absolute path stands.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.0.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    /// The trimmed text of a file, if it can be read and is not empty.
    pub fn text(&self, absolute: impl AsRef<Path>) -> Option<String> {
        let text = fs::read_to_string(self.path(absolute)).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The number that a file begins with.
    pub fn number(&self, absolute: impl AsRef<Path>) -> Option<u64> {
        self.text(absolute)?.split_whitespace().next()?.parse().ok()
    }

    /// The word that stands in brackets: `madvise` of `always [madvise] never`.
    pub fn chosen(&self, absolute: impl AsRef<Path>) -> Option<String> {
        let text = self.text(absolute)?;
        let (_, rest) = text.split_once('[')?;
        Some(rest.split_once(']')?.0.to_owned())
    }

    /// The value of `Name:` in a file of such lines, such as `/proc/meminfo`.
    pub(super) fn line(&self, absolute: impl AsRef<Path>, name: &str) -> Option<String> {
        labelled(&self.text(absolute)?, name)
    }

    /// The names in a directory, sorted; none where it cannot be read.
    pub fn names(&self, absolute: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(absolute)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// The kernel's lists: `0-2,5` is 0, 1, 2 and 5. What is not one is left out.
pub(super) fn parse_cpu_list(list: &str) -> Vec<usize> {
    let parts = list.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    });
    parts.flatten().collect()
}

/// The value of `name : value`, the first of that name.
pub(super) fn labelled(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The number after `name` in lines of `name number`.
pub(super) fn keyed(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == name).then(|| words.next()?.parse().ok())?
    })
}

/// A line of `/proc/meminfo`, in bytes.
pub(super) fn meminfo(text: &str, name: &str) -> Option<u64> {
    let value = labelled(text, name)?;
    let kibibytes: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lists_are_read() {
        assert_eq!(parse_cpu_list("0"), [0]);
        assert_eq!(parse_cpu_list("0-2,5,7-8\n"), [0, 1, 2, 5, 7, 8]);
        assert_eq!(parse_cpu_list(""), [0; 0]);
        assert_eq!(parse_cpu_list("x,3-1,4"), [4]);
    }

    #[test]
    fn lines_are_found_by_their_whole_name() {
        let text = "model name\t: EPYC\nmodel\t\t: 17\nSwapTotal:  2 kB\nBad: 2 mB\n";
        assert_eq!(labelled(text, "model").as_deref(), Some("17"));
        assert_eq!(labelled(text, "name"), None);
        assert_eq!(meminfo(text, "SwapTotal"), Some(2048));
        assert_eq!(meminfo(text, "Bad"), None);
        assert_eq!(keyed("ctxt 12\nctxt2 13\nnone\n", "ctxt"), Some(12));
        assert_eq!(keyed("ctxt 12\nctxt2 13\nnone\n", "none"), None);
    }
}
