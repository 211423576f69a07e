//! Parents of every kind of memory: asked and seen, what a fork of them costs beside another, and
//! what is put back of the machine.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::bench::{Bench, Running, finish, is_root, median, signal, skip, wait_for};

const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const TRANSPARENT: &str = "/sys/kernel/mm/transparent_hugepage";
const PATIENCE: Duration = Duration::from_secs(20);

/// One run at a time may change settings of the machine; the tests of this file take turns.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every setting that a run may change, with what stands there.
pub(crate) fn settings() -> Vec<(String, String)> {
    let sizes = fs::read_dir(TRANSPARENT).into_iter().flatten().flatten();
    let mut paths: Vec<String> =
        sizes.map(|entry| format!("{}/enabled", entry.path().display())).collect();
    paths.push(POOL.to_owned());
    paths.sort();
    let text = |path: &String| fs::read_to_string(path).unwrap_or_default();
    paths.iter().map(|path| (path.clone(), text(path))).collect()
}

/// Waits until the settings are those again.
#[track_caller]
pub(crate) fn assert_put_back(before: &[(String, String)]) {
    let mut now = settings();
    for _ in 0..100 {
        if now == before {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
        now = settings();
    }
    assert_eq!(now, before, "the settings of the machine were not put back");
}

/// Asserts that every parent of a run got its shape.
#[track_caller]
fn assert_all_done(bench: &Bench, fewest: usize) {
    let launches = bench.rows("launches.csv");
    for row in &launches {
        assert_eq!(row["outcome"], "done", "{}: {}", row["shape"], row["detail"]);
    }
    assert!(launches.len() >= fewest, "only {} subjects", launches.len());
    let readings = bench.rows("readings.csv");
    for name in ["mapped_bytes", "rss_bytes", "hugetlb_bytes", "locked_bytes", "dontfork_bytes"] {
        let values = |at: &str| -> Vec<[String; 3]> {
            let rows = readings.iter().filter(|row| row["reading"] == name && row["at"] == at);
            rows.map(|row| ["launch", "block", "value"].map(|c| row[c].clone())).collect()
        };
        assert_eq!(values("asked"), values("setup"), "{name}");
    }
}

/// The median of the time that fork blocks its caller in a parent of that shape.
#[track_caller]
fn fork(bench: &Bench, shape: &str) -> u64 {
    median(&bench.timed(&[("shape", shape), ("mechanism", "fork")]), "blocked_ns")
}

#[test]
fn memory_of_every_kind_contents_and_advice_is_as_asked() {
    let all = "anon,shmem,file,file-shared";
    for (memory, more, fewest) in [
        (all, &["--contents", "read,untouched"][..], 24),
        ("anon,file", &["--contents", "one-byte", "--spread", "1,4"], 12),
        (all, &["--advice", "dontfork,mlock"], 24),
        ("anon", &["--advice", "wipeonfork", "--contents", "dirty,read,one-byte"], 9),
        ("anon,file-shared", &["--spread", "1,512", "--order", "random"], 12),
    ] {
        let bench = Bench::new();
        let kinds = ["--rss", "4M", "--memory", memory, "--mechanism", "fork"];
        bench.run(&[&kinds, more].concat()).expect(0, &[]);
        assert_all_done(&bench, fewest);
        bench.assert_nothing_left(Duration::from_secs(1));
    }
}

#[test]
fn pinned_memory_is_copied_at_once_and_has_no_bill() {
    let bench = Bench::new();
    let arguments = ["--rss", "16M", "--memory", "anon,pinned", "--mechanism", "fork"];
    let said = bench.run(&arguments);
    let refused = bench.rows_with("events.csv", &[("event", "refused")]);
    if refused.iter().any(|row| row["evidence"].contains("io_uring")) {
        return skip("io_uring is refused here");
    }
    said.expect(0, &[]);
    assert_all_done(&bench, 6);
    let pinned = fork(&bench, "rss=16MiB memory=pinned");
    assert!(pinned > 3 * fork(&bench, "rss=16MiB"), "{pinned}");
    let rows = bench.timed(&[("shape", "rss=16MiB memory=pinned"), ("mechanism", "fork")]);
    assert!(rows.iter().all(|row| row["rewrite_ns"].is_empty()));
    let rows = bench.timed(&[("shape", "rss=16MiB"), ("mechanism", "fork")]);
    assert!(rows.iter().any(|row| !row["rewrite_ns"].is_empty()));
}

#[test]
fn what_a_fork_need_not_copy_is_far_cheaper() {
    let bench = Bench::new();
    let contents = "dirty,one-byte,read,untouched";
    bench.run(&["--rss", "64M", "--mechanism", "fork", "--contents", contents]).expect(0, &[]);
    assert_all_done(&bench, 12);
    let dirty = fork(&bench, "rss=64MiB");
    let read = fork(&bench, "rss=64MiB contents=read");
    let one_byte = fork(&bench, "rss=64MiB contents=one-byte");
    let untouched = fork(&bench, "rss=64MiB contents=untouched");
    assert!(3 * read < dirty && 3 * untouched < dirty, "{read} {untouched} {dirty}");
    assert!(one_byte > 10 * read, "{one_byte} {read}");

    let bench = Bench::new();
    let advice = "none,dontfork,wipeonfork";
    bench.run(&["--rss", "64M", "--mechanism", "fork", "--advice", advice]).expect(0, &[]);
    let dirty = fork(&bench, "rss=64MiB");
    for advice in ["dontfork", "wipeonfork"] {
        let told = fork(&bench, &format!("rss=64MiB advice={advice}"));
        assert!(3 * told < dirty, "{advice}: {told} {dirty}");
    }

    let bench = Bench::new();
    let kinds = "anon,shmem,file-shared";
    bench.run(&["--rss", "64M", "--mechanism", "fork", "--memory", kinds]).expect(0, &[]);
    let dirty = fork(&bench, "rss=64MiB");
    for kind in ["shmem", "file-shared"] {
        let shared = fork(&bench, &format!("rss=64MiB memory={kind}"));
        assert!(3 * shared < dirty, "{kind}: {shared} {dirty}");
    }
}

#[test]
fn huge_pages_of_every_kind_are_had_and_the_machine_is_as_before() {
    let _turn = alone();
    if !is_root() {
        return skip("only root may change the pool and the sizes of huge pages");
    }
    let before = settings();
    let bench = Bench::new();
    let page = "4k,16k,64k,thp,hugetlb";
    let said = bench.run(&["--rss", "64M", "--mechanism", "fork", "--page", page]);
    assert_put_back(&before);
    bench.assert_nothing_left(Duration::from_secs(1));
    let refused = bench.rows_with("events.csv", &[("event", "refused")]);
    if let Some(row) = refused.iter().find(|row| row["evidence"].starts_with("page=")) {
        return skip(&row["evidence"]);
    }
    said.expect(0, &[]);
    assert_all_done(&bench, 15);
    let base = fork(&bench, "rss=64MiB");
    for page in ["thp", "hugetlb"] {
        let huge = fork(&bench, &format!("rss=64MiB page={page}"));
        assert!(3 * huge < base, "{page}: {huge} {base}");
    }

    let bench = Bench::new();
    let arguments = ["--rss", "8M", "--page", "64k,hugetlb", "--advice", "none,dontfork"];
    bench.run(&[&arguments[..], &["--order", "seq,random", "--mechanism", "fork"]].concat());
    assert_put_back(&before);
    assert_all_done(&bench, 24);
}

#[test]
fn who_may_not_change_the_machine_is_refused_that_and_measures_the_rest() {
    let _turn = alone();
    let bench = Bench::new();
    let plain = ["--rss", "8M", "--page", "4k,hugetlb,64k", "--mechanism", "fork"];
    let mut command = bench.public_forkbench(&bench.small(&plain));
    if is_root() {
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
    }
    finish(command).expect(0, &[]);
    let refused = bench.rows_with("events.csv", &[("event", "refused")]);
    let why: String = refused.iter().map(|row| row["evidence"].as_str()).collect();
    let able = settings().iter().any(|(path, text)| path == POOL && text.trim() != "0");
    assert!(able || why.contains("> /proc/sys/vm/nr_hugepages"), "{why}");
    assert!(!bench.timed(&[("shape", "rss=8MiB")]).is_empty());
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// A run with a pool that it has raised, and an image that hangs.
#[track_caller]
fn raised(bench: &Bench, before: &[(String, String)]) -> Running {
    let image = format!("/bin/{}", bench.sleep());
    let arguments = ["--rss", "16M", "--page", "hugetlb", "--mechanism", "fork", "--image", &image];
    let running = bench.start(bench.forkbench(bench.small(&arguments)));
    bench.hung();
    assert_ne!(settings(), before, "nothing was changed");
    running
}

fn steward(bench: &Bench) -> u32 {
    let is = |pid: &u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|word| word == b"__steward")
    };
    wait_for("the steward", PATIENCE, || bench.processes().into_iter().find(is))
}

