//! The gap: what a child is made to do between birth and exec, what it costs, and proof that it was
//! done.
//!
//! Timed samples execute the image of the work. In count blocks the image is the shipped
//! [`witness`](crate::measure::image::witness), which reports what it has become; that is compared
//! here with what was asked for. What was asked for is never what a child would be anyway.
//!
//! # Safety
//!
//! Plain system calls with numbers, and pointers to locals.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Error, PipeReader, PipeWriter};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::{Rc, Weak};

use crate::measure::cgroup;
use crate::measure::clock;
use crate::measure::image::witness::{LAST, Part, Questions};
use crate::measure::image::{MAILBOX, WITNESS};
use crate::measure::mechanism::brief::{Extras, Target};
use crate::measure::mechanism::child::{Mailbox, Stage};
use crate::measure::mechanism::{Mechanism, Refusal, Spawner};
use crate::measure::reading;
use crate::measure::tape::Difference;
use crate::measure::workload::spawn::{Judge, once};
use crate::measure::workload::{Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::action::{ACTIONS, Action, Means, Name};
use crate::model::row::Scope;
use crate::model::setup::{self, Shape, Work};

/// The row of it.
pub(super) static GAP: Workload = Workload {
    workload: setup::Workload::Gap,
    can,
    control: |work| work,
    // Whether it is proved, by what it was done, and what is not as asked.
    frames: |_| Frames { sample: 3, block: 0 },
    taints: |_| false,
    whole: false,
    prepare: |kit| match Gap::new(kit) {
        Ok(gap) => Ok(Box::new(gap)),
        // Who may not do it is told so by the kernel, and the row says that.
        Err(refusal) if matches!(refusal.errno, libc::EPERM | libc::EACCES) => {
            Ok(Box::new(NotPermitted(refusal.errno)))
        }
        Err(refusal) => Err(refusal),
    },
};

/// Descriptors that a subject has beside those of its shape, with room to spare.
const OWN_DESCRIPTORS: u32 = 256;

/// The most file actions that a list is made of, one for each number that is closed.
const MOST_FILE_ACTIONS: u32 = 65_536;

/// The first number that is closed: the one before it is the mailbox.
const FIRST: u32 = MAILBOX as u32 + 1;

fn can(shape: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    if !work.image.execs() {
        return refuse(
            "workload=gap is what comes before an exec: it has no image=exit".to_owned(),
        );
    }
    for &name in &work.actions.0 {
        let means = (mechanism.how)(name)
            .map_err(|why| Refusal { errno: 0, reason: format!("{}: {why}", name.word()) })?;
        match name {
            Name::CloseLoop => {
                let needed = shape.fds.saturating_add(OWN_DESCRIPTORS);
                if work.nofile < needed {
                    return refuse(format!(
                        "close-loop up to nofile={} would leave some of fds={} open: give \
                         nofile={needed} or more",
                        work.nofile, shape.fds
                    ));
                }
                if means == Means::FileAction && work.nofile > MOST_FILE_ACTIONS {
                    return refuse(format!(
                        "close-loop: {} would need a file action for each of nofile={} numbers; \
                         more than {MOST_FILE_ACTIONS} are not tried",
                        mechanism.name, work.nofile
                    ));
                }
            }
            Name::Cgroup => drop(cgroup::own()?),
            _ => {}
        }
    }
    Ok(())
}

/// A mechanism made ready with its actions, and what is to be seen of its children.
struct Gap {
    timed: Box<dyn Spawner>,
    /// The same with the image that reports; none where nothing is to be proved.
    proof: Option<Proof>,
    judge: Judge,
    /// Whether a signal is to be ignored that the children reset.
    ignores: bool,
    _props: Rc<Props>,
}

struct Proof {
    spawner: Box<dyn Spawner>,
    questions: Questions,
    checks: Vec<Check>,
    means: Means,
    readings: [u32; 2],
}

impl Gap {
    fn new(kit: &Kit<'_>) -> Result<Gap, Refusal> {
        let props = Props::of(kit)?;
        let names = &kit.work.actions.0;
        let mut plan = Plan::default();
        for &name in names {
            plan.add(name, kit, &props)?;
        }
        let Plan { actions, questions, checks } = plan;
        let extras = Extras { actions, alone: true, ..kit.extras()? };
        let proof = match names.iter().filter_map(|name| (kit.mechanism.how)(*name).ok()).max() {
            None => None,
            Some(means) => {
                let target = Target::Exec(kit.beside(WITNESS)?, vec![c"noop".to_owned()]);
                Some(Proof {
                    spawner: kit.spawner_for(target, extras.clone())?,
                    questions,
                    checks,
                    means,
                    readings: [reading::number("proved"), reading::number("means")],
                })
            }
        };
        Ok(Gap {
            timed: kit.spawner_with(extras)?,
            proof,
            judge: Judge::new(kit),
            ignores: names.contains(&Name::Sigdefault),
            _props: props,
        })
    }

    /// The spawner of this sample: in a count block the one that proves.
    fn spawner(&mut self, proving: bool) -> &mut dyn Spawner {
        match &mut self.proof {
            Some(proof) if proving => &mut *proof.spawner,
            _ => &mut *self.timed,
        }
    }
}

impl Task for Gap {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        self.timed.begin_turn();
        if let Some(proof) = &mut self.proof {
            proof.spawner.begin_turn();
        }
        if self.ignores {
            set_disposition(libc::SIG_IGN);
        }
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let proving = ground.counting.is_some() && self.proof.is_some();
        if let Some(proof) = self.proof.as_ref().filter(|_| proving) {
            proof.questions.put(ground.mailbox);
        }
        let spawner = self.spawner(proving);
        let (taken, reaped) = once(spawner, 0, None);
        spawner.tidy();
        let mut taken = self.judge.complete(taken, reaped, ground);
        if let Some(proof) = self.proof.as_ref().filter(|_| proving && taken.failure.is_none()) {
            taken.difference = proof.difference(ground.mailbox);
            let [proved, means] = proof.readings;
            let is_proved = u64::from(taken.difference.is_none());
            ground.notes.add(proved, Scope::Child, is_proved);
            ground.notes.add(means, Scope::Child, proof.means as u64);
        }
        taken
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        if self.ignores {
            set_disposition(libc::SIG_DFL);
        }
        // In the order of things that were lent.
        if let Some(proof) = &mut self.proof {
            proof.spawner.end_turn();
        }
        self.timed.end_turn();
    }
}

