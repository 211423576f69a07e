//! The image `noop`, shipped inside this binary: a static program without a libc that stamps the
//! clock at its first instruction, reports, and exits.
//!
//! The dynamic loader alone costs more than most mechanisms, so what is executed must be as small
//! as can be: one page. It writes three words to the start of the mailbox, which it finds at the
//! fixed descriptor [`MAILBOX`]: seconds and nanoseconds of CLOCK_MONOTONIC, and one more than the
//! number of its processor.
//!
//! # Safety
//!
//! The program is assembled into a read-only section of this binary and copied out as bytes.
#![allow(unsafe_code)]

use std::arch::global_asm;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr;

/// The descriptor at which an image finds the mailbox.
pub const MAILBOX: i32 = 3;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_image_begin",
    ".globl forkbench_image_end",
    ".balign 16",
    "forkbench_image_begin:",
    "mov eax, 228", // clock_gettime(CLOCK_MONOTONIC, rsp - 64)
    "mov edi, 1",
    "lea rsi, [rsp - 64]",
    "syscall",
    "mov eax, 309", // getcpu(rsp - 40, 0, 0)
    "lea rdi, [rsp - 40]",
    "xor esi, esi",
    "xor edx, edx",
    "syscall",
    "mov eax, dword ptr [rsp - 40]",
    "inc rax",
    "mov qword ptr [rsp - 48], rax",
    "mov eax, 18", // pwrite64(MAILBOX, rsp - 64, 24, 0)
    "mov edi, {mailbox}",
    "lea rsi, [rsp - 64]",
    "mov edx, 24",
    "xor r10d, r10d",
    "syscall",
    "mov eax, 231", // exit_group(0)
    "xor edi, edi",
    "syscall",
    "ud2",
    "forkbench_image_end:",
    ".popsection",
    mailbox = const MAILBOX,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_image_begin",
    ".globl forkbench_image_end",
    ".balign 16",
    "forkbench_image_begin:",
    "mov x8, #113", // clock_gettime(CLOCK_MONOTONIC, sp - 64)
    "mov x0, #1",
    "sub x1, sp, #64",
    "svc 0",
    "mov x8, #168", // getcpu(sp - 40, 0, 0)
    "sub x0, sp, #40",
    "mov x1, #0",
    "mov x2, #0",
    "svc 0",
    "ldur w3, [sp, #-40]",
    "add x3, x3, #1",
    "stur x3, [sp, #-48]",
    "mov x8, #68", // pwrite64(MAILBOX, sp - 64, 24, 0)
    "mov x0, #{mailbox}",
    "sub x1, sp, #64",
    "mov x2, #24",
    "mov x3, #0",
    "svc 0",
    "mov x8, #94", // exit_group(0)
    "mov x0, #0",
    "svc 0",
    "brk 0",
    "forkbench_image_end:",
    ".popsection",
    mailbox = const MAILBOX,
);

unsafe extern "C" {
    #[link_name = "forkbench_image_begin"]
    static BEGIN: u8;
    #[link_name = "forkbench_image_end"]
    static END: u8;
}

/// Where the image is loaded: the classical address of a static program.
const ADDRESS: u64 = 0x40_0000;

/// The largest page of the architecture: segments are aligned to it.
const ALIGNMENT: u64 = if cfg!(target_arch = "aarch64") { 0x1_0000 } else { 0x1000 };

const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const CODE: u64 = HEADER + 2 * PROGRAM_HEADER;

/// The image as an ELF file: header, one segment that is read and executed, a stack that is not.
pub fn bytes() -> Vec<u8> {
    let code = code();
    let length = CODE + code.len() as u64;
    let mut file = Vec::with_capacity(length as usize);
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let half = |file: &mut Vec<u8>, values: &[u16]| {
        values.iter().for_each(|value| file.extend(value.to_le_bytes()));
    };
    let word = |file: &mut Vec<u8>, values: &[u32]| {
        values.iter().for_each(|value| file.extend(value.to_le_bytes()));
    };
    let long = |file: &mut Vec<u8>, values: &[u64]| {
        values.iter().for_each(|value| file.extend(value.to_le_bytes()));
    };
    half(&mut file, &[2, MACHINE]); // ET_EXEC
    word(&mut file, &[1]);
    long(&mut file, &[ADDRESS + CODE, HEADER, 0]); // entry, program headers, no sections
    word(&mut file, &[0]);
    half(&mut file, &[HEADER as u16, PROGRAM_HEADER as u16, 2, 0, 0, 0]);
    word(&mut file, &[1, 5]); // PT_LOAD, read and execute
    long(&mut file, &[0, ADDRESS, ADDRESS, length, length, ALIGNMENT]);
    word(&mut file, &[0x6474_e551, 6]); // PT_GNU_STACK, read and write
    long(&mut file, &[0, 0, 0, 0, 0, 16]);
    file.extend_from_slice(code);
    file
}

/// Writes the image to `path` as an executable file. The directory must exist.
pub fn write(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
    file.write_all(&bytes())
}

fn code() -> &'static [u8] {
    // SAFETY: both symbols lie in one section that the assembler above filled; the bytes between
    // them are initialised and never written.
    unsafe {
        let begin = ptr::addr_of!(BEGIN);
        let length = ptr::addr_of!(END).offset_from_unsigned(begin);
        std::slice::from_raw_parts(begin, length)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_image_is_a_tiny_program_that_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("noop");
        write(&path).unwrap();
        assert!(bytes().len() < 512);
        assert!(Command::new(&path).status().unwrap().success());
    }
}
