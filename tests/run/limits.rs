//! Full disks, and limits on processes, files and memory.
//!
//! # Safety
//!
//! Sets limits in a process between its fork and its exec, by one system call each.
#![allow(unsafe_code)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bench::{Bench, finish, is_root, skip, wait_for};

/// Sets a limit of a command, as its own process, before it begins.
pub(crate) fn limit(command: &mut Command, resource: libc::__rlimit_resource_t, value: u64) {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    let set = move || {
        // SAFETY: the limit lives through the call.
        match unsafe { libc::setrlimit(resource, &limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: only makes a system call.
    unsafe { command.pre_exec(set) };
}

/// A small file system in memory, mounted while this lives.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn mount(place: &Path, size: &str) -> Option<Disk> {
        fs::create_dir(place).unwrap();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place);
        mount.output().is_ok_and(|output| output.status.success()).then(|| Disk(place.to_owned()))
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_keeps_the_blocks_before() {
    let bench = Bench::new();
    let place = bench.path("disk");
    let Some(disk) = Disk::mount(&place, "64k") else {
        return skip("no file system can be mounted here, so there is no full disk");
    };
    let said = finish(bench.forkbench([
        "run",
        "--out",
        "disk/out",
        "--time",
        "4s",
        "--launches",
        "3",
        "--blocks",
        "4",
        "--mechanism",
        "vfork,fork",
    ]));
    let blocks = || {
        let text = fs::read_to_string(place.join("out/blocks.csv")).unwrap();
        text.lines().count() - 1
    };
    let safe = format!("the {} blocks written before are safe", blocks());
    said.expect(1, &["no room to write", &safe, "make room", "--resume disk/out"]);
    assert_eq!(said.stderr.matches("No space left").count(), 1, "told twice: {said:?}");
    let before = blocks();
    assert!(before >= 1);
    let shown = finish(bench.forkbench(["show", "disk/out"]));
    assert!(matches!(shown.code, Some(0 | 5)), "{shown:?}");
    bench.assert_nothing_left(Duration::from_secs(1));

    disk.resize("16m");
    finish(bench.forkbench(["run", "--resume", "disk/out"])).expect(0, &[]);
    assert!(blocks() > before);
    finish(bench.forkbench(["show", "disk/out"])).expect(0, &[]);
}

#[test]
fn a_disk_without_room_for_a_header() {
    let bench = Bench::new();
    let place = bench.path("disk");
    let Some(_disk) = Disk::mount(&place, "4k") else {
        return skip("no file system can be mounted here, so there is no full disk");
    };
    finish(bench.forkbench(["run", "--out", "disk/out"])).expect(2, &["No space left"]);
}

#[test]
fn a_limit_on_the_size_of_files_is_told() {
    let bench = Bench::new();
    let mut command = bench.forkbench(bench.small(&["--mechanism", "vfork,fork"]));
    limit(&mut command, libc::RLIMIT_FSIZE, 8 << 10);
    finish(command).expect(1, &["File too large"]);
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// Makes a command that of a user who has no other process: its number is above `base`, since
/// tests run side by side.
fn as_nobody(command: &mut Command, base: u32) {
    let user = base + std::process::id();
    command.uid(user).gid(user);
}

#[test]
fn a_limit_on_processes_is_an_event_of_every_mechanism() {
    if !is_root() {
        return skip("only root can become a user without other processes");
    }
    let bench = Bench::new();
    let mechanisms = "fork,vfork,posix_spawn,clone3-vm";
    let mut command = bench.public_forkbench(&bench.small(&["--mechanism", mechanisms]));
    as_nobody(&mut command, 1_000_000_000);
    // Harness, keeper and subject; no child.
    limit(&mut command, libc::RLIMIT_NPROC, 3);
    let said = finish(command);
    said.expect(1, &["no sample of fork", "clone3-vm"]);
    assert!(said.stdout.contains("Resource temporarily unavailable"), "{said:?}");
    for number in bench.variants(&[("role", "subject")]) {
        let events = bench.rows_with("events.csv", &[("variant", &number), ("event", "failed")]);
        assert!(events.len() >= 3, "{events:?}");
        for event in events {
            assert_eq!(event["errno"], libc::EAGAIN.to_string());
            assert!(event["evidence"].starts_with("birth: "), "{event:?}");
        }
        assert!(bench.rows_with("samples.csv", &[("variant", &number)]).is_empty());
    }
}

#[test]
fn a_subject_for_which_there_is_no_process_is_told() {
    if !is_root() {
        return skip("only root can become a user without other processes");
    }
    let bench = Bench::new();
    let mut command = bench.public_forkbench(&bench.small(&["--mechanism", "vfork"]));
    as_nobody(&mut command, 2_000_000_000);
    limit(&mut command, libc::RLIMIT_NPROC, 2);
    finish(command).expect(1, &["could not be started", "Resource temporarily unavailable"]);
    let died = bench.rows_with("launches.csv", &[("outcome", "died")]);
    assert_eq!(died.len(), 1, "{died:?}");
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// A control group below the one of this process, with a limit of memory; removed when dropped.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    fn make(name: &str, limit: &str) -> Option<MemoryGroup> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let place = |line: &str| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (names, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
            let mounts = if names.split(',').any(|name| name == "memory") {
                "/sys/fs/cgroup/memory"
            } else if names.is_empty() {
                "/sys/fs/cgroup"
            } else {
                return None;
            };
            Some(Path::new(mounts).join(path))
        };
        groups.lines().filter_map(place).find_map(|parent| {
            let group = MemoryGroup(parent.join(name));
            fs::create_dir(&group.0).ok()?;
            let limited = ["memory.max", "memory.limit_in_bytes"].iter().any(|file| {
                group.0.join(file).exists() && fs::write(group.0.join(file), limit).is_ok()
            });
            limited.then_some(group)
        })
    }

    /// A shell's words by which it, and what it executes, enters the group.
    fn enter(&self) -> String {
        format!("echo $$ > {}/cgroup.procs || exit 99", self.0.display())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // A group that still holds a process that is about to end cannot go yet.
        let gone = || fs::remove_dir(&self.0).is_ok() || !self.0.exists();
        if !std::thread::panicking() {
            wait_for("the end of a control group", Duration::from_secs(5), || gone().then_some(()));
        } else {
            gone();
        }
    }
}

const NO_GROUP: &str = "no control group with a limit of memory can be made here";

#[test]
fn more_memory_than_the_control_group_allows() {
    let bench = Bench::new();
    let name = format!("forkbench-limit-{}", std::process::id());
    let Some(group) = MemoryGroup::make(&name, "67108864") else { return skip(NO_GROUP) };
    let wrapper = bench.script("enter", &format!("{}\nexec \"$@\"", group.enter()));
    let mut command = Command::new(wrapper);
    let forkbench = bench.forkbench(["run", "--out", "out", "--rss", "256M"]);
    command.arg(forkbench.get_program()).args(forkbench.get_args());
    command.current_dir(bench.path(""));
    finish(command).expect(2, &["rss=256MiB", "the control group's limit", &name, "ask for less"]);
    assert!(!bench.out().exists());
}

#[test]
fn a_subject_that_is_killed_for_want_of_memory_is_a_row() {
    let bench = Bench::new();
    let name = format!("forkbench-kill-{}", std::process::id());
    let Some(group) = MemoryGroup::make(&name, "50331648") else { return skip(NO_GROUP) };
    // Only the subject enters: the harness cannot know of the limit.
    let prefix = bench.script("enter", &format!("{}\nexec \"$@\"", group.enter()));
    let said = bench.run(&["--rss", "128M", "--mechanism", "vfork", "--prefix", &prefix]);
    said.expect(1, &["killed by SIGKILL", "want of memory"]);
    let died = bench.rows_with("launches.csv", &[("outcome", "died")]);
    assert_eq!(died.len(), 1, "{died:?}");
    assert!(died[0]["shape"].contains("rss=128MiB"));
    assert!(died[0]["detail"].contains("SIGKILL"));
    bench.assert_nothing_left(Duration::from_secs(1));
}
