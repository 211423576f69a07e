//! The steward: a process that changes settings of the machine for a run and puts them back when
//! the run has ended, however it ended: when the harness's end of its standard input is closed.
//!
//! Standard input: lines of a path, a tab and a value. Standard output: `ready`, or `no` and why
//! there is no steward; then for each line `is` and the value that stands there, or `no` and why;
//! and, when all is put back, a line for each setting that could not be.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::setsid;

use crate::drive::machine::journal::{self, Book};

/// The process `forkbench __steward OWNER`: OWNER is the process whose run it serves.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let owner = arguments.first().and_then(|word| word.to_str()?.parse().ok());
    let Some(owner) = owner else { return ExitCode::from(2) };
    // A ^C at the terminal, and whatever a user sends to all that is named forkbench, is for the
    // harness: this process ends when that has.
    let _ = setsid();
    let mut deaf = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        deaf.add(signal);
    }
    let _ = deaf.thread_block();
    let mut book = match Book::open(owner) {
        Ok(book) => book,
        Err(why) => {
            say(&format!("no {why}"));
            return ExitCode::FAILURE;
        }
    };
    say("ready");
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Some((path, value)) = line.split_once('\t') else { continue };
        match book.set(path, value) {
            Ok(is) => say(&format!("is {is}")),
            Err(error) => say(&format!("no {error}")),
        }
    }
    for left in book.close() {
        say(&left);
    }
    ExitCode::SUCCESS
}

fn say(line: &str) {
    // If the harness has gone there is nobody to tell.
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// The harness's handle on its steward.
pub(super) struct Steward {
    process: Child,
    /// Its end is what the steward puts everything back at.
    orders: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

/// What came of an order.
pub(super) enum Asked {
    /// What stands there now.
    Is(String),
    /// Why it was not done.
    Refused(String),
}

impl Steward {
    /// Starts one. `binary` is this program.
    ///
    /// # Errors
    ///
    /// Why there is none, and what to do: another run may have one.
    pub(super) fn start(binary: &Path) -> Result<Steward, String> {
        let cannot = |error: io::Error| format!("cannot start a steward of settings: {error}");
        let mut process = Command::new(binary)
            .arg("__steward")
            .arg(std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot)?;
        let orders = process.stdin.take();
        let said = BufReader::new(process.stdout.take().expect("piped"));
        let mut steward = Steward { process, orders, said };
        let first = steward.line().map_err(cannot)?;
        match first.strip_prefix("no ") {
            None => Ok(steward),
            Some(why) => Err(why.to_owned()),
        }
    }

    /// Has one file set.
    ///
    /// # Errors
    ///
    /// When the steward has gone.
    pub(super) fn set(&mut self, path: &str, value: &str) -> Result<Asked, String> {
        let gone = |error: io::Error| format!("the steward of settings has gone: {error}");
        let orders = self.orders.as_mut().expect("only its end closes it");
        orders.write_all(format!("{path}\t{value}\n").as_bytes()).map_err(gone)?;
        let line = self.line().map_err(gone)?;
        Ok(match line.strip_prefix("is ") {
            Some(value) => Asked::Is(value.to_owned()),
            None => Asked::Refused(line.strip_prefix("no ").unwrap_or(&line).to_owned()),
        })
    }

    /// Has everything put back, and waits for that. Says what could not be.
    pub(super) fn end(mut self) -> Vec<String> {
        let mut left = String::new();
        self.orders = None;
        let _ = self.said.read_to_string(&mut left);
        let in_order = self.process.wait().is_ok_and(|status| status.success());
        if in_order {
            return left.lines().map(str::to_owned).collect();
        }
        // It was killed. The journal names this very process, which lives.
        journal::recover_own()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.said.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Steward {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.process.wait();
    }
}
