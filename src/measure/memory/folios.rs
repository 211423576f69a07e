//! How large the pages are that memory lies in, from `/proc/self/pagemap` and `/proc/kpageflags`.
//! Page frames are shown to root alone (CAP_SYS_ADMIN).

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::measure::memory::page_size;

// Documentation/admin-guide/mm/pagemap.rst.
const PRESENT: u64 = 1 << 63;
const FRAME: u64 = (1 << 55) - 1;
const COMPOUND_HEAD: u64 = 1 << 15;
const COMPOUND_TAIL: u64 = 1 << 16;

/// The most base pages in one page of a size that is looked for: 1 MiB.
const MOST: usize = 256;

/// Bytes of the range, which begins at a multiple of `size`, that lie in pages of exactly `size`
/// bytes. None where that cannot be seen.
pub(super) fn bytes_of_size(address: usize, bytes: usize, size: usize) -> Option<u64> {
    let pages = size / page_size();
    if pages > MOST {
        return None;
    }
    let pagemap = File::open("/proc/self/pagemap").ok()?;
    let flags = File::open("/proc/kpageflags").ok()?;
    let mut entries = [0_u64; MOST];
    let mut found = [0_u64; MOST + 1];
    let mut good = 0;
    for start in (address..address + bytes).step_by(size) {
        let entries = &mut entries[..pages];
        read(&pagemap, start / page_size(), entries)?;
        let first = entries[0] & FRAME;
        if entries[0] & PRESENT == 0 {
            continue;
        }
        // Without the right to see them all frames are 0.
        if first == 0 {
            return None;
        }
        if !(first..).zip(&*entries).all(|(frame, entry)| entry & FRAME == frame) {
            continue;
        }
        // One more than it has, which must not belong to it.
        let found = &mut found[..pages + 1];
        found[pages] = 0;
        if read(&flags, first as usize, found).is_none() {
            // The last page of the machine has none behind it.
            read(&flags, first as usize, &mut found[..pages])?;
        }
        let tails = found[1..pages].iter().all(|flags| flags & COMPOUND_TAIL != 0);
        if found[0] & COMPOUND_HEAD != 0 && tails && found[pages] & COMPOUND_TAIL == 0 {
            good += size as u64;
        }
    }
    Some(good)
}

/// Reads words of eight bytes from the word `at` on.
fn read(file: &File, at: usize, words: &mut [u64]) -> Option<()> {
    let mut bytes = [0_u8; 8 * (MOST + 1)];
    let bytes = &mut bytes[..8 * words.len()];
    file.read_exact_at(bytes, at as u64 * 8).ok()?;
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    }
    Some(())
}
