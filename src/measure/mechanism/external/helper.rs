//! The process of a helper: started once, told what to spawn, asked, and ended.
//!
//! It is a child of the subject, with whatever the subject has: cgroup, priority, the mailbox. Its
//! standard input and output are pipes, each the only one of its kind: that the helper has died is
//! seen at once, and that the subject has died ends the helper. Its standard error is kept, for
//! what it says last.
//!
//! # Safety
//!
//! Asks for clocks and ends a child of its own; two calls between the birth of the helper and
//! its exec.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::clock;
use crate::measure::image::MAILBOX;
use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::external::protocol::{self, Answer, LONGEST, Ready};
use crate::measure::subject;
use crate::measure::tape;

/// How long a helper may take to end after the end of its input, before it is killed.
const LEAVE: Duration = Duration::from_millis(200);

/// Bytes of its standard error that are looked at for its last line.
const LAST_WORDS: usize = 2048;

/// Why a helper is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::measure) struct Lost {
    /// Its process; 0: it was never one.
    pub pid: i32,
    /// Its wait status, where it ended by itself and not well.
    pub status: i32,
    /// What happened, in a line.
    pub why: String,
}

/// A helper that takes requests.
pub(in crate::measure) struct Helper {
    child: Child,
    /// None once it is to end.
    input: Option<ChildStdin>,
    output: ChildStdout,
    errors: File,
    /// Its faults and those of children that it has waited for; none: /proc has no such file.
    stat: Option<File>,
    clock: libc::clockid_t,
    ready: Ready,
    /// Bytes that it has written and that were not taken yet, from the start on.
    buffer: [u8; LONGEST],
    filled: usize,
}

