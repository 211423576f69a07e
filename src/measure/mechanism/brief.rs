//! What a mechanism is given to spawn: an image with its strings, and the child's orders.
//!
//! # Safety
//!
//! Owns everything that the pointers in [`Orders`] point to, and never moves it: strings and lists
//! live on the heap and are not changed after `new`.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr, c_char};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use crate::measure::mechanism::Refusal;
use crate::measure::mechanism::child::{Ending, Mailbox, Orders, Perform, Stage, Step, Writes};
use crate::measure::mechanism::stack::Stack;
use crate::measure::mechanism::steps;
use crate::measure::tape;
use crate::model::action::Action;

/// What the child becomes, resolved to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// It executes the path with these arguments (the first is the program's own name).
    Exec(CString, Vec<CString>),
    /// It ends with `_exit(0)`.
    Exit,
}

/// What is given to the image beside its own arguments, and how it is found.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Bytes added to the environment, with the NUL of each string.
    pub env_bytes: usize,
    /// Bytes added to the arguments, with the NUL of each string.
    pub args_bytes: usize,
    /// Directories that are searched before that of the image; empty: its path is given and nothing
    /// is searched.
    pub searched: Vec<CString>,
    /// An eventfd that the child, before it ends or executes the image, waits for; none: it does
    /// not wait. Only for mechanisms whose gap is ours, and never for one that suspends its caller.
    pub hold: Option<i32>,
    /// What the child performs before it ends; none: nothing. Only for a child that executes no
    /// image, in mechanisms whose gap is ours.
    pub perform: Option<Perform>,
    /// What happens between birth and exec. Descriptors in it need not be open before the birth.
    pub actions: Vec<Action>,
    /// What the child writes of its memory before that; none: nothing. Only for mechanisms whose
    /// child has memory of its own; whoever gives it keeps the list in it as long as the mechanism.
    pub writes: Option<Writes>,
    /// Whether no other thread makes a process while this one does: children that share memory then
    /// all run on one stack. A subject of many variants would else have two mappings more for each,
    /// and every fork would copy them.
    pub alone: bool,
}

/// The environment of every image: small and fixed, since its bytes are copied by every exec. The
/// first is PATH, and where the image is searched for, it is the PATH that is searched.
const ENVIRONMENT: [&CStr; 2] = [c"PATH=/usr/local/bin:/usr/bin:/bin", c"LC_ALL=C"];

/// Bytes of an added string with its NUL; the last one of a list takes the rest too.
const STRING: usize = 100;

/// A target made ready: strings, lists of pointers, orders.
#[derive(Debug)]
pub struct Brief {
    orders: Box<Orders>,
    mailbox: &'static Mailbox,
    /// What is tried in turn: the path alone, or the program in each directory of PATH.
    candidates: Vec<CString>,
    /// The file name of the image, where it is searched for.
    name: Option<CString>,
    /// The strings of arguments and environment that are this brief's own.
    _strings: [Vec<CString>; 2],
    _paths: Box<[*const c_char]>,
    argv: Box<[*const c_char]>,
    envp: Box<[*const c_char]>,
    actions: Box<[Action]>,
    alone: bool,
    steps: Box<[Step]>,
    _writes: Option<Box<Writes>>,
}

impl Brief {
    /// Makes a target ready. `mask` is the signal mask that the image is to start with.
    ///
    /// # Errors
    ///
    /// When the image is to be searched for and its path has no directory and name.
    pub fn new(
        target: Target,
        extras: &Extras,
        mailbox: &'static Mailbox,
        mask: u64,
    ) -> Result<Brief, Refusal> {
        let (ending, path, mut arguments) = match target {
            Target::Exec(path, arguments) => (Ending::Exec, path, arguments),
            Target::Exit => (Ending::Exit, CString::default(), Vec::new()),
        };
        let mut environment: Vec<CString> = ENVIRONMENT.map(CStr::to_owned).into();
        let (mut candidates, mut name) = (vec![path], None);
        if !extras.searched.is_empty() && ending == Ending::Exec {
            let (directory, file) = part(&candidates[0])?;
            let directories: Vec<&[u8]> = extras
                .searched
                .iter()
                .map(|d| d.as_bytes())
                .chain([directory.as_bytes()])
                .collect();
            candidates = directories
                .iter()
                .map(|directory| joined(&[directory, b"/", file.as_bytes()]))
                .collect();
            environment[0] = joined(&[b"PATH=", &directories.join(&b':')]);
            name = Some(file);
        }
        let paths = null_ended(&candidates, candidates.len(), 0)?;
        let list = |strings: &mut Vec<CString>, bytes: usize| {
            // All but the last are those of the filler; the last takes the rest.
            let fillers = (bytes / STRING).saturating_sub(1);
            let own = strings.len();
            if bytes > 0 {
                strings.push(added(fillers, bytes - fillers * STRING));
            }
            null_ended(strings, own, fillers)
        };
        let argv = list(&mut arguments, extras.args_bytes)?;
        let envp = list(&mut environment, extras.env_bytes)?;
        let actions: Box<[Action]> = extras.actions.clone().into();
        let steps = steps::of(&actions);
        let writes = extras.writes.map(Box::new);
        let orders = Box::new(Orders {
            paths: paths.as_ptr(),
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            ending,
            mask,
            steps: steps.as_ptr(),
            step_count: steps.len(),
            writes: writes.as_deref().map_or(ptr::null(), ptr::from_ref),
            hold: extras.hold.unwrap_or(-1),
            perform: extras.perform,
            argument: ptr::null(),
            mailbox,
        });
        Ok(Brief {
            orders,
            mailbox,
            candidates,
            name,
            _strings: [arguments, environment],
            _paths: paths,
            argv,
            envp,
            actions,
            alone: extras.alone,
            steps,
            _writes: writes,
        })
    }

