//! Small processes beside the subject: workers, fork servers, and spawners of their own.
//!
//! A helper is this program executed anew, so that it is small whatever the subject is: forked from
//! the subject it would have a gigabyte too. It is told what it is over a Unix socket, its standard
//! input, and serves requests that come there until its other end is closed. It dies with its
//! subject.
//!
//! Both sides stand here, since they speak one protocol: requests of two words, answers of one word
//! or more, in the byte order of the machine.
//!
//! # Safety
//!
//! Sends and receives with pointers to locals; owns the descriptors it is given.
#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::measure::image::MAILBOX;
use crate::measure::mechanism::brief::{Brief, Extras};
use crate::measure::mechanism::child::{Mailbox, Stage};
use crate::measure::mechanism::{self, Refusal, last_errno};
use crate::measure::subject;
use crate::measure::workload::throughput::batch::{Batch, Failed, Failure};
use crate::measure::workload::throughput::runner::{Direct, Runner, do_job, said};
use crate::measure::workload::throughput::{open_descriptors, process_and_children_cpu, zombies};
use crate::measure::workload::{Kit, target};
use crate::model::setup::Work;

/// What a helper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Does a job for each request.
    Worker,
    /// Makes a process for each request.
    Zygote,
    /// Makes a batch of processes for each request.
    Spawner,
}

/// What it is told at its start, as TOML with its length before it.
#[derive(Serialize, Deserialize)]
struct Orders {
    role: Role,
    /// The processors that it is to run on; empty: as it is.
    cpus: Vec<u32>,
    /// The path of the image `noop`.
    noop: String,
    /// The signal mask to start images with, in hexadecimal: TOML has no unsigned numbers.
    mask: String,
    work: Work,
}

/// A request: what is wanted, and of how many.
type Request = [u64; 2];

/// A job: answered by [`Answer`].
const JOB: u64 = 1;
/// A batch: answered by [`PART`] words and the length of each job that was done.
const BATCH: u64 = 2;
/// What the helper has used: answered by three words, [`Usage`].
const USAGE: u64 = 3;

/// How a job went: the errno, the stage and the wait status; all 0 if well.
type Answer = [u64; 3];

/// Words of an answer about a batch: how many were done, how many failed by reason, when it ended,
/// and the first failure as an [`Answer`].
const PART: usize = 8;

/// What helpers have used, and what they have left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// CPU time since the start, with that of children, in nanoseconds.
    pub(super) cpu_ns: u64,
    /// Children that had ended and that nobody had waited for.
    pub(super) zombies: u64,
    /// Open descriptors.
    pub(super) descriptors: u64,
}

/// What a spawner says of its part of a batch, beside the lengths of the jobs.
pub(super) struct Part {
    pub(super) failed: Failed,
    pub(super) first: Option<Failure>,
    /// When its last job had ended.
    pub(super) end_ns: u64,
}

/// The processes of all helpers.
static ALL: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// Whether a process is a helper.
pub(super) fn is_one(pid: i32) -> bool {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).contains(&pid)
}

/// A helper, as the subject holds it.
pub(super) struct Helper {
    socket: UnixStream,
    pid: i32,
    /// How it ended.
    gone: Option<i32>,
}

impl Helper {
    /// Starts one, and waits until it is ready.
    pub(super) fn start(role: Role, kit: &Kit<'_>, cpus: &[u32]) -> Result<Helper, Refusal> {
        let refuse = |error: io::Error| {
            Refusal::of(&error, format!("a helper could not be started ({role:?})"))
        };
        let (socket, theirs) = UnixStream::pair().map_err(refuse)?;
        let child = Command::new("/proc/self/exe")
            .arg0("forkbench")
            .arg("__helper")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(refuse)?;
        let pid = child.id() as i32;
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
        let mut helper = Helper { socket, pid, gone: None };
        let orders = Orders {
            role,
            cpus: cpus.to_vec(),
            noop: kit.job.noop.clone(),
            mask: format!("{:x}", kit.mask),
            work: kit.work.clone(),
        };
        let text = toml::to_string(&orders).expect("orders are plain data");
        let told =
            helper.send(&[text.len() as u64]).and_then(|()| helper.send_bytes(text.as_bytes()));
        let ready = told.and_then(|()| helper.receive::<1>());
        match ready {
            Ok([0]) => Ok(helper),
            Ok([errno]) => Err(refuse(io::Error::from_raw_os_error(errno as i32))),
            Err(_) => Err(refuse(io::Error::from_raw_os_error(libc::EPIPE))),
        }
    }