/// What `sigdefault` resets in children, and is ignored while they are made.
const IGNORED: i32 = libc::SIGUSR2;

fn set_disposition(to: libc::sighandler_t) {
    // SAFETY: no handler is set.
    unsafe { libc::signal(IGNORED, to) };
}

/// A work that the kernel has refused as it was made ready.
struct NotPermitted(i32);

impl Task for NotPermitted {
    fn sample(&mut self, _: &mut Ground<'_>) -> Taken {
        Taken {
            start_ns: clock::now(),
            child: -(self.0 as isize),
            failure: Some((self.0, Stage::Action)),
            ..Taken::default()
        }
    }
}

/// What a fact is to be.
struct Check {
    action: Name,
    asked: u64,
    found: Found,
}

/// Where a fact stands.
enum Found {
    /// What a system call has returned.
    Result(usize),
    /// Eight bytes, so many bytes into a part.
    Word(Part, usize),
    /// Four bytes.
    Half(Part, usize),
    /// 1 where two system calls have returned the same.
    Same(usize, usize),
    /// How many descriptors a list from getdents64 has from [`FIRST`] on, beside that of the list.
    Listed { directory: usize, list: usize, part: Part },
    /// 1 where a text that was read has this in it.
    Says { read: usize, part: Part, text: String },
}

impl Proof {
    /// The first fact that is not as asked for. Allocates nothing.
    fn difference(&self, mailbox: &'static Mailbox) -> Option<Difference> {
        self.checks.iter().find_map(|check| check.difference(&self.questions, mailbox))
    }
}

impl Check {
    fn difference(&self, questions: &Questions, mailbox: &'static Mailbox) -> Option<Difference> {
        let found = self.found.value(questions, mailbox);
        let action = ACTIONS.iter().position(|row| row.name == self.action);
        (found != self.asked).then_some(Difference {
            action: action.unwrap_or(0) as u32,
            asked: self.asked,
            found,
        })
    }
}

