#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients that nobody here wrote, under skep exec; and bpftool's answers compared with the running kernel's."""
import json
import os
import re

import e2e
from e2e import BPFTOOL, equal, ok


def bpftool_on_empty_hive():
    for what in ("prog", "map", "link", "btf"):
        result = e2e.skep_exec([BPFTOOL, "-j", what, "list"])
        # The types of the kernel itself are there from the start.
        found = [entry for entry in json.loads(result.out or "[]") if not entry.get("kernel")]
        ok(result.status == 0 and found == [], f"bpftool {what} list: nothing there yet", result)


def bpftool_session(directory):
    """Load, pin, list, dump and unpin in one hive."""
    obj = os.path.join(directory, "hello.o")
    compile_hello(obj)
    script = f"""set -e
{BPFTOOL} prog load {obj} /sys/fs/bpf/hello
{BPFTOOL} -j prog show pinned /sys/fs/bpf/hello
{BPFTOOL} prog dump xlated pinned /sys/fs/bpf/hello >&2
{BPFTOOL} map create /sys/fs/bpf/m type hash key 4 value 8 entries 16 name numbers
{BPFTOOL} map update pinned /sys/fs/bpf/m key 1 0 0 0 value 42 0 0 0 0 0 0 0
{BPFTOOL} -j map dump pinned /sys/fs/bpf/m
{BPFTOOL} map delete pinned /sys/fs/bpf/m key 1 0 0 0
{BPFTOOL} -j map dump pinned /sys/fs/bpf/m
rm /sys/fs/bpf/hello /sys/fs/bpf/m
{BPFTOOL} -j prog list
"""
    result = e2e.skep_exec(["/bin/sh", "-c", script])
    if not equal(result.status, 0, "bpftool: load, pin, show, dump, update, delete, unpin", result):
        return
    prog, full, empty, left = [json.loads(line) for line in result.out.splitlines()]
    equal((prog["type"], prog["name"], prog["gpl_compatible"]), ("tracepoint", "hello", True), "prog show")
    equal([(entry["key"], entry["value"]) for entry in full],
          [(["0x01", "0x00", "0x00", "0x00"], ["0x2a"] + ["0x00"] * 7)], "map dump: the element")
    equal(empty, [], "map dump: deleted")
    equal(left, [], "prog list: gone after the last pin")
    ok("call bpf_trace_printk#" in result.err or re.search(r"call .*trace_printk", result.err), "prog dump xlated",
       result)
    if e2e.have_root_bpf():
        same_as_kernel(obj, prog)
    else:
        e2e.skip("the running kernel does not let this user load programs: nothing to compare the tag with")


def same_as_kernel(obj, ours):
    pin = f"/sys/fs/bpf/skep-e2e-{os.getpid()}"
    load = e2e.run([BPFTOOL, "prog", "load", obj, pin])
    show = e2e.run([BPFTOOL, "-j", "prog", "show", "pinned", pin])
    if os.path.exists(pin):
        os.unlink(pin)
    if not equal((load.status, show.status), (0, 0), "the kernel loads the same object", load, show):
        return
    kernel = json.loads(show.out)
    for field in ("type", "name", "tag", "gpl_compatible", "bytes_xlated"):
        equal(ours[field], kernel[field], f"prog show: {field} is the kernel's")


def compile_hello(path):
    result = e2e.run(["clang", "-target", "bpf", "-O2", "-g", "-c", e2e.HELLO, "-o", path,
                      "-I/usr/include/x86_64-linux-gnu"])
    ok(result.status == 0, "the example compiles", result)


def nothing_outside():
    """What a hive holds cannot be seen outside, and hives do not see each other."""
    result = e2e.skep_exec(["/bin/sh", "-c", f"{BPFTOOL} map create /sys/fs/bpf/only-here type array key 4 value 4 "
                            "entries 1 name x && ls /sys/fs/bpf"])
    ok(result.status == 0 and result.out.split() == ["only-here"], "a pin is seen in its hive", result)
    result = e2e.skep_exec(["/bin/ls", "/sys/fs/bpf"])
    ok(result.status == 0 and result.out == "", "and in no other", result)
    ok(not os.path.exists("/sys/fs/bpf/only-here"), "nor outside")


def perf_show():
    """Who has attached what is found through the descriptors of all processes (TASK_FD_QUERY)."""
    result = e2e.skep_exec([e2e.SKEP, "run", e2e.HELLO, "--", BPFTOOL, "-j", "perf", "show"])
    shown = [line for line in result.out.splitlines() if line.startswith("[")]
    events = [(entry["fd_type"], entry["tracepoint"]) for entry in json.loads(shown[-1] if shown else "[]")]
    equal(events, [("tracepoint", "sys_enter_execve")], "perf show: the tracepoint of skep run", result)


def nested():
    result = e2e.skep_exec([e2e.SKEP, "exec", "--", "/bin/sh", "-c", "exit 6"])
    equal(result.status, 6, "skep exec in skep exec", result)
    result = e2e.skep_exec([e2e.SKEP, "run", e2e.HELLO, "--", "/bin/dash", "-c", "/bin/true; exit 7"])
    equal(result.status, 7, "skep run in skep exec", result)
    ok("Hello World!" in result.out, "its events fire", result)


if BPFTOOL:
    bpftool_on_empty_hive()
    with e2e.Scratch() as scratch:
        bpftool_session(scratch)
    nothing_outside()
    perf_show()
else:
    e2e.skip("bpftool is not on this machine")
nested()
e2e.done()