    /// The orders, for the child.
    pub fn orders(&self) -> *const Orders {
        &raw const *self.orders
    }

    /// What happens between birth and exec.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// A stack for a child that shares memory.
    pub(super) fn stack(&self) -> Result<Arc<Stack>, Refusal> {
        if self.alone { Stack::shared() } else { Ok(Arc::new(Stack::map()?)) }
    }

    /// Where the child and its image report.
    pub fn mailbox(&self) -> &'static Mailbox {
        self.mailbox
    }

    /// The name by which the image is searched for along PATH; none: it is given by its path.
    pub fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }

    /// What the libc is told to execute: the name that it searches for, or the path.
    pub fn program(&self) -> &CStr {
        self.name().unwrap_or_else(|| self.path())
    }

    /// The path of the image.
    pub fn path(&self) -> &CStr {
        &self.candidates[self.candidates.len() - 1]
    }

    /// The arguments of the image, with its own name first.
    pub fn arguments(&self) -> impl Iterator<Item = &CStr> {
        texts(&self.argv)
    }

    /// The arguments as a null-ended list, of the type that libc wants.
    pub fn argv(&self) -> *const *mut c_char {
        self.argv.as_ptr().cast()
    }

    /// The environment as a null-ended list, of the type that libc wants.
    pub fn envp(&self) -> *const *mut c_char {
        self.envp.as_ptr().cast()
    }

    /// The environment as names and values.
    pub fn environment(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        texts(&self.envp).filter_map(|entry| {
            let bytes = entry.to_bytes();
            let equals = bytes.iter().position(|byte| *byte == b'=')?;
            Some((OsStr::from_bytes(&bytes[..equals]), OsStr::from_bytes(&bytes[equals + 1..])))
        })
    }

    /// Where the image is searched for, makes the environment of the image that of this process
    /// until the guard is dropped: the libc searches along the PATH of its caller. Allocates
    /// nothing.
    pub fn lend_environment(&self) -> Option<Lent> {
        self.name.as_ref()?;
        // SAFETY: the list is null-ended and lives on the heap, unmoved, as long as this brief,
        // which its mechanism keeps at least as long as the guard. No other thread of a subject
        // reads or writes the environment.
        unsafe {
            let before = environ;
            environ = self.envp.as_ptr();
            Some(Lent { before })
        }
    }

    /// The signal mask that the image is to start with, as libc holds it.
    pub fn signal_mask(&self) -> libc::sigset_t {
        signal_set(self.orders.mask)
    }

    /// Takes actions from the child: those that the mechanism does by itself.
    pub(super) fn relieve(&mut self, of: impl Fn(&Action) -> bool) {
        let rest = self.actions.iter().filter(|action| !of(action));
        self.steps = rest.map(steps::step).collect();
        self.orders.steps = self.steps.as_ptr();
        self.orders.step_count = self.steps.len();
    }
}

/// A set of signals in the kernel's layout, bit N-1 for signal N, as libc holds it.
pub(super) fn signal_set(bits: u64) -> libc::sigset_t {
    // SAFETY: a sigset_t is plain bits; glibc and musl keep the kernel's mask in the first eight
    // bytes, in the same order.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        (&raw mut set).cast::<u64>().write(bits);
        set
    }
}

unsafe extern "C" {
    /// The environment of this process, as every libc reads it: POSIX.
    static mut environ: *const *const c_char;
}

