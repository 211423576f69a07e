//! The images that are shipped inside this binary: programs without a libc that stamp the clock at
//! their first instruction, report, and exit. `noop` is static; `dynamic` is the same code behind the
//! dynamic loader, with no library to load, so that the two differ by the loader alone.
//!
//! The dynamic loader alone costs more than most mechanisms, so what is executed must be as small
//! as can be: one page. It writes three words to the start of the mailbox, which it finds at the
//! fixed descriptor [`MAILBOX`]: seconds and nanoseconds of CLOCK_MONOTONIC, and one more than the
//! number of its processor.
//!
//! A third, `stage`, is what pipelines are made of: see [`mod@stage`]. A fourth, `witness`, tells what
//! it has become: see [`mod@witness`].
//!
//! # Safety
//!
//! The program is assembled into a read-only section of this binary and copied out as bytes.
#![allow(unsafe_code)]

pub mod stage;
pub mod witness;

use std::arch::global_asm;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The descriptor at which an image finds the mailbox.
pub const MAILBOX: i32 = 3;

/// Bytes of the mailbox: whole pages of every size of page. What lies behind its own words is for
/// the image [`mod@witness`].
pub const MAILBOX_BYTES: usize = 65_536;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_image_begin",
    ".globl forkbench_image_stamped",
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
    "forkbench_image_stamped:",
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
    ".globl forkbench_image_stamped",
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
    "forkbench_image_stamped:",
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
    #[link_name = "forkbench_image_stamped"]
    static STAMPED: u8;
    #[link_name = "forkbench_image_end"]
    static END: u8;
}

/// Where an image is loaded: the classical address of a static program.
const ADDRESS: u64 = 0x40_0000;

/// The largest page of the architecture: segments are aligned to it.
const ALIGNMENT: u64 = if cfg!(target_arch = "aarch64") { 0x1_0000 } else { 0x1000 };

const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;

/// The dynamic loader of glibc, where the ABI of the architecture has it.
const LOADER: &[u8] = if cfg!(target_arch = "aarch64") {
    b"/lib/ld-linux-aarch64.so.1\0\0\0\0\0\0"
} else {
    b"/lib64/ld-linux-x86-64.so.2\0\0\0\0\0"
};

/// The name of the file of `noop`.
pub const NOOP: &str = "noop";

/// The name of the file of `dynamic`: as long as the other, since an exec copies the path.
pub const DYNAMIC: &str = "dyna";

/// The name of the file of `stage`.
pub const STAGE: &str = "stag";

/// The name of the file of `witness`.
pub const WITNESS: &str = "witn";

/// The image `witness` as an ELF file, static as `noop`: it begins as that does, and where that ends
/// goes on with code of its own.
pub fn witness() -> Vec<u8> {
    let (begin, end) = witness::code();
    let stamp = code(&raw const BEGIN, &raw const STAMPED);
    elf(&[stamp, code(begin, end)].concat(), &[], &[])
}

/// The image `noop` as an ELF file: header, one segment that is read and executed, a stack that is
/// not.
pub fn noop() -> Vec<u8> {
    elf(own(), &[], &[])
}

/// The image `stage` as an ELF file, static as `noop`.
pub fn stage() -> Vec<u8> {
    let (begin, end) = stage::code();
    elf(code(begin, end), &[], &[])
}

/// The image `dynamic` as an ELF file: the same, with the loader's path, and a list of what is to be
/// loaded that holds nothing but the empty tables that a loader wants to see.
pub fn dynamic() -> Vec<u8> {
    let tables = HEADER + 4 * PROGRAM_HEADER + LOADER.len() as u64;
    // Ten words of five entries, then an empty table of strings and one of the null symbol.
    let (strings, symbols) = (tables + 80, tables + 88);
    let mut bytes = Vec::new();
    long(&mut bytes, &[5, ADDRESS + strings]); // DT_STRTAB
    long(&mut bytes, &[6, ADDRESS + symbols]); // DT_SYMTAB
    long(&mut bytes, &[10, 1]); // DT_STRSZ
    long(&mut bytes, &[11, 24]); // DT_SYMENT
    long(&mut bytes, &[0, 0]); // DT_NULL
    long(&mut bytes, &[0, 0, 0, 0]);
    elf(own(), LOADER, &bytes)
}

