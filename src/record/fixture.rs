//! Rows for tests, each with what the test does not care about already filled in.

use super::rows::{BlockRow, EventRow, HistogramRow, LaunchRow, ReadingRow, SampleRow, VariantRow};
use crate::model::row::{BlockKind, EventKind, Outcome, Phase, Role, Scope};

/// A variant of that mechanism in a parent of that shape.
pub(crate) fn variant(variant: u32, role: Role, shape: &str, mechanism: &str) -> VariantRow {
    let settings = match shape {
        "empty" => format!("mechanism={mechanism}"),
        shape => format!("{};mechanism={mechanism}", shape.replace(' ', ";")),
    };
    VariantRow {
        variant,
        scenario: "run".to_string(),
        label: format!("{shape} {mechanism}"),
        role,
        shape: shape.to_string(),
        mechanism: mechanism.to_string(),
        image: "noop".to_string(),
        workload: "spawn".to_string(),
        copies_pages: mechanism == "fork",
        settings,
    }
}

/// A subject that did its whole job.
pub(crate) fn launch(launch: u32, subject: u32, shape: &str) -> LaunchRow {
    LaunchRow {
        launch,
        subject,
        shape: shape.to_string(),
        outcome: Outcome::Done,
        detail: String::new(),
        started_ns: 1_000,
        setup_ns: Some(2_000),
        wall_ns: 3_000,
        steal_ticks: None,
    }
}

/// A timed block.
pub(crate) fn block(launch: u32, block: u32) -> BlockRow {
    BlockRow {
        launch,
        block,
        kind: BlockKind::Time,
        coin: "0-1".to_string(),
        rounds: 2,
        started_ns: 5_000,
        wall_ns: 75_000_000,
        steal_ticks: Some(0),
    }
}

/// A measured sample that blocked its caller that long, and took twice that to be reaped.
pub(crate) fn sample(launch: u32, block: u32, variant: u32, blocked_ns: u64) -> SampleRow {
    SampleRow {
        launch,
        block,
        round: 1,
        turn: 0,
        pos: 3,
        phase: Phase::Measure,
        variant,
        start_ns: 1_234_567_890_123,
        blocked_ns: Some(blocked_ns),
        born_ns: None,
        image_ns: None,
        reaped_ns: Some(blocked_ns.saturating_mul(2)),
        rewrite_ns: None,
        blocked_cpu_ns: Some(blocked_ns),
        parent_cpu: Some(0),
        child_cpu: Some(0),
        status: 0,
    }
}

/// Minor faults at the spawn.
pub(crate) fn faults(
    launch: u32,
    block: u32,
    variant: u32,
    scope: Scope,
    value: u64,
    spawns: u64,
) -> ReadingRow {
    ReadingRow {
        launch,
        block: Some(block),
        variant: Some(variant),
        reading: "minor_faults".to_string(),
        scope,
        at: "spawn".to_string(),
        value,
        spawns,
    }
}

/// A bucket of the distribution `bystander_ns`, from its smallest to its largest value.
pub(crate) fn bucket(
    launch: u32,
    block: u32,
    variant: u32,
    (low_ns, high_ns): (u64, u64),
    count: u64,
) -> HistogramRow {
    let reading = "bystander_ns".to_string();
    HistogramRow { launch, block, variant, reading, low_ns, high_ns, count }
}

/// A subject that got stuck in that block.
pub(crate) fn stuck(launch: u32, block: u32) -> EventRow {
    EventRow {
        launch,
        block: Some(block),
        variant: None,
        event: EventKind::Stuck,
        pid: Some(4711),
        errno: None,
        evidence: "state S, \"futex\"\nowner, gone".to_string(),
    }
}
