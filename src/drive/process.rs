//! The harness's handle on one subject, with its keeper and its tape.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::Pid;

use crate::drive::keeper::Orders;
use crate::measure::hazard;
use crate::measure::job::Job;
use crate::measure::subject::REFUSED;
use crate::measure::tape::{BadTape, Frame, State, Tape};

/// How often the harness looks whether a subject is still alive while it waits for it.
const LOOK: Duration = Duration::from_millis(50);

/// A running subject.
pub struct Subject {
    keeper: Child,
    /// Kept open: its end is what the keeper dies of.
    life: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    tape: Tape,
    errors: File,
    /// The subject's process.
    pub pid: Option<Pid>,
}

/// How a subject is started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Words in front of the subject's own command.
    pub prefix: Vec<String>,
    /// Without randomisation of its address space.
    pub fixed_addresses: bool,
    /// Bytes of padding in its environment.
    pub padding: usize,
    /// A directory that its keeper removes if the harness dies.
    pub directory: Option<OsString>,
    /// Variables of its environment, each `NAME=VALUE`.
    pub env: Vec<OsString>,
    /// The binary that it is; none: this program.
    pub binary: Option<PathBuf>,
}

/// Why a subject is no longer to be waited for.
#[derive(Debug)]
pub enum Trouble {
    /// It ended: how, and the last line of what it wrote to standard error.
    Ended(Ending, String),
    /// Nothing moved for the stall limit.
    Stuck,
    /// The run is interrupted.
    Interrupted,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an exit code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It never began: its keeper could not start it.
    Unstarted,
    /// Not known: its keeper was killed.
    Unknown,
}

impl Ending {
    /// Whether it said itself that it cannot do its job here.
    pub fn is_refusal(self) -> bool {
        self == Ending::Exit(i32::from(REFUSED))
    }
}

/// When a wait is to be given up.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    /// How long nothing may move.
    pub stall: Duration,
    /// Whether the run is interrupted.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Subject {
    /// Starts a subject on its job. `binary` is this program.
    pub fn start(binary: &std::path::Path, job: &Job, start: &Start) -> io::Result<Subject> {
        let bad_tape = |error: BadTape| io::Error::other(error.to_string());
        let (tape, descriptor) = Tape::create(1, job.most_frames() * 2).map_err(bad_tape)?;
        let errors = File::from(memfd_create(c"forkbench-stderr", MFdFlags::MFD_CLOEXEC)?);
        let mut command: Vec<OsString> = start.prefix.iter().map(OsString::from).collect();
        let own = start.binary.as_deref().unwrap_or(binary);
        command.extend([own.into(), "__subject".into(), descriptor.as_raw_fd().to_string().into()]);
        let orders = Orders {
            fixed_addresses: start.fixed_addresses,
            directory: start.directory.clone(),
            env: start.env.clone(),
            command,
        };
        let mut keeper = Command::new(binary);
        keeper
            .arg("__keeper")
            .args(orders.to_arguments())
            .env("FORKBENCH_PADDING", "x".repeat(start.padding))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone()?);
        keeper.envs(job.variants.iter().filter_map(|variant| hazard::environment(&variant.work)));
        let mut keeper = inheriting(&descriptor, || keeper.spawn())?;
        let mut life = keeper.stdin.take().expect("piped");
        let said = BufReader::new(keeper.stdout.take().expect("piped"));
        let text = job.to_text();
        let mut subject = Subject { keeper, life: None, said, tape, errors, pid: None };
        // A keeper that dies at once is found out by the first wait.
        if life.write_all(format!("{}\n{text}", text.len()).as_bytes()).is_ok() {
            let mut line = String::new();
            subject.said.read_line(&mut line)?;
            let pid = line.trim().strip_prefix("pid ").and_then(|pid| pid.parse().ok());
            subject.pid = pid.map(Pid::from_raw);
        }
        subject.life = Some(life);
        Ok(subject)
    }

    /// Waits until the subject waits for a block, or has done its job.
    pub fn wait_until_idle(&mut self, patience: Patience) -> Result<(), Trouble> {
        let mut motion = self.tape.motion();
        let mut moved = Instant::now();
        loop {
            let state = self.tape.state();
            if matches!(state, State::Waiting | State::Done) {
                return Ok(());
            }
            self.tape.wait_while(state, LOOK);
            if (patience.interrupted)() {
                return Err(Trouble::Interrupted);
            }
            if matches!(self.keeper.try_wait(), Ok(Some(_)) | Err(_)) {
                // It may have finished and gone between the two looks.
                if self.tape.state() == State::Done {
                    return Ok(());
                }
                let (ending, error) = self.ending();
                return Err(Trouble::Ended(ending, error));
            }
            let now = self.tape.motion();
            if now != motion {
                (motion, moved) = (now, Instant::now());
            } else if moved.elapsed() > patience.stall {
                return Err(Trouble::Stuck);
            }
        }
    }

    /// Lets it run its next block, and waits until that is done.
    pub fn run_block(&mut self, patience: Patience) -> Result<(), Trouble> {
        // The state is set back here, so that the wait cannot see the old one.
        self.tape.set_state(State::Running);
        self.tape.grant();
        self.wait_until_idle(patience)
    }

    /// Takes what it has written since the last time.
    pub fn take(&self) -> Vec<Frame> {
        self.tape.take()
    }

    /// How long it took to take on its shape, in nanoseconds, once it has.
    pub fn setup_ns(&self) -> Option<u64> {
        match self.tape.setup_ns() {
            0 => None,
            length => Some(length),
        }
    }

    /// Ends it, with every descendant, and says how it ended. A subject that has done its job ends
    /// by itself.
    pub fn finish(mut self) -> (Ending, String) {
        if self.tape.state() != State::Done {
            self.life = None;
        }
        self.ending()
    }

    fn ending(&mut self) -> (Ending, String) {
        let mut rest = String::new();
        let _ = self.said.read_to_string(&mut rest);
        let kept = self.keeper.wait();
        // A keeper that goes by itself without a word of its subject has failed to start it.
        let failed = kept.is_ok_and(|status| status.code().is_some());
        let unsaid = if failed { Ending::Unstarted } else { Ending::Unknown };
        let ending = rest.lines().find_map(|line| {
            let number = |text: &str| text.parse().ok();
            line.strip_prefix("exit ")
                .and_then(number)
                .map(Ending::Exit)
                .or_else(|| line.strip_prefix("signal ").and_then(number).map(Ending::Signal))
        });
        let mut errors = String::new();
        let _ = self.errors.rewind().and_then(|()| self.errors.read_to_string(&mut errors));
        let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        (ending.unwrap_or(unsaid), last.to_owned())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // The keeper ends when this is closed, and takes everything with it.
        self.life = None;
        let _ = self.keeper.wait();
    }
}

/// Runs `start` while `descriptor` is inherited by what is executed.
fn inheriting<T>(descriptor: &OwnedFd, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let started = start();
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    started
}
