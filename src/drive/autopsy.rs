//! What a process that makes no progress is doing: read from /proc, twice.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::unistd::Pid;

use crate::drive::keeper::children_of;

/// How long lies between the two looks.
const BETWEEN: Duration = Duration::from_millis(100);

/// Looks twice at a process and all its descendants. One line, for `events.csv`.
pub fn examine(pid: Pid) -> String {
    let first = look(pid);
    thread::sleep(BETWEEN);
    let second = look(pid);
    let parts: Vec<String> = second
        .iter()
        .map(|now| match first.iter().find(|before| before.pid == now.pid) {
            Some(before) if before == now => format!("{now}, and the same {BETWEEN:?} before"),
            Some(before) => format!("{now}; {BETWEEN:?} before {before}"),
            None => format!("{now}, new"),
        })
        .collect();
    if parts.is_empty() { format!("process {pid} is gone") } else { parts.join(" | ") }
}

/// One look at one process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    pid: Pid,
    name: String,
    state: String,
    system_call: String,
    waits_in: String,
    cpu_ticks: String,
    threads: String,
    switches: String,
}

impl std::fmt::Display for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Look { pid, name, state, system_call, waits_in, cpu_ticks, threads, switches } = self;
        write!(
            f,
            "process {pid} ({name}) state {state}, system call {system_call}, waits in {waits_in}, \
             {threads} thread(s), {cpu_ticks} ticks of CPU, {switches} voluntary switches"
        )
    }
}

/// The process and its descendants, parents first.
fn look(pid: Pid) -> Vec<Look> {
    let mut looks: Vec<Look> = one(pid).into_iter().collect();
    for child in children_of(pid) {
        looks.extend(look(child));
    }
    looks
}

fn one(pid: Pid) -> Option<Look> {
    let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
    let stat = file("stat").ok()?;
    let (head, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let status = file("status").unwrap_or_default();
    let of_status = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.map_or("?".to_owned(), |value| value.trim().to_owned())
    };
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    let unreadable = || "not readable".to_owned();
    // Number and arguments, without the stack pointer and the program counter.
    let system_call = file("syscall").map_or_else(
        |_| unreadable(),
        |text| text.split_whitespace().take(7).collect::<Vec<_>>().join(" "),
    );
    Some(Look {
        pid,
        name: head.split_once('(').map_or("", |(_, name)| name).to_owned(),
        state: fields.first().copied().unwrap_or("?").to_owned(),
        system_call,
        waits_in: match file("wchan") {
            Ok(place) if place != "0" && !place.is_empty() => place,
            Ok(_) => "nothing".to_owned(),
            Err(_) => unreadable(),
        },
        cpu_ticks: (ticks(11) + ticks(12)).to_string(),
        threads: of_status("Threads:"),
        switches: of_status("voluntary_ctxt_switches:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_child_is_seen_asleep() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        thread::sleep(Duration::from_millis(200));
        let evidence = examine(Pid::from_raw(child.id() as i32));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            evidence.contains("(sleep) state S") && evidence.contains("the same"),
            "{evidence}"
        );
        assert!(!evidence.contains('\n'));
    }
}
