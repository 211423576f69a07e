//! Verdicts on real processes: one that hangs, and many that only look like it.
//!
//! # Safety
//!
//! A child of this process, which has threads, makes raw system calls only, and ends by one.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fs;
use std::os::unix::fs::FileExt;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::call::Call;
use super::look::{Owner, Signals, State, children_of_thread, is_child};
use super::sharing::Sharing;
use super::*;
use crate::measure::raw::syscall6;

/// A state that is waited for has come by then, on however slow a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// For ever, as a test goes.
static LONG: libc::timespec = libc::timespec { tv_sec: 1000, tv_nsec: 0 };

/// How every word starts, and with what it is waited for.
const HELD: u32 = 2;

/// _LINUX_CAPABILITY_VERSION_3 of `linux/capability.h`.
const CAPABILITIES_OF_64_BITS: u32 = 0x2008_0522;

/// As a pthread_mutex_t is laid out: the word, a count, the thread that holds it.
#[repr(C)]
struct Lock {
    word: AtomicU32,
    count: AtomicU32,
    owner: AtomicU32,
}

impl Lock {
    const fn held() -> Lock {
        Lock { word: AtomicU32::new(HELD), count: AtomicU32::new(1), owner: AtomicU32::new(0) }
    }
}

/// A word that nobody ever changes.
static HELD_FOR_EVER: AtomicU32 = AtomicU32::new(HELD);

// ---- what is proven ----

#[test]
fn a_wait_for_a_word_that_nobody_can_change_is_proven() {
    let child = born(wait_for_ever);
    let (first, second) = judged(child.0, Verdict::Proven);
    assert_eq!(second.futex(), Some(HELD_FOR_EVER.as_ptr() as u64));
    let text = evidence(child.0, &first, &second, Verdict::Proven);
    for part in [
        "proven; process ",
        " state S, and ",
        "system call futex(0x",
        "FUTEX_WAIT|PRIVATE, 0x2, 0x0",
        " is 2: it was 2, then 2; it lies in ",
        "::tests::HELD_FOR_EVER+0x0 (mapping rw-p ",
        "memory shared with no other process (kcmp)",
        "no POSIX timer",
        "1 thread(s)",
        "SIGALRM blocked or ignored",
        "stack, innermost first: ",
        "::tests::wait_for_ever+0x",
        "::tests::born_with+0x",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains('\n') && text.len() <= 4000, "{text}");
}

#[test]
fn a_wait_for_several_words_is_proven() {
    let child = born(|| {
        let waiter = |word: &AtomicU32| {
            let flags = u64::from(2u32 | libc::FUTEX_PRIVATE_FLAG as u32);
            [u64::from(HELD), word.as_ptr() as u64, flags]
        };
        static OTHER: AtomicU32 = AtomicU32::new(HELD);
        let waiters = [waiter(&HELD_FOR_EVER), waiter(&OTHER)];
        call(libc::SYS_futex_waitv, [waiters.as_ptr() as usize, waiters.len(), 0, 0, 0, 0]);
    });
    // Before Linux 5.16 there is no such call, and the child ends at once.
    if eventually(|| Some(look(child.0)).filter(|look| ended(look) || look.futex().is_some()))
        .futex()
        .is_some()
    {
        judged(child.0, Verdict::Proven);
    }
}

#[test]
fn a_mutex_of_a_thread_that_the_child_does_not_have_is_proven_with_its_owner() {
    static MUTEX: Mutex = Mutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
    struct Mutex(UnsafeCell<libc::pthread_mutex_t>);
    // SAFETY: a mutex is made to be shared.
    unsafe impl Sync for Mutex {}

    let (says, heard) = mpsc::channel();
    let (let_go, wait_to_let_go) = mpsc::channel::<()>();
    let holder = thread::spawn(move || {
        // SAFETY: a mutex that was initialised and is not moved; this thread unlocks it.
        unsafe { libc::pthread_mutex_lock(MUTEX.0.get()) };
        says.send(own_tid()).unwrap();
        let _ = wait_to_let_go.recv();
        // SAFETY: this thread has locked it.
        unsafe { libc::pthread_mutex_unlock(MUTEX.0.get()) };
    });
    let tid = heard.recv().unwrap();
    let child = born(|| {
        // SAFETY: this is what hangs.
        unsafe { libc::pthread_mutex_lock(MUTEX.0.get()) };
    });
    let (first, second) = judged(child.0, Verdict::Proven);
    let text = evidence(child.0, &first, &second, Verdict::Proven);
    drop(child);
    drop(let_go);
    holder.join().unwrap();
    let parent = std::process::id();
    let expected =
        format!("the word at +8 is {tid}, a thread of its parent {parent}, which it does not");
    assert!(text.contains(&expected), "no `{expected}` in {text}");
}

