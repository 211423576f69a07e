//! Pipelines: `a | b | c`, and `a > file`, as a shell makes them.
//!
//! A sample makes the pipes and the stages one after the other, reads what comes out of the last
//! pipe until its end of file, and waits for all stages. Pipes are close-on-exec and a stage gets
//! its two ends by dup2 in the gap. Which numbers the kernel will give to the pipes is learnt once,
//! before the first block: what a child is ordered to do has to be complete before its birth.
//!
//! With `pipe-ends=leaked` all pipes are made first and are not close-on-exec: the classical
//! mistake. Every stage then holds a write end of the pipe that it reads, and waits for ever for an
//! end of file. That is looked for in /proc, told as an event, and ended.
//!
//! # Safety
//!
//! System calls with buffers of its own, on descriptors that it has made itself.
#![allow(unsafe_code)]

mod threads;

use std::ffi::{CStr, CString};

use crate::measure::clock;
use crate::measure::counters::Counting;
use crate::measure::image;
use crate::measure::mechanism::brief::{Extras, Target};
use crate::measure::mechanism::child::Stage;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner, last_errno};
use crate::measure::pipes;
use crate::measure::reading;
use crate::measure::workload::pipeline::threads::Threads;
use crate::measure::workload::{Frames, Ground, Kit, Notes, Taken, Task, Workload};
use crate::model::action::Action;
use crate::model::row::Scope;
use crate::model::setup::{self, Image, PipeEnds, Shape, Sink, Work};

/// The row of it.
pub(super) static PIPELINE: Workload = Workload {
    workload: setup::Workload::Pipeline,
    can,
    // Without a process there is no pipeline: the control takes its stamps around nothing.
    control: |work| Work {
        mechanism: work.mechanism,
        rewrite: work.rewrite,
        between: work.between,
        ..Work::default()
    },
    // What it notes, below.
    frames: |_| Frames { sample: 4, block: 0 },
    taints: |_| false,
    whole: false,
    prepare: |kit| {
        Ok(match kit.mechanism.memory {
            Memory::Same => Box::new(Threads::new(kit)),
            _ => Box::new(Pipeline::new(kit)?),
        })
    },
};

/// The end of file of a pipeline whose ends were leaked is waited for so long, in milliseconds:
/// stages that were going to end have done so a thousand times over.
const EOF_WAIT_MS: i32 = 100;

fn can(_: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: &str| Err(Refusal { errno: 0, reason: reason.to_owned() });
    if !work.image.execs() {
        return refuse("a stage of a pipeline is a program: workload=pipeline has no image=exit");
    }
    if work.image == Image::Dynamic {
        return refuse(
            "the image `dynamic` copies nothing: use image=noop, which stands for the \
                       shipped stage here, or a program such as /bin/cat",
        );
    }
    match mechanism.memory {
        Memory::Nothing => return refuse("without a process there is no pipeline"),
        Memory::Same if work.sink == Sink::File || work.pipe_ends == PipeEnds::Leaked => {
            return refuse(
                "threads have channels, not pipes: sink=file and pipe-ends=leaked are \
                           for processes",
            );
        }
        Memory::Same if work.image != Image::Noop => {
            return refuse("threads execute no image: leave `image` out");
        }
        _ => {}
    }
    if work.pipe_ends == PipeEnds::Leaked {
        if work.sink == Sink::File || work.stages < 2 {
            return refuse(
                "pipe-ends=leaked needs a reader that waits for an end of file: \
                           sink=pipe and stages of 2 or more",
            );
        }
        if mechanism.gap == Gap::Theirs && mechanism.name != "posix_spawn" {
            return refuse("pipe-ends=leaked is shown with fork, vfork, clone3 and posix_spawn");
        }
    }
    Ok(())
}

/// The readings of a pipeline.
#[derive(Clone, Copy, Debug)]
struct Readings {
    first_byte: u32,
    through: u32,
    bytes: u32,
    eof_missing: u32,
}

impl Readings {
    fn new() -> Readings {
        Readings {
            first_byte: reading::number("first_byte_ns"),
            through: reading::number("through_ns"),
            bytes: reading::number("through_bytes"),
            eof_missing: reading::number("eof_missing"),
        }
    }
}

