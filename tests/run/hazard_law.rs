//! The rate at which children hang follows the share of time for which the lock is held; children
//! that stand still for a while and end by themselves are never called hung.

use crate::bench::{Bench, finish};

/// Every row of `hazard-csv`, by its columns hazard, duty, forks and hung.
fn rates(bench: &Bench, arguments: &[&str]) -> Vec<(String, String, u32, u32)> {
    let all = [&["hazard", "--birth", "fork", "--out", "out"], arguments].concat();
    finish(bench.forkbench(all)).expect(0, &[]);
    let said = finish(bench.forkbench(["show", "out", "--format", "hazard-csv"]));
    said.expect(0, &[]);
    let rows = said.stdout.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.map(|row| {
        (row[0].to_owned(), row[3].to_owned(), row[4].parse().unwrap(), row[5].parse().unwrap())
    })
    .collect()
}

/// Not that the share reached is the one asked for: where others want the processor of the holder,
/// it is not.
#[test]
fn children_hang_as_often_as_the_lock_was_found_held() {
    let bench = Bench::new();
    let rows = rates(&bench, &["mutex", "--duty", "10,90", "--threads", "1", "--forks", "400"]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (_, held, forks, hung) in &rows {
        assert_eq!(*forks, 400);
        let held: f64 = held.parse().unwrap();
        let rate = 100.0 * f64::from(*hung) / f64::from(*forks);
        // Six standard errors of 400 births, at most.
        assert!((rate - held).abs() < 15.0, "{rows:?}");
    }
}

#[test]
fn children_that_sleep_or_are_stopped_for_a_while_do_not_hang() {
    let bench = Bench::new();
    let rows = rates(&bench, &["sleeping", "stopped", "--forks", "50"]);
    let counts: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.2, row.3)).collect();
    assert_eq!(counts, [("sleeping", 50, 0), ("stopped", 50, 0)]);
}
