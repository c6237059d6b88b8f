#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tasks, cgroups, CPU masks and areas of memory that programs get hold of: what they see is what /proc and the file
system of cgroups say, and where the kernel may be asked it sees the same.

The type tags of a kptr need clang 16 or newer (see objects.py).
"""
import os

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
CLANG = e2e.NEW_CLANG

SEEN = """masks: 10 10010 100 20001 111 101 1111
plain masks: 1 1 0 10 fffffff3 11 0
a task by its id: good
its name: kernel, has begun: 1
its parent: good
the same again: good
it may run somewhere: 1
by the namespace's id: good
none:
task_by_pid: error 0, returned 1
task_by_pid: error 0, returned 1
task_by_pid: error 0, returned 1
the current one: good
asked twice: 1
its cgroup of version 1: good
in no hierarchy: 0
kept for the first time: 0 0
what was kept: good
its mask: 2
taken out again: good
with its mask: 1
"""
GROUPS = """a cgroup by its id: good
the root above it: good
the same again: good
we are below the root: 1, nothing is below: 0
the root by its id: good
its level: 0, name: 0
none:
group_by_id: error 0, returned 1
without storage: -2
given: 0
stored: 1 8 8 0 fffffffffffffffe 0 0
taken: -2
stored: 0 29 29 0 fffffffffffffffe 0 0
"""
LISTS = """more than two: 1, it is among them: 1, threads: 0
its threads among all: 3
its threads: 3, of its group: 3
areas of memory: good
their size: good
where they are: good
those with code: good
the files in them: good
"""
TREE = """cgroups: good
all of them: good
the root first: good
from below: good
the root last: good
"""
INSIDE = """an area with this function: 0, 1
of this process: good
others behind it: 1, it may run somewhere: 1
the parent: good
called kernel: 1
at address 0: -2
forked, without a name: 1
"""
NONE = "there are no cgroups\n"


def built(scratch):
    made = e2e.run(["/bin/sh", "-ec", f"""cd {scratch}
{BPFTOOL} btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h
{CLANG} -target bpf -O2 -g -c {HERE}/kernel_objects.bpf.c -o made.o -I. -I/usr/include/x86_64-linux-gnu
{BPFTOOL} gen skeleton made.o name kernel_objects >kernel_objects.skel.h
cc -Wall -o kernel-objects {HERE}/kernel_objects.c -I. -lbpf -lpthread"""])
    os.chmod(scratch, 0o755)
    return ok(made.status == 0, "it compiles", made)


def main():
    if not CLANG or not BPFTOOL or (os.cpu_count() or 1) < 2:
        e2e.skip("no clang 16 or newer, no bpftool, or a single CPU")
        return
    with e2e.Scratch() as scratch:
        if not built(scratch):
            return
        program = os.path.join(scratch, "kernel-objects")
        result = e2e.skep_exec([program])
        grouped = NONE not in result.out
        # The level of our own cgroup is the machine's affair.
        lines = [line for line in result.out.splitlines() if not line.startswith("up to level")]
        want = SEEN + (GROUPS if grouped else NONE) + LISTS + (TREE if grouped else NONE) + INSIDE
        equal(lines, want.splitlines(), "under skep exec", result)
        if not e2e.have_root_bpf():
            e2e.skip("the kernel takes no programs from this user")
            return
        if not e2e.have_kernel_pids():
            e2e.skip("in a PID namespace the kernel's programs see other process ids")
            return
        result = e2e.run([program, "nothing that iterates"])
        if "cannot load" in result.out:
            e2e.skip("the kernel does not have all of this")
        else:
            equal(result.out.splitlines(), (SEEN + (GROUPS if grouped else NONE)).splitlines(), "on the kernel", result)


main()
e2e.done()
