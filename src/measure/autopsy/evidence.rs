//! What is known of a process, in one line.

use std::fmt;

use super::judge::Verdict;
use super::look::{Holder, Look, Motion, Place, State, Wait, Word};
use super::places::Places;
use super::sharing::Sharing;
use super::stack;

/// The longest evidence, in bytes.
const LONGEST: usize = 4000;

/// Everything that is known of a process, in one line of at most 4,000 bytes, for `events.csv`.
///
/// Symbols are looked up now, so that the process should still be there.
pub fn evidence(pid: i32, first: &Look, second: &Look, verdict: Verdict) -> String {
    let places = Places::of(pid);
    let mut parts = vec![verdict.to_string(), state(pid, first, second)];
    if matches!(second.state, State::Shown(_)) {
        parts.push(call(first, second));
        if let Some(wait) = &second.wait {
            let before = first.wait.as_ref();
            for (index, word) in wait.words.iter().enumerate() {
                let found_before = before.and_then(|wait| wait.words.get(index)?.found);
                parts.push(self::word(word, found_before, &places));
                parts.extend(owner(word, second));
            }
            parts.extend(surroundings(wait));
        }
        parts.push(motion(first.motion, second.motion));
        parts.push(format!("{} thread(s)", second.tasks.len()));
        parts.extend(signals(second));
        let calls: Vec<String> =
            stack::of(pid, second.call, &places).iter().map(|frame| places.name(*frame)).collect();
        if !calls.is_empty() {
            parts.push(format!("stack, innermost first: {}", calls.join(" < ")));
        }
    }
    one_line(&parts.join("; "))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Ended => f.write_str("ended"),
            Verdict::Moving => f.write_str("moving"),
            Verdict::Proven => f.write_str("proven"),
            Verdict::Unproven(kind) => write!(f, "unproven ({})", kind.word()),
        }
    }
}

fn state(pid: i32, first: &Look, second: &Look) -> String {
    let name = if second.name.is_empty() { "?" } else { &second.name };
    let between = second.at.duration_since(first.at).as_millis();
    let before = if first.state == second.state { "the same".to_owned() } else { letter(first) };
    format!("process {pid} ({name}) state {}, and {between} ms before {before}", letter(second))
}

fn letter(look: &Look) -> String {
    match look.state {
        State::Ended => "ended".to_owned(),
        State::Hidden => "not readable".to_owned(),
        State::Shown(letter) => letter.to_string(),
    }
}

fn call(first: &Look, second: &Look) -> String {
    let before = if first.call == second.call {
        String::new()
    } else {
        format!(", before that {}", first.call)
    };
    let place = second.waits_in.as_deref().unwrap_or("no place that is shown");
    format!("system call {}{before}, waits in {place}", second.call)
}

fn word(word: &Word, found_before: Option<u32>, places: &Places) -> String {
    let value = |value: Option<u32>| value.map_or("?".to_owned(), |value| value.to_string());
    let address = word.address;
    let why = match word.awaited {
        Some(awaited) => format!("waits while the word at {address:#x} is {awaited}"),
        None => format!("waits for the owner of the lock at {address:#x}"),
    };
    let found = format!("it was {}, then {}", value(found_before), value(word.found));
    let place = places.name(address);
    let mapping = match &word.mapping {
        Some(mapping) if mapping.path.is_empty() => format!("mapping {}, no file", mapping.rights),
        Some(mapping) => {
            let offset = address - mapping.range.start + mapping.offset;
            format!("mapping {} of {} at {offset:#x}", mapping.rights, mapping.path)
        }
        None => "its mapping is not readable".to_owned(),
    };
    format!("{why}: {found}; it lies in {place} ({mapping})")
}

/// Which thread holds the lock, as far as the lock says so.
fn owner(word: &Word, look: &Look) -> Option<String> {
    let wait = look.wait.as_ref()?;
    let in_word = wait.owner.map(|owner| Holder { tid: owner.tid, place: Place::Word });
    let Holder { tid, place } = word.holder.or(in_word)?;
    let place = match place {
        Place::Word => "the word".to_owned(),
        Place::Beside(offset) => format!("the word at +{offset}"),
        Place::Pointer => "the thread to which the pointer at +8 points".to_owned(),
    };
    let whose = if wait.parents_tasks.contains(&tid) {
        format!("a thread of its parent {}", look.parent)
    } else if look.tasks.contains(&tid) {
        "a thread of its own".to_owned()
    } else {
        "no thread of it or its parent".to_owned()
    };
    let here = if look.tasks.contains(&tid) { "which it has" } else { "which it does not have" };
    Some(format!("{place} is {tid}, {whose}, {here} (its tasks: {:?})", look.tasks))
}

fn surroundings(wait: &Wait) -> Vec<String> {
    let mut parts = vec![match &wait.sharing {
        Sharing::Nobody => "memory shared with no other process (kcmp)".to_owned(),
        Sharing::With(others) => format!("memory shared with {others:?} (kcmp)"),
        Sharing::Unknown => "whether memory is shared is not known (no kcmp)".to_owned(),
    }];
    if let Some(caller) = wait.suspended {
        let others = if caller.alone { "the only one" } else { "not the only one" };
        parts.push(format!(
            "thread {} of its parent, {others}, is suspended until it ends or execs",
            caller.tid
        ));
    }
    parts.push(match wait.timers {
        Some(0) => "no POSIX timer".to_owned(),
        Some(timers) => format!("{timers} POSIX timer(s)"),
        None => "POSIX timers are not shown".to_owned(),
    });
    if !wait.children.is_empty() {
        parts.push(format!("living children of its own {:?}", wait.children));
    }
    parts
}

fn motion(first: Motion, second: Motion) -> String {
    let pair = |of: fn(Motion) -> Option<u64>| {
        let text = |value: Option<u64>| value.map_or("?".to_owned(), |value| value.to_string());
        format!("{} then {}", text(of(first)), text(of(second)))
    };
    format!(
        "CPU {} ns, {} voluntary and {} forced switches",
        pair(|motion| motion.cpu_ns),
        pair(|motion| motion.voluntary),
        pair(|motion| motion.forced)
    )
}

fn signals(look: &Look) -> Option<String> {
    let signals = look.signals?;
    let alarm = if signals.is_deaf_to(libc::SIGALRM) {
        "SIGALRM blocked or ignored"
    } else {
        "SIGALRM not blocked"
    };
    Some(format!(
        "{alarm} (signals blocked {:016x}, ignored {:016x})",
        signals.blocked, signals.ignored
    ))
}

/// Without control characters, which a process can have in its name, and not too long.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let mut end = line.len().min(LONGEST);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}
