//! What happens between birth and exec: the registry of actions by their names, and actions with
//! everything that they are done with.
//!
//! What a mechanism makes of them is none of its business: see `measure::mechanism`.

use std::ffi::CString;
use std::fmt;
use std::str::FromStr;

use crate::model::nearest;

/// An action by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// Doubles a descriptor.
    Dup2,
    /// Opens a file at a number.
    Open,
    /// Puts an end of a pipe in the place of an output.
    Pipe,
    /// Changes the working directory, by a path.
    Chdir,
    /// The same by a descriptor.
    Fchdir,
    /// Sets the umask.
    Umask,
    /// Begins a session.
    Setsid,
    /// Begins a process group.
    Setpgid,
    /// Resets what signals do.
    Sigdefault,
    /// Sets the signal mask.
    Sigmask,
    /// Becomes another user.
    Setuid,
    /// Becomes one of another group.
    Setgid,
    /// Sets the supplementary groups.
    Setgroups,
    /// Sets a resource limit.
    Rlimit,
    /// Lowers its priority.
    Nice,
    /// Raises its priority.
    NiceUp,
    /// Says where it may run.
    Affinity,
    /// Asks for a signal at the death of its parent.
    Pdeathsig,
    /// Goes into a cgroup.
    Cgroup,
    /// Closes every number up to a limit.
    CloseLoop,
    /// Closes what /proc/self/fd lists.
    CloseWalk,
    /// Closes by close_range.
    CloseRange,
}

/// One action that can be asked for.
#[derive(Debug)]
pub struct ActionRow {
    /// Which one.
    pub name: Name,
    /// Its word, in files and on the command line.
    pub word: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What it does and how it is proved, in full: `forkbench explain WORD`.
    pub explain: &'static str,
}

/// Every action, in the order in which they are listed.
pub static ACTIONS: &[ActionRow] = &[
    row(
        Name::Dup2,
        "dup2",
        "make a descriptor the child's standard error (dup2)",
        "An open file gets the number 2 too. Proved by the image: fstat of 2 names that file.",
    ),
    row(
        Name::Open,
        "open",
        "open a file as the child's standard input (redirection)",
        "As `< file` of a shell: openat, dup3 and close in a child of our own. Proved by the \
         image: fstat of 0 names that file.",
    ),
    row(
        Name::Pipe,
        "pipe",
        "make an end of a pipe the child's standard output, and close both ends",
        "What a stage of a pipeline does: dup2 of the writing end to 1, and close of both ends, \
         which are not close-on-exec. Proved by the image: fstat of 1 names the pipe, and neither \
         end is open any more.",
    ),
    row(
        Name::Chdir,
        "chdir",
        "change the working directory by a path",
        "To the directory of the images. Proved by the image: fstatat of `.` names it.",
    ),
    row(
        Name::Fchdir,
        "fchdir",
        "change the working directory by a descriptor",
        "To the directory of the images, opened before. Proved as chdir.",
    ),
    row(
        Name::Umask,
        "umask",
        "set the umask",
        "To 077, or to 027 where it is that already. Proved by the image, which reads it.",
    ),
    row(
        Name::Setsid,
        "setsid",
        "begin a session of its own",
        "Proved by the image: getsid is its own pid.",
    ),
    row(
        Name::Setpgid,
        "setpgid",
        "begin a process group of its own",
        "Proved by the image: getpgid is its own pid.",
    ),
    row(
        Name::Sigdefault,
        "sigdefault",
        "reset what every signal does to the default",
        "An exec resets handlers, and not what is ignored. The parent ignores SIGUSR2 while such \
         children are made; all 62 signals that can be reset are. Proved by the image: its \
         SIGUSR2 does the default.",
    ),
    row(
        Name::Sigmask,
        "sigmask",
        "start the image with another signal mask",
        "With SIGUSR1 blocked, if it was not. A child of our own sets a mask in any case, so here \
         it sets two; posix_spawn sets one in any case. Proved by the image, which reads it.",
    ),
    row(
        Name::Setuid,
        "setuid",
        "become the user 65534 (nobody)",
        "Root may. Proved by the image: real and effective user. The standard library's Command \
         also drops the supplementary groups.",
    ),
    row(
        Name::Setgid,
        "setgid",
        "become one of the group 65534",
        "Root may. Proved by the image: real and effective group.",
    ),
    row(
        Name::Setgroups,
        "setgroups",
        "have one supplementary group, 65533",
        "Root may. Proved by the image: getgroups.",
    ),
    row(
        Name::Rlimit,
        "rlimit",
        "set a resource limit (RLIMIT_CPU)",
        "The soft limit, to 3600 s or a little less. Proved by the image, which reads it.",
    ),
    row(
        Name::Nice,
        "nice",
        "lower the priority by 5",
        "Anybody may. Proved by the image: getpriority.",
    ),
    row(
        Name::NiceUp,
        "nice-up",
        "raise the priority by 5",
        "Root may, and whose RLIMIT_NICE allows it. Proved by the image: getpriority.",
    ),
    row(
        Name::Affinity,
        "affinity",
        "let the child run on every processor of the run",
        "The parent is pinned to one, and its child with it until then; where there is but one \
         nothing changes. The child may then move, which is part of what it costs. Proved by the \
         image: sched_getaffinity.",
    ),
    row(
        Name::Pdeathsig,
        "pdeathsig",
        "ask for SIGTERM when the parent dies (PR_SET_PDEATHSIG)",
        "Proved by the image, which reads it.",
    ),
    row(
        Name::Cgroup,
        "cgroup",
        "go into a cgroup (v2) made for the run",
        "The child writes itself into cgroup.procs; clone3-cgroup and, in glibc since 2.39, \
         posix_spawn have it born there (CLONE_INTO_CGROUP). The cgroup stands below that of the \
         parent and is removed afterwards. Proved by the image: /proc/self/cgroup.",
    ),
    row(
        Name::CloseLoop,
        "close-loop",
        "close every number from 4 up to nofile, one by one",
        "As programs do that know no better, up to RLIMIT_NOFILE; here up to `nofile`, whatever \
         the limit of the parent. posix_spawn gets a file action for each number. 3 is kept: the \
         image reports there. Proved by the image: /proc/self/fd lists nothing from 4 on.",
    ),
    row(
        Name::CloseWalk,
        "close-walk",
        "close what /proc/self/fd lists from 4 on",
        "By getdents64, as CPython and the JVM do. Proved as close-loop.",
    ),
    row(
        Name::CloseRange,
        "close-range",
        "close everything from 4 on by close_range",
        "One system call (Linux 5.9); posix_spawn_file_actions_addclosefrom_np (glibc 2.34) is the \
         same. Proved as close-loop.",
    ),
];

