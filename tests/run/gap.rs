//! What happens between birth and exec: done by every mechanism that can, proved by the image, and
//! told where it cannot be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::bench::{Bench, Row, finish, is_root, median, skip};

const ACTIONS: &str = "dup2,open,pipe,chdir,fchdir,umask,setsid,setpgid,sigdefault,sigmask,setuid,\
                       setgid,setgroups,rlimit,nice,nice-up,affinity,pdeathsig,close-loop,\
                       close-walk,close-range";

/// What an own child can do and these cannot.
const NOT_BY_POSIX_SPAWN: [&str; 9] = [
    "umask",
    "setuid",
    "setgid",
    "setgroups",
    "rlimit",
    "nice",
    "nice-up",
    "affinity",
    "pdeathsig",
];

/// What only those may do whom the kernel trusts.
const PRIVILEGED: [&str; 4] = ["setuid", "setgid", "setgroups", "nice-up"];

/// The actions of a variant.
fn actions(row: &Row) -> &str {
    let setting = row["settings"].split(';').find_map(|setting| setting.strip_prefix("actions="));
    setting.unwrap_or("none")
}

/// What the readings of that name say of each variant: the values, each of one spawn.
fn readings(bench: &Bench, name: &str) -> BTreeMap<String, Vec<u64>> {
    let mut values: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for noted in bench.noted(name, &[]) {
        values.entry(noted.row["variant"].clone()).or_default().push(noted.value);
    }
    values
}

#[test]
fn every_mechanism_does_every_action_and_proves_it_or_says_why_not() {
    if !is_root() {
        return skip("only root may do all of it");
    }
    let bench = Bench::new();
    let mechanisms = "fork,vfork,posix_spawn,clone3-vm,command";
    bench
        .run(&["--workload", "gap", "--mechanism", mechanisms, "--actions", ACTIONS])
        .expect(0, &[]);
    let (proved, means) = (readings(&bench, "proved"), readings(&bench, "means"));
    for row in bench.rows_with("variants.csv", &[("role", "subject")]) {
        let (number, label) = (&row["variant"], &row["label"]);
        let events = bench.rows_with("events.csv", &[("variant", number)]);
        let action = actions(&row);
        let is_spawn = row["mechanism"] == "posix_spawn";
        if is_spawn && (NOT_BY_POSIX_SPAWN.contains(&action) || action == "close-walk") {
            assert_eq!(events.len(), 1, "{label}: {events:?}");
            assert_eq!((&*events[0]["event"], &*events[0]["errno"]), ("refused", ""), "{label}");
            assert!(events[0]["evidence"].contains("posix_spawn"), "{events:?}");
            assert_eq!(proved.get(number), None, "{label} was executed");
            continue;
        }
        assert!(events.is_empty(), "{label}: {events:?}");
        assert_eq!(proved.get(number), Some(&vec![1]), "{label}");
        let expected = match (&*row["mechanism"], action) {
            ("posix_spawn", "setsid" | "setpgid" | "sigdefault" | "sigmask") => 1,
            ("posix_spawn", _) => 2,
            ("command", "dup2" | "open" | "chdir" | "setpgid" | "setuid" | "setgid") => 1,
            ("command", _) => 4,
            _ => 3,
        };
        assert_eq!(means.get(number), Some(&vec![expected]), "{label}");
    }
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn who_has_no_rights_is_told_that_it_is_not_permitted_and_the_rest_is_proved() {
    let bench = Bench::new();
    let all = format!("{ACTIONS},cgroup");
    let mut command = bench.public_forkbench(&bench.small(&[
        "--workload",
        "gap",
        "--mechanism",
        "vfork,command",
        "--actions",
        &all,
    ]));
    if is_root() {
        command.uid(65_534).gid(65_534);
    }
    let said = finish(command);
    said.expect(0, &[]);
    let proved = readings(&bench, "proved");
    for row in bench.rows_with("variants.csv", &[("role", "subject")]) {
        let (number, label) = (&row["variant"], &row["label"]);
        let action = actions(&row);
        let events = bench.rows_with("events.csv", &[("variant", number)]);
        if action == "cgroup" && own_cgroup().is_none() {
            assert!(events[0]["evidence"].contains("cgroup"), "{events:?}");
        } else if is_root() && (action == "setuid" || action == "setgid") {
            // It is 65534 already, and may become that again.
            assert_eq!(proved.get(number), Some(&vec![1]), "{label}");
        } else if PRIVILEGED.contains(&action) || action == "cgroup" {
            assert_eq!(proved.get(number), None, "{label}");
            assert!(events.iter().any(|event| event["event"] == "refused"), "{label}: {events:?}");
            for event in events {
                assert!(["1", "13"].contains(&&*event["errno"]), "{label}: {event:?}");
            }
        } else {
            assert_eq!(proved.get(number), Some(&vec![1]), "{label}: {events:?}");
        }
    }
    assert!(said.stdout.contains("not permitted"), "{}", said.stdout);
    bench.assert_nothing_left(Duration::from_secs(1));
}

/// The directory of the cgroup v2 of this process.
fn own_cgroup() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?.split(' ').nth(4)?;
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = membership.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
    Some(PathBuf::from(format!("{mount}{}", path.trim_end_matches('/'))))
}

