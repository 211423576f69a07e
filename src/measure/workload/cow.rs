//! Copy-on-write: what is paid for memory that is written after a fork has left it to be copied.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::measure::clock;
use crate::measure::mechanism::brief::Extras;
use crate::measure::mechanism::{self, Gap, Mechanism, Memory, Refusal, Spawner};
use crate::measure::memory::footprint::Footprint;
use crate::measure::memory::places::Places;
use crate::measure::memory::{Ballast, free_pool_pages, page_size};
use crate::measure::reading;
use crate::measure::workload::spawn::Judge;
use crate::measure::workload::{Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::row::Scope;
use crate::model::setup::{
    self, ChildState, Contents, HUGE_PAGE, Page, Rewrite, Shape, TouchOrder, Work, Writer,
};

/// The row of it.
pub(super) static COW: Workload = Workload {
    workload: setup::Workload::Cow,
    can,
    control: |work| Work { child: ChildState::Alive, writer: Writer::Parent, ..work },
    // Pages, how long they took again, the child's faults; of parent and child what became private,
    // page tables and huge pages.
    frames: |_| Frames { sample: 3 + 2 * 3, block: 0 },
    taints: |_| false,
    whole: false,
    prepare: |kit| Ok(Box::new(Cow::new(kit)?)),
};

/// How long a child is waited for before it is asked whether it still lives, in milliseconds.
const PATIENCE_MS: u16 = 50;

fn can(shape: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    if shape.rss.bytes() == 0 {
        return refuse(
            "workload=cow writes the memory that rss asks for, and this parent has none: give it \
             some, such as rss=256M"
                .to_owned(),
        );
    }
    if shape.contents != Contents::Dirty {
        return refuse(format!(
            "workload=cow is about memory that was written before the fork, and contents={} is \
             not: use contents=dirty",
            shape.contents.word()
        ));
    }
    let memory = Shape { vmas: 0, ..shape.clone() };
    if !memory.is_write_protected_by_fork() {
        return refuse(format!(
            "a fork leaves nothing of memory={} with advice={} to be copied, which is what \
             workload=cow is about: use memory=anon or file, and advice=none or mlock",
            shape.memory.word(),
            shape.advice.word()
        ));
    }
    if work.rewrite != Rewrite::ALL {
        return refuse(
            "workload=cow makes the whole memory writable again after each sample: leave rewrite \
             out (written says how much is written)"
                .to_owned(),
        );
    }
    let meanwhile = work.child == ChildState::Alive || work.writer == Writer::Child;
    if mechanism.memory == Memory::Copies && meanwhile && mechanism.gap == Gap::Theirs {
        return refuse(format!(
            "the child of {} cannot be made to wait while the memory is written: use fork or \
             clone3, or child=gone",
            mechanism.name
        ));
    }
    if work.writer == Writer::Child {
        if work.child == ChildState::Gone {
            return refuse(
                "writer=child writes while it lives, which child=gone rules out: leave one of \
                 them out"
                    .to_owned(),
            );
        }
        if mechanism.memory != Memory::Copies {
            return refuse(format!(
                "the child of {} has no memory of its own to write before it executes its image: \
                 writer=child is for fork, _fork and clone3",
                mechanism.name
            ));
        }
    }
    Ok(())
}

/// Bytes of the memory of which parent and child each have their own while it is written, at most.
pub(super) fn copied_bytes(shape: &Shape, work: &Work) -> u64 {
    let copies = mechanism::find(&work.mechanism).is_some_and(Mechanism::copies_pages);
    if !copies || work.child == ChildState::Gone {
        return 0;
    }
    let page = page_size() as u64;
    let pages = work.written.of(shape.rss.bytes() / page);
    match shape.page {
        // Those of the pool are never split: each is copied whole.
        Page::Hugetlb => pages.saturating_mul(HUGE_PAGE).min(shape.rss.bytes()),
        Page::Base | Page::Multi(_) | Page::Thp => pages * page,
    }
}

struct Cow {
    spawner: Box<dyn Spawner>,
    judge: Judge,
    shape: Shape,
    places: Places,
    /// What a child that is to live meanwhile waits for, before it ends.
    hold: Option<EventFd>,
    /// Where it is the child that writes.
    by_child: Option<ByChild>,
    /// Whether the writing comes before the reaping.
    alive: bool,
    /// Whether the birth leaves the memory write-protected.
    copies: bool,
    /// Whether the writing leaves the parent's memory in other pages than before, which is to be
    /// undone.
    displaces: bool,
    readings: Readings,
}

/// By what parent and child agree when the child writes.
struct ByChild {
    /// It may begin.
    begin: EventFd,
    /// It is done.
    done: EventFd,
}

/// The numbers of the readings.
struct Readings {
    pages: u32,
    rewritten: u32,
    faults: u32,
    private: u32,
    tables: u32,
    /// Bytes in huge pages that can be split: transparent ones of the largest size, or of the size
    /// asked for.
    huge: Option<u32>,
}

/// What was seen of both before the writing.
#[derive(Clone, Copy, Default)]
struct Before {
    parent: Option<Footprint>,
    child: Option<Footprint>,
}

impl Cow {
    fn new(kit: &Kit<'_>) -> Result<Cow, Refusal> {
        let work = kit.work;
        let shape = &kit.job.shape;
        let Some(ballast) = &kit.became.ballast else {
            return Err(Refusal { errno: 0, reason: "workload=cow without memory".to_owned() });
        };
        let places = ballast.places(work.written, work.write_order);
        let places = places
            .map_err(|error| Refusal::of(&error, "no memory for the list of pages to write"))?;
        enough_in_the_pool(shape, work)?;
        let copies = kit.mechanism.memory == Memory::Copies;
        let alive = work.child == ChildState::Alive;
        // A child that has executed its image shares nothing with its parent any more: there is
        // nothing to wait for.
        let hold = (alive && copies).then(eventfd).transpose()?;
        let by_child = match work.writer {
            Writer::Parent => None,
            Writer::Child => Some(ByChild { begin: eventfd()?, done: eventfd()? }),
        };
        let writes = by_child.as_ref().map(|by| {
            ballast.writes(&places, by.begin.as_fd().as_raw_fd(), by.done.as_fd().as_raw_fd())
        });
        let descriptor = hold.as_ref().map(|hold| hold.as_fd().as_raw_fd());
        let spawner = kit.spawner_with(Extras { hold: descriptor, writes, ..kit.extras()? })?;
        let splits = matches!(shape.page, Page::Thp | Page::Multi(_));
        let huge = match shape.page {
            Page::Thp => Some("anon_huge_bytes"),
            Page::Multi(_) => Some("multi_huge_bytes"),
            Page::Base | Page::Hugetlb => None,
        };
        Ok(Cow {
            spawner,
            judge: Judge::new(kit),
            shape: shape.clone(),
            places,
            displaces: hold.is_some()
                && by_child.is_none()
                && (splits || work.write_order == TouchOrder::Random),
            hold,
            by_child,
            alive,
            copies,
            readings: Readings {
                pages: reading::number("pages"),
                rewritten: reading::number("rewritten_ns"),
                faults: reading::number("rusage_minor_faults"),
                private: reading::number("private_dirty_bytes"),
                tables: reading::number("vm_pte_bytes"),
                huge: huge.map(reading::number),
            },
        })
    }

    /// What is to be seen before the writing, where things are counted; `child` if it lives.
    fn look(&self, child: isize, ground: &Ground<'_>) -> Before {
        let Some(ballast) = ballast(ground).filter(|_| ground.counting.is_some()) else {
            return Before::default();
        };
        let addresses = ballast.address()..ballast.address() + ballast.bytes();
        let of = |process| Footprint::of(process, addresses.clone()).ok();
        let child = self.hold.as_ref().and_then(|_| u32::try_from(child).ok());
        Before { parent: of(None), child: child.and_then(|child| of(Some(child))) }
    }

    /// Says what the writing has changed since `before`.
    fn compare(&self, before: Before, child: isize, ground: &mut Ground<'_>) {
        let after = self.look(child, ground);
        for (scope, before, after) in [
            (Scope::Parent, before.parent, after.parent),
            (Scope::Child, before.child, after.child),
        ] {
            let Some((before, after)) = before.zip(after) else { continue };
            let private = after.private_bytes.saturating_sub(before.private_bytes);
            ground.notes.add(self.readings.private, scope, private);
            ground.notes.add(self.readings.tables, scope, after.vm_pte_bytes);
            if self.shape.page == Page::Thp
                && let Some(huge) = self.readings.huge
            {
                ground.notes.add(huge, scope, after.anon_huge_bytes);
            }
        }
        if matches!(self.shape.page, Page::Multi(_))
            && after.parent.is_some()
            && let Some(huge) = self.readings.huge
            && let Some((bytes, true)) = ballast(ground).and_then(Ballast::multi_huge_bytes)
        {
            ground.notes.add(huge, Scope::Parent, bytes);
        }
    }

    /// The parent writes the memory; how long it took, in nanoseconds.
    fn write(&self, ground: &mut Ground<'_>) -> Option<u64> {
        let write = |ground: &Ground<'_>| Some(ballast(ground)?.write_places(&self.places));
        ground.count();
        let length = write(ground);
        ground.counted(None, reading::WORK);
        self.note(write(ground)?, ground);
        length
    }

    /// The child writes the memory; how long it took, in nanoseconds. None: it is no more.
    fn let_write(&self, by: &ByChild, child: isize, ground: &mut Ground<'_>) -> Option<u64> {
        by.begin.write(1).ok()?;
        let mut ready = [PollFd::new(by.done.as_fd(), PollFlags::POLLIN)];
        loop {
            match poll(&mut ready, PollTimeout::from(PATIENCE_MS)) {
                Ok(0) if has_ended(child) => return None,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => break,
                Err(_) => return None,
            }
        }
        let written = ground.mailbox.read().written?;
        if ground.counting.is_some() {
            ground.notes.add(self.readings.faults, Scope::Child, written.faults);
        }
        self.note(written.rewritten_ns, ground);
        Some(written.written_ns)
    }

    fn note(&self, again: u64, ground: &mut Ground<'_>) {
        let pages = self.places.pages().len() as u64;
        // They are the parent's, whoever writes them.
        ground.notes.add(self.readings.pages, Scope::Parent, pages);
        let writer = if self.by_child.is_some() { Scope::Child } else { Scope::Parent };
        ground.notes.add(self.readings.rewritten, writer, again);
    }

    /// Everything about the writing: what is seen before it, itself, and what is seen after it.
    fn work(&self, child: isize, ground: &mut Ground<'_>) -> Option<u64> {
        let before = self.look(child, ground);
        let length = match &self.by_child {
            None => self.write(ground),
            Some(by) => self.let_write(by, child, ground),
        };
        self.compare(before, child, ground);
        length
    }
}

impl Task for Cow {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.begin_turn();
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let cpu_begin = clock::thread_cpu();
        let start = clock::now();
        let child = self.spawner.birth();
        let returned = clock::now();
        let mut taken = Taken {
            start_ns: start,
            blocked_ns: Some(returned - start),
            cpu_ns: clock::thread_cpu() - cpu_begin,
            child,
            ..Taken::default()
        };
        if child >= 0 && self.alive {
            taken.rewrite_ns = self.work(child, ground);
        }
        if let Some(hold) = &self.hold {
            // A write of 1 to an eventfd that stands at 0 cannot fail.
            let _ = hold.write(1);
        }
        let reaped = if child >= 0 { self.spawner.reap(child, None) } else { Ok(0) };
        if child >= 0 && !self.alive {
            taken.reaped_ns = Some(clock::now() - start);
            taken.rewrite_ns = self.work(child, ground);
        }
        self.spawner.tidy();
        let mut taken = self.judge.complete(taken, reaped, ground);
        if self.hold.is_some() {
            // It says when the child was let go.
            taken.image_ns = None;
        }
        if taken.failure.is_some() {
            // Of a child that died on the way: nobody knows what it shared, and how long.
            ground.notes.clear();
            taken.rewrite_ns = None;
        }
        // One that ended before it was let go has left what it should have read.
        self.hold.iter().for_each(empty);
        if let Some(by) = &self.by_child {
            empty(&by.begin);
            empty(&by.done);
        }
        taken
    }

    fn restore(&mut self, ground: &mut Ground<'_>) -> bool {
        match &ground.became.ballast {
            Some(ballast) if self.displaces => {
                ballast.refill(&self.shape);
                if let Some(areas) = &ground.became.areas {
                    areas.repopulate(Rewrite::ALL);
                }
            }
            _ if self.copies => ground.became.repopulate(Rewrite::ALL),
            _ => {}
        }
        true
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.end_turn();
    }
}

