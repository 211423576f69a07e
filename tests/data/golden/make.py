"""Makes `run`, the results directory of the golden pages: a sweep over the memory of the parent, with
times that are made up and never change. python3 tests/data/golden/make.py"""

import pathlib

HERE = pathlib.Path(__file__).parent / "run"
SIZES = ["0", "64MiB", "256MiB", "1GiB"]
MIB = [0, 64, 256, 1024]
MECHANISMS = ["fork", "vfork", "posix_spawn"]
LAUNCHES, BLOCKS, ROUNDS = 6, 2, 4

PLAN = """schema = "forkbench.plan/1"
vs = "posix_spawn"
launches = 6
blocks = 2
cpu = 1
cpus = [0, 1]

[wishes]
time_ns = 20000000000
precision = 0.01
seed = 42
stall_ns = 10000000000

[[scenarios]]
name = "sweep"
about = "What does each MiB that the parent has written cost?"
base = []

[[scenarios.axes]]
name = "rss"
points = [%s]

[[scenarios.axes]]
name = "mechanism"
points = [%s]

[[scenarios.claims]]
name = "fork grows along a line with the memory of the parent"
kind = "slope"
of = "blocked.p50"
over = "rss"
per = "MiB"
at_least = 3000.0
at_most = 60000.0
r2_at_least = 0.99
because = "each page-table entry of private memory that was written is copied"
at = [{ knob = "mechanism", value = "fork" }]

[[scenarios.claims]]
name = "posix_spawn does not grow"
kind = "spread"
of = "blocked.p50"
over = "rss"
at_most = 1.01
at = [{ knob = "mechanism", value = "posix_spawn" }]

[[scenarios.claims]]
name = "the twin of nobody is measured"
kind = "value"
of = "blocked.p50"
at_most = 1.0
at = [{ knob = "mechanism", value = "clone3" }]
"""

PARENT = """
[[parents]]
label = "%s"
rounds = 4
warmup_rounds = 1
variants = [%s]
"""

ENVIRONMENT = """fingerprint = "0123456789abcdef"

[tool]
version = "0.1.0"
build_profile = "release"
architecture = "x86_64"
command_line = ["forkbench", "run", "sweep.toml", "--seed", "42", "--out", "run", "--quiet"]
started = "2026-11-24T06:00:00Z"

[kernel]
release = "6.18.0"
version = "#1 SMP PREEMPT_DYNAMIC"

[libc]
name = "glibc"
version = "2.36"

[cpu]
name = "A Processor <of 2>"
logical = 2
smt = false
hypervisor = "KVMKVMKVM"

[mitigations]
meltdown = "Not affected"
spectre_v2 = "Mitigation: Retpolines"

[memory]
total_bytes = 8589934592
nodes = 1
thp_enabled = "madvise"
thp_defrag = "madvise"

[clock]
source = "tsc"
resolution_ns = 1
read_ns = 27.1

[noise.start]
load = 0.5
[noise.end]
load = 0.75
[noise.delta]
uptime_ms = 20000
steal_ticks = 1
total_ticks = 4000
cpu_pressure_us = 100000

[[warnings]]
id = "virtual-machine"
text = "a virtual machine (KVMKVMKVM): page tables and faults cost more here"
"""


def shape(size):
    return "empty" if size == "0" else f"rss={size}"


def table(name, header, rows):
    lines = [header] + [",".join(map(str, row)) for row in rows]
    (HERE / f"{name}.csv").write_text("\n".join(lines) + "\n")


def blocked(mechanism, mib, launch, block, number):
    """Nanoseconds, scattered by some per cent in a way that is always the same."""
    scatter = 1 + 0.002 * ((launch * 31 + block * 17 + number * 7) % 11 - 5)
    base = {"fork": 60000 + 16900 * mib, "vfork": 51000, "posix_spawn": 95000}[mechanism]
    return int(base * scatter)


def main():
    HERE.mkdir(exist_ok=True)
    names = [(size, mechanism) for size in SIZES for mechanism in MECHANISMS]
    variants = []
    for number, (size, mechanism) in enumerate(names):
        settings = [] if size == "0" else [f"rss={size}"]
        settings.append(f"mechanism={mechanism}")
        variants.append([number, "sweep", f"{shape(size)} {mechanism}", "subject", shape(size),
                         mechanism, "noop", "spawn", str(mechanism == "fork").lower(),
                         ";".join(settings)])
    table("variants", "variant,scenario,label,role,shape,mechanism,image,workload,copies_pages,settings",
          variants)
    launches, blocks, samples = [], [], []
    now = 1_000_000_000
    for launch in range(1, LAUNCHES + 1):
        for place, size in enumerate(SIZES):
            launches.append([launch, place, shape(size), "done", "", now, 20_000_000, 90_000_000, 0])
            for turn in range(BLOCKS):
                block = turn * len(SIZES) + place
                blocks.append([launch, block, "time", "0-1-2", ROUNDS, now, 75_000_000, 0])
                for number in range(ROUNDS):
                    for position, mechanism in enumerate(MECHANISMS):
                        variant = place * len(MECHANISMS) + position
                        time = blocked(mechanism, MIB[place], launch, turn, number)
                        image = int(time * 1.3)
                        bill = int(MIB[place] * 300_000) if mechanism == "fork" and place else ""
                        now += 2 * time
                        samples.append([launch, block, number, position, 1, "measure", variant, now,
                                        time, "", image, int(time * 1.6), bill, time, 1, 1, 0])
    table("launches", "launch,subject,shape,outcome,detail,started_ns,setup_ns,wall_ns,steal_ticks",
          launches)
    table("blocks", "launch,block,kind,coin,rounds,started_ns,wall_ns,steal_ticks", blocks)
    table("samples", "launch,block,round,turn,pos,phase,variant,start_ns,blocked_ns,born_ns,image_ns,"
          "reaped_ns,rewrite_ns,blocked_cpu_ns,parent_cpu,child_cpu,status", samples)
    table("readings", "launch,block,variant,reading,scope,at,value,spawns", [])
    table("histograms", "launch,block,variant,reading,low_ns,high_ns,count", [])
    table("events", "launch,block,variant,event,pid,errno,evidence", [])
    points = lambda knob, values: ", ".join('[{ knob = "%s", value = "%s" }]' % (knob, value)
                                            for value in values)
    plan = PLAN % (points("rss", SIZES), points("mechanism", MECHANISMS))
    planned = lambda place: ", ".join(
        "{ variant = %d, settle_first = 3, settle = 3, samples = 1 }" % (place * 3 + position)
        for position in range(3))
    plan += "".join(PARENT % (shape(size), planned(place)) for place, size in enumerate(SIZES))
    (HERE / "plan.toml").write_text(plan)
    (HERE / "environment.toml").write_text(ENVIRONMENT)


if __name__ == "__main__":
    main()
