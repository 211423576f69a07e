//! The only code of ours that runs between a birth and an exec.
//!
//! # The contract
//!
//! The child may share its memory with a parent that is suspended in the middle of a call; or it
//! may be the copy of a process whose other threads, gone now, held any lock. Therefore this code
//!
//! * allocates nothing, takes no lock, cannot panic, drops nothing and never returns;
//! * calls nothing: it makes raw system calls, all of them async-signal-safe, inlined; save where
//!   its orders tell it to *perform* a function, which is what hazards are about, through the one
//!   `door` in this file;
//! * reads only the [`Orders`], which were complete before the birth;
//! * writes only its own stack and the [`Mailbox`], a shared mapping; and, where it has memory of
//!   its own and is told to, that memory ([`Writes`]);
//! * on failure stores the errno and the [`Stage`] in the mailbox and ends with `_exit(127)`.
//!
//! When the birth shares memory, it runs on a stack of its own. No signal handler can run on it:
//! the subject has none, and its signals are blocked until the child, just before the exec, puts
//! back the mask that the subject was started with.
//!
//! The code stands in a link section of its own, `forkbench_child`, which `scripts/audit-child`
//! disassembles in the release binary: a call to anything is an error, and so is a jump to an
//! address that is not in the code, save the one of the door.
//!
//! # Safety
//!
//! The pointers in [`Orders`] must be valid when the birth happens; `Prepared` in
//! [`super::brief`] owns all of them.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::measure::raw;

/// What the child is to do: complete before the birth, only read after it.
#[repr(C)]
#[derive(Debug)]
pub struct Orders {
    /// The paths at which the image is tried in turn, ended by a null pointer; at least one.
    pub paths: *const *const c_char,
    /// Its arguments, ended by a null pointer.
    pub argv: *const *const c_char,
    /// Its environment, ended by a null pointer.
    pub envp: *const *const c_char,
    /// How the child ends.
    pub ending: Ending,
    /// The signal mask that the image is to start with, in the kernel's layout.
    pub mask: u64,
    /// What the child does then, in this order.
    pub steps: *const Step,
    /// How many steps there are.
    pub step_count: usize,
    /// What the child writes of the memory that it has from its parent; null: nothing. Only for a
    /// child with memory of its own.
    pub writes: *const Writes,
    /// An eventfd that the child reads before it ends, so that it lives until somebody writes to
    /// it; -1: none.
    pub hold: i32,
    /// What the child calls before it ends by itself, which then gives its status: the one thing
    /// that is bound by no rule of this file.
    pub perform: Option<Perform>,
    /// What that is called with.
    pub argument: *const c_void,
    /// Where the child reports.
    pub mailbox: *const Mailbox,
}

/// A function that a child performs; returns the status that the child ends with.
pub type Perform = extern "C" fn(*const c_void) -> i32;

/// One thing that the child does before it ends or executes its image.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How it is done.
    pub kind: StepKind,
    /// The number of a system call.
    pub number: usize,
    /// What it is called with.
    pub arguments: [usize; 6],
}

/// How a step is done.
///
/// The values are bits and are tested one by one: the compiler would make a table of jumps from
/// consecutive numbers, and the audit could not see where those lead.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// One system call.
    Call = 1,
    /// openat with the arguments but the last, which is the number that the file gets in place of
    /// the lowest free one.
    OpenAt = 2,
    /// Every number from the first argument to the one before the second is closed, whether it is
    /// open or not.
    CloseLoop = 4,
    /// Every descriptor from the first argument on that /proc/self/fd lists is closed.
    CloseWalk = 8,
    /// Signals do the default again: those whose bit is set in the first argument.
    Defaults = 16,
}

/// Memory that the child writes, a byte in each page, twice.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    /// The first page.
    pub base: *mut u8,
    /// The numbers of the pages to write, in their order.
    pub pages: *const u32,
    /// How many they are.
    pub count: usize,
    /// Bytes from one page to the next.
    pub stride: usize,
    /// An eventfd that the child reads before it begins.
    pub begin: i32,
    /// An eventfd that it writes when it is done.
    pub done: i32,
}

/// How the child ends.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It becomes the image.
    Exec,
    /// It calls `_exit(0)`.
    Exit,
}