    /// What to wait on for an answer.
    pub(super) fn descriptor(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// Whether it has died.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Asks for a job.
    pub(super) fn ask(&mut self) -> Result<(), Failure> {
        self.send(&[JOB, 1])
    }

    /// Asks for a job, and passes a descriptor along.
    pub(super) fn ask_with(&mut self, descriptor: i32) -> Result<(), Failure> {
        let request: Request = [JOB, 1];
        let mut control = Control::new();
        // SAFETY: message, request and control data live through the call; the control data has
        // room for a header and one descriptor.
        let sent = unsafe {
            let mut part = libc::iovec {
                iov_base: request.as_ptr().cast_mut().cast(),
                iov_len: size_of_val(&request),
            };
            let mut message: libc::msghdr = mem::zeroed();
            message.msg_iov = &mut part;
            message.msg_iovlen = 1;
            message.msg_control = (&raw mut control).cast();
            message.msg_controllen = Control::BYTES as _;
            let header = libc::CMSG_FIRSTHDR(&message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<i32>() as u32) as _;
            libc::CMSG_DATA(header).cast::<i32>().write_unaligned(descriptor);
            libc::sendmsg(self.descriptor(), &message, libc::MSG_NOSIGNAL)
        };
        if sent == size_of_val(&request) as isize { Ok(()) } else { Err(self.trouble(sent)) }
    }

    /// Waits for the answer to a job.
    pub(super) fn answer(&mut self) -> Result<(), Failure> {
        let answer = self.receive::<3>()?;
        failure(answer).map_or(Ok(()), Err)
    }

    /// Asks for a batch.
    pub(super) fn ask_for(&mut self, jobs: u32) -> Result<(), Failure> {
        self.send(&[BATCH, u64::from(jobs)])
    }

    /// Waits for the answer to a batch, and fills `lengths`, no further than there is room.
    pub(super) fn answer_of(&mut self, lengths: &mut Vec<u64>) -> Result<Part, Failure> {
        let [done, eagain, emfile, other, end_ns, first @ ..] = self.receive::<PART>()?;
        lengths.clear();
        for _ in 0..done {
            let [length] = self.receive()?;
            if lengths.len() < lengths.capacity() {
                lengths.push(length);
            }
        }
        Ok(Part { failed: Failed { eagain, emfile, other }, first: failure(first), end_ns })
    }

    /// Asks what it has used.
    pub(super) fn usage(&mut self) -> Result<Usage, Failure> {
        self.send(&[USAGE, 0])?;
        let [cpu_ns, zombies, descriptors] = self.receive()?;
        Ok(Usage { cpu_ns, zombies, descriptors })
    }

    fn send(&mut self, words: &[u64]) -> Result<(), Failure> {
        // SAFETY: words are plain bytes.
        let bytes =
            unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) };
        self.send_bytes(bytes)
    }

    fn send_bytes(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            // SAFETY: the bytes live through the call.
            let sent = unsafe {
                let at = bytes.as_ptr().cast();
                libc::send(self.descriptor(), at, bytes.len(), libc::MSG_NOSIGNAL)
            };
            if sent <= 0 {
                return Err(self.trouble(sent));
            }
            bytes = &bytes[sent as usize..];
        }
        Ok(())
    }

    fn receive<const WORDS: usize>(&mut self) -> Result<[u64; WORDS], Failure> {
        let mut words = [0; WORDS];
        match receive(&self.socket, &mut words) {
            Ok(true) => Ok(words),
            Ok(false) => Err(self.trouble(0)),
            Err(_) => Err(self.trouble(-1)),
        }
    }

    /// What a failed exchange means: as a rule that the helper is dead. It is waited for, so that
    /// it can be told how it died.
    fn trouble(&mut self, result: isize) -> Failure {
        let errno = match result {
            0 => libc::EPIPE,
            _ => io::Error::last_os_error().raw_os_error().unwrap_or(libc::EPIPE),
        };
        if errno != libc::EPIPE && errno != libc::ECONNRESET {
            return Failure::of(errno, Stage::Helper);
        }
        let status = *self.gone.get_or_insert_with(|| {
            let mut status = 0;
            // SAFETY: a child of this process; the status lives through the call.
            unsafe { libc::waitpid(self.pid, &mut status, 0) };
            status
        });
        Failure { errno: 0, stage: Stage::Helper, pid: self.pid, status, lost: true }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if self.gone.is_none() {
            // It ends when the socket is closed: now, since nothing is under way.
            let _ = self.socket.shutdown(std::net::Shutdown::Both);
            // SAFETY: a child of this process, waited for once.
            unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) };
        }
        ALL.lock().unwrap_or_else(PoisonError::into_inner).retain(|pid| *pid != self.pid);
    }
}

