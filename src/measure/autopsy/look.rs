//! One look at a thread: everything that a verdict needs, read at one time.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::call::{Call, Futex, How, Waits};
use super::places::Mapping;
use super::sharing::{self, Sharing};

/// The most words that futex_waitv takes (FUTEX_WAITV_MAX of `linux/futex.h`).
const MOST_WORDS: u64 = 128;

/// The bytes of a `struct futex_waitv`, and where its address lies in it.
const WAITER: usize = 24;

/// The bits of a lock's word that are its owner (FUTEX_TID_MASK of `linux/futex.h`).
const OWNER: u32 = 0x3fff_ffff;

/// Where locks keep the thread that holds them, from the word that is waited for, in bytes:
/// pthread_mutex_t at 8; pthread_rwlock_t, whose waiters wait for two of its words, at 12 and 16.
const BESIDE: [u64; 3] = [8, 12, 16];

/// Where the lock of a FILE keeps a pointer to the descriptor of the thread that holds it, from its
/// word, in bytes (`_IO_lock_t` of glibc).
const POINTER: u64 = 8;

/// Where the descriptor of a thread, `struct pthread` of glibc, keeps its id, in bytes: behind a
/// header, of 704 bytes on x86-64 and 192 elsewhere, and a list.
const TID_IN_DESCRIPTOR: u64 = if cfg!(target_arch = "x86_64") { 720 } else { 208 };

/// Words up to this one are states of locks (1: held, 2: held and waited for), and not threads.
const LOCK_STATES: i32 = 2;

/// What one look at a process, or at one of its threads, saw.
#[derive(Clone, Debug)]
pub struct Look {
    pub(super) at: Instant,
    pub(super) pid: i32,
    pub(super) state: State,
    pub(super) name: String,
    pub(super) parent: i32,
    /// When it was born, in ticks since the boot: tells it from another with its number.
    pub(super) born: u64,
    pub(super) call: Call,
    pub(super) waits_in: Option<String>,
    pub(super) motion: Motion,
    pub(super) signals: Option<Signals>,
    pub(super) tasks: Vec<i32>,
    /// If it waits for a futex without an end.
    pub(super) wait: Option<Wait>,
}

/// Whether a thread lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is gone, or a zombie.
    Ended,
    /// It lives, and /proc does not show it.
    Hidden,
    /// The letter that /proc shows.
    Shown(char),
}

/// What moves when a thread does. `None`: not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Motion {
    /// How often it gave up its processor.
    pub voluntary: Option<u64>,
    /// How often its processor was taken from it.
    pub forced: Option<u64>,
    /// Its time on processors, in nanoseconds.
    pub cpu_ns: Option<u64>,
}

impl Motion {
    /// Whether everything is shown.
    pub(super) fn is_whole(self) -> bool {
        self.voluntary.is_some() && self.forced.is_some() && self.cpu_ns.is_some()
    }
}

/// Sets of signals, a bit each from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signals {
    /// Those that it has blocked.
    pub blocked: u64,
    /// Those that it ignores.
    pub ignored: u64,
}

impl Signals {
    /// Whether this signal cannot wake or end it.
    pub(super) fn is_deaf_to(self, signal: i32) -> bool {
        (self.blocked | self.ignored) >> (signal - 1) & 1 == 1
    }

    /// Whether no signal that can be blocked can wake or end it.
    pub(super) fn is_deaf(self) -> bool {
        let always_heard = [libc::SIGKILL, libc::SIGSTOP];
        (1..=64).all(|signal| always_heard.contains(&signal) || self.is_deaf_to(signal))
    }
}

/// A wait for a futex that only another can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// The words; empty: not readable, or not understood.
    pub words: Vec<Word>,
    /// The owner that the word holds, if it is a lock that does.
    pub owner: Option<Owner>,
    /// With whom it shares its memory.
    pub sharing: Sharing,
    /// The thread that gave birth to it, where that is suspended until it ends or execs.
    pub suspended: Option<Suspended>,
    /// How many POSIX timers it has; `None`: not shown.
    pub timers: Option<usize>,
    /// The threads of its parent.
    pub parents_tasks: Vec<i32>,
    /// Its own living children.
    pub children: Vec<i32>,
}

/// The owner of a lock with priority inheritance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its thread id.
    pub tid: i32,
    /// Whether it lives: then the kernel hands the lock over when it ends.
    pub lives: bool,
}

/// A word that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its address.
    pub address: u64,
    /// The value with which it is waited for; `None`: it is a lock that holds its owner.
    pub awaited: Option<u32>,
    /// The value that it has; `None`: not readable.
    pub found: Option<u32>,
    /// The thread that holds the lock, as far as it says so.
    pub holder: Option<Holder>,
    /// The mapping in which it lies; `None`: not readable.
    pub mapping: Option<Mapping>,
}

/// A thread of the process, or of its parent, whose id stands in a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Its id.
    pub tid: i32,
    /// Where it stands.
    pub place: Place,
}

/// Where a lock has the thread that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the word that is waited for.
    Word,
    /// So many bytes from it.
    Beside(u64),
    /// In what a pointer beside it points to.
    Pointer,
}

