//! `--mechanism extern:CMD`: helpers that work, and helpers that do not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bench::{Bench, Row, finish, median, refused, skip, status, wait_for};

/// What is left of a run must be gone this soon after its end.
const SOON: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/extern").join(name);
    path.to_str().unwrap().to_owned()
}

/// The example in C, compiled; None: there is no compiler here.
fn compiled(bench: &Bench) -> Option<String> {
    let program = bench.path("spawn_server");
    let arguments = ["-O1", "-Wall", "-Wextra", "-Werror", "-o"];
    let mut compiler = Command::new("cc");
    match compiler.args(arguments).arg(&program).arg(example("spawn_server.c")).status() {
        Ok(status) => assert!(status.success(), "the example in C does not compile"),
        Err(error) => {
            skip(&format!("the example in C: cc: {error}"));
            return None;
        }
    }
    Some(program.to_str().unwrap().to_owned())
}

/// A helper in shell that says `ready` and does `body` on each request; `$image` is what it is to
/// spawn, `$n` the number of the request, and `say` answers.
fn helper(bench: &Bench, ready: &str, body: &str) -> String {
    let text = format!(
        "exec 8<&0 9>&1 </dev/null >/dev/null\n\
         n=0\n\
         say() {{ echo \"$@\" >&9; }}\n\
         good() {{ \"$image\" 8<&- 9>&- & say spawned $!; wait $!; say reaped $?; }}\n\
         while read -r word rest <&8; do\n\
         case $word in\n\
         image) image=$rest ;;\n\
         end) say {ready} ;;\n\
         ping) say pong ;;\n\
         spawn) n=$((n+1)); {body} ;;\n\
         esac\n\
         done"
    );
    format!("extern:{}", bench.script("helper", &text))
}

/// The one variant that was asked for and is a helper, by its number.
fn variant(bench: &Bench) -> String {
    let mut rows = bench.rows_with("variants.csv", &[("role", "subject")]);
    rows.retain(|row| row["mechanism"].starts_with("extern:"));
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)["variant"].clone()
}

fn samples(bench: &Bench) -> Vec<Row> {
    bench.rows_with("samples.csv", &[("variant", &variant(bench))])
}

#[test]
fn the_examples_spawn_what_they_are_told_to() {
    let bench = Bench::new();
    let mut helpers = vec![(format!("sh {}", example("spawn_server.sh")), false)];
    helpers.extend(compiled(&bench).map(|program| (program, true)));
    if Command::new("python3").arg("-c").arg("").status().is_ok_and(|status| status.success()) {
        let script = example("spawn_server.py");
        helpers.push((format!("python3 {script}"), true));
        helpers.push((format!("python3 {script} subprocess"), true));
    } else {
        skip("the example in Python: there is no python3 that runs");
    }
    let list: Vec<String> =
        helpers.iter().map(|(command, _)| format!("extern:{command}")).collect();
    let all = format!("posix_spawn,{}", list.join(","));
    let said = bench.run(&["--mechanism", &all]);
    said.expect(0, &[]);
    for ((_, stamps), mechanism) in helpers.iter().zip(&list) {
        let wanted = [("role", "subject"), ("mechanism", mechanism.as_str())];
        let timed = bench.timed(&wanted);
        assert!(timed.len() >= 2, "{mechanism}: {}", timed.len());
        for row in &timed {
            let length = |column: &str| row[column].parse::<u64>().unwrap();
            assert!(length("image_ns") < length("reaped_ns"), "{row:?}");
            assert!(length("blocked_ns") < length("reaped_ns"), "{row:?}");
            assert!(length("blocked_cpu_ns") > 0 && row["born_ns"].is_empty(), "{row:?}");
            assert!(!row["child_cpu"].is_empty(), "{row:?}");
        }
        assert!(!bench.noted("extern_round_trip_ns", &wanted).is_empty());
        let exchanges = bench.noted("extern_exchange_ns", &wanted);
        assert_eq!(!exchanges.is_empty(), *stamps, "{mechanism}");
        // Its own stamps leave the pipes out.
        let all = exchanges.iter().map(|noted| noted.value).max();
        assert!(all.is_none_or(|all| all > median(&timed, "reaped_ns")), "{mechanism}");
        let counted = bench.rows_with("readings.csv", &[("variant", &timed[0]["variant"])]);
        assert!(counted.iter().all(|row| row["at"] == "work"), "faults of a helper: {counted:?}");
    }
    let labels: Vec<String> =
        bench.rows("variants.csv").iter().map(|r| r["label"].clone()).collect();
    assert!(labels.contains(&"extern:spawn_server.sh".to_owned()), "{labels:?}");
    assert!(said.stdout.contains("spawned by another program"), "{said:?}");
    let told: Vec<&str> =
        said.stdout.lines().filter(|line| line.contains("pipe-included")).collect();
    assert_eq!(told.len(), 1, "{said:?}");
    assert!(told[0].contains("extern:spawn_server.sh does not stamp"), "{told:?}");
    bench.assert_nothing_left(SOON);
}