/// A process whose environment is that of an image; it gets its own back when this is dropped.
#[derive(Debug)]
pub struct Lent {
    before: *const *const c_char,
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the list that was there before, which nobody has freed since; see
        // `Brief::lend_environment`.
        unsafe { environ = self.before };
    }
}

/// The directory and the file name of a path.
fn part(path: &CStr) -> Result<(CString, CString), Refusal> {
    let bytes = path.to_bytes();
    let refuse = || Refusal {
        errno: 0,
        reason: format!(
            "path-dirs searches for the file name of the image along PATH: {path:?} has no \
             directory and name, or a colon in its directory"
        ),
    };
    let slash = bytes.iter().rposition(|byte| *byte == b'/').ok_or_else(refuse)?;
    let (directory, name) = (&bytes[..slash.max(1)], &bytes[slash + 1..]);
    if name.is_empty() || directory.contains(&b':') {
        return Err(refuse());
    }
    Ok((joined(&[directory]), joined(&[name])))
}

/// Pieces of strings of ours as one.
fn joined(pieces: &[&[u8]]) -> CString {
    CString::new(pieces.concat()).expect("pieces of C strings hold no NUL")
}

/// A list of the first `own` strings, so many of the filler, and the other strings.
fn null_ended(
    strings: &[CString],
    own: usize,
    fillers: usize,
) -> Result<Box<[*const c_char]>, Refusal> {
    let filler = if fillers > 0 { filler()? } else { ptr::null() };
    let (before, after) = strings.split_at(own);
    let of = |strings: &[CString]| strings.iter().map(|s| s.as_ptr()).collect::<Vec<_>>();
    let mut list = of(before);
    list.extend((0..fillers).map(|i| filler.wrapping_add(i * STRING)));
    list.extend(of(after));
    list.push(ptr::null());
    Ok(list.into())
}

/// The strings of a null-ended list.
fn texts(list: &[*const c_char]) -> impl Iterator<Item = &CStr> {
    // SAFETY: all but the last point to C strings that live as long as the brief that owns the
    // list; those of the filler live for ever.
    list[..list.len() - 1].iter().map(|text| unsafe { CStr::from_ptr(*text) })
}

/// The added string of that number, of so many bytes with its NUL: a variable as long as it has 8.
fn added(number: usize, bytes: usize) -> CString {
    let mut string = format!("F{number:05}=").into_bytes();
    string.resize(bytes - 1, b'x');
    joined(&[&string])
}

/// How many strings the filler holds: 6 MiB, more than any exec takes.
const FILLERS: usize = (6 << 20) / STRING + 1;

/// Strings of [`STRING`] bytes, [`FILLERS`] of them one behind the other, made by the first brief
/// that needs them and kept for ever.
///
/// They lie in a file in memory, mapped privately and never written: a fork copies no page table
/// of that. In the heap, the strings of one variant made the forks of every other in its subject
/// dearer (measured: 85 us where 53 were due, with 1.7 MiB of them). The child of a fork maps them again as
/// its exec reads them, 16 pages a fault.
fn filler() -> Result<*const c_char, Refusal> {
    static FILLER: OnceLock<usize> = OnceLock::new();
    if let Some(address) = FILLER.get() {
        return Ok(*address as *const c_char);
    }
    let refuse =
        |error: std::io::Error| Refusal::of(&error, "no memory for env-bytes and args-bytes");
    let mut file = File::from(tape::memfd(c"forkbench-strings").map_err(refuse)?);
    let mut bytes = Vec::with_capacity(FILLERS * STRING);
    (0..FILLERS).for_each(|i| bytes.extend(added(i, STRING).as_bytes_with_nul()));
    file.write_all(&bytes).map_err(refuse)?;
    // SAFETY: a new read-only mapping of a file that nobody else has, never unmapped.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes.len(),
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return Err(Refusal::last("no memory for env-bytes and args-bytes"));
    }
    Ok(*FILLER.get_or_init(|| base as usize) as *const c_char)
}

/// What a child and its image have reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// CLOCK_MONOTONIC nanoseconds when the child began, if it stamped that.
    pub born_ns: Option<u64>,
    /// CLOCK_MONOTONIC nanoseconds at the image's first instruction, if it stamped that.
    pub image_ns: Option<u64>,
    /// The processor that the image, or a child without image, ran on, if it said so.
    pub cpu: Option<u32>,
    /// The errno and the stage of a failure.
    pub failure: Option<(i32, Stage)>,
    /// What the child wrote, if it wrote.
    pub written: Option<ByChild>,
}

