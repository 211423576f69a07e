//! The tape: shared memory on which a subject writes what it measured.
//!
//! A memfd mapped by harness and subject. Frames survive the death of the writer, the writer makes
//! no system call to write one, and the reader paces the writer by the number of blocks granted.
//!
//! ```text
//! offset    what
//!      0    magic, protocol, lanes, frames per lane
//!     64    phase; blocks granted; blocks finished; progress          (each a word on a line
//!           setup_ns                                                   of its own)
//!   1024    lane 0: frames committed by the writer, frames taken by the reader; lane 1: ..
//!   4096    frames of lane 0 (a ring), frames of lane 1, ..
//! ```
//!
//! A frame is 16 words. Its first word is its kind; see [`Frame`].
//!
//! # Safety
//!
//! Both sides access the mapping through atomics only, never through a reference to plain memory.
//! A frame is written before the count that commits it (release), and read after it (acquire).
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::model::row::{BlockKind, EventKind, Phase, Scope};

/// The layout that harness and subject must agree on.
pub const PROTOCOL: u32 = 4;

const MAGIC: u64 = u64::from_le_bytes(*b"FORKTAPE");
const FRAME_WORDS: usize = 16;
const FRAMES_OFFSET: usize = 4096;
const LANES_OFFSET: usize = 1024;
const MOST_LANES: usize = 16;
const LINE: usize = 64;

/// What a subject is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// It has not looked at the tape yet.
    Starting = 0,
    /// It takes on its shape.
    Shaping = 1,
    /// It waits for a block to be granted.
    Waiting = 2,
    /// It is in a block.
    Running = 3,
    /// Its job is done.
    Done = 4,
}

/// One thing that a subject says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A spawn that was timed.
    Sample(Sample),
    /// A counted fact.
    Reading(Reading),
    /// Something that happened to a child.
    Event(Event),
    /// The end of a block: it was done whole.
    Block(Block),
    /// A bucket of a distribution.
    Bucket(Bucket),
    /// A piece of the evidence of the event that follows.
    Text(Text),
}

/// A spawn that was timed. Lengths in nanoseconds; `None` where the stamp does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The variant's number in the run.
    pub variant: u32,
    /// The block's number in the launch.
    pub block: u32,
    /// The round in the block.
    pub round: u32,
    /// The turn in the round.
    pub turn: u32,
    /// The place in the turn, settling spawns first.
    pub pos: u32,
    /// Which part of the launch it belongs to: an index of [`PHASES`].
    pub phase: u32,
    /// The wait status of the child.
    pub status: i32,
    /// CLOCK_MONOTONIC when the call was entered.
    pub start_ns: u64,
    /// See [`crate::model::interval::Interval`].
    pub blocked_ns: Option<u64>,
    /// Likewise.
    pub born_ns: Option<u64>,
    /// Likewise.
    pub image_ns: Option<u64>,
    /// Likewise.
    pub reaped_ns: Option<u64>,
    /// Likewise.
    pub rewrite_ns: Option<u64>,
    /// CPU time of the calling thread from before the call until after the child was reaped.
    pub blocked_cpu_ns: u64,
    /// The processor that the caller was on after the call.
    pub parent_cpu: Option<u32>,
    /// The processor that the child ran on.
    pub child_cpu: Option<u32>,
}

/// A counted fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The variant's number, or none for what belongs to the subject.
    pub variant: Option<u32>,
    /// The block's number in the launch.
    pub block: u32,
    /// An index of [`crate::measure::reading::READINGS`].
    pub reading: u32,
    /// Whose events are counted: an index of [`SCOPES`].
    pub scope: u32,
    /// An index of [`crate::measure::reading::PLACES`].
    pub place: u32,
    /// The count for one spawn, or the value.
    pub value: u64,
}

/// Something that happened to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The variant's number.
    pub variant: u32,
    /// The block's number in the launch.
    pub block: u32,
    /// What happened: an index of [`EVENTS`].
    pub event: u32,
    /// The child's pid, or 0.
    pub pid: u32,
    /// The errno, or 0.
    pub errno: i32,
    /// A [`crate::measure::mechanism::child::Stage`] as a number, or 0.
    pub stage: i32,
    /// The wait status, or 0.
    pub status: i32,
    /// What an image is not that it was to become.
    pub difference: Option<Difference>,
}