#[test]
fn the_examples_spawn_other_images_with_their_arguments_and_tell_how_they_end() {
    let bench = Bench::new();
    let mut helpers = vec![format!("extern:sh {}", example("spawn_server.sh"))];
    helpers.extend(compiled(&bench).map(|program| format!("extern:{program}")));
    let list = helpers.join(",");
    // Its output must not get between the answers.
    let image =
        "/bin/sh -c 'echo loud; [ \"$0 $PATH\" = \"a  b /usr/local/bin:/usr/bin:/bin\" ]' 'a  b'";
    bench.run(&["--mechanism", &list, "--image", image]).expect(0, &[]);
    for mechanism in &helpers {
        let timed = bench.timed(&[("role", "subject"), ("mechanism", mechanism)]);
        assert!(!timed.is_empty() && timed.iter().all(|row| row["image_ns"].is_empty()));
    }
    for (image, word, status, evidence) in [
        ("/bin/sh -c 'exit 3'", "failed", "768", "exited with status 3"),
        ("/bin/sh -c 'kill -9 $$'", "crashed", "9", "killed by signal 9"),
    ] {
        let Some(program) = helpers.get(1) else { continue };
        let bench = Bench::new();
        let said = bench.run(&["--mechanism", program, "--image", image]);
        said.expect(1, &["no sample of extern:spawn_server"]);
        let events = bench.rows_with("events.csv", &[("event", word)]);
        assert!(events.len() >= 3, "{events:?}");
        assert!(events.iter().all(|row| row["evidence"].contains(evidence)), "{events:?}");
        assert!(samples(&bench).iter().all(|row| row["status"] == status));
    }
    let Some(program) = helpers.get(1) else { return };
    let bench = Bench::new();
    let garbage = bench.executable("garbage", "no program\n");
    let image = garbage.to_str().unwrap();
    bench.run(&["--mechanism", program, "--image", image]).expect(1, &["no sample"]);
    let errno = libc::ENOEXEC.to_string();
    let events = bench.rows_with("events.csv", &[("event", "failed"), ("errno", &errno)]);
    assert!(events.len() >= 3 && events[0]["evidence"].starts_with("birth: "), "{events:?}");
    assert!(samples(&bench).is_empty());
}

#[test]
fn one_that_dies_at_the_37th_request_takes_nobody_with_it() {
    let bench = Bench::new();
    let body = "[ $n = 37 ] && { echo 'out of luck' >&2; exit 4; }; good";
    let mechanism = format!("vfork,{}", helper(&bench, "ready", body));
    let said = finish(bench.forkbench(bench.larger(&["--mechanism", &mechanism])));
    said.expect(0, &[]);
    let number = variant(&bench);
    let of_launch =
        |launch| bench.rows_with("samples.csv", &[("variant", &number), ("launch", launch)]);
    // The subject that counts is another, and has another helper.
    let counted = bench.rows_with("blocks.csv", &[("kind", "count"), ("launch", "1")]);
    let mut samples = of_launch("1");
    samples.retain(|row| row["block"] != counted[0]["block"]);
    assert_eq!(samples.len(), 36);
    let evidence = "the helper exited with status 4; it said: out of luck";
    let wanted = [("variant", number.as_str()), ("launch", "1")];
    let events = bench.rows_with("events.csv", &wanted);
    let words: Vec<&str> = events.iter().map(|row| row["event"].as_str()).collect();
    assert_eq!(words, ["failed", "failed", "failed", "refused"]);
    assert!(events.iter().all(|row| row["evidence"].contains(evidence)), "{events:?}");
    assert!(events.iter().all(|row| row["pid"] == events[0]["pid"]), "{events:?}");
    assert!(events[3]["evidence"].ends_with("not tried again in this subject"), "{events:?}");
    let timed = bench.timed(&[("mechanism", "vfork"), ("role", "subject")]);
    assert!(timed.len() > 36, "{}", timed.len());
    assert!(bench.rows("launches.csv").iter().all(|row| row["outcome"] == "done"));
    bench.assert_nothing_left(SOON);
}