/// What was tried when a child failed.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The call that makes the process.
    Birth = 1,
    /// Restoring the signal mask.
    Mask = 2,
    /// The exec.
    Exec = 3,
    /// Waiting for the child.
    Reap = 4,
    /// The child itself ended with a status other than 0.
    Status = 5,
    /// Waiting to be let go.
    Hold = 6,
    /// An action between birth and exec.
    Action = 7,
    /// The parent's part in a pipeline.
    Pipe = 8,
    /// An end of file that never comes.
    EndOfFile = 9,
    /// A process that does jobs or makes processes for the parent.
    Helper = 10,
    /// What the image reports of itself is not what was asked for.
    Proof = 11,
}

impl Stage {
    /// The stage of that number, as it stands in a mailbox or on the tape.
    pub fn from_number(number: i32) -> Option<Stage> {
        [
            Stage::Birth,
            Stage::Mask,
            Stage::Exec,
            Stage::Reap,
            Stage::Status,
            Stage::Hold,
            Stage::Action,
            Stage::Pipe,
            Stage::EndOfFile,
            Stage::Helper,
            Stage::Proof,
        ]
        .into_iter()
        .find(|stage| *stage as i32 == number)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Birth => "birth",
            Stage::Mask => "mask",
            Stage::Exec => "exec",
            Stage::Reap => "reap",
            Stage::Status => "status",
            Stage::Hold => "hold",
            Stage::Action => "action",
            Stage::Pipe => "pipe",
            Stage::EndOfFile => "end-of-file",
            Stage::Helper => "helper",
            Stage::Proof => "proof",
        }
    }
}

/// Where a child and its image report: a shared mapping of one page.
///
/// The first three words are written by the image with `pwrite` (see [`crate::measure::image`]);
/// the others, on a cache line of their own, by the child before the exec. 0 means not written.
#[repr(C)]
#[derive(Debug)]
pub struct Mailbox {
    /// CLOCK_MONOTONIC seconds at the image's first instruction.
    pub image_seconds: AtomicU64,
    /// The nanoseconds to it.
    pub image_nanoseconds: AtomicU64,
    /// One more than the number of the processor that the image ran on.
    pub image_cpu: AtomicU64,
    padding: [u64; 5],
    /// CLOCK_MONOTONIC nanoseconds when the child began.
    pub born_ns: AtomicU64,
    /// One more than the number of the processor that a child without image ran on.
    pub child_cpu: AtomicU64,
    /// The errno of what failed.
    pub errno: AtomicI32,
    /// The [`Stage`] at which it failed.
    pub stage: AtomicI32,
    /// One more than how long the child took to write the memory, in nanoseconds.
    pub written_ns: AtomicU64,
    /// How long it took to write it once more.
    pub rewritten_ns: AtomicU64,
    /// Its minor faults while it wrote for the first time.
    pub written_faults: AtomicU64,
}

const _: () = assert!(std::mem::offset_of!(Mailbox, born_ns) == 64);

/// The child. Never returns: see the contract at the top.
///
/// # Safety
///
/// To be entered by a new process only, with orders that are complete.
#[unsafe(link_section = "forkbench_child")]
#[inline(never)]
pub unsafe extern "C" fn child(orders: *const Orders) -> ! {
    let born = raw::monotonic_ns();
    // SAFETY: the orders and the mailbox were made before the birth and outlive the child.
    let (orders, mailbox) = unsafe { (&*orders, &*(*orders).mailbox) };
    mailbox.born_ns.store(born, Ordering::Relaxed);
    // SAFETY: the mask is a u64 in the orders, of the size that the kernel is told.
    let failed = unsafe {
        raw::syscall4(
            libc::SYS_rt_sigprocmask,
            [libc::SIG_SETMASK as usize, ptr::from_ref(&orders.mask) as usize, 0, 8],
        )
    };
    if failed < 0 {
        report(mailbox, failed, Stage::Mask);
    }
    // SAFETY: the steps were made before the birth and outlive the child.
    let failed = unsafe { perform(orders.steps, orders.step_count) };
    if failed < 0 {
        report(mailbox, failed, Stage::Action);
    }
    if !orders.writes.is_null() {
        // SAFETY: made before the birth, as all orders.
        write(mailbox, unsafe { &*orders.writes });
    }
    if orders.hold >= 0 {
        wait_for(mailbox, orders.hold);
    }
    if orders.ending == Ending::Exec {
        let mut path = orders.paths;
        loop {
            // SAFETY: paths, argv and envp are null-ended lists of strings made before the birth,
            // and `path` points to one of the first list, or in the end to its null.
            let (failed, last) = unsafe {
                let failed = raw::syscall4(
                    libc::SYS_execve,
                    [*path as usize, orders.argv as usize, orders.envp as usize, 0],
                );
                path = path.add(1);
                (failed, (*path).is_null())
            };
            // As execvp goes on; what else it bears with cannot come from directories of ours.
            if last || failed != -(libc::ENOENT as isize) {
                report(mailbox, failed, Stage::Exec);
            }
        }
    }
    let mut cpu: u32 = 0;
    // SAFETY: `cpu` is a u32 that lives through the call.
    unsafe { raw::syscall4(libc::SYS_getcpu, [ptr::from_mut(&mut cpu) as usize, 0, 0, 0]) };
    mailbox.child_cpu.store(u64::from(cpu) + 1, Ordering::Relaxed);
    let status = match orders.perform {
        // SAFETY: whoever made the orders vouches for the function and its argument.
        Some(function) => unsafe { door(orders.argument, function) },
        None => 0,
    };
    exit(status as usize & 0xff)
}

