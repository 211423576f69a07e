//! What lies at an address of a process: mapping, file, symbol or section.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, ReadCache};

/// Pages are at least so large, and mappings start on their limits.
const PAGE: u64 = 4096;

/// A line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Its addresses.
    pub range: Range<u64>,
    /// Such as `rw-p`.
    pub rights: String,
    /// Where in its file it starts.
    pub offset: u64,
    /// Its file, or what the kernel calls it, or nothing.
    pub path: String,
}

impl Mapping {
    /// Those that hold each of these addresses. Reads no further than it must: a process under test
    /// can have a hundred thousand.
    pub(super) fn holding(pid: i32, addresses: &[u64]) -> Vec<Option<Mapping>> {
        let mut found = vec![None; addresses.len()];
        let Ok(file) = fs::File::open(format!("/proc/{pid}/maps")) else { return found };
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            let Some(mapping) = Mapping::parse(&line) else { continue };
            for (place, address) in found.iter_mut().zip(addresses) {
                if mapping.range.contains(address) {
                    *place = Some(mapping.clone());
                }
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        found
    }

    /// Whether no other process can reach it, and its owner can write it: memory of a private
    /// mapping of a file that nobody wrote yet is still that of the file.
    pub(super) fn is_private(&self) -> bool {
        self.rights.starts_with("rw") && self.rights.ends_with('p')
    }

    fn parse(line: &str) -> Option<Mapping> {
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Mapping {
            range: number(start)?..number(end)?,
            rights: fields.next()?.to_owned(),
            offset: number(fields.next()?)?,
            path: fields.nth(2).unwrap_or("").trim().to_owned(),
        })
    }
}

/// Where everything lies in one process.
pub(super) struct Places {
    mappings: Vec<Mapping>,
    /// Its files of code.
    pub loaded: Vec<Loaded>,
}

/// A module at the place where a process has it.
pub(super) struct Loaded {
    /// What is added to an address in the file.
    pub bias: u64,
    /// All its addresses.
    pub range: Range<u64>,
    /// The module.
    pub module: Arc<Module>,
}

/// What is known of one file of code.
pub(super) struct Module {
    name: String,
    /// The segments that are loaded: where they start in the file, and their addresses.
    segments: Vec<(u64, Range<u64>)>,
    sections: Vec<(String, Range<u64>)>,
    /// By their addresses.
    symbols: Vec<(Range<u64>, String)>,
    /// What [`super::stack`] unwinds by: `.eh_frame` and its index.
    pub unwind: [Option<Bytes>; 2],
}

/// A section with what is in it.
#[derive(Clone)]
pub(super) struct Bytes {
    /// Its addresses.
    pub range: Range<u64>,
    /// Its contents.
    pub bytes: Arc<[u8]>,
}

impl Places {
    /// Of a process; nothing is known where /proc may not be read.
    pub(super) fn of(pid: i32) -> Places {
        let text = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let mappings: Vec<Mapping> = text.lines().filter_map(Mapping::parse).collect();
        let mut loaded: Vec<Loaded> = Vec::new();
        // Only files with code: a parent under test can have a file of gigabytes as its memory.
        for code in mappings.iter().filter(|m| m.rights.contains('x') && m.path.starts_with('/')) {
            let Some(first) = mappings.iter().find(|m| m.path == code.path) else { continue };
            let Some(module) = Module::of(&code.path) else { continue };
            let Some(bias) = module.bias(first) else { continue };
            let range = module.range();
            let range = range.start.wrapping_add(bias)..range.end.wrapping_add(bias);
            if loaded.iter().all(|other| other.range != range) {
                loaded.push(Loaded { bias, range, module });
            }
        }
        Places { mappings, loaded }
    }