/// Room for a header and one descriptor, aligned as the header wants it.
#[repr(C, align(8))]
struct Control([u8; 32]);

impl Control {
    // SAFETY: arithmetic only.
    const BYTES: usize = unsafe { libc::CMSG_SPACE(size_of::<i32>() as u32) } as usize;

    fn new() -> Control {
        const { assert!(Control::BYTES <= size_of::<Control>()) };
        Control([0; 32])
    }
}

/// Fills words from a stream; false: it has ended.
fn receive(mut from: impl Read, words: &mut [u64]) -> io::Result<bool> {
    // SAFETY: words are plain bytes, all values of which are valid.
    let bytes = unsafe {
        std::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), size_of_val(words))
    };
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn failure([errno, stage, status]: Answer) -> Option<Failure> {
    let stage = Stage::from_number(stage as i32)?;
    let status = status as i32;
    Some(Failure { errno: errno as i32, stage, pid: 0, status, lost: false })
}

fn answer(result: Result<(), Failure>) -> Answer {
    result.err().map_or([0; 3], |failure| {
        [failure.errno as u64, failure.stage as u64, failure.status as u64]
    })
}

/// The process `forkbench __helper`.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One write, so that lines of several processes cannot mix.
            let _ = io::stderr().write_all(format!("helper: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// What a helper does its work with.
enum Tool {
    Function,
    Spawner(Direct, Box<Batch>),
}

fn serve() -> io::Result<()> {
    // Descriptor 0 is made what it is in a subject, so that images find the same.
    // SAFETY: a new descriptor, owned by nobody else, or -1.
    let mut socket = unsafe {
        let socket = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, MAILBOX + 1);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        UnixStream::from_raw_fd(socket)
    };
    let mut length = [0];
    receive(&socket, &mut length)?;
    let mut text = vec![0; length[0] as usize];
    socket.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    let orders: Orders = toml::from_str(&text).map_err(io::Error::other)?;
    subject::quieten()?;
    let mut tool = match orders.role {
        Role::Worker => Tool::Function,
        Role::Zygote | Role::Spawner => {
            let direct = direct(&orders)?;
            Tool::Spawner(direct, Box::new(Batch::new(orders.work.jobs as usize, 1)))
        }
    };
    subject::pin(&orders.cpus)?;
    send(&socket, &[0])?;
    loop {
        let (request, descriptor) = match next(&socket)? {
            Some(request) => request,
            None => return Ok(()),
        };
        match (request[0], &mut tool) {
            (USAGE, _) => {
                send(&socket, &[process_and_children_cpu(), zombies(), open_descriptors()])?;
            }
            (JOB, Tool::Function) => send(&socket, &answer(said(do_job())))?,
            (JOB, Tool::Spawner(direct, _)) => {
                let result = spawn_with(direct, descriptor);
                send(&socket, &answer(result))?;
            }
            (BATCH, Tool::Spawner(direct, batch)) => {
                batch.closed(direct, request[1] as u32);
                let failed = batch.all_failed();
                let [errno, stage, status] = answer(batch.first_failure().map_or(Ok(()), Err));
                let part: [u64; PART] = [
                    batch.done(),
                    failed.eagain,
                    failed.emfile,
                    failed.other,
                    batch.end_ns(),
                    errno,
                    stage,
                    status,
                ];
                send(&socket, &part)?;
                send(&socket, batch.services())?;
            }
            _ => return Err(io::Error::other("a request that this helper cannot serve")),
        }
    }
}

fn direct(orders: &Orders) -> io::Result<Direct> {
    let other = |refusal: Refusal| io::Error::other(refusal.to_string());
    let mailbox: &'static Mailbox = subject::map_mailbox()?;
    let mask = u64::from_str_radix(&orders.mask, 16).map_err(io::Error::other)?;
    let target = target(&orders.work.image, &orders.noop).map_err(other)?;
    let brief = Brief::new(target, &Extras::default(), mailbox, mask).map_err(other)?;
    let mechanism = mechanism::find(&orders.work.mechanism)
        .ok_or_else(|| io::Error::other("there is no such mechanism"))?;
    Ok(Direct::new((mechanism.prepare)(brief).map_err(other)?, mailbox))
}

/// Makes a process whose mailbox is the descriptor that came with the request, and waits for it.
fn spawn_with(direct: &mut Direct, descriptor: Result<OwnedFd, i32>) -> Result<(), Failure> {
    let descriptor = descriptor.map_err(|errno| Failure::of(errno, Stage::Birth))?;
    // SAFETY: both are descriptors of this process, and the second is nobody's.
    if unsafe { libc::dup2(descriptor.as_raw_fd(), MAILBOX) } < 0 {
        return Err(Failure::of(last_errno(), Stage::Birth));
    }
    drop(descriptor);
    direct.begin(0)?;
    direct.end(None).map_or(Ok(()), |ended| ended.result)
}

/// The next request, and the descriptor that came with it or why there is none; None: there will be
/// no more.
fn next(socket: &UnixStream) -> io::Result<Option<(Request, Result<OwnedFd, i32>)>> {
    let mut request: Request = [0; 2];
    let mut control = Control::new();
    // SAFETY: message, request and control data live through the call. A descriptor that came is
    // new and owned by nobody else.
    let (received, descriptor) = unsafe {
        let mut part =
            libc::iovec { iov_base: request.as_mut_ptr().cast(), iov_len: size_of_val(&request) };
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = size_of::<Control>() as _;
        let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_WAITALL;
        let received = libc::recvmsg(socket.as_raw_fd(), &mut message, flags);
        let header = if received > 0 { libc::CMSG_FIRSTHDR(&message) } else { ptr::null_mut() };
        let descriptor = if !header.is_null() && (*header).cmsg_type == libc::SCM_RIGHTS {
            let number = libc::CMSG_DATA(header).cast::<i32>().read_unaligned();
            Ok(OwnedFd::from_raw_fd(number))
        } else {
            // What does not fit into the table of descriptors is cut off (unix(7)).
            Err(libc::EMFILE)
        };
        (received, descriptor)
    };
    match received {
        0 => Ok(None),
        whole if whole == size_of_val(&request) as isize => Ok(Some((request, descriptor))),
        _ => Err(io::Error::last_os_error()),
    }
}

fn send(mut to: &UnixStream, words: &[u64]) -> io::Result<()> {
    // SAFETY: words are plain bytes.
    let bytes =
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) };
    to.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_with_its_descriptor_or_without() {
        let (socket, theirs) = UnixStream::pair().unwrap();
        let mut helper = Helper { socket, pid: 0, gone: Some(0) };
        helper.ask().unwrap();
        let (request, descriptor) = next(&theirs).unwrap().unwrap();
        assert_eq!((request, descriptor.unwrap_err()), ([JOB, 1], libc::EMFILE));
        helper.ask_with(0).unwrap();
        let (request, descriptor) = next(&theirs).unwrap().unwrap();
        assert_eq!(request, [JOB, 1]);
        assert!(descriptor.unwrap().as_raw_fd() > 2);
        send(&theirs, &answer(Err(Failure::of(libc::EAGAIN, Stage::Birth)))).unwrap();
        assert_eq!(helper.answer(), Err(Failure::of(libc::EAGAIN, Stage::Birth)));
        send(&theirs, &answer(Ok(()))).unwrap();
        assert_eq!(helper.answer(), Ok(()));
        drop(theirs);
        let failure = helper.answer().unwrap_err();
        assert!(failure.lost && failure.stage == Stage::Helper, "{failure:?}");
        assert!(helper.ask().unwrap_err().lost);
    }
}
