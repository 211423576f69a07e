//! The image `witness`: stamps the clock as `noop` does, by the same code, and then tells what it has
//! become. What stands here is what comes after the stamp.
//!
//! It makes the system calls of a list that its parent has left behind the mailbox, and writes
//! beside each what the kernel returned. So the image knows nothing of what it is asked: a fact about
//! a process is a question of its parent.
//!
//! # Safety
//!
//! The program is assembled into a read-only section of this binary and copied out as bytes. It maps
//! the whole mailbox at a fixed address, where nothing else of a static program lies, so that a question
//! can name addresses.
#![allow(unsafe_code)]

use std::arch::global_asm;
use std::ptr;

use crate::measure::image::{MAILBOX, MAILBOX_BYTES};
use crate::measure::mechanism::child::Mailbox;

/// Where the image maps the mailbox: in reach of every layout of addresses (39 bits at least).
const ADDRESS: usize = 0x10_0000_0000;

/// Where the list lies, behind the mailbox's own words.
const LIST: usize = 4096;

/// The most questions.
const MOST: usize = 64;

/// Where results of system calls lie that do not fit into a register.
const ROOM: usize = LIST + (MOST + 1) * size_of::<Question>();

/// Ends the list, in place of the number of a system call.
const END: u64 = u64::MAX;

/// As first argument: what the system call before it has returned.
pub const LAST: usize = -4096_isize as usize;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_witness_begin",
    ".globl forkbench_witness_end",
    ".balign 16",
    "forkbench_witness_begin:",
    "mov eax, 9", // mmap(ADDRESS, .., PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, MAILBOX, 0)
    "movabs rdi, {address}",
    "mov esi, {bytes}",
    "mov edx, 3",
    "mov r10d, 0x11",
    "mov r8d, {mailbox}",
    "xor r9d, r9d",
    "syscall",
    "cmp rax, -4095",
    "jae 4f",
    "lea rbx, [rax + {list}]",
    "xor r12d, r12d",
    "2:",
    "mov rax, qword ptr [rbx]",
    "cmp rax, -1",
    "je 3f",
    "mov rdi, qword ptr [rbx + 8]",
    "cmp rdi, -4096",
    "cmove rdi, r12",
    "mov rsi, qword ptr [rbx + 16]",
    "mov rdx, qword ptr [rbx + 24]",
    "mov r10, qword ptr [rbx + 32]",
    "mov r8, qword ptr [rbx + 40]",
    "mov r9, qword ptr [rbx + 48]",
    "syscall",
    "mov r12, rax",
    "mov qword ptr [rbx + 56], rax",
    "add rbx, 64",
    "jmp 2b",
    "3:", // exit_group(0)
    "xor edi, edi",
    "jmp 5f",
    "4:", // exit_group(1)
    "mov edi, 1",
    "5:",
    "mov eax, 231",
    "syscall",
    "ud2",
    "forkbench_witness_end:",
    ".popsection",
    mailbox = const MAILBOX,
    address = const ADDRESS,
    bytes = const MAILBOX_BYTES,
    list = const LIST,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_witness_begin",
    ".globl forkbench_witness_end",
    ".balign 16",
    "forkbench_witness_begin:",
    "mov x8, #222", // mmap(ADDRESS, .., PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, MAILBOX, 0)
    "mov x0, #{address}",
    "mov x1, #{bytes}",
    "mov x2, #3",
    "mov x3, #0x11",
    "mov x4, #{mailbox}",
    "mov x5, #0",
    "svc 0",
    "cmn x0, #4095",
    "b.hs 4f",
    "mov x20, #{list}",
    "add x20, x0, x20",
    "mov x21, #0",
    "2:",
    "ldr x8, [x20]",
    "cmn x8, #1",
    "b.eq 3f",
    "ldr x0, [x20, #8]",
    "mov x9, #4096",
    "cmn x0, x9",
    "csel x0, x21, x0, eq",
    "ldr x1, [x20, #16]",
    "ldr x2, [x20, #24]",
    "ldr x3, [x20, #32]",
    "ldr x4, [x20, #40]",
    "ldr x5, [x20, #48]",
    "svc 0",
    "mov x21, x0",
    "str x0, [x20, #56]",
    "add x20, x20, #64",
    "b 2b",
    "3:", // exit_group(0)
    "mov x0, #0",
    "b 5f",
    "4:", // exit_group(1)
    "mov x0, #1",
    "5:",
    "mov x8, #94",
    "svc 0",
    "brk 0",
    "forkbench_witness_end:",
    ".popsection",
    mailbox = const MAILBOX,
    address = const ADDRESS,
    bytes = const MAILBOX_BYTES,
    list = const LIST,
);

