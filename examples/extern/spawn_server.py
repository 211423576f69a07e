#!/usr/bin/env python3
"""A helper for forkbench: spawns by os.posix_spawn, or by subprocess if that is its argument.

    forkbench run --mechanism 'posix_spawn,extern:python3 examples/extern/spawn_server.py'
    forkbench run --mechanism 'posix_spawn,extern:python3 examples/extern/spawn_server.py subprocess'

Put your own way to make a process in the place of these. The protocol stands in FORMAT.md.
"""

import os
import subprocess
import sys
from time import monotonic_ns as now  # CLOCK_MONOTONIC

way = sys.argv[1] if len(sys.argv) > 1 else "posix_spawn"
image, arguments, environment, mailbox = "", [], {}, 3


# Children get /dev/null as their input and output, not the pipes to forkbench.
requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)


def say(*words):
    print(*words, file=answers, flush=True)


def tell(pid, code, begin, returned, reaped):
    # Both at once, after the last stamp: no answer is in any interval.
    say(f"spawned {pid} {begin} {returned}\nreaped {code} {reaped}")


def by_posix_spawn():
    begin = now()
    pid = os.posix_spawn(image, arguments, environment)
    returned = now()
    _, status = os.waitpid(pid, 0)
    tell(pid, os.waitstatus_to_exitcode(status), begin, returned, now())


def by_subprocess():
    begin = now()
    child = subprocess.Popen(
        arguments, executable=image, env=environment, pass_fds=[mailbox]
    )
    returned = now()
    code = child.wait()
    tell(child.pid, code, begin, returned, now())


spawn = {"posix_spawn": by_posix_spawn, "subprocess": by_subprocess}[way]

while line := requests.readline():
    word, _, value = line.rstrip("\n").partition(" ")
    if word == "forkbench-extern" and value != "1":
        sys.exit(f"protocol {value} is not known here")
    elif word == "image":
        image = value
    elif word == "arg":
        arguments.append(value)
    elif word == "env":
        name, _, text = value.partition("=")
        environment[name] = text
    elif word == "mailbox":
        mailbox = int(value)
    elif word == "end":
        say("ready stamps")
    elif word == "spawn":
        try:
            spawn()
        except OSError as error:
            say("failed", error.errno, error.strerror)
    elif word == "ping":
        say("pong")
