#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""skep up --state: supervisor, writer or both killed at every point of a save, every call of it failing, a full disk, a
directory that cannot be written: the state that was there before is whole, or the new one; what fails is said. The keeper
killed: another one takes its place."""
import ctypes
import errno
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import e2e
from e2e import equal, ok

if e2e.REAL:
    e2e.skip("the kernel has no hives")
    e2e.done()

PLACE = tempfile.mkdtemp(prefix="e2e-")
RUNTIME = os.path.join(PLACE, "run")
STATE = os.path.join(PLACE, "state")
FILE = os.path.join(STATE, "maps")
os.mkdir(RUNTIME, 0o700)
ENV = dict(os.environ, XDG_RUNTIME_DIR=RUNTIME)
LIMIT = 120
MARK = os.path.join(PLACE, "mark")
PIN = "/sys/fs/bpf/m"


def skep(*arguments, env=None):
    started = time.monotonic()
    return e2e.finish(e2e.start([e2e.SKEP, *arguments], env=env or ENV), LIMIT, started)


def up(state=STATE, **variables):
    variables = {name: str(value) for name, value in variables.items()}
    preload = {"LD_PRELOAD": os.environ["DIE_IN_SAVE"], "DIE_MARK": MARK} if variables else {}
    if os.path.exists(MARK):
        os.unlink(MARK)
    return skep("up", "--state", state, "--save-every", "0", "kept", env=dict(ENV, **preload, **variables))


def inside(script):
    return skep("exec", "-H", "kept", "--", "/bin/sh", "-c", script)


def hive():
    return next((one for one in json.loads(skep("list", "--json").out) if one.get("name") == "kept"), None)


def eventually(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"


def value():
    result = inside(f"exec bpftool -j map lookup pinned {PIN} key 0 0 0 0")
    try:
        return int(json.loads(result.out)["value"][0], 16)
    except (ValueError, KeyError, TypeError):
        return repr(result)


def put(number):
    return inside(f"exec bpftool map update pinned {PIN} key 0 0 0 0 value {number} 0 0 0").status == 0


def log():
    return skep("list", "--log").out


def killed_anywhere(who):
    """A pin is made, which starts a save; it dies at each point in turn."""
    number, point = value_after_restart(), 0
    while True:
        result = up(DIE_AT=point, DIE_WHO=who)
        if result.status:
            ok(False, f"{who}, point {point}: up", result)
            return
        pid, before = hive()["pid"], os.stat(FILE).st_ino
        put(number + 1)
        inside("rm -f /sys/fs/bpf/n; exec bpftool map create /sys/fs/bpf/n type array key 4 value 4 entries 1 name n")
        done = eventually(lambda: state_of(pid) in "XZ" or os.stat(FILE).st_ino != before or "cannot be written" in log())
        reached = os.path.exists(MARK)
        if reached and who != "writer":
            done = eventually(lambda: state_of(pid) in "XZ")
        dead = state_of(pid) in "XZ"
        if not dead:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: state_of(pid) in "XZ")
        got = value_after_restart()
        ok(done and got in (number, number + 1), f"{who} killed at point {point}: the state is the old one or the new one",
           f"value {got}, was {number}", f"dead {dead}, reached {reached}")
        if not reached:
            ok(point > 8, f"{who}: {point} points")
            return
        number, point = got if isinstance(got, int) else number, point + 1


def value_after_restart():
    # The name is free when the last of a killed hive's descriptors is closed, which the kernel may do later.
    result, end = up(), time.monotonic() + 20
    while "is up already" in result.err and time.monotonic() < end:
        time.sleep(0.01)
        result = up()
    if result.status:
        return repr(result)
    got = value()
    skep("down", "kept")
    return got


def failing_calls():
    """Every call of a save fails once: it is said, and down refuses to lose the maps."""
    for point in range(0, 16, 2):
        number = value_after_restart()
        up(DIE_AT=point, DIE_ERRNO=errno.EIO)
        put((number + 1) % 256)
        result = skep("down", "kept")
        ok(result.status == 1 and "cannot be written: Input/output error" in result.err,
           f"call {point // 2} fails: down says so", result)
        ok(hive(), f"call {point // 2} fails: the hive stays")
        equal(value(), (number + 1) % 256, f"call {point // 2} fails: with its maps")
        equal(skep("down", "kept").status, 0, f"call {point // 2} fails: it can end when writing works")
        equal(value_after_restart(), (number + 1) % 256, f"call {point // 2} fails: nothing is lost")


def unwritable():
    number = value_after_restart()
    if os.geteuid() == 0:
        e2e.skip("root can write everywhere")
    else:
        up()
        put((number + 1) % 256)
        os.chmod(STATE, 0o500)
        result = skep("down", "kept")
        ok(result.status == 1 and "Permission denied" in result.err, "a directory without write permission: down says so", result)
        equal(skep("down", "--discard", "kept").status, 0, "down --discard ends it")
        ok(not hive(), "then it is gone")
        os.chmod(STATE, 0o700)
        equal(value_after_restart(), number, "and the file is what was last written")
        os.chmod(STATE, 0o000)
        result = up()
        ok(result.status == 1 and "Permission denied" in result.err, "a directory that cannot be read: up says so", result)
        os.chmod(STATE, 0o700)
        os.chmod(FILE, 0)
        result = up()
        ok(result.status == 1 and "Permission denied" in result.err, "a file that cannot be read: up says so", result)
        os.chmod(FILE, 0o600)
    os.chmod(STATE, 0o777)
    result = up()
    ok(result.status == 1 and "written to by others" in result.err, "a directory that others can write to is refused", result)
    os.chmod(STATE, 0o700)
    for name, make in (("a directory", os.mkdir), ("a pipe", os.mkfifo)):
        os.rename(FILE, FILE + ".good")
        make(FILE)
        result = up()
        ok(result.status == 1 and "refused" in result.err, f"{name} in the file's place is refused", result)
        (os.rmdir if name == "a directory" else os.unlink)(FILE)
        os.rename(FILE + ".good", FILE)
    equal(value_after_restart(), number, "the good file is taken afterwards")


def full_disk():
    libc = ctypes.CDLL(None, use_errno=True)
    disk = os.path.join(PLACE, "disk")
    os.mkdir(disk)
    if os.geteuid() or libc.mount(b"none", disk.encode(), b"tmpfs", 0, b"size=64k,mode=700"):
        e2e.skip("a small file system can be had by root only")
        return
    try:
        state = os.path.join(disk, "state")
        up(state)
        inside(f"bpftool map create {PIN} type array key 4 value 4 entries 1 name m")
        put(7)
        equal(skep("down", "kept").status, 0, "a small disk: down")
        up(state)
        put(8)
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        result = skep("down", "kept")
        ok(result.status == 1 and "No space left" in result.err, "a full disk: down says so", result)
        equal(value(), 8, "and the hive stays with its maps")
        pid = hive()["pid"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: state_of(pid) in "XZ")
        up(state)
        equal(value(), 7, "the file is the one before")
        put(9)
        os.unlink(os.path.join(disk, "filler"))
        equal(skep("down", "kept").status, 0, "with room again it ends")
        up(state)
        equal(value(), 9, "and has saved all")
        skep("down", "kept")
    finally:
        libc.umount2(disk.encode(), 2)


def keeper_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        for child in children.read().split():
            with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                if comm.read() == "skep-keeper\n":
                    return int(child)
    return 0


def keepers():
    skep("up", "kept")
    process = e2e.start([e2e.SKEP, "exec", "-H", "kept", "--", "/bin/sh", "-c",
                         "echo ready; read line; /bin/true && /bin/echo on; exit 5"], env=ENV, stdin=subprocess.PIPE)
    process.stdout.readline()
    pid = hive()["pid"]
    for turn in range(3):
        keeper = keeper_of(pid)
        ok(keeper, f"there is a keeper ({turn})")
        os.kill(keeper, signal.SIGKILL)
        ok(eventually(lambda: keeper_of(pid) not in (0, keeper)), "killed, it is replaced")
    ok("skep-keeper was killed" in log(), "which is said", log())
    equal(inside("exit 3").status, 3, "another session enters")
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate("\n", LIMIT)
    ok((process.returncode, out, err) == (5, "on\n", ""), "the new keeper takes over from a killed supervisor",
       process.returncode, out, err)


try:
    up()
    inside(f"bpftool map create {PIN} type array key 4 value 4 entries 1 name m")
    put(1)
    equal(skep("down", "kept").status, 0, "a state to begin with")
    for person in ("writer", "supervisor", "both"):
        killed_anywhere(person)
    failing_calls()
    unwritable()
    full_disk()
    keepers()
finally:
    skep("down", "--all", "--kill", "--discard")
    shutil.rmtree(PLACE, ignore_errors=True)
e2e.done()
