#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hives that last: two shells in one, listing and ending them, and what happens when any part of one is killed."""
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import e2e
from e2e import equal, ok

if e2e.REAL:
    e2e.skip("the kernel has no hives")
    e2e.done()

def half_mapped():
    """Runs inside: the attributes begin on the last bytes of a page that nothing follows."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    page = libc.mmap(None, 8192, 3, 0x22, -1, 0)
    libc.munmap(ctypes.c_void_p(page + 4096), 4096)
    result = libc.syscall(ctypes.c_long(321), ctypes.c_long(0), ctypes.c_void_p(page + 4096 - 8), ctypes.c_long(72))
    return 0 if result == -1 and ctypes.get_errno() == 14 else 1


if sys.argv[1:] == ["half"]:
    sys.exit(half_mapped())

PLACE = tempfile.mkdtemp(prefix="e2e-")
RUNTIME = os.path.join(PLACE, "run")
os.mkdir(RUNTIME, 0o700)
ENV = dict(os.environ, XDG_RUNTIME_DIR=RUNTIME)
LIMIT = 120
OBJECT = os.path.join(PLACE, "object.o")


def skep(*arguments, env=None, prefix=(), timeout=LIMIT):
    started = time.monotonic()
    return e2e.finish(e2e.start([*prefix, e2e.SKEP, *arguments], env=env or ENV), timeout, started)


def inside(name, script, **keywords):
    return skep("exec", "-H", name, "--", "/bin/sh", "-c", script, **keywords)


def hives():
    return json.loads(skep("list", "--json").out)


def hive(name):
    return next((one for one in hives() if one.get("name") == name), None)


def eventually(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def shared():
    """Two shells see each other's objects; the second process is the caller's own."""
    result = skep("up", "one")
    equal((result.status, result.out, result.err), (0, "", ""), "up returns when the hive serves", result)
    result = inside("one", "exec bpftool map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name shared")
    equal(result.status, 0, "a first shell pins a map", result)
    result = inside("one", "bpftool map update pinned /sys/fs/bpf/m key 0 0 0 0 value 7 0 0 0")
    equal(result.status, 0, "a second one writes to it", result)
    result = inside("one", "bpftool -j map dump name shared; exit 3")
    ok('"0x07"' in result.out, "a third one reads that by name", result)
    equal(result.status, 3, "the exit status is the command's", result)
    process = e2e.start([e2e.SKEP, "exec", "-H", "one", "--", "/bin/sh", "-c", "echo $$; pwd; exec cat"],
                        env=ENV, stdin=subprocess.PIPE, cwd=PLACE)
    equal(int(process.stdout.readline()), process.pid, "the command is the process that was started")
    equal(process.stdout.readline().strip(), PLACE, "in the caller's directory")
    ok(eventually(lambda: hive("one")["processes"] == 1), "list counts processes", hives())
    equal(hive("one")["maps"], 1, "and maps")
    process.stdin.close()
    equal(process.wait(LIMIT), 0, "it reads the caller's standard input to its end")
    result = skep("run", "-H", "one", e2e.HELLO, "--", "/bin/true")
    equal(result.status, 0, "run -H: exit status", result)
    ok("Hello World!" in result.out, "run -H: its programs see the command", result)


def refused():
    result = skep("up", "one")
    ok(result.status == 1 and "up already" in result.err, "a name is taken once", result)
    result = skep("up", "../one")
    ok(result.status == 2 and "no name" in result.err, "a name is no path", result)
    result = inside("two", "true")
    ok(result.status == 1 and "those that are up: one" in result.err, "no such hive: those there are", result)
    result = skep("down", "two")
    ok(result.status == 1 and "those that are up: one" in result.err, "down of no such hive", result)
    result = skep("exec", "-H", "one", "--", "/nonexistent")
    equal(result.status, 127, "no such command", result)


def nested():
    result = inside("one", f"{e2e.SKEP} exec -- bpftool -j map list")
    ok('"shared"' in result.out, "an exec inside joins the outer hive", result)
    result = inside("one", f"{e2e.SKEP} exec -H one -- bpftool -j map list")
    ok('"shared"' in result.out, "so does exec -H with its own name", result)
    skep("up", "other")
    result = inside("one", f"{e2e.SKEP} exec -H other -- true")
    ok(result.status == 1 and "another hive" in result.err, "from one hive there is no way into another", result)
    result = inside("one", f"{e2e.SKEP} up third")
    ok(result.status == 1 and "inside another" in result.err, "nor can one be made there", result)
    equal(skep("down", "other").status, 0, "down")
    ok(not hive("other"), "then it is gone")


def ask(path, word):
    """What the control socket of the hive in path answers, empty if nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(os.path.join(path, "control"))
            connection.settimeout(30)
            connection.send(struct.pack("IIIi", 0x736B0002, word, 0, 0))
            return connection.recv(4096)
        except (BrokenPipeError, ConnectionResetError, PermissionError):
            return b""