/// Calls `function(argument)`: the one place where the child goes to code that is not in this file.
/// It is a jump in a function of its own, so that the audit can tell it from any other.
///
/// # Safety
///
/// The function may do what a child must not do; whoever gives it vouches for that.
#[cfg(target_arch = "x86_64")]
#[unsafe(link_section = "forkbench_child")]
#[unsafe(naked)]
unsafe extern "C" fn door(argument: *const c_void, function: Perform) -> i32 {
    core::arch::naked_asm!("jmp rsi")
}

/// Calls `function(argument)`: the one place where the child goes to code that is not in this file.
/// It is a jump in a function of its own, so that the audit can tell it from any other.
///
/// # Safety
///
/// The function may do what a child must not do; whoever gives it vouches for that.
#[cfg(target_arch = "aarch64")]
#[unsafe(link_section = "forkbench_child")]
#[unsafe(naked)]
unsafe extern "C" fn door(argument: *const c_void, function: Perform) -> i32 {
    core::arch::naked_asm!("br x1")
}

/// Does so many steps. Returns 0, or `-errno` of the first that failed; the rest are then not done.
/// Inlined, since a call could go through a table of addresses that the child would have to fault in.
///
/// # Safety
///
/// To be called by a new process only; `steps` points to so many, whose system calls are good in
/// it.
#[inline(always)]
pub(super) unsafe fn perform(steps: *const Step, count: usize) -> isize {
    let mut done = 0;
    while done < count {
        // SAFETY: there are `count` steps.
        let step = unsafe { &*steps.wrapping_add(done) };
        let kind = step.kind as u32;
        let result = if kind & StepKind::Call as u32 != 0 {
            // SAFETY: whoever made the step vouches for its call.
            unsafe { raw::syscall6(step.number as libc::c_long, step.arguments) }
        } else if kind & StepKind::OpenAt as u32 != 0 {
            // SAFETY: likewise.
            unsafe { open_at(step) }
        } else if kind & StepKind::CloseLoop as u32 != 0 {
            // SAFETY: likewise.
            unsafe { close_loop(step.arguments[0], step.arguments[1]) }
        } else if kind & StepKind::CloseWalk as u32 != 0 {
            // SAFETY: likewise.
            unsafe { close_walk(step.arguments[0]) }
        } else {
            // SAFETY: likewise.
            unsafe { reset_signals(step.arguments[0]) }
        };
        if result < 0 {
            return result;
        }
        done = done.wrapping_add(1);
    }
    0
}

/// Opens a file at the number that the step says.
///
/// # Safety
///
/// As [`perform`].
#[inline(always)]
unsafe fn open_at(step: &Step) -> isize {
    let [directory, path, flags, mode, to, _] = step.arguments;
    // SAFETY: the path was made before the birth and outlives the child; the rest are numbers.
    unsafe {
        let opened = raw::syscall4(libc::SYS_openat, [directory, path, flags, mode]);
        if opened < 0 || opened as usize == to {
            return opened;
        }
        let result = raw::syscall4(libc::SYS_dup3, [opened as usize, to, 0, 0]);
        raw::syscall4(libc::SYS_close, [opened as usize, 0, 0, 0]);
        result
    }
}

/// Waits until somebody has written to that eventfd.
#[inline(always)]
fn wait_for(mailbox: &Mailbox, eventfd: i32) {
    let mut count: u64 = 0;
    // SAFETY: `count` has the eight bytes that an eventfd gives, and lives through the call.
    let failed = unsafe {
        raw::syscall4(libc::SYS_read, [eventfd as usize, ptr::from_mut(&mut count) as usize, 8, 0])
    };
    if failed < 0 {
        report(mailbox, failed, Stage::Hold);
    }
}