/// A piece of a text. Pieces are cut at any byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// How many bytes of it.
    pub count: u32,
    /// They, and then anything.
    pub bytes: [u8; Text::BYTES],
}

impl Text {
    /// Bytes in one frame.
    pub const BYTES: usize = 8 * (FRAME_WORDS - 2);

    /// A text in pieces.
    pub fn pieces(text: &str) -> impl Iterator<Item = Text> {
        text.as_bytes().chunks(Text::BYTES).map(|chunk| {
            let mut bytes = [0; Text::BYTES];
            bytes[..chunk.len()].copy_from_slice(chunk);
            Text { count: chunk.len() as u32, bytes }
        })
    }

    /// The bytes that count.
    pub fn content(&self) -> &[u8] {
        &self.bytes[..(self.count as usize).min(Text::BYTES)]
    }
}

/// What an image has become, where that is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The action: an index of [`crate::model::action::ACTIONS`].
    pub action: u32,
    /// What was asked for.
    pub asked: u64,
    /// What the image says.
    pub found: u64,
}

/// The end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number in the launch.
    pub block: u32,
    /// An index of [`KINDS`].
    pub kind: u32,
    /// How many rounds it had.
    pub rounds: u32,
    /// CLOCK_MONOTONIC when it began.
    pub started_ns: u64,
    /// How long it took.
    pub wall_ns: u64,
}

/// A bucket of a distribution of one variant in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The variant's number in the run.
    pub variant: u32,
    /// The block's number in the launch.
    pub block: u32,
    /// An index of [`crate::measure::reading::READINGS`].
    pub reading: u32,
    /// The smallest length in it, in nanoseconds.
    pub low_ns: u64,
    /// The largest.
    pub high_ns: u64,
    /// How many there were.
    pub count: u64,
}

/// The phases, by their number on the tape.
pub const PHASES: [Phase; 3] = [Phase::Warmup, Phase::Settle, Phase::Measure];

/// The kinds of block, by their number on the tape.
pub const KINDS: [BlockKind; 3] = [BlockKind::Warmup, BlockKind::Time, BlockKind::Count];

/// The scopes, by their number on the tape.
pub const SCOPES: [Scope; 3] = [Scope::Parent, Scope::Child, Scope::Both];

/// The events that a subject reports, by their number on the tape.
pub const EVENTS: [EventKind; 5] = [
    EventKind::Failed,
    EventKind::Refused,
    EventKind::Crashed,
    EventKind::HungProven,
    EventKind::HungUnproven,
];

/// The number of `item` in one of the tables above.
pub fn number_of<T: PartialEq>(table: &[T], item: T) -> u32 {
    table.iter().position(|entry| *entry == item).expect("the table holds every value") as u32
}

/// Marks a cell that is empty.
const EMPTY: u64 = u64::MAX;

impl Frame {
    fn to_words(self) -> [u64; FRAME_WORDS] {
        let mut words = [0; FRAME_WORDS];
        let length = |value: Option<u64>| value.unwrap_or(EMPTY);
        let signed = |value: i32| u64::from(value as u32);
        let fields: &[u64] = match &self {
            Frame::Sample(s) => &[
                1,
                pair(s.variant, s.block),
                pair(s.round, s.turn),
                pair(s.pos, s.phase),
                signed(s.status),
                s.start_ns,
                length(s.blocked_ns),
                length(s.born_ns),
                length(s.image_ns),
                length(s.reaped_ns),
                length(s.rewrite_ns),
                s.blocked_cpu_ns,
                pair(s.parent_cpu.unwrap_or(u32::MAX), s.child_cpu.unwrap_or(u32::MAX)),
            ],
            Frame::Reading(r) => &[
                2,
                pair(r.variant.unwrap_or(u32::MAX), r.block),
                pair(r.reading, r.scope),
                u64::from(r.place),
                r.value,
            ],
            Frame::Event(e) => &[
                3,
                pair(e.variant, e.block),
                pair(e.event, e.pid),
                signed(e.errno),
                signed(e.stage),
                signed(e.status),
                e.difference.map_or(0, |d| u64::from(d.action) + 1),
                e.difference.map_or(0, |d| d.asked),
                e.difference.map_or(0, |d| d.found),
            ],
            Frame::Block(b) => {
                &[4, pair(b.block, b.kind), u64::from(b.rounds), b.started_ns, b.wall_ns]
            }
            Frame::Bucket(b) => {
                &[5, pair(b.variant, b.block), u64::from(b.reading), b.low_ns, b.high_ns, b.count]
            }
            Frame::Text(text) => {
                words[2..].iter_mut().zip(text.bytes.chunks_exact(8)).for_each(|(word, bytes)| {
                    *word = u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
                });
                &[6, u64::from(text.count)]
            }
        };
        words[..fields.len()].copy_from_slice(fields);
        words
    }