/// A thread that waits in the call by which it gave birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspended {
    /// Its id.
    pub tid: i32,
    /// Whether its process has no other thread.
    pub alone: bool,
}

/// Looks at a process, that is at its first thread. A zombie, and one that is gone, has ended.
pub fn look(pid: i32) -> Look {
    look_at_thread(pid, pid)
}

/// Looks at a thread of a process.
pub fn look_at_thread(pid: i32, tid: i32) -> Look {
    let mut seen = Look::nothing(pid);
    let task = format!("/proc/{pid}/task/{tid}");
    let read = |name: &str| fs::read_to_string(format!("{task}/{name}"));
    match read("stat") {
        Ok(stat) => seen.take_stat(&stat),
        Err(_) => seen.state = if has_ended(tid) { State::Ended } else { State::Hidden },
    }
    if !matches!(seen.state, State::Shown(_)) {
        return seen;
    }
    seen.call = read("syscall").ok().and_then(|text| Call::parse(&text)).unwrap_or_default();
    seen.waits_in = read("wchan").ok().filter(|place| place != "0" && !place.is_empty());
    seen.take_status(&read("status").unwrap_or_default());
    let cpu_ns = read("schedstat").ok();
    seen.motion.cpu_ns = cpu_ns.and_then(|text| text.split(' ').next()?.parse().ok());
    seen.tasks = numbers_in(&format!("/proc/{pid}/task"));
    if let Some(futex) = seen.call.futex().filter(|futex| futex.endless) {
        seen.wait = Some(Wait::of(pid, &seen.tasks, seen.parent, futex));
    }
    // What could not be read of one that ends meanwhile is not hidden.
    if read("stat").map_or(true, |stat| Stat::parse(&stat).is_none_or(|stat| stat.has_ended())) {
        return Look { state: State::Ended, ..Look::nothing(pid) };
    }
    seen
}

impl Look {
    /// The address of the futex that it waits for; `None`: it waits for none.
    pub fn futex(&self) -> Option<u64> {
        Some(self.call.futex()?.address)
    }

    fn nothing(pid: i32) -> Look {
        Look {
            at: Instant::now(),
            pid,
            state: State::Ended,
            name: String::new(),
            parent: 0,
            born: 0,
            call: Call::Unreadable,
            waits_in: None,
            motion: Motion::default(),
            signals: None,
            tasks: Vec::new(),
            wait: None,
        }
    }

    fn take_stat(&mut self, text: &str) {
        let Some(stat) = Stat::parse(text) else {
            self.state = State::Hidden;
            return;
        };
        self.state = if stat.has_ended() { State::Ended } else { State::Shown(stat.state) };
        self.name = stat.name.to_owned();
        self.parent = stat.parent;
        self.born = stat.born;
    }

    fn take_status(&mut self, status: &str) {
        let of = |key: &str| Some(status.lines().find_map(|line| line.strip_prefix(key))?.trim());
        let set = |key: &str| u64::from_str_radix(of(key)?, 16).ok();
        self.motion.voluntary = of("voluntary_ctxt_switches:").and_then(|text| text.parse().ok());
        self.motion.forced = of("nonvoluntary_ctxt_switches:").and_then(|text| text.parse().ok());
        self.signals = set("SigBlk:")
            .zip(set("SigIgn:"))
            .map(|(blocked, ignored)| Signals { blocked, ignored });
    }
}

impl Wait {
    fn of(pid: i32, tasks: &[i32], parent: i32, futex: Futex) -> Wait {
        let memory = fs::File::open(format!("/proc/{pid}/mem")).ok();
        let words = memory.as_ref().and_then(|memory| awaited_words(memory, futex));
        let mut words = words.unwrap_or_default();
        let parents_tasks = numbers_in(&format!("/proc/{parent}/task"));
        let threads = [tasks, &parents_tasks].concat();
        let maps = Mapping::holding(pid, &words.iter().map(|w| w.address).collect::<Vec<_>>());
        for (word, mapping) in words.iter_mut().zip(maps) {
            word.mapping = mapping;
            word.holder = memory.as_ref().and_then(|memory| holder(memory, word, &threads));
        }
        let sharing = sharing::of(pid);
        // Of one that shares its memory with its parent alone.
        let suspended = (sharing == Sharing::With(vec![parent]))
            .then(|| suspended_caller(parent, pid))
            .flatten();
        let timers = fs::read_to_string(format!("/proc/{pid}/timers"));
        let owner = words.first().and_then(|word| word.found).map(|found| (found & OWNER) as i32);
        Wait {
            words,
            owner: owner
                .filter(|_| futex.how == How::Lock)
                .map(|tid| Owner { tid, lives: !has_ended(tid) }),
            sharing,
            suspended,
            timers: timers.ok().map(|text| text.matches("ID:").count()),
            parents_tasks,
            children: living_children(pid),
        }
    }
}

