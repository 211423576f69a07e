//! `forkbench check` of two sides, from end to end: verdicts, exit codes, and what is kept.
//!
//! What is found of slowdowns of a hundred times and more holds on any machine.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::bench::{Bench, Said, finish, wait_for};

/// A check of few short launches by a debug build.
fn check(bench: &Bench, more: &[&str]) -> Said {
    finish(bench.forkbench([CHECK, more].concat()))
}

const CHECK: &[&str] = &[
    "check",
    "--allow-debug-build",
    "--out",
    "out",
    "--launches",
    "4",
    "--blocks",
    "5",
    "--quiet",
];

const SAME: &[&str] = &["--base", "mechanism=vfork", "--cand", "mechanism=vfork"];

/// A call that takes a hundred times as long.
const SLOWER: &[&str] =
    &["--mechanism", "vfork", "--base", "delay=0", "--cand", "delay=5ms", "--on", "blocked.p50"];

/// That it ended with that code and told these texts, wherever it told them.
#[track_caller]
fn told(said: Said, code: i32, texts: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:#?}");
    for text in texts {
        let is_there = said.stdout.contains(text) || said.stderr.contains(text);
        assert!(is_there, "no `{text}` in {said:#?}");
    }
}

fn verdict(bench: &Bench) -> Value {
    let text = fs::read_to_string(bench.out().join("verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_same_on_both_sides_is_never_worse() {
    let bench = Bench::new();
    // A margin so wide that no load of the machine reaches it.
    let said = check(&bench, &[SAME, &["--margin", "p50=100%"], &["--on", "blocked.p50"]].concat());
    told(said, 0, &["vfork blocked.p50", "A/A twin", "(exit 0)"]);
    let verdict = verdict(&bench);
    assert_eq!(verdict["schema"], "forkbench.verdict/1");
    assert_eq!(verdict["kind"], "gate");
    assert_eq!(verdict["rows"][0]["design"], "interleaved");
    assert_eq!(verdict["rows"][0]["n_units"], 20);
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn a_slowdown_is_found_confirmed_and_found_again_in_the_files() {
    let bench = Bench::new();
    let said = check(&bench, &[SLOWER, &["--confirm"]].concat());
    told(said, 3, &["REGRESSED", "confirmed: measured afresh", "(exit 3)"]);
    let first = verdict(&bench);
    assert_eq!((&first["exit_code"], &first["counts"]["regressed"]), (&3.into(), &1.into()));
    assert!(first["rows"][0]["ratio_lo"].as_f64().unwrap() > 2.0, "{first}");
    assert!(bench.out().join("confirm/samples.csv").is_file());
    // From the files alone, with no process.
    let again = finish(bench.forkbench(["check", "--allow-debug-build", "out"]));
    told(again, 3, &["REGRESSED", "confirmed"]);
    assert_eq!(verdict(&bench), first);
}

#[test]
fn what_is_red_once_and_not_again_is_inconclusive() {
    let bench = Bench::new();
    told(check(&bench, SLOWER), 3, &["REGRESSED"]);
    let other = Bench::new();
    check(&other, &[SAME, &["--on", "blocked.p50", "--margin", "p50=100%"]].concat());
    fs::rename(other.out(), bench.out().join("confirm")).unwrap();
    let said = finish(bench.forkbench(["check", "--allow-debug-build", "--strict", "out"]));
    told(said, 4, &["INCONCLUSIVE", "not confirmed"]);
}

#[test]
fn faster_is_improved_and_no_failure() {
    let bench = Bench::new();
    let turned = ["--mechanism", "vfork", "--base", "delay=5ms", "--cand", "delay=0"];
    told(check(&bench, &turned), 0, &["IMPROVED", "(exit 0)"]);
}

#[test]
fn one_block_decides_nothing() {
    let bench = Bench::new();
    let few = ["check", "--allow-debug-build", "--out", "out", "--launches", "1", "--blocks", "1"];
    let said = finish(bench.forkbench([&few[..], SLOWER, &["--strict"]].concat()));
    told(said, 4, &["INCONCLUSIVE", "it takes 13 blocks, and there are 1"]);
}

#[test]
fn sides_with_parents_of_their_own_are_pairs_of_launches() {
    let bench = Bench::new();
    let few = ["check", "--allow-debug-build", "--out", "out", "--launches", "3", "--blocks", "1"];
    let sides = ["--base", "env.A=1", "--cand", "env.A=2", "--on", "reaped.p50"];
    told(
        finish(bench.forkbench([&few[..], &sides].concat())),
        0,
        &["it takes 13 launch pairs, and there are 3"],
    );
    assert_eq!(verdict(&bench)["rows"][0]["design"], "launch-pairs");
    // Three subjects for timing in all launches: base with its twin, and cand.
    let subjects = bench.rows_with("launches.csv", &[("launch", "2")]);
    assert_eq!(subjects.len(), 2);
}

#[test]
fn a_side_gets_its_prefix_its_environment_and_its_binary() {
    let bench = Bench::new();
    let seen = bench.path("seen");
    let script = bench.script(
        "wrapper",
        &format!("[ \"$1\" = {{}} ] || echo \"$SIDE $1\" >> {}\nexec \"$@\"", seen.display()),
    );
    let copy = bench.path("other-forkbench");
    fs::copy(env!("CARGO_BIN_EXE_forkbench"), &copy).unwrap();
    let (prefix, bin) = (format!("prefix={script}"), format!("bin={}", copy.display()));
    let few = ["check", "--allow-debug-build", "--out", "out", "--launches", "1", "--blocks", "1"];
    let sides =
        [&["--base", &prefix, "env.SIDE=old"][..], &["--cand", &prefix, &bin, "env.SIDE=new"]];
    told(finish(bench.forkbench([&few[..], &sides.concat()].concat())), 0, &["INCONCLUSIVE"]);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains(&format!("new {}", copy.display())), "{seen}");
    assert!(seen.contains(&format!("old {}", env!("CARGO_BIN_EXE_forkbench"))), "{seen}");
}

#[test]
fn a_second_base_is_a_row_of_its_own() {
    let bench = Bench::new();
    let said = check(&bench, &[SLOWER, &["--second-base", "delay=6ms"]].concat());
    told(said, 3, &["REGRESSED 1", "vs second-base"]);
    assert_eq!(verdict(&bench)["rows"].as_array().unwrap().len(), 2);
}

#[test]
fn a_check_may_end_as_soon_as_it_is_certain() {
    let bench = Bench::new();
    let said = finish(
        bench.forkbench(
            [
                &[
                    "check",
                    "--allow-debug-build",
                    "--out",
                    "out",
                    "--launches",
                    "40",
                    "--blocks",
                    "5",
                ][..],
                SLOWER,
                &["--fail-fast"],
            ]
            .concat(),
        ),
    );
    told(said, 3, &["certainly worse", "REGRESSED"]);
    let launches = bench.rows("launches.csv");
    let last = launches.iter().filter_map(|row| row["launch"].parse::<u32>().ok()).max();
    assert!(last.unwrap() < 20, "{last:?}");
}

#[test]
fn counts_are_held_against_each_other_launch_by_launch() {
    let bench = Bench::new();
    let sides = ["--base", "image=noop", "--cand", "image=dynamic"];
    let said = check(&bench, &[&sides[..], &["--on", "minor_faults.child"]].concat());
    if said.stdout.contains("no reading of it") {
        println!("skipped: perf_event counts nothing here");
        return;
    }
    told(said, 3, &["minor_faults.child", "REGRESSED"]);
    check_again_with_sides_turned(&sides);
}

fn check_again_with_sides_turned(sides: &[&str; 4]) {
    let bench = Bench::new();
    let turned = [sides[0], sides[3], sides[2], sides[1]];
    let said = check(&bench, &[&turned[..], &["--on", "minor_faults.child"]].concat());
    told(said, 0, &["IMPROVED"]);
}

#[test]
fn a_debug_build_is_not_judged_unless_that_is_let_pass() {
    if !cfg!(debug_assertions) {
        println!("skipped: this is a release build");
        return;
    }
    let bench = Bench::new();
    let few = ["check", "--out", "out", "--launches", "1", "--blocks", "1"];
    told(finish(bench.forkbench([&few[..], SAME].concat())), 5, &["NOT COMPARABLE", "debug build"]);
}

#[test]
fn a_side_that_fails_is_a_failure_and_no_verdict() {
    let bench = Bench::new();
    let said = check(&bench, &["--base", "image=noop", "--cand", "image=/bin/false"]);
    told(said, 1, &["no sample of cand"]);
    assert!(!bench.out().join("verdict.json").exists());
}

#[test]
fn a_verdict_that_cannot_be_written_is_a_failure() {
    let bench = Bench::new();
    told(check(&bench, SLOWER), 3, &[]);
    fs::remove_file(bench.out().join("verdict.json")).unwrap();
    fs::create_dir(bench.out().join("verdict.json")).unwrap();
    told(
        finish(bench.forkbench(["check", "--allow-debug-build", "out"])),
        1,
        &["the verdict is not kept"],
    );
}

#[test]
fn an_interrupted_check_is_completed_and_judged() {
    let bench = Bench::new();
    let long = ["check", "--allow-debug-build", "--out", "out", "--launches", "9", "--blocks", "3"];
    let running = bench.start(bench.forkbench([&long[..], SLOWER].concat()));
    let blocks = bench.out().join("blocks.csv");
    wait_for("the second launch", Duration::from_secs(20), || {
        let text = fs::read_to_string(&blocks).unwrap_or_default();
        text.lines().any(|line| line.starts_with("2,")).then_some(())
    });
    running.signal("INT");
    running.finish().expect(130, &["interrupted", "forkbench check --resume out"]);
    bench.assert_nothing_left(Duration::from_secs(1));
    assert!(!bench.out().join("verdict.json").exists());
    let resumed = ["check", "--allow-debug-build", "--resume", "out"];
    told(finish(bench.forkbench(resumed)), 3, &["REGRESSED"]);
    assert_eq!(verdict(&bench)["rows"][0]["launches"], 9);
}

#[test]
fn a_pilot_says_what_a_check_would_know() {
    let bench = Bench::new();
    let said = finish(bench.forkbench(["env", "--gate", "--format", "json"]));
    told(said.clone(), 0, &["forkbench.fitness/1", "vfork blocked.p50", "posix_spawn reaped.p95"]);
    let fitness: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(fitness["rows"].as_array().unwrap().len(), 8);
    // A debug build is fit for nothing, and leaves no file here.
    if cfg!(debug_assertions) {
        assert_eq!(fitness["verdict"], "unfit");
        told(finish(bench.forkbench(["env", "--gate", "--strict"])), 4, &["unfit", "debug build"]);
    }
    assert!(!bench.path("results").exists());
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn wrong_usage_is_told_and_nothing_is_begun() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["check"], &["nothing to check", "--base"]),
        (&["check", "--base", "rss=1G"], &["--cand"]),
        (&["check", "--base", "imag=a", "--cand", "image=b"], &["`imag`", "`image`"]),
        (&["check", "--base", "rss=1X", "--cand", "rss=1G"], &["1X"]),
        (&["check", "--base", "image=/none", "--cand", "image=noop"], &["/none"]),
        (&["check", "--base", "prefix=no-such-program", "--cand", "prefix="], &["PATH"]),
        (&["check", "--base", "bin=/none", "--cand", "bin="], &["/none"]),
        (&["check", "--base", "mechanism=frok", "--cand", "mechanism=fork"], &["`frok`", "`fork`"]),
        (&["check", "--base", "env.=1", "--cand", "env.A=1"], &["env.NAME=VALUE"]),
        (&["check", "--base", "out2", "--cand", "rss=1G"], &["out2"]),
        (&["check", "--base", "rss=0", "--cand", "rss=1M", "--margin", "p50"], &["p50=3%"]),
        (&["check", "--base", "rss=0", "--cand", "rss=1M", "--on", "blockd"], &["`blocked`"]),
        (&["check", "--base", "rss=0", "--cand", "rss=1M", "--alpha", "50%"], &["level"]),
        (&["check", "--base", "rss=0", "--cand", "rss=900T"], &["ask for less"]),
        (&["check", "none", "--rss", "1G"], &["leave the knobs out"]),
        (&["check", "none"], &["none"]),
    ];
    for (arguments, said) in cases {
        let bench = Bench::new();
        let command = bench.forkbench(arguments.iter());
        finish(command).expect(2, said);
        assert!(!bench.path("results").exists(), "{arguments:?}");
    }
}

#[test]
fn one_processor_is_enough() {
    let bench = Bench::new();
    let mut command =
        bench.forkbench([CHECK, SAME, &["--margin", "p50=100%", "--on", "blocked.p50"]].concat());
    let mut one = nix::sched::CpuSet::new();
    let all = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
    let first = (0..nix::sched::CpuSet::count()).find(|cpu| all.is_set(*cpu).unwrap_or(false));
    one.set(first.unwrap()).unwrap();
    // SAFETY: sched_setaffinity is one system call, and allocates nothing between fork and exec.
    #[allow(unsafe_code)]
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(&mut command, move || {
            nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one).map_err(Into::into)
        });
    }
    let said = finish(command);
    told(said, 0, &["vfork blocked.p50", "A/A twin", "(exit 0)"]);
    let environment = fs::read_to_string(bench.out().join("environment.toml")).unwrap();
    let line = format!("allowed = \"{}\"", first.unwrap());
    assert!(environment.lines().any(|known| known == line), "{environment}");
}
