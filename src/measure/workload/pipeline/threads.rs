//! The same pipeline of threads and channels: what a program does that needs no other programs.
//!
//! A channel holds one chunk of as many bytes as a pipe holds, and chunks are moved, not copied:
//! that is what channels are for. Threads and chunks are allocated in the sample, as a program that
//! uses them would.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::measure::clock;
use crate::measure::image::stage::CHUNK;
use crate::measure::mechanism::child::Stage;
use crate::measure::reading;
use crate::measure::workload::pipeline::{Output, Readings};
use crate::measure::workload::{Ground, Kit, Taken, Task};

/// What comes out of the last stage, and the threads.
type Running = (Receiver<Vec<u8>>, Vec<JoinHandle<()>>);

pub(super) struct Threads {
    stages: u32,
    bytes: u64,
    readings: Readings,
}

impl Threads {
    pub(super) fn new(kit: &Kit<'_>) -> Threads {
        Threads {
            stages: kit.work.stages,
            bytes: kit.work.pipe_bytes.bytes(),
            readings: Readings::new(),
        }
    }

    /// Starts every stage.
    fn spawn(&self) -> Result<Running, i32> {
        let mut threads = Vec::with_capacity(self.stages as usize);
        let (to, mut from) = sync_channel(1);
        let bytes = self.bytes;
        threads.push(start(move || write(bytes, &to))?);
        for _ in 1..self.stages {
            let (to, next) = sync_channel(1);
            let input = std::mem::replace(&mut from, next);
            threads.push(start(move || copy(&input, &to))?);
        }
        Ok((from, threads))
    }
}

/// Threads that are not joined after a failure end as soon as their neighbours have.
fn start(stage: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, i32> {
    let started = thread::Builder::new().spawn(stage);
    started.map_err(|error| error.raw_os_error().unwrap_or(libc::EAGAIN))
}

fn write(mut bytes: u64, to: &SyncSender<Vec<u8>>) {
    while bytes > 0 {
        let chunk = bytes.min(CHUNK as u64);
        if to.send(vec![0; chunk as usize]).is_err() {
            return;
        }
        bytes -= chunk;
    }
}

fn copy(from: &Receiver<Vec<u8>>, to: &SyncSender<Vec<u8>>) {
    while let Ok(chunk) = from.recv() {
        if to.send(chunk).is_err() {
            return;
        }
    }
}

impl Task for Threads {
    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        ground.count();
        let cpu_begin = clock::thread_cpu();
        let start = clock::now();
        let spawned = self.spawn();
        let returned = clock::now();
        let mut output = Output::default();
        let mut failure = None;
        match spawned {
            Ok((from, threads)) => {
                while let Ok(chunk) = from.recv() {
                    if output.bytes == 0 {
                        output.first_ns = clock::now();
                    }
                    output.bytes += chunk.len() as u64;
                }
                output.end_ns = clock::now();
                for thread in threads {
                    if thread.join().is_err() {
                        failure = Some((0, Stage::Status));
                    }
                }
            }
            Err(errno) => failure = Some((errno, Stage::Birth)),
        }
        let end = clock::now();
        let cpu = clock::thread_cpu() - cpu_begin;
        ground.counted(None, reading::WORK);
        if failure.is_none() && output.bytes != self.bytes {
            failure = Some((libc::EPIPE, Stage::Pipe));
        }
        if failure.is_none() {
            self.readings.note(output, start, ground.notes);
        }
        Taken {
            start_ns: start,
            blocked_ns: Some(returned - start),
            reaped_ns: Some(end - start),
            cpu_ns: cpu,
            failure,
            ..Taken::default()
        }
    }
}