/// The longest list or text that is looked at, in bytes.
const LONGEST: usize = 4096;

impl Found {
    fn value(&self, questions: &Questions, mailbox: &'static Mailbox) -> u64 {
        let mut bytes = [0; LONGEST];
        let result = |place: usize| questions.result(mailbox, place);
        match self {
            Found::Result(place) => result(*place) as u64,
            Found::Word(part, at) => {
                let bytes = questions.bytes(mailbox, *part, &mut bytes);
                u64::from_ne_bytes(bytes[*at..at + 8].try_into().expect("eight bytes"))
            }
            Found::Half(part, at) => {
                let bytes = questions.bytes(mailbox, *part, &mut bytes);
                u32::from_ne_bytes(bytes[*at..at + 4].try_into().expect("four bytes")).into()
            }
            Found::Same(one, other) => u64::from(result(*one) == result(*other)),
            Found::Listed { directory, list, part } => {
                let (own, read) = (result(*directory), result(*list));
                let bytes = questions.bytes(mailbox, *part, &mut bytes);
                match usize::try_from(read) {
                    Ok(read) if own >= 0 => listed(&bytes[..read.min(bytes.len())], own as u32),
                    _ => u64::MAX,
                }
            }
            Found::Says { read, part, text } => {
                let bytes = questions.bytes(mailbox, *part, &mut bytes);
                let read = usize::try_from(result(*read)).unwrap_or(0).min(bytes.len());
                let mut windows = bytes[..read].windows(text.len());
                u64::from(windows.any(|window| window == text.as_bytes()))
            }
        }
    }
}

/// How many names of a list of directory entries (linux_dirent64) are numbers from [`FIRST`] on, but
/// for `own`.
fn listed(mut list: &[u8], own: u32) -> u64 {
    let mut count = 0;
    while let (Some(length), Some(name)) = (list.get(16..18), list.get(19..)) {
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        let digits = name.iter().take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0_u32, |number, digit| {
            number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        });
        if number >= FIRST && number != own {
            count += 1;
        }
        list = list.get(length.max(19)..).unwrap_or_default();
    }
    count
}

/// Bytes of a struct stat: 144 on x86_64, 128 on aarch64. Its first two words are the device and the
/// inode on both.
const STAT: usize = 144;

/// The user and group of the least rights.
const NOBODY: u32 = 65_534;

/// A group that nobody has.
const GROUP: u32 = 65_533;

/// Soft limits of CPU time, in seconds, that no child comes near.
const SECONDS: [u64; 2] = [3600, 3599];

/// Actions, and how they are proved.
#[derive(Default)]
struct Plan {
    actions: Vec<Action>,
    questions: Questions,
    checks: Vec<Check>,
}