    /// What lies at an address: `libc.so.6 malloc+0x10`, `libc.so.6 .bss+0x1c0`, `[stack]+0x20`.
    pub(super) fn name(&self, address: u64) -> String {
        if let Some(loaded) = self.loaded.iter().find(|loaded| loaded.range.contains(&address)) {
            return loaded.module.name(address.wrapping_sub(loaded.bias));
        }
        match self.mappings.iter().find(|mapping| mapping.range.contains(&address)) {
            Some(mapping) => {
                let what = match mapping.path.as_str() {
                    "" => "memory without a file",
                    path => path,
                };
                format!("{what}+{:#x}", address - mapping.range.start)
            }
            None => "no mapping".to_owned(),
        }
    }
}

impl Module {
    /// Of a file; `None`: it cannot be read, or is no ELF file. Files are read once.
    fn of(path: &str) -> Option<Arc<Module>> {
        static KNOWN: Mutex<Option<HashMap<String, Option<Arc<Module>>>>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        known.entry(path.to_owned()).or_insert_with(|| Module::read(path).map(Arc::new)).clone()
    }

    fn read(path: &str) -> Option<Module> {
        let cache = ReadCache::new(fs::File::open(path).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let span = |address: u64, size: u64| address..address.saturating_add(size);
        let mut symbols: Vec<(Range<u64>, String)> = file
            .symbols()
            .chain(file.dynamic_symbols())
            .filter(|symbol| symbol.is_definition() && symbol.size() > 0)
            .filter(|symbol| symbol.kind() != object::SymbolKind::Tls)
            .filter_map(|symbol| {
                Some((span(symbol.address(), symbol.size()), symbol.name().ok()?.to_owned()))
            })
            .collect();
        symbols.sort_by_key(|(range, _)| (range.start, range.end));
        Some(Module {
            name: Path::new(path).file_name()?.to_string_lossy().into_owned(),
            segments: file
                .segments()
                .map(|segment| (segment.file_range().0, span(segment.address(), segment.size())))
                .collect(),
            sections: file
                .sections()
                .filter(|section| section.address() > 0)
                .filter(|section| section.kind() != object::SectionKind::UninitializedTls)
                .filter_map(|section| {
                    let range = span(section.address(), section.size());
                    Some((section.name().ok()?.to_owned(), range))
                })
                .collect(),
            symbols,
            unwind: [".eh_frame", ".eh_frame_hdr"].map(|name| {
                let section = file.section_by_name(name)?;
                let bytes = section.data().ok()?.into();
                Some(Bytes { range: span(section.address(), section.size()), bytes })
            }),
        })
    }

    /// What is added to its addresses where `mapping`, the first of its file, lies.
    fn bias(&self, mapping: &Mapping) -> Option<u64> {
        let page = |value: u64| value & !(PAGE - 1);
        let (_, addresses) =
            self.segments.iter().find(|(offset, _)| page(*offset) == page(mapping.offset))?;
        Some(mapping.range.start.wrapping_sub(page(addresses.start)))
    }

    fn range(&self) -> Range<u64> {
        let starts = self.segments.iter().map(|(_, range)| range.start);
        let ends = self.segments.iter().map(|(_, range)| range.end);
        starts.min().unwrap_or(0)..ends.max().unwrap_or(0)
    }

    /// The addresses of a section.
    pub(super) fn section(&self, name: &str) -> Option<Range<u64>> {
        self.sections.iter().find(|(other, _)| other == name).map(|(_, range)| range.clone())
    }

    fn name(&self, address: u64) -> String {
        let file = &self.name;
        let after = self.symbols.partition_point(|(range, _)| range.start <= address);
        // The last that starts there or before need not be the one that holds it: some lie within
        // others. Further back than this none was seen to.
        let near = self.symbols[..after].iter().rev().take(16);
        if let Some((range, name)) = near.into_iter().find(|(range, _)| range.contains(&address)) {
            let offset = address - range.start;
            return format!("{file} {:#}+{offset:#x}", rustc_demangle::demangle(name));
        }
        match self.sections.iter().find(|(_, range)| range.contains(&address)) {
            Some((name, range)) => format!("{file} {name}+{:#x}", address - range.start),
            None => format!("{file}+{address:#x}"),
        }
    }
}
