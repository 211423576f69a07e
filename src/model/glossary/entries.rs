//! The entries, by subject. Figures are quoted with the machine that they were measured on.

use super::Entry;
use super::Kind::{
    self, BlockKind, Column, Event, ExitCode, File, Interval, Outcome, Phase, Reading, Role, Scope,
    Term, Verdict, Warning, Word,
};

/// Every entry.
pub static ENTRIES: &[Entry] = &[
    // The words of a run, from the smallest thing to the largest.
    entry(
        Word,
        "sample",
        &[],
        "one spawn, with all its stamps",
        "One row of samples.csv: one call, its child, and the reaping of it, with every stamp that \
         it has. Samples are kept, never averaged on disk and never dropped as outliers. A sample \
         is not the unit of inference: samples of one parent resemble each other more than they \
         resemble those of the next parent, so intervals are made from blocks and launches.",
    ),
    entry(
        Word,
        "spawn",
        &[],
        "making one child, from the call to the reaping",
        "What a mechanism does once. In the column `at` of readings.csv it means that the reading \
         was taken around the call, the child's life and its reaping, and not around the writing \
         of the memory after it.",
    ),
    entry(
        Word,
        "turn",
        &[],
        "consecutive samples of one variant",
        "The variants of one parent take turns in it, never at the same time. Cheap variants take \
         several samples per turn, so that a slow one starves nobody. The first samples of a turn \
         are its settling spawns. In samples.csv the column `turn` is the place of the turn within \
         its round, from 0.",
    ),
    entry(
        Word,
        "round",
        &[],
        "every variant of a parent, one turn each",
        "The order within a round is random, and changes from round to round so that each variant \
         follows each other equally often. In samples.csv the column `round` counts within the \
         block, from 0.",
    ),
    entry(
        Word,
        "rounds",
        &[],
        "how many rounds a block had",
        "A column of blocks.csv. As many as make a block last about 75 ms, but at least one; where \
         the budget allows, at least four.",
    ),
    entry(
        Word,
        "block",
        &[],
        "rounds under one random order, of one parent",
        "The smallest unit of inference: a block gives one median (or other quantile) per variant, \
         and two variants are compared within the block, under the same state of the machine. \
         Blocks are numbered uniquely within their launch, over all its subjects. blocks.csv is \
         the commit mark: a block without a row there did not happen, and its samples are left \
         out.",
    ),
    entry(
        Word,
        "launch",
        &[],
        "the life of fresh subjects, one for each distinct parent",
        "Every launch starts its parents anew. Parents of one shape differ by the layout of their \
         memory and by the pages the kernel gave them: on the reference machine the medians of \
         launches had a coefficient of variation of 11 % where the samples within them predicted \
         1.3 %. Hence at least ten launches, and intervals that are taken over launches as well as \
         over blocks. Launch 0 is the pilot, which sets the plan and is never counted.",
    ),
    entry(
        Word,
        "run",
        &[],
        "one command and its results directory",
        "All launches of one `forkbench run`, with one plan and one seed, in one directory. A run \
         can be resumed: the plan is on disk, and blocks that finished are not measured again.",
    ),
    entry(
        Word,
        "pilot",
        &[],
        "launch 0: each variant a few times, to see what the time will buy",
        "The pilot measures what setting up and each spawn cost; from that and the budget (--time) \
         the plan takes its launches, blocks and rounds. Its samples are kept with phase warmup \
         and enter no statistic.",
    ),
    entry(
        Word,
        "plan",
        &[],
        "what a run will do, resolved to numbers before it starts",
        "Written to plan.toml: scenarios as resolved, seed, budget, launches, blocks, and how \
         often each variant is sampled. A resumed run does the same plan, and reports join on it \
         and not on today's scenario files.",
    ),
    entry(
        Word,
        "budget",
        &[],
        "the time for the whole run, set-up included (--time)",
        "The plan divides it: launches take a fifth of it for setting up, between 10 and 20 of \
         them, about 100 blocks in all. A run stops when the time is up or the precision asked for \
         is reached, never because a difference has become significant: stopping at the first \
         interval that excludes 1 gave 21 to 26 % false alarms on the reference machine where 5 % \
         were meant.",
    ),
    // What is measured.
    entry(
        Word,
        "mechanism",
        &[],
        "a way to make a process, or the control that makes none",
        "fork, vfork, posix_spawn, clone3 and others; `forkbench list mechanisms` names them, and \
         each has an explanation of its own. A mechanism is what happens between the stamps. In \
         variants.csv the column `mechanism` holds its name; of a spawner of your own, `extern:` and \
         its command.",
    ),
    entry(
        Word,
        "setup",
        &[],
        "a parent and a work: everything that decides what is measured",
        "The parent is what needs a process of its own: a shape, and how the subject is started. \
         The work is what a turn does: mechanism, image, rewrite, what happens between samples. \
         Two setups can differ in knobs only, and equal setups are one variant. In the column `at` \
         of readings.csv `setup` means: when the subject had taken on its shape.",
    ),
    entry(
        Word,
        "knob",
        &[],
        "one thing in which two setups can differ",
        "A flag of `run`, a key in a scenario and a part of the column `settings`, all under one \
         name. `forkbench list knobs` names them, and each has an explanation of its own.",
    ),
    entry(
        Word,
        "variant",
        &[],
        "one setup in one run, with a number and a label",
        "A row of variants.csv; the other files refer to it by number, in the column `variant`. \
         The number means nothing outside its run: join runs by settings, or by label.",
    ),
    entry(
        Word,
        "scenario",
        &[],
        "a base setup and the axes that vary it",
        "In variants.csv the column `scenario` names the scenario that asked for the variant. As \
         it was resolved it stands in plan.toml.",
    ),
    entry(
        Word,
        "axis",
        &["axes"],
        "a list of values of a knob, each of which is measured",
        "A list is always an axis, in a scenario and on the command line: `--rss 0,256M,1G` \
         measures three parents with interleaved launches. Several axes are multiplied.",
    ),
    entry(
        Word,
        "point",
        &[],
        "one value on an axis",
        "A point may set several knobs at once (`[[axis.NAME]]` in a scenario).",
    ),
    entry(
        Word,
        "shape",
        &[],
        "what the parent looks like: memory, pages, threads, mappings, descriptors",
        "In variants.csv and launches.csv the column `shape` is its canonical label, the shape \
         knobs that are not default (`rss=1GiB threads=8`), or `empty`. What was asked for is then \
         looked for in /proc: see misshapen.",
    ),
    entry(
        Word,
        "parent",
        &[],
        "the process that makes children; the process under test",
        "A subject of a given shape. As a value of the column `scope` of readings.csv: events of \
         the parent alone are counted. Page faults that a fork causes later, when the parent \
         writes its memory again, are the parent's.",
    ),
    entry(
        Word,
        "subject",
        &[],
        "the process with the shape under test; or a variant that was asked for",
        "It is another process than forkbench, started anew for each launch and told its job on \
         standard input, so that its death or hang is a row and not an accident. As a role in \
         variants.csv: a variant that was asked for, as against control, twin and reference. In \
         launches.csv the column `subject` is its number within the launch.",
    ),
    entry(
        Word,
        "keeper",
        &[],
        "a process between forkbench and a subject that lets nothing outlive it",
        "A child subreaper: when forkbench is gone, even by SIGKILL, the keeper kills every \
         descendant. PR_SET_PDEATHSIG alone would let grandchildren live on.",
    ),
    entry(
        Word,
        "tape",
        &[],
        "memory shared by forkbench and a subject, to which samples are written",
        "A memory file with frames of fixed size and committed counts. Writing a sample takes no \
         system call, no allocation and no lock, and what was written survives the subject's \
         death.",
    ),
    entry(
        Word,
        "workload",
        &[],
        "what a turn does",
        "A column of variants.csv. The plain one spawns, waits and spawns again.",
    ),
    // The variants that every run carries.
    entry(
        Role,
        "control",
        &["own cost"],
        "the mechanism none: it makes no process, so its row is the cost of the tool itself",
        "A role in variants.csv. Its stamps are taken as those of any other mechanism, around \
         nothing. The cost is shown and never subtracted: subtraction would hide a bad \
         calibration.",
    ),
    entry(
        Role,
        "twin",
        &["A/A"],
        "the same setup as another variant under another name: an A/A test within the run",
        "A role in variants.csv; the settings are those of its original. The two must not differ; \
         where the interval of their ratio excludes 1, order, noise or chance separate equal \
         things, and differences of that size mean nothing in this run (see twin-differs).",
    ),
    entry(
        Role,
        "reference",
        &[],
        "the same mechanism in an empty parent, for the column `if empty`",
        "A role in variants.csv. It is measured in the same launches as the large parent, so that \
         the pair tells what the shape costs. Of check over directories (--reference) it is what a \
         variant is divided by: a barer mechanism of its kind, in the same parent and the same run.",
    ),
    // Intervals: where the clock stops.
    entry(
        Interval,
        "interval",
        &[],
        "the time between two stamps of one sample",
        "All in integer nanoseconds of CLOCK_MONOTONIC since the call was entered: blocked, born, \
         image, reaped; and rewrite, a length of its own. The first four do not nest in a fixed \
         order (a fork's caller is free before the child runs, a vfork's only after the exec), so \
         they are marks on one clock and must not be stacked. `Process creation` on one machine is \
         80 us or 4.4 ms depending on where the clock stops: never quote a figure without its \
         interval.",
    ),
    entry(
        Interval,
        "blocked",
        &["blocked_ns"],
        "until the call has returned in the parent: how long the caller was blocked",
        "Column blocked_ns of samples.csv, in nanoseconds from entering the call. It is what Redis \
         calls latest_fork_usec. For fork it is mostly the copying of page tables, and grows with \
         the parent; for vfork, posix_spawn and clone3-vm the kernel holds the caller until the \
         child has exec'd or exited. It says nothing of what the parent pays afterwards (see \
         rewrite).",
    ),
    entry(
        Interval,
        "born",
        &["born_ns"],
        "until the child runs its first instruction of our code",
        "Column born_ns of samples.csv, in nanoseconds from entering the call. The child stamps \
         the clock itself. On one CPU the child of a fork runs when the parent sleeps, so that \
         born includes what the parent does first. posix_spawn, pidfd_spawn and command run no \
         code of ours in the child: their cell is empty.",
    ),
    entry(
        Interval,
        "image",
        &["image_ns"],
        "until the new image runs its first instruction; also: what the child execs",
        "As an interval, column image_ns of samples.csv: nanoseconds from entering the call until \
         the image shipped with forkbench stamps the clock, before any loader or libc. Other \
         images do not stamp, and their cell is empty. As a column of variants.csv: what the child \
         execs. The image matters as much as the mechanism: on the reference machine a static one \
         took 383 us to reaped, /bin/true 615 us, an empty Rust program 1774 us.",
    ),
    entry(
        Interval,
        "reaped",
        &["reaped_ns"],
        "until the parent has reaped the child: the whole life",
        "Column reaped_ns of samples.csv, in nanoseconds from entering the call. It holds the \
         exec, the image's own run and exit, and the freeing of a copied address space in the \
         child: a fork of a dirty parent pays per page in the call, and again here. It is what \
         lmbench's lat_proc, perf bench and hyperfine report.",
    ),
    entry(
        Interval,
        "rewrite",
        &["rewrite_ns"],
        "how long the parent takes to write all its memory again: the bill after",
        "Column rewrite_ns of samples.csv, a length of its own, in nanoseconds. A page-copying \
         birth leaves every page of the parent write-protected, and the parent's next write to \
         each takes a page fault: about 1.07 us a page on the reference machine, 140 ms for 512 \
         MiB, twelve times the fork itself. It is measured by writing a byte per page, with the \
         first sample of each timed block and in count blocks; after other samples the memory is \
         made writable by MADV_POPULATE_WRITE, untimed. The control's is what the same writing \
         takes when nothing was forked before. Empty where nothing was timed. In workload=cow it is \
         the writing that the sample is about, by whoever writes.",
    ),
    entry(
        Word,
        "bill",
        &[],
        "what a page-copying birth costs the parent after the call has returned",
        "The faults that the parent takes as it writes its memory again: see rewrite. In the table \
         `+309 ms` stands for the median of rewrite_ns. Mechanisms that share memory until the \
         exec (vfork, posix_spawn, clone3-vm) have none.",
    ),
    // States of caches and memory.
    entry(
        Word,
        "hot",
        &[],
        "spawned in a loop, with warm caches: the figure most benchmarks give",
        "The samples of phase measure with --between hot, the default. Servers are not loops: on \
         the reference machine a vfork took 42 us in a loop, 60 us after 30 ms of sleep and 146 us \
         with cold caches.",
    ),
    entry(
        Word,
        "cold",
        &[],
        "the first spawn after the caches were scrubbed",
        "The samples with phase settle, pos 0, in round 0 of a timed block: a buffer larger than \
         the last cache was written just before. One such figure for each variant and block, shown \
         beside the hot one. Compare --between scrub:SIZE, which makes every sample cold.",
    ),
    entry(
        Phase,
        "settle",
        &["settling"],
        "a settling spawn: kept, shown as the cold figure, never in the statistics",
        "Writing the memory again, or another variant's turn, leaves the caches cold for the next \
         spawn: on the reference machine a vfork then took 143 us against 44, and was within 2 % \
         after three spawns. So a turn begins with three settling spawns; where the memory is \
         written again after each spawn they would change nothing, and a block has one. A value of \
         the column `phase`.",
    ),
    entry(
        Phase,
        "warmup",
        &["warm-up"],
        "before the timed blocks: kept, flagged, in no statistic",
        "As a value of `phase` and as a `kind` of block: the first round or rounds of each launch, \
         at least one, and the whole pilot. The first iterations in a fresh parent take 1.2 to \
         1.35 times the later ones.",
    ),
    entry(
        Phase,
        "measure",
        &[],
        "a sample that the statistics are made of",
        "A value of the column `phase`. Statistics of time use samples with phase measure and \
         status 0, in blocks of kind time, and no others.",
    ),
    entry(
        Column,
        "phase",
        &[],
        "what a sample counts for: warmup, settle, measure",
        "A column of samples.csv. Statistics are made of measure alone.",
    ),
    entry(
        Word,
        "contended",
        &[],
        "wall time beyond CPU time by a fifth: something else had the processor",
        "A sample of a page-copying birth is contended where blocked_ns exceeds 1.2 times \
         blocked_cpu_ns: the caller has no reason to sleep there. Such samples are flagged and \
         never dropped. As a warning: one sample in ten or more of a variant is so. A quieter \
         machine, or pinning away from other work, helps.",
    ),
    // Files of a results directory.
    entry(
        File,
        "environment.toml",
        &[],
        "the machine: kernel, CPU, limits, clock, noise, hashes, warnings",
        "Written at the start, and completed at the end with the noise from start to end. A fact \
         that the machine does not tell is an absent key. See fingerprint.",
    ),
    entry(
        File,
        "plan.toml",
        &[],
        "what the run does: scenarios as resolved, seed, budget, variants",
        "Reports and --resume read it, and never today's scenario files.",
    ),
    entry(
        File,
        "verdict.json",
        &[],
        "what was decided of each claim, as data (forkbench.verdict/1)",
        "Written before the program exits, so that a failing build still has it.",
    ),
    entry(
        Word,
        "fingerprint",
        &[],
        "a hash over what stays the same of a place; results differ in place if it does",
        "A key of environment.toml: SHA-256 over processor, microcode, number of CPUs, quota, \
         governor, mitigations, huge page settings, kernel release and libc version. Never over \
         megahertz, free memory or a host name, which would part one machine into many.",
    ),
    // Columns of the CSV files.
    entry(
        Column,
        "label",
        &[],
        "the short name of a variant, unique in its run",
        "A column of variants.csv: `fork`; with several shapes `rss=1GiB fork`; in an empty parent \
         `empty fork`; a twin `posix_spawn (twin)`.",
    ),
    entry(
        Column,
        "unit_ns",
        &[],
        "what the times of a row of cells.csv are counted in, in ns: 1, 2 or 5, with zeros",
        "An archived directory keeps times as multiples of it. It is 1 in an exact archive, and else \
         at most 1/1024 of the smallest time of the row, so that no time is off by more than 1/2048.",
    ),
    entry(
        Column,
        "values",
        &[],
        "the times of a row of cells.csv, sorted upwards, each above the one before by so much",
        "The first number is the smallest time, in unit_ns; each further one is how much the next \
         time is above it. `43217 12 0` in units of 1 are 43217, 43229 and 43229 ns.",
    ),
    entry(
        Word,
        "archive",
        &["archived"],
        "a results directory that has the times of each block in place of its samples",
        "Made by forkbench archive, and read by show, report, compare and check as the original is. \
         What its archive.toml says is lost: which times are of one sample, their order, and when \
         each began. So --export hyperfine and --resume need the original.",
    ),
    entry(
        Column,
        "role",
        &[],
        "why a variant is in the run: subject, control, twin, reference",
        "A column of variants.csv. Only subjects were asked for; the others are there so that the \
         subjects can be trusted and read.",
    ),
    entry(
        Column,
        "copies_pages",
        &[],
        "whether the birth copies the parent's page tables: true or false",
        "A column of variants.csv. True of fork, _fork and clone3 without flags. It decides \
         whether the memory is written again after a spawn, and whether a sample can be called \
         contended.",
    ),
    entry(
        Column,
        "settings",
        &[],
        "all knobs of a variant that are not default: name=value;name=value",
        "A column of variants.csv. Two variants with the same settings are the same setup (one of \
         them is a twin). Join runs by this. New knobs appear here and need no new column.",
    ),
    entry(
        Column,
        "outcome",
        &[],
        "how a subject ended: done, misshapen, unsupported, stuck, died, interrupted",
        "A column of launches.csv. Whatever it is, the blocks that were finished before count.",
    ),
    entry(
        Column,
        "detail",
        &[],
        "the evidence for an outcome other than done",
        "A column of launches.csv: what was asked for and seen, the signal that killed it, or the \
         autopsy, in one line. Empty for done.",
    ),
    entry(
        Column,
        "started_ns",
        &[],
        "when it began: nanoseconds of CLOCK_MONOTONIC",
        "A column of launches.csv and blocks.csv. The clock starts near the boot: it orders what \
         happened within one boot and is no date. The date stands in environment.toml.",
    ),
    entry(
        Column,
        "setup_ns",
        &[],
        "how long the subject took to take on its shape, in nanoseconds",
        "A column of launches.csv: allocating and writing memory, making threads, mappings and \
         descriptors. Outside all intervals. Empty where it never did.",
    ),
    entry(
        Column,
        "wall_ns",
        &[],
        "how long it lasted, in nanoseconds of CLOCK_MONOTONIC",
        "A column of launches.csv (the subject's whole life) and blocks.csv (from the block's \
         start to its end).",
    ),
    entry(
        Column,
        "steal_ticks",
        &["steal"],
        "time that the hypervisor gave to others meanwhile, in ticks of 10 ms",
        "A column of launches.csv and blocks.csv, from /proc/stat (column steal), for all CPUs \
         together. A tick is 1/USER_HZ of a second, usually 10 ms, so that a single one can \
         outlast a block. Empty where it cannot be read; always 0 on bare metal, and on \
         hypervisors that do not tell.",
    ),
    entry(
        Column,
        "kind",
        &[],
        "what a block was for: time, count, warmup, partial",
        "A column of blocks.csv. Statistics of time are made of blocks of kind time alone.",
    ),
    entry(
        Column,
        "coin",
        &[],
        "the random order of the first round of a block, as it fell",
        "A column of blocks.csv: positions of its variants joined by `-`. Of two variants `0-1` is \
         ABBA and `1-0` BAAB. It is stored so that anyone can check that the order was balanced, \
         and test for effects of order.",
    ),
    entry(
        Column,
        "pos",
        &[],
        "the place of a sample within its turn, from 0; settling spawns come first",
        "A column of samples.csv. In round 0 of a timed block the sample at pos 0, if it is a \
         settling one, is the cold figure.",
    ),
    entry(
        Column,
        "start_ns",
        &[],
        "when the call was entered: nanoseconds of CLOCK_MONOTONIC",
        "A column of samples.csv. The other stamps of the sample count from here.",
    ),
    entry(
        Column,
        "blocked_cpu_ns",
        &[],
        "CPU time of the calling thread during the sample, in nanoseconds",
        "A column of samples.csv, from CLOCK_THREAD_CPUTIME_ID, read before the call is entered \
         and again after the child was reaped, outside all intervals: it holds the call, the \
         waiting's own work and the reading itself. A blocked_ns far above it means that the \
         caller slept: for its child (vfork), or for a processor that others had (see contended). \
         With extern:CMD it is the CPU time of the helper, of all its threads.",
    ),
    entry(
        Column,
        "parent_cpu",
        &[],
        "the CPU that the caller ran on; empty where it is not known",
        "A column of samples.csv, read after the sample.",
    ),
    entry(
        Column,
        "child_cpu",
        &[],
        "the CPU that the child ran on; empty where it is not known",
        "A column of samples.csv, told by the child itself. With --child-cpu same it is the \
         parent's.",
    ),
    entry(
        Column,
        "status",
        &[],
        "0 if all went well; else the status of the child, or minus the errno of the call",
        "A column of samples.csv. A sample whose status is not 0 is kept, enters no statistic, and \
         has a row in events.csv.",
    ),
    entry(
        Column,
        "reading",
        &[],
        "a counted fact, or what was seen of a shape; its name",
        "A column of readings.csv and histograms.csv. `forkbench list readings` names them.",
    ),
    entry(
        Column,
        "scope",
        &[],
        "whose events a reading counts: parent, child, both",
        "A column of readings.csv. What was seen of a shape is the parent's.",
    ),
    entry(
        Column,
        "at",
        &[],
        "when a reading was taken: spawn, rewrite; of a shape: base, asked, setup, block",
        "A column of readings.csv. `spawn`: around call, child and reaping. `rewrite`: around the \
         writing of the memory afterwards. `base`: seen before the shape was taken on. `asked`: \
         what was asked for (of mappings, descriptors and threads: on top of base). `setup`: seen \
         when the shape was there. `block`: seen after a block.",
    ),
    entry(
        Column,
        "value",
        &[],
        "the total of a reading over these spawns, in the unit of the reading",
        "A column of readings.csv. One row stands for all spawns of a block that read the same, so \
         that value divided by spawns is what each of them read, exactly.",
    ),
    entry(
        Column,
        "spawns",
        &[],
        "how many spawns of the block read that value",
        "A column of readings.csv; 0 for what does not belong to a spawn. Summed over the rows of \
         a block it is the number of spawns counted.",
    ),
    entry(
        Column,
        "low_ns",
        &[],
        "the smallest value that falls into a bucket, in nanoseconds",
        "A column of histograms.csv. Buckets are those of an HdrHistogram; they do not overlap.",
    ),
    entry(
        Column,
        "high_ns",
        &[],
        "the largest value that falls into a bucket, in nanoseconds",
        "A column of histograms.csv. The values in the bucket lie from low_ns to high_ns, both \
         included.",
    ),
    entry(
        Column,
        "event",
        &[],
        "what happened: failed, refused, stuck, hung-proven, hung-unproven, crashed",
        "A column of events.csv. An event is a fact by itself and is kept even where its block did \
         not finish.",
    ),
    entry(
        Column,
        "pid",
        &[],
        "the process that an event happened to; empty if there was none",
        "A column of events.csv. The number is that of the machine at that time, and means nothing \
         after it.",
    ),
    entry(
        Column,
        "errno",
        &[],
        "the error number of the call that failed; empty if none did",
        "A column of events.csv, as Linux numbers them (`errno -l`).",
    ),
    entry(
        Column,
        "evidence",
        &[],
        "what was seen of an event, in one line",
        "A column of events.csv: the call and its error, the stage at which a child failed, or the \
         autopsy of what did not move.",
    ),
    // What a block was for.
    entry(
        BlockKind,
        "time",
        &[],
        "a timed block: the only kind that statistics of time are made of",
        "A value of `kind` in blocks.csv. It holds samples of phase settle too, which are not \
         counted.",
    ),
    entry(
        BlockKind,
        "count",
        &[],
        "a counted block: events around each spawn; its times are no statistics",
        "A value of `kind` in blocks.csv. Counting costs time (inherited perf counters made fork 9 \
         % slower and vfork 52 % on the reference machine), so it has blocks of its own, in a \
         subject of its own without address randomisation. In histograms.csv the column `count` is \
         the number of values in the bucket.",
    ),
    entry(
        BlockKind,
        "partial",
        &[],
        "a block that its subject did not finish: kept and shown, never counted",
        "A value of `kind` in blocks.csv: the samples that stood on the tape when the subject got \
         stuck, died or was interrupted.",
    ),
    // How a subject ended.
    entry(
        Outcome,
        "done",
        &[],
        "the subject did its whole job",
        "A value of `outcome` in launches.csv. Single spawns may still have failed: events.csv \
         tells.",
    ),
    entry(
        Outcome,
        "misshapen",
        &[],
        "the job was done, but the shape seen is not the shape asked for",
        "A value of `outcome` in launches.csv, and a warning. Memory and huge pages are looked for \
         in smaps, mappings, descriptors and threads in /proc, when the shape is taken on; huge \
         pages again after every block. The samples are kept: read the row as what was seen.",
    ),
    entry(
        Outcome,
        "unsupported",
        &[],
        "the subject could not take its shape, or a mechanism or image does not work here",
        "A value of `outcome` in launches.csv. `detail` says what was refused; `forkbench env` \
         says what works here.",
    ),
    entry(
        Outcome,
        "stuck",
        &[],
        "nothing moved for the stall limit; it was examined, then killed",
        "A value of `outcome` in launches.csv and of `event` in events.csv. Stuck means that \
         neither the phase nor the number of samples on the tape moved for the stall limit, \
         whatever the whole took. Before it is killed, the subject and its children are examined \
         twice: state, system call, where they wait, CPU time. Its finished blocks count.",
    ),
    entry(
        Outcome,
        "died",
        &[],
        "the subject ended before its job was done",
        "A value of `outcome` in launches.csv: a crash, a signal, or the kernel out of memory. Its \
         finished blocks count.",
    ),
    entry(
        Outcome,
        "interrupted",
        &[],
        "the run was interrupted while the subject lived",
        "A value of `outcome` in launches.csv, and a warning. Finished blocks count; `forkbench \
         run --resume DIR` completes the same plan.",
    ),
    // What happened to a child.
    entry(
        Event,
        "failed",
        &[],
        "a spawn failed, or its child ended with a status other than 0",
        "A value of `event` in events.csv. `errno` and `evidence` name the call and the stage. It \
         is never a fast sample.",
    ),
    entry(
        Event,
        "refused",
        &[],
        "a mechanism, or what it was asked to do, is not to be had here",
        "A value of `event` in events.csv: the kernel, the libc or a policy says no, or a variant \
         failed so often that it was given up. `forkbench env` says who refuses what.",
    ),
    entry(
        Event,
        "hung-proven",
        &[],
        "a child that can be proven never to go on",
        "A value of `event` in events.csv: it waits for a lock whose owner does not exist in it, \
         since only the forking thread was copied.",
    ),
    entry(
        Event,
        "hung-unproven",
        &[],
        "a child that makes no progress, without proof that it never will",
        "A value of `event` in events.csv. `evidence` tells where it waits.",
    ),
    entry(
        Event,
        "crashed",
        &[],
        "a child that was killed by a signal",
        "A value of `event` in events.csv; `evidence` names the signal. Of workload=hazard also a \
         child that found something wrong and ended with another status than 0.",
    ),
    entry(
        Scope,
        "child",
        &[],
        "the process that was made; its events alone",
        "A value of `scope` in readings.csv. In an exec'd child the events are those from its \
         birth to its exit, the image's included.",
    ),
    entry(
        Scope,
        "both",
        &[],
        "parent and child together",
        "A value of `scope` in readings.csv, for counters that cannot part the two.",
    ),
    // Readings.
    entry(
        Reading,
        "minor_faults",
        &["page fault", "minor fault"],
        "page faults served without input or output, counted by perf_event",
        "Software event PERF_COUNT_SW_PAGE_FAULTS_MIN, kernel included, for parent and child \
         apart. A fork itself faults little; the bill after it is one fault for each page the \
         parent writes again (at rewrite). Nearly exact, not exact: with address randomisation 48 \
         % of vfork spawns were off their launch's mode on the reference machine, without it none. \
         MADV_POPULATE_WRITE does not show here.",
    ),
    entry(
        Reading,
        "major_faults",
        &["major fault"],
        "page faults that waited for input or output, counted by perf_event",
        "Software event PERF_COUNT_SW_PAGE_FAULTS_MAJ. Anything but 0 means that pages came from a \
         file or from swap: the sample is not about process creation alone.",
    ),
    entry(
        Reading,
        "context_switches",
        &[],
        "context switches, counted by perf_event",
        "Software event PERF_COUNT_SW_CONTEXT_SWITCHES. On one CPU a spawn takes at least one away \
         from the parent and one back.",
    ),
    entry(
        Reading,
        "migrations",
        &[],
        "moves to another processor, counted by perf_event",
        "Software event PERF_COUNT_SW_CPU_MIGRATIONS. None with --child-cpu same.",
    ),
    entry(
        Reading,
        "task_clock_ns",
        &[],
        "CPU time in nanoseconds, by perf_event",
        "Software event PERF_COUNT_SW_TASK_CLOCK: time on a processor, not waiting.",
    ),
    entry(
        Reading,
        "cycles",
        &[],
        "processor cycles, by a hardware counter where there is one",
        "PERF_COUNT_HW_CPU_CYCLES, user and kernel. Most virtual machines have no hardware \
         counters: then there are no rows.",
    ),
    entry(
        Reading,
        "instructions",
        &[],
        "instructions executed, by a hardware counter where there is one",
        "PERF_COUNT_HW_INSTRUCTIONS, user and kernel. Most virtual machines have no hardware \
         counters: then there are no rows.",
    ),
    entry(
        Reading,
        "rusage_minor_faults",
        &[],
        "ru_minflt: minor faults as getrusage and wait4 tell them",
        "A cross-check of minor_faults, in the same block. Known differences: one more per exec \
         (the page of the arguments), and MADV_POPULATE_WRITE is counted. Beyond those, see \
         faults-disagree.",
    ),
    entry(
        Reading,
        "rusage_major_faults",
        &[],
        "ru_majflt: major faults as getrusage and wait4 tell them",
        "A cross-check of major_faults, in the same block.",
    ),
    entry(
        Reading,
        "mapped_bytes",
        &[],
        "length of the mapping that the memory of the knob rss lies in, from smaps",
        "As large as rss, or, with --spread N, N times as large.",
    ),
    entry(
        Reading,
        "rss_bytes",
        &[],
        "resident bytes of the memory that the knob rss asked for, from smaps",
        "Only that memory, without the program itself; see vm_rss_bytes for the whole. Pages of \
         the hugetlb pool are not in it, nor is the zero page, which memory maps that was only \
         read: there 0 is asked for.",
    ),
    entry(
        Reading,
        "vm_rss_bytes",
        &[],
        "resident bytes of the whole subject (VmRSS in /proc/PID/status)",
        "Exact where smaps is; the kernel may lag by some pages per thread here.",
    ),
    entry(
        Reading,
        "anon_huge_bytes",
        &[],
        "bytes of that memory in transparent huge pages (AnonHugePages in smaps)",
        "Looked at when the shape is taken on and after every block, since the kernel may split \
         and join huge pages at any time. With --page 4k it must be 0.",
    ),
    entry(
        Reading,
        "multi_huge_bytes",
        &[],
        "bytes of that memory in transparent huge pages of the smaller size asked for (mTHP)",
        "With --page 64k and the like. Root sees it page by page (/proc/self/pagemap and \
         /proc/kpageflags), when the shape is taken on and after every block. Anybody else has \
         only the kernel's counter anon_fault_alloc, which is that of the whole machine and so an \
         upper bound, and only when the shape is taken on.",
    ),
    entry(
        Reading,
        "hugetlb_bytes",
        &[],
        "bytes of that memory in pages of the hugetlb pool (Private_Hugetlb in smaps)",
        "With --page hugetlb. Such pages are in no other count of memory: not in rss_bytes, not in \
         vm_rss_bytes.",
    ),
    entry(
        Reading,
        "dontfork_bytes",
        &[],
        "bytes of that mapping that the kernel marks as not to be forked (`dc` in smaps)",
        "With --advice dontfork the whole of it, else 0.",
    ),
    entry(
        Reading,
        "wipeonfork_bytes",
        &[],
        "bytes of that mapping that the kernel marks as to be wiped on fork (`wf` in smaps)",
        "With --advice wipeonfork the whole of it, else 0.",
    ),
    entry(
        Reading,
        "locked_bytes",
        &[],
        "bytes of that mapping that the kernel marks as locked (`lo` in smaps)",
        "With --advice mlock the whole of it, else 0. It is the mapping that is marked: what was \
         not touched is not there, and will stay once it is.",
    ),
    entry(
        Reading,
        "pages",
        &[],
        "pages that workload=cow has written, each once",
        "Base pages of 4 KiB as a rule: one write in each page of the memory that a fork leaves to \
         be copied. `forkbench explain cow` says more.",
    ),
    entry(
        Reading,
        "rewritten_ns",
        &["already written"],
        "how long it took to write the same pages once more, in nanoseconds",
        "workload=cow writes its pages twice in each sample, while nothing else has changed: the \
         first time is `rewrite`, and pays for the fork; this is the second, and pays for nothing. \
         It should be what the mechanism `none` takes, which never forked.",
    ),
    entry(
        Reading,
        "private_dirty_bytes",
        &["Private_Dirty", "Private_Hugetlb"],
        "how much of that memory became private while workload=cow wrote it",
        "The growth of Private_Dirty (of Private_Hugetlb for page=hugetlb) in /proc/PID/smaps, of \
         the memory that `rss` asked for, from before the writing until after it. With the child \
         alive it is what was copied, and what the machine needs on top. The child's grows with \
         its parent's: what one of two has copied the other has for itself.",
    ),
    entry(
        Reading,
        "first_byte_ns",
        &[],
        "from the start of a pipeline to the first byte that comes out, in nanoseconds",
        "Of workload=pipeline: the clock starts as the first pipe is made, and stops when the \
         parent's first read has returned.",
    ),
    entry(
        Reading,
        "through_ns",
        &[],
        "from the first byte of a pipeline to its end of file, in nanoseconds",
        "Of workload=pipeline. Bytes per second are `through_bytes` divided by it; with no more \
         than fits into a pipe (64 KiB) it is mostly the end of the last stage.",
    ),
    entry(
        Reading,
        "through_bytes",
        &[],
        "bytes that went through a pipeline",
        "Of workload=pipeline: what came out, or with sink=file what stands in the file. It is \
         what went in, or the sample has failed.",
    ),
    entry(
        Reading,
        "eof_missing",
        &[],
        "1 where the end of file of a pipeline never came, else 0",
        "Of workload=pipeline. With pipe-ends=leaked each stage holds a write end of the pipe that \
         it reads. An event names the descriptor.",
    ),
    entry(
        Reading,
        "forks",
        &[],
        "processes that a batch of workload=hazard has made",
        "Fixed before the batch begins (`forks`), whatever is seen in it.",
    ),
    entry(
        Reading,
        "hung",
        &[],
        "children that did not end by themselves",
        "Of workload=hazard: `proven` and `unproven` together. They are killed once they have \
         been judged.",
    ),
    entry(
        Reading,
        "proven",
        &[],
        "children that are proven never to go on",
        "One task in a futex wait without a time limit on a word that still has the awaited \
         value, in memory that nobody else has, with no timer and no progress, seen twice. \
         METHODOLOGY.md has the whole rule. The evidence of the first ones is in events.csv \
         (hung-proven).",
    ),
    entry(
        Reading,
        "unproven",
        &[],
        "children that made no progress, without proof that they never would",
        "They are looked at for two seconds. The evidence says of what kind each is: spin, \
         back-off, pipe, sleep, stopped, timer, shared memory, not readable (events.csv, \
         hung-unproven).",
    ),
    entry(
        Reading,
        "broken",
        &[],
        "children that a signal ended, or that found something wrong",
        "A fork in the middle of a change can leave data half changed in the child: it crashes, \
         fails an assertion, or sees that it is wrong and exits with another status than 0.",
    ),
    entry(
        Reading,
        "watched",
        &[],
        "births before which the word of the lock was read",
        "Once the first hung child has shown the address of its lock, the parent reads the \
         same word just before each further birth.",
    ),
    entry(
        Reading,
        "held",
        &[],
        "births before which somebody held the lock",
        "Of those `watched`. Their share predicts the rate at which children hang.",
    ),
    entry(
        Reading,
        "pause_ns",
        &[],
        "pauses before births, added up",
        "Random pauses, exponential, so that a birth falls on any moment alike. Only where \
         the lock is forkbench's own (hazard=mutex).",
    ),
    entry(
        Reading,
        "held_ns",
        &[],
        "time within the pauses for which the lock was held",
        "Divided by `pause_ns` it is the share of time that predicts the rate at which \
         children hang.",
    ),
    entry(
        Reading,
        "extern_round_trip_ns",
        &[],
        "an empty exchange with the helper of extern:CMD, in nanoseconds",
        "A `ping` written and a `pong` read, once in a turn, just after a sample. It is the least that \
         the two pipes and two switches take, and is contained in blocked_ns where the helper does \
         not stamp its own calls; where it does, it is in no interval. In readings.csv at `work`.",
    ),
    entry(
        Reading,
        "extern_exchange_ns",
        &[],
        "from the request to the last answer of a helper that stamps its calls, in nanoseconds",
        "What reaped_ns would be without the stamps of the helper of extern:CMD. The difference is \
         the pipes, the switches, and what the helper does beside its calls. In readings.csv at \
         `work`, with each sample; absent where the helper does not stamp.",
    ),
    entry(
        Reading,
        "bystander_ns",
        &["bystander", "bystanders"],
        "how long single operations of the bystanders took, during a spawn",
        "A distribution, in histograms.csv. Bystanders are the busy threads of workload=stall; each \
         repeats one operation, and what begins between the call and the end of the child is \
         counted, without the time in which the thread was ready to run and had no processor. A \
         freeze is one long operation of many: look at the largest, `bystander_ns.max`, and at \
         longest_ns.",
    ),
    entry(
        Reading,
        "operations",
        &[],
        "operations of all bystanders that began while a spawn lasted",
        "The control `none` lasts a millisecond.",
    ),
    entry(
        Reading,
        "longest_ns",
        &["stands still"],
        "the longest time that a bystander stood still during a spawn",
        "The longest operation, or time between two: a thread whose stack a fork has \
         write-protected can freeze between them too. Without waiting for a processor.",
    ),
    entry(
        Reading,
        "frozen_ns",
        &["frozen"],
        "time that bystanders stood still for more than 100 us at once, added up over all of them",
        "The threshold is ten times what an idle machine does to a thread and is the same for all \
         variants; a fork that takes less freezes nobody by this count, and longest_ns still tells \
         how long. Divided by the number of threads it is the freeze of each.",
    ),
    entry(
        Reading,
        "waited_ns",
        &[],
        "time in which bystanders were ready to run and had no processor",
        "From /proc/thread-self/schedstat. More bystanders than processors take turns, and so do \
         they with other programs; that is nothing that the spawn does, so it counts in no other \
         figure. Where the kernel does not tell (CONFIG_SCHED_INFO) the reading is absent, and the \
         wait is in the others.",
    ),
    entry(
        Reading,
        "jobs",
        &[],
        "jobs of a batch that were done",
        "A sample of workload=throughput is a batch. As many as `--jobs` says, less those that \
         failed. Divided by `batch_ns` it is the rate.",
    ),
    entry(
        Reading,
        "batch_ns",
        &[],
        "from the start of a batch, or the first arrival, to the end of its last job",
        "Where several dispatch, it begins before the first of them is told to, and ends with the \
         last.",
    ),
    entry(
        Reading,
        "batch_cpu_ns",
        &[],
        "CPU time in a batch of all that take part, without busy threads",
        "The clock of the parent's process, getrusage of its children, and the same of each \
         helper (fork server, worker, spawner of its own). With busy threads their clocks are \
         taken away.",
    ),
    entry(
        Reading,
        "failed_eagain",
        &[],
        "jobs of a batch that failed with EAGAIN: no process or thread was to be had",
        "RLIMIT_NPROC, kernel.threads-max or the pids limit of a control group was hit. Such a \
         job is counted, never tried again; the first of each batch is an event too.",
    ),
    entry(
        Reading,
        "failed_emfile",
        &[],
        "jobs of a batch that failed with EMFILE: no descriptor was to be had",
        "RLIMIT_NOFILE was hit: a pidfd, or a descriptor passed to a fork server. Such a job is \
         counted, never tried again; the first of each batch is an event too.",
    ),
    entry(
        Reading,
        "failed_other",
        &[],
        "jobs of a batch that failed for another reason, or that nobody was left to do",
        "A child with a status other than 0, another errno, or a worker that has died: the job it \
         had, and one of each later batch; all, if it was the last. The first of each batch is an \
         event too.",
    ),
    entry(
        Reading,
        "zombies",
        &[],
        "children that had ended after a batch and that nobody had waited for",
        "0 unless something is wrong. They are waited for then, in the parent and in each helper.",
    ),
    entry(
        Reading,
        "leaked_descriptors",
        &[],
        "descriptors open after a batch that were not before it",
        "0 unless something is wrong. Of the parent and of each helper, counted in /proc/self/fd.",
    ),
    entry(
        Reading,
        "job_ns",
        &[],
        "from the beginning of a job until its end is known, in a closed loop",
        "A distribution: `job_ns.p50`, `job_ns.p99.9`, `job_ns.max`. With several jobs in flight \
         it holds the time that others took the processor.",
    ),
    entry(
        Reading,
        "capacity_ns",
        &[],
        "how long the same jobs took in a closed loop, just before an open one",
        "Every batch of an open loop whose load is a share comes after a closed one of as many \
         jobs; its rate is the capacity that the share is of.",
    ),
    entry(
        Reading,
        "interval_ns",
        &[],
        "from one arrival of an open loop to the next",
        "What the load asks for: the reverse of the arrival rate. Arrivals are evenly spaced.",
    ),
    entry(
        Reading,
        "least_wait_first_ns",
        &[],
        "the shortest wait of a job for its beginning in the first third of a batch",
        "Of an open loop, from the instant at which the job was to begin. See `saturated`.",
    ),
    entry(
        Reading,
        "least_wait_middle_ns",
        &[],
        "the shortest wait of a job for its beginning in the middle third of a batch",
        "Of an open loop, from the instant at which the job was to begin. See `saturated`.",
    ),
    entry(
        Reading,
        "least_wait_last_ns",
        &[],
        "the shortest wait of a job for its beginning in the last third of a batch",
        "Of an open loop, from the instant at which the job was to begin. See `saturated`.",
    ),
    entry(
        Reading,
        "saturated",
        &[],
        "1 if the backlog of an open loop grew as long as jobs arrived, else 0",
        "Where the capacity suffices, every third of a batch has a job that hardly waits. Past \
         it, the shortest wait of the last third is above that of the middle one, and this above \
         that of the first, and it is at least a fortieth of the batch in arrivals. The \
         percentiles of such a batch say how long it was, not how the system responds.",
    ),
    entry(
        Reading,
        "service_ns",
        &[],
        "from the beginning of a job until its end is known, in an open loop",
        "A distribution. Without the waiting before it: what a closed loop calls the latency of a \
         job.",
    ),
    entry(
        Reading,
        "response_ns",
        &[],
        "from the instant at which a job was to begin until its end is known",
        "A distribution of an open loop. A job that arrives while another is served waits, and \
         that wait is in here; a loop that stamps only what it has begun does not see it.",
    ),
    entry(
        Reading,
        "proved",
        &[],
        "1: the image of workload=gap is what was asked for, as it reports; 0: it is not",
        "In count blocks the child executes an image that tells what it has become, by system calls \
         of its own: what is open, where it is, who it is, what signals do. It is compared with \
         what `actions` asked for, which is never what a child would be anyway. Where it is 0 an \
         event says what differs.",
    ),
    entry(
        Reading,
        "means",
        &[],
        "by what the actions were done: 1 attribute, 2 file action, 3 child code, 4 pre_exec",
        "Of workload=gap; of several actions the largest. 1: something of the mechanism itself, such \
         as an attribute of posix_spawn, a flag of clone3 or a method of Command. 2: a file action \
         of posix_spawn. 3: code of one's own in the child. 4: a closure that Command runs in the \
         child, for which it forks. What a mechanism has no way to do is an event `refused` \
         without an errno.",
    ),
    entry(
        Reading,
        "vm_pte_bytes",
        &["VmPTE"],
        "page tables of the subject (VmPTE in /proc/PID/status)",
        "What a fork has to copy: 8 bytes for each page of 4 KiB on x86_64, about 2 MiB of tables \
         for 1 GiB. Costs are quoted per MiB and per PTE.",
    ),
    entry(
        Reading,
        "vmas",
        &[],
        "mappings of the subject, as lines of /proc/PID/maps",
        "`asked` is on top of `base`. A fork copies each mapping's description even where it \
         copies no page. See VMA.",
    ),
    entry(
        Reading,
        "vma_rss_bytes",
        &[],
        "resident bytes of the mappings that `vmas` adds, from smaps",
        "A page for each with --vma-contents dirty, and 0 otherwise; anything else makes the \
         subject misshapen. They are not part of rss_bytes.",
    ),
    entry(
        Reading,
        "fds",
        &[],
        "open descriptors of the subject, as entries of /proc/PID/fd",
        "`asked` is on top of `base`. A birth without CLONE_FILES copies the table of descriptors.",
    ),
    entry(
        Reading,
        "highest_fd",
        &[],
        "the largest number of an open descriptor of the subject",
        "The kernel's table of descriptors reaches at least up to it, and every birth copies that \
         table. With --fd-layout high it must be what `fds` says.",
    ),
    entry(
        Reading,
        "threads",
        &[],
        "threads of the subject (Threads in /proc/PID/status)",
        "`asked` is on top of `base`. A fork copies the calling thread alone, but a parent that \
         ever had a second thread takes the libc's locks around it: one joined thread made fork 33 \
         % slower on the reference machine.",
    ),
    entry(
        Reading,
        "busy_cpu_ns",
        &[],
        "CPU time that all busy threads together used during a block",
        "Read from the threads' own clocks before the block and after it. It shows that they ran: \
         with spin and malloc a tenth of what their processors had to give is needed, with fault \
         and mmap, which wait while a fork holds the lock of the memory, anything at all; less \
         makes the subject misshapen.",
    ),
    // Statistics.
    entry(
        Word,
        "p50",
        &["p90", "p95", "p99", "percentile", "median", "quantile"],
        "a percentile: that share of the samples took no longer",
        "p50 is the median, p90, p95 and p99 the tails. A percentile is shown only where there are \
         samples enough for an interval around it (an order-statistic interval; `need n >= 299` \
         instead of a made-up number).",
    ),
    entry(
        Word,
        "ratio",
        &["vs"],
        "how many times as long as the variant that is compared with (--vs)",
        "The logarithms of the ratios of block quantiles, joined by the Hodges-Lehmann estimate. \
         The interval is the wider of two: the exact signed-rank interval over blocks, and a t \
         interval over launches.",
    ),
    entry(
        Word,
        "estimate",
        &[],
        "a figure with an interval: value, ratio, slope, spread or crossover",
        "Derived from the files, never stored in them. The interval says how well the figure is \
         known in this run; it does not cover what another machine or day would give.",
    ),
    entry(
        Word,
        "law",
        &[],
        "how the median of an interval grows along an axis of numbers, with its interval",
        "A line through the medians of fresh parents, or that they do not grow, for variants that \
         differ in that one knob alone: `fork costs 16.9 us per MiB (16.6 to 17.3)`. It is fitted \
         launch by launch, since launches are what repeats. `show --at rss=20GiB` applies it to \
         a value that was not measured.",
    ),
    entry(
        Word,
        "slope",
        &["per MiB", "per PTE", "per VMA", "per fd", "per thread", "per KiB", "per directory"],
        "what each further unit of an axis adds to a figure",
        "In ns for each MiB of memory, entry of the page tables (PTE), mapping, descriptor, \
         thread, KiB of strings or directory of PATH. The same slope is given per MiB and per \
         PTE, since machines and page sizes differ in how many entries a MiB takes.",
    ),
    entry(
        Word,
        "R2",
        &[],
        "the share of the variance of the medians that the line of a law explains",
        "1 if every median lies on the line. It is rounded down, so that 1.0000 means just that. \
         It says that a line describes the points, not that it is known closely: the interval of \
         the slope says that. What does not grow has a low one and is none the worse for it.",
    ),
    entry(
        Word,
        "linear",
        &[],
        "growth of a law: along a line",
        "Each further unit adds the same, which is the slope.",
    ),
    entry(
        Word,
        "flat",
        &[],
        "growth of a law: none, within what a reader would care for",
        "It `does not grow` up to the largest value that was measured, and no further is said.",
    ),
    entry(
        Word,
        "bent",
        &[],
        "growth of a law: it grows, but a line does not describe it",
        "No slope is told in words, and `show --at` gives no figure for it.",
    ),
    entry(
        Word,
        "falls",
        &[],
        "growth of a law: it becomes less along the axis",
        "As what is shared among more does. `show --at` gives no figure for it, since no time \
         falls for ever.",
    ),
    entry(
        Word,
        "extrapolated",
        &["extrapolation"],
        "of a value beyond what was measured, by the law alone",
        "`show --at rss=20GiB` after a run up to 4 GiB. The interval is where 95 % of new parents \
         lie if the law holds there too; whether it does, no measurement says.",
    ),
    entry(
        Word,
        "interpolated",
        &["interpolation"],
        "of a value between those that were measured, by the law",
        "Given by `show --at` with the 95 % prediction interval for a new parent.",
    ),
    entry(
        Word,
        "reproduced",
        &["not reproduced", "cannot be shown here"],
        "the claim that follows from a published figure holds on this machine",
        "Of a scenario with a source, HOLDS reads `reproduced`, FAILS `not reproduced`, UNCLEAR \
         `unclear` and NOT SHOWN `cannot be shown here`. Claimed are shapes, ranges of slopes and \
         ratios: a figure from another machine is not expected to match, and the factor beside \
         it (here / theirs) is no verdict.",
    ),
    entry(
        Word,
        "claim",
        &[],
        "an estimate of a quantity, at a place on the axes, in a range",
        "A claim, a budget, a gate and a published figure are one thing: `blocked.p50 of fork at \
         rss=1GiB at least 20 times posix_spawn`. What becomes of it is a finding.",
    ),
    entry(
        Word,
        "budget.toml",
        &["budget file", "--claims"],
        "claims of your own, held against any results directory",
        "A file of [[claim]] tables as scenarios have them: `posix_spawn within 3 times vfork`. \
         `forkbench check DIR --claims FILE` judges by it alone, with the exit codes of claims.",
    ),
    entry(
        Word,
        "waiver",
        &["waived", "--waivers"],
        "a row or claim that may be red until a day, and why",
        "`forkbench check --waivers FILE` takes [[waiver]] tables with `row`, `until` and `because`. \
         The row stays red and makes no exit code; after its day it fails as any other.",
    ),
    entry(
        Word,
        "finding",
        &[],
        "what became of a claim: HOLDS, FAILS, UNCLEAR or NOT SHOWN",
        "It carries the estimate, its interval and the evidence.",
    ),
    entry(
        Word,
        "verdict",
        &[],
        "what was decided of a checked row: REGRESSED, OK, IMPROVED or INCONCLUSIVE",
        "By the interval of a ratio against a margin (3 % for p50 and 10 % for p95 unless given). \
         Rows that can fail a build are corrected for their number by Benjamini and Hochberg.",
    ),
    entry(
        Word,
        "floor",
        &[],
        "how far runs of one and the same thing lie apart on a machine",
        "What 95 % of the pairs of runs of `forkbench validate` do not exceed, for a mechanism, a \
         shape, a quantity and what it was divided by; stored for the fingerprint of the machine. \
         No margin of check over directories (--base DIR.. --cand DIR..) is below it, nor below \
         5 %.",
    ),
    entry(
        Word,
        "across",
        &[],
        "a difference of the surroundings that is the question of a check over directories",
        "Runs whose kernel, libc, cpu, mitigations, memory, cgroup, image or build differ are NOT \
         COMPARABLE unless the topic is declared (--across kernel). Then nothing is divided by a \
         reference, which goes through the difference too, and the boot is the unit: at least five \
         a side, and directories of one boot are one.",
    ),
    entry(
        Word,
        "validation",
        &["validate", "false alarm", "power"],
        "checks whose truth is known, and how often their verdicts are wrong",
        "`forkbench validate` checks a variant against itself, where REGRESSED is a false alarm, \
         and against itself with a delay, where anything but REGRESSED is a miss. Its \
         directory holds what was run (validate.toml), what became of each check (checks.csv), \
         the rates (summary.csv, validation.md), and every check as a results directory.",
    ),
    entry(
        Verdict,
        "HOLDS",
        &[],
        "the whole interval lies in the range that was claimed",
        "A finding: shown, at the confidence of the interval.",
    ),
    entry(
        Verdict,
        "FAILS",
        &[],
        "the whole interval lies outside the range that was claimed",
        "A finding; `forkbench check` then ends with exit code 3.",
    ),
    entry(
        Verdict,
        "UNCLEAR",
        &[],
        "the interval straddles a bound of the claim: neither shown nor refuted",
        "A finding. More launches narrow the interval; no finding is made by peeking until it \
         fits.",
    ),
    entry(
        Verdict,
        "NOT SHOWN",
        &[],
        "there is no figure, and the row says why",
        "Too few samples or blocks for that percentile, a mechanism that is not to be had here, or \
         a measurement that would mean something else here (busy threads on one CPU).",
    ),
    entry(
        Verdict,
        "REGRESSED",
        &[],
        "the whole interval of the ratio lies above 1 plus the margin",
        "A verdict of `check`; exit code 3. It is the claim `ratio at most 1 + margin` that FAILS.",
    ),
    entry(
        Verdict,
        "OK",
        &[],
        "the whole interval lies within the margin",
        "A verdict of `check`: shown not to have got worse by more than the margin.",
    ),
    entry(
        Verdict,
        "IMPROVED",
        &[],
        "the whole interval of the ratio lies below 1 by more than the margin",
        "A verdict of `check`; it fails no build.",
    ),
    entry(
        Verdict,
        "INCONCLUSIVE",
        &[],
        "the interval is too wide to say, or the A/A twin failed",
        "A verdict of `check`; exit code 4 under --strict, else 0 with a warning. The row prints \
         the smallest effect it could have found.",
    ),
    // Warnings about a run.
    entry(
        Warning,
        "nothing-measured",
        &[],
        "no timed block was finished, so there is nothing to show",
        "launches.csv and events.csv say how each parent ended. Exit code 5.",
    ),
    entry(
        Warning,
        "parent-unsupported",
        &[],
        "a parent could not take its shape, or a mechanism or image does not work here",
        "Its row in launches.csv has outcome unsupported and says what was refused.",
    ),
    entry(
        Warning,
        "parent-stuck",
        &[],
        "nothing moved in a parent for the stall limit; it was examined and killed",
        "The evidence stands in launches.csv and events.csv. Its finished blocks count.",
    ),
    entry(
        Warning,
        "parent-died",
        &[],
        "a parent ended before its job was done",
        "A crash, a signal, or the kernel out of memory. Its finished blocks count.",
    ),
    entry(
        Warning,
        "variant-failed",
        &[],
        "some spawns failed; they stand outside all statistics",
        "The call returned an error, or the child ended with a status other than 0. events.csv \
         says which. A variant that keeps failing is given up.",
    ),
    entry(
        Warning,
        "twin-differs",
        &[],
        "a variant differs from itself: the interval of the A/A ratio excludes 1",
        "Order, the machine's noise or chance separates equal things, so differences of that size \
         mean nothing here. One run in twenty shows this by chance. Under `check` everything is \
         then INCONCLUSIVE.",
    ),
    entry(
        Warning,
        "parents-disagree",
        &[],
        "fresh parents of one shape lie far apart: 1.5 times or more",
        "Medians of blocked over launches, of at least four samples each. Usual causes: memory \
         that the hypervisor backs at first touch, huge pages on the host, other work on the \
         machine. The interval of the ratio takes it into account; more launches narrow it.",
    ),
    entry(
        Warning,
        "few-samples",
        &[],
        "too few samples for an interval around the median",
        "The table says how many it takes. Give the run more time (--time).",
    ),
    entry(
        Warning,
        "drift",
        &[],
        "the second half of the blocks of a launch differs from the first by over 5 %",
        "The machine changed its state. Ratios are safe, since all variants take turns; times are \
         not.",
    ),
    entry(
        Warning,
        "short-warm-up",
        &[],
        "the first block of a launch differs from the others by over 2 %",
        "The warm-up was too short for it.",
    ),
    entry(
        Warning,
        "one-launch",
        &[],
        "all blocks come from one parent",
        "Parents of one shape differ more than the samples of one parent tell, and nothing is \
         known here about how much. Use --launches 10 or more.",
    ),
    entry(
        Warning,
        "perf-fallback",
        &[],
        "perf_event was refused, so page faults come from getrusage",
        "kernel.perf_event_paranoid, a container's policy or a missing privilege. getrusage counts \
         one fault more per exec, and those of MADV_POPULATE_WRITE. `forkbench env` says who \
         refuses and what to do.",
    ),
    entry(
        Warning,
        "faults-disagree",
        &[],
        "perf_event and getrusage counted different numbers of faults in one block",
        "Beyond the one more per exec that getrusage shows, and 2 %. Trust neither until it is \
         understood.",
    ),
    entry(
        Warning,
        "child-never-left",
        &[],
        "--child-cpu free, but no child was seen on another CPU than its parent's",
        "The child was free to run anywhere. The figures are those of --child-cpu same.",
    ),
    entry(
        Warning,
        "fork-flattered",
        &[],
        "batches of forks of a memory that nothing writes again between two of them",
        "A fork leaves all pages write-protected, and the next one of an untouched memory is cheaper \
         by a quarter to a third. workload=throughput rewrites nothing in between (rewrite=none). \
         `threads=1 busy=rewrite` has a thread write the memory meanwhile.",
    ),
    entry(
        Warning,
        "pipe-included",
        &[],
        "a helper of extern:CMD that does not stamp its own calls",
        "Its blocked and reaped count from the request to the answers, and contain two pipes, the \
         switches to the helper and back, and what it does beside its call. Compare it with itself, \
         or let it say `ready stamps` (FORMAT.md).",
    ),
    entry(
        Warning,
        "torn-line",
        &[],
        "the last line of a file was not complete, and was dropped",
        "As after a crash or on a full disk. All other lines are kept.",
    ),
    entry(
        Warning,
        "dropped-rows",
        &[],
        "rows whose block has no row in blocks.csv were left out",
        "That block was never finished, so it did not happen; `forkbench run --resume DIR` runs it \
         again.",
    ),
    // Warnings about a machine.
    entry(
        Warning,
        "not-release-build",
        &[],
        "a debug build of forkbench measured this",
        "Its own code between the stamps is slower, and its child makes calls that were not \
         audited. Build with `cargo build --release`. `check` refuses such results.",
    ),
    entry(
        Warning,
        "traced",
        &[],
        "a debugger or tracer is attached to forkbench",
        "Each birth and each exec stops for the tracer. Measure without it; a subject can be run \
         under strace by hand to see what it does.",
    ),
    entry(
        Warning,
        "one-cpu",
        &[],
        "this process may use one CPU only",
        "The tool, the parent's other threads and the child take turns on it, and rows with busy \
         threads are NOT SHOWN. Give it a second one: taskset, cpuset, or the size of the virtual \
         machine.",
    ),
    entry(
        Warning,
        "cpu-quota",
        &[],
        "the control group limits CPU time per period",
        "cpu.max, or docker --cpus. Once the quota of a period is used up everything waits for the \
         next, so that a sample can last as long as the period. See throttled.",
    ),
    entry(
        Warning,
        "throttled",
        &[],
        "the CPU quota was used up during the run",
        "throttled_usec in cpu.stat of the control group grew. Tails, and perhaps medians, are \
         those of the quota. Lift it or give it more.",
    ),
    entry(
        Warning,
        "busy-machine",
        &[],
        "the load is half the number of CPUs or more: others want them too",
        "The load is the number of runnable and waiting tasks, averaged over a minute. Stop other \
         work, or wait until it has fallen. Interleaving keeps ratios honest under load; times \
         suffer.",
    ),
    entry(
        Warning,
        "stolen-time",
        &[],
        "the hypervisor gave over 1 % of the CPU time to others",
        "The column steal of /proc/stat, since boot or, after a run, during it. Use a machine with \
         CPUs of its own. Blocks carry the ticks stolen from them.",
    ),
    entry(
        Warning,
        "virtual-machine",
        &["hypervisor"],
        "this is a virtual machine",
        "Page faults and changes of page tables can cost more with nested paging, and memory may \
         be slow at first touch, when the hypervisor backs it. Compare figures made on this \
         machine only.",
    ),
    entry(
        Warning,
        "frequency-scaling",
        &["governor", "turbo"],
        "the frequency of the CPU changes",
        "The governor is not `performance`, or turbo is on: the same work takes different times as \
         the chip warms. Interleaving cancels it in ratios; to compare runs of different days set \
         the governor and turn turbo off.",
    ),
    entry(
        Warning,
        "shared-cores",
        &["SMT"],
        "two CPUs share each core (SMT)",
        "Work on one slows the other. Keep the sibling of the measuring CPU idle, or turn SMT off \
         in /sys/devices/system/cpu/smt/control.",
    ),
    entry(
        Warning,
        "thp-always",
        &[],
        "transparent huge pages are on for every program",
        "A large program's memory then stands in pages of 2 MiB, of which a fork copies 512 times \
         fewer entries. --page thp measures what programs get here by default; --page 4k (the \
         default) what they would cost without. On either, what was got is checked.",
    ),
    entry(
        Warning,
        "numa-balancing",
        &[],
        "the kernel unmaps pages now and then to see which node uses them",
        "On machines with several nodes. The parent takes extra faults that are not the birth's. \
         sysctl kernel.numa_balancing=0, or bind the run to one node.",
    ),
    entry(
        Warning,
        "swap",
        &[],
        "there is swap space: pages of the parent may be written out",
        "A page that was written out takes a major fault to come back. swapoff -a, or keep the \
         parent far below the available memory. major_faults tells whether it happened.",
    ),
    entry(
        Warning,
        "strict-overcommit",
        &["overcommit"],
        "memory is counted strictly (vm.overcommit_memory=2)",
        "A fork must then reserve a second copy of the parent's private memory, and fails with \
         ENOMEM where that is not to be had, though the pages would be shared. vfork and \
         posix_spawn need no reservation. Such a failure is a result.",
    ),
    entry(
        Warning,
        "slow-clock",
        &[],
        "reading the clock takes over 150 ns",
        "Usually the clock source cannot be read from user space (hpet, acpi_pm), so that each \
         stamp is a system call. The control shows what the stamps cost. Choose tsc, \
         arch_sys_counter or kvm-clock.",
    ),
    // Exit codes.
    entry(
        ExitCode,
        "exit 0",
        &["0"],
        "fine, or no confirmed regression",
        "INCONCLUSIVE rows end with it too, with a warning, unless --strict is given.",
    ),
    entry(
        ExitCode,
        "exit 1",
        &["1"],
        "failed at run time",
        "The message says what could not be done. Finished blocks are kept.",
    ),
    entry(
        ExitCode,
        "exit 2",
        &["2"],
        "wrong usage: nothing was run",
        "The message says what was given, what is allowed and what to do. Do not call forkbench \
         through make, which turns every failure into 2.",
    ),
    entry(
        ExitCode,
        "exit 3",
        &["3"],
        "a regression, or a claim that FAILS",
        "Only `check` and claims end with it, and only by an interval that lies wholly on the \
         wrong side.",
    ),
    entry(
        ExitCode,
        "exit 4",
        &["4"],
        "inconclusive, under --strict",
        "The intervals are too wide to say. Give it more launches, or a quieter machine.",
    ),
    entry(
        ExitCode,
        "exit 5",
        &["5"],
        "not comparable, or nothing was measured",
        "A missing baseline, one directory a side, or no finished block: never to be mistaken for \
         a regression, nor for a success.",
    ),
    entry(
        ExitCode,
        "exit 130",
        &["130"],
        "interrupted; what was finished is kept",
        "`forkbench run --resume DIR` completes the same plan.",
    ),
    // Terms of the kernel.
    entry(
        Term,
        "RSS",
        &["resident set size"],
        "resident set size: the memory of a process that stands in RAM",
        "Here the private anonymous memory that the parent has written, which is what a fork \
         copies page tables for. Virtual size, and memory that was never touched, cost a fork \
         nothing per page.",
    ),
    entry(
        Term,
        "VMA",
        &["mapping"],
        "virtual memory area: one mapping of a process, a line of /proc/PID/maps",
        "A fork copies the description of each, and walks those that hold private written pages. \
         Neighbours of equal rights are merged, so the knob vmas makes mappings that cannot be.",
    ),
    entry(
        Term,
        "THP",
        &["transparent huge pages"],
        "transparent huge pages: memory in pages of 2 MiB without asking for a pool",
        "One entry stands for 512 pages of 4 KiB, so a fork has far less to copy. Set in \
         /sys/kernel/mm/transparent_hugepage/enabled to always, madvise or never. They can be \
         refused when memory lies in small pieces, and split later: what was got is looked for in \
         smaps.",
    ),
    entry(
        Term,
        "mTHP",
        &[],
        "transparent huge pages of sizes between 4 KiB and 2 MiB",
        "Since Linux 6.8, each size with a switch of its own under \
         /sys/kernel/mm/transparent_hugepage. They save faults; each base page keeps its entry in \
         the page table, so that a fork copies as many.",
    ),
    entry(
        Term,
        "hugetlb",
        &[],
        "huge pages from a pool that was set aside",
        "vm.nr_hugepages. Unlike transparent ones they are never split, never swapped, and must be \
         reserved before.",
    ),
    entry(
        Term,
        "COW",
        &["copy on write"],
        "copy on write: after a fork both sides share pages until one of them writes",
        "A fork copies page tables, not pages, and write-protects both sides. The first write to \
         each page then faults and copies it; where the child is already gone the page is only \
         made writable again, which is still a fault. Those faults are the bill.",
    ),
    entry(
        Term,
        "PTE",
        &["page table entry"],
        "page table entry: what maps one page, 8 bytes on x86_64",
        "A fork copies one for each page that is present in private written memory: 262,144 for 1 \
         GiB of 4 KiB pages, 512 entries one level up with THP. Slopes are quoted per MiB and per \
         PTE.",
    ),
    entry(
        Term,
        "ASLR",
        &[],
        "address space layout randomisation: each exec gets another layout",
        "Layout decides how many page-table pages a process needs, and thus some faults and some \
         time. Timed blocks run with it, as programs do; count blocks run without it, with padding \
         that changes from launch to launch. kernel.randomize_va_space.",
    ),
    entry(
        Term,
        "PSI",
        &["pressure"],
        "pressure stall information: time in which tasks waited for CPU, memory or devices",
        "/proc/pressure, in microseconds since boot; environment.toml holds the totals at the \
         start and the end.",
    ),
    entry(
        Term,
        "vDSO",
        &[],
        "code the kernel lends to programs, to read the clock without a system call",
        "A reading takes some 25 ns through it, and several times that as a system call: \
         `forkbench env` measures both.",
    ),
    entry(
        Term,
        "MADV_POPULATE_WRITE",
        &[],
        "the call that makes a range of memory present and writable at once",
        "Since Linux 5.14. About 0.63 us a page on the reference machine against 1.07 us by \
         faults, and invisible to perf_event's page faults (getrusage counts it). It fills the \
         parent at the start and restores it after a page-copying spawn that is not billed.",
    ),
    entry(
        Term,
        "pidfd",
        &[],
        "a descriptor that stands for a process",
        "It can be polled and waited for, and cannot come to mean another process, as a number \
         can. From clone3 with CLONE_PIDFD, pidfd_spawn or pidfd_open.",
    ),
    entry(
        Term,
        "seccomp",
        &[],
        "a filter on the system calls of a process",
        "Containers set one. Older policies answer clone3 with ENOSYS or EPERM whatever the kernel \
         can do, and each call pays for the filter. `forkbench env` tells a filter from an old \
         kernel.",
    ),
    entry(
        Term,
        "shift function",
        &[],
        "by how much two sides differ at each tenth of their distributions",
        "A picture of a check: candidate over base at the deciles from 10 to 90 %, each with its \
         95 % interval by the paired blocks, as a ratio in a table has it. A change that all spawns \
         feel lies flat; one that few feel much rises to the right. The nine intervals hold one by \
         one, not all together, and judge nothing. Between two results directories there is no \
         interval.",
    ),
    entry(
        Term,
        "atfork handlers",
        &["pthread_atfork", "atfork"],
        "functions that a fork runs before and after, registered by pthread_atfork",
        "The libc's own are its locks: of malloc's arenas, of stdio. fork runs them all; _fork and \
         a raw clone3 do not, and their child must not allocate. They can themselves block or \
         deadlock.",
    ),
];

const fn entry(
    kind: Kind,
    word: &'static str,
    also: &'static [&'static str],
    short: &'static str,
    long: &'static str,
) -> Entry {
    Entry { word, also, kind, short, long }
}