/// Of a child that is born without fork's handlers: they make locks of files anew.
#[cfg(target_env = "gnu")]
#[test]
fn a_file_that_another_thread_has_locked_is_proven_with_its_owner() {
    unsafe extern "C" {
        fn flockfile(file: *mut libc::FILE);
        fn funlockfile(file: *mut libc::FILE);
    }
    // SAFETY: two strings, and a file that nobody closes before its lock is gone.
    let file = unsafe { libc::fopen(c"/dev/null".as_ptr(), c"r".as_ptr()) };
    let address = file as usize;
    let (says, heard) = mpsc::channel();
    let (let_go, wait_to_let_go) = mpsc::channel::<()>();
    let holder = thread::spawn(move || {
        // SAFETY: the file is open.
        unsafe { flockfile(address as *mut libc::FILE) };
        says.send(own_tid()).unwrap();
        let _ = wait_to_let_go.recv();
        // SAFETY: this thread has locked it.
        unsafe { funlockfile(address as *mut libc::FILE) };
    });
    let tid = heard.recv().unwrap();
    let child = match call(libc::SYS_clone, [libc::SIGCHLD as usize, 0, 0, 0, 0, 0]) {
        0 => {
            end_with_parent();
            block_signals();
            // SAFETY: this is what hangs.
            unsafe { flockfile(file) };
            end()
        }
        pid => Child(pid as i32),
    };
    let (first, second) = judged(child.0, Verdict::Proven);
    let text = evidence(child.0, &first, &second, Verdict::Proven);
    drop(child);
    drop(let_go);
    holder.join().unwrap();
    // SAFETY: opened above, and locked by nobody.
    unsafe { libc::fclose(file) };
    let expected =
        format!("the thread to which the pointer at +8 points is {tid}, a thread of its");
    assert!(text.contains(&expected), "no `{expected}` in {text}");
}

#[test]
fn a_child_with_its_parents_memory_is_proven_if_its_suspended_caller_holds_the_lock() {
    static LOCK: Lock = Lock::held();
    static CHILD: AtomicI32 = AtomicI32::new(0);
    let caller = thread::spawn(|| {
        LOCK.owner.store(own_tid() as u32, Ordering::Relaxed);
        let mut stack = Stack::new();
        stack.clone(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, suspended_child)
    });
    extern "C" fn suspended_child(_: *mut libc::c_void) -> i32 {
        end_with_parent();
        block_signals();
        CHILD.store(call(libc::SYS_getpid, [0; 6]) as i32, Ordering::Release);
        wait_while(&LOCK.word, HELD, libc::FUTEX_PRIVATE_FLAG, None);
        end()
    }
    let child = Child(eventually(|| Some(CHILD.load(Ordering::Acquire)).filter(|pid| *pid > 0)));
    judged(child.0, Verdict::Proven);
    // The lock of a thread that runs on can be released.
    LOCK.owner.store(own_tid() as u32, Ordering::Relaxed);
    judged(child.0, Verdict::Unproven(Kind::Shared));
    drop(child);
    caller.join().unwrap();
}

#[test]
fn a_child_with_the_memory_of_a_parent_that_is_wholly_suspended_is_proven() {
    let parent = born(|| {
        let mut stack = Stack::new();
        stack.clone(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, waits_for_ever);
    });
    let child = eventually(|| children_of_thread(parent.0, parent.0)?.first().copied());
    let (first, second) = judged(child, Verdict::Proven);
    let text = evidence(child, &first, &second, Verdict::Proven);
    let expected = format!("thread {} of its parent, the only one, is suspended", parent.0);
    assert!(text.contains(&expected), "no `{expected}` in {text}");
    // SAFETY: the child of a child of ours that is suspended until this one ends.
    unsafe { libc::kill(child, libc::SIGKILL) };
}