#[test]
fn whatever_one_says_that_is_not_so_is_an_event_and_never_a_sample() {
    let now = "$(($(cut -d. -f1 /proc/uptime) * 1000000000))";
    let bench = Bench::new();
    for (ready, body, evidence) in [
        ("ready", "say 'free lunch'".to_owned(), "the helper said `free lunch`"),
        ("ready", "say spawned 99".to_owned() + "; say pong", "`pong` where `reaped` was due"),
        ("ready", "say reaped 0".to_owned(), "said `reaped` where `spawned` was due"),
        // An answer ahead of the next request, which would be a fast one.
        (
            "ready",
            "good; say spawned 99; say reaped 0".to_owned(),
            "the helper said `spawned` where `",
        ),
        ("ready", "kill -9 $$".to_owned(), "the helper was killed by signal 9"),
        ("ready", "exit 0".to_owned(), "the helper has ended by itself"),
        ("ready", "exec 9>&-; sleep 1".to_owned(), "closed its standard input or output"),
        ("ready", "printf %0999d 0 >&9; sleep 1".to_owned(), "no end within 512 bytes: `0000"),
        ("ready", "say spawned 99; say reaped 0".to_owned(), "the image reported no stamp"),
        ("ready", "image=/bin/true; good".to_owned(), "the image reported no stamp"),
        ("ready", "exec 3>&-; good".to_owned(), "its descriptor 3 as the child's"),
        ("ready", "say spawned 99 1 2; say reaped 0 3".to_owned(), "did not say `ready stamps`"),
        ("ready stamps", "good".to_owned(), "said `ready stamps`, and left one out"),
        (
            "ready stamps",
            "\"$image\" 8<&- 9>&-; say spawned 99 1 2; say reaped 0 3".to_owned(),
            "not within the exchange, in their order: asked ",
        ),
        (
            "ready stamps",
            format!("\"$image\" 8<&- 9>&-; t={now}; say spawned 99 $t 1; say reaped 0 $t"),
            "not within the exchange, in their order: asked ",
        ),
        ("ready no-mailbox", "say spawned 99; say reaped 0".to_owned(), "waited for no child"),
        ("ready", "say failed 11 no room".to_owned(), "birth: "),
        ("hello", String::new(), "the helper said `hello`"),
    ] {
        let _ = std::fs::remove_dir_all(bench.out());
        let mechanism = helper(&bench, ready, &body);
        let said = bench.run(&["--mechanism", &mechanism]);
        said.expect(1, &["no sample of extern:helper: see events.csv"]);
        let events = bench.rows("events.csv");
        assert!(events.len() >= 4, "{body}: {events:?}");
        let first = &events[0]["evidence"];
        assert!(first.contains(evidence), "{body}: {first}");
        let samples = samples(&bench);
        let most = usize::from(body.starts_with("good")) * bench.rows("launches.csv").len();
        assert!(samples.len() <= most, "{body}: {samples:?}");
        assert!(bench.rows("launches.csv").iter().all(|row| row["outcome"] == "done"), "{body}");
        bench.assert_nothing_left(SOON);
    }
}

#[test]
fn one_without_a_mailbox_may_say_so_and_has_no_image_stamp() {
    let bench = Bench::new();
    let mechanism = helper(&bench, "ready no-mailbox", "exec 3>&-; good");
    bench.run(&["--mechanism", &mechanism]).expect(0, &[]);
    let timed = bench.timed(&[("mechanism", &mechanism), ("role", "subject")]);
    assert!(!timed.is_empty());
    assert!(timed.iter().all(|row| row["image_ns"].is_empty() && row["child_cpu"].is_empty()));
}

#[test]
fn one_that_hangs_is_examined_and_killed() {
    let bench = Bench::new();
    for (ready, body) in [
        ("ready", format!("[ $n -gt 5 ] && {}; good", bench.sleep())),
        (&*format!("$({})", bench.sleep()), "good".to_owned()),
    ] {
        let _ = std::fs::remove_dir_all(bench.out());
        let mechanism = helper(&bench, ready, &body);
        let said = bench.run(&["--mechanism", &mechanism, "--stall", "1s"]);
        said.expect(1, &["nothing moved for 1s", "(sleep) state S"]);
        let stuck = bench.rows_with("events.csv", &[("event", "stuck")]);
        assert_eq!(stuck.len(), 1, "{stuck:?}");
        for text in ["(forkbench) state S", "(helper) state S", "pipe"] {
            assert!(stuck[0]["evidence"].contains(text), "no `{text}` in {stuck:?}");
        }
        assert!(bench.timed(&[]).is_empty());
        bench.assert_nothing_left(SOON);
    }
}

