#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The supervisor is killed at random times under workloads. Each of them ends with its own status and output, or, if it uses
bpf(2), with an error of its own; nothing hangs, nothing is left behind. killed.py [TURNS], SEED in the environment."""
import ctypes
import os
import random
import shutil
import signal
import sys
import tempfile
import time

import e2e
from e2e import ok

if e2e.REAL:
    e2e.skip("the kernel is not killed")
    e2e.done()

PLACE = tempfile.mkdtemp(prefix="e2e-")
RUNTIME = os.path.join(PLACE, "run")
os.mkdir(RUNTIME, 0o700)
ENV = dict(os.environ, XDG_RUNTIME_DIR=RUNTIME)
TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
LIMIT = 120
PR_SET_CHILD_SUBREAPER = 36

# Each prints "end" when it is through, and ends with 7. Not dash: it handles SIGCHLD without SA_RESTART, and then a fork(2) that
# still waits to be seen by the keeper fails with EINTR (README, Limits).
STORM = "i=0; while [ $i -lt 25 ]; do /bin/true; (exec /bin/true) & i=$((i+1)); done; wait; echo end; exit 7"
VFORKS = """import subprocess, sys
for i in range(8):
    if subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode != 3:
        sys.exit("a child has another status")
print("end"); sys.exit(7)"""
THREADS = """import os, sys, threading
def work():
    for i in range(300):
        with open("/dev/null", "rb") as f:
            os.fstat(f.fileno()); os.getppid(); os.stat("/")
threads = [threading.Thread(target=work) for i in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print("end"); sys.exit(7)"""
CLIENTS = """bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 16 name m 2>/dev/null
for i in 1 2 3 4; do
	bpftool map update pinned /sys/fs/bpf/m key 0 0 0 $i value 0 0 0 0 2>/dev/null
	bpftool map dump pinned /sys/fs/bpf/m >/dev/null 2>&1
done
echo end; exit 7"""
WATCHED = f"{e2e.EXECWATCH} sh -c '/bin/true; /bin/true; /bin/true' >/dev/null 2>&1; echo end; exit 7"

WORKLOADS = {
    "programs": ["/bin/bash", "-c", STORM],
    "posix_spawn": [sys.executable, "-c", VFORKS],
    "threads": [sys.executable, "-c", THREADS],
    "clients": ["/bin/bash", "-c", CLIENTS],
    "events": ["/bin/bash", "-c", WATCHED],
}


# What may be left behind beside: the child that execwatch made and, without a supervisor, could not let go.
ENDS = {"events": (1,)}


def orphans():
    """Ends of the processes that the supervisor left behind."""
    statuses = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return statuses
        if pid == 0:
            time.sleep(0.01)
        else:
            statuses.append(os.waitstatus_to_exitcode(status))


def turn(number, chance, longest):
    name = chance.choice(sorted(WORKLOADS))
    started = time.monotonic()
    watched = ["--no-trace", e2e.SYSCOUNT] if chance.random() < 0.3 else None
    verb = ["run"] + watched if watched else ["exec"]
    process = e2e.start([e2e.SKEP] + verb + ["--"] + WORKLOADS[name], env=ENV)
    time.sleep(chance.random() * longest[name])
    os.kill(process.pid, signal.SIGKILL)
    result = e2e.finish(process, LIMIT, started)
    statuses = orphans()
    began = 7 in statuses or "end" in result.out
    fine = (result.status != "timeout" and result.out in ("", "end\n") and not result.err and
            all(status in ENDS.get(name, ()) + (0, 7, 127, -signal.SIGKILL) for status in statuses) and
            (not began or result.out == "end\n"))
    # Killed with it, or 127: what had not yet begun.
    fine = fine and (began or result.status in (-signal.SIGKILL, 137))
    if not fine:
        ok(False, f"turn {number}: {name}", f"statuses of those left behind: {statuses}", result)
    return name if began else None


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    chance = random.Random(int(os.environ.get("SEED", "1")))
    longest = {}
    for name, command in WORKLOADS.items():
        result = e2e.finish(e2e.start([e2e.SKEP, "exec", "--"] + command, env=ENV), LIMIT)
        ok((result.status, result.out, result.err) == (7, "end\n", ""), f"{name}, not killed", result)
        longest[name] = result.seconds
    began = [turn(number, chance, longest) for number in range(TURNS)]
    ok(True, f"{TURNS} supervisors were killed; {sum(name is not None for name in began)} workloads had begun")
    for name in WORKLOADS:
        ok(TURNS < 50 or name in began, f"{name}: some had begun")
    result = e2e.finish(e2e.start([e2e.SKEP, "exec", "--", "/bin/true"], env=ENV), LIMIT)
    ok(result.status == 0 and not result.err, "a new hive can be had", result)
    ok(not os.listdir(RUNTIME), "and has removed what was left", os.listdir(RUNTIME))


try:
    main()
finally:
    shutil.rmtree(PLACE, ignore_errors=True)
e2e.done()