/// Waits to be told, writes memory, and says that it has.
#[inline(always)]
fn write(mailbox: &Mailbox, writes: &Writes) {
    wait_for(mailbox, writes.begin);
    // The list of pages is shared memory, which a fork does not map in its child: reading it first
    // keeps its page faults out of what is counted.
    let mut at = 0;
    while at < writes.count {
        // SAFETY: within the list.
        unsafe { writes.pages.wrapping_add(at).read_volatile() };
        at = at.wrapping_add(LIST_STEP);
    }
    let before = minor_faults();
    let begin = raw::monotonic_ns();
    pass(writes);
    let end = raw::monotonic_ns();
    let faults = minor_faults().wrapping_sub(before);
    let again = raw::monotonic_ns();
    pass(writes);
    let rewritten = raw::monotonic_ns().wrapping_sub(again);
    mailbox.rewritten_ns.store(rewritten, Ordering::Relaxed);
    mailbox.written_faults.store(faults, Ordering::Relaxed);
    let written = end.wrapping_sub(begin).wrapping_add(1);
    mailbox.written_ns.store(written, Ordering::Release);
    let one: u64 = 1;
    // SAFETY: `one` has eight bytes and lives through the call.
    let failed = unsafe {
        raw::syscall4(libc::SYS_write, [writes.done as usize, ptr::from_ref(&one) as usize, 8, 0])
    };
    if failed < 0 {
        report(mailbox, failed, Stage::Hold);
    }
}

/// Numbers of the list in 4 KiB: no base page is smaller.
const LIST_STEP: usize = 1024;

/// A byte in each of the pages.
#[inline(always)]
fn pass(writes: &Writes) {
    let mut i = 0;
    while i < writes.count {
        // SAFETY: within the list, and within the memory that the list is about; the write must
        // happen, hence volatile.
        unsafe {
            let page = *writes.pages.wrapping_add(i) as usize;
            writes.base.wrapping_add(page.wrapping_mul(writes.stride)).write_volatile(1);
        }
        i = i.wrapping_add(1);
    }
}

/// Minor faults of this process so far.
#[inline(always)]
fn minor_faults() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the kernel fills the whole of it; a failure is not possible with these arguments.
    unsafe {
        let arguments = [libc::RUSAGE_SELF as usize, usage.as_mut_ptr() as usize, 0, 0];
        raw::syscall4(libc::SYS_getrusage, arguments);
        (&raw const (*usage.as_ptr()).ru_minflt).read() as u64
    }
}

/// Closes every number of a range.
///
/// # Safety
///
/// As [`perform`].
#[inline(always)]
unsafe fn close_loop(first: usize, end: usize) -> isize {
    let mut number = first;
    while number < end {
        // SAFETY: nothing is open in a new process that anybody will miss.
        unsafe { raw::syscall4(libc::SYS_close, [number, 0, 0, 0]) };
        number = number.wrapping_add(1);
    }
    0
}

/// Bytes of the list of a directory that are read at once.
const LISTED: usize = 2048;

/// Where a record of getdents64 has its own length and its name (linux_dirent64).
const RECORD: usize = 16;
const NAME: usize = 19;

/// Closes what /proc/self/fd lists. The kernel goes on where it was by the number of a descriptor,
/// so that what is closed meanwhile does not matter.
///
/// # Safety
///
/// As [`perform`].
#[inline(always)]
unsafe fn close_walk(first: usize) -> isize {
    let mut list = MaybeUninit::<[u64; LISTED / 8]>::uninit();
    let list = list.as_mut_ptr().cast::<u8>();
    // SAFETY: the path is a constant; the kernel writes whole records of the lengths that it says
    // into the list, and no more than the list holds.
    unsafe {
        let path = c"/proc/self/fd".as_ptr() as usize;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let directory = raw::syscall4(
            libc::SYS_openat,
            [libc::AT_FDCWD as isize as usize, path, flags as usize, 0],
        );
        if directory < 0 {
            return directory;
        }
        let directory = directory as usize;
        loop {
            let read = raw::syscall4(libc::SYS_getdents64, [directory, list as usize, LISTED, 0]);
            if read <= 0 {
                raw::syscall4(libc::SYS_close, [directory, 0, 0, 0]);
                return read;
            }
            let mut at = 0;
            while at < read as usize {
                let record = list.wrapping_add(at);
                let mut number: usize = 0;
                let mut name = record.wrapping_add(NAME);
                // The names that are no numbers, `.` and `..`, end at once and are 0.
                while (*name).wrapping_sub(b'0') < 10 {
                    number =
                        number.wrapping_mul(10).wrapping_add((*name).wrapping_sub(b'0') as usize);
                    name = name.wrapping_add(1);
                }
                if number >= first && number != directory {
                    raw::syscall4(libc::SYS_close, [number, 0, 0, 0]);
                }
                at = at.wrapping_add(*record.wrapping_add(RECORD).cast::<u16>() as usize);
            }
        }
    }
}