    fn from_words(words: [u64; FRAME_WORDS]) -> Option<Frame> {
        let length = |value: u64| (value != EMPTY).then_some(value);
        let cpu = |value: u32| (value != u32::MAX).then_some(value);
        let low = |word: u64| word as u32;
        let high = |word: u64| (word >> 32) as u32;
        Some(match words[0] {
            1 => Frame::Sample(Sample {
                variant: low(words[1]),
                block: high(words[1]),
                round: low(words[2]),
                turn: high(words[2]),
                pos: low(words[3]),
                phase: high(words[3]),
                status: low(words[4]) as i32,
                start_ns: words[5],
                blocked_ns: length(words[6]),
                born_ns: length(words[7]),
                image_ns: length(words[8]),
                reaped_ns: length(words[9]),
                rewrite_ns: length(words[10]),
                blocked_cpu_ns: words[11],
                parent_cpu: cpu(low(words[12])),
                child_cpu: cpu(high(words[12])),
            }),
            2 => Frame::Reading(Reading {
                variant: cpu(low(words[1])),
                block: high(words[1]),
                reading: low(words[2]),
                scope: high(words[2]),
                place: low(words[3]),
                value: words[4],
            }),
            3 => Frame::Event(Event {
                variant: low(words[1]),
                block: high(words[1]),
                event: low(words[2]),
                pid: high(words[2]),
                errno: low(words[3]) as i32,
                stage: low(words[4]) as i32,
                status: low(words[5]) as i32,
                difference: low(words[6]).checked_sub(1).map(|action| Difference {
                    action,
                    asked: words[7],
                    found: words[8],
                }),
            }),
            4 => Frame::Block(Block {
                block: low(words[1]),
                kind: high(words[1]),
                rounds: low(words[2]),
                started_ns: words[3],
                wall_ns: words[4],
            }),
            5 => Frame::Bucket(Bucket {
                variant: low(words[1]),
                block: high(words[1]),
                reading: low(words[2]),
                low_ns: words[3],
                high_ns: words[4],
                count: words[5],
            }),
            6 => {
                let mut bytes = [0; Text::BYTES];
                bytes.chunks_exact_mut(8).zip(&words[2..]).for_each(|(bytes, word)| {
                    bytes.copy_from_slice(&word.to_ne_bytes());
                });
                Frame::Text(Text { count: low(words[1]), bytes })
            }
            _ => return None,
        })
    }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// A mapped tape, on either side.
#[derive(Debug)]
pub struct Tape {
    base: *mut u8,
    bytes: usize,
    lanes: usize,
    capacity: u64,
}

// SAFETY: all access to the mapping goes through atomics.
unsafe impl Send for Tape {}
// SAFETY: likewise.
unsafe impl Sync for Tape {}

/// Why a tape cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTape {
    /// The kernel refused it.
    #[error("cannot map the tape: {0}")]
    Io(#[from] io::Error),
    /// It is not a tape of this protocol.
    #[error(
        "descriptor {0} is not a tape of protocol {PROTOCOL}: harness and subject must be the same forkbench"
    )]
    Foreign(i32),
    /// It is full: the reader does not keep up.
    #[error("the tape is full ({0} frames): the harness does not keep up")]
    Full(u64),
}

