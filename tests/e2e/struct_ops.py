#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bpftool's struct_ops verbs on a congestion control: under skep exec, and the same on the kernel where that is possible."""
import os
import re

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))

# Each with its expected status. The map must be gone at the end whatever happens.
STEPS = [
    (0, "$B struct_ops register $O"),
    (0, "$B struct_ops list | grep skep_control"),
    (0, "$B struct_ops show name skep_control"),
    (0, "$B -j struct_ops show name skep_control"),
    (0, "$B struct_ops dump name skep_control | grep -e skep_e2e -e state -e refcnt"),
    (0, "$B map show name skep_control | grep -v pids"),
    (255, "$B struct_ops register $O"),
    (0, "$B struct_ops unregister name skep_control"),
    (255, "$B struct_ops show name skep_control"),
]

NORMAL = [(r"\b\d+: ", "ID: "), (r'"id":\d+', '"id":ID'), (r"\bid \d+", "id ID"), (r"map_ids? [\d,]+", "map_ids N"),
          (r"btf_id \d+", "btf_id N"), (r"libbpf: .*", "libbpf"), (r"memlock \d+B", "memlock N"), (r"\s*pids.*", "")]


def normal(text):
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def walk(obj, under_skep):
    script = "\n".join(f"{command}; echo \"status $?\"" for _, command in STEPS)
    script = f"B='{BPFTOOL}'; O='{obj}'\n{script} 2>&1"
    command = ["/bin/sh", "-c", "exec 2>&1\n" + script]
    result = e2e.skep_exec(command) if under_skep else e2e.run(command)
    parts = re.split(r"status (\d+)\n", result.out)
    return result, [(int(parts[i + 1]), normal(parts[i])) for i in range(0, len(parts) - 1, 2)]


def main():
    with e2e.Scratch() as scratch:
        obj = os.path.join(scratch, "control.o")
        result = e2e.run(["clang", "-target", "bpf", "-O2", "-g", "-D__TARGET_ARCH_x86", "-c",
                          os.path.join(HERE, "struct_ops.bpf.c"), "-o", obj, "-I/usr/include/x86_64-linux-gnu"])
        if not ok(result.status == 0, "the congestion control compiles", result):
            return
        os.chmod(scratch, 0o755)
        result, ours = walk(obj, True)
        for i, (status, command) in enumerate(STEPS):
            equal(ours[i][0] if i < len(ours) else None, status, command, result)
        ok("registered" in result.err + result.out, "what registering means here is said", result)
        if os.geteuid():
            e2e.skip("the kernel takes no struct_ops from this user")
            return
        result, theirs = walk(obj, False)
        if not theirs or theirs[0][0]:
            e2e.skip("the kernel takes no struct_ops here")
            return
        for i, (_, command) in enumerate(STEPS):
            equal(ours[i] if i < len(ours) else None, theirs[i], command + ": as the kernel")


if not os.access("/sys/kernel/btf/vmlinux", os.R_OK) or not BPFTOOL:
    e2e.skip("no BTF of the kernel, or no bpftool here")
else:
    main()
e2e.done()