#[test]
fn what_was_changed_is_put_back_however_a_run_ends() {
    let _turn = alone();
    if !is_root() || !Path::new(POOL).exists() {
        return skip("only root may change the pool of huge pages, where there is one");
    }
    let before = settings();
    for names in [&["INT"][..], &["TERM"], &["KILL"], &["STOP", "INT", "INT", "CONT"]] {
        let bench = Bench::new();
        let running = raised(&bench, &before);
        // A signal to all of them at once is as little trouble.
        signal(steward(&bench), "TERM");
        for name in names {
            running.signal(name);
        }
        running.finish();
        assert_put_back(&before);
        bench.assert_nothing_left(Duration::from_secs(1));
    }

    // The steward alone is killed: the harness puts back what that has noted.
    let bench = Bench::new();
    let running = raised(&bench, &before);
    signal(steward(&bench), "KILL");
    running.signal("INT");
    running.finish();
    assert_put_back(&before);
}

#[test]
fn what_nobody_could_put_back_the_next_run_does() {
    let _turn = alone();
    if !is_root() || !Path::new(POOL).exists() {
        return skip("only root may change the pool of huge pages, where there is one");
    }
    let before = settings();
    for next in [&["run", "--verify", "--mechanism", "vfork"][..], &["env"]] {
        let bench = Bench::new();
        let running = raised(&bench, &before);
        // A second run that needs the pool meanwhile is told so, and changes nothing.
        let during = settings();
        let other = Bench::new();
        let arguments = ["--rss", "8M", "--page", "hugetlb", "--mechanism", "fork"];
        let said = other.run(&arguments);
        assert!(said.stderr.contains("another forkbench run"), "{said:?}");
        assert_eq!(settings(), during);

        let steward = steward(&bench);
        signal(steward, "STOP");
        running.signal("KILL");
        signal(steward, "KILL");
        running.finish();
        wait_for("the end of every process", PATIENCE, || {
            bench.processes().is_empty().then_some(())
        });
        assert_ne!(settings(), before, "somebody has put it back already");
        finish(bench.forkbench(next)).expect(0, &["again"]);
        assert_put_back(&before);
        assert!(!Path::new("/run/forkbench").exists());
        // Once is enough.
        let said = finish(bench.forkbench(next));
        assert!(!said.stderr.contains("again"), "{said:?}");
    }
}
