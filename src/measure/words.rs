//! Words of this process's own memory, read through the kernel, which refuses an address that is not
//! there.
//!
//! # Safety
//!
//! The kernel writes into a local; of the other address it makes sure itself.
#![allow(unsafe_code)]

/// The four bytes at an address; None: there is nothing.
pub(in crate::measure) fn u32_at(address: u64) -> Option<u32> {
    read(address).map(u32::from_ne_bytes)
}

/// The eight bytes at an address; None: there is nothing.
pub(in crate::measure) fn u64_at(address: u64) -> Option<u64> {
    read(address).map(u64::from_ne_bytes)
}

fn read<const BYTES: usize>(address: u64) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: BYTES };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: BYTES };
    // SAFETY: `bytes` has so many and lives through the call.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    (read == BYTES as isize).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_none() {
        let words = [7_u32, 9];
        let address = words.as_ptr() as u64;
        assert_eq!((u32_at(address), u32_at(address + 4)), (Some(7), Some(9)));
        let both = u64::from_ne_bytes(
            [words[0].to_ne_bytes(), words[1].to_ne_bytes()].concat().try_into().unwrap(),
        );
        assert_eq!(u64_at(address), Some(both));
        assert_eq!((u32_at(8), u64_at(u64::MAX)), (None, None));
    }
}
