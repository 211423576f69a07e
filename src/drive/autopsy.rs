//! What a stuck subject and all its descendants are doing, in the words of [`autopsy`].

use std::thread;
use std::time::Duration;

use nix::unistd::Pid;

use crate::drive::keeper::children_of;
use crate::measure::autopsy::{self, Look, Verdict};

/// How long lies between the two looks.
const BETWEEN: Duration = Duration::from_millis(100);

/// Looks twice at a process and all its descendants. One line, for `events.csv`.
pub fn examine(pid: Pid) -> String {
    let first = looks(pid);
    thread::sleep(BETWEEN);
    let second = looks(pid);
    let parts: Vec<String> = second
        .iter()
        .map(|(pid, now)| {
            let id = pid.as_raw();
            match first.iter().find(|(other, _)| other == pid) {
                // How it was born is not known here.
                Some((_, before)) => {
                    autopsy::evidence(id, before, now, autopsy::judge(before, now, false))
                }
                None => format!("new: {}", autopsy::evidence(id, now, now, Verdict::Moving)),
            }
        })
        .collect();
    parts.join(" | ")
}

/// The process and its descendants, parents first.
fn looks(pid: Pid) -> Vec<(Pid, Look)> {
    let mut all = vec![(pid, autopsy::look(pid.as_raw()))];
    for child in children_of(pid) {
        all.extend(looks(child));
    }
    all
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
        assert!(evidence.starts_with("unproven (sleep); "), "{evidence}");
        assert!(!evidence.contains('\n'));
    }

    #[test]
    fn one_that_is_gone_is_said_to_be() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let evidence = examine(Pid::from_raw(child.id() as i32));
        assert!(evidence.starts_with("ended; process "), "{evidence}");
    }
}