/// The words that a futex call waits for; `None`: not readable, or not understood.
fn awaited_words(memory: &fs::File, futex: Futex) -> Option<Vec<Word>> {
    let word = |address: u64, awaited: Option<u32>| Word {
        address,
        awaited,
        found: word_at(memory, address),
        holder: None,
        mapping: None,
    };
    match futex.how {
        How::Value(value) => Some(vec![word(futex.address, Some(value))]),
        How::Lock => Some(vec![word(futex.address, None)]),
        How::Several(count) if (1..=MOST_WORDS).contains(&count) => {
            let mut waiters = vec![0; WAITER * count as usize];
            memory.read_exact_at(&mut waiters, futex.address).ok()?;
            let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_ne_bytes);
            let words = waiters.chunks_exact(WAITER);
            words
                .map(|waiter| {
                    Some(word(number(&waiter[8..16])?, Some(number(&waiter[..8])? as u32)))
                })
                .collect()
        }
        How::Several(_) | How::Unknown => None,
    }
}

fn word_at(memory: &fs::File, address: u64) -> Option<u32> {
    let mut bytes = [0; 4];
    memory.read_exact_at(&mut bytes, address).ok()?;
    Some(u32::from_ne_bytes(bytes))
}

/// Which of these threads holds a lock, as far as it says so.
fn holder(memory: &fs::File, word: &Word, threads: &[i32]) -> Option<Holder> {
    let value = |address: Option<u64>| Some(word_at(memory, address?)? as i32);
    let beside = |offset| word.address.checked_add(offset);
    let pointer = || {
        let low = word_at(memory, beside(POINTER)?)?;
        let high = word_at(memory, beside(POINTER + 4)?)?;
        (u64::from(high) << 32 | u64::from(low)).checked_add(TID_IN_DESCRIPTOR)
    };
    let in_word = word.found.map(|found| (Place::Word, (found & OWNER) as i32));
    let near = BESIDE.map(|offset| Some((Place::Beside(offset), value(beside(offset))?)));
    let far = value(pointer()).map(|tid| (Place::Pointer, tid));
    let found = [in_word].into_iter().chain(near).chain([far]).flatten();
    found
        .filter(|(_, tid)| *tid > LOCK_STATES && threads.contains(tid))
        .map(|(place, tid)| Holder { tid, place })
        .next()
}

/// The thread of `parent` that waits in the call by which it gave birth to `child`.
fn suspended_caller(parent: i32, child: i32) -> Option<Suspended> {
    let tasks = numbers_in(&format!("/proc/{parent}/task"));
    let gave_birth =
        |tid: i32| children_of_thread(parent, tid).is_some_and(|list| list.contains(&child));
    let tid = tasks.iter().copied().find(|tid| gave_birth(*tid))?;
    let read = |name: &str| fs::read_to_string(format!("/proc/{parent}/task/{tid}/{name}"));
    let call = Call::parse(&read("syscall").ok()?)?;
    // A birth that is under way is killable, so in state D; one that has ended is not.
    let waits = call.waits() == Waits::Birth && Stat::parse(&read("stat").ok()?)?.state == 'D';
    waits.then_some(Suspended { tid, alone: tasks.len() == 1 })
}

/// The children of a process that have not ended.
fn living_children(pid: i32) -> Vec<i32> {
    let tasks = numbers_in(&format!("/proc/{pid}/task"));
    let lists: Option<Vec<Vec<i32>>> =
        tasks.into_iter().map(|tid| children_of_thread(pid, tid)).collect();
    let mut children = match lists {
        Some(lists) => lists.concat(),
        // A kernel without CONFIG_PROC_CHILDREN.
        None => numbers_in("/proc").into_iter().filter(|child| is_child(*child, pid)).collect(),
    };
    children.retain(|child| !has_ended(*child));
    children
}

/// Whether one process is the parent of the other.
pub(super) fn is_child(child: i32, parent: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    Stat::parse(&stat).is_some_and(|stat| stat.parent == parent)
}

/// The children to which a thread gave birth; `None`: not shown.
pub(super) fn children_of_thread(pid: i32, tid: i32) -> Option<Vec<i32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).ok()?;
    Some(text.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect())
}

/// Whether a process, or thread, is gone or a zombie. One that /proc does not show is asked for by
/// wait, which reaps nothing, and by signal 0.
fn has_ended(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => Stat::parse(&stat).is_some_and(|stat| stat.has_ended()),
        Err(_) => {
            let only_look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            match waitid(Id::Pid(Pid::from_raw(pid)), only_look) {
                Ok(WaitStatus::StillAlive) => false,
                Ok(_) => true,
                Err(_) => kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH),
            }
        }
    }
}

/// What is used of `/proc/PID/stat`.
struct Stat<'a> {
    name: &'a str,
    state: char,
    parent: i32,
    born: u64,
}

impl Stat<'_> {
    fn parse(text: &str) -> Option<Stat<'_>> {
        // The name, in parentheses, may hold spaces and parentheses.
        let (head, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Stat {
            name: head.split_once('(')?.1,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            born: fields.get(19)?.parse().ok()?,
        })
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The entries of a directory of /proc that are numbers, in order.
fn numbers_in(directory: &str) -> Vec<i32> {
    let entries: io::Result<fs::ReadDir> = fs::read_dir(directory);
    let names = entries.into_iter().flatten().flatten();
    let mut numbers: Vec<i32> =
        names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}