impl Plan {
    fn add(&mut self, name: Name, kit: &Kit<'_>, props: &Props) -> Result<(), Refusal> {
        let Plan { actions, questions, checks } = self;
        let mut check = |asked: u64, found: Found| {
            checks.push(Check { action: name, asked, found });
        };
        match name {
            Name::Dup2 | Name::Open | Name::Pipe => {
                let (to, file) = match name {
                    Name::Dup2 => (2, props.file.as_raw_fd()),
                    Name::Open => (0, props.file.as_raw_fd()),
                    _ => (1, props.writer.as_raw_fd()),
                };
                match name {
                    Name::Open => actions.push(Action::Open {
                        path: props.path.clone(),
                        flags: libc::O_RDONLY,
                        mode: 0,
                        to,
                    }),
                    _ => actions.push(Action::Dup2 { from: file, to }),
                }
                let part = questions.room(STAT);
                questions.ask(libc::SYS_fstat, &[to as usize, part.address()]);
                let [device, inode] = identity(file)?;
                check(device, Found::Word(part, 0));
                check(inode, Found::Word(part, 8));
                if name == Name::Pipe {
                    for end in [props.reader.as_raw_fd(), file] {
                        actions.push(Action::Close { descriptor: end });
                        let place =
                            questions.ask(libc::SYS_fcntl, &[end as usize, libc::F_GETFD as usize]);
                        let closed = -i64::from(libc::EBADF) as u64;
                        check(closed, Found::Result(place));
                    }
                }
            }
            Name::Chdir | Name::Fchdir => {
                actions.push(match name {
                    Name::Chdir => Action::Chdir { path: props.directory_path.clone() },
                    _ => Action::Fchdir { directory: props.directory.as_raw_fd() },
                });
                let (dot, part) = (questions.text(b".\0"), questions.room(STAT));
                let here = libc::AT_FDCWD as isize as usize;
                questions.ask(libc::SYS_newfstatat, &[here, dot.address(), part.address(), 0]);
                let [device, inode] = identity(props.directory.as_raw_fd())?;
                check(device, Found::Word(part, 0));
                check(inode, Found::Word(part, 8));
            }
            Name::Umask => {
                let mask = if own_umask() == 0o077 { 0o027 } else { 0o077 };
                actions.push(Action::Umask { mask });
                let place = questions.ask(libc::SYS_umask, &[0]);
                check(u64::from(mask), Found::Result(place));
            }
            Name::Setsid | Name::Setpgid => {
                let (action, asks) = match name {
                    Name::Setsid => (Action::Setsid, libc::SYS_getsid),
                    _ => (Action::Setpgid, libc::SYS_getpgid),
                };
                actions.push(action);
                let own = questions.ask(libc::SYS_getpid, &[]);
                let leader = questions.ask(asks, &[0]);
                check(1, Found::Same(own, leader));
            }
            Name::Sigdefault => {
                let all = !(bit(libc::SIGKILL) | bit(libc::SIGSTOP));
                actions.push(Action::SignalDefault { signals: all });
                let part = questions.room(32);
                let arguments = [IGNORED as usize, 0, part.address(), 8];
                let place = questions.ask(libc::SYS_rt_sigaction, &arguments);
                check(0, Found::Result(place));
                check(libc::SIG_DFL as u64, Found::Word(part, 0));
            }
            Name::Sigmask => {
                let mask = kit.mask ^ bit(libc::SIGUSR1);
                actions.push(Action::SignalMask { mask });
                let part = questions.room(8);
                questions.ask(libc::SYS_rt_sigprocmask, &[0, 0, part.address(), 8]);
                check(mask, Found::Word(part, 0));
            }
            Name::Setuid | Name::Setgid => {
                let (action, calls) = match name {
                    Name::Setuid => {
                        (Action::Setuid { user: NOBODY }, [libc::SYS_getuid, libc::SYS_geteuid])
                    }
                    _ => (Action::Setgid { group: NOBODY }, [libc::SYS_getgid, libc::SYS_getegid]),
                };
                actions.push(action);
                for call in calls {
                    let place = questions.ask(call, &[]);
                    check(u64::from(NOBODY), Found::Result(place));
                }
            }
            Name::Setgroups => {
                actions.push(Action::Setgroups { groups: vec![GROUP] });
                let part = questions.room(8);
                let place = questions.ask(libc::SYS_getgroups, &[2, part.address()]);
                check(1, Found::Result(place));
                check(u64::from(GROUP), Found::Half(part, 0));
            }
            Name::Rlimit => {
                let own = own_limit();
                let soft = SECONDS.map(|seconds| seconds.min(own.rlim_max));
                let soft = if soft[0] == own.rlim_cur { soft[1] } else { soft[0] };
                let limits = [soft, own.rlim_max];
                let resource = libc::RLIMIT_CPU;
                actions.push(Action::Rlimit { resource, limits });
                let part = questions.room(16);
                questions.ask(libc::SYS_prlimit64, &[0, resource as usize, 0, part.address()]);
                check(limits[0], Found::Word(part, 0));
                check(limits[1], Found::Word(part, 8));
            }
            Name::Nice | Name::NiceUp => {
                let by = if name == Name::Nice { 5 } else { -5 };
                let nice = (own_nice() + by).clamp(-20, 19);
                actions.push(Action::Priority { nice });
                let process = libc::PRIO_PROCESS as usize;
                let place = questions.ask(libc::SYS_getpriority, &[process, 0]);
                // The system call returns 20 less the nice value.
                check((20 - nice) as u64, Found::Result(place));
            }
            Name::Affinity => {
                let mask = words_of(&kit.job.cpus);
                let part = questions.room(128);
                questions.ask(libc::SYS_sched_getaffinity, &[0, 128, part.address()]);
                for (i, word) in mask.iter().enumerate() {
                    check(*word, Found::Word(part, 8 * i));
                }
                actions.push(Action::Affinity { mask });
            }
            Name::Pdeathsig => {
                let signal = libc::SIGTERM;
                actions.push(Action::DeathSignal { signal });
                let part = questions.room(8);
                let asks = libc::PR_GET_PDEATHSIG as usize;
                questions.ask(libc::SYS_prctl, &[asks, part.address(), 0, 0, 0]);
                check(signal as u64, Found::Half(part, 0));
            }
            Name::Cgroup => {
                let Some(place) = &props.cgroup else { return Ok(()) };
                actions.push(Action::Cgroup {
                    directory: place.directory.as_raw_fd(),
                    procs: place.procs.as_raw_fd(),
                });
                let path = questions.text(b"/proc/self/cgroup\0");
                let part = questions.room(LONGEST);
                let here = libc::AT_FDCWD as isize as usize;
                questions.ask(libc::SYS_openat, &[here, path.address(), 0, 0]);
                let read = questions.ask(libc::SYS_read, &[LAST, part.address(), LONGEST]);
                let text = format!("/{}\n", place.made.name());
                check(1, Found::Says { read, part, text });
            }
            Name::CloseLoop | Name::CloseWalk | Name::CloseRange => {
                actions.push(match name {
                    Name::CloseLoop => Action::CloseLoop { first: FIRST, end: kit.work.nofile },
                    Name::CloseWalk => Action::CloseWalk { first: FIRST },
                    _ => Action::CloseRange { first: FIRST },
                });
                let path = questions.text(b"/proc/self/fd\0");
                let part = questions.room(LONGEST);
                let flags = (libc::O_RDONLY | libc::O_DIRECTORY) as usize;
                let here = libc::AT_FDCWD as isize as usize;
                let directory = questions.ask(libc::SYS_openat, &[here, path.address(), flags, 0]);
                let list = questions.ask(libc::SYS_getdents64, &[LAST, part.address(), LONGEST]);
                check(0, Found::Listed { directory, list, part });
            }
        }
        Ok(())
    }
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// The processors as the kernel takes a set of them.
fn words_of(cpus: &[u32]) -> Vec<u64> {
    let words = cpus.iter().max().map_or(1, |cpu| *cpu as usize / 64 + 1);
    let mut mask = vec![0; words.min(16)];
    for cpu in cpus {
        if let Some(word) = mask.get_mut(*cpu as usize / 64) {
            *word |= 1 << (cpu % 64);
        }
    }
    mask
}

fn own_umask() -> u32 {
    // SAFETY: sets the umask and puts it back; a subject has no other thread that makes files.
    unsafe {
        let own = libc::umask(0o077);
        libc::umask(own);
        own
    }
}

fn own_limit() -> libc::rlimit {
    // SAFETY: an rlimit may be all zeroes; it lives through the call.
    unsafe {
        let mut limit: libc::rlimit = mem::zeroed();
        libc::getrlimit(libc::RLIMIT_CPU, &mut limit);
        limit
    }
}

fn own_nice() -> i32 {
    // SAFETY: asks for a number.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Device and inode of an open file.
fn identity(descriptor: RawFd) -> Result<[u64; 2], Refusal> {
    // SAFETY: a stat may be all zeroes; it lives through the call.
    unsafe {
        let mut stat: libc::stat = mem::zeroed();
        match libc::fstat(descriptor, &mut stat) {
            0 => Ok([stat.st_dev, stat.st_ino]),
            _ => Err(Refusal::last("cannot look at a descriptor")),
        }
    }
}

/// What actions are done with: one for all tasks of a subject, since each descriptor would be copied
/// by every birth.
struct Props {
    /// A file, and its path.
    file: File,
    path: CString,
    /// A directory in which nobody is, and its path.
    directory: File,
    directory_path: CString,
    /// A pipe whose ends are inherited by an exec.
    reader: PipeReader,
    writer: PipeWriter,
    cgroup: Option<Place>,
}

/// A cgroup to go into.
struct Place {
    made: cgroup::Made,
    directory: File,
    procs: File,
}

thread_local! {
    static PROPS: RefCell<Weak<Props>> = const { RefCell::new(Weak::new()) };
    static CGROUP_PROPS: RefCell<Weak<Props>> = const { RefCell::new(Weak::new()) };
}

impl Props {
    fn of(kit: &Kit<'_>) -> Result<Rc<Props>, Refusal> {
        let in_cgroup = kit.work.actions.0.contains(&Name::Cgroup);
        let made = if in_cgroup { &CGROUP_PROPS } else { &PROPS };
        made.with(|made| {
            if let Some(props) = made.borrow().upgrade() {
                return Ok(props);
            }
            let props = Rc::new(Props::new(&kit.job.noop, in_cgroup)?);
            *made.borrow_mut() = Rc::downgrade(&props);
            Ok(props)
        })
    }

    fn new(noop: &str, in_cgroup: bool) -> Result<Props, Refusal> {
        let refuse = |error: Error| Refusal {
            errno: 0,
            reason: format!("cannot open what actions are done with: {error}"),
        };
        let path = Path::new(noop);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).map_err(refuse)?;
        let c_path = |path: &Path| {
            CString::new(path.as_os_str().as_bytes())
                .map_err(|_| refuse(io::ErrorKind::InvalidInput.into()))
        };
        let (reader, writer) = io::pipe().map_err(refuse)?;
        for end in [reader.as_raw_fd(), writer.as_raw_fd()] {
            // SAFETY: a system call with numbers.
            unsafe { libc::fcntl(end, libc::F_SETFD, 0) };
        }
        let cgroup = match in_cgroup {
            false => None,
            true => {
                let made = cgroup::Made::new()?;
                Some(Place {
                    directory: cgroup::open(made.directory())?,
                    procs: cgroup::procs(made.directory())?,
                    made,
                })
            }
        };
        Ok(Props {
            file: File::open(path).map_err(refuse)?,
            path: c_path(path)?,
            directory: File::open(&parent).map_err(refuse)?,
            directory_path: c_path(&parent)?,
            reader,
            writer,
            cgroup,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::measure::image::{self, MAILBOX_BYTES};
    use crate::measure::job::Job;
    use crate::measure::mechanism;
    use crate::measure::tape::{self, PROTOCOL};

    /// A mailbox as a subject has it, but for its number.
    fn mailbox() -> (std::os::fd::OwnedFd, &'static Mailbox) {
        let memfd = tape::memfd(c"forkbench-test").unwrap();
        // SAFETY: a fresh memfd of that size, mapped shared and never unmapped.
        let mailbox = unsafe {
            assert_eq!(libc::ftruncate(memfd.as_raw_fd(), MAILBOX_BYTES as i64), 0);
            let page = libc::mmap(
                std::ptr::null_mut(),
                MAILBOX_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                memfd.as_raw_fd(),
                0,
            );
            assert_ne!(page, libc::MAP_FAILED);
            &*page.cast::<Mailbox>()
        };
        (memfd, mailbox)
    }

    fn job(directory: &Path) -> Job {
        Job {
            protocol: PROTOCOL,
            seed: 0,
            launch: 0,
            cpu: None,
            cpus: vec![0],
            noop: directory.join(image::NOOP).to_str().unwrap().to_owned(),
            search: String::new(),
            scrub_bytes: 0,
            without_bill: false,
            shape: Shape::default(),
            variants: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// What the witness says is not as asked, after these actions.
    fn differences(kit: &Kit<'_>, plan: &Plan, memfd: RawFd, actions: &[Action]) -> Vec<String> {
        let mut all = vec![Action::Dup2 { from: memfd, to: MAILBOX }];
        all.extend_from_slice(actions);
        let target = Target::Exec(kit.beside(WITNESS).unwrap(), vec![c"noop".to_owned()]);
        let extras = Extras { actions: all, ..Extras::default() };
        let mut spawner = kit.spawner_for(target, extras).unwrap();
        kit.mailbox.clear();
        plan.questions.put(kit.mailbox);
        let child = spawner.birth();
        assert!(child > 0, "{child}");
        assert_eq!(spawner.reap(child, None), Ok(0), "{:?}", kit.mailbox.read());
        assert!(kit.mailbox.read().image_ns.is_some());
        let checks = plan.checks.iter();
        checks
            .filter_map(|check| check.difference(&plan.questions, kit.mailbox))
            .map(|difference| format!("{difference:?}"))
            .collect()
    }

    #[test]
    fn what_is_proved_is_not_so_without_the_action() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        image::write_all(directory.path()).unwrap();
        let (memfd, mailbox) = mailbox();
        let job = job(directory.path());
        // SAFETY: asks for a number.
        let is_root = unsafe { libc::geteuid() } == 0;
        let may_group = is_root && cgroup::own().is_ok();
        let one_processor = std::thread::available_parallelism().is_ok_and(|n| n.get() == 1);
        let became = crate::measure::shape::become_(&job.shape, &[], false, || ()).unwrap();
        set_disposition(libc::SIG_IGN);
        for row in ACTIONS {
            let rights = [Name::Setuid, Name::Setgid, Name::Setgroups, Name::NiceUp];
            if (rights.contains(&row.name) && !is_root)
                || (row.name == Name::Cgroup && !may_group)
                || (row.name == Name::Affinity && one_processor)
            {
                println!("skipped: {}", row.word);
                continue;
            }
            let work = Work {
                mechanism: "clone3".to_owned(),
                actions: row.word.parse().unwrap(),
                ..Work::default()
            };
            let mechanism = mechanism::find("clone3").unwrap();
            let kit = Kit { job: &job, work: &work, mechanism, mailbox, mask: 0, became: &became };
            let props = Props::of(&kit).unwrap();
            let mut plan = Plan::default();
            plan.add(row.name, &kit, &props).unwrap();
            let memfd = memfd.as_raw_fd();
            let without = differences(&kit, &plan, memfd, &[]);
            assert!(!without.is_empty(), "{} is so without it", row.word);
            let with = differences(&kit, &plan, memfd, &plan.actions.clone());
            assert!(with.is_empty(), "{}: {with:?}", row.word);
        }
        set_disposition(libc::SIG_DFL);
    }

    #[test]
    fn a_list_of_descriptors_is_counted_from_the_first_that_is_closed() {
        let mut list = Vec::new();
        for name in ["..", "0", "3", "4", "17", "250"] {
            let mut record = vec![0; 19];
            record.extend(name.as_bytes());
            record.resize((record.len() + 1).next_multiple_of(8), 0);
            let length = record.len() as u16;
            record[16..18].copy_from_slice(&length.to_ne_bytes());
            list.extend(record);
        }
        assert_eq!((listed(&list, 17), listed(&list, 9), listed(&[], 0)), (2, 3, 0));
    }

    #[test]
    fn sets_of_processors_are_words_of_bits() {
        assert_eq!(words_of(&[0, 1]), [3]);
        assert_eq!(words_of(&[1, 64, 70]), [2, 0x41]);
        assert_eq!(words_of(&[]), [0]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_do() {
        let vfork = mechanism::find("vfork").unwrap();
        let spawn = mechanism::find("posix_spawn").unwrap();
        let work = |actions: &str, nofile: u32| Work {
            actions: actions.parse().unwrap(),
            nofile,
            ..Work::default()
        };
        let shape = Shape { fds: 5000, ..Shape::default() };
        for (shape, work, mechanism, words) in [
            (&shape, work("close-loop", 1024), vfork, ["nofile=1024", "nofile=5256"]),
            (&Shape::default(), work("close-loop", 100_000), spawn, ["file action", "65536"]),
            (&Shape::default(), work("umask", 1024), spawn, ["umask", "neither"]),
            (&shape, work("chdir+setuid", 1024), spawn, ["setuid", "RESETIDS"]),
        ] {
            let why = can(shape, &work, mechanism).unwrap_err().reason;
            assert!(words.iter().all(|word| why.contains(word)), "{why}");
        }
        assert_eq!(can(&shape, &work("close-loop", 5256), vfork), Ok(()));
        assert_eq!(can(&shape, &work("dup2+close-range", 1024), spawn), Ok(()));
    }
}
