//! One run in a directory of its own, and what can be seen of it from outside.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// No run of this suite takes a tenth of this on an idle machine.
const LONGEST: Duration = Duration::from_secs(60);

/// The variable by which every process of a bench is known; only images do not inherit it.
const MARK: &str = "FORKBENCH_TEST_MARK";

/// A line of a CSV file by its columns.
pub(crate) type Row = HashMap<String, String>;

/// A row of `readings.csv` that a workload has noted.
pub(crate) struct Noted {
    /// What was noted.
    pub(crate) value: u64,
    /// With how many samples.
    pub(crate) spawns: u64,
    pub(crate) row: Row,
}

/// A place for one run.
pub(crate) struct Bench {
    directory: TempDir,
    mark: String,
}

/// How a command ended, and what it said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let bench = Bench {
            directory,
            mark: format!("{}{:04}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
        };
        fs::create_dir(bench.temporary()).unwrap();
        fs::set_permissions(bench.temporary(), fs::Permissions::from_mode(0o777)).unwrap();
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The results directory.
    pub(crate) fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// TMPDIR of every command.
    fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    /// The program with these arguments.
    pub(crate) fn forkbench<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        self.mark_command(Command::new(env!("CARGO_BIN_EXE_forkbench")), arguments)
    }

    /// The same, from a copy that any user may execute.
    pub(crate) fn public_forkbench(&self, arguments: &[&str]) -> Command {
        let copy = self.path("forkbench");
        fs::copy(env!("CARGO_BIN_EXE_forkbench"), &copy).unwrap();
        self.mark_command(Command::new(copy), arguments)
    }

    /// Words of a shell that hang for ever and can be found again.
    pub(crate) fn sleep(&self) -> String {
        format!("sleep {}", self.mark)
    }

    /// An image that hangs from its Nth execution on, as long as there is no file `free`.
    pub(crate) fn hanging_from(&self, execution: u32) -> String {
        let (count, free) = (self.path("count"), self.path("free"));
        let text = format!(
            "n=0; [ -e {count} ] && read n < {count}\n\
             n=$((n+1)); echo $n > {count}\n\
             [ $n -ge {execution} ] && [ ! -e {free} ] && exec {sleep}\n\
             exit 0",
            count = count.display(),
            free = free.display(),
            sleep = self.sleep(),
        );
        self.script("hanging", &text)
    }

    /// Lets the image of [`Self::hanging_from`] hang no more.
    pub(crate) fn free(&self) {
        fs::write(self.path("free"), "").unwrap();
    }

    /// Waits until an image of [`Self::sleep`] hangs, and returns its process.
    #[track_caller]
    pub(crate) fn hung(&self) -> u32 {
        wait_for("an image that hangs", LONGEST, || {
            self.processes().into_iter().find(|pid| status(*pid, "Name") == "sleep")
        })
    }

    fn mark_command<A: AsRef<std::ffi::OsStr>>(
        &self,
        mut command: Command,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env(MARK, &self.mark)
            .env("TMPDIR", self.temporary())
            .stdin(Stdio::null());
        command
    }

    /// The arguments of a small run into [`Self::out`], and more.
    pub(crate) fn small<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        self.of_blocks("1", more)
    }

    /// The same with more than a hundred spawns, however slow the machine is.
    pub(crate) fn larger<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        self.of_blocks("5", more)
    }

    pub(crate) fn of_blocks<'a>(&self, blocks: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let sampling = ["--launches", "1", "--blocks", blocks, "--time", "2s", "--seed", "1"];
        [&["run", "--out", "out"][..], &sampling, more].concat()
    }

    /// Makes a small run with more arguments.
    pub(crate) fn run(&self, more: &[&str]) -> Said {
        finish(self.forkbench(self.small(more)))
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, mut command: Command) -> Running {
        Running { child: command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// An executable file of that content.
    pub(crate) fn executable(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A shell script.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        let path = self.executable(name, format!("#!/bin/sh\n{text}\n"));
        path.to_str().unwrap().to_owned()
    }

    /// Every row of a CSV file of the results.
    pub(crate) fn rows(&self, file: &str) -> Vec<Row> {
        let path = self.out().join(file);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        reader.deserialize().map(|row| row.unwrap()).collect()
    }

    /// The rows in which the columns have these values.
    pub(crate) fn rows_with(&self, file: &str, wanted: &[(&str, &str)]) -> Vec<Row> {
        let mut rows = self.rows(file);
        rows.retain(|row| wanted.iter().all(|(column, value)| row[*column] == *value));
        rows
    }

    /// The numbers of the variants with these values.
    pub(crate) fn variants(&self, wanted: &[(&str, &str)]) -> Vec<String> {
        self.rows_with("variants.csv", wanted).iter().map(|row| row["variant"].clone()).collect()
    }

    /// Samples that statistics are made of, of the variants with these values.
    pub(crate) fn timed(&self, wanted: &[(&str, &str)]) -> Vec<Row> {
        let variants = self.variants(wanted);
        let timed: Vec<(String, String)> = self
            .rows_with("blocks.csv", &[("kind", "time")])
            .into_iter()
            .map(|row| (row["launch"].clone(), row["block"].clone()))
            .collect();
        let mut rows = self.rows_with("samples.csv", &[("phase", "measure"), ("status", "0")]);
        rows.retain(|row| {
            variants.contains(&row["variant"])
                && timed.contains(&(row["launch"].clone(), row["block"].clone()))
        });
        rows
    }

    /// What the workload noted under that name with each sample, of the variants with these values: a
    /// row of `readings.csv` is the sum over spawns that noted the same.
    pub(crate) fn noted(&self, reading: &str, wanted: &[(&str, &str)]) -> Vec<Noted> {
        let variants = self.variants(wanted);
        let mut rows = self.rows_with("readings.csv", &[("reading", reading), ("at", "work")]);
        rows.retain(|row| variants.contains(&row["variant"]));
        let noted = |row: Row| {
            let number = |column: &str| row[column].parse::<u64>().unwrap();
            let (value, spawns) = (number("value") / number("spawns"), number("spawns"));
            Noted { value, spawns, row }
        };
        rows.into_iter().map(noted).collect()
    }

    /// Every process of this bench: those that inherited its mark, and those with it among their
    /// arguments.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let inherited = format!("{MARK}={}", self.mark);
        let has = |pid: u32, file: &str, text: &str| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        all_processes()
            .into_iter()
            .filter(|pid| has(*pid, "environ", &inherited) || has(*pid, "cmdline", &self.mark))
            .collect()
    }

    /// The subject that is running now, once there is one.
    pub(crate) fn subject(&self) -> u32 {
        wait_for("a subject", LONGEST, || self.processes().into_iter().find(|pid| is_subject(*pid)))
    }

    /// Asserts that nothing is left of what was started here: no process, no file but the results.
    pub(crate) fn assert_nothing_left(&self, within: Duration) {
        wait_for("the end of every process", within, || self.processes().is_empty().then_some(()));
        let left: Vec<_> = fs::read_dir(self.temporary()).unwrap().map(|e| e.unwrap()).collect();
        assert!(left.is_empty(), "left in TMPDIR: {left:?}");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Only after a failed assertion is there anything left to kill.
        for pid in self.processes() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

/// A harness that runs beside the test.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Said {
        let end = Instant::now() + LONGEST;
        // What it says fits into the pipe, so that it cannot wait for us to read.
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                self.child.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(10));
        }
        said(self.child.wait_with_output().unwrap())
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: Command) -> Said {
    finish_within(LONGEST, command)
}

