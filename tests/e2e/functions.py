#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs on functions: fentry and fexit on other programs' functions, extensions, the kernel's test functions."""
import os

import e2e
from e2e import equal, ok

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions")
OBJECTS = ["target", "tracer", "watcher", "extension", "wrong", "kernel"]
WANT = """alone: 23
on_entry: attach 0
on_exit: attach 0
on_main: attach 0
traced: 23
out 1 1 2 3 3 3 23 -95
link type 2, attach type 24, target 1, function 1
an extension beside: -16
untraced: 23
out 1
extension: attach 0, run 122
a second time: -22
without it: 23
again: attach 0, run 122
out 2
wrong.o: load -22
the log says why
on_note: attach 0
out 15 30
out 15 30
first: attach 0
sixth: attach 0
modify: attach 0
hook: attach -95
test run: 0, 0
test run: 0, 0x10026
out 1 21 111 1
hook: 0, -1; 0, 0; -22
""".splitlines()

if not os.access("/sys/kernel/btf/vmlinux", os.R_OK):
    e2e.skip("the kernel shows no BTF here")
else:
    with e2e.Scratch() as scratch:
        script = "\n".join(f"clang -target bpf -O2 -g -c {HERE}/{name}.bpf.c -o {name}.o -I/usr/include/x86_64-linux-gnu"
                           for name in OBJECTS)
        result = e2e.run(["/bin/sh", "-ec", f"cd {scratch}\n{script}\ncc -Wall -o functions {HERE}/functions.c -lbpf"])
        if ok(result.status == 0, "the programs compile", result):
            os.chmod(scratch, 0o755)
            result = e2e.skep_exec([os.path.join(scratch, "functions")], cwd=scratch)
            equal(result.status, 0, "the client ends", result)
            got = result.out.splitlines()
            for i, line in enumerate(WANT):
                equal(got[i] if i < len(got) else None, line, line)
e2e.done()
