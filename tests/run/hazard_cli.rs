//! `forkbench hazard` as a user meets it: what it refuses before anything is run or written, what it
//! prints, and what it reads of other programs.

use std::fs;

use crate::bench::{Bench, contents, finish};

/// Ends with 2, says all these texts, prints nothing and writes nothing.
#[track_caller]
fn refused(arguments: &[&str], texts: &[&str]) {
    let bench = Bench::new();
    let before = contents(&bench.path(""));
    let said = finish(bench.forkbench([&["hazard"], arguments].concat()));
    said.expect(2, texts);
    assert_eq!(said.stdout, "", "{arguments:?}");
    assert_eq!(contents(&bench.path("")), before, "{arguments:?} has written something");
}

#[test]
fn names_and_numbers_that_mean_nothing() {
    refused(&["localtme"], &["`localtme`", "did you mean `localtime`", "list hazards"]);
    refused(&["zzzzzzzz"], &["`zzzzzzzz`", "list hazards"]);
    refused(&["H99"], &["`H99`", "list hazards"]);
    refused(&["mutex", "--threads", "0"], &["--threads 0", "1 or more"]);
    refused(&["mutex", "--threads", "1,0"], &["--threads 0", "1 or more"]);
    refused(&["mutex", "--threads", "x"], &["`x`", "threads"]);
    refused(&["mutex", "--threads", "100000"], &["100000", "at most 1000"]);
    refused(&["mutex", "--forks", "0"], &["`0`", "forks", "from 1"]);
    refused(&["mutex", "--forks", "-1"], &["-1"]);
    refused(&["mutex", "--duty", "0"], &["`0`", "duty", "1 to 99"]);
    refused(&["mutex", "--duty", "100"], &["`100`", "duty", "1 to 99"]);
    refused(&["mutex", "--duty", "x"], &["`x`", "duty", "1 to 99"]);
    refused(&["localtime", "--duty", "10"], &["--duty", "mutex alone", "localtime"]);
    refused(&["--duty", "10"], &["--duty", "mutex alone"]);
    refused(&["mutex", "--format", "tabel"], &["tabel", "hazard-csv"]);
}

#[test]
fn births_that_do_not_exist_or_mean_nothing() {
    refused(&["mutex", "--birth", "vforc"], &["`vforc`", "did you mean `vfork`"]);
    refused(&["mutex", "--birth", "thread"], &["thread", "fork, _fork, clone3"]);
    refused(&["mutex", "--birth", ""], &["mechanism"]);
}

#[test]
fn a_place_that_cannot_be_used() {
    let bench = Bench::new();
    fs::create_dir(bench.path("used")).unwrap();
    fs::write(bench.path("used/thesis.txt"), "years of work").unwrap();
    let before = contents(&bench.path("used"));
    finish(bench.forkbench(["hazard", "mutex", "--out", "used"])).expect(2, &["used"]);
    assert_eq!(contents(&bench.path("used")), before);
    finish(bench.forkbench(["hazard", "--resume", "nowhere"])).expect(2, &["cannot be resumed"]);
    let together = ["hazard", "--resume", "used", "--forks", "3"];
    finish(bench.forkbench(together)).expect(2, &["--resume", "--forks"]);
}

#[test]
fn hanging_children_are_counted_proven_and_explained() {
    let bench = Bench::new();
    let run = [
        "hazard",
        "mutex",
        "--birth",
        "fork,posix_spawn,thread",
        "--forks",
        "800",
        "--duty",
        "50",
        "--out",
        "out",
        "--verbose",
    ];
    let said = finish(bench.forkbench(run));
    // That children hang is what was asked for.
    said.expect(0, &[]);
    let told = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Under fork, ",
        " of 800 children hung with hazard mutex",
        "posix_spawn left 0 of 800 children hanging",
        "H23 mutex",
        "not run: mutex thread:",
        "proof",
        "instead",
        "it can never go on, which is proven",
    ] {
        assert!(told.contains(part), "no `{part}` in {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 100), "{}", said.stdout);
    let svg = fs::read_to_string(bench.out().join("plots/hazards.svg")).unwrap();
    assert!(svg.contains("mutex"), "{svg}");

    let said = finish(bench.forkbench(["show", "out", "--format", "hazard-csv"]));
    said.expect(0, &[]);
    let lines: Vec<Vec<&str>> = said.stdout.lines().map(|line| line.split(',').collect()).collect();
    let header =
        "hazard,birth,threads,duty,forks,hung,proven,unproven,crashed,rate,rate_lo,rate_hi";
    assert_eq!(lines[0].join(","), header);
    let [fork, spawn, thread] = &lines[1..] else { panic!("{lines:?}") };
    assert_eq!((fork[0], fork[1], fork[2], fork[4]), ("mutex", "fork", "2", "800"));
    let (hung, proven): (u32, u32) = (fork[5].parse().unwrap(), fork[6].parse().unwrap());
    assert!(hung > 0 && proven > 0 && proven <= hung, "{fork:?}");
    assert_eq!((spawn[1], spawn[5], spawn[9]), ("posix_spawn", "0", "0.0"));
    assert_eq!((thread[1], thread[4], thread[9]), ("thread", "0", ""));

    let json = finish(bench.forkbench(["show", "out", "--format", "json"])).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["hazards"][0]["hung"], hung);
    let again = finish(bench.forkbench(["hazard", "--resume", "out", "--format", "csv"]));
    again.expect(0, &[]);
    assert_eq!(again.stdout, said.stdout, "nothing was left to do, and the same is told");
}

#[test]
fn every_hazard_is_listed_and_has_a_page_by_name_and_by_number() {
    let bench = Bench::new();
    let list = finish(bench.forkbench(["list", "hazards"]));
    list.expect(0, &[]);
    assert!(list.stdout.lines().count() >= 3, "{}", list.stdout);
    for line in list.stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for word in &words[..2] {
            let page = finish(bench.forkbench(["explain", word]));
            page.expect(0, &[]);
            for part in ["What happens", "The lock", "What to do"] {
                assert!(page.stdout.contains(part) || page.stdout.contains("control"), "{word}");
            }
            assert!(page.stdout.lines().all(|line| line.chars().count() <= 100), "{word}");
        }
    }
}

#[test]
fn imports_of_a_program_are_a_hint() {
    let bench = Bench::new();
    let own = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    let said = finish(bench.forkbench(["hazard", "--symbols", &own]));
    said.expect(0, &[]);
    assert!(said.stdout.contains("malloc") && said.stdout.contains("a hint and nothing more"));
    let csv = finish(bench.forkbench(["hazard", "--symbols", &own, "--format", "csv"]));
    csv.expect(0, &[]);
    assert!(csv.stdout.starts_with("path,kind,function,id,hazard,reset,advice\n"), "{csv:?}");
    assert!(csv.stdout.contains(",H01,malloc,"), "{csv:?}");

    fs::write(bench.path("notes.txt"), "no program").unwrap();
    let some = finish(bench.forkbench(["hazard", "--symbols", &own, "notes.txt"]));
    some.expect(1, &["notes.txt", "no ELF file"]);
    assert!(some.stdout.contains("malloc"));
    refused(&["--symbols", "/nowhere", "/tmp"], &["/nowhere", "No such file", "a directory"]);
    refused(&["--symbols", &own, "--forks", "3"], &["--symbols", "--forks"]);
}