impl Helper {
    /// Starts the helper on these processors (none: as this thread is), tells it what to spawn and
    /// waits until it is ready. Its threads inherit the processors.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or says something else.
    pub(in crate::measure) fn start(
        command: &str,
        brief: &Brief,
        cpus: &[u32],
        back: &[u32],
    ) -> Result<Helper, Lost> {
        let cannot = |what: &str, error: io::Error| Lost {
            pid: 0,
            status: 0,
            why: format!("the helper `{command}` {what}: {error}"),
        };
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words
            .ok_or_else(|| cannot("is no command", io::Error::from_raw_os_error(libc::EINVAL)))?;
        let environment: Vec<Vec<u8>> = brief
            .environment()
            .map(|(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
            .collect();
        let hello = protocol::hello(
            brief.path().to_bytes(),
            brief.arguments().map(|argument| argument.to_bytes()),
            environment.iter().map(Vec::as_slice),
            MAILBOX,
        );
        let hello = hello.map_err(|part| Lost {
            pid: 0,
            status: 0,
            why: format!("a helper is told its image in lines, and this has a newline: {part}"),
        })?;
        let errors = tape::memfd(c"forkbench-extern-stderr")
            .map(File::from)
            .and_then(|errors| errors.try_clone().map(|copy| (errors, copy)));
        let (errors, copy) = errors.map_err(|error| cannot("has no standard error", error))?;
        let mut start = Command::new(&words[0]);
        start.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(copy);
        let mask = brief.signal_mask();
        // SAFETY: two system calls and nothing else; the set is the closure's own.
        unsafe {
            start.pre_exec(move || {
                // Without a keeper nothing else would end a helper that does not look at its input.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // A subject blocks nearly all signals, and a shell waits for its children by one.
                match libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut()) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            });
        }
        subject::pin(cpus).map_err(|error| cannot("cannot run there", error))?;
        let started = start.spawn();
        let pinned = subject::pin(back);
        let mut child = started.map_err(|error| cannot("cannot be started", error))?;
        pinned.map_err(|error| cannot("was started, and then", error))?;
        let pid = child.id();
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: the clock is a local that lives through the call.
        unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) };
        let mut helper = Helper {
            child,
            input,
            output,
            errors,
            stat: File::open(format!("/proc/{pid}/stat")).ok(),
            clock,
            ready: Ready::default(),
            buffer: [0; LONGEST],
            filled: 0,
        };
        match helper.tell(&hello).and_then(|()| helper.hear())? {
            Answer::Ready(ready) => helper.ready = ready,
            other => return Err(helper.astray("ready", other)),
        }
        Ok(helper)
    }

    /// What it has said of itself.
    pub(in crate::measure) fn ready(&self) -> Ready {
        self.ready
    }

    /// Its process.
    pub(in crate::measure) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends it a request.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub(in crate::measure) fn tell(&mut self, request: &[u8]) -> Result<(), Lost> {
        let Some(input) = &mut self.input else { return Err(self.lose("it was ended")) };
        match input.write_all(request) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.gone(&error)),
        }
    }

    /// Makes sure that it has said nothing that it was not asked for: what comes before a request
    /// would be a fast answer to it.
    ///
    /// # Errors
    ///
    /// When it has.
    pub(in crate::measure) fn expect_silence(&mut self) -> Result<(), Lost> {
        let mut waiting: libc::c_int = 0;
        // SAFETY: the number is a local that lives through the call.
        unsafe { libc::ioctl(self.output.as_raw_fd(), libc::FIONREAD, &mut waiting) };
        if self.filled == 0 && waiting == 0 {
            return Ok(());
        }
        let (line, _) = self.wait()?;
        let answer = self.take(line)?;
        Err(self.astray("nothing", answer))
    }

    /// Waits for a line, and says when it was there, by CLOCK_MONOTONIC.
    ///
    /// # Errors
    ///
    /// When it is gone, or its line has no end.
    pub(in crate::measure) fn wait(&mut self) -> Result<(Line, u64), Lost> {
        let mut seen = 0;
        loop {
            let end = self.buffer[seen..self.filled].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                return Ok((Line { bytes: seen + end }, clock::now()));
            }
            seen = self.filled;
            if seen == LONGEST {
                let start = String::from_utf8_lossy(&self.buffer[..40]).into_owned();
                let start: String = start.chars().flat_map(char::escape_debug).collect();
                return Err(
                    self.lose(&format!("a line has no end within {LONGEST} bytes: `{start}..`"))
                );
            }
            match self.output.read(&mut self.buffer[seen..]) {
                Ok(0) => return Err(self.gone(&io::Error::from_raw_os_error(libc::EPIPE))),
                Ok(more) => self.filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.gone(&error)),
            }
        }
    }

    /// Takes a line that is there.
    ///
    /// # Errors
    ///
    /// When it makes no sense.
    pub(in crate::measure) fn take(&mut self, line: Line) -> Result<Answer, Lost> {
        let answer = protocol::parse(&self.buffer[..line.bytes]);
        self.buffer.copy_within(line.bytes + 1..self.filled, 0);
        self.filled -= line.bytes + 1;
        answer.map_err(|why| self.lose(&why))
    }

    /// Waits for an answer.
    ///
    /// # Errors
    ///
    /// As [`Self::wait`] and [`Self::take`].
    pub(in crate::measure) fn hear(&mut self) -> Result<Answer, Lost> {
        let (line, _) = self.wait()?;
        self.take(line)
    }

    /// How long an empty exchange takes, in nanoseconds.
    ///
    /// # Errors
    ///
    /// When it does not answer with a pong.
    pub(in crate::measure) fn ping(&mut self) -> Result<u64, Lost> {
        let begin = clock::now();
        self.tell(protocol::PING)?;
        let (line, end) = self.wait()?;
        match self.take(line)? {
            Answer::Pong => Ok(end - begin),
            other => Err(self.astray("pong", other)),
        }
    }

    /// CPU time of all its threads so far, in nanoseconds; 0 when it is gone.
    pub(in crate::measure) fn cpu(&self) -> u64 {
        clock::of(self.clock)
    }

    /// Minor faults of the children that it has waited for so far; none: that cannot be seen.
    pub(in crate::measure) fn faults_of_children(&self) -> Option<u64> {
        let mut bytes = [0; 512];
        let count = self.stat.as_ref()?.read_at(&mut bytes, 0).ok()?;
        // The name, in parentheses, may hold anything.
        let after = bytes[..count].iter().rposition(|byte| *byte == b')')? + 2;
        let fields = std::str::from_utf8(bytes.get(after..count)?).ok()?;
        // Of proc(5), the eleventh field; the third is the first after the name.
        fields.split_ascii_whitespace().nth(11 - 3)?.parse().ok()
    }

    /// Another answer than was due.
    pub(in crate::measure) fn astray(&mut self, due: &str, answer: Answer) -> Lost {
        let said = match answer {
            Answer::Ready(_) => "ready",
            Answer::Pong => "pong",
            Answer::Spawned { .. } => "spawned",
            Answer::Failed { .. } => "failed",
            Answer::Reaped { .. } => "reaped",
        };
        self.lose(&format!("the helper said `{said}` where `{due}` was due"))
    }

    /// It is of no use any more, for that reason: ends it.
    pub(in crate::measure) fn lose(&mut self, why: &str) -> Lost {
        let pid = self.pid();
        // Whatever state it is in now was of our making.
        let _ = self.child.kill().and_then(|()| self.child.wait());
        Lost { pid, status: 0, why: why.to_owned() + &self.last_words() }
    }

    /// One of its pipes is closed: as a rule it is dead.
    fn gone(&mut self, error: &io::Error) -> Lost {
        let pid = self.pid();
        let ended = self.wait_until(Instant::now() + LEAVE);
        let Some(ended) = ended else {
            return self
                .lose(&format!("the helper has closed its standard input or output ({error})"));
        };
        let how = match (ended.code(), ended.signal()) {
            (Some(0), _) => "the helper has ended by itself".to_owned(),
            (Some(code), _) => format!("the helper exited with status {code}"),
            (_, signal) => format!("the helper was killed by signal {}", signal.unwrap_or(0)),
        };
        Lost { pid, status: ended.into_raw(), why: how + &self.last_words() }
    }

    fn wait_until(&mut self, end: Instant) -> Option<ExitStatus> {
        loop {
            match self.child.try_wait() {
                Ok(Some(ended)) => return Some(ended),
                Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(1)),
                _ => return None,
            }
        }
    }

    /// The last line that it has written to its standard error, as the end of a sentence.
    fn last_words(&self) -> String {
        let length = self.errors.metadata().map_or(0, |metadata| metadata.len());
        let mut bytes = [0; LAST_WORDS];
        // Where it writes is not to be moved: the two share their place in the file.
        let from = length.saturating_sub(LAST_WORDS as u64);
        let count = self.errors.read_at(&mut bytes, from).unwrap_or(0);
        let text = String::from_utf8_lossy(&bytes[..count]);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let last: String = last.trim().chars().take(200).flat_map(char::escape_debug).collect();
        if last.is_empty() { last } else { format!("; it said: {last}") }
    }
}