impl Readings {
    /// Notes what came out of a pipeline that began at `start` and went well.
    fn note(self, output: Output, start: u64, notes: &mut Notes) {
        notes.add(self.bytes, Scope::Both, output.bytes);
        if output.first_ns > 0 {
            notes.add(self.first_byte, Scope::Both, output.first_ns - start);
            notes.add(self.through, Scope::Both, output.end_ns - output.first_ns);
        }
    }
}

/// What came out at the end of a pipeline.
#[derive(Clone, Copy, Debug, Default)]
struct Output {
    bytes: u64,
    /// CLOCK_MONOTONIC when the first byte was there, and when the end of file was; 0: never.
    first_ns: u64,
    end_ns: u64,
}

/// The stages made ready for the numbers that their pipes will have.
struct Set {
    stages: Vec<Box<dyn Spawner>>,
    expected: Vec<[i32; 2]>,
}

struct Pipeline {
    /// Those of timed blocks, and those of counting blocks: the counters' descriptors come first
    /// there.
    sets: [Set; 2],
    /// Which of them is good in this turn.
    set: usize,
    /// What their births have returned, in a sample.
    children: Vec<isize>,
    /// The pipes of a sample: read and write end.
    pipes: Vec<[i32; 2]>,
    leaked: bool,
    bytes: u64,
    /// Where the last stage writes to; none: into the last pipe.
    file: Option<CString>,
    buffer: Vec<u8>,
    readings: Readings,
}

impl Pipeline {
    fn new(kit: &Kit<'_>) -> Result<Pipeline, Refusal> {
        let Work { stages, sink, pipe_ends, pipe_bytes, .. } = *kit.work;
        let leaked = pipe_ends == PipeEnds::Leaked;
        let count = stages as usize;
        let pipes = if sink == Sink::Pipe { count } else { count - 1 };
        let learn = || numbers(pipes, leaked, kit.mechanism.leaves_descriptor());
        let timed = learn()?;
        let counted = {
            let _counters = Counting::open();
            learn()?
        };
        let file = (sink == Sink::File).then(|| kit.beside("sink")).transpose()?;
        Ok(Pipeline {
            sets: [
                Set::new(kit, timed, file.as_deref())?,
                Set::new(kit, counted, file.as_deref())?,
            ],
            set: 0,
            children: Vec::with_capacity(count),
            pipes: Vec::with_capacity(count),
            leaked,
            bytes: pipe_bytes.bytes(),
            file,
            buffer: vec![0; image::stage::CHUNK],
            readings: Readings::new(),
        })
    }

    /// Makes the next pipe.
    fn pipe(&mut self) -> Result<(), (i32, Stage)> {
        let pipe = make_pipe(self.leaked).map_err(|errno| (errno, Stage::Pipe))?;
        let expected = self.sets[self.set].expected[self.pipes.len()];
        self.pipes.push(pipe);
        // Somebody else has opened or closed a descriptor: the children would get others.
        if pipe == expected { Ok(()) } else { Err((libc::EBADF, Stage::Pipe)) }
    }

    /// Makes pipes and stages. On failure some of both are there.
    fn spawn(&mut self) -> Result<(), (i32, Stage)> {
        let pipes = self.sets[self.set].expected.len();
        if self.leaked {
            while self.pipes.len() < pipes {
                self.pipe()?;
            }
        }
        for stage in 0..self.sets[self.set].stages.len() {
            if !self.leaked && stage < pipes {
                self.pipe()?;
            }
            let child = self.sets[self.set].stages[stage].birth();
            if child < 0 {
                return Err((-child as i32, Stage::Birth));
            }
            self.children.push(child);
            if !self.leaked {
                if stage > 0 {
                    close(&mut self.pipes[stage - 1][0]);
                }
                if let Some(pipe) = self.pipes.get_mut(stage) {
                    close(&mut pipe[1]);
                }
            }
        }
        // All but the end at which the parent reads.
        let ours = (self.file.is_none()).then(|| self.pipes.len() - 1);
        for (number, pipe) in self.pipes.iter_mut().enumerate() {
            close(&mut pipe[1]);
            if Some(number) != ours {
                close(&mut pipe[0]);
            }
        }
        Ok(())
    }

