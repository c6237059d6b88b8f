#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`bpftool prog dump xlated` of many programs: instructions, names of what they call, functions and source lines are
those that the running kernel shows, but for addresses and ids. Also what is listed of the programs."""
import os
import re

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dumps")
OBJECTS = ["contexts", "loops", "maps", "misc", "more", "skb"]

WALK = """
for object in contexts loops maps misc more skb; do
    {bpftool} prog loadall {scratch}/$object.o {pins}/walk >{scratch}/out.$object.load 2>&1 || exit 1
    for program in {pins}/walk/*; do
        echo "prog show pinned $program"
        echo "prog dump xlated pinned $program linum"
    done >{scratch}/batch
    {bpftool} batch file {scratch}/batch >{scratch}/out.$object 2>&1
    rm -r {pins}/walk
done
"""

RUN = """
{bpftool} prog loadall {scratch}/loops.o /sys/fs/bpf/run && head -c 64 /dev/zero >{scratch}/packet &&
    {bpftool} -j -p prog run pinned /sys/fs/bpf/run/fastcall_beside_another_stack data_in {scratch}/packet
"""

NORMAL = [
    (r"#-?\d+$", "#"), (r"map\[id:\d+\]", "map[id:N]"), (r"bpf_prog_[0-9a-f]{16}", "bpf_prog_TAG"),
    (r"^\d+: (\w+  name)", r"N: \1"), (r"loaded_at \S+  uid \d+", "loaded_at TIME  uid N"),
    (r"(btf_id|map_ids) [\d,]+", r"\1 N"), (r"(not jited|jited \d+B)  memlock \d+B", "JIT"), (r"\[file:.*/", "[file:"),
    # Addresses: of jiffies, and of a variable of each CPU (a number of 32 bits).
    (r"(r[03]) = 0x[0-9a-f]{9,}", r"\1 = ADDRESS"), (r"\(b7\) r0 = -\d{7,}", "(b7) r0 = ADDRESS"),
]


def normal(text):
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def programs(text):
    """By name; a program begins with its line in a list."""
    return {part.split(" ", 2)[1]: part for part in re.split(r"^N: \w+  name", text, flags=re.MULTILINE)[1:]}


def dump(on_kernel, scratch):
    if on_kernel:
        pins = os.path.join(scratch, "bpffs")
        os.mkdir(pins)
        result = e2e.run(["unshare", "-m", "/bin/sh", "-c", "mount --make-rprivate / && mount -t bpf bpf " + pins + " && {"
                          + WALK.format(bpftool=BPFTOOL, pins=pins, scratch=scratch) + "}"])
    else:
        result = e2e.skep_exec(["/bin/sh", "-c", WALK.format(bpftool=BPFTOOL, pins="/sys/fs/bpf", scratch=scratch)])
    logs = [open(f"{scratch}/out.{name}.load", encoding="utf-8").read() for name in OBJECTS
            if os.path.exists(f"{scratch}/out.{name}.load")]
    if not equal(result.status, 0, "programs load on " + ("the kernel" if on_kernel else "skep"), result, *logs):
        return None
    return {name: programs(normal(open(f"{scratch}/out.{name}", encoding="utf-8").read())) for name in OBJECTS}


def main():
    with e2e.Scratch() as scratch:
        os.chmod(scratch, 0o755)
        for name in OBJECTS:
            result = e2e.run(["clang", "-target", "bpf", "-O2", "-g", "-c", f"{HERE}/{name}.bpf.c", "-o", f"{scratch}/{name}.o",
                              "-I/usr/include/x86_64-linux-gnu"])
            if not ok(result.status == 0, f"{name} compiles", result):
                return
        ours = dump(False, scratch)
        if not ours:
            return
        for name in OBJECTS:
            text = "".join(ours[name].values())
            equal(re.findall(r"call 0x.*", text), [], f"{name}: every call has a name")
            ok("line_num" in text and "Error" not in text, f"{name}: source lines", text)
        text = ours["loops"]["own_fastcall_is_jumped_into"]
        ok("r10 -8) = r1" in text and "r10 -16)" not in text, "a store that is not always met stays", text)
        result = e2e.skep_exec(["/bin/sh", "-c", RUN.format(bpftool=BPFTOOL, scratch=scratch)])
        ok('"retval": 12,' in result.out, "registers are the same behind a call without its stores", result)
        # Text that is longer than the files that the supervisor may write by its soft limit.
        result = e2e.run(["/bin/bash", "-c", "ulimit -S -f 100; exec \"$0\" exec -- sh -c 'wc -l </proc/kallsyms'", e2e.SKEP])
        ok(result.status == 0 and result.out.strip().isdigit() and int(result.out) > 300,
           "kallsyms under a limit on file sizes", result)
        if not e2e.have_root_bpf():
            e2e.skip("the running kernel does not let this user load programs: nothing to compare with")
            return
        theirs = dump(True, scratch)
        for name in OBJECTS if theirs else []:
            for program, text in theirs[name].items():
                if program.startswith("own_"):
                    continue
                equal(ours[name].get(program), text, f"{name}: {program}")


if BPFTOOL:
    main()
else:
    e2e.skip("bpftool is not on this machine")
e2e.done()
