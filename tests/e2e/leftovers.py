#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""However a run ends, everything ends: no process, no file in /dev/shm or /tmp, and nobody waits for long."""
import os
import shutil
import signal
import tempfile
import time

import e2e
from e2e import equal, ok

# Directories of this test's own, so that other hives on this machine are not seen.
PLACE = tempfile.mkdtemp(prefix="e2e-")
RUNTIME, TEMPORARY = os.path.join(PLACE, "run"), os.path.join(PLACE, "tmp")
os.mkdir(RUNTIME, 0o700)
os.mkdir(TEMPORARY, 0o700)
MARK = f"SKEP_E2E_LEFTOVERS={os.getpid()}"
ENV = dict(os.environ, SKEP_E2E_LEFTOVERS=str(os.getpid()), XDG_RUNTIME_DIR=RUNTIME, TMPDIR=TEMPORARY)


def ours(pid):
    """Was it started, directly or not, by this test? The environment says so."""
    if pid == os.getpid():
        return False
    with open(f"/proc/{pid}/environ", "rb") as environ:
        return MARK.encode() in environ.read()


def files():
    shared = {os.path.join("/dev/shm", name) for name in os.listdir("/dev/shm") if "skep" in name}
    return shared | {os.path.join(directory, name) for directory in (RUNTIME, TEMPORARY) for name in os.listdir(directory)}


def settle(seconds=60):
    """The processes that are still there after a while."""
    end = time.monotonic() + seconds
    while True:
        left = e2e.processes(ours)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def describe(pids):
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                yield f"{pid}: {cmdline.read().replace(bytes(1), b' ').decode(errors='replace')}"
        except OSError:
            pass


def nothing_left(name, before):
    left = settle()
    ok(not left, f"{name}: no process is left", *describe(left))
    new = files() - before
    end = time.monotonic() + 60
    while new and time.monotonic() < end:  # the last of the hive's processes removes them
        time.sleep(0.05)
        new = files() - before
    ok(not new, f"{name}: no file is left", *sorted(new))
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def wait_for_line(process, text):
    """Reads standard output until a line with text; false at its end. The test's time limit bounds it."""
    for line in process.stdout:
        if text in line:
            return True
    return False


def interrupted(name, number, to_group, command, status):
    before = files()
    arguments = ["run", "--real"] if e2e.REAL else ["run"]
    if name.startswith("exec"):
        process = e2e.start([e2e.SKEP, "exec", "--"] + command, env=ENV)
    else:
        process = e2e.start([e2e.SKEP] + arguments + [e2e.HELLO, "--"] + command, env=ENV)
    ok(wait_for_line(process, "ready"), f"{name}: the command runs")
    if to_group:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    result = e2e.finish(process, 120)
    equal(result.status, status, f"{name}: exit status", result)
    nothing_left(name, before)


def normal():
    before = files()
    result = e2e.skep_run([e2e.HELLO], ["/bin/sh", "-c", "/bin/true; exit 3"], env=ENV)
    equal(result.status, 3, "a normal end: exit status", result)
    nothing_left("a normal end", before)
    result = e2e.skep_run([e2e.HELLO], ["/nonexistent"], env=ENV)
    equal(result.status, 127, "no such command: exit status", result)
    nothing_left("no such command", before)


def background():
    """A process that the command leaves behind goes on as it would without us, and ends by itself."""
    before = files()
    result = e2e.skep_run(["--no-trace", e2e.HELLO],
                          ["/bin/sh", "-c", "(sleep 10; /bin/true) >/dev/null 2>&1 & exit 4"], env=ENV)
    equal(result.status, 4, "a process left behind: exit status", result)
    left = e2e.processes(ours)
    ok(left, "a process left behind: nobody waits for it", result)
    nothing_left("a process left behind", before)


SLEEP = ["/bin/sh", "-c", "echo ready; exec sleep 60"]

normal()
background()
interrupted("run, Ctrl-C", signal.SIGINT, True, SLEEP, 130)
interrupted("run, SIGTERM to skep alone", signal.SIGTERM, False, SLEEP, 143)
interrupted("run, SIGHUP to all", signal.SIGHUP, True, SLEEP, 129)
if not e2e.REAL:
    interrupted("exec, Ctrl-C", signal.SIGINT, True, SLEEP, 130)
    interrupted("exec, SIGTERM to skep alone", signal.SIGTERM, False, SLEEP, 143)
    # The supervisor killed: its workload goes on without it, then everything is gone.
    interrupted("exec, SIGKILL to skep", signal.SIGKILL, False,
                ["/bin/sh", "-c", "echo ready; sleep 1; /bin/true; exit 0"], 137)
shutil.rmtree(PLACE, ignore_errors=True)
e2e.done()
