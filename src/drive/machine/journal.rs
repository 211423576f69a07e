//! What was changed of the machine, on disk, before it is changed: so that it can be put back by
//! somebody else when all who knew of it were killed.
//!
//! One directory holds one lock and one journal. Who holds the lock may change settings: one run at
//! a time. The lock is the kernel's (flock), and falls with its holder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::drive::environment::Root;
use crate::drive::machine::is_known;

/// How long a run that ends just now is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

const LOCK: &str = "lock";
const JOURNAL: &str = "settings.toml";

/// Every setting that a run has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// The process whose run it is.
    owner: Owner,
    /// The boot in which the settings were changed: they do not outlive it.
    boot_id: String,
    /// In the order in which they were changed first.
    #[serde(default, rename = "change")]
    changes: Vec<Change>,
}

/// A process, told from a later one with its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    pid: i32,
    /// Field 22 of /proc/PID/stat: clock ticks since the boot.
    started: u64,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    path: PathBuf,
    /// What is to be put back.
    old: String,
    /// What stood there before the last change.
    from: String,
    /// What the last change asked for.
    to: String,
    /// What the kernel made of it; absent: not known, the change was just being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
}

impl Owner {
    fn of(pid: i32) -> Owner {
        Owner { pid, started: started(pid).unwrap_or(0) }
    }