def other_user():
    """With every mode opened, the supervisor itself still refuses."""
    directory = hive("one")["directory"]
    ok(len(ask(directory, 0)) > 64, "its own user is answered")
    equal(os.stat(directory).st_mode & 0o77, 0, "nobody else may enter the directory")
    equal(os.stat(os.path.join(directory, "control")).st_mode & 0o77, 0, "nor open the socket")
    if os.geteuid() != 0:
        e2e.skip("only root can become another user")
        return
    opened = [PLACE, RUNTIME, os.path.dirname(directory), directory, os.path.join(directory, "control")]
    modes = [os.stat(path).st_mode & 0o777 for path in opened]
    for path in opened:
        os.chmod(path, 0o777)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        os.write(writing, b"%d" % len(ask(directory, 0)))
        os._exit(0)
    os.close(writing)
    equal(os.read(reading, 16), b"0", "another user gets no answer, whatever the modes")
    os.waitpid(child, 0)
    os.close(reading)
    for path, mode in zip(opened, modes):
        os.chmod(path, mode)


def strange_requests():
    directory = hive("one")["directory"]
    for size in (0, 1, 15, 16, 17, 4000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(os.path.join(directory, "control"))
            connection.send(os.urandom(size))
    idle = []
    for _ in range(100):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(os.path.join(directory, "control"))
        idle.append(connection)
    ok(len(ask(directory, 99)) > 64 and hive("one"), "requests that make no sense and idle connections harm nobody")
    for connection in idle:
        connection.close()


def stopped_client():
    """Clients that are stopped or killed in the middle of a call, or lend memory that is half there."""
    clients = [e2e.start([e2e.SKEP, "exec", "-H", "one", "--", "/bin/sh", "-c",
                          "while :; do bpftool map list >/dev/null; done"], env=ENV) for _ in range(3)]
    chance = random.Random(42)
    for turn in range(10):
        victim = clients[chance.randrange(3)]
        if victim.poll() is not None:
            continue
        time.sleep(chance.random() * 0.05)
        os.killpg(victim.pid, signal.SIGSTOP)
        result = inside("one", "bpftool -j map list")
        ok('"shared"' in result.out, f"turn {turn}: one is stopped anywhere, the others go on", result)
        if turn % 4 == 3:
            os.killpg(victim.pid, signal.SIGKILL)
        else:
            os.killpg(victim.pid, signal.SIGCONT)
    for client in clients:
        try:
            os.killpg(client.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        client.communicate()
    result = inside("one", "exec " + " ".join([shutil.which("python3"), os.path.abspath(__file__), "half"]))
    equal(result.status, 0, "memory that is half there gives EFAULT", result)


def ends():
    """Down leaves the processes alone, or kills them."""
    process = e2e.start([e2e.SKEP, "exec", "-H", "one", "--", "/bin/sh", "-c",
                         "echo ready; read line; /bin/true && echo on; bpftool map list; exit 5"],
                        env=ENV, stdin=subprocess.PIPE)
    process.stdout.readline()
    equal(skep("down", "one").status, 0, "down with a process there")
    ok(not hive("one"), "it is gone from the list")
    out, err = process.communicate("\n", LIMIT)
    ok(process.returncode == 5 and out.startswith("on\n"), "the process goes on", out, err)
    skep("up", "one")
    process = e2e.start([e2e.SKEP, "exec", "-H", "one", "--", "/bin/sh", "-c", "echo ready; sleep 1000 & wait"], env=ENV)
    process.stdout.readline()
    ok(eventually(lambda: hive("one")["processes"] == 2), "two processes")
    equal(skep("down", "--kill", "one").status, 0, "down --kill")
    equal(process.wait(LIMIT), -signal.SIGKILL, "its processes are killed")
    process.communicate()


def killed(turn, chance):
    """The supervisor is killed at a random time; a new hive of that name can be had at once."""
    skep("up", "victim")
    pid = hive("victim")["pid"]
    process = e2e.start([e2e.SKEP, "exec", "-H", "victim", "--", "/bin/sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8; do bpftool map list; /bin/true; done; exit 0"], env=ENV)
    time.sleep(chance.random() * 0.12)
    os.kill(pid, signal.SIGKILL)
    result = e2e.finish(process, LIMIT)
    ok(result.status in (0, 1),
       f"supervisor killed, turn {turn}: its clients do not hang", result)
    # kill(2) does not wait for the death.
    ok(eventually(lambda: skep("up", "victim").status == 0), f"supervisor killed, turn {turn}: the name is free")
    equal(inside("victim", "/bin/true").status, 0, f"supervisor killed, turn {turn}: the new one serves")
    skep("down", "victim")


def exec_killed(turn, chance):
    skep_pid = e2e.start([e2e.SKEP, "exec", "-H", "steady", "--", "/bin/sh", "-c", "bpftool map list"], env=ENV)
    time.sleep(chance.random() * 0.01)
    os.kill(skep_pid.pid, signal.SIGKILL)
    skep_pid.communicate(timeout=LIMIT)
    equal(inside("steady", "exit 0").status, 0, f"a client killed, turn {turn}: the hive goes on")


STATE = os.path.join(PLACE, "state")
FILE = os.path.join(STATE, "maps")


def in_order(dumps):
    """The first dump is a hash's, which comes in any order."""
    first, rest = dumps.split("\n", 1)
    return sorted(json.loads(first), key=str), rest


def keep():
    """Pinned maps come back: contents, definition, BTF, whether frozen, directories."""
    with open(OBJECT + ".c", "w", encoding="utf-8") as source:
        source.write("#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nlong counter = 42;\n"
                     "SEC(\"socket\") int f(void *ctx) { return counter++; }\n")
    multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["clang", "-target", "bpf", "-O2", "-g", f"-I/usr/include/{multiarch}", "-c", OBJECT + ".c", "-o", OBJECT],
                   check=True, stdin=subprocess.DEVNULL)
    result = skep("up", "--state", STATE, "--save-every", "0", "kept")
    equal(result.status, 0, "up --state", result)
    equal(hive("kept")["state"], STATE, "list shows the directory")
    pins = "/sys/fs/bpf"
    result = inside("kept", f"""set -e
        mkdir {pins}/a {pins}/a/b
        bpftool map create {pins}/a/b/h type hash key 4 value 8 entries 100 name some_hash
        bpftool map create {pins}/p type percpu_array key 4 value 8 entries 2 name some_percpu
        bpftool map create {pins}/f type array key 4 value 4 entries 1 name some_frozen
        bpftool map create {pins}/r type ringbuf key 0 value 0 entries 4096 name some_ring
        for i in 1 2 3; do bpftool map update pinned {pins}/a/b/h key $i 0 0 0 value $i 0 0 0 0 0 0 $i; done
        bpftool map update pinned {pins}/f key 0 0 0 0 value 9 8 7 6
        bpftool map freeze pinned {pins}/f
        bpftool prog load {OBJECT} {pins}/prog pinmaps {pins}/a""")
    equal(result.status, 0, "maps of several kinds are pinned", result)
    show = "; ".join(f"bpftool -j map dump pinned {pins}/{name}" for name in ("a/b/h", "p", "f")) + "; bpftool map dump name object.data"
    before = in_order(inside("kept", show).out)
    ok('"frozen":1' in inside("kept", f"bpftool -j map show pinned {pins}/f").out, "one is frozen")
    ok(eventually(lambda: os.path.exists(FILE)), "the file is written soon after pinning")
    log = skep("list", "--log").out
    ok("pin r is not kept" in log and "pin prog is not kept" in log, "what cannot be kept is named", log)
    equal(skep("down", "kept").status, 0, "down writes it")
    equal(skep("up", "--state", STATE, "kept").status, 0, "up again")
    result = inside("kept", show)
    equal(in_order(result.out), before, "the contents are the same", result)
    result = inside("kept", f"bpftool -j map show pinned {pins}/f; bpftool map update pinned {pins}/f key 0 0 0 0 value 1 1 1 1")
    ok('"frozen":1' in result.out and result.status != 0, "the frozen one still is", result)
    result = skep("up", "--state", STATE, "thief")
    ok(result.status == 1 and "another living hive" in result.err, "one directory is one hive's", result)
    result = inside("kept", f"bpftool map update pinned {pins}/a/b/h key 4 0 0 0 value 4 0 0 0 0 0 0 4; mkdir {pins}/n; "
                            f"bpftool map create {pins}/n/late type array key 4 value 4 entries 1 name late; rm {pins}/p")
    equal(result.status, 0, "more pins", result)
    time.sleep(3)  # a pin is written within a second or two; what is not yet written may be lost
    os.kill(hive("kept")["pid"], signal.SIGKILL)
    # kill(2) does not wait for the death.
    ok(eventually(lambda: skep("up", "--state", STATE, "kept").status == 0), "up after kill -9")
    result = inside("kept", f"ls {pins} {pins}/n; bpftool -j map lookup pinned {pins}/a/b/h key 4 0 0 0")
    ok("late" in result.out and '"0x04"' in result.out, "has the last state that was written", result)
    skep("down", "kept")


def corrupted():
    """No file that is not whole is taken for one, whatever was done to it."""
    with open(FILE, "rb") as file:
        good = file.read()
    chance = random.Random(7)
    spoilt = {"empty": b"", "one byte": good[:1], "cut": good[:-1], "longer": good + b"x", "half": good[:len(good) // 2],
              "older": good[:8] + b"\0\0\0\0" + good[12:], "newer": good[:8] + b"\2\0\0\0" + good[12:]}
    for number in range(4):
        at = chance.randrange(len(good))
        spoilt[f"byte {at}"] = good[:at] + bytes([good[at] ^ 1 << number]) + good[at + 1:]
    for name, content in spoilt.items():
        with open(FILE, "wb") as file:
            file.write(content)
        result = skep("up", "--state", STATE, "spoilt")
        ok(result.status == 1 and "is refused" in result.err and (name not in ("older", "newer") or name in result.err),
           f"a spoilt file ({name}) is refused", result)
        with open(FILE, "rb") as file:
            ok(file.read() == content, f"a spoilt file ({name}) is left as it is")
    with open(FILE, "wb") as file:
        file.write(good)
    equal(skep("up", "--state", STATE, "spoilt").status, 0, "the good one is taken")
    equal(skep("down", "spoilt").status, 0, "and written again")


def nothing_left():
    ok(eventually(lambda: not os.listdir(RUNTIME)), "nothing is left in the run-time directory", os.listdir(RUNTIME))


try:
    shared()
    refused()
    nested()
    other_user()
    strange_requests()
    stopped_client()
    ends()
    seeded = random.Random(int(os.environ.get("SEED", "1")))
    for number in range(6):
        killed(number, seeded)
    skep("up", "steady")
    for number in range(6):
        exec_killed(number, seeded)
    keep()
    corrupted()
    result = skep("exec", "--", e2e.SKEP, "list")
    equal(result.status, 0, "list inside a hive", result)
    equal(skep("down", "--all").status, 0, "down --all")
    # Those without a name belong to somebody's command.
    equal([one for one in hives() if "name" in one], [], "then there is none")
    nothing_left()
finally:
    skep("down", "--all", "--kill")
    shutil.rmtree(PLACE, ignore_errors=True)
e2e.done()