impl Tape {
    /// Makes a tape of `lanes` rings of `capacity` frames each. The descriptor is for the subject;
    /// it is closed on exec unless the starter of the subject says otherwise.
    pub fn create(lanes: usize, capacity: u64) -> Result<(Tape, OwnedFd), BadTape> {
        assert!((1..=MOST_LANES).contains(&lanes) && capacity > 0);
        let descriptor = memfd(c"forkbench-tape")?;
        let bytes = FRAMES_OFFSET + lanes * capacity as usize * FRAME_WORDS * 8;
        // SAFETY: the descriptor is a fresh memfd.
        if unsafe { libc::ftruncate(descriptor.as_raw_fd(), bytes as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
        let tape = Tape { base: map(&descriptor, bytes)?, bytes, lanes, capacity };
        tape.word64(0).store(MAGIC, Ordering::Relaxed);
        tape.word32(8).store(PROTOCOL, Ordering::Relaxed);
        tape.word32(12).store(lanes as u32, Ordering::Relaxed);
        tape.word64(16).store(capacity, Ordering::Relaxed);
        Ok((tape, descriptor))
    }

    /// Maps the tape that the harness has left at `descriptor`, touches every page of it, and
    /// closes the descriptor.
    pub fn open(descriptor: i32) -> Result<Tape, BadTape> {
        let foreign = || BadTape::Foreign(descriptor);
        // SAFETY: takes over a descriptor that was inherited for this purpose and is used by
        // nobody else; if it is not open, the calls below say so.
        let owned = unsafe {
            if libc::fcntl(descriptor, libc::F_GETFD) < 0 {
                return Err(foreign());
            }
            OwnedFd::from_raw_fd(descriptor)
        };
        // SAFETY: a stat may be all zeroes; it lives through the call.
        let bytes = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            if libc::fstat(owned.as_raw_fd(), &mut stat) != 0 {
                return Err(io::Error::last_os_error().into());
            }
            stat.st_size as usize
        };
        if bytes < FRAMES_OFFSET {
            return Err(foreign());
        }
        let mut tape = Tape { base: map(&owned, bytes)?, bytes, lanes: 0, capacity: 0 };
        if tape.word64(0).load(Ordering::Relaxed) != MAGIC
            || tape.word32(8).load(Ordering::Relaxed) != PROTOCOL
        {
            return Err(foreign());
        }
        tape.lanes = tape.word32(12).load(Ordering::Relaxed) as usize;
        tape.capacity = tape.word64(16).load(Ordering::Relaxed);
        let frames = (bytes - FRAMES_OFFSET) / (FRAME_WORDS * 8);
        if tape.lanes == 0
            || tape.lanes > MOST_LANES
            || tape.capacity == 0
            || (frames / tape.lanes) as u64 != tape.capacity
        {
            return Err(foreign());
        }
        Ok(tape)
    }

    /// Appends a frame to a lane. No system call, no allocation, no lock.
    ///
    /// # Errors
    ///
    /// [`BadTape::Full`] when the reader has not taken the frame that stands in its place.
    pub fn push(&self, lane: usize, frame: Frame) -> Result<(), BadTape> {
        let committed = self.committed_word(lane).load(Ordering::Relaxed);
        if committed - self.taken_word(lane).load(Ordering::Acquire) >= self.capacity {
            return Err(BadTape::Full(self.capacity));
        }
        let place = self.frame_offset(lane, committed);
        for (i, word) in frame.to_words().into_iter().enumerate() {
            self.word64(place + i * 8).store(word, Ordering::Relaxed);
        }
        self.committed_word(lane).store(committed + 1, Ordering::Release);
        Ok(())
    }

    /// Takes every committed frame of every lane, oldest first within a lane.
    pub fn take(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        for lane in 0..self.lanes {
            let committed = self.committed_word(lane).load(Ordering::Acquire);
            let taken = self.taken_word(lane).load(Ordering::Relaxed);
            for number in taken..committed {
                let place = self.frame_offset(lane, number);
                let words =
                    std::array::from_fn(|i| self.word64(place + i * 8).load(Ordering::Relaxed));
                frames.extend(Frame::from_words(words));
            }
            self.taken_word(lane).store(committed, Ordering::Release);
        }
        frames
    }

    /// What moves as long as the subject does: its state, its progress and all counts together.
    pub fn motion(&self) -> u64 {
        let counts: u64 =
            (0..self.lanes).map(|lane| self.committed_word(lane).load(Ordering::Relaxed)).sum();
        let state = u64::from(self.state_word().load(Ordering::Relaxed));
        counts
            .wrapping_add(state << 48)
            .wrapping_add(self.progress_word().load(Ordering::Relaxed) << 24)
    }

    /// Says that the subject does something, where no frame is written: while it takes on its shape.
    pub fn progress(&self) {
        self.progress_word().fetch_add(1, Ordering::Relaxed);
    }

    /// What the subject is doing.
    pub fn state(&self) -> State {
        match self.state_word().load(Ordering::Acquire) {
            1 => State::Shaping,
            2 => State::Waiting,
            3 => State::Running,
            4 => State::Done,
            _ => State::Starting,
        }
    }

    /// The subject says what it is doing, and wakes the harness.
    pub fn set_state(&self, state: State) {
        self.state_word().store(state as u32, Ordering::Release);
        wake(self.state_word());
    }

    /// How long the subject took to take on its shape, in nanoseconds; 0 before it has.
    pub fn setup_ns(&self) -> u64 {
        self.setup_word().load(Ordering::Relaxed)
    }

    /// The subject says how long it took to take on its shape.
    pub fn set_setup_ns(&self, length: u64) {
        self.setup_word().store(length, Ordering::Relaxed);
    }

    /// The harness grants one more block, and wakes the subject.
    pub fn grant(&self) {
        self.granted_word().fetch_add(1, Ordering::Release);
        wake(self.granted_word());
    }

    /// The subject waits until more than `done` blocks are granted.
    pub fn wait_for_grant(&self, done: u32) {
        loop {
            let granted = self.granted_word().load(Ordering::Acquire);
            if granted > done {
                return;
            }
            wait(self.granted_word(), granted, None);
        }
    }

    /// The harness waits until the subject is in another state than `state`, or for `timeout`.
    pub fn wait_while(&self, state: State, timeout: Duration) {
        if self.state() == state {
            wait(self.state_word(), state as u32, Some(timeout));
        }
    }

    fn state_word(&self) -> &AtomicU32 {
        self.word32(LINE)
    }

    fn granted_word(&self) -> &AtomicU32 {
        self.word32(2 * LINE)
    }

    fn progress_word(&self) -> &AtomicU64 {
        self.word64(3 * LINE)
    }

    fn setup_word(&self) -> &AtomicU64 {
        self.word64(4 * LINE)
    }

    fn committed_word(&self, lane: usize) -> &AtomicU64 {
        self.word64(LANES_OFFSET + lane * 2 * LINE)
    }

    fn taken_word(&self, lane: usize) -> &AtomicU64 {
        self.word64(LANES_OFFSET + lane * 2 * LINE + LINE)
    }

    fn frame_offset(&self, lane: usize, number: u64) -> usize {
        assert!(lane < self.lanes);
        let index = lane as u64 * self.capacity + number % self.capacity;
        FRAMES_OFFSET + index as usize * FRAME_WORDS * 8
    }

    fn word64(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset + 8 <= self.bytes && offset.is_multiple_of(8));
        // SAFETY: inside the mapping and aligned; the other side uses atomics too.
        unsafe { AtomicU64::from_ptr(self.base.add(offset).cast()) }
    }