    fn lives(&self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

impl Change {
    /// Whether a value is one that this change has brought about.
    fn made(&self, value: &str) -> bool {
        if let Some(is) = &self.is {
            return value == is;
        }
        let number = |text: &str| text.parse::<u64>().ok();
        match (number(&self.from), number(&self.to), number(value)) {
            // A pool can be filled in part.
            (Some(from), Some(to), Some(value)) => (from.min(to)..=from.max(to)).contains(&value),
            _ => value == self.from || value == self.to,
        }
    }

    /// Puts the old value back, unless somebody else has set another since. What was left.
    fn put_back(&self) -> Result<(), String> {
        let place = self.path.display();
        let left = |why: String| format!("{place} is not what it was, `{}`: {why}", self.old);
        let value = value_of(&self.path).map_err(|error| left(error.to_string()))?;
        if value == self.old {
            return Ok(());
        }
        if !self.made(&value) {
            return Err(left(format!("somebody has made it `{value}` since, which stands")));
        }
        fs::write(&self.path, &self.old)
            .map_err(|error| left(format!("{error}; put it back (`echo {} > {place}`)", self.old)))
    }
}

/// What stands in a setting: its text, or of several words the one in brackets.
pub(super) fn value_of(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    Ok(chosen.map_or(text.trim(), |(word, _)| word).to_owned())
}

/// The right to change settings, and the journal of what was changed.
pub(super) struct Book {
    directory: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
    journal: Journal,
}

impl Book {
    /// Takes the lock for the run of a process, and puts back what a killed one has left.
    ///
    /// # Errors
    ///
    /// When another run has it, and when there is no place for it.
    pub(super) fn open(owner: i32) -> Result<Book, String> {
        let mut refused = String::new();
        for directory in places() {
            match Book::open_in(&directory, owner, PATIENCE) {
                Ok(book) => return Ok(book),
                Err(Closed::NoPlace(error)) => {
                    refused = format!("{}: {error}", directory.display());
                }
                Err(Closed::Busy(why)) => return Err(why),
            }
        }
        Err(format!("there is no place to note what is changed of the machine ({refused})"))
    }

    fn open_in(directory: &Path, owner: i32, patience: Duration) -> Result<Book, Closed> {
        make(directory).map_err(Closed::NoPlace)?;
        let lock = lock(directory, patience)?;
        put_back_leftovers(directory, None)?;
        let boot_id = boot_id();
        let journal = Journal { owner: Owner::of(owner), boot_id, changes: Vec::new() };
        Ok(Book { directory: directory.to_owned(), _lock: lock, journal })
    }

    /// Sets a file, and returns what stands in it then. It is noted before it is done.
    pub(super) fn set(&mut self, path: &str, value: &str) -> io::Result<String> {
        if !is_known(path) {
            return Err(io::Error::other(format!("{path} is not for forkbench to change")));
        }
        let path = PathBuf::from(path);
        let from = value_of(&path)?;
        // Tried first, so that nothing is noted that cannot be done.
        let mut file = OpenOptions::new().write(true).open(&path)?;
        let known = self.journal.changes.iter().position(|change| change.path == path);
        let place = known.unwrap_or_else(|| {
            self.journal.changes.push(Change {
                path: path.clone(),
                old: from.clone(),
                from: from.clone(),
                to: String::new(),
                is: None,
            });
            self.journal.changes.len() - 1
        });
        let change = &mut self.journal.changes[place];
        (change.from, change.to, change.is) = (from, value.to_owned(), None);
        self.write()?;
        let written = file.write_all(value.as_bytes());
        let is = value_of(&path)?;
        self.journal.changes[place].is = Some(is.clone());
        self.write()?;
        written.map(|()| is)
    }

    /// Puts everything back, and says what could not be.
    pub(super) fn close(self) -> Vec<String> {
        put_all_back(&self.journal, &self.directory)
    }

    fn write(&self) -> io::Result<()> {
        let text = toml::to_string(&self.journal).map_err(io::Error::other)?;
        let new = self.directory.join("settings.new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.directory.join(JOURNAL))?;
        File::open(&self.directory)?.sync_all()
    }
}

/// Why there is no book.
enum Closed {
    /// The directory cannot be had.
    NoPlace(io::Error),
    /// Another run has it: which, and what to do.
    Busy(String),
}

/// Puts back what runs have left changed that were killed with their stewards, and says what was
/// put back and what could not be. Cheap where there is nothing.
pub fn recover() -> Vec<String> {
    recover_but(None)
}

/// The same for this very process, whose steward was killed.
pub(super) fn recover_own() -> Vec<String> {
    recover_but(Some(std::process::id() as i32))
}

/// Puts back what runs have left whose process is gone, or is `ended`.
fn recover_but(ended: Option<i32>) -> Vec<String> {
    let mut said = Vec::new();
    for directory in places() {
        if is_ours(&directory).is_err() || !directory.join(JOURNAL).exists() {
            continue;
        }
        // Whoever has the lock sees to it.
        let Ok(_lock) = lock(&directory, Duration::ZERO) else { continue };
        match put_back_leftovers(&directory, ended) {
            Ok(notes) => said.extend(notes),
            Err(Closed::Busy(why)) => said.push(why),
            Err(Closed::NoPlace(error)) => said.push(format!("{}: {error}", directory.display())),
        }
        sweep(&directory);
    }
    said
}

/// With the lock held: puts back what a journal names whose run has gone, or is that of `ended`.
fn put_back_leftovers(directory: &Path, ended: Option<i32>) -> Result<Vec<String>, Closed> {
    let path = directory.join(JOURNAL);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Closed::NoPlace(error)),
    };
    let journal: Journal = toml::from_str(&text).map_err(|error| {
        Closed::Busy(format!(
            "{} cannot be read ({}): see what it says, put that back, and remove it",
            path.display(),
            error.message()
        ))
    })?;
    if journal.boot_id != boot_id() {
        let _ = fs::remove_file(&path);
        return Ok(Vec::new());
    }
    if journal.owner.lives() && Some(journal.owner.pid) != ended {
        return Err(Closed::Busy(format!(
            "the settings of this machine are changed for the run of process {}: wait for its end",
            journal.owner.pid
        )));
    }
    let pid = journal.owner.pid;
    let mut said: Vec<String> = journal
        .changes
        .iter()
        .map(|change| {
            let (place, old) = (change.path.display(), &change.old);
            format!("{place} is `{old}` again, as it was before a run (process {pid}) whose end was not orderly")
        })
        .collect();
    let left = put_all_back(&journal, directory);
    if !left.is_empty() {
        said = left;
    }
    Ok(said)
}

/// With the lock held: puts back, the last change first, and forgets it.
fn put_all_back(journal: &Journal, directory: &Path) -> Vec<String> {
    let known = |change: &&Change| is_known(&change.path.to_string_lossy());
    let changes = journal.changes.iter().rev().filter(known);
    let left = changes.filter_map(|change| change.put_back().err()).collect();
    let _ = fs::remove_file(directory.join(JOURNAL));
    sweep(directory);
    left
}

/// Removes what is left of a directory, by who holds its lock: see [`lock`] for who waits for it.
fn sweep(directory: &Path) {
    if !directory.join(JOURNAL).exists() {
        let _ = fs::remove_file(directory.join(LOCK));
        let _ = fs::remove_dir(directory);
    }
}

/// Where a journal may stand: what a boot empties, or else the temporary files, by user.
fn places() -> [PathBuf; 2] {
    let own = std::env::temp_dir().join(format!("forkbench-{}", geteuid()));
    [PathBuf::from("/run/forkbench"), own]
}

fn make(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    is_ours(directory)
}

/// A journal tells this program, root perhaps, what to write where: nobody else may have written it.
fn is_ours(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other("it belongs to another user, or others can write to it"))
}

