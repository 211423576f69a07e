//! What system call a thread is in: from `/proc/PID/syscall`, by name and kind.

use std::fmt;

/// FUTEX2_SIZE_U32 of `linux/futex.h`, and the bits that hold a size there.
const SIZE_U32: u64 = 2;
const SIZE_MASK: u64 = 3;

/// Where a thread is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Call {
    /// It may not be asked.
    #[default]
    Unreadable,
    /// On a processor.
    Running,
    /// Off the processors, but in no system call.
    Outside(Registers),
    /// In a system call.
    In {
        /// Its number.
        number: i64,
        /// Its six arguments.
        arguments: [u64; 6],
        /// Where it was called.
        registers: Registers,
    },
}

/// The user's registers that /proc shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Registers {
    /// The stack pointer.
    pub stack: u64,
    /// The program counter.
    pub program: u64,
}

/// What a system call waits for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// A futex.
    Futex,
    /// Bytes, connections or events of descriptors.
    Descriptor,
    /// A time.
    Time,
    /// The exec or end of a child that has its caller's memory, among other births.
    Birth,
    /// Something else, or nothing.
    Other,
}

/// The words that a futex call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Futex {
    /// How it waits.
    pub how: How,
    /// The address of the word, or of the array of `struct futex_waitv`.
    pub address: u64,
    /// Whether it waits without an end: its timeout is NULL.
    pub endless: bool,
}

/// How a futex call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// While one word has this value.
    Value(u32),
    /// For a lock with priority inheritance, whose word holds its owner.
    Lock,
    /// While each of so many words has its value.
    Several(u64),
    /// In a way that is not understood here (FUTEX_WAIT_REQUEUE_PI).
    Unknown,
}

impl Call {
    /// Of the text of `/proc/PID/syscall`; `None`: it is not as expected.
    pub(super) fn parse(text: &str) -> Option<Call> {
        let text = text.trim();
        if text == "running" {
            return Some(Call::Running);
        }
        let mut words = text.split_ascii_whitespace();
        let number = words.next()?.parse().ok()?;
        let values: Vec<u64> = words
            .map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
            .collect::<Option<_>>()?;
        match (number, values.as_slice()) {
            (-1, &[stack, program]) => Some(Call::Outside(Registers { stack, program })),
            (_, &[a, b, c, d, e, f, stack, program]) => Some(Call::In {
                number,
                arguments: [a, b, c, d, e, f],
                registers: Registers { stack, program },
            }),
            _ => None,
        }
    }

    /// What it waits for.
    pub(super) fn waits(self) -> Waits {
        match self {
            Call::In { number, .. } => name(number).map_or(Waits::Other, |(_, waits)| waits),
            _ => Waits::Other,
        }
    }

    /// The user's registers.
    pub(super) fn registers(self) -> Option<Registers> {
        match self {
            Call::Outside(registers) | Call::In { registers, .. } => Some(registers),
            Call::Unreadable | Call::Running => None,
        }
    }

    /// The futex that it waits for; `None`: it waits for none.
    pub(super) fn futex(self) -> Option<Futex> {
        let Call::In { number, arguments, .. } = self else { return None };
        let [first, second, third, fourth, fifth, _] = arguments;
        match number {
            libc::SYS_futex => {
                let operation = second as i32 & !libc::FUTEX_PRIVATE_FLAG;
                let how = match operation & !libc::FUTEX_CLOCK_REALTIME {
                    libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => How::Value(third as u32),
                    libc::FUTEX_LOCK_PI | libc::FUTEX_LOCK_PI2 => How::Lock,
                    libc::FUTEX_WAIT_REQUEUE_PI => How::Unknown,
                    _ => return None,
                };
                Some(Futex { how, address: first, endless: fourth == 0 })
            }
            libc::SYS_futex_waitv => {
                Some(Futex { how: How::Several(second), address: first, endless: fourth == 0 })
            }
            // A futex_wait of another size does not exist yet.
            SYS_FUTEX_WAIT if fourth & SIZE_MASK == SIZE_U32 => {
                Some(Futex { how: How::Value(second as u32), address: first, endless: fifth == 0 })
            }
            _ => None,
        }
    }
}

