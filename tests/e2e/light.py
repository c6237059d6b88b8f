#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A light skeleton: its loader is a BPF program that makes maps, loads programs and attaches them by bpf_sys_bpf()."""
import os

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
WANT = ["attach 0", "descriptors 8", "run 0 returns 42, seen 10", "descriptors at the end 0"]


def main():
    with e2e.Scratch() as scratch:
        result = e2e.run(["/bin/sh", "-ec", f"""cd {scratch}
clang -target bpf -O2 -g -c {HERE}/light.bpf.c -o light.o -I/usr/include/x86_64-linux-gnu
{BPFTOOL} gen skeleton -L light.o name light >light.skel.h
cc -Wall -o light {HERE}/light.c -I."""])
        if not ok(result.status == 0, "the skeleton and its program compile", result):
            return
        os.chmod(scratch, 0o755)
        light = os.path.join(scratch, "light")
        result = e2e.skep_exec([light])
        equal(result.out.splitlines(), WANT, "the light skeleton under skep exec", result)
        result = e2e.skep_exec(["/bin/sh", "-c", f"{BPFTOOL} prog loadall -L {scratch}/light.o /sys/fs/bpf/all; "
                                f"{BPFTOOL} prog show | grep -c -e 'name count ' -e 'name on_enter '"])
        equal(result.out.strip(), "2", "bpftool prog loadall -L", result)
        e2e.same_on_kernel([light], WANT)


if BPFTOOL:
    main()
else:
    e2e.skip("there is no bpftool")
e2e.done()
