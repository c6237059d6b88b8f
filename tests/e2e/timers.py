#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Timers and work queues of a libbpf program: what it counts under skep exec, and that the kernel counts the same."""
import os

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))

WANT = """in_hash: 0 returns 0 -22 -22 -22 -22 -22 0 -16 -22 0 -22 0
ticks 5, counted 5, key 7, started again 0
in_array: 0 returns 0
ticks 3, counted 3, key 2
in_lru: 0 returns 0
cancels itself: -35
cancelled: 0 returns 0 0 1 0 -22 0 0
deleted: 0 returns 0 0 0 0 0 0 0
in_own_callback: 0 returns 0
deletes itself: 1, then -2
pinned: 0 returns 0
where it was started: 1
in_work: 0 returns 0 -22 -22 -22 0 -16 -22 0 -22 0
worked: 2
closed, but set in a timer: 1
without users of the map: 0
start_many: 0 returns 0
of many: all
"""


def main():
    with e2e.Scratch() as scratch:
        built = e2e.run(["/bin/sh", "-ec", f"""cd {scratch}
{BPFTOOL} btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h
clang -target bpf -O2 -g -c {HERE}/timers.bpf.c -o timers.o -I. -I/usr/include/x86_64-linux-gnu
{BPFTOOL} gen skeleton timers.o name timers >timers.skel.h
cc -Wall -o timers {HERE}/timers.c -I. -lbpf"""])
        if not ok(built.status == 0, "it compiles", built):
            return
        os.chmod(scratch, 0o755)
        timers = os.path.join(scratch, "timers")
        result = e2e.skep_exec([timers])
        equal(result.out.splitlines(), WANT.splitlines(), "under skep exec", result)
        # Its parent is the supervisor, which has nothing to do when all timers have fired.
        idle = "import os,time; f=lambda: sum(map(int,open(f'/proc/{os.getppid()}/stat').read().split()[13:15])); " \
               "a=f(); time.sleep(1); print('idle', f() - a < 50)"
        result = e2e.skep_exec(["/usr/bin/python3", "-c",
                                f"import os; os.spawnl(os.P_WAIT, '{timers}', 'timers'); {idle}"])
        ok("idle True" in result.out, "and the supervisor rests afterwards", result)
        if not e2e.have_root_bpf():
            e2e.skip("the kernel takes no programs from this user")
            return
        result = e2e.run([timers])
        # Its allocator gives up now and then where nothing may sleep.
        if " -12" in result.out:
            e2e.skip("the kernel had no memory for a timer")
        else:
            equal(result.out.splitlines(), WANT.splitlines(), "on the kernel", result)


if not os.access("/sys/kernel/btf/vmlinux", os.R_OK) or not BPFTOOL:
    e2e.skip("no BTF of the kernel, or no bpftool here")
else:
    main()
e2e.done()