/// futex_wait, since Linux 6.7, on both processors; libc does not have it.
const SYS_FUTEX_WAIT: i64 = 455;

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Unreadable => f.write_str("not readable"),
            Call::Running => f.write_str("none (on a processor)"),
            Call::Outside(_) => f.write_str("none"),
            Call::In { number, arguments, .. } => {
                match name(*number) {
                    Some((name, _)) => f.write_str(name)?,
                    None => write!(f, "{number}")?,
                }
                let [first, second, rest @ ..] = arguments;
                match self.futex_operation() {
                    Some(operation) => write!(f, "({first:#x}, {operation}")?,
                    None => write!(f, "({first:#x}, {second:#x}")?,
                }
                for argument in rest {
                    write!(f, ", {argument:#x}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Call {
    /// The second argument of futex, in the words of `linux/futex.h`.
    fn futex_operation(self) -> Option<String> {
        let Call::In { number: libc::SYS_futex, arguments, .. } = self else { return None };
        let operation = arguments[1] as i32;
        let flags = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
        let mut words = match operation & !flags {
            libc::FUTEX_WAIT => "FUTEX_WAIT".to_owned(),
            libc::FUTEX_WAKE => "FUTEX_WAKE".to_owned(),
            libc::FUTEX_LOCK_PI => "FUTEX_LOCK_PI".to_owned(),
            libc::FUTEX_LOCK_PI2 => "FUTEX_LOCK_PI2".to_owned(),
            libc::FUTEX_WAIT_BITSET => "FUTEX_WAIT_BITSET".to_owned(),
            libc::FUTEX_WAIT_REQUEUE_PI => "FUTEX_WAIT_REQUEUE_PI".to_owned(),
            other => format!("{other}"),
        };
        if operation & libc::FUTEX_PRIVATE_FLAG != 0 {
            words.push_str("|PRIVATE");
        }
        if operation & libc::FUTEX_CLOCK_REALTIME != 0 {
            words.push_str("|CLOCK_REALTIME");
        }
        Some(words)
    }
}

/// The name of a system call in which processes wait, and what it waits for.
fn name(number: i64) -> Option<(&'static str, Waits)> {
    use Waits::{Birth, Descriptor, Futex, Other, Time};
    Some(match number {
        libc::SYS_futex => ("futex", Futex),
        libc::SYS_futex_waitv => ("futex_waitv", Futex),
        SYS_FUTEX_WAIT => ("futex_wait", Futex),
        libc::SYS_read => ("read", Descriptor),
        libc::SYS_readv => ("readv", Descriptor),
        libc::SYS_write => ("write", Descriptor),
        libc::SYS_writev => ("writev", Descriptor),
        libc::SYS_recvfrom => ("recvfrom", Descriptor),
        libc::SYS_recvmsg => ("recvmsg", Descriptor),
        libc::SYS_sendto => ("sendto", Descriptor),
        libc::SYS_sendmsg => ("sendmsg", Descriptor),
        libc::SYS_accept => ("accept", Descriptor),
        libc::SYS_accept4 => ("accept4", Descriptor),
        libc::SYS_connect => ("connect", Descriptor),
        libc::SYS_splice => ("splice", Descriptor),
        libc::SYS_ppoll => ("ppoll", Descriptor),
        libc::SYS_pselect6 => ("pselect6", Descriptor),
        libc::SYS_epoll_pwait => ("epoll_pwait", Descriptor),
        libc::SYS_epoll_pwait2 => ("epoll_pwait2", Descriptor),
        libc::SYS_nanosleep => ("nanosleep", Time),
        libc::SYS_clock_nanosleep => ("clock_nanosleep", Time),
        libc::SYS_rt_sigtimedwait => ("rt_sigtimedwait", Other),
        libc::SYS_rt_sigsuspend => ("rt_sigsuspend", Other),
        libc::SYS_wait4 => ("wait4", Other),
        libc::SYS_waitid => ("waitid", Other),
        libc::SYS_flock => ("flock", Other),
        libc::SYS_fcntl => ("fcntl", Other),
        libc::SYS_openat => ("openat", Other),
        libc::SYS_semtimedop => ("semtimedop", Other),
        libc::SYS_sched_yield => ("sched_yield", Other),
        libc::SYS_execve => ("execve", Other),
        libc::SYS_exit_group => ("exit_group", Other),
        libc::SYS_clone => ("clone", Birth),
        libc::SYS_clone3 => ("clone3", Birth),
        _ => return old_name(number),
    })
}

/// System calls that only older processors have.
#[cfg(target_arch = "x86_64")]
fn old_name(number: i64) -> Option<(&'static str, Waits)> {
    Some(match number {
        libc::SYS_poll => ("poll", Waits::Descriptor),
        libc::SYS_select => ("select", Waits::Descriptor),
        libc::SYS_epoll_wait => ("epoll_wait", Waits::Descriptor),
        libc::SYS_pause => ("pause", Waits::Other),
        libc::SYS_open => ("open", Waits::Other),
        libc::SYS_fork => ("fork", Waits::Birth),
        libc::SYS_vfork => ("vfork", Waits::Birth),
        _ => return None,
    })
}

/// System calls that only older processors have.
#[cfg(not(target_arch = "x86_64"))]
fn old_name(_: i64) -> Option<(&'static str, Waits)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Call {
        Call::parse(text).unwrap()
    }

    #[test]
    fn what_proc_shows_is_read() {
        assert_eq!(parsed("running\n"), Call::Running);
        let registers = Registers { stack: 0x7ffc, program: 0x55 };
        assert_eq!(parsed("-1 0x7ffc 0x55\n"), Call::Outside(registers));
        for text in ["", "202 0x1", "202 1 2 3 4 5 6 7 8", "x 0x1 0x2"] {
            assert_eq!(Call::parse(text), None, "{text}");
        }
    }

    #[test]
    fn futex_calls_are_told_apart() {
        let futex = |operation: i32, timeout: u64| {
            let number = libc::SYS_futex;
            parsed(&format!("{number} 0x1000 {operation:#x} 0x2 {timeout:#x} 0x0 0x0 0x7ffc 0x55"))
        };
        let expected = |how, endless| Some(Futex { how, address: 0x1000, endless });
        let private = libc::FUTEX_PRIVATE_FLAG;
        assert_eq!(futex(private, 0).futex(), expected(How::Value(2), true));
        let bitset = libc::FUTEX_WAIT_BITSET | private | libc::FUTEX_CLOCK_REALTIME;
        assert_eq!(futex(bitset, 0x7000).futex(), expected(How::Value(2), false));
        assert_eq!(futex(libc::FUTEX_LOCK_PI, 0).futex(), expected(How::Lock, true));
        let requeue = libc::FUTEX_WAIT_REQUEUE_PI | private;
        assert_eq!(futex(requeue, 0).futex(), expected(How::Unknown, true));
        assert_eq!(futex(libc::FUTEX_WAKE, 0).futex(), None);
        assert_eq!(
            futex(bitset, 0).to_string(),
            "futex(0x1000, FUTEX_WAIT_BITSET|PRIVATE|CLOCK_REALTIME, 0x2, 0x0, 0x0, 0x0)"
        );
        let several = format!("{} 0x1000 0x3 0x0 0x0 0x1 0x0 0x7ffc 0x55", libc::SYS_futex_waitv);
        assert_eq!(parsed(&several).futex(), expected(How::Several(3), true));
        let new = format!("{SYS_FUTEX_WAIT} 0x1000 0x2 0xff 0x82 0x0 0x0 0x7ffc 0x55");
        assert_eq!(parsed(&new).futex(), expected(How::Value(2), true));
    }
}
