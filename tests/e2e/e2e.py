# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests share: TAP, bounded runs, the workloads, and what may not be left behind.

SKEP_E2E_REAL=1 in the environment adds --real to every `skep run`: the tests then say what the kernel does.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKEP = os.environ["SKEP"]
# A run under nohup(1) ignores it, and would hand that on to what is tested.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
EXECWATCH = os.environ["EXECWATCH"]
TWICE_C = os.environ["TWICE_C"]
TWICE_GO = os.environ.get("TWICE_GO", "")
EXAMPLES = os.environ["EXAMPLES"]
REAL = os.environ.get("SKEP_E2E_REAL") == "1"
# Debian has it where only root's shell looks.
BPFTOOL = shutil.which("bpftool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
# Older ones lose the type tags of structures.
NEW_CLANG = next((found for found in map(shutil.which, ("clang-19", "clang-18", "clang-17", "clang-16")) if found), None)

HELLO = os.path.join(EXAMPLES, "hello.bpf.c")
SYSCOUNT = os.path.join(EXAMPLES, "syscount.bpf.c")

results = failures = 0


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def ok(condition, name, *details):
    """One result; details are printed if it failed."""
    global results, failures
    results += 1
    print(f"{'ok' if condition else 'not ok'} {results} - {name}", flush=True)
    if not condition:
        failures += 1
        for detail in details:
            note(detail)
    return bool(condition)


def equal(got, want, name, *details):
    return ok(got == want, name, f"got  {got!r}", f"want {want!r}", *details)


def skip(reason):
    global results
    results += 1
    print(f"ok {results} # SKIP {reason}", flush=True)


def done():
    print(f"1..{results}", flush=True)
    sys.exit(failures != 0)


class Run:
    """A finished command: status as a shell shows it, out and err as text."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __repr__(self):
        return (f"status {self.status} after {self.seconds:.1f} s\n--- stdout\n{self.out[-3000:]}"
                f"--- stderr\n{self.err[-3000:]}")


def start(command, **keywords):
    keywords.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="replace", start_new_session=True, **keywords)


def finish(process, timeout=240, started=None):
    """Waits for it; after timeout seconds the whole session is killed and the status is "timeout"."""
    started = started or time.monotonic()
    try:
        out, err = process.communicate(timeout=timeout)
        status = process.returncode
        status = 128 - status if status < 0 else status
    except subprocess.TimeoutExpired:
        kill_session(process.pid)
        out, err = process.communicate()
        status = "timeout"
    return Run(status, out, err, time.monotonic() - started)


def run(command, timeout=240, **keywords):
    started = time.monotonic()
    return finish(start(command, **keywords), timeout, started)


def processes(match):
    """Process ids for which match(pid) is true and which are not zombies."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                    state = stat.read().rsplit(")", 1)[1].split()[0]
                if state not in "ZX" and match(int(name)):
                    found.append(int(name))
            except OSError:
                pass
    return found


def kill_session(session):
    def member(pid):
        return os.getsid(pid) == session
    for pid in processes(member):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def skep_run(arguments, command, timeout=240, **keywords):
    real = ["--real"] if REAL else []
    return run([SKEP, "run"] + real + arguments + ["--"] + command, timeout, **keywords)


def skep_exec(command, timeout=240, **keywords):
    return run([SKEP, "exec", "--"] + command, timeout, **keywords)


def workloads():
    """(comm, command) of programs that execute /bin/true twice and end with 5; None: not on this machine."""
    twice = "/bin/true; /bin/true; exit 5"
    python = ("import subprocess, sys\n"
              "for i in range(2): subprocess.run(['/bin/true'], check=True)\n"
              "sys.exit(5)\n")
    yield "dash", ["/bin/dash", "-c", twice] if os.path.exists("/bin/dash") else None
    yield "bash", ["/bin/bash", "-c", twice] if os.path.exists("/bin/bash") else None
    yield "python3", ["/usr/bin/python3", "-c", python]
    yield "twice-c", [TWICE_C]
    yield "twice-go", [TWICE_GO] if TWICE_GO else None


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


TRACE_LINE = re.compile(r"^(?P<comm>.{16})-(?P<pid>\d+) *\[(?P<cpu>\d{3})\] (?P<flags>.{5}) +"
                        r"(?P<time>\d+\.\d{6}): (?P<event>\w+): (?P<text>.*)$")


def trace_lines(text):
    """The lines that look as trace_pipe's do."""
    return [m for m in map(TRACE_LINE.match, text.splitlines()) if m]


def have_root_bpf():
    """May this process load programs into the running kernel?"""
    return os.geteuid() == 0 and run([SKEP, "run", "--real", "--no-trace", HELLO, "--", "/bin/true"]
                                     ).status == 0


def same_on_kernel(command, want):
    """One result: the command prints these lines on the running kernel, too, if that lets us load what it loads."""
    result = run(command) if os.geteuid() == 0 else None
    if result and not result.status:
        equal(result.out.splitlines(), want, "the same on the kernel", result)
    else:
        skip("the kernel does not load it here")


def have_kernel_pids():
    """Are our process ids those that the kernel's programs see? Not so in a container (linux/proc_ns.h)."""
    return os.stat("/proc/self/ns/pid").st_ino == 0xeffffffc


def have_kernel_trace():
    """Does the kernel's trace_pipe show what programs print? Anybody may have stopped it for the whole machine."""
    with open("/sys/kernel/tracing/tracing_on", encoding="ascii") as state:
        return state.read().strip() == "1"


class Scratch:
    """A directory of the test's own, removed at its end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="e2e-")
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)
