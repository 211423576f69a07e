//! Images that hang, crash, fail, or cannot be executed.

use std::fs;
use std::time::Duration;

use crate::bench::{Bench, children, finish, signal, status};

/// What is left of a run must be gone this soon after its end.
const SOON: Duration = Duration::from_secs(1);

#[test]
fn one_that_hangs_is_examined_and_killed() {
    let bench = Bench::new();
    let image = format!("/bin/{}", bench.sleep());
    let said = bench.run(&["--mechanism", "fork", "--image", &image, "--stall", "1s"]);
    said.expect(1, &["nothing moved for 1s", "(sleep) state S", "system call"]);
    let launches = bench.rows("launches.csv");
    assert_eq!(launches.len(), 1, "{launches:?}");
    assert_eq!(launches[0]["outcome"], "stuck");
    let stuck = bench.rows_with("events.csv", &[("event", "stuck")]);
    assert_eq!(stuck.len(), 1, "{stuck:?}");
    assert!(stuck[0]["pid"].parse::<u32>().unwrap() > 1);
    for text in ["(forkbench) state S", "(sleep) state S", "system call", "1 thread(s)"] {
        assert!(stuck[0]["evidence"].contains(text), "no `{text}` in {stuck:?}");
    }
    assert!(bench.timed(&[]).is_empty());
    bench.assert_nothing_left(SOON);
}

#[test]
fn what_was_measured_before_the_37th_spawn_hung_is_kept() {
    let bench = Bench::new();
    let image = bench.hanging_from(37);
    let arguments = ["-q", "--mechanism", "fork", "--image", &image, "--stall", "1s"];
    let running = bench.start(bench.forkbench(bench.larger(&arguments)));
    bench.hung();
    // The next subject is to find it well again.
    bench.free();
    running.finish().expect(1, &["a subject was lost", "subjects lost: 1; see out/launches.csv"]);

    let counted = bench.rows_with("blocks.csv", &[("kind", "count")]);
    assert_eq!(counted.len(), 1, "the run did not go on: {counted:?}");
    let control = bench.variants(&[("mechanism", "none")]);
    let mut samples = bench.rows("samples.csv");
    samples.retain(|row| {
        !control.contains(&row["variant"])
            && (&row["launch"], &row["block"]) != (&counted[0]["launch"], &counted[0]["block"])
    });
    assert_eq!(samples.len(), 36);
    let partial = bench.rows_with("blocks.csv", &[("kind", "partial")]);
    assert_eq!(partial.len(), 1, "{partial:?}");
    assert!(samples.iter().any(|row| row["block"] == partial[0]["block"]));
    let stuck = bench.rows_with("launches.csv", &[("launch", "1"), ("outcome", "stuck")]);
    assert_eq!(stuck.len(), 1);
    finish(bench.forkbench(["show", "out"])).expect(5, &[]);
    bench.assert_nothing_left(SOON);
}

#[test]
fn a_subject_that_hangs_holds_one_child_and_no_more() {
    let bench = Bench::new();
    let image = bench.hanging_from(80);
    let mechanisms = "fork,vfork,posix_spawn,clone3-vm,clone3-pidfd,command";
    let running = bench.start(bench.forkbench(bench.small(&[
        "-q",
        "--mechanism",
        mechanisms,
        "--image",
        &image,
    ])));
    bench.hung();
    let subject = bench.subject();
    let children = children(subject);
    assert_eq!(children.len(), 1, "{children:?}");
    assert!(status(children[0], "State").starts_with('S'));
    let open = fs::read_dir(format!("/proc/{subject}/fd")).unwrap().count();
    assert_eq!(status(subject, "SigCgt").trim_start_matches('0'), "", "a handler is left");
    assert_eq!(status(subject, "Threads"), "1");
    bench.free();
    signal(children[0], "KILL");
    running.finish().expect(0, &[]);
    let seen =
        bench.rows_with("readings.csv", &[("reading", "fds"), ("at", "setup"), ("launch", "1")]);
    // A pidfd may belong to the child that hung.
    let seen: usize = seen[0]["value"].parse().unwrap();
    assert!(open <= seen + 1, "{open} descriptors after 80 spawns, {seen} before");
    bench.assert_nothing_left(SOON);
}