/// The cgroups that runs have made and not removed.
fn left_cgroups(own: &PathBuf) -> Vec<String> {
    let entries = fs::read_dir(own).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("forkbench-gap-")).collect()
}

#[test]
fn a_cgroup_is_made_gone_into_and_removed_also_after_a_kill() {
    let Some(own) = own_cgroup() else { return skip("cgroup v2 is not mounted") };
    if !is_root() {
        return skip("only root may make cgroups");
    }
    let bench = Bench::new();
    let arguments = ["--workload", "gap", "--actions", "cgroup", "--mechanism"];
    bench.run(&[&arguments[..], &["fork,clone3-cgroup"]].concat()).expect(0, &[]);
    let proved = readings(&bench, "proved");
    for number in bench.variants(&[("role", "subject")]) {
        assert_eq!(proved.get(&number), Some(&vec![1]));
    }
    bench.assert_nothing_left(Duration::from_secs(1));
    assert_eq!(left_cgroups(&own), Vec::<String>::new());

    let bench = Bench::new();
    let image = format!("/bin/{}", bench.sleep());
    let more = ["vfork", "--image", &image];
    let running = bench.start(bench.forkbench(bench.small(&[&arguments[..], &more].concat())));
    bench.hung();
    assert_eq!(left_cgroups(&own).len(), 1);
    running.signal("KILL");
    running.finish();
    bench.assert_nothing_left(Duration::from_secs(10));
    assert_eq!(left_cgroups(&own), Vec::<String>::new());
}

#[test]
fn a_vforking_caller_waits_for_the_gap_and_a_forking_one_does_not() {
    let bench = Bench::new();
    let loops = ["--actions", "close-loop", "--nofile", "1024,200000"];
    bench
        .run(&[&["--workload", "gap", "--mechanism", "fork,vfork"][..], &loops].concat())
        .expect(0, &[]);
    let blocked = |mechanism: &str, nofile: &str| {
        let rows = bench.rows_with("variants.csv", &[("mechanism", mechanism)]);
        let of = rows.iter().find(|row| {
            row["role"] == "subject"
                && (row["settings"].contains(nofile)
                    || nofile.is_empty() && !row["settings"].contains("nofile"))
        });
        let number = of.unwrap()["variant"].clone();
        let mut rows = bench.timed(&[("mechanism", mechanism)]);
        rows.retain(|row| row["variant"] == number);
        median(&rows, "blocked_ns")
    };
    let few = ["fork", "vfork"].map(|mechanism| blocked(mechanism, ""));
    let many = ["fork", "vfork"].map(|mechanism| blocked(mechanism, "nofile=200000"));
    assert!(many[1] > 4 * few[1], "{few:?} {many:?}");
    // On a busy processor a forking caller may be made to wait, though not for the child.
    assert!(many[1] > 2 * many[0], "{few:?} {many:?}");
}

#[test]
fn descriptors_beyond_the_limit_of_a_loop_are_refused_with_what_to_do() {
    let bench = Bench::new();
    let said = bench.run(&[
        "--workload",
        "gap",
        "--mechanism",
        "vfork",
        "--actions",
        "close-loop,close-walk,close-range",
        "--fds",
        "2000",
    ]);
    said.expect(0, &[]);
    assert!(said.stdout.contains("nofile=2256"), "{}", said.stdout);
    let proved = readings(&bench, "proved");
    for number in bench.variants(&[("role", "subject")]) {
        let refused = !bench.rows_with("events.csv", &[("variant", &number)]).is_empty();
        assert_eq!(proved.get(&number), (!refused).then_some(&vec![1]));
    }
}

#[test]
fn a_list_of_actions_is_done_in_its_order() {
    let bench = Bench::new();
    let list = "open+pipe+dup2+umask+setsid+sigmask+chdir+close-range";
    bench
        .run(&["--workload", "gap", "--mechanism", "fork,vfork,command", "--actions", list])
        .expect(0, &[]);
    let proved = readings(&bench, "proved");
    for number in bench.variants(&[("role", "subject")]) {
        assert_eq!(proved.get(&number), Some(&vec![1]));
    }
}
