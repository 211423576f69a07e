//! The registry of knobs: everything in which two setups can differ.
//!
//! Flags, TOML keys, labels, axes, `forkbench list knobs` and `forkbench explain` walk this table.
//! A new knob is a field in [`crate::model::setup`] and a row here.

use std::time::Duration;

use crate::model::hazard;
use crate::model::setup::{
    self, Advice, Between, Busy, ChildCpu, ChildState, Contents, Dispatch, FdLayout, Image, Load,
    MemoryKind, PipeEnds, Rewrite, Setup, Sink, SpawnerKind, TouchOrder, VmaContents, Workload,
    Writer, Written,
};
use crate::model::units::{self, Size, UnitError};

/// The page in whose multiples sizes are given. Where the base page is larger, the subject refuses
/// what is not a multiple of that.
pub const PAGE: Size = Size::from_bytes(4096);

/// What a knob turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What the parent looks like.
    Shape,
    /// How the subject is started.
    Start,
    /// What a turn does.
    Work,
}

/// One thing in which setups can differ.
#[derive(Debug)]
pub struct Knob {
    /// Its name: the flag without its dashes, and the key in a scenario.
    pub name: &'static str,
    /// What it turns.
    pub group: Group,
    /// The name of its value in help texts.
    pub value: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What it does, in full: `forkbench explain NAME`.
    pub explain: &'static str,
    /// Sets it from text.
    pub set: fn(&mut Setup, &str) -> Result<(), BadValue>,
    /// Its value as canonical text; what `set` accepts.
    pub get: fn(&Setup) -> String,
}

/// A value that a knob does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a value of {knob}: {reason}")]
pub struct BadValue {
    /// The knob.
    pub knob: &'static str,
    /// What was given.
    pub given: String,
    /// What is allowed and what to do.
    pub reason: String,
}