/// A line that is there: as many bytes, without its end.
#[must_use]
pub(in crate::measure) struct Line {
    bytes: usize,
}

impl Drop for Helper {
    fn drop(&mut self) {
        // The end of its input tells it to end.
        self.input = None;
        if self.wait_until(Instant::now() + LEAVE).is_none() {
            let _ = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::mechanism::brief::{Extras, Target};

    fn start(script: &str) -> Result<Helper, Lost> {
        let mailbox = crate::measure::mechanism::tests::mailbox();
        let target = Target::Exec(c"/x/noop".into(), vec![c"noop".into()]);
        let brief = Brief::new(target, &Extras::default(), mailbox, 0).unwrap();
        let script = shlex::try_quote(script).unwrap();
        Helper::start(&format!("/bin/sh -c {script}"), &brief, &[], &[])
    }

    const HEAR_HELLO: &str = "while read word rest && [ $word != end ]; do last=$rest; done; ";

    #[test]
    fn a_helper_is_told_everything_before_it_is_ready() {
        let script = format!("{HEAR_HELLO} echo $last >&2; echo ready stamps; read x; echo no");
        let mut helper = start(&script).unwrap();
        assert_eq!(helper.ready(), Ready { stamps: true, no_mailbox: false });
        assert_eq!(helper.last_words(), "; it said: LC_ALL=C");
        let lost = helper.ping().unwrap_err();
        assert_eq!((lost.pid, lost.status), (helper.pid(), 0));
        assert_eq!(lost.why, "the helper said `no`; it said: LC_ALL=C");
    }

    #[test]
    fn answers_that_come_together_are_taken_one_by_one() {
        let script = format!("{HEAR_HELLO} printf 'ready\\npong\\nspawned 7\\n'; read x; exec cat");
        let mut helper = start(&script).unwrap();
        assert!(helper.ping().is_ok());
        assert_eq!(helper.hear(), Ok(Answer::Spawned { pid: 7, stamps: None }));
        helper.tell(b"pong\n").unwrap();
        assert_eq!(helper.hear(), Ok(Answer::Pong));
        assert!(helper.faults_of_children().is_some());
    }

    #[test]
    fn what_goes_wrong_before_it_is_ready_is_told() {
        for (script, status, why) in [
            ("exit 3".to_owned(), 0x300, "the helper exited with status 3"),
            ("echo oh >&2; kill -9 $$".to_owned(), 9, "killed by signal 9; it said: oh"),
            (format!("{HEAR_HELLO} exit 0"), 0, "the helper has ended by itself"),
            ("echo ready steady; sleep 60".to_owned(), 0, "the helper said `ready steady`"),
            ("echo pong; sleep 60".to_owned(), 0, "the helper said `pong` where `ready` was due"),
            ("exec >&-; sleep 60".to_owned(), 0, "has closed its standard input or output"),
            ("yes | tr -d '\\n'".to_owned(), 0, "no end within 512 bytes: `yyy"),
        ] {
            let lost = start(&script).err().unwrap_or_else(|| panic!("{script}"));
            assert_eq!(lost.status, status, "{script}: {lost:?}");
            assert!(lost.why.contains(why), "{script}: {lost:?}");
        }
    }

    #[test]
    fn a_helper_that_does_not_look_at_its_input_is_killed() {
        let helper = start(&format!("trap '' TERM; {HEAR_HELLO} echo ready; sleep 60")).unwrap();
        let pid = helper.pid();
        drop(helper);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