// ---- what only looks like it ----

#[test]
fn a_child_that_sleeps_is_not_proven() {
    let child = born(|| {
        call(libc::SYS_nanosleep, [&raw const LONG as usize, 0, 0, 0, 0, 0]);
    });
    judged(child.0, Verdict::Unproven(Kind::Sleep));
}

#[test]
fn a_child_that_spins_is_not_proven() {
    let child = born(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    judged(child.0, Verdict::Unproven(Kind::Spin));
}

#[test]
fn a_child_that_reads_a_pipe_is_not_proven() {
    static END: AtomicI32 = AtomicI32::new(0);
    let mut ends = [0; 2];
    // SAFETY: the array takes two descriptors.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    END.store(ends[0], Ordering::Relaxed);
    let child = born(|| {
        let mut byte = 0u8;
        let end = END.load(Ordering::Relaxed) as usize;
        call(libc::SYS_read, [end, &raw mut byte as usize, 1, 0, 0, 0]);
    });
    judged(child.0, Verdict::Unproven(Kind::Pipe));
    drop(child);
    for end in ends {
        // SAFETY: opened above, and used by nobody any more.
        unsafe { libc::close(end) };
    }
}

#[test]
fn a_child_that_is_stopped_is_not_proven_even_in_a_wait_for_a_word() {
    let child = born(wait_for_ever);
    judged(child.0, Verdict::Proven);
    // SAFETY: a child of ours that was not reaped.
    unsafe { libc::kill(child.0, libc::SIGSTOP) };
    judged(child.0, Verdict::Unproven(Kind::Stopped));
    // SAFETY: as above.
    unsafe { libc::kill(child.0, libc::SIGCONT) };
    judged(child.0, Verdict::Proven);
}

#[test]
fn a_child_that_waits_with_a_limit_again_and_again_is_not_proven() {
    let child = born(|| {
        let limit = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        loop {
            wait_while(&HELD_FOR_EVER, HELD, libc::FUTEX_PRIVATE_FLAG, Some(&limit));
        }
    });
    judged(child.0, Verdict::Unproven(Kind::BackOff));
}

#[test]
fn a_child_that_waits_with_a_long_limit_is_not_proven() {
    let child = born(|| wait_while(&HELD_FOR_EVER, HELD, libc::FUTEX_PRIVATE_FLAG, Some(&LONG)));
    judged(child.0, Verdict::Unproven(Kind::BackOff));
}

#[test]
fn a_child_with_an_alarm_is_not_proven() {
    let child = born_hearing(|| {
        let alarm = [0i64, 0, LONG.tv_sec, 0];
        let arguments = [libc::ITIMER_REAL as usize, alarm.as_ptr() as usize, 0, 0, 0, 0];
        call(libc::SYS_setitimer, arguments);
        wait_for_ever();
    });
    judged(child.0, Verdict::Unproven(Kind::Timer));
}

#[test]
fn a_child_with_a_posix_timer_is_not_proven() {
    let child = born(|| {
        let mut timer = 0i32;
        let arguments = [libc::CLOCK_MONOTONIC as usize, 0, &raw mut timer as usize, 0, 0, 0];
        call(libc::SYS_timer_create, arguments);
        wait_for_ever();
    });
    judged(child.0, Verdict::Unproven(Kind::Timer));
}

#[test]
fn a_child_with_its_parents_memory_is_not_proven_while_the_parent_lives() {
    let mut stack = Stack::new();
    let child = Child(stack.clone(libc::CLONE_VM | libc::SIGCHLD, waits_for_ever));
    judged(child.0, Verdict::Unproven(Kind::Shared));
}

#[test]
fn a_child_that_waits_for_a_word_in_shared_memory_is_not_proven() {
    static WORD: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: new memory, which is unmapped below.
    let memory = unsafe { libc::mmap(ptr::null_mut(), 4096, rights, flags, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED);
    WORD.store(memory.cast(), Ordering::Relaxed);
    let child = born(|| {
        // SAFETY: mapped above, in both processes.
        let word = unsafe { &*WORD.load(Ordering::Relaxed) };
        word.store(HELD, Ordering::Relaxed);
        wait_while(word, HELD, 0, None);
    });
    judged(child.0, Verdict::Unproven(Kind::Shared));
    drop(child);
    // SAFETY: mapped above; the child has ended.
    unsafe { libc::munmap(memory, 4096) };
}

#[test]
fn a_child_whose_word_has_changed_is_not_proven() {
    let child = born(wait_for_ever);
    judged(child.0, Verdict::Proven);
    let memory = fs::File::options().write(true).open(format!("/proc/{}/mem", child.0)).unwrap();
    memory.write_all_at(&7u32.to_ne_bytes(), HELD_FOR_EVER.as_ptr() as u64).unwrap();
    judged(child.0, Verdict::Unproven(Kind::Other));
}

#[test]
fn a_child_with_another_thread_is_not_proven() {
    let child = born(|| {
        let mut stack = Stack::new();
        let thread = libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_VM | libc::CLONE_FS;
        stack.clone(thread, waits_for_ever);
        wait_for_ever();
    });
    let (_, second) = judged(child.0, Verdict::Unproven(Kind::Shared));
    let tids: Vec<i32> = second.tasks.iter().copied().filter(|tid| *tid != child.0).collect();
    let [tid] = tids[..] else { panic!("{tids:?}") };
    let expected = Some(HELD_FOR_EVER.as_ptr() as u64);
    eventually(|| (look_at_thread(child.0, tid).futex() == expected).then_some(()));
}

#[test]
fn a_child_with_a_living_child_of_its_own_is_not_proven() {
    let child = born(|| {
        // SAFETY: the child goes on as this one.
        unsafe { libc::fork() };
        end_with_parent();
        wait_for_ever();
    });
    let grandchild = eventually(|| children_of_thread(child.0, child.0)?.first().copied());
    assert!(is_child(grandchild, child.0) && !is_child(grandchild, std::process::id() as i32));
    judged(child.0, Verdict::Unproven(Kind::Other));
    judged(grandchild, Verdict::Proven);
    // SAFETY: a child of a child of ours, which does not reap it.
    unsafe { libc::kill(grandchild, libc::SIGKILL) };
    judged(grandchild, Verdict::Ended);
    judged(child.0, Verdict::Proven);
}

#[test]
fn a_child_that_may_not_be_read_is_not_proven() {
    let child = born(|| {
        call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0, 0]);
        wait_for_ever();
    });
    judged_by(child.0, Verdict::Unproven(Kind::Unreadable), || {
        // Root may read everything: here a thread of its own gives up its capabilities, by a raw
        // system call, which does not speak for the others.
        let pid = child.0;
        let looks = thread::spawn(move || {
            let (header, none) = ([CAPABILITIES_OF_64_BITS, 0], [0u32; 6]);
            let arguments = [header.as_ptr() as usize, none.as_ptr() as usize, 0, 0, 0, 0];
            assert_eq!(call(libc::SYS_capset, arguments), 0);
            pair(pid)
        });
        looks.join().unwrap()
    });
}

