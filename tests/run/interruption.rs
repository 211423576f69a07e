//! Runs that are interrupted, killed, and resumed.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::bench::{Bench, Row, finish, signal, status, wait_for};

/// How long a thing that should be there at once may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A run of four launches, long enough to be interrupted.
const LONG: &[&str] =
    &["run", "--out", "out", "--seed", "1", "--time", "20s", "--launches", "4", "--blocks", "2"];
const LONG_MORE: &[&str] = &["--rss", "4M", "--mechanism", "vfork,posix_spawn"];

/// Where each row of a file stands: its launch and block, and what else is given.
fn keys(rows: &[Row], columns: &[&str]) -> Vec<Vec<String>> {
    rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect()
}

#[track_caller]
fn assert_no_repetition(keys: &[Vec<String>]) {
    let distinct: BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

/// The blocks that a plan names, with the order of their turns, sorted.
fn planned(bench: &Bench) -> Vec<Vec<String>> {
    let mut blocks = bench.rows("blocks.csv");
    // Beyond: partial blocks, and the warm-up of a subject that goes on for another.
    blocks.retain(|row| row["launch"] != "0" && row["block"].parse::<u32>().unwrap() < 500_000);
    let mut keys = keys(&blocks, &["launch", "block", "kind", "coin", "rounds"]);
    keys.sort();
    keys
}

#[test]
fn an_interrupted_run_is_completed_by_resuming_it() {
    let whole = Bench::new();
    finish(whole.forkbench([LONG, LONG_MORE].concat())).expect(0, &[]);
    for name in ["INT", "TERM"] {
        let bench = Bench::new();
        let running = bench.start(bench.forkbench([LONG, LONG_MORE].concat()));
        let blocks = bench.out().join("blocks.csv");
        wait_for("the second launch", PATIENCE, || {
            let text = fs::read_to_string(&blocks).unwrap_or_default();
            text.lines().any(|line| line.starts_with("2,")).then_some(())
        });
        running.signal(name);
        running.finish().expect(130, &["interrupted", "forkbench run --resume out"]);
        bench.assert_nothing_left(Duration::from_secs(1));
        let plan = fs::read(bench.out().join("plan.toml")).unwrap();
        let kept = planned(&bench);
        assert!(!kept.is_empty() && kept.len() < planned(&whole).len());
        let samples = bench.rows("samples.csv");
        let interrupted = bench.rows_with("launches.csv", &[("outcome", "interrupted")]);
        assert!(!interrupted.is_empty());
        // What is there can be looked at.
        finish(bench.forkbench(["show", "out"])).expect(0, &[]);

        finish(bench.forkbench(["run", "--resume", "out"])).expect(0, &[]);
        assert_eq!(fs::read(bench.out().join("plan.toml")).unwrap(), plan);
        assert_no_repetition(&planned(&bench));
        // Lengths of blocks depend on the pilot; which there are, and their order, does not.
        let places = |bench: &Bench| -> Vec<Vec<String>> {
            planned(bench).into_iter().map(|key| key[..3].to_vec()).collect()
        };
        assert_eq!(places(&bench), places(&whole));
        for block in &kept {
            assert!(planned(&bench).contains(block), "{block:?} was changed");
        }
        let place = ["launch", "block", "round", "turn", "pos"];
        let after = bench.rows("samples.csv");
        assert_no_repetition(&keys(&after, &place));
        assert_eq!(after[..samples.len()], samples[..], "what was finished was changed");
        let readings = ["launch", "block", "variant", "reading", "scope", "at", "value"];
        assert_no_repetition(&keys(&bench.rows("readings.csv"), &readings));
        let again = finish(bench.forkbench(["run", "--resume", "out", "-q"]));
        again.expect(0, &[]);
        assert_eq!(bench.rows("samples.csv").len(), after.len(), "a complete run was gone on with");
    }
}

#[test]
fn a_block_that_is_lost_twice_can_still_be_completed() {
    let bench = Bench::new();
    let image = bench.hanging_from(37);
    let start = bench.larger(&["--mechanism", "fork", "--image", &image]);
    for arguments in [&start[..], &["run", "--resume", "out"], &["run", "--resume", "out"]] {
        let running = bench.start(bench.forkbench(arguments));
        bench.hung();
        running.signal("INT");
        running.finish().expect(130, &["--resume out"]);
        finish(bench.forkbench(["show", "out"])).expect(5, &[]);
    }
    bench.free();
    finish(bench.forkbench(["run", "--resume", "out"])).expect(0, &[]);
    let blocks = bench.rows("blocks.csv");
    assert_no_repetition(&keys(&blocks, &["launch", "block"]));
    assert!(blocks.iter().filter(|row| row["kind"] == "partial").count() >= 2, "{blocks:?}");
    assert!(!bench.timed(&[("mechanism", "fork")]).is_empty());
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn a_run_without_a_plan_does_not_offer_to_be_resumed() {
    let bench = Bench::new();
    let image = format!("/bin/{}", bench.sleep());
    let running = bench.start(bench.forkbench(bench.small(&["--image", &image])));
    bench.hung();
    running.signal("INT");
    let said = running.finish();
    said.expect(130, &["nothing was measured", "start again"]);
    assert!(!said.stderr.contains("--resume"), "{said:?}");
    finish(bench.forkbench(["show", "out"])).expect(5, &[]);
    finish(bench.forkbench(["run", "--resume", "out"])).expect(2, &["plan.toml"]);
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn a_second_interruption_ends_it_at_once() {
    let bench = Bench::new();
    let image = format!("/bin/{}", bench.sleep());
    let running = bench.start(bench.forkbench(bench.small(&["--image", &image])));
    bench.hung();
    // Stopped, so that both arrive before it can act on the first.
    for name in ["STOP", "INT", "TERM", "INT", "CONT"] {
        running.signal(name);
    }
    assert_eq!(running.finish().code, Some(130));
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn nothing_outlives_a_harness_that_is_killed() {
    let bench = Bench::new();
    // Two grandchildren, one of them in a session of its own and deaf to what can be ignored.
    let sleep = bench.sleep();
    let image =
        bench.script("family", &format!("trap '' HUP INT TERM\nsetsid {sleep} &\n{sleep} &\nwait"));
    let running = bench.start(bench.forkbench(bench.small(&["--rss", "4M", "--image", &image])));
    wait_for("two grandchildren", PATIENCE, || {
        let sleepers = bench.processes().into_iter().filter(|pid| status(*pid, "Name") == "sleep");
        (sleepers.count() == 2).then_some(())
    });
    assert!(bench.processes().len() >= 5, "not all are found: harness, keeper, subject, and two");
    running.signal("KILL");
    running.finish();
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn nothing_outlives_a_harness_that_is_killed_while_it_measures() {
    let bench = Bench::new();
    let running = bench.start(bench.forkbench([LONG, LONG_MORE].concat()));
    let samples = bench.out().join("samples.csv");
    wait_for("the first samples of a launch", PATIENCE, || {
        let text = fs::read_to_string(&samples).unwrap_or_default();
        text.lines().any(|line| line.starts_with("1,")).then_some(())
    });
    // While there is a subject, so that there is a keeper to clean up.
    wait_for("a subject", PATIENCE, || {
        bench.subject();
        running.signal("STOP");
        if bench.processes().len() >= 3 {
            return Some(());
        }
        running.signal("CONT");
        None
    });
    running.signal("KILL");
    running.finish();
    bench.assert_nothing_left(Duration::from_secs(1));
    // What is on disk can be shown, or there was nothing yet; and the run be completed.
    let shown = finish(bench.forkbench(["show", "out"]));
    assert!(matches!(shown.code, Some(0 | 5)), "{shown:?}");
    finish(bench.forkbench(["run", "--resume", "out"])).expect(0, &[]);
    assert_no_repetition(&keys(
        &bench.rows("samples.csv"),
        &["launch", "block", "round", "turn", "pos"],
    ));
}

#[test]
fn a_subject_that_is_killed_is_a_row() {
    let bench = Bench::new();
    let image = bench.hanging_from(37);
    let running =
        bench.start(bench.forkbench(bench.larger(&["--mechanism", "fork", "--image", &image])));
    bench.hung();
    bench.free();
    signal(bench.subject(), "KILL");
    running.finish().expect(1, &["SIGKILL", "subjects lost: 1; see out/launches.csv"]);
    let died = bench.rows_with("launches.csv", &[("outcome", "died")]);
    assert_eq!(died.len(), 1);
    assert!(died[0]["detail"].contains("SIGKILL") && died[0]["detail"].contains("memory"));
    assert_eq!(bench.rows_with("blocks.csv", &[("kind", "partial")]).len(), 1);
    assert_eq!(bench.rows_with("blocks.csv", &[("kind", "count")]).len(), 1, "it went on");
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// The job is then larger than a pipe holds, and a command in front of the subject never reads it.
#[test]
fn a_prefix_that_hangs_without_reading_the_job_is_ended() {
    let bench = Bench::new();
    let begun = bench.path("begun");
    let prefix = bench.script(
        "prefix",
        &format!("[ -e {0} ] && exec {1}\n: > {0}\nexec \"$@\"", begun.display(), bench.sleep()),
    );
    let running = bench.start(bench.forkbench([
        "run",
        "--out",
        "out",
        "--time",
        "2s",
        "--launches",
        "1",
        "--blocks",
        "4000",
        "--stall",
        "500ms",
        "--mechanism",
        "vfork",
        "--prefix",
        &prefix,
    ]));
    bench.hung();
    let launches = bench.out().join("launches.csv");
    wait_for("the stuck row", PATIENCE, || {
        fs::read_to_string(&launches).unwrap_or_default().contains(",stuck,").then_some(())
    });
    running.signal("INT");
    assert_eq!(running.finish().code, Some(130));
    bench.assert_nothing_left(Duration::from_secs(1));
}