const fn row(
    name: Name,
    word: &'static str,
    about: &'static str,
    explain: &'static str,
) -> ActionRow {
    ActionRow { name, word, about, explain }
}

/// The action of that word.
pub fn find(word: &str) -> Option<&'static ActionRow> {
    ACTIONS.iter().find(|row| row.word == word)
}

impl Name {
    /// Its row.
    pub fn row(self) -> &'static ActionRow {
        ACTIONS.iter().find(|row| row.name == self).expect("every action has a row")
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// Whether it closes all descriptors but the first.
    pub fn closes_all(self) -> bool {
        matches!(self, Name::CloseLoop | Name::CloseWalk | Name::CloseRange)
    }
}

/// Actions in the order in which they are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions(pub Vec<Name>);

/// Words for no action.
const NONE: &str = "none";

/// Pairs of which one undoes or forbids the other.
const EXCLUSIVE: [[Name; 2]; 3] =
    [[Name::Chdir, Name::Fchdir], [Name::Setsid, Name::Setpgid], [Name::Nice, Name::NiceUp]];

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(NONE);
        }
        let words: Vec<&str> = self.0.iter().map(|name| name.word()).collect();
        f.write_str(&words.join("+"))
    }
}

impl FromStr for Actions {
    type Err = String;

    fn from_str(text: &str) -> Result<Actions, String> {
        let mut names = Vec::new();
        if text.trim() == NONE {
            return Ok(Actions(names));
        }
        for word in text.split('+').map(str::trim) {
            let Some(row) = find(word) else {
                let near = nearest(word, ACTIONS.iter().map(|row| row.word));
                let near = near.map(|word| format!(" (did you mean `{word}`?)"));
                return Err(format!(
                    "`{word}` is no action{}; allowed are none and, joined by +, those of \
                     `forkbench list actions`",
                    near.unwrap_or_default()
                ));
            };
            if names.contains(&row.name) {
                return Err(format!("`{word}` comes twice: leave one out"));
            }
            names.push(row.name);
        }
        for [one, other] in EXCLUSIVE {
            if names.contains(&one) && names.contains(&other) {
                return Err(format!(
                    "`{}` and `{}` exclude each other: leave one out",
                    one.word(),
                    other.word()
                ));
            }
        }
        Ok(Actions(names))
    }
}

/// By what a mechanism does an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Means {
    /// Something of the mechanism itself: a flag, an attribute, a method.
    Attribute = 1,
    /// A file action of posix_spawn.
    FileAction = 2,
    /// Code of one's own in the child.
    ChildCode = 3,
    /// A closure between the library's fork and its exec.
    PreExec = 4,
}