#[test]
fn one_that_has_ended_or_was_never_there_has_ended() {
    let child = born(|| {});
    judged(child.0, Verdict::Ended);
    let pid = child.0;
    drop(child);
    let (first, second) = pair(pid);
    assert_eq!(judge(&first, &second, true), Verdict::Ended);
    assert!(evidence(pid, &first, &second, Verdict::Ended).starts_with("ended; process "));
}

// ---- each fact for itself ----

#[test]
fn each_fact_that_a_proof_needs_is_asked_for() {
    let child = born(wait_for_ever);
    let (first, second) = judged(child.0, Verdict::Proven);
    let unproven = |kind| Verdict::Unproven(kind);
    type Spoil = (&'static str, fn(&mut Look), Verdict);
    let spoils: [Spoil; 21] = [
        ("nothing", |_| {}, Verdict::Proven),
        ("ended", |look| look.state = State::Ended, Verdict::Ended),
        ("another", |look| look.born += 1, Verdict::Ended),
        ("hidden", |look| look.state = State::Hidden, unproven(Kind::Unreadable)),
        ("runs", |look| look.state = State::Shown('R'), Verdict::Moving),
        ("call", |look| look.call = Call::Running, Verdict::Moving),
        ("nanoseconds", |look| *look.motion.cpu_ns.as_mut().unwrap() += 1, Verdict::Moving),
        ("voluntary", |look| *look.motion.voluntary.as_mut().unwrap() += 1, Verdict::Moving),
        ("forced", |look| *look.motion.forced.as_mut().unwrap() += 1, Verdict::Moving),
        ("threads", |look| look.tasks.push(1), unproven(Kind::Shared)),
        ("no threads", |look| look.tasks.clear(), unproven(Kind::Unreadable)),
        ("signals", |look| look.signals = None, unproven(Kind::Unreadable)),
        ("word", |look| wait(look).words[0].found = Some(0), unproven(Kind::Other)),
        ("words", |look| wait(look).words.clear(), unproven(Kind::Unreadable)),
        ("mapping", |look| wait(look).words[0].mapping = None, unproven(Kind::Unreadable)),
        (
            "rights",
            |look| wait(look).words[0].mapping.as_mut().unwrap().rights = "r--p".to_owned(),
            unproven(Kind::Shared),
        ),
        ("lock", |look| wait(look).words[0].awaited = None, unproven(Kind::Shared)),
        (
            "owner",
            |look| {
                wait(look).words[0].awaited = None;
                wait(look).owner = Some(Owner { tid: 1, lives: true });
            },
            unproven(Kind::Shared),
        ),
        ("memory", |look| wait(look).sharing = Sharing::With(vec![1]), unproven(Kind::Shared)),
        ("timers", |look| wait(look).timers = Some(1), unproven(Kind::Timer)),
        ("children", |look| wait(look).children.push(1), unproven(Kind::Other)),
    ];
    for (what, spoil, expected) in spoils {
        let mut spoilt = second.clone();
        spoil(&mut spoilt);
        assert_eq!(judge(&first, &spoilt, true), expected, "{what}, in the second look");
        let mut spoilt = first.clone();
        spoil(&mut spoilt);
        let proven = judge(&spoilt, &second, true) == Verdict::Proven;
        assert_eq!(proven, expected == Verdict::Proven, "{what}, in the first look");
    }
    let mut soon = second.clone();
    soon.at = first.at + Duration::from_millis(1);
    assert_eq!(judge(&first, &soon, true), Verdict::Moving, "the looks are too near");
}

#[test]
fn what_the_kernel_does_not_say_is_known_from_the_birth_and_the_signals() {
    let child = born(wait_for_ever);
    let (first, second) = judged(child.0, Verdict::Proven);
    let both = |change: fn(&mut Look)| {
        let (mut first, mut second) = (first.clone(), second.clone());
        change(&mut first);
        change(&mut second);
        move |copied| judge(&first, &second, copied)
    };
    let no_kcmp = both(|look| wait(look).sharing = Sharing::Unknown);
    assert_eq!(no_kcmp(true), Verdict::Proven);
    assert_eq!(no_kcmp(false), Verdict::Unproven(Kind::Shared));
    let no_timers = both(|look| wait(look).timers = None);
    assert_eq!(no_timers(true), Verdict::Proven, "all signals are blocked");
    let hears_one = both(|look| {
        wait(look).timers = None;
        look.signals = Some(Signals { blocked: !(1 << (libc::SIGUSR1 - 1)), ignored: 0 });
    });
    assert_eq!(hears_one(true), Verdict::Unproven(Kind::Timer));
    let owner_is_gone = both(|look| {
        wait(look).words[0].awaited = None;
        wait(look).owner = Some(Owner { tid: 1, lives: false });
    });
    assert_eq!(owner_is_gone(true), Verdict::Proven);
}

fn wait(look: &mut Look) -> &mut super::look::Wait {
    look.wait.as_mut().unwrap()
}

// ---- looking ----

/// Looks at a process in pairs until the verdict is as expected. It must not be called proven on the
/// way.
fn judged(pid: i32, expected: Verdict) -> (Look, Look) {
    judged_by(pid, expected, || pair(pid))
}

fn judged_by(pid: i32, expected: Verdict, pair: impl Fn() -> (Look, Look)) -> (Look, Look) {
    let start = Instant::now();
    loop {
        let (first, second) = pair();
        let verdict = judge(&first, &second, false);
        if verdict == expected {
            return (first, second);
        }
        // A stop and an end are not there at once.
        let late = matches!(expected, Verdict::Ended | Verdict::Unproven(Kind::Stopped));
        let false_alarm = verdict == Verdict::Proven && !late;
        assert!(
            !false_alarm && start.elapsed() < PATIENCE,
            "expected {expected}: {}",
            evidence(pid, &first, &second, verdict)
        );
    }
}

fn pair(pid: i32) -> (Look, Look) {
    let first = look(pid);
    thread::sleep(Duration::from_millis(15));
    (first, look(pid))
}

fn ended(look: &Look) -> bool {
    look.state == State::Ended
}

fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "it did not come");
        thread::sleep(Duration::from_millis(1));
    }
}