/// How a child fared that wrote memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByChild {
    /// How long it took, in nanoseconds.
    pub written_ns: u64,
    /// How long it took once more.
    pub rewritten_ns: u64,
    /// Its minor faults the first time.
    pub faults: u64,
}

impl Mailbox {
    /// Empties the mailbox: before each birth.
    pub fn clear(&self) {
        for word in [
            &self.image_seconds,
            &self.image_nanoseconds,
            &self.image_cpu,
            &self.born_ns,
            &self.child_cpu,
            &self.written_ns,
        ] {
            word.store(0, Ordering::Relaxed);
        }
        self.errno.store(0, Ordering::Relaxed);
        self.stage.store(0, Ordering::Relaxed);
    }

    /// What it holds: after the child has been reaped.
    pub fn read(&self) -> Report {
        let written = |value: u64| (value != 0).then_some(value);
        let image = self.image_seconds.load(Ordering::Relaxed) * 1_000_000_000
            + self.image_nanoseconds.load(Ordering::Relaxed);
        let cpu = written(self.image_cpu.load(Ordering::Relaxed))
            .or(written(self.child_cpu.load(Ordering::Relaxed)));
        let stage = Stage::from_number(self.stage.load(Ordering::Relaxed));
        let by_child = written(self.written_ns.load(Ordering::Acquire)).map(|more| ByChild {
            written_ns: more - 1,
            rewritten_ns: self.rewritten_ns.load(Ordering::Relaxed),
            faults: self.written_faults.load(Ordering::Relaxed),
        });
        Report {
            born_ns: written(self.born_ns.load(Ordering::Relaxed)),
            image_ns: written(image),
            cpu: cpu.and_then(|cpu| u32::try_from(cpu - 1).ok()),
            failure: stage.map(|stage| (self.errno.load(Ordering::Relaxed), stage)),
            written: by_child,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(extras: &Extras) -> Brief {
        // SAFETY: a mailbox of zeroes is valid.
        let mailbox: &Mailbox = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
        let target = Target::Exec(c"/images/noop".to_owned(), vec![c"noop".to_owned()]);
        Brief::new(target, extras, mailbox, 0).unwrap()
    }

    fn total<'a>(strings: impl Iterator<Item = &'a CStr>) -> usize {
        strings.map(|string| string.to_bytes_with_nul().len()).sum()
    }

    #[test]
    fn added_strings_have_exactly_the_bytes_asked_for() {
        let plain = brief(&Extras::default());
        let (base, name) = (total(texts(&plain.envp)), total(plain.arguments()));
        for bytes in [0, 8, 99, 100, 101, 199, 200, 1024, 6 << 20] {
            let extras = Extras { env_bytes: bytes, args_bytes: bytes / 8, ..Extras::default() };
            let brief = brief(&extras);
            assert_eq!(total(texts(&brief.envp)), base + bytes);
            assert_eq!(total(brief.arguments()), name + bytes / 8);
            assert_eq!(brief.environment().count(), brief.envp.len() - 1);
            let mut names: Vec<_> = brief.environment().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), brief.envp.len() - 1, "a name comes twice");
        }
    }

    #[test]
    fn an_image_is_tried_in_every_directory_and_last_in_its_own() {
        let searched = vec![c"/images/search/0000".to_owned(), c"/images/search/0001".to_owned()];
        let brief = brief(&Extras { searched, ..Extras::default() });
        let tried: Vec<&CStr> = brief.candidates.iter().map(|path| path.as_c_str()).collect();
        assert_eq!(
            tried,
            [c"/images/search/0000/noop", c"/images/search/0001/noop", c"/images/noop"]
        );
        assert_eq!((brief.program(), brief.path()), (c"noop", c"/images/noop"));
        let path = c"PATH=/images/search/0000:/images/search/0001:/images";
        assert_eq!(texts(&brief.envp).next(), Some(path));
    }

    #[test]
    fn a_path_is_parted_as_a_shell_would_find_it() {
        let parts = |path: &CStr| part(path).map(|(d, f)| (d.into_bytes(), f.into_bytes()));
        assert_eq!(parts(c"/bin/true").unwrap(), (b"/bin".to_vec(), b"true".to_vec()));
        assert_eq!(parts(c"/init").unwrap(), (b"/".to_vec(), b"init".to_vec()));
        assert_eq!(parts(c"./a").unwrap(), (b".".to_vec(), b"a".to_vec()));
        for path in [c"true", c"/bin/", c"/a:b/c"] {
            assert!(parts(path).is_err(), "{path:?}");
        }
    }
}
