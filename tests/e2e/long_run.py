#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Test runs that take long: others are served meanwhile, several go on side by side, a signal ends one with EINTR, and
a client that is killed in one is no loss. The run that waits would take minutes; nothing here waits for it."""
import ctypes
import errno
import os
import signal
import struct
import sys
import tempfile
import threading

FOREVER = 0xffffffff  # of the shortest program: minutes
SYS_BPF, SYS_GETTID, SYS_TGKILL = 321, 186, 234
MAP_CREATE, PROG_LOAD, TEST_RUN = 0, 5, 10

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr.ljust(144, b"\0"), 144)
    result = libc.syscall(SYS_BPF, command, attr, 144)
    return (result if result >= 0 else -ctypes.get_errno()), attr.raw


def load():
    insns = ctypes.create_string_buffer(bytes([0xb7, 0, 0, 0, 7, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]), 16)
    license = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("<IIQQ", 1, 2, ctypes.addressof(insns), ctypes.addressof(license)))[0]


def run(prog, repeat):
    data = ctypes.create_string_buffer(64)
    return bpf(TEST_RUN, struct.pack("<IIIIQQII", prog, 0, 64, 0, ctypes.addressof(data), 0, repeat, 0))


class Runner(threading.Thread):
    """A thread in a test run."""

    def __init__(self, prog, repeat):
        super().__init__(daemon=True)
        self.prog, self.repeat, self.result = prog, repeat, None
        self.ready = threading.Event()
        self.start()
        self.ready.wait()

    def run(self):
        self.tid = libc.syscall(SYS_GETTID)
        self.ready.set()
        self.result, self.attr = run(self.prog, self.repeat)

    def signal(self):
        libc.syscall(SYS_TGKILL, os.getpid(), self.tid, signal.SIGUSR1)


def print_result(good, name):
    print(("good " if good else "bad ") + name, flush=True)


def inside():
    prog = load()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    endless = [Runner(prog, FOREVER) for _ in range(3)]
    maps = [bpf(MAP_CREATE, struct.pack("<IIII", 2, 4, 8, 1))[0] for _ in range(100)]
    print_result(min(maps) >= 0, "a hundred maps are made while three runs go on")
    result, attr = run(prog, 3000000)
    print_result(result == 0 and struct.unpack_from("<I", attr, 4)[0] == 7, "another run comes to its end meanwhile")
    print_result(all(runner.result is None for runner in endless), "the three are not finished")
    for runner in endless:
        # One that has not begun its call yet takes the signal for nothing: again, then.
        while runner.is_alive():
            runner.signal()
            runner.join(0.1)
    print_result([runner.result for runner in endless] == [-errno.EINTR] * 3, "a signal ends each with EINTR")
    print_result(run(prog, 1)[0] == 0, "the program can still be run")


def killed():
    """Prints that it is about to run, and never comes back."""
    prog = load()
    print("begins", flush=True)
    run(prog, FOREVER)


def outside():
    import e2e

    me = [sys.executable, os.path.abspath(__file__)]
    done = e2e.finish(e2e.start([e2e.SKEP, "exec", "--", *me, "inside"]))
    for line in done.out.splitlines():
        e2e.ok(line.startswith("good "), line.partition(" ")[2])
    e2e.ok(done.status == 0 and done.out.count("good") == 5, "nothing is missing", done)

    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        shell = f'"$0" "$1" killed > {fifo} & read -r word < {fifo}; kill -9 $!; wait $!; echo "$word $?"'
        done = e2e.finish(e2e.start([e2e.SKEP, "exec", "--", "bash", "-c", shell, *me]))
    e2e.equal((done.status, done.out.strip()), (0, "begins 137"), "a client that is killed in a run", done)
    e2e.done()


if __name__ == "__main__":
    {"inside": inside, "killed": killed}.get(sys.argv[1] if len(sys.argv) > 1 else "", outside)()