// ---- children ----

/// A child, killed and reaped at the end.
struct Child(i32);

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: a child of ours that was not reaped yet.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, ptr::null_mut(), 0);
        }
    }
}

/// A child with memory of its own that hears no signal.
fn born(act: fn()) -> Child {
    born_with(block_signals, act)
}

/// A child with memory of its own that hears every signal.
fn born_hearing(act: fn()) -> Child {
    born_with(|| {}, act)
}

fn born_with(prepare: fn(), act: fn()) -> Child {
    // SAFETY: the child makes raw system calls only, and ends by one.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            end_with_parent();
            prepare();
            act();
            end()
        }
        pid => Child(pid),
    }
}

/// Memory for the stack of a task that shares its parent's memory.
struct Stack([u8; 64 << 10]);

impl Stack {
    fn new() -> Stack {
        Stack([0; 64 << 10])
    }

    /// A task that runs `act` on this stack.
    fn clone(&mut self, flags: i32, act: extern "C" fn(*mut libc::c_void) -> i32) -> i32 {
        let top = self.0.as_mut_ptr_range().end;
        let top = top.wrapping_sub(top as usize % 16).cast();
        // SAFETY: the stack outlives the task, which makes raw system calls only.
        unsafe { libc::clone(act, top, flags, ptr::null_mut()) }
    }
}

