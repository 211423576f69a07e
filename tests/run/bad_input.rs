//! What is refused before anything is run or written: exit code 2, what was given, what is allowed,
//! what to do.

use std::fs;

use crate::bench::{Bench, contents, finish, refused};

#[test]
fn values_that_a_knob_does_not_take() {
    let bench = Bench::new();
    let size = "K, M, G or T";
    refused(&bench, &["--rss", ""], &["rss", "it is empty", size]);
    refused(&bench, &["--rss", "4M,"], &["rss", "it is empty", size]);
    refused(&bench, &["--rss", "1X"], &["`1X`", "rss", "no unit \"X\"", size]);
    refused(&bench, &["--rss", "-1"], &["`-1`", "rss", "negative", size]);
    refused(&bench, &["--rss", "0.5K"], &["`0.5K`", "rss", "a multiple of 4 KiB"]);
    refused(&bench, &["--rss", "99999999999T"], &["`99999999999T`", "rss", "2^64"]);
    refused(&bench, &["--threads", "1.5"], &["`1.5`", "threads", "whole number"]);
    refused(&bench, &["--fds", "-3"], &["`-3`", "fds", "negative"]);
    refused(&bench, &["--page", "5k"], &["`5k`", "page", "4k, 8k", "hugetlb"]);
    refused(&bench, &["--rewrite", "101%"], &["`101%`", "rewrite", "0 to 100"]);
    refused(&bench, &["--between", "idle"], &["`idle`", "between", "idle:30ms"]);
    refused(&bench, &["--child-cpu", "x"], &["`x`", "child-cpu", "same and free"]);
    refused(&bench, &["--prefix", "'nice"], &["`'nice`", "prefix", "close it"]);
}

#[test]
fn more_memory_than_there_is() {
    let bench = Bench::new();
    refused(&bench, &["--rss", "1000T"], &["rss=1000TiB", "can be had", "ask for less"]);
    // One point of a list is enough.
    refused(&bench, &["--rss", "4M,1000T"], &["rss=1000TiB", "ask for less"]);
}

#[test]
fn a_mechanism_that_does_not_exist() {
    let bench = Bench::new();
    refused(&bench, &["--mechanism", "vforc"], &["`vforc`", "did you mean `vfork`", "clone3-vm"]);
    refused(&bench, &["--mechanism", "zzzzzz"], &["`zzzzzz`", "allowed are", "posix_spawn"]);
    refused(&bench, &["--mechanism", ""], &["mechanism", "list mechanisms"]);
    refused(&bench, &["--mechanism", "fork", "--vs", "vfork"], &["--vs `vfork`", "are fork"]);
    // posix_spawn always executes an image.
    refused(&bench, &["--mechanism", "posix_spawn", "--image", "exit"], &["posix_spawn", "exit"]);
}

#[test]
fn an_image_that_cannot_be_executed() {
    let bench = Bench::new();
    fs::write(bench.path("data"), "x").unwrap();
    let advice = "give the path of a program";
    refused(&bench, &["--image", "./missing"], &["./missing", "No such file", advice]);
    refused(&bench, &["--image", "./data"], &["./data", "not executable", "chmod +x ./data"]);
    refused(&bench, &["--image", "./tmp"], &["./tmp", "a directory", advice]);
    refused(&bench, &["--image", "/dev/null"], &["/dev/null", "no regular file", advice]);
    refused(&bench, &["--image", "true"], &["`true`", "a path with a slash"]);
    refused(&bench, &["--image", ""], &["image", "noop, dynamic, exit"]);
}

#[test]
fn flags_out_of_their_range() {
    let bench = Bench::new();
    refused(&bench, &["--format", "tabel"], &["tabel", "table, csv, json"]);
    refused(&bench, &["--launches", "0"], &["'0'", "--launches", "1.."]);
    refused(&bench, &["--blocks", "0"], &["'0'", "--blocks", "1.."]);
    refused(&bench, &["--time", "1ns"], &["1ns", "--time", "at least 100ms"]);
    refused(&bench, &["--time", "10"], &["'10'", "no unit"]);
    refused(&bench, &["--stall", "0"], &["'0'", "--stall"]);
    refused(&bench, &["--precision", "1"], &["'1'", "percent sign"]);
    refused(&bench, &["--rss", "4M", "--rss", "8M"], &["--rss", "multiple times"]);
    refused(&bench, &["--rrs", "4M"], &["--rrs", "similar", "--rss"]);
}

#[test]
fn a_place_for_the_results_that_cannot_be_used() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "mine").unwrap();
    fs::create_dir(bench.path("used")).unwrap();
    fs::write(bench.path("used/thesis.txt"), "years of work").unwrap();
    let before = contents(&bench.path(""));
    let used = contents(&bench.path("used"));
    for (place, texts) in [
        ("file/below", ["file/below: cannot create", "Not a directory"]),
        ("file", ["file: cannot create", "File exists"]),
        ("/proc/forkbench", ["/proc/forkbench: cannot create", "No such file"]),
        ("used", ["used: there are files here already", "--resume used"]),
    ] {
        let said = finish(bench.forkbench(["run", "--out", place]));
        said.expect(2, &texts);
        assert_eq!(said.stderr.matches(texts[1]).count(), 1, "told twice: {said:?}");
    }
    assert_eq!(contents(&bench.path("")), before);
    assert_eq!(contents(&bench.path("used")), used);
}

#[test]
fn what_cannot_be_resumed() {
    let bench = Bench::new();
    fs::create_dir(bench.path("other")).unwrap();
    fs::write(bench.path("other/thesis.txt"), "years of work").unwrap();
    let resume =
        |arguments: &[&str]| finish(bench.forkbench([&["run", "--resume"], arguments].concat()));
    for place in ["other", "missing"] {
        resume(&[place]).expect(2, &[place, "cannot be resumed", "`forkbench run` wrote"]);
    }
    assert_eq!(contents(&bench.path("other")).len(), 1);
    resume(&["other", "--rss", "4M"]).expect(2, &["--resume", "leave the knobs out"]);
    for flag in [
        ["--launches", "3"],
        ["--blocks", "3"],
        ["--time", "9s"],
        ["--precision", "2%"],
        ["--stall", "3s"],
        ["--seed", "3"],
        ["--vs", "fork"],
        ["--out", "new"],
    ] {
        resume(&[&["other"], &flag[..]].concat()).expect(2, &[flag[0], "cannot be used with"]);
    }
    assert!(!bench.path("new").exists());
}