/// Takes the lock, waiting so long at most.
fn lock(directory: &Path, patience: Duration) -> Result<File, Closed> {
    let end = Instant::now() + patience;
    let path = directory.join(LOCK);
    loop {
        make(directory).map_err(Closed::NoPlace)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(Closed::NoPlace)?;
        if file.try_lock().is_ok() {
            // It may have been swept away by the one before.
            let there = fs::metadata(&path).map(|m| m.ino()).ok();
            if there == file.metadata().map(|m| m.ino()).ok() {
                return Ok(file);
            }
            continue;
        }
        if Instant::now() >= end {
            return Err(Closed::Busy(
                "another forkbench run on this machine needs its settings of huge pages: wait for \
                 its end"
                    .to_owned(),
            ));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn boot_id() -> String {
    Root::live().text("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &str, to: &str, is: Option<&str>) -> Change {
        Change {
            path: "/nowhere".into(),
            old: from.into(),
            from: from.into(),
            to: to.into(),
            is: is.map(str::to_owned),
        }
    }

    #[test]
    fn what_somebody_else_has_set_is_told_from_what_was_changed() {
        let whole = change("0", "512", Some("300"));
        assert!(whole.made("300") && !whole.made("512") && !whole.made("299"));
        let torn = change("0", "512", None);
        assert!(torn.made("0") && torn.made("17") && torn.made("512") && !torn.made("513"));
        let words = change("never", "madvise", None);
        assert!(words.made("never") && words.made("madvise") && !words.made("always"));
    }

    #[test]
    fn the_old_value_is_put_back_unless_another_stands_there() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("setting");
        let set = Change { path: path.clone(), ..change("never", "madvise", Some("madvise")) };
        for (found, left) in [
            ("always inherit [madvise] never\n", "never"),
            ("always inherit madvise [never]\n", "always inherit madvise [never]\n"),
        ] {
            fs::write(&path, found).unwrap();
            set.put_back().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
        }
        fs::write(&path, "[always] madvise never\n").unwrap();
        assert!(set.put_back().unwrap_err().contains("somebody has made it `always`"));
        assert!(change("a", "b", None).put_back().unwrap_err().contains("/nowhere"));
    }

    #[test]
    fn one_run_at_a_time_has_the_book_and_a_file_it_does_not_know_is_not_set() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("book");
        let me = std::process::id() as i32;
        let Ok(mut book) = Book::open_in(&directory, me, Duration::ZERO) else { panic!() };
        assert!(book.set("/etc/hostname", "x").unwrap_err().to_string().contains("not for"));
        let busy = Book::open_in(&directory, me, Duration::ZERO);
        assert!(matches!(busy, Err(Closed::Busy(why)) if why.contains("wait for")));
        assert!(book.close().is_empty());
        assert!(!directory.exists(), "an empty book is left");
    }

    #[test]
    fn a_journal_of_a_run_that_goes_on_is_left_alone_and_one_of_another_boot_forgotten() {
        let place = tempfile::tempdir().unwrap();
        let mut journal = Journal {
            owner: Owner::of(std::process::id() as i32),
            boot_id: boot_id(),
            changes: vec![change("0", "1", None)],
        };
        let write = |journal: &Journal| {
            fs::write(place.path().join(JOURNAL), toml::to_string(journal).unwrap()).unwrap();
        };
        write(&journal);
        let left = put_back_leftovers(place.path(), None);
        assert!(matches!(left, Err(Closed::Busy(why)) if why.contains("run of process")));
        journal.boot_id = "another".to_owned();
        write(&journal);
        assert!(put_back_leftovers(place.path(), None).is_ok_and(|said| said.is_empty()));
        assert!(!place.path().join(JOURNAL).exists());
        fs::write(place.path().join(JOURNAL), "nonsense").unwrap();
        assert!(matches!(put_back_leftovers(place.path(), None), Err(Closed::Busy(_))));
    }
}