fn ballast<'a>(ground: &'a Ground<'_>) -> Option<&'a Ballast> {
    ground.became.ballast.as_ref()
}

fn eventfd() -> Result<EventFd, Refusal> {
    EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(|error| Refusal {
        errno: error as i32,
        reason: "no eventfd by which parent and child could agree".to_owned(),
    })
}

/// Takes out what an eventfd holds, if it holds anything.
fn empty(eventfd: &EventFd) {
    let mut ready = [PollFd::new(eventfd.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ready, PollTimeout::ZERO) == Ok(1) {
        // It does not wait: there is something to read, and nobody else who could.
        let _ = eventfd.read();
    }
}

/// Whether a child has ended; it is not reaped.
fn has_ended(child: isize) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let state = waitid(Id::Pid(Pid::from_raw(child as i32)), flags);
    !matches!(state, Ok(WaitStatus::StillAlive))
}

/// Where the pool has too few free pages the kernel copies none, but takes those of the child away
/// from it: what is then measured is not what was asked for.
fn enough_in_the_pool(shape: &Shape, work: &Work) -> Result<(), Refusal> {
    if shape.page != Page::Hugetlb {
        return Ok(());
    }
    let needed = copied_bytes(shape, work) / HUGE_PAGE;
    let free = free_pool_pages();
    if free >= needed {
        return Ok(());
    }
    Err(Refusal {
        errno: 0,
        reason: format!(
            "page=hugetlb with child=alive copies {needed} pages of 2 MiB and {free} are free: \
             raise the pool by {} (as root, /proc/sys/vm/nr_hugepages), or use child=gone",
            needed - free
        ),
    })
}