unsafe extern "C" {
    #[link_name = "forkbench_witness_begin"]
    static BEGIN: u8;
    #[link_name = "forkbench_witness_end"]
    static END_OF_CODE: u8;
}

/// Where its code begins and ends in this binary.
pub(super) fn code() -> (*const u8, *const u8) {
    (ptr::addr_of!(BEGIN), ptr::addr_of!(END_OF_CODE))
}

/// A system call that the image is to make, and what came of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Question {
    number: u64,
    arguments: [usize; 6],
    result: isize,
}

const _: () = assert!(size_of::<Question>() == 64 && ROOM < MAILBOX_BYTES);

/// What an image is asked, in order.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    list: Vec<Question>,
    /// Texts that questions name, by their place.
    texts: Vec<(usize, &'static [u8])>,
    /// Bytes of the room that are taken.
    taken: usize,
}

/// A part of the mailbox that a system call writes to or reads from.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    at: usize,
    bytes: usize,
}

impl Part {
    /// Its address in the image.
    pub fn address(self) -> usize {
        ADDRESS + self.at
    }
}

impl Questions {
    /// Adds a system call; its place in the list.
    ///
    /// # Panics
    ///
    /// When there are too many.
    pub fn ask(&mut self, number: libc::c_long, given: &[usize]) -> usize {
        assert!(self.list.len() < MOST, "too many questions");
        let mut arguments = [0; 6];
        arguments[..given.len()].copy_from_slice(given);
        self.list.push(Question { number: number as u64, arguments, result: 0 });
        self.list.len() - 1
    }

    /// Takes room for what a system call writes.
    ///
    /// # Panics
    ///
    /// When there is not so much.
    pub fn room(&mut self, bytes: usize) -> Part {
        let part = Part { at: ROOM + self.taken, bytes };
        self.taken += bytes.next_multiple_of(8);
        assert!(ROOM + self.taken <= MAILBOX_BYTES, "too much room asked for");
        part
    }

    /// Puts a text, which ends with a NUL byte, where a system call can read it.
    pub fn text(&mut self, text: &'static [u8]) -> Part {
        let part = self.room(text.len());
        self.texts.push((part.at, text));
        part
    }

    /// Leaves the questions where the image finds them. Allocates nothing.
    pub fn put(&self, mailbox: &'static Mailbox) {
        let base = ptr::from_ref(mailbox).cast::<u8>().cast_mut();
        // SAFETY: the mailbox is the beginning of a mapping of MAILBOX_BYTES for ever; what lies
        // behind it is written by this process only here, and by its image while this one waits.
        unsafe {
            ptr::write_bytes(base.add(ROOM), 0, self.taken);
            for (at, text) in &self.texts {
                ptr::copy_nonoverlapping(text.as_ptr(), base.add(*at), text.len());
            }
            let list = base.add(LIST).cast::<Question>();
            for (i, question) in self.list.iter().enumerate() {
                list.add(i).write_volatile(*question);
            }
            let end = Question { number: END, ..Question::default() };
            list.add(self.list.len()).write_volatile(end);
        }
    }

    /// What the system call at that place has returned: `-errno` on failure.
    pub fn result(&self, mailbox: &'static Mailbox, place: usize) -> isize {
        assert!(place < self.list.len());
        let base = ptr::from_ref(mailbox).cast::<u8>();
        // SAFETY: as in `put`; the place is in the list.
        unsafe { base.add(LIST).cast::<Question>().add(place).read_volatile().result }
    }

    /// What stands in a part now.
    pub fn bytes<'a>(&self, mailbox: &'static Mailbox, part: Part, into: &'a mut [u8]) -> &'a [u8] {
        let length = part.bytes.min(into.len());
        let base = ptr::from_ref(mailbox).cast::<u8>();
        // SAFETY: as in `put`; the part lies in the room, and the image has ended.
        unsafe { ptr::copy_nonoverlapping(base.add(part.at), into.as_mut_ptr(), length) };
        &into[..length]
    }
}