/// An ELF file of the code, behind the loader of that path if there is one.
fn elf(code: &[u8], loader: &[u8], tables: &[u8]) -> Vec<u8> {
    let headers: u16 = if loader.is_empty() { 2 } else { 4 };
    let loader_at = HEADER + u64::from(headers) * PROGRAM_HEADER;
    let tables_at = loader_at + loader.len() as u64;
    let code_at = tables_at + tables.len() as u64;
    let length = code_at + code.len() as u64;
    let mut file = Vec::with_capacity(length as usize);
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    half(&mut file, &[2, MACHINE]); // ET_EXEC
    word(&mut file, &[1]);
    long(&mut file, &[ADDRESS + code_at, HEADER, 0]); // entry, program headers, no sections
    word(&mut file, &[0]);
    half(&mut file, &[HEADER as u16, PROGRAM_HEADER as u16, headers, 0, 0, 0]);
    let part = |file: &mut Vec<u8>, kind: u32, at: u64, bytes: u64, alignment: u64| {
        word(file, &[kind, 5]); // read and execute
        long(file, &[at, ADDRESS + at, ADDRESS + at, bytes, bytes, alignment]);
    };
    if !loader.is_empty() {
        let path = loader.iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
        part(&mut file, 3, loader_at, path as u64, 1); // PT_INTERP
    }
    part(&mut file, 1, 0, length, ALIGNMENT); // PT_LOAD
    if !loader.is_empty() {
        part(&mut file, 2, tables_at, 80, 8); // PT_DYNAMIC
    }
    word(&mut file, &[0x6474_e551, 6]); // PT_GNU_STACK, read and write
    long(&mut file, &[0, 0, 0, 0, 0, 16]);
    file.extend_from_slice(loader);
    file.extend_from_slice(tables);
    file.extend_from_slice(code);
    file
}

fn half(file: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| file.extend(value.to_le_bytes()));
}

fn word(file: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| file.extend(value.to_le_bytes()));
}

fn long(file: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| file.extend(value.to_le_bytes()));
}

/// Writes all images into a directory as executable files.
///
/// # Errors
///
/// When one cannot be written.
pub fn write_all(directory: &Path) -> io::Result<()> {
    write(&directory.join(NOOP), &noop())?;
    write(&directory.join(DYNAMIC), &dynamic())?;
    write(&directory.join(STAGE), &stage())?;
    write(&directory.join(WITNESS), &witness())
}

/// Writes an image as a new executable file.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(path: &Path, image: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?.write_all(image)
}

/// The code of `noop` and `dynamic`.
fn own() -> &'static [u8] {
    code(&raw const BEGIN, &raw const END)
}

fn code(begin: *const u8, end: *const u8) -> &'static [u8] {
    // SAFETY: both symbols lie in one section that the assembler filled; the bytes between them are
    // initialised and never written.
    unsafe { std::slice::from_raw_parts(begin, end.offset_from_unsigned(begin)) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_images_are_tiny_programs_that_run() {
        let directory = tempfile::tempdir().unwrap();
        write_all(directory.path()).unwrap();
        assert!(noop().len() < 512 && dynamic().len() < 1024);
        assert!(Command::new(directory.path().join(NOOP)).status().unwrap().success());
        let loader = std::str::from_utf8(LOADER).unwrap().trim_end_matches('\0');
        if Path::new(loader).exists() {
            assert!(Command::new(directory.path().join(DYNAMIC)).status().unwrap().success());
        } else {
            println!("skipped: there is no loader {loader} here");
        }
    }

    #[test]
    fn a_stage_writes_and_copies_what_it_is_to() {
        let directory = tempfile::tempdir().unwrap();
        write_all(directory.path()).unwrap();
        let stage = directory.path().join(STAGE);
        for bytes in [0, 1, 70_000, 1 << 20] {
            let mut source = Command::new(&stage);
            let mut source = source.arg(bytes.to_string()).stdout(Stdio::piped()).spawn().unwrap();
            let copied = Command::new(&stage).stdin(source.stdout.take().unwrap()).output();
            let copied = copied.unwrap();
            assert!(source.wait().unwrap().success() && copied.status.success());
            assert_eq!(copied.stdout.len(), bytes);
            assert!(copied.stdout.iter().all(|byte| *byte == 0));
        }
        let read_only = File::open("/dev/null").unwrap();
        let failed = Command::new(&stage).arg("5").stdout(read_only).status().unwrap();
        assert_eq!(failed.code(), Some(1), "it cannot write there");
    }
}