/// Resets what signals do.
///
/// # Safety
///
/// As [`perform`].
#[inline(always)]
unsafe fn reset_signals(signals: usize) -> isize {
    // The kernel's sigaction: handler, flags, restorer, mask.
    let action = [0u64; 4];
    let mut signal: u32 = 1;
    while signal <= 64 {
        if signals.wrapping_shr(signal.wrapping_sub(1)) & 1 != 0 {
            let arguments = [signal as usize, ptr::from_ref(&action) as usize, 0, 8];
            // SAFETY: the action lives through the call.
            let failed = unsafe { raw::syscall4(libc::SYS_rt_sigaction, arguments) };
            if failed < 0 {
                return failed;
            }
        }
        signal = signal.wrapping_add(1);
    }
    0
}

#[inline(always)]
fn report(mailbox: &Mailbox, failed: isize, stage: Stage) -> ! {
    mailbox.errno.store(-(failed as i32), Ordering::Relaxed);
    mailbox.stage.store(stage as i32, Ordering::Relaxed);
    exit(127)
}

#[inline(always)]
fn exit(status: usize) -> ! {
    loop {
        // SAFETY: ends the process; the loop is for the compiler.
        unsafe { raw::syscall4(libc::SYS_exit_group, [status, 0, 0, 0]) };
    }
}

/// Makes a process by one raw system call: `number(first, second)`.
///
/// Returns in the parent only: the pid, or `-errno`. The child switches to `stack` (0: it stays on
/// its copy of the caller's) and enters [`child`] with `orders`.
///
/// # Safety
///
/// `number` must be vfork, clone or clone3 with arguments that are valid for it. If the child is
/// to share memory, `stack` must be the upper end of a stack that nobody else uses, less 8 bytes
/// on x86_64, and the caller must be suspended until the child is gone (CLONE_VFORK).
#[cfg(target_arch = "x86_64")]
#[unsafe(link_section = "forkbench_child")]
#[unsafe(naked)]
pub unsafe extern "C" fn birth(
    number: usize,
    first: usize,
    second: usize,
    stack: usize,
    orders: *const Orders,
) -> isize {
    // The child must not touch the caller's stack, which after a vfork is still the parent's:
    // all that it needs stays in registers that the kernel preserves (not rcx, not r11).
    core::arch::naked_asm!(
        "mov rax, rdi",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov r9, rcx",
        "syscall",
        "test rax, rax",
        "jnz 3f",
        "test r9, r9",
        "jz 2f",
        "mov rsp, r9",
        "2:",
        "mov rdi, r8",
        "xor ebp, ebp",
        "jmp {child}",
        "3:",
        "ret",
        child = sym child,
    )
}

/// Makes a process by one raw system call: `number(first, second)`.
///
/// Returns in the parent only: the pid, or `-errno`. The child switches to `stack` (0: it stays on
/// its copy of the caller's) and enters [`child`] with `orders`.
///
/// # Safety
///
/// `number` must be clone or clone3 with arguments that are valid for it. If the child is to share
/// memory, `stack` must be the upper end of a stack that nobody else uses, and the caller must be
/// suspended until the child is gone (CLONE_VFORK).
#[cfg(target_arch = "aarch64")]
#[unsafe(link_section = "forkbench_child")]
#[unsafe(naked)]
pub unsafe extern "C" fn birth(
    number: usize,
    first: usize,
    second: usize,
    stack: usize,
    orders: *const Orders,
) -> isize {
    core::arch::naked_asm!(
        "mov x8, x0",
        "mov x0, x1",
        "mov x1, x2",
        "mov x9, x3",
        "mov x10, x4",
        "svc 0",
        "cbnz x0, 3f",
        "cbz x9, 2f",
        "mov sp, x9",
        "2:",
        "mov x0, x10",
        "mov x29, xzr",
        "b {child}",
        "3:",
        "ret",
        child = sym child,
    )
}