    /// Reads what comes out until its end of file.
    fn drain(&mut self) -> Result<Output, (i32, Stage)> {
        let mut output = Output::default();
        let Some(&[end, _]) = self.pipes.last().filter(|_| self.file.is_none()) else {
            return Ok(output);
        };
        loop {
            if self.leaked && !is_readable(end) {
                return Ok(output);
            }
            // SAFETY: reads into a buffer of that length.
            let read =
                unsafe { libc::read(end, self.buffer.as_mut_ptr().cast(), self.buffer.len()) };
            match read {
                0 => {
                    output.end_ns = clock::now();
                    return Ok(output);
                }
                1.. => {
                    if output.bytes == 0 {
                        output.first_ns = clock::now();
                    }
                    output.bytes += read as u64;
                }
                _ => match last_errno() {
                    libc::EINTR => {}
                    errno => return Err((errno, Stage::Pipe)),
                },
            }
        }
    }

    /// Waits for every stage; the first status that is not 0.
    fn reap(&mut self) -> Result<i32, i32> {
        let mut result = Ok(0);
        let stages = &mut self.sets[self.set].stages;
        for (spawner, child) in stages.iter_mut().zip(self.children.drain(..)) {
            let reaped = spawner.reap(child, None);
            if result == Ok(0) {
                result = reaped;
            }
        }
        result
    }

    fn close_all(&mut self) {
        for pipe in &mut self.pipes {
            pipe.iter_mut().for_each(close);
        }
        self.pipes.clear();
    }

    /// Whether the file at the end holds what the source wrote.
    fn is_written(&self) -> bool {
        let Some(path) = &self.file else { return true };
        // SAFETY: a stat may be all zeroes; path and stat live through the call.
        unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            libc::stat(path.as_ptr(), &mut stat) == 0 && stat.st_size as u64 == self.bytes
        }
    }
}

impl Task for Pipeline {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        let lowest = lowest_free();
        let fits = |set: &Set| set.expected.first().is_none_or(|pipe| pipe[0] == lowest);
        self.set = self.sets.iter().position(fits).unwrap_or(0);
        self.sets[self.set].stages.iter_mut().for_each(|stage| stage.begin_turn());
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        if self.leaked && ground.settling {
            // A wait for what never comes settles nothing.
            return Taken { start_ns: clock::now(), ..Taken::default() };
        }
        ground.count();
        let cpu_begin = clock::thread_cpu();
        let start = clock::now();
        let spawned = self.spawn();
        let returned = clock::now();
        let output = spawned.and_then(|()| self.drain());
        // Before the stages are waited for: a failure may have left some that wait for an end of
        // file, or for a reader.
        let hung = output.is_ok_and(|output| self.file.is_none() && output.end_ns == 0);
        let proof = if hung { pipes::examine(&self.children) } else { None };
        if output.is_err() || hung {
            pipes::kill(&self.children);
        }
        if output.is_err() || self.leaked {
            self.close_all();
        }
        let reaped = self.reap();
        let end = clock::now();
        let cpu = clock::thread_cpu() - cpu_begin;

        self.close_all();
        ground.counted(None, reading::WORK);
        self.sets[self.set].stages.iter_mut().for_each(|stage| stage.tidy());
        let mut taken = Taken {
            start_ns: start,
            blocked_ns: Some(returned - start),
            reaped_ns: Some(end - start),
            cpu_ns: cpu,
            status: reaped.unwrap_or(0),
            ..Taken::default()
        };
        taken.failure = match output {
            Err(failure) => Some(failure),
            Ok(_) if hung => {
                taken.child = proof.as_ref().map_or(0, |proof| proof.pid as isize);
                Some((proof.map_or(0, |proof| proof.descriptor), Stage::EndOfFile))
            }
            Ok(output) => self.judge(output, reaped, ground),
        };
        if let (Ok(mut output), None) = (output, taken.failure) {
            if self.file.is_some() {
                output.bytes = self.bytes;
            }
            self.readings.note(output, start, ground.notes);
        }
        ground.notes.add(self.readings.eof_missing, Scope::Both, u64::from(hung));
        taken
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        self.sets[self.set].stages.iter_mut().for_each(|stage| stage.end_turn());
    }
}