impl Means {
    /// All of them.
    pub const ALL: [Means; 4] =
        [Means::Attribute, Means::FileAction, Means::ChildCode, Means::PreExec];

    /// Its word in a report.
    pub fn word(self) -> &'static str {
        match self {
            Means::Attribute => "attribute",
            Means::FileAction => "file action",
            Means::ChildCode => "child code",
            Means::PreExec => "pre_exec",
        }
    }

    /// The one of that number, as it stands in readings.csv.
    pub fn from_number(number: u64) -> Option<Means> {
        Means::ALL.into_iter().find(|means| *means as u64 == number)
    }
}

/// One thing that a child is made to do, or to be, before it executes its image. Actions are done
/// in the order in which they are given, by whatever its mechanism has for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The descriptor `from` gets the number `to` too, and is not closed by an exec there: what
    /// was open at `to` is closed. Where both are one, it is only kept open over the exec.
    Dup2 {
        /// What is doubled.
        from: i32,
        /// The number that it gets.
        to: i32,
    },
    /// A file is opened at the number `to`, as `> file` of a shell does.
    Open {
        /// Its path.
        path: CString,
        /// The flags of open(2).
        flags: i32,
        /// Its mode where the flags create it.
        mode: u32,
        /// The number that it gets.
        to: i32,
    },
    /// A descriptor is closed. One that is not open fails the child, save with posix_spawn.
    Close {
        /// Its number.
        descriptor: i32,
    },
    /// The working directory becomes that of the path.
    Chdir {
        /// The path.
        path: CString,
    },
    /// The working directory becomes one that is open.
    Fchdir {
        /// Its descriptor.
        directory: i32,
    },
    /// The umask is set.
    Umask {
        /// To this.
        mask: u32,
    },
    /// The child begins a session.
    Setsid,
    /// The child begins a process group.
    Setpgid,
    /// Signals do the default again.
    SignalDefault {
        /// Which: bit N-1 is signal N.
        signals: u64,
    },
    /// The image starts with this signal mask.
    SignalMask {
        /// Bit N-1 is signal N.
        mask: u64,
    },
    /// The child becomes that user.
    Setuid {
        /// The user.
        user: u32,
    },
    /// The child becomes one of that group.
    Setgid {
        /// The group.
        group: u32,
    },
    /// The supplementary groups are set.
    Setgroups {
        /// To these.
        groups: Vec<u32>,
    },
    /// A resource limit is set.
    Rlimit {
        /// Its number.
        resource: u32,
        /// The soft and the hard limit.
        limits: [u64; 2],
    },
    /// The nice value is set.
    Priority {
        /// To this.
        nice: i32,
    },
    /// The child may run on these processors.
    Affinity {
        /// Bit N of word M is processor 64 M + N.
        mask: Vec<u64>,
    },
    /// The child gets a signal when the thread that made it ends.
    DeathSignal {
        /// The signal.
        signal: i32,
    },
    /// The child goes into a cgroup of version 2.
    Cgroup {
        /// Its directory, open.
        directory: i32,
        /// Its file cgroup.procs, open for writing.
        procs: i32,
    },
    /// Every number is closed, whether it is open or not.
    CloseLoop {
        /// From this one.
        first: u32,
        /// To the one before this.
        end: u32,
    },
    /// Every descriptor is closed that /proc/self/fd lists.
    CloseWalk {
        /// From this number on.
        first: u32,
    },
    /// Every descriptor is closed by close_range.
    CloseRange {
        /// From this number on.
        first: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_described() {
        for (i, row) in ACTIONS.iter().enumerate() {
            assert!(ACTIONS[..i].iter().all(|other| other.word != row.word), "{}", row.word);
            assert!(ACTIONS[..i].iter().all(|other| other.name != row.name), "{}", row.word);
            assert!(row.about.len() <= 90 && !row.explain.is_empty());
            assert_eq!((find(row.word).unwrap().name, row.name.word()), (row.name, row.word));
        }
    }

    #[test]
    fn lists_survive_their_text_and_wrong_ones_are_told() {
        for text in ["none", "dup2", "dup2+chdir+close-range"] {
            assert_eq!(text.parse::<Actions>().unwrap().to_string(), text);
        }
        for (text, word) in [
            ("", "list actions"),
            ("dup", "dup2"),
            ("dup2+", "list actions"),
            ("dup2+dup2", "twice"),
            ("setpgid+setsid", "exclude"),
        ] {
            let error = text.parse::<Actions>().unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn means_are_known_by_their_number() {
        for means in Means::ALL {
            assert_eq!(Means::from_number(means as u64), Some(means));
        }
        assert_eq!(Means::from_number(0), None);
    }
}
