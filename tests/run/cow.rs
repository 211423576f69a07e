//! The workload `cow`: what is paid for memory that is written after a fork, and that the memory is
//! what it was afterwards.

use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, children, is_root, refused, skip, status, wait_for};
use crate::shapes::{alone, assert_put_back, settings};

const PATIENCE: Duration = Duration::from_secs(30);

/// Pages of 4 KiB in 16 MiB.
const PAGES: u64 = 4096;
const BYTES: u64 = 16 << 20;

fn cow(bench: &Bench, more: &[&str]) {
    let arguments = ["--rss", "16M", "--workload", "cow"];
    bench.run(&[&arguments[..], more].concat()).expect(0, &[]);
    let launches = bench.rows("launches.csv");
    for row in &launches {
        assert_eq!(row["outcome"], "done", "{}: {}", row["shape"], row["detail"]);
    }
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// What a reading at=work says in each sample of the variants with these values.
#[track_caller]
fn read(bench: &Bench, wanted: &[(&str, &str)], reading: &str, scope: &str) -> Vec<u64> {
    assert!(!bench.variants(wanted).is_empty(), "{wanted:?}");
    let noted = bench.noted(reading, wanted).into_iter();
    noted.filter(|noted| noted.row["scope"] == scope).map(|noted| noted.value).collect()
}

#[track_caller]
fn assert_about(values: &[u64], wanted: u64, reading: &str) {
    assert!(!values.is_empty(), "no {reading}");
    let (low, high) = (wanted - wanted / 100, wanted + wanted / 100);
    assert!(values.iter().all(|v| (low..=high).contains(v)), "{reading}: {values:?}, not {wanted}");
}

/// The shortest length of the writing, in nanoseconds: few samples are taken here, beside other
/// tests, and whoever interrupts one only adds to it.
#[track_caller]
fn writing(bench: &Bench, wanted: &[(&str, &str)]) -> u64 {
    let lengths = bench.timed(wanted).into_iter().filter_map(|row| row["rewrite_ns"].parse().ok());
    lengths.min().unwrap_or_else(|| panic!("nothing was written by {wanted:?}"))
}

#[test]
fn each_page_is_a_fault_and_costs_most_while_the_child_lives() {
    let bench = Bench::new();
    cow(&bench, &["--mechanism", "fork,none,posix_spawn", "--child", "alive,gone"]);
    let subject = |label| [("label", label)];
    let (alive, gone) = (subject("fork child=alive"), subject("fork child=gone"));
    let never = [("mechanism", "none"), ("shape", "rss=16MiB")];
    assert_eq!(bench.variants(&never).len(), 1, "the control has no child that could be gone");
    for wanted in [&alive, &gone] {
        assert_about(&read(&bench, wanted, "pages", "parent"), PAGES, "pages");
        let faults = read(&bench, wanted, "rusage_minor_faults", "parent");
        assert_about(&faults, PAGES, "rusage_minor_faults");
        // Where perf events are allowed they say the same.
        let faults = read(&bench, wanted, "minor_faults", "parent");
        assert!(faults.is_empty() || faults.iter().all(|n| n.abs_diff(PAGES) <= PAGES / 100));
    }
    let faults = read(&bench, &never, "rusage_minor_faults", "parent");
    assert!(faults.iter().all(|faults| *faults < PAGES / 100), "{faults:?}");
    // A child that has executed its image shares nothing.
    for label in ["posix_spawn child=alive", "posix_spawn child=gone"] {
        let faults = read(&bench, &subject(label), "rusage_minor_faults", "parent");
        assert!(faults.iter().all(|faults| *faults < PAGES / 100), "{label}: {faults:?}");
    }

    // What is copied becomes private on both sides; what is only made writable was so before.
    for scope in ["parent", "child"] {
        assert_about(&read(&bench, &alive, "private_dirty_bytes", scope), BYTES, scope);
        let tables = read(&bench, &alive, "vm_pte_bytes", scope);
        assert!(tables.iter().all(|bytes| *bytes >= 8 * PAGES), "{scope}: {tables:?}");
    }
    let private = read(&bench, &gone, "private_dirty_bytes", "parent");
    assert!(private.iter().all(|bytes| *bytes < BYTES / 100), "{private:?}");
    assert!(read(&bench, &gone, "vm_pte_bytes", "child").is_empty());

    let [dear, cheap, free] = [&alive[..], &gone, &never].map(|wanted| writing(&bench, wanted));
    assert!(dear > cheap && cheap > 3 * free, "alive {dear}, gone {cheap}, never {free}");
    let again = read(&bench, &alive, "rewritten_ns", "parent");
    let least = again.iter().min().unwrap();
    assert!(cheap > 2 * least, "gone {cheap}, already written {again:?}");
}

#[test]
fn shares_and_orders_and_writers_write_as_many_pages_as_they_should() {
    let bench = Bench::new();
    let written = ["--written", "all,1/512,12.5%", "--write-order", "seq,random"];
    cow(&bench, &[&["--mechanism", "fork", "--writer", "parent,child"], &written[..]].concat());
    for (share, pages) in [("all", PAGES), ("1/512", 8), ("12.5%", PAGES / 8)] {
        for order in ["seq", "random"] {
            let of = |writer| format!("fork written={share} write-order={order} writer={writer}");
            let (parent, child) = (of("parent"), of("child"));
            let faults = read(&bench, &[("label", &parent)], "rusage_minor_faults", "parent");
            // Either may meet a page of its own stack or of the mailbox for the first time.
            assert!(!faults.is_empty() && faults.iter().all(|n| (pages..pages + 8).contains(n)));
            let faults = read(&bench, &[("label", &child)], "rusage_minor_faults", "child");
            assert!(!faults.is_empty() && faults.iter().all(|n| (pages..pages + 8).contains(n)));
            for label in [&parent, &child] {
                let wanted = [("label", label.as_str())];
                assert!(read(&bench, &wanted, "pages", "parent").iter().all(|n| *n == pages));
                for scope in ["parent", "child"] {
                    let private = read(&bench, &wanted, "private_dirty_bytes", scope);
                    assert!(private.iter().all(|bytes| *bytes >= 4096 * pages), "{private:?}");
                    // A little more for what the kernel counts at another time.
                    let most = 4096 * pages + (64 << 10);
                    assert!(private.iter().all(|bytes| *bytes <= most), "{label}: {private:?}");
                }
                assert!(writing(&bench, &wanted) > 0);
            }
        }
    }
}

#[test]
fn one_write_per_huge_page_splits_them_all_and_the_next_sample_finds_them_whole() {
    let bench = Bench::new();
    let arguments = ["--page", "thp", "--mechanism", "fork", "--written", "1/512,all"];
    let more = [&["--rss", "16M", "--workload", "cow"], &arguments[..]].concat();
    bench.run(&[&more[..], &["--child", "alive,gone"]].concat()).expect(0, &[]);
    let readings = bench.rows_with("readings.csv", &[("reading", "anon_huge_bytes")]);
    let at = |place: &str| -> Vec<u64> {
        let rows = readings.iter().filter(|row| row["at"] == place);
        rows.map(|row| row["value"].parse().unwrap()).collect()
    };
    if at("setup").iter().any(|bytes| *bytes < BYTES) {
        return skip("this machine gives no transparent huge pages");
    }
    assert!(at("block").iter().all(|bytes| *bytes >= BYTES / 100 * 99), "{readings:?}");
    let launches = bench.rows("launches.csv");
    assert!(launches.iter().all(|row| row["outcome"] == "done"), "{launches:?}");
    for share in ["1/512", "all"] {
        let label = format!("fork child=alive written={share}");
        let wanted = [("label", label.as_str())];
        let parent = read(&bench, &wanted, "anon_huge_bytes", "parent");
        assert!(!parent.is_empty() && parent.iter().all(|bytes| *bytes == 0), "{parent:?}");
        assert_about(&read(&bench, &wanted, "anon_huge_bytes", "child"), BYTES, &label);
        let label = format!("fork child=gone written={share}");
        let wanted = [("label", label.as_str())];
        assert_about(&read(&bench, &wanted, "anon_huge_bytes", "parent"), BYTES, &label);
        let faults = read(&bench, &wanted, "rusage_minor_faults", "parent");
        assert!(faults.iter().all(|n| (8..12).contains(n)), "{label}: {faults:?}");
    }
    let sparse = [("label", "fork child=alive written=1/512")];
    let faults = read(&bench, &sparse, "rusage_minor_faults", "parent");
    assert!(faults.iter().all(|n| (8..12).contains(n)), "{faults:?}");
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn pages_of_the_pool_are_copied_whole_and_the_pool_is_as_before() {
    let _turn = alone();
    if !is_root() {
        return skip("only root may change the pool and the sizes of huge pages");
    }
    let before = settings();
    let bench = Bench::new();
    let pages = ["--page", "hugetlb,64k", "--written", "1/512", "--mechanism", "fork"];
    let arguments = [&["--rss", "16M", "--workload", "cow"], &pages[..]].concat();
    let said = bench.run(&[&arguments[..], &["--writer", "parent,child"]].concat());
    assert_put_back(&before);
    bench.assert_nothing_left(Duration::from_secs(1));
    let events = bench.rows_with("events.csv", &[("event", "refused")]);
    if let Some(row) = events.iter().find(|row| row["evidence"].starts_with("page=")) {
        return skip(&row["evidence"]);
    }
    said.expect(0, &[]);
    for writer in ["parent", "child"] {
        let label = format!("rss=16MiB page=hugetlb fork writer={writer}");
        let private = read(&bench, &[("label", &label)], "private_dirty_bytes", writer);
        assert_about(&private, BYTES, &label);
        let label = format!("rss=16MiB page=64k fork writer={writer}");
        let private = read(&bench, &[("label", &label)], "private_dirty_bytes", writer);
        assert!(private.iter().all(|bytes| *bytes < BYTES / 8), "{label}: {private:?}");
    }
    let launches = bench.rows("launches.csv");
    assert!(launches.iter().all(|row| row["outcome"] == "done"), "{launches:?}");
}

#[test]
fn what_cannot_be_is_told_with_what_to_do() {
    let bench = Bench::new();
    for (more, texts) in [
        (&[][..], &["rss", "rss=256M"][..]),
        (&["--vmas", "10", "--vma-contents", "dirty"], &["rss=256M"]),
        (&["--rss", "4M", "--contents", "read"], &["contents=read", "contents=dirty"]),
        (&["--rss", "4M", "--contents", "one-byte"], &["contents=one-byte"]),
        (&["--rss", "4M", "--memory", "shmem"], &["memory=shmem", "memory=anon"]),
        (&["--rss", "4M", "--memory", "pinned"], &["memory=pinned", "memory=anon"]),
        (&["--rss", "4M", "--advice", "dontfork"], &["advice=dontfork", "advice=none"]),
        (&["--rss", "4M", "--rewrite", "none"], &["leave rewrite out"]),
        (&["--rss", "4M", "--writer", "child", "--child", "gone"], &["writer=child", "child=gone"]),
        (&["--rss", "4M", "--written", "0%"], &["written", "more than 0%"]),
        (&["--rss", "4M", "--written", "1/0"], &["written", "1/"]),
    ] {
        let arguments = [&["--workload", "cow", "--mechanism", "fork"], more].concat();
        refused(&bench, &arguments, texts);
    }
    for mechanism in ["vfork", "posix_spawn"] {
        let shape = ["--workload", "cow", "--rss", "4M"];
        let arguments = [&shape[..], &["--writer", "child", "--mechanism", mechanism]].concat();
        refused(&bench, &arguments, &[mechanism, "no memory of its own"]);
    }
    refused(&bench, &["--written", "1%"], &["written=1%", "workload=cow"]);
}

#[test]
fn memory_that_is_spread_or_of_a_file_or_locked_can_be_written_too() {
    for shape in [
        ["--spread", "8"],
        ["--memory", "file"],
        ["--advice", "mlock"],
        ["--vmas", "50"],
        ["--threads", "2"],
    ] {
        let bench = Bench::new();
        let pages = ["--rss", "4M", "--workload", "cow", "--mechanism", "clone3"];
        let said = bench.run(&[&pages[..], &["--write-order", "seq,random"], &shape].concat());
        if said.stderr.contains("ulimit") {
            skip("not so much memory may be locked");
            continue;
        }
        said.expect(0, &[]);
        let launches = bench.rows("launches.csv");
        assert!(launches.iter().all(|row| row["outcome"] == "done"), "{launches:?}");
        for order in ["seq", "random"] {
            let label = format!("clone3 write-order={order}");
            let wanted = [("label", label.as_str())];
            let faults = read(&bench, &wanted, "rusage_minor_faults", "parent");
            assert!(faults.iter().all(|n| n.abs_diff(1024) <= 10), "{shape:?} {order}: {faults:?}");
        }
    }
}

/// Children are killed while their parent writes, or while they write themselves: each is one bad
/// sample, and those after it are as good as ever.
#[test]
fn a_child_that_is_killed_is_a_row_and_the_next_one_waits_again() {
    for writer in ["parent", "child"] {
        let bench = Bench::new();
        let shape = ["--rss", "48M", "--workload", "cow", "--mechanism", "fork"];
        let running = [&shape[..], &["--writer", writer]].concat();
        let running = bench.start(bench.forkbench(bench.larger(&running)));
        let mut killed = 0;
        let end = Instant::now() + PATIENCE;
        let mut most = 0;
        while killed < 2 && Instant::now() < end {
            let subject = bench.subject();
            let held = children(subject);
            most = most.max(held.len());
            if let Some(child) = held.first()
                && status(*child, "State").starts_with(['S', 'R'])
            {
                let _ =
                    std::process::Command::new("kill").args(["-9", &child.to_string()]).status();
                killed += 1;
                // Two in a row, and a third, would be taken for a variant that never works.
                wait_for("the next child", PATIENCE, || {
                    let next = bench.processes();
                    (!next.contains(child)).then_some(())
                });
                thread::sleep(Duration::from_millis(300));
            }
        }
        running.finish().expect(0, &[]);
        assert!(most <= 1, "{most} children of one subject at once");
        bench.assert_nothing_left(Duration::from_secs(1));
        let crashed = bench.rows_with("events.csv", &[("event", "crashed")]);
        assert!(!crashed.is_empty(), "nobody was killed in time");
        assert!(crashed.iter().all(|row| row["evidence"].contains("killed by signal 9")));
        let refused = bench.rows_with("events.csv", &[("event", "refused")]);
        assert!(refused.is_empty(), "{refused:?}");
        let good = bench.rows_with("samples.csv", &[("status", "0"), ("phase", "measure")]);
        assert!(good.iter().all(|row| row["variant"] != "0" || !row["rewrite_ns"].is_empty()));
        // Of the counted samples after it, each child was there until the end.
        let fork = [("mechanism", "fork"), ("role", "subject")];
        let private = read(&bench, &fork, "private_dirty_bytes", "child");
        assert_about(&private, 48 << 20, writer);
    }
}