extern "C" fn waits_for_ever(_: *mut libc::c_void) -> i32 {
    end_with_parent();
    block_signals();
    wait_for_ever();
    end()
}

fn wait_for_ever() {
    wait_while(&HELD_FOR_EVER, HELD, libc::FUTEX_PRIVATE_FLAG, None);
}

fn wait_while(word: &AtomicU32, value: u32, flags: i32, limit: Option<&libc::timespec>) {
    let limit = limit.map_or(ptr::null(), ptr::from_ref) as usize;
    let operation = (libc::FUTEX_WAIT | flags) as usize;
    call(libc::SYS_futex, [word.as_ptr() as usize, operation, value as usize, limit, 0, 0]);
}

/// Lets the kernel kill it when the thread that gave birth to it ends, by a failed test too.
fn end_with_parent() {
    let arguments = [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0, 0];
    call(libc::SYS_prctl, arguments);
}

fn block_signals() {
    let all = u64::MAX;
    let arguments = [libc::SIG_SETMASK as usize, &raw const all as usize, 0, 8, 0, 0];
    call(libc::SYS_rt_sigprocmask, arguments);
}

fn own_tid() -> i32 {
    call(libc::SYS_gettid, [0; 6]) as i32
}

fn end() -> ! {
    loop {
        call(libc::SYS_exit, [0; 6]);
    }
}

fn call(number: libc::c_long, arguments: [usize; 6]) -> isize {
    // SAFETY: the callers above pass pointers to what lives through the call.
    unsafe { syscall6(number, arguments) }
}