/// Every knob, shape first, in the order of labels.
pub static KNOBS: &[Knob] = &[
    Knob {
        name: "rss",
        group: Group::Shape,
        value: "SIZE",
        about: "memory of the parent, all of it touched",
        explain: "The parent maps this much memory and touches every page of it before the first \
                  spawn; `memory`, `contents`, `page`, `spread`, `order` and `advice` say what \
                  memory, and how. By default it is private and anonymous, as malloc maps it, and \
                  written (one MADV_POPULATE_WRITE call; a byte per page where the kernel lacks \
                  it). It comes on top of what the program itself needs, about 3 MiB. K, M, G and \
                  T are powers of 1024. What the kernel then reports in smaps is written beside \
                  what was asked for; a mismatch is a warning.",
        set: |setup, text| {
            setup.parent.shape.rss = pages("rss", text, text)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.rss.to_string(),
    },
    Knob {
        name: "memory",
        group: Group::Shape,
        value: "KIND",
        about: "kind of that memory: anon, shmem, file, file-shared or pinned",
        explain: "`anon` is private and anonymous, as malloc maps it. `shmem` is shared and \
                  anonymous; `file` and `file-shared` map a file that lies in memory (a memfd), \
                  privately and shared. A fork copies the page tables of none of these three as \
                  long as nothing private has been written; the child finds the pages again when \
                  it touches them. `pinned` is private and anonymous and registered as buffers of \
                  an io_uring: what is pinned cannot be shared for copying later, so a fork \
                  copies every page at once.",
        set: |setup, text| {
            setup.parent.shape.memory = choice("memory", text, MemoryKind::ALL, MemoryKind::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.memory.word().to_owned(),
    },
    Knob {
        name: "contents",
        group: Group::Shape,
        value: "STATE",
        about: "what was done to it: dirty, read, one-byte or untouched",
        explain: "`dirty`: every page was written. `read`: every page was only read; private \
                  anonymous memory then maps the one zero page everywhere, which a fork need not \
                  copy. `one-byte`: every page was read and one byte of the first written, which \
                  gives the mapping an anon_vma: from then on a fork copies all its page-table \
                  entries. `untouched`: mapped, and no more.",
        set: |setup, text| {
            setup.parent.shape.contents = choice("contents", text, Contents::ALL, Contents::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.contents.word().to_owned(),
    },
    Knob {
        name: "page",
        group: Group::Shape,
        value: "KIND",
        about: "page size of that memory: 4k, 16k, 64k.., thp or hugetlb",
        explain: "`4k` is the base page of the machine, with transparent huge pages switched off \
                  for this memory (MADV_NOHUGEPAGE). `thp` asks for transparent huge pages \
                  (MADV_HUGEPAGE) on memory aligned to them; how much of it the kernel really \
                  backed with huge pages is looked at after every block. 8k, 16k .. 1024k ask for \
                  that size alone (mTHP, Linux 6.8): the kernel must be told so in sysfs, which \
                  root may, and what stood there is put back. `hugetlb` takes pages of 2 MiB from \
                  the pool of the kernel; root raises the pool for the run and puts it back.",
        set: |setup, text| {
            let page = text.trim().parse().map_err(|why: String| bad("page", text, why))?;
            setup.parent.shape.page = page;
            Ok(())
        },
        get: |setup| setup.parent.shape.page.to_string(),
    },
    Knob {
        name: "spread",
        group: Group::Shape,
        value: "N",
        about: "one page in N is touched: the mapping is N times as large as rss",
        explain: "Spreads the memory over a mapping N times as large, so that `rss` bytes are \
                  touched and the rest is not. A page of page tables maps 512 pages: with 512 \
                  each touched page has one to itself, and a fork pays for both.",
        set: |setup, text| {
            setup.parent.shape.spread = at_least_1("spread", text, 65_536)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.spread.to_string(),
    },
    Knob {
        name: "order",
        group: Group::Shape,
        value: "seq|random",
        about: "order in which its pages were first touched",
        explain: "`seq` touches pages by address, as a benchmark does: neighbours in the mapping \
                  are then neighbours in memory. `random` touches them in a random order, as a \
                  server's heap comes to be: a fork, which counts up each page's own record, then \
                  jumps through memory.",
        set: |setup, text| {
            setup.parent.shape.order = choice("order", text, TouchOrder::ALL, TouchOrder::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.order.word().to_owned(),
    },
    Knob {
        name: "advice",
        group: Group::Shape,
        value: "ADVICE",
        about: "what the kernel is told of it: none, dontfork, wipeonfork or mlock",
        explain: "`dontfork` (MADV_DONTFORK): a child does not have the memory at all, and a \
                  fork passes over it; a child that touches it dies. `wipeonfork` \
                  (MADV_WIPEONFORK): the child has it, empty. `mlock`: it stays resident; a fork \
                  does not hand the lock down.",
        set: |setup, text| {
            setup.parent.shape.advice = choice("advice", text, Advice::ALL, Advice::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.advice.word().to_owned(),
    },
    Knob {
        name: "threads",
        group: Group::Shape,
        value: "N",
        about: "threads of the parent beside the one that spawns",
        explain: "POSIX threads that do what `busy` says (nothing, by default) and run on other \
                  processors than the spawning thread, where there are others. With 0 the parent \
                  has never created a thread: glibc then takes no lock in fork, which makes a \
                  difference of a third.",
        set: |setup, text| {
            setup.parent.shape.threads = count("threads", text, 100_000)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.threads.to_string(),
    },
    Knob {
        name: "busy",
        group: Group::Shape,
        value: "WORK",
        about: "what those threads do: park, spin, malloc, fault, mmap, clock, futex or rewrite",
        explain: "`park`: they wait in the kernel. `spin`: they run in user space. `malloc`: \
                  they allocate and free blocks of several sizes. `fault`: they touch new pages \
                  and give them back. `mmap`: they map and unmap. `clock`: they read the clock. \
                  `futex`: they take a lock that nobody else wants and give it back by a system \
                  call. `rewrite`: they write a byte of every page of the parent's memory, over \
                  and over. They run on other processors than the spawning thread and only while \
                  their own parent is measured; on a machine with one processor such a parent is \
                  refused.",
        set: |setup, text| {
            setup.parent.shape.busy = choice("busy", text, Busy::ALL, Busy::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.busy.word().to_owned(),
    },
    Knob {
        name: "vmas",
        group: Group::Shape,
        value: "N",
        about: "mappings added to the parent, none of which can merge",
        explain: "One-page private anonymous mappings, alternately readable and read-write, so \
                  that the kernel cannot merge neighbours. By default they are never touched: \
                  they cost a fork their mapping (VMA), not a page.",
        set: |setup, text| {
            setup.parent.shape.vmas = count("vmas", text, 10_000_000)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.vmas.to_string(),
    },
    Knob {
        name: "vma-contents",
        group: Group::Shape,
        value: "clean|dirty",
        about: "whether each of those mappings holds a page that was written",
        explain: "`clean` mappings are never touched. With `dirty` each of them is writable and \
                  was written once, as mappings far from one another are: a fork then also makes \
                  an anon_vma for each, counts up a page, and leaves it write-protected. What was \
                  write-protected is written again as the memory is (`rewrite`).",
        set: |setup, text| {
            let shape = &mut setup.parent.shape;
            shape.vma_contents = choice("vma-contents", text, VmaContents::ALL, VmaContents::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.vma_contents.word().to_owned(),
    },
    Knob {
        name: "fds",
        group: Group::Shape,
        value: "N",
        about: "open descriptors added to the parent",
        explain: "Descriptors of /dev/null, each opened by itself, at the lowest free numbers, \
                  close-on-exec as a careful server has them. Every mechanism copies the table \
                  of descriptors, and the exec closes them again.",
        set: |setup, text| {
            setup.parent.shape.fds = count("fds", text, 100_000_000)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.fds.to_string(),
    },
    Knob {
        name: "fd-layout",
        group: Group::Shape,
        value: "dense|high",
        about: "N descriptors, or a single one with the number N",
        explain: "`dense`: as many descriptors as `fds` says. `high`: one alone, whose number is \
                  what `fds` says: the kernel's table is as large as for a dense one, and all but \
                  empty, which tells what the table costs and what the descriptors cost.",
        set: |setup, text| {
            let shape = &mut setup.parent.shape;
            shape.fd_layout = choice("fd-layout", text, FdLayout::ALL, FdLayout::word)?;
            Ok(())
        },
        get: |setup| setup.parent.shape.fd_layout.word().to_owned(),
    },
    Knob {
        name: "prefix",
        group: Group::Start,
        value: "COMMAND",
        about: "a command put in front of the subject, as one string",
        explain: "The subject is started as `COMMAND forkbench __subject`: a wrapper that in the \
                  end executes its arguments, such as `setpriv --no-new-privs`, `nice -n 5` or \
                  another libc's loader. Quotes work as in a shell.",
        set: |setup, text| {
            words("prefix", text)?;
            setup.parent.prefix = text.trim().to_owned();
            Ok(())
        },
        get: |setup| setup.parent.prefix.clone(),
    },
    Knob {
        name: "env",
        group: Group::Start,
        value: "'NAME=VALUE ..'",
        about: "variables of the subject's environment, as one string",
        explain: "Variables that the subject has beside those that it inherits, or in their place: \
                  `--env 'MALLOC_ARENA_MAX=1'`. Several stand in one string, parted as in a shell. \
                  In a scenario and for a side of `forkbench check`, `env.NAME=VALUE` sets a \
                  single one. It is the environment of the parent; its children have a small fixed \
                  one (see `env-bytes`).",
        set: |setup, text| {
            setup.parent.env.clear();
            for word in words("env", text)? {
                let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                if name.is_empty() || !word.contains('=') {
                    let reason = format!("`{word}` is no NAME=VALUE");
                    return Err(bad("env", text, reason));
                }
                setup.parent.env.insert(name.to_owned(), value.to_owned());
            }
            Ok(())
        },
        get: |setup| {
            let words = setup.parent.env.iter().map(|(name, value)| format!("{name}={value}"));
            join(&words.collect::<Vec<_>>())
        },
    },
    Knob {
        name: "bin",
        group: Group::Start,
        value: "PATH",
        about: "another forkbench binary that is the subject",
        explain: "The subject is this program as a rule. Another build of it, by another compiler \
                  or for another libc, takes its place with `--bin PATH`; both must speak the same \
                  protocol, and say so where they do not.",
        set: |setup, text| {
            setup.parent.bin = text.trim().to_owned();
            Ok(())
        },
        get: |setup| setup.parent.bin.clone(),
    },
    Knob {
        name: "workload",
        group: Group::Work,
        value: "NAME",
        about: "what a turn does: spawn, cow, pipeline, stall, throughput, gap (forkbench list workloads)",
        explain: "`spawn` makes a process and waits for it. The others measure what a fork costs \
                  after the call; each is explained under its own name, and has knobs of its own.",
        set: |setup, text| {
            setup.work.workload = choice("workload", text, Workload::ALL, Workload::word)?;
            Ok(())
        },
        get: |setup| setup.work.workload.word().to_owned(),
    },
    Knob {
        name: "mechanism",
        group: Group::Work,
        value: "NAME",
        about: "how the process is made; `all` takes every one",
        explain: "One of `forkbench list mechanisms`. A list compares them: all take turns in \
                  one subject, in random order. `extern:COMMAND` has a program of yours make the \
                  processes; its words are parted as in a shell, and a comma in it is written \
                  `\\,`.",
        set: |setup, text| {
            if text.trim().is_empty() {
                return Err(bad("mechanism", text, "give a name of `forkbench list mechanisms`"));
            }
            let mechanism = match setup::helper(text.trim()) {
                None if text.trim() == "extern" => {
                    let reason = "give the command of a helper too, such as extern:./my_helper";
                    return Err(bad("mechanism", text, reason));
                }
                None => text.trim().to_owned(),
                Some(command) => {
                    let command = command.trim();
                    let words = words("mechanism", command);
                    let words = words.map_err(|error| bad("mechanism", text, error.reason))?;
                    if words.first().is_none_or(String::is_empty) {
                        let reason = "after `extern:` give the command of a helper";
                        return Err(bad("mechanism", text, reason));
                    }
                    format!("extern:{command}")
                }
            };
            setup.work.mechanism = mechanism;
            Ok(())
        },
        get: |setup| setup.work.mechanism.clone(),
    },
    Knob {
        name: "image",
        group: Group::Work,
        value: "IMAGE",
        about: "what the child becomes: noop, dynamic, exit, or 'PATH ARGS'",
        explain: "`noop` is the program shipped inside forkbench: static, without a libc, it \
                  stamps the clock at its first instruction and exits. `dynamic` is the same \
                  program behind the dynamic loader, with no library to load: what the loader \
                  costs by itself. `exit` is no exec at all: \
                  the child calls _exit. Anything with a slash is a program of yours with its \
                  arguments, as one string; its status must be 0. It runs with a small fixed \
                  environment and /dev/null as its input and output.",
        set: |setup, text| {
            setup.work.image = match text.trim() {
                "noop" => Image::Noop,
                "dynamic" => Image::Dynamic,
                "exit" => Image::Exit,
                other => {
                    let words = words("image", other)?;
                    if !words.first().is_some_and(|path| path.contains('/')) {
                        return Err(bad(
                            "image",
                            text,
                            "allowed are noop, dynamic, exit, and a path with a slash in it, such as \
                             /bin/true or './server --help'",
                        ));
                    }
                    Image::Command(words)
                }
            };
            Ok(())
        },
        get: |setup| match &setup.work.image {
            Image::Noop => "noop".to_owned(),
            Image::Dynamic => "dynamic".to_owned(),
            Image::Exit => "exit".to_owned(),
            Image::Command(words) => join(words),
        },
    },
    Knob {
        name: "rewrite",
        group: Group::Work,
        value: "all|none|SHARE",
        about: "how much of its memory the parent writes again after a page-copying spawn",
        explain: "A fork leaves every page of its parent write-protected. `all` makes the whole \
                  memory writable again after each such spawn, outside the intervals, which is \
                  the state of a server that writes its memory; in one round of each block that \
                  is done by a byte per page and its length is `rewrite_ns`, the bill that comes \
                  after the call. A share such as 10% rewrites the first tenth. `none` gives the \
                  figure of the classical loop, a quarter to a third cheaper.",
        set: |setup, text| {
            setup.work.rewrite = match text.trim() {
                "all" => Rewrite::ALL,
                "none" => Rewrite::NONE,
                other => {
                    let share =
                        units::parse_percentage(other).map_err(|e| unit("rewrite", text, e))?;
                    Rewrite((share * 1000.0).round() as u32)
                }
            };
            Ok(())
        },
        get: |setup| match setup.work.rewrite {
            Rewrite::ALL => "all".to_owned(),
            Rewrite::NONE => "none".to_owned(),
            Rewrite(thousandths) => units::print_percentage(f64::from(thousandths) / 1000.0),
        },
    },
    Knob {
        name: "between",
        group: Group::Work,
        value: "hot|idle:DUR|scrub:SIZE",
        about: "what the parent does before each timed sample",
        explain: "`hot` spawns in a loop, as benchmarks do and servers do not. `idle:30ms` sleeps \
                  before each timed sample; `scrub:32M` writes a buffer of that size, which \
                  pushes the kernel's and the program's data out of the caches.",
        set: |setup, text| {
            let trimmed = text.trim();
            setup.work.between = if trimmed == "hot" {
                Between::Hot
            } else if let Some(length) = trimmed.strip_prefix("idle:") {
                let length = units::parse_duration(length).map_err(|e| unit("between", text, e))?;
                Between::Idle(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
            } else if let Some(size) = trimmed.strip_prefix("scrub:") {
                Between::Scrub(pages("between", text, size)?)
            } else {
                return Err(bad("between", text, "allowed are hot, idle:30ms and scrub:32M"));
            };
            Ok(())
        },
        get: |setup| match setup.work.between {
            Between::Hot => "hot".to_owned(),
            Between::Idle(ns) => {
                format!("idle:{}", units::print_duration(Duration::from_nanos(ns)))
            }
            Between::Scrub(size) => format!("scrub:{size}"),
        },
    },
    Knob {
        name: "delay",
        group: Group::Work,
        value: "DUR",
        about: "a known slowdown: the parent spins so long before the return of the call is stamped",
        explain: "Once the call that makes the child has returned, the parent reads the clock until \
                  so much time has passed, and stamps the return with what it has read last. \
                  `blocked` is longer by that and by less than a reading of the clock (5 ns in the \
                  median, 35 at most, but for interrupts); `reaped` is longer by as much where \
                  the child runs on the same processor. It is there to prove that a slowdown of a \
                  known size is found (`forkbench validate`). For workload=spawn, but not for \
                  mechanism=extern; at most 1s.",
        set: |setup, text| {
            let length = units::parse_duration(text).map_err(|e| unit("delay", text, e))?;
            if length > MOST_DELAY {
                return Err(bad("delay", text, "allowed are 0 to 1s"));
            }
            setup.work.delay_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
            Ok(())
        },
        get: |setup| match setup.work.delay_ns {
            0 => "0".to_owned(),
            ns => units::print_duration(Duration::from_nanos(ns)),
        },
    },
    Knob {
        name: "child-cpu",
        group: Group::Work,
        value: "same|free",
        about: "where the child may run: on its parent's processor, or anywhere",
        explain: "`same` pins the spawning thread, and with it its children, to one processor; \
                  the child then runs when the parent sleeps. `free` pins nobody and records \
                  where each child ran.",
        set: |setup, text| {
            setup.work.child_cpu = match text.trim() {
                "same" => ChildCpu::Same,
                "free" => ChildCpu::Free,
                _ => return Err(bad("child-cpu", text, "allowed are same and free")),
            };
            Ok(())
        },
        get: |setup| match setup.work.child_cpu {
            ChildCpu::Same => "same".to_owned(),
            ChildCpu::Free => "free".to_owned(),
        },
    },
    Knob {
        name: "env-bytes",
        group: Group::Work,
        value: "SIZE",
        about: "bytes added to the child's environment",
        explain: "The child's environment, which is small and fixed otherwise, gets variables of \
                  in all so many bytes, 100 bytes each as a rule. The exec copies them, whatever \
                  made the process; the kernel takes at most a quarter of the stack limit for \
                  environment and arguments together.",
        set: |setup, text| {
            let size = bytes("env-bytes", text)?;
            if (1..SHORTEST_VARIABLE).contains(&size.bytes()) {
                let reason = format!("a variable takes {SHORTEST_VARIABLE} bytes: give 0 or more");
                return Err(bad("env-bytes", text, reason));
            }
            setup.work.env_bytes = size;
            Ok(())
        },
        get: |setup| setup.work.env_bytes.to_string(),
    },
    Knob {
        name: "args-bytes",
        group: Group::Work,
        value: "SIZE",
        about: "bytes added to the child's arguments",
        explain: "The child gets further arguments of in all so many bytes, 100 bytes each as a \
                  rule, which an image of yours must bear with. The exec copies them as it does \
                  the environment.",
        set: |setup, text| {
            setup.work.args_bytes = bytes("args-bytes", text)?;
            Ok(())
        },
        get: |setup| setup.work.args_bytes.to_string(),
    },
    Knob {
        name: "path-dirs",
        group: Group::Work,
        value: "N",
        about: "directories of PATH searched in vain before the image is found",
        explain: "0 executes the image by its path. With N the image is searched for by its name \
                  (execvp, posix_spawnp), along a PATH with N directories that lack it and, last, \
                  the one that has it: each costs an exec that fails. The image gets that PATH \
                  too.",
        set: |setup, text| {
            setup.work.path_dirs = count("path-dirs", text, 1_000)?;
            Ok(())
        },
        get: |setup| setup.work.path_dirs.to_string(),
    },
    Knob {
        name: "child",
        group: Group::Work,
        value: "STATE",
        about: "cow: where the child is while the memory is written: alive or gone",
        explain: "`alive`: the child sleeps and shares the memory, so the kernel copies each page \
                  that the parent writes. `gone`: it has ended and was reaped, and the kernel \
                  only has to make each page writable again. For workload=cow.",
        set: |setup, text| {
            setup.work.child = choice("child", text, ChildState::ALL, ChildState::word)?;
            Ok(())
        },
        get: |setup| setup.work.child.word().to_owned(),
    },
    Knob {
        name: "written",
        group: Group::Work,
        value: "all|SHARE|1/N",
        about: "cow: how many of the pages are written, evenly spaced over the memory",
        explain: "`all` writes a byte of every base page. A share such as 5% writes one page in \
                  twenty, all over the memory, as a server's writes are scattered over its heap; \
                  `1/512` writes one page in each 2 MiB, which splits every huge page. At least \
                  one page is written. For workload=cow.",
        set: |setup, text| {
            setup.work.written = written(text)?;
            Ok(())
        },
        get: |setup| print_written(setup.work.written),
    },
    Knob {
        name: "write-order",
        group: Group::Work,
        value: "seq|random",
        about: "cow: in which order the pages are written",
        explain: "`seq`: by address. `random`: as a server's requests come. The order is made \
                  before the first sample and is the same in every parent. For workload=cow.",
        set: |setup, text| {
            let all = TouchOrder::ALL;
            setup.work.write_order = choice("write-order", text, all, TouchOrder::word)?;
            Ok(())
        },
        get: |setup| setup.work.write_order.word().to_owned(),
    },
    Knob {
        name: "writer",
        group: Group::Work,
        value: "parent|child",
        about: "cow: who writes the memory",
        explain: "`parent`: the process that forked, as a server goes on while its child saves a \
                  snapshot. `child`: the process that it made, as a worker does; it stamps the \
                  clock itself, and the parent sleeps meanwhile. For workload=cow.",
        set: |setup, text| {
            setup.work.writer = choice("writer", text, Writer::ALL, Writer::word)?;
            Ok(())
        },
        get: |setup| setup.work.writer.word().to_owned(),
    },
    Knob {
        name: "stages",
        group: Group::Work,
        value: "N",
        about: "pipeline: how many processes it has, 1 to 16",
        explain: "The first writes `pipe-bytes` bytes, each of the others copies what it reads, \
                  and the parent reads what the last one writes. One stage is a command whose \
                  output is read, or with sink=file `cmd > file`.",
        set: |setup, text| {
            setup.work.stages = at_least_1("stages", text, 16)?;
            Ok(())
        },
        get: |setup| setup.work.stages.to_string(),
    },
    Knob {
        name: "pipe-bytes",
        group: Group::Work,
        value: "SIZE",
        about: "pipeline: bytes that go through it",
        explain: "A pipe holds 64 KiB: with more, all stages run at once; with less, each can end \
                  before its neighbour has begun. At least one byte.",
        set: |setup, text| {
            let size: Size = text.parse().map_err(|e| unit("pipe-bytes", text, e))?;
            if size == Size::ZERO || size > MOST_PIPE_BYTES {
                let allowed = format!("allowed are sizes from 1 to {MOST_PIPE_BYTES:#}");
                return Err(bad("pipe-bytes", text, allowed));
            }
            setup.work.pipe_bytes = size;
            Ok(())
        },
        get: |setup| setup.work.pipe_bytes.to_string(),
    },
    Knob {
        name: "sink",
        group: Group::Work,
        value: "KIND",
        about: "pipeline: where its last stage writes to: pipe or file",
        explain: "`pipe`: the parent reads it, as a shell does for `$(a | b)`. `file`: a file \
                  beside the images, opened and truncated by the last stage itself between birth \
                  and exec, as in `a | b > file`; nothing is read then.",
        set: |setup, text| {
            setup.work.sink = choice("sink", text, Sink::ALL, Sink::word)?;
            Ok(())
        },
        get: |setup| setup.work.sink.word().to_owned(),
    },
    Knob {
        name: "pipe-ends",
        group: Group::Work,
        value: "WHAT",
        about: "pipeline: ends of pipes that a stage does not need: closed or leaked",
        explain: "`closed`: pipes are made close-on-exec, each just before the stage that writes \
                  to it. `leaked`: all pipes are made first and stay open in every stage. Each \
                  reader then holds a write end of its own pipe and waits for ever for an end of \
                  file: forkbench looks for that in /proc, says which descriptor it is, and ends \
                  the stages.",
        set: |setup, text| {
            setup.work.pipe_ends = choice("pipe-ends", text, PipeEnds::ALL, PipeEnds::word)?;
            Ok(())
        },
        get: |setup| setup.work.pipe_ends.word().to_owned(),
    },
    Knob {
        name: "dispatch",
        group: Group::Work,
        value: "WAY",
        about: "throughput: direct, epoll, zygote, workers, thread or pool",
        explain: "`direct`: make a process by the mechanism, wait for it, make the next. `epoll`: \
                  one thread keeps `in-flight` processes going and waits for all of them at once, \
                  by epoll on a pidfd of each. `zygote`: a small process that was started \
                  beforehand makes each process by the mechanism, on request over a Unix socket, \
                  with a descriptor passed along. `workers`: small processes that were started \
                  beforehand do the jobs themselves. `thread`: a new thread does each job. \
                  `pool`: threads that were started beforehand do them. For workload=throughput.",
        set: |setup, text| {
            setup.work.dispatch = choice("dispatch", text, Dispatch::ALL, Dispatch::word)?;
            Ok(())
        },
        get: |setup| setup.work.dispatch.word().to_owned(),
    },
    Knob {
        name: "in-flight",
        group: Group::Work,
        value: "N",
        about: "throughput: jobs under way at once, of epoll, workers and pool",
        explain: "How many jobs the one dispatching thread keeps going: children of \
                  dispatch=epoll, processes of dispatch=workers, threads of dispatch=pool. The \
                  other ways have one at a time.",
        set: |setup, text| {
            setup.work.in_flight = at_least_1("in-flight", text, 1_000)?;
            Ok(())
        },
        get: |setup| setup.work.in_flight.to_string(),
    },
    Knob {
        name: "spawners",
        group: Group::Work,
        value: "N",
        about: "throughput: how many make processes at once, with dispatch=direct",
        explain: "Each makes a process, waits for it and makes the next, until together they have \
                  done the jobs of the batch. The first is on the processor of the spawning \
                  thread, the others in turn on the others, each with its children. \
                  `spawner-kind` says whether they are threads of the parent or processes.",
        set: |setup, text| {
            setup.work.spawners = at_least_1("spawners", text, 1_000)?;
            Ok(())
        },
        get: |setup| setup.work.spawners.to_string(),
    },
    Knob {
        name: "spawner-kind",
        group: Group::Work,
        value: "KIND",
        about: "throughput: whether spawners are threads of one parent, or processes",
        explain: "`threads` share the address space of the parent, and with it the locks that a \
                  birth takes there. `processes` share nothing; they are small, so the parent \
                  must be empty too. A single spawner of the kind `threads` is the parent's own \
                  thread.",
        set: |setup, text| {
            setup.work.spawner_kind =
                choice("spawner-kind", text, SpawnerKind::ALL, SpawnerKind::word)?;
            Ok(())
        },
        get: |setup| setup.work.spawner_kind.word().to_owned(),
    },
    Knob {
        name: "jobs",
        group: Group::Work,
        value: "N",
        about: "throughput: jobs of a batch; a batch is a sample",
        explain: "How many jobs are done between the two stamps of a batch. More of them take a \
                  dear mechanism out of the budget; with fewer, the start of the batch weighs \
                  more, and a load past capacity has less time to show.",
        set: |setup, text| {
            setup.work.jobs = at_least_1("jobs", text, 1_000_000)?;
            Ok(())
        },
        get: |setup| setup.work.jobs.to_string(),
    },
    Knob {
        name: "load",
        group: Group::Work,
        value: "closed|SHARE|N/s",
        about: "throughput: when jobs arrive: as others end, or at fixed instants",
        explain: "`closed`: a job begins as soon as there is room for it, so that the loop shows \
                  the capacity. `50%`: jobs arrive at fixed instants, at that share of the \
                  capacity which the same variant showed in a closed batch just before. `200/s`: \
                  so many a second. The time of a response is counted from the instant at which \
                  its job was to begin, so that waiting counts.",
        set: |setup, text| {
            let trimmed = text.trim();
            setup.work.load = if trimmed == "closed" {
                Load::Closed
            } else if let Some(rate) = trimmed.strip_suffix("/s") {
                let rate = at_least_1("load", rate, 1_000_000);
                Load::Rate(rate.map_err(|error| bad("load", text, error.reason))?)
            } else if let Some(percent) = trimmed.strip_suffix('%') {
                let share: f64 = percent.trim().parse().unwrap_or(0.0);
                let allowed = "allowed are closed, shares such as 50% (0.1% to 1000%) and rates \
                               such as 200/s";
                if !(0.1..=1000.0).contains(&share) {
                    return Err(bad("load", text, allowed));
                }
                Load::Share((share * 10.0).round() as u32)
            } else {
                return Err(bad(
                    "load",
                    text,
                    "allowed are closed, shares such as 50% and rates such as 200/s",
                ));
            };
            Ok(())
        },
        get: |setup| match setup.work.load {
            Load::Closed => "closed".to_owned(),
            Load::Share(thousandths) => units::print_percentage(f64::from(thousandths) / 1000.0),
            Load::Rate(rate) => format!("{rate}/s"),
        },
    },
    Knob {
        name: "actions",
        group: Group::Work,
        value: "LIST",
        about: "gap: what happens between birth and exec, joined by + (forkbench list actions)",
        explain: "`none`, or actions in the order in which they are done, such as `dup2+chdir`. \
                  Each mechanism does them in its own way, as an attribute, a file action, or in \
                  code of its own in the child; where it has no way, that is what its row says. \
                  For workload=gap.",
        set: |setup, text| {
            setup.work.actions = text.parse().map_err(|why: String| bad("actions", text, why))?;
            Ok(())
        },
        get: |setup| setup.work.actions.to_string(),
    },
    Knob {
        name: "nofile",
        group: Group::Work,
        value: "N",
        about: "gap: the limit up to which actions=close-loop closes",
        explain: "The loop closes every number from 4 on that is below this, as one does that \
                  takes RLIMIT_NOFILE for the end. The limit of the parent itself is not changed. \
                  For workload=gap.",
        set: |setup, text| {
            setup.work.nofile = at_least_1("nofile", text, 1 << 30)?;
            Ok(())
        },
        get: |setup| setup.work.nofile.to_string(),
    },
    Knob {
        name: "hazard",
        group: Group::Work,
        value: "NAME",
        about: "hazard: which, of `forkbench list hazards`",
        explain: "What the threads of the parent do over and over (`busy=hold`), and each child \
                  once more. A name or a number of the catalogue, such as localtime or H06. For \
                  workload=hazard.",
        set: |setup, text| {
            let found = hazard::find(text.trim())
                .ok_or_else(|| bad("hazard", text, hazard::unknown(text.trim())))?;
            setup.work.hazard = found.name.to_owned();
            Ok(())
        },
        get: |setup| setup.work.hazard.clone(),
    },
    Knob {
        name: "forks",
        group: Group::Work,
        value: "N",
        about: "hazard: how many processes are born in a batch; usual: as many as show it",
        explain: "A batch is a sample. Their number is fixed beforehand and does not depend on \
                  what is seen, so that the interval of the rate is exact. `usual`: what the \
                  registry says of that hazard and birth. For workload=hazard.",
        set: |setup, text| {
            setup.work.forks = match text.trim() {
                "usual" => 0,
                text => at_least_1("forks", text, 1_000_000)?,
            };
            Ok(())
        },
        get: |setup| match setup.work.forks {
            0 => "usual".to_owned(),
            forks => forks.to_string(),
        },
    },
    Knob {
        name: "duty",
        group: Group::Work,
        value: "PERCENT",
        about: "hazard: percent of the time for which hazard=mutex is held, from 1 to 99",
        explain: "What the threads that hold the mutex aim at, all together; what came of it is \
                  measured beside it (`held_ns`, `pause_ns`). For hazard=mutex.",
        set: |setup, text| {
            let number = text.trim().trim_end_matches('%');
            setup.work.duty = at_least_1("duty", number, 99)
                .map_err(|_| bad("duty", text, "allowed are 1 to 99, in percent".to_owned()))?;
            Ok(())
        },
        get: |setup| format!("{}%", setup.work.duty),
    },
];

/// Parts of [`Written::WHOLE`] in a hundredth of a percent.
const BASIS_POINT: u32 = Written::WHOLE / 10_000;

fn written(text: &str) -> Result<Written, BadValue> {
    let given = text.trim();
    if given == "all" {
        return Ok(Written::ALL);
    }
    if let Some(parts) = given.strip_prefix("1/") {
        let allowed = || bad("written", text, "allowed after `1/` are whole numbers to 10000");
        let parts: u32 = parts.parse().map_err(|_| allowed())?;
        return match parts {
            1..=10_000 => Ok(Written((Written::WHOLE + parts / 2) / parts)),
            _ => Err(allowed()),
        };
    }
    let share = units::parse_percentage(given).map_err(|e| unit("written", text, e))?;
    match (share * f64::from(Written::WHOLE)).round() as u32 {
        0 => Err(bad("written", text, "it writes nothing: give more than 0%")),
        parts => Ok(Written(parts)),
    }
}

fn print_written(share: Written) -> String {
    if share == Written::ALL {
        return "all".to_owned();
    }
    let parts = (Written::WHOLE + share.0 / 2) / share.0.max(1);
    let is_fraction = parts <= 10_000 && (Written::WHOLE + parts / 2) / parts == share.0;
    if !share.0.is_multiple_of(BASIS_POINT) && is_fraction {
        return format!("1/{parts}");
    }
    units::print_percentage(f64::from(share.0) / f64::from(Written::WHOLE))
}

/// The knob of that name.
pub fn find(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|knob| knob.name == name)
}

/// What stands before the name of one variable in the name of a setting: `env.NAME`.
pub const VARIABLE: &str = "env.";

/// Sets one variable of the subject's environment, as the setting `env.NAME=VALUE` does.
///
/// # Errors
///
/// When it has no name.
pub fn set_variable(setup: &mut Setup, name: &str, value: &str) -> Result<(), BadValue> {
    if name.is_empty() || name.contains('=') {
        return Err(bad("env", name, "allowed is env.NAME=VALUE"));
    }
    setup.parent.env.insert(name.to_owned(), value.to_owned());
    Ok(())
}

/// The value of a knob as a number, in bytes or things, or in percent; none if it is a word.
pub fn number(knob: &Knob, setup: &Setup) -> Option<f64> {
    let text = (knob.get)(setup);
    if knob.name == "written" {
        return percent(&text);
    }
    if is_size(knob.name) {
        return text.parse::<Size>().ok().map(|size| size.bytes() as f64);
    }
    let count = (knob.value == "N").then(|| units::parse_count(&text).ok())?;
    count.map(|count| count as f64)
}

/// `all`, `25%` or `1/64` as a number of hundredths.
fn percent(text: &str) -> Option<f64> {
    match (text.strip_suffix('%'), text.strip_prefix("1/")) {
        (Some(number), _) => number.parse().ok(),
        (_, Some(parts)) => parts.parse::<f64>().ok().map(|parts| 100.0 / parts),
        _ => (text == "all").then_some(100.0),
    }
}

/// Whether the values of the knob of that name are sizes.
pub fn is_size(name: &str) -> bool {
    find(name).is_some_and(|knob| knob.value == "SIZE")
}

/// All knobs of `setup` that differ from their default, as `name=value` joined by `separator`.
pub fn differences(setup: &Setup, groups: &[Group], separator: &str) -> String {
    let default = Setup::default();
    let parts: Vec<String> = KNOBS
        .iter()
        .filter(|knob| groups.contains(&knob.group))
        .filter(|knob| (knob.get)(setup) != (knob.get)(&default))
        .map(|knob| format!("{}={}", knob.name, (knob.get)(setup)))
        .collect();
    parts.join(separator)
}

/// The canonical label of a parent: `rss=1GiB threads=8`, or `empty`.
pub fn shape_label(setup: &Setup) -> String {
    let label = differences(setup, &[Group::Shape, Group::Start], " ");
    if label.is_empty() { "empty".to_owned() } else { label }
}

/// The column `settings` of `variants.csv`: all non-default knobs, `name=value;...`.
pub fn settings(setup: &Setup) -> String {
    differences(setup, &[Group::Shape, Group::Start, Group::Work], ";")
}

fn count(knob: &'static str, text: &str, most: u32) -> Result<u32, BadValue> {
    let given = units::parse_count(text).map_err(|e| unit(knob, text, e))?;
    match u32::try_from(given) {
        Ok(n) if n <= most => Ok(n),
        _ => Err(bad(knob, text, format!("allowed are whole numbers from 0 to {most}"))),
    }
}

/// As [`count`], and not 0.
fn at_least_1(knob: &'static str, text: &str, most: u32) -> Result<u32, BadValue> {
    match count(knob, text, most) {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(bad(knob, text, format!("allowed are whole numbers from 1 to {most}"))),
    }
}

/// One of a closed list of words.
fn choice<T: Copy>(
    knob: &'static str,
    text: &str,
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<T, BadValue> {
    let given = text.trim();
    if let Some(value) = all.iter().find(|value| word(**value) == given) {
        return Ok(*value);
    }
    let words = || all.iter().map(|value| word(*value));
    let meant = crate::model::nearest(given, words());
    let meant = meant.map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default();
    let allowed = words().collect::<Vec<_>>().join(", ");
    Err(bad(knob, text, format!("allowed are {allowed}{meant}")))
}

/// A size in bytes; at most what an exec could ever take.
fn bytes(knob: &'static str, text: &str) -> Result<Size, BadValue> {
    let size: Size = text.parse().map_err(|e| unit(knob, text, e))?;
    if size > MOST_STRINGS {
        return Err(bad(knob, text, format!("allowed are sizes from 0 to {MOST_STRINGS:#}")));
    }
    Ok(size)
}

/// The longest delay: a longer one is a slip of the unit.
const MOST_DELAY: Duration = Duration::from_secs(1);

/// The most that the kernel takes for environment and arguments, whatever the limit of the stack:
/// three quarters of 8 MiB (fs/exec.c, bprm_stack_limits).
const MOST_STRINGS: Size = Size::from_bytes(6 << 20);

/// The most bytes that go through a pipeline.
const MOST_PIPE_BYTES: Size = Size::from_bytes(16 << 30);

/// The shortest variable that is added to an environment, `F00000=` and its NUL, in bytes.
const SHORTEST_VARIABLE: u64 = 8;

/// A size in whole pages of 4 KiB; `text` is the whole value that was given, `size` its part.
fn pages(knob: &'static str, text: &str, size: &str) -> Result<Size, BadValue> {
    Size::parse_in_pages(size, PAGE).map_err(|e| unit(knob, text, e))
}

/// The words of a command, parted and quoted as in a shell.
fn words(knob: &'static str, text: &str) -> Result<Vec<String>, BadValue> {
    shlex::split(text).ok_or_else(|| bad(knob, text, "a quote is not closed: close it"))
}

/// Puts words together so that [`words`] parts them again. Words with a NUL byte, which no command
/// can have, do not occur: a command line cannot hold them.
fn join(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn unit(knob: &'static str, given: &str, error: UnitError) -> BadValue {
    bad(knob, given, format!("{}; {}", error.wrong, error.advice))
}

fn bad(knob: &'static str, given: &str, reason: impl ToString) -> BadValue {
    BadValue { knob, given: given.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_reads_back_what_it_prints() {
        let examples = [
            ("rss", "1GiB"),
            ("memory", "file-shared"),
            ("contents", "one-byte"),
            ("page", "64k"),
            ("spread", "512"),
            ("order", "random"),
            ("advice", "dontfork"),
            ("threads", "8"),
            ("busy", "malloc"),
            ("vmas", "10000"),
            ("vma-contents", "dirty"),
            ("fds", "100"),
            ("fd-layout", "high"),
            ("prefix", "setpriv --no-new-privs"),
            ("env", "A='x y' B=1"),
            ("bin", "/opt/forkbench"),
            ("workload", "cow"),
            ("mechanism", "vfork"),
            ("image", "/bin/sh -c 'exit 0'"),
            ("rewrite", "12.5%"),
            ("between", "idle:30ms"),
            ("delay", "3us500ns"),
            ("child-cpu", "free"),
            ("env-bytes", "64KiB"),
            ("args-bytes", "1KiB"),
            ("path-dirs", "7"),
            ("child", "gone"),
            ("written", "1/512"),
            ("write-order", "random"),
            ("writer", "child"),
            ("stages", "16"),
            ("pipe-bytes", "1MiB"),
            ("sink", "file"),
            ("pipe-ends", "leaked"),
            ("dispatch", "epoll"),
            ("in-flight", "16"),
            ("spawners", "2"),
            ("spawner-kind", "processes"),
            ("jobs", "50"),
            ("load", "120%"),
            ("actions", "dup2+chdir"),
            ("nofile", "65536"),
            ("hazard", "localtime"),
            ("forks", "2000"),
            ("duty", "25%"),
        ];
        for knob in KNOBS {
            let (_, text) = examples
                .iter()
                .find(|(name, _)| *name == knob.name)
                .unwrap_or_else(|| panic!("no example for {}", knob.name));
            let mut setup = Setup::default();
            (knob.set)(&mut setup, text).unwrap();
            assert_ne!(setup, Setup::default(), "{} changes nothing", knob.name);
            let printed = (knob.get)(&setup);
            let mut again = Setup::default();
            (knob.set)(&mut again, &printed).unwrap();
            assert_eq!(setup, again, "{} prints {printed}", knob.name);
        }
    }

    #[test]
    fn shares_of_pages_are_printed_as_they_are_given() {
        for text in ["all", "50%", "10%", "1%", "0.2%", "0.01%", "12.5%", "1/512", "1/3", "1/9999"]
        {
            assert_eq!(print_written(written(text).unwrap()), text);
        }
        assert_eq!(written("1/512"), Ok(Written(1_953_125)));
        assert_eq!((written("1/1"), written("100%")), (Ok(Written::ALL), Ok(Written::ALL)));
    }

    #[test]
    fn defaults_are_accepted_as_text() {
        for knob in KNOBS {
            let default = Setup::default();
            let mut setup = Setup::default();
            (knob.set)(&mut setup, &(knob.get)(&default)).unwrap();
            assert_eq!(setup, default, "{}", knob.name);
        }
    }

    #[test]
    fn names_are_unique_and_described() {
        for (i, knob) in KNOBS.iter().enumerate() {
            assert!(KNOBS[..i].iter().all(|other| other.name != knob.name), "{}", knob.name);
            assert!(knob.about.len() <= 90 && knob.explain.len() > knob.about.len());
        }
    }

    #[test]
    fn values_that_are_numbers_are_told_as_numbers() {
        let mut setup = Setup::default();
        setup.parent.shape.rss = Size::from_bytes(1 << 20);
        setup.parent.shape.fds = 7;
        let of = |name| number(find(name).unwrap(), &setup);
        assert_eq!((of("rss"), of("fds"), of("vmas")), (Some(1048576.0), Some(7.0), Some(0.0)));
        assert_eq!((of("mechanism"), of("page"), of("image")), (None, None, None));
    }

    #[test]
    fn errors_say_what_was_given_and_what_is_allowed() {
        for (name, text) in [
            ("rss", ""),
            ("rss", "1X"),
            ("rss", "-1"),
            ("rss", "0.5K"),
            ("page", "5k"),
            ("env", "A"),
            ("env", "=1"),
            ("threads", "-3"),
            ("threads", "100001"),
            ("image", "ls"),
            ("image", "'/bin/tr"),
            ("between", "warm"),
            ("delay", "3"),
            ("delay", "2s"),
            ("rewrite", "120%"),
            ("memory", "shm"),
            ("contents", "clean"),
            ("spread", "0"),
            ("busy", "spinn"),
            ("env-bytes", "7M"),
            ("env-bytes", "7"),
            ("path-dirs", "1001"),
            ("written", "0%"),
            ("written", "5"),
            ("written", "1/0"),
            ("written", "1/x"),
            ("dispatch", "pol"),
            ("jobs", "0"),
            ("load", "0%"),
            ("load", "50"),
            ("load", "0/s"),
            ("actions", "dup3"),
            ("nofile", "0"),
            ("mechanism", "extern"),
            ("mechanism", "extern: "),
            ("mechanism", "extern:'./x"),
            ("hazard", "mutx"),
            ("forks", "0"),
            ("duty", "100"),
        ] {
            let knob = find(name).unwrap();
            let error = (knob.set)(&mut Setup::default(), text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains(name), "{error}");
        }
    }
}