impl Set {
    fn new(kit: &Kit<'_>, expected: Vec<[i32; 2]>, file: Option<&CStr>) -> Result<Set, Refusal> {
        let shipped = kit.beside(image::STAGE)?;
        let mut stages = Vec::with_capacity(kit.work.stages as usize);
        for stage in 0..kit.work.stages as usize {
            let target = match &kit.work.image {
                Image::Command(_) if stage > 0 => kit.target()?,
                _ => {
                    let mut arguments = vec![c"stage".to_owned()];
                    if stage == 0 {
                        let bytes = CString::new(kit.work.pipe_bytes.bytes().to_string());
                        arguments.push(bytes.expect("digits hold no NUL"));
                    }
                    Target::Exec(shipped.clone(), arguments)
                }
            };
            let mut actions = Vec::new();
            if stage > 0 {
                actions.push(Action::Dup2 { from: expected[stage - 1][0], to: 0 });
            }
            match (expected.get(stage), file) {
                (Some(pipe), _) => actions.push(Action::Dup2 { from: pipe[1], to: 1 }),
                (None, Some(path)) => actions.push(Action::Open {
                    path: path.to_owned(),
                    flags: libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
                    mode: 0o644,
                    to: 1,
                }),
                (None, None) => {}
            }
            // A stage that shares the memory has executed its image before the next is born.
            let extras = Extras { actions, alone: true, ..kit.extras()? };
            stages.push(kit.spawner_for(target, extras)?);
        }
        Ok(Set { stages, expected })
    }
}

impl Pipeline {
    /// What went wrong with a pipeline that came to its end.
    fn judge(
        &self,
        output: Output,
        reaped: Result<i32, i32>,
        ground: &Ground<'_>,
    ) -> Option<(i32, Stage)> {
        let told = ground.mailbox.read().failure;
        match reaped {
            Err(errno) => Some((errno, Stage::Reap)),
            Ok(_) if told.is_some() => told,
            Ok(status) if status != 0 => Some((0, Stage::Status)),
            Ok(_) if self.file.is_none() && output.bytes != self.bytes => {
                Some((libc::EPIPE, Stage::Pipe))
            }
            Ok(_) if !self.is_written() => Some((libc::EIO, Stage::Pipe)),
            Ok(_) => None,
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            // SAFETY: a path of ours; that it is not there is no matter.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
}

/// The lowest number that a descriptor would get now.
fn lowest_free() -> i32 {
    // SAFETY: a duplicate of standard input, which is always open, closed at once.
    let mut descriptor = unsafe { libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 0) };
    let number = descriptor;
    close(&mut descriptor);
    number
}

/// The numbers that so many pipes will have: the lowest that are free at each moment. `dummies`:
/// the mechanism leaves a descriptor with each birth, which takes a number too.
fn numbers(pipes: usize, leaked: bool, dummies: bool) -> Result<Vec<[i32; 2]>, Refusal> {
    let mut numbers: Vec<[i32; 2]> = Vec::with_capacity(pipes);
    let mut open = Vec::new();
    let mut refused = None;
    let mut before: Option<i32> = None;
    for _ in 0..pipes {
        match make_pipe(leaked) {
            Ok(pipe) => numbers.push(pipe),
            Err(errno) => {
                refused = Some(errno);
                break;
            }
        }
        let [read, mut write] = numbers[numbers.len() - 1];
        if dummies {
            // SAFETY: a duplicate of standard input, which is always open.
            open.push(unsafe { libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 0) });
        }
        if leaked {
            open.extend([read, write]);
        } else {
            before.iter_mut().for_each(close);
            close(&mut write);
            before = Some(read);
        }
    }
    before.iter_mut().for_each(close);
    open.iter_mut().for_each(close);
    match refused {
        None => Ok(numbers),
        Some(errno) => Err(Refusal {
            errno,
            reason: format!("cannot make {pipes} pipes: raise the limit of open files"),
        }),
    }
}

fn make_pipe(inherited: bool) -> Result<[i32; 2], i32> {
    let mut pipe = [-1; 2];
    let flags = if inherited { 0 } else { libc::O_CLOEXEC };
    // SAFETY: fills in an array of two.
    match unsafe { libc::pipe2(pipe.as_mut_ptr(), flags) } {
        0 => Ok(pipe),
        _ => Err(last_errno()),
    }
}

/// Closes a descriptor once.
fn close(descriptor: &mut i32) {
    if *descriptor >= 0 {
        // SAFETY: a descriptor that was made here and is used by nobody else.
        unsafe { libc::close(*descriptor) };
        *descriptor = -1;
    }
}

/// Whether something, be it the end of file, is to be read within [`EOF_WAIT_MS`].
fn is_readable(descriptor: i32) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry that lives through the call.
    unsafe { libc::poll(&mut poll, 1, EOF_WAIT_MS) > 0 }
}
