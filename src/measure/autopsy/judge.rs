//! The verdict of two looks. Pure: what is known is in the looks.

use std::time::Duration;

use super::call::{Call, Waits};
use super::look::{Holder, Look, Place, State, Wait, Word};
use super::sharing::Sharing;

/// Less time than this between two looks proves nothing.
const BETWEEN: Duration = Duration::from_millis(10);

/// Where a pthread_mutex_t has the thread that holds it, from its word, in bytes.
const MUTEX_OWNER: u64 = 8;

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has ended.
    Ended,
    /// It made progress, or may have: look again later.
    Moving,
    /// It will never go on: nobody can end its wait but a stranger who signals it.
    Proven,
    /// It has not ended, and there is no proof that it will not.
    Unproven(Kind),
}

/// What a process does of which it is not proven that it hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It runs.
    Spin,
    /// It waits again and again, with a limit each time.
    BackOff,
    /// It waits for a descriptor: bytes, a connection, an event.
    Pipe,
    /// It waits for a time.
    Sleep,
    /// It is stopped, or traced.
    Stopped,
    /// A timer may end its wait, or it.
    Timer,
    /// Another process or thread can reach the word that it waits for.
    Shared,
    /// What a proof needs may not be read.
    Unreadable,
    /// It has not moved, and is none of these.
    Other,
}

impl Kind {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Spin => "spin",
            Kind::BackOff => "back-off",
            Kind::Pipe => "pipe",
            Kind::Sleep => "sleep",
            Kind::Stopped => "stopped",
            Kind::Timer => "timer",
            Kind::Shared => "shared",
            Kind::Unreadable => "unreadable",
            Kind::Other => "other",
        }
    }
}

/// Judges from two looks, of which the second is at least 10 ms after the first.
///
/// `copied`: whether the process is known to have memory of its own, from the way in which it was
/// born. It is used only where the kernel does not say.
pub fn judge(first: &Look, second: &Look, copied: bool) -> Verdict {
    let letter = match (first.state, second.state) {
        (State::Ended, _) | (_, State::Ended) => return Verdict::Ended,
        _ if (first.pid, first.born) != (second.pid, second.born) => return Verdict::Ended,
        (_, State::Hidden) | (State::Hidden, _) => return Verdict::Unproven(Kind::Unreadable),
        (State::Shown(_), State::Shown(letter)) => letter,
    };
    if matches!(letter, 'T' | 't') {
        return Verdict::Unproven(Kind::Stopped);
    }
    if second.at.duration_since(first.at) < BETWEEN {
        return Verdict::Moving;
    }
    if first.motion != second.motion || first.call != second.call || first.state != second.state {
        return moved(first, second);
    }
    // It is able to run, and waits for a processor.
    if letter == 'R' {
        return Verdict::Moving;
    }
    stands(first, second, copied)
}

/// The verdict on one that moved between the looks.
fn moved(first: &Look, second: &Look) -> Verdict {
    let runs = |look: &Look| look.state == State::Shown('R');
    if runs(first) && runs(second) && first.motion.cpu_ns < second.motion.cpu_ns {
        return Verdict::Unproven(Kind::Spin);
    }
    let has_limit = |look: &Look| match look.call.waits() {
        Waits::Futex => look.call.futex().is_some_and(|futex| !futex.endless),
        Waits::Time => true,
        _ => false,
    };
    let waits_again = first.motion.voluntary < second.motion.voluntary;
    // One of the looks may fall between two waits.
    let waits = |look: &Look| has_limit(look) || runs(look);
    let limited = has_limit(first) || has_limit(second);
    if waits_again && limited && waits(first) && waits(second) {
        return Verdict::Unproven(Kind::BackOff);
    }
    Verdict::Moving
}

/// The verdict on one that did not move.
fn stands(first: &Look, second: &Look, copied: bool) -> Verdict {
    Verdict::Unproven(match second.call.waits() {
        _ if !second.motion.is_whole() => Kind::Unreadable,
        _ if second.call == Call::Unreadable => Kind::Unreadable,
        Waits::Futex => match (&first.wait, &second.wait) {
            (Some(before), Some(now)) => {
                match obstacle(first, before, copied).or_else(|| obstacle(second, now, copied)) {
                    None => return Verdict::Proven,
                    Some(kind) => kind,
                }
            }
            _ => Kind::BackOff,
        },
        Waits::Time => Kind::Sleep,
        Waits::Descriptor => Kind::Pipe,
        Waits::Birth | Waits::Other => Kind::Other,
    })
}

/// Why a wait for a futex without an end is no proof; `None`: it is one.
fn obstacle(look: &Look, wait: &Wait, copied: bool) -> Option<Kind> {
    let Some(signals) = look.signals else { return Some(Kind::Unreadable) };
    if look.state != State::Shown('S') {
        return Some(Kind::Other);
    }
    if look.tasks.len() != 1 {
        return Some(if look.tasks.is_empty() { Kind::Unreadable } else { Kind::Shared });
    }
    if wait.words.is_empty() {
        return Some(Kind::Unreadable);
    }
    if let Some(kind) = wait.words.iter().find_map(|word| obstacle_of_word(wait, word)) {
        return Some(kind);
    }
    let reached_by_others = match &wait.sharing {
        Sharing::Nobody => false,
        Sharing::Unknown => !copied,
        Sharing::With(_) => !owner_is_suspended(wait),
    };
    if reached_by_others {
        return Some(Kind::Shared);
    }
    // ITIMER_REAL is shown nowhere, so that its signal must not be heard.
    let no_timer = match wait.timers {
        Some(timers) => timers == 0 && signals.is_deaf_to(libc::SIGALRM),
        None => signals.is_deaf(),
    };
    if !no_timer {
        return Some(Kind::Timer);
    }
    // They could signal it.
    (!wait.children.is_empty()).then_some(Kind::Other)
}

/// Why the wait for one word is no proof.
fn obstacle_of_word(wait: &Wait, word: &Word) -> Option<Kind> {
    let (Some(found), Some(mapping)) = (word.found, &word.mapping) else {
        return Some(Kind::Unreadable);
    };
    if !mapping.is_private() {
        return Some(Kind::Shared);
    }
    match word.awaited {
        Some(awaited) => (awaited != found).then_some(Kind::Other),
        // The kernel hands such a lock over when its owner ends.
        None => wait.owner.is_none_or(|owner| owner.lives).then_some(Kind::Shared),
    }
}

/// Whether nobody can release a lock in memory that is shared with the parent: the parent's one
/// thread is suspended until the process ends, or the thread that holds the lock is.
fn owner_is_suspended(wait: &Wait) -> bool {
    let Some(caller) = wait.suspended else { return false };
    let holder = Some(Holder { tid: caller.tid, place: Place::Beside(MUTEX_OWNER) });
    caller.alone || matches!(&wait.words[..], [word] if word.holder == holder)
}
