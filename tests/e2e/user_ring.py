#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A ring that a client fills and programs drain: libbpf's own producer, and what it would never write."""
import os

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
# What 6.18 answers.
WANT = """\
empty 0
flags -22
wakeup 0
three 3
three: 3 samples, sum 6, 48 bytes, 0 wrong
behind a busy one 0
behind a discarded one 1
behind: 1 samples, sum 2, 24 bytes, 0 wrong
stopped 2
the rest 2
stopped: 4 samples, sum 10, 68 bytes, 0 wrong
nested 1 -16
nested: 1 samples, sum 1, 16 bytes, 0 wrong
too long 7
around 2000 2000
around: 2000 samples, sum 2001000, 736000 bytes, 0 wrong
room 1
full 128, 28, room 0
drained 128
room again 1
full: 128 samples, sum 128, 3072 bytes, 0 wrong
by a call: 2 samples, sum 11, 116 bytes, 0 wrong
by another: 1 samples, sum 7, 16 bytes, 0 wrong
consumer writable 1
too much 22
positions 1
crooked -22
beyond the producer -22
larger than the ring -7
huge -7
huge and busy -7
behind the consumer 0
nothing in it 1
hostile: 1 samples, sum 0, 0 bytes, 1 wrong
consumer 8
""".splitlines()


def main():
    with e2e.Scratch() as scratch:
        result = e2e.run(["/bin/sh", "-ec", f"""cd {scratch}
clang -target bpf -O2 -g -c {HERE}/user_ring.bpf.c -o user_ring.o -I/usr/include/x86_64-linux-gnu
{BPFTOOL} gen skeleton user_ring.o name user_ring >user_ring.skel.h
cc -Wall -o user_ring {HERE}/user_ring.c -I. -lbpf"""])
        if not ok(result.status == 0, "the skeleton and its program compile", result):
            return
        os.chmod(scratch, 0o755)
        client = os.path.join(scratch, "user_ring")
        result = e2e.skep_exec([client])
        equal(result.out.splitlines(), WANT, "a ring under skep exec", result)
        e2e.same_on_kernel([client], WANT)


if BPFTOOL:
    main()
else:
    e2e.skip("there is no bpftool")
e2e.done()
