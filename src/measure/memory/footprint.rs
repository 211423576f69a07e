//! What a process has of a range of its memory, read from /proc without allocating: also in the
//! middle of a sample, which must find the heap as it was.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;

/// What is seen of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of the range that no other process shares: Private_Dirty and Private_Hugetlb.
    pub private_bytes: u64,
    /// Bytes of the range that an entry of the middle level maps as a transparent huge page.
    pub anon_huge_bytes: u64,
    /// VmPTE of the whole process.
    pub vm_pte_bytes: u64,
}

impl Footprint {
    /// Looks at the process, or at this one (`None`).
    ///
    /// # Errors
    ///
    /// When there is no such process, or it may not be looked at.
    pub fn of(process: Option<u32>, addresses: Range<usize>) -> io::Result<Footprint> {
        let mut seen = Footprint::default();
        let mut inside = false;
        each_line(process, "smaps", |line| {
            if let Some(range) = addresses_of(line) {
                inside = range.start < addresses.end && range.end > addresses.start;
                return;
            }
            if !inside {
                return;
            }
            for name in [&b"Private_Dirty:"[..], b"Private_Hugetlb:"] {
                seen.private_bytes += bytes_of(line, name).unwrap_or(0);
            }
            seen.anon_huge_bytes += bytes_of(line, b"AnonHugePages:").unwrap_or(0);
        })?;
        each_line(process, "status", |line| {
            seen.vm_pte_bytes += bytes_of(line, b"VmPTE:").unwrap_or(0);
        })?;
        Ok(seen)
    }
}

/// The addresses at the beginning of a mapping's first line.
fn addresses_of(line: &[u8]) -> Option<Range<usize>> {
    let head = line.split(|byte| *byte == b' ').next()?;
    let (begin, end) = std::str::from_utf8(head).ok()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(begin)?..address(end)?)
}

/// The value of a line of that name, which stands there in KiB.
fn bytes_of(line: &[u8], name: &[u8]) -> Option<u64> {
    let value = std::str::from_utf8(line.strip_prefix(name)?).ok()?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib * 1024)
}

fn each_line(process: Option<u32>, name: &str, mut see: impl FnMut(&[u8])) -> io::Result<()> {
    let mut path = [0_u8; 48];
    let mut rest = &mut path[..];
    match process {
        Some(pid) => write!(rest, "/proc/{pid}/{name}")?,
        None => write!(rest, "/proc/self/{name}")?,
    }
    let left = rest.len();
    let path = std::str::from_utf8(&path[..path.len() - left]).map_err(io::Error::other)?;
    let mut file = File::open(path)?;
    // The longest line is that of a mapping, with a path of at most 4096 bytes.
    let mut buffer = [0_u8; 8192];
    let mut filled = 0;
    loop {
        let read = file.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let mut done = 0;
        while let Some(end) = buffer[done..filled].iter().position(|byte| *byte == b'\n') {
            see(&buffer[done..done + end]);
            done += end + 1;
        }
        // A line that fills the buffer is none of those that are looked for.
        let done = if done == 0 && filled == buffer.len() { filled } else { done };
        buffer.copy_within(done..filled, 0);
        filled -= done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_page_tables_and_private_memory() {
        let all = Footprint::of(None, 0..usize::MAX).unwrap();
        assert!(all.private_bytes > 0 && all.vm_pte_bytes > 0, "{all:?}");
        let same = Footprint::of(Some(std::process::id()), 0..usize::MAX).unwrap();
        assert!(same.private_bytes > 0, "{same:?}");
        assert_eq!(Footprint::of(None, 0..1).unwrap().private_bytes, 0);
        assert!(Footprint::of(Some(u32::MAX), 0..1).is_err());
    }

    #[test]
    fn lines_are_told_apart() {
        let line = b"7f0000001000-7f0000003000 rw-p 00000000 00:00 0  [heap]";
        assert_eq!(addresses_of(line), Some(0x7f00_0000_1000..0x7f00_0000_3000));
        assert_eq!(addresses_of(b"VmFlags: rd wr-x"), None);
        assert_eq!(bytes_of(b"Private_Dirty:        12 kB", b"Private_Dirty:"), Some(12 << 10));
        assert_eq!(bytes_of(b"Private_Clean:        12 kB", b"Private_Dirty:"), None);
    }
}