    fn word32(&self, offset: usize) -> &AtomicU32 {
        debug_assert!(offset + 4 <= self.bytes && offset.is_multiple_of(4));
        // SAFETY: inside the mapping and aligned; the other side uses atomics too.
        unsafe { AtomicU32::from_ptr(self.base.add(offset).cast()) }
    }
}

const _: () = assert!(LANES_OFFSET + MOST_LANES * 2 * LINE <= FRAMES_OFFSET);

impl Drop for Tape {
    fn drop(&mut self) {
        // SAFETY: mapped in `create` or `open`, and no reference into it outlives the tape.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// A memfd that is closed on exec.
pub(super) fn memfd(name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the name is a C string; the result is a new descriptor or -1.
    unsafe {
        match libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            descriptor => Ok(OwnedFd::from_raw_fd(descriptor)),
        }
    }
}

/// Maps all of a memfd, shared, with every page present.
fn map(descriptor: &OwnedFd, bytes: usize) -> io::Result<*mut u8> {
    // SAFETY: a new shared mapping of a file of that length.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_POPULATE,
            descriptor.as_raw_fd(),
            0,
        )
    };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.cast()) }
}

fn wake(word: &AtomicU32) {
    // SAFETY: the word lives in the shared mapping; FUTEX_WAKE touches nothing else.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}

/// Waits while the word is `value`, at most `timeout`. May wake early.
fn wait(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the word lives in the shared mapping, the timeout through the call.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, value, timeout);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;

    use super::*;

    fn sample(pos: u32) -> Frame {
        Frame::Sample(Sample {
            variant: 3,
            block: 9,
            pos,
            phase: 2,
            status: -1,
            start_ns: 5,
            blocked_ns: Some(7),
            rewrite_ns: Some(0),
            parent_cpu: Some(1),
            ..Sample::default()
        })
    }

    #[test]
    fn every_kind_of_frame_survives_the_tape() {
        let (tape, _) = Tape::create(1, 8).unwrap();
        let frames = [
            sample(1),
            Frame::Reading(Reading {
                variant: None,
                block: 1,
                reading: 2,
                scope: 1,
                place: 1,
                value: u64::MAX - 1,
            }),
            Frame::Event(Event {
                variant: 1,
                block: 2,
                event: 1,
                pid: 77,
                errno: 11,
                stage: 3,
                status: -5,
                difference: Some(Difference { action: 0, asked: 63, found: u64::MAX }),
            }),
            Frame::Block(Block { block: 1, kind: 2, rounds: 3, started_ns: 4, wall_ns: 5 }),
            Frame::Text(Text::pieces(&"evidence ".repeat(12)).next().unwrap()),
        ];
        for frame in frames {
            tape.push(0, frame).unwrap();
        }
        assert_eq!(tape.take(), frames);
        assert!(tape.take().is_empty());
    }

    #[test]
    fn a_text_survives_its_pieces() {
        let text = "é".repeat(200);
        let pieces: Vec<Text> = Text::pieces(&text).collect();
        assert_eq!(pieces.len(), 400usize.div_ceil(Text::BYTES));
        let bytes: Vec<u8> = pieces.iter().flat_map(Text::content).copied().collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
        assert_eq!(Text::pieces("").count(), 0);
    }

    #[test]
    fn a_full_lane_refuses_and_loses_nothing() {
        let (tape, descriptor) = Tape::create(2, 4).unwrap();
        let writer = Tape::open(descriptor.into_raw_fd()).unwrap();
        for pos in 0..4 {
            writer.push(1, sample(pos)).unwrap();
        }
        assert!(matches!(writer.push(1, sample(4)), Err(BadTape::Full(4))));
        assert_eq!(tape.take(), (0..4).map(sample).collect::<Vec<_>>());
        writer.push(1, sample(5)).unwrap();
        assert_eq!(tape.take(), [sample(5)]);
    }

    #[test]
    fn what_is_no_tape_is_refused() {
        assert!(matches!(Tape::open(9999), Err(BadTape::Foreign(9999))));
        let file = memfd(c"empty").unwrap().into_raw_fd();
        assert!(matches!(Tape::open(file), Err(BadTape::Foreign(_))));
    }

    #[test]
    fn a_grant_lets_the_writer_go_on() {
        let (tape, descriptor) = Tape::create(1, 4).unwrap();
        let writer = Tape::open(descriptor.into_raw_fd()).unwrap();
        let before = tape.motion();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                writer.wait_for_grant(0);
                writer.set_state(State::Done);
            });
            tape.grant();
            while tape.state() != State::Done {
                tape.wait_while(State::Starting, Duration::from_millis(100));
            }
        });
        assert_ne!(tape.motion(), before);
    }
}