/// Runs a command to its end that may take so long: one that reads much, in a debug build.
pub(crate) fn finish_within(longest: Duration, command: Command) -> Said {
    let mut command = assert_cmd::Command::from_std(command);
    said(command.timeout(longest).output().unwrap())
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// Asserts the exit code, and that standard error has all of these texts.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in texts {
            assert!(self.stderr.contains(text), "no `{text}` in {self:#?}");
        }
    }
}

/// Runs with these arguments after `run --out out`: each text must be told, and nothing printed or
/// written.
#[track_caller]
pub(crate) fn refused(bench: &Bench, arguments: &[&str], texts: &[&str]) {
    let before = contents(&bench.path(""));
    let said = finish(bench.forkbench([&["run", "--out", "out"], arguments].concat()));
    said.expect(2, texts);
    assert_eq!(said.stdout, "", "{arguments:?}");
    assert_eq!(contents(&bench.path("")), before, "{arguments:?} has written something");
}

/// Sends a signal.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.unwrap().success(), "kill -{name} {pid}");
}

/// What `look` finds, as soon as it finds anything.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "no sign of {what} within {within:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is a subject. A child of it that has not yet executed its image looks the same
/// but for its parent.
pub(crate) fn is_subject(pid: u32) -> bool {
    let looks = |pid: &str| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|word| word == b"__subject")
            && !command.split(|byte| *byte == 0).any(|word| word == b"__keeper")
    };
    looks(&pid.to_string()) && !looks(&status(pid, "PPid"))
}

/// A field of /proc/PID/status; empty if there is none.
pub(crate) fn status(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(":\t"));
    lines.filter(|(name, _)| *name == field).map(|(_, value)| value.to_owned()).collect()
}

/// The children of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    all_processes().into_iter().filter(|p| status(*p, "PPid") == pid.to_string()).collect()
}

fn all_processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The median of a column; the rows must have it.
#[track_caller]
pub(crate) fn median(rows: &[Row], column: &str) -> u64 {
    let mut values: Vec<u64> = rows.iter().map(|row| row[column].parse().unwrap()).collect();
    values.sort_unstable();
    assert!(!values.is_empty(), "no samples");
    values[values.len() / 2]
}

/// Whether this is the superuser.
pub(crate) fn is_root() -> bool {
    status(std::process::id(), "Uid").starts_with("0\t")
}

/// Says why a test does nothing here.
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// Every file of a directory with its content.
pub(crate) fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).unwrap_or_default()))
        .collect();
    files.sort();
    files
}
