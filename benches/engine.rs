//! What the tool itself costs around a spawn: a clock read, a frame on the tape, the order of a
//! block. The engine as a whole is not measured here: that is what `forkbench run` does.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use forkbench::measure::clock;
use forkbench::measure::tape::{Frame, Sample, Tape};
use forkbench::model::order::Order;

const CAPACITY: u64 = 4096;

fn clocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clock");
    group.bench_function("monotonic", |bencher| bencher.iter(clock::now));
    group.bench_function("thread CPU time", |bencher| bencher.iter(clock::thread_cpu));
    group.finish();
}

fn tape(criterion: &mut Criterion) {
    let (tape, _descriptor) = Tape::create(1, CAPACITY).expect("a tape");
    let mut group = criterion.benchmark_group("tape");
    group.throughput(Throughput::Elements(1));
    group.bench_function("commit a frame", |bencher| {
        bencher.iter_custom(|frames| {
            // The tape is emptied outside the stamps.
            let mut total = Duration::ZERO;
            for pushed in laps(frames) {
                let start = Instant::now();
                fill(&tape, pushed);
                total += start.elapsed();
                assert_eq!(tape.take().len() as u64, pushed);
            }
            total
        });
    });
    group.bench_function("take a frame", |bencher| {
        bencher.iter_custom(|frames| {
            let mut total = Duration::ZERO;
            for taken in laps(frames) {
                fill(&tape, taken);
                let start = Instant::now();
                let frames = black_box(tape.take());
                total += start.elapsed();
                assert_eq!(frames.len() as u64, taken);
            }
            total
        });
    });
    group.finish();
}

/// So many frames, in laps that fit on the tape.
fn laps(frames: u64) -> impl Iterator<Item = u64> {
    (0..frames.div_ceil(CAPACITY)).map(move |lap| CAPACITY.min(frames - lap * CAPACITY))
}

fn fill(tape: &Tape, frames: u64) {
    for start_ns in 0..frames {
        let sample = Sample { start_ns, blocked_ns: Some(90_000), ..Sample::default() };
        tape.push(0, black_box(Frame::Sample(sample))).expect("room on the tape");
    }
}

fn orders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("order of a block of 100 rounds");
    for variants in [2, 7, 16] {
        group.bench_with_input(BenchmarkId::from_parameter(variants), &variants, |bencher, &n| {
            let mut block = 0;
            bencher.iter(|| {
                block += 1;
                Order::of_block(black_box(1), 1, block, n, 100)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, clocks, tape, orders);
criterion_main!(benches);
