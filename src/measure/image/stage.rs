//! The image `stage`: one stage of a pipeline. With an argument it writes so many bytes to its
//! standard output and ends; with none it copies its standard input there until it ends.
//!
//! It ends with 1 where a read or a write fails; a reader that has gone away kills it by SIGPIPE, as
//! any program. It copies 64 KiB at a time, as much as a pipe holds, and makes no other system call.
//!
//! # Safety
//!
//! The program is assembled into a read-only section of this binary and copied out as bytes.

use std::arch::global_asm;

/// Bytes of its buffer.
pub const CHUNK: usize = 65_536;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_stage_begin",
    ".globl forkbench_stage_end",
    ".balign 16",
    "forkbench_stage_begin:",
    "mov rcx, qword ptr [rsp]", // argc
    "mov rsi, qword ptr [rsp + 16]", // argv[1]
    "sub rsp, {chunk}",
    "cmp rcx, 2",
    "jb 4f",
    "xor r12d, r12d", // the bytes that are still to be written
    "2:", // a decimal number
    "movzx eax, byte ptr [rsi]",
    "test eax, eax",
    "jz 3f",
    "imul r12, r12, 10",
    "sub eax, 48",
    "add r12, rax",
    "inc rsi",
    "jmp 2b",
    "3:", // write(1, rsp, min(CHUNK, r12))
    "test r12, r12",
    "jz 6f",
    "mov edx, {chunk}",
    "cmp r12, rdx",
    "cmovb rdx, r12",
    "mov eax, 1",
    "mov edi, 1",
    "mov rsi, rsp",
    "syscall",
    "test rax, rax",
    "jle 7f",
    "sub r12, rax",
    "jmp 3b",
    "4:", // read(0, rsp, CHUNK)
    "xor eax, eax",
    "xor edi, edi",
    "mov rsi, rsp",
    "mov edx, {chunk}",
    "syscall",
    "test rax, rax",
    "jl 7f",
    "jz 6f",
    "mov r13, rax",
    "mov r14, rsp",
    "5:", // write(1, r14, r13)
    "mov eax, 1",
    "mov edi, 1",
    "mov rsi, r14",
    "mov rdx, r13",
    "syscall",
    "test rax, rax",
    "jle 7f",
    "add r14, rax",
    "sub r13, rax",
    "jnz 5b",
    "jmp 4b",
    "6:", // exit_group(0)
    "xor edi, edi",
    "jmp 8f",
    "7:", // exit_group(1)
    "mov edi, 1",
    "8:",
    "mov eax, 231",
    "syscall",
    "ud2",
    "forkbench_stage_end:",
    ".popsection",
    chunk = const CHUNK,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection forkbench_image, \"a\", @progbits",
    ".globl forkbench_stage_begin",
    ".globl forkbench_stage_end",
    ".balign 16",
    "forkbench_stage_begin:",
    "ldr x9, [sp]", // argc
    "ldr x10, [sp, #16]", // argv[1]
    "mov x15, #{chunk}",
    "sub sp, sp, x15",
    "mov x11, sp",
    "cmp x9, #2",
    "b.lo 4f",
    "mov x12, #0", // the bytes that are still to be written
    "mov x14, #10",
    "2:", // a decimal number
    "ldrb w13, [x10], #1",
    "cbz w13, 3f",
    "sub w13, w13, #48",
    "madd x12, x12, x14, x13",
    "b 2b",
    "3:", // write(1, sp, min(CHUNK, x12))
    "cbz x12, 6f",
    "cmp x12, x15",
    "csel x2, x12, x15, lo",
    "mov x8, #64",
    "mov x0, #1",
    "mov x1, x11",
    "svc 0",
    "cmp x0, #0",
    "b.le 7f",
    "sub x12, x12, x0",
    "b 3b",
    "4:", // read(0, sp, CHUNK)
    "mov x8, #63",
    "mov x0, #0",
    "mov x1, x11",
    "mov x2, x15",
    "svc 0",
    "cmp x0, #0",
    "b.lt 7f",
    "b.eq 6f",
    "mov x13, x0",
    "mov x14, x11",
    "5:", // write(1, x14, x13)
    "mov x8, #64",
    "mov x0, #1",
    "mov x1, x14",
    "mov x2, x13",
    "svc 0",
    "cmp x0, #0",
    "b.le 7f",
    "add x14, x14, x0",
    "subs x13, x13, x0",
    "b.ne 5b",
    "b 4b",
    "6:", // exit_group(0)
    "mov x0, #0",
    "b 8f",
    "7:", // exit_group(1)
    "mov x0, #1",
    "8:",
    "mov x8, #94",
    "svc 0",
    "brk 0",
    "forkbench_stage_end:",
    ".popsection",
    chunk = const CHUNK,
);

unsafe extern "C" {
    #[link_name = "forkbench_stage_begin"]
    static BEGIN: u8;
    #[link_name = "forkbench_stage_end"]
    static END: u8;
}

/// Where its code begins and ends.
pub(super) fn code() -> (*const u8, *const u8) {
    (&raw const BEGIN, &raw const END)
}
