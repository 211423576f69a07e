//! The calls in which a thread is, unwound by the tables of its files, from outside.

use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, MayAllocateDuringUnwind, Module,
    UnwindRegsNative, Unwinder, UnwinderNative,
};

use super::call::{Call, Registers};
use super::places::{Loaded, Places};

/// As many calls as evidence has room for.
const MOST: usize = 24;

/// The addresses at which a thread is, innermost first: first where it is, then whence it was called.
///
/// /proc shows the stack pointer and the program counter alone. Where the tables need another
/// register that no call further in has saved, the stack ends early.
pub(super) fn of(pid: i32, call: Call, places: &Places) -> Vec<u64> {
    let Some(registers) = call.registers() else { return Vec::new() };
    let Ok(memory) = fs::File::open(format!("/proc/{pid}/mem")) else { return Vec::new() };
    let mut unwinder: UnwinderNative<Arc<[u8]>, MayAllocateDuringUnwind> = UnwinderNative::new();
    for loaded in &places.loaded {
        unwinder.add_module(module(loaded));
    }
    let mut read = |address: u64| {
        let mut bytes = [0; 8];
        memory.read_exact_at(&mut bytes, address).map_err(|_| ())?;
        Ok(u64::from_ne_bytes(bytes))
    };
    let mut cache: CacheNative<MayAllocateDuringUnwind> = CacheNative::new();
    let start = start(registers);
    let mut frames = unwinder.iter_frames(registers.program, start, &mut cache, &mut read);
    let mut addresses = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        // A return address can lie behind the end of its function, if that call never returns.
        let address = match frame {
            FrameAddress::InstructionPointer(address) => address,
            FrameAddress::ReturnAddress(address) => address.get() - 1,
        };
        let is_code = places.loaded.iter().any(|loaded| loaded.range.contains(&address));
        if !is_code || addresses.len() == MOST {
            break;
        }
        addresses.push(address);
    }
    addresses
}

#[cfg(target_arch = "x86_64")]
fn start(registers: Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(registers.program, registers.stack, 0)
}

#[cfg(target_arch = "aarch64")]
fn start(registers: Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(0, registers.stack, 0)
}

fn module(loaded: &Loaded) -> Module<Arc<[u8]>> {
    let [frames, index] = loaded.module.unwind.clone();
    let sections = ExplicitModuleSectionInfo {
        text_svma: loaded.module.section(".text"),
        got_svma: loaded.module.section(".got"),
        eh_frame_svma: frames.as_ref().map(|section| section.range.clone()),
        eh_frame: frames.map(|section| section.bytes),
        eh_frame_hdr_svma: index.as_ref().map(|section| section.range.clone()),
        eh_frame_hdr: index.map(|section| section.bytes),
        ..ExplicitModuleSectionInfo::default()
    };
    Module::new(String::new(), loaded.range.clone(), loaded.bias, sections)
}
