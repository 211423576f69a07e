//! What reading and analysing a run costs: a million samples, quantiles, contrasts.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use forkbench::analyse::cells::Cells;
use forkbench::analyse::contrasts::contrast;
use forkbench::analyse::estimate::signed_rank_interval;
use forkbench::analyse::quantiles::Figure;
use forkbench::analyse::summary::Summary;
use forkbench::model::interval::Interval;
use forkbench::model::row::{BlockKind, Phase, Role};
use forkbench::record::append::{Block, Writer};
use forkbench::record::rows::{BlockRow, SampleRow, VariantRow};

const VARIANTS: u32 = 8;
const LAUNCHES: u32 = 10;
const BLOCKS: u32 = 10;
const SAMPLES: u32 = 1_000_000;

fn million_samples(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("run");
    write_run(&path);
    let mut group = criterion.benchmark_group("million samples");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(SAMPLES)));
    group.bench_function("read", |bencher| bencher.iter(|| Cells::read(&path)));
    let cells = Cells::read(&path).expect("a run that was just written");
    group.bench_function("summarise", |bencher| bencher.iter(|| Summary::of(&cells, None)));
    group.finish();

    let (one, other) = (cells.cell(0, Interval::Blocked), cells.cell(1, Interval::Blocked));
    let pooled = one.pooled();
    criterion.bench_function("p99 of 125,000 sorted values", |bencher| {
        bencher.iter(|| Figure::of(black_box(&pooled), 0.99, 0.95));
    });
    criterion.bench_function("contrast of 100 blocks of 1,250 values", |bencher| {
        bencher.iter(|| contrast(black_box(one), black_box(other), 0.5, 0.95));
    });
    let numbers: Vec<f64> = one.blocks().map(|block| block.p95.ln()).collect();
    criterion.bench_function("signed-rank interval of 100 numbers", |bencher| {
        bencher.iter(|| signed_rank_interval(black_box(&numbers), 0.95));
    });
}

fn write_run(path: &Path) {
    let variants: Vec<VariantRow> = (0..VARIANTS)
        .map(|variant| VariantRow {
            variant,
            scenario: "run".to_string(),
            label: format!("mechanism-{variant}"),
            role: Role::Subject,
            shape: "rss=1GiB".to_string(),
            mechanism: format!("mechanism-{variant}"),
            image: "noop".to_string(),
            workload: "spawn".to_string(),
            copies_pages: variant % 2 == 0,
            settings: format!("rss=1GiB;mechanism=mechanism-{variant}"),
        })
        .collect();
    let mut writer = Writer::create(path, &variants).expect("an empty directory");
    let mut noise = 1u64;
    for launch in 1..=LAUNCHES {
        for block in 1..=BLOCKS {
            let samples: Vec<SampleRow> = (0..SAMPLES / LAUNCHES / BLOCKS)
                .map(|index| sample(launch, block, index, &mut noise))
                .collect();
            let row = BlockRow {
                launch,
                block,
                kind: BlockKind::Time,
                coin: "3-0-2-1-4-7-6-5".to_string(),
                rounds: samples.len() as u32 / VARIANTS,
                started_ns: 1,
                wall_ns: 75_000_000,
                steal_ticks: Some(0),
            };
            let block =
                Block { row: &row, samples: &samples, readings: &[], histograms: &[], events: &[] };
            writer.block(block).expect("room for a block");
        }
    }
}

fn sample(launch: u32, block: u32, index: u32, noise: &mut u64) -> SampleRow {
    *noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let blocked = 50_000 + (*noise >> 48);
    SampleRow {
        launch,
        block,
        round: index / VARIANTS,
        turn: index % VARIANTS,
        pos: 3,
        phase: Phase::Measure,
        variant: index % VARIANTS,
        start_ns: 1_234_567_890_123 + u64::from(index) * 100_000,
        blocked_ns: Some(blocked),
        born_ns: Some(blocked / 2),
        image_ns: Some(blocked + 30_000),
        reaped_ns: Some(blocked + 60_000),
        rewrite_ns: None,
        blocked_cpu_ns: Some(blocked - 1_000),
        parent_cpu: Some(1),
        child_cpu: Some(1),
        status: 0,
    }
}

criterion_group!(benches, million_samples);
criterion_main!(benches);
