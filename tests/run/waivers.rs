//! `forkbench check --waivers FILE`: rows that may be red until a day.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, Said, finish};

/// A check in which one row is a hundred times as slow, and what it is called.
fn red() -> Bench {
    let bench = Bench::new();
    let check = ["check", "--allow-debug-build", "--out", "out", "--launches", "4"];
    let rest = ["--blocks", "5", "--quiet", "--mechanism", "vfork", "--on", "blocked.p50"];
    let sides = ["--base", "delay=0", "--cand", "delay=5ms"];
    let said = finish(bench.forkbench([&check[..], &rest, &sides].concat()));
    assert_eq!(said.code, Some(3), "{said:#?}");
    bench
}

const ROW: &str = "vfork blocked.p50";

fn waiver(row: &str, until: &str) -> String {
    format!("[[waiver]]\nrow = '{row}'\nuntil = {until}\nbecause = 'a loader that is known'\n")
}

/// The check once more from its files, with these waivers.
fn checked(bench: &Bench, waivers: &str, more: &[&str]) -> Said {
    fs::write(bench.path("waivers.toml"), waivers).unwrap();
    let check = ["check", "--allow-debug-build", "out", "--waivers", "waivers.toml"];
    finish(bench.forkbench([&check[..], more].concat()))
}

fn verdict(bench: &Bench) -> Value {
    let text = fs::read_to_string(bench.out().join("verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_waived_row_is_red_and_fails_nothing() {
    let bench = red();
    let said = checked(&bench, &waiver(ROW, "9999-12-31"), &["--strict"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("REGRESSED 1, waived 1 (exit 0)"), "{said:#?}");
    assert!(said.stdout.contains("waived: until 9999-12-31, since a loader"), "{said:#?}");
    let verdict = verdict(&bench);
    assert_eq!((&verdict["exit_code"], &verdict["family"]), (&0.into(), &0.into()));
    assert_eq!(verdict["rows"][0]["verdict"], "REGRESSED");
    assert!(verdict["rows"][0]["waived"].as_str().unwrap().starts_with("until 9999-12-31"));
}

#[test]
fn an_expired_waiver_fails_and_one_that_names_nothing_is_a_warning() {
    let bench = red();
    let said = checked(&bench, &waiver(ROW, "2001-01-01"), &[]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(said.stdout.contains("its waiver has expired"), "{said:#?}");
    assert!(verdict(&bench)["rows"][0]["waived"].is_null());

    let said = checked(&bench, &waiver("vfork blokced.p50", "9999-12-31"), &[]);
    said.expect(3, &["warning: the waiver of `vfork blokced.p50` names no row", ROW]);
}

#[test]
fn waivers_that_are_not_understood_are_wrong_usage_and_say_where() {
    let bench = red();
    let dateless = waiver(ROW, "9999-12-31").replace("until = 9999-12-31\n", "");
    let unknown = waiver(ROW, "9999-12-31").replace("because", "becuase");
    for (text, wanted) in [
        (dateless.as_str(), "waivers.toml:1:1: [[waiver]] lacks `until`"),
        (&unknown, "waivers.toml:4:1: unknown key `becuase`; did you mean `because`?"),
        (&waiver(ROW, "'soon'"), "waivers.toml:3:9: `until` must be a day"),
        ("", "waivers.toml: it waives nothing"),
    ] {
        checked(&bench, text, &[]).expect(2, &[wanted]);
    }
    let nowhere = ["check", "out", "--waivers", "nowhere.toml"];
    finish(bench.forkbench(nowhere)).expect(2, &["nowhere.toml cannot be read"]);
}

#[test]
fn a_claim_can_be_waived_too() {
    let bench = red();
    let budget = "[[claim]]\nname = 'a nanosecond'\nvalue = 'blocked.p50'\n\
                  at = { delay = '5ms' }\nat-most = '1ns'\n";
    fs::write(bench.path("budget.toml"), budget).unwrap();
    let claims = ["--claims", "budget.toml", "--strict"];
    let other = waiver("another", "9999-12-31");
    checked(&bench, &other, &claims).expect(3, &["the waiver of `another` names no row"]);
    let said = checked(&bench, &waiver("a nanosecond", "9999-12-31"), &claims);
    said.expect(0, &[]);
    assert!(said.stdout.contains("waived: until 9999-12-31"), "{said:#?}");
    assert_eq!(verdict(&bench)["rows"][0]["verdict"], "FAILS");
    checked(&bench, &waiver("a nanosecond", "2001-01-01"), &claims).expect(3, &[]);
}