#[test]
fn those_that_end_badly_are_events_and_no_figures() {
    for (image, event, evidence, status) in [
        ("/bin/sh -c 'kill -9 $$'", "crashed", "killed by signal 9", "9"),
        ("/bin/sh -c 'exit 3'", "failed", "exited with status 3", "768"),
    ] {
        let bench = Bench::new();
        let said = bench.run(&["--mechanism", "fork,posix_spawn", "--image", image]);
        said.expect(1, &["no sample of fork", "posix_spawn", "events.csv"]);
        let events = bench.rows_with("events.csv", &[("event", event)]);
        assert!(events.len() >= 3, "{events:?}");
        assert!(events.iter().all(|row| row["evidence"].contains(evidence)), "{events:?}");
        assert!(events.iter().all(|row| !row["pid"].is_empty()), "{events:?}");
        let bad = bench.rows_with("samples.csv", &[("status", status)]);
        assert_eq!(bad.len(), events.len());
        assert!(bench.timed(&[("role", "subject")]).is_empty());
        assert!(!bench.timed(&[("role", "control")]).is_empty());
        assert!(said.stdout.contains(evidence), "{said:?}");
    }
}

#[test]
fn one_bad_ending_is_told_and_left_out() {
    let bench = Bench::new();
    let count = bench.path("count");
    let image = bench.script(
        "once",
        &format!(
            "n=0; [ -e {0} ] && read n < {0}; echo $((n+1)) > {0}; [ $n != 15 ]",
            count.display()
        ),
    );
    let arguments = ["--mechanism", "vfork", "--image", &image];
    let said = finish(bench.forkbench(bench.larger(&arguments)));
    said.expect(0, &[]);
    let failed = bench.rows_with("events.csv", &[("event", "failed")]);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(bench.rows_with("samples.csv", &[("status", "256")]).len(), 1);
    assert!(said.stdout.contains("variant-failed"), "{said:?}");
}

/// The errno of an exec that fails, as every mechanism tells it: at the exec where the child is
/// ours, at the birth where the libc reports it; and never a sample.
#[test]
fn those_that_cannot_be_executed_are_never_a_sample() {
    let bench = Bench::new();
    bench.executable("garbage", "no program\n");
    bench.executable("orphan", "#!/nonexistent/interpreter\n");
    bench.executable("barred", format!("#!{}\n", bench.path("plain").display()));
    fs::write(bench.path("plain"), "no program\n").unwrap();
    for (image, errno) in
        [("garbage", libc::ENOEXEC), ("orphan", libc::ENOENT), ("barred", libc::EACCES)]
    {
        let _ = fs::remove_dir_all(bench.out());
        let path = bench.path(image);
        let said = bench.run(&["--mechanism", "all", "--image", path.to_str().unwrap()]);
        said.expect(1, &["no sample of fork"]);
        let mut checked = 0;
        for variant in bench.rows_with("variants.csv", &[("role", "subject")]) {
            let number = variant["variant"].as_str();
            if variant["mechanism"] == "thread" {
                continue;
            }
            let stage = match variant["mechanism"].as_str() {
                "posix_spawn" | "command" => "birth: ",
                _ => "exec: ",
            };
            let samples = bench.rows_with("samples.csv", &[("variant", number)]);
            assert!(samples.is_empty(), "{variant:?}: {samples:?}");
            let unavailable =
                [("variant", number), ("event", "refused"), ("launch", "0"), ("block", "")];
            if !bench.rows_with("events.csv", &unavailable).is_empty() {
                // Not to be had here, whatever the image.
                continue;
            }
            let events = bench.rows_with("events.csv", &[("variant", number), ("event", "failed")]);
            assert!(events.len() >= 3, "{variant:?}: {events:?}");
            for event in &events {
                assert_eq!(event["errno"], errno.to_string(), "{variant:?}: {event:?}");
                assert!(event["evidence"].starts_with(stage), "{variant:?}: {event:?}");
            }
            checked += 1;
        }
        assert!(checked >= 5, "only {checked} mechanisms were tried");
    }
}