#[test]
fn nothing_is_left_of_one_that_stays_when_it_is_told_to_go() {
    let bench = Bench::new();
    // It ignores signals and the end of its input, and has a child of its own.
    let body = format!("[ $n = 1 ] && {{ trap '' INT TERM HUP; {} & }}; good", bench.sleep());
    let mechanism = helper(&bench, "ready", &body);
    let script = PathBuf::from(mechanism.strip_prefix("extern:").unwrap());
    let text = std::fs::read_to_string(&script).unwrap() + &bench.sleep() + "\n";
    std::fs::write(&script, text).unwrap();
    bench.run(&["--mechanism", &mechanism]).expect(0, &[]);
    bench.assert_nothing_left(SOON);
    for (name, code) in [("INT", Some(130)), ("KILL", None)] {
        let _ = std::fs::remove_dir_all(bench.out());
        let arguments = ["run", "--out", "out", "--time", "30s", "--mechanism", &mechanism];
        let running = bench.start(bench.forkbench(arguments));
        wait_for("a helper with a child", PATIENCE, || {
            let all = bench.processes();
            all.iter().any(|pid| status(*pid, "Name") == "sleep").then_some(())
        });
        running.signal(name);
        let said = running.finish();
        assert_eq!(said.code, code, "{said:?}");
        bench.assert_nothing_left(Duration::from_secs(3));
    }
}

#[test]
fn commands_that_cannot_be_and_work_that_helpers_cannot_do_are_refused_before_anything_starts() {
    let bench = Bench::new();
    std::fs::write(bench.path("plain"), "").unwrap();
    let none = "extern:./there-is-none --fast";
    for (arguments, texts) in [
        (&["--mechanism", none][..], &["./there-is-none: No such file", "examples/extern"][..]),
        (&["--mechanism", "fork,extern:./there-is-none"], &["./there-is-none: No such file"]),
        (&["--mechanism", "extern:./plain"], &["./plain: it is not executable"]),
        (&["--mechanism", "extern:/"], &["/: it is no regular file"]),
        (&["--mechanism", "extern:no-such-program-here"], &["no directory of PATH"]),
        (&["--mechanism", "extern:"], &["give the command of a helper"]),
        (&["--mechanism", "extern"], &["extern:./my_helper"]),
        (&["--mechanism", "extern:sh 'x"], &["a quote is not closed"]),
        (&["--mechanism", "extern:sh", "--rss", "1M"], &["rss=1MiB would be the shape of another"]),
        (&["--mechanism", "extern:sh", "--threads", "2"], &["threads=2 would be the shape"]),
        (&["--mechanism", "extern:sh", "--env-bytes", "4K"], &["env-bytes"]),
        (&["--mechanism", "extern:sh", "--path-dirs", "2"], &["path-dirs"]),
        (&["--mechanism", "extern:sh", "--image", "exit"], &["it has no `exit`"]),
        (&["--mechanism", "extern:sh", "--workload", "pipeline"], &["workload=spawn"]),
        (&["--mechanism", "extern:sh", "--workload", "throughput"], &["workload=spawn"]),
        (&["--mechanism", "extern:sh", "--workload", "gap"], &["workload=spawn"]),
    ] {
        refused(&bench, arguments, texts);
    }
    // Where other rows can be measured, it is a row that says so.
    let said = bench.run(&["--mechanism", "vfork,extern:sh", "--rss", "0,1M", "--verify"]);
    assert!(said.stdout.contains("rss=1MiB would be the shape of another"), "{said:?}");
    let listed = finish(bench.forkbench(["list", "mechanisms"]));
    assert!(listed.stdout.contains("extern:CMD"), "{listed:?}");
    let explained = finish(bench.forkbench(["explain", "extern"]));
    assert!(explained.stdout.contains("own spawner, in any language"), "{explained:?}");
}

#[test]
fn all_mechanisms_are_those_that_need_no_command() {
    let bench = Bench::new();
    bench.run(&["--mechanism", "all", "--verify"]).expect(0, &[]);
    let said = bench.run(&["--mechanism", "all", "--verify"]);
    assert!(said.stdout.contains("posix_spawn") && !said.stdout.contains("extern"), "{said:?}");
}
