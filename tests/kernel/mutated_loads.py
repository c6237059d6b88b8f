#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real programs, changed at random, loaded here and by the running kernel: mutated_loads.c.

Compared are verdict, errno and the last line of the log; whole logs are counted. Objects are those of the examples and of the
end-to-end tests, compiled from C, unless others are named.

Usage: mutated_loads.py [--loads N] [--seed N] [--objects FILE...] SKEP MUTATED-LOADS SOURCE-DIRECTORY
"""
import argparse
import collections
import glob
import os
import subprocess
import sys
import tempfile

REJECTED_UNSEEN = {26, 28, 29}  # tracing, extensions, LSM: closed to everybody on some kernels
# What skep is stricter about, by its words; docs/evidence.md.
EXPLAINED = (
    ("expected an initialized iter", "6.18 takes the end of the stack for the first slot"),
    ("expected an initialized irq flag", "6.18 takes the end of the stack for the first slot"),
    ("must have zero offset when passed to release func", "6.18 counts objects by pointers into them"),
)
# What it calls its own bugs, in programs in which nothing is wrong.
ITS_BUGS = ("verifier bug: No program to jit", "verifier bug: scc exit: no visit info", "verifier bug: add backedge: no SCC")


class Load:
    def __init__(self, line, text):
        self.text = text  # the whole log, with -l
        head, self.last = line.rstrip("\n").split(" | ", 1)
        file, program, number, kind, error, *self.log = head.split(" ")
        self.name = f"{file} {program} {number}"
        kind, half, _ = kind.partition("h")
        self.type, self.half, self.error = int(kind.split("/")[0]), bool(half), int(error)


def loads_of(text):
    """By name; what libbpf loads twice counts once."""
    loads, log = {}, []
    for line in text.split("\n"):
        if line.startswith("  | "):
            log.append(line[4:])
        elif " | " in line:
            load = Load(line, log)
            loads.setdefault(load.name, load)
            log = []
    return loads


def words(last):
    """Of the wording of 6.1, which tools look for."""
    return last.replace("program of this type cannot use helper", "unknown func")


def difference(kernel, skep):
    if not skep.error and kernel.last.startswith(ITS_BUGS):
        return "explained"
    if (skep.error, words(skep.last)) != (kernel.error, words(kernel.last)):
        if skep.error and (kernel.last.startswith("verifier bug:") or any(text in skep.last for text, _ in EXPLAINED)):
            return "explained"
    # Before its context a tracepoint program may read, says 6.18.
    if kernel.type == 5 and skep.error == 13 and (skep.last.startswith("; ") or "context access off=-" in skep.last):
        return "explained"
    # The end of a log that did not fit depends on the addresses in it.
    if skep.error == kernel.error == 28:
        return None
    if skep.error != kernel.error:
        # Half of a pointer is compared with 0, which 6.18 decides by the whole.
        if skep.error and skep.half:
            return "explained"
        return "accepted here alone" if not skep.error else "rejected here alone" if not kernel.error else "errno"
    if words(skep.last) != words(kernel.last):
        return "explained" if skep.half else "last line"
    return "log" if skep.log != kernel.log else None


def compiled(source, directory):
    include = f"/usr/include/{os.uname().machine}-linux-gnu"
    objects = []
    with open(os.path.join(directory, "vmlinux.h"), "w", encoding="ascii") as header:
        subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"], stdout=header, check=True)
    for path in sorted(glob.glob(f"{source}/examples/*.bpf.c") + glob.glob(f"{source}/tests/e2e/*.bpf.c")):
        name = os.path.join(directory, os.path.basename(path)[:-6] + ".o")
        result = subprocess.run(["clang", "-target", "bpf", "-O2", "-g", "-mcpu=v3", "-D__TARGET_ARCH_x86", f"-I{directory}",
                                 "-idirafter", include, "-c", path, "-o", name], capture_output=True, check=False)
        if result.returncode == 0:
            objects.append(name)
    return objects


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", check=False)
    return loads_of(result.stdout), result.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--loads", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--objects", nargs="+")
    parser.add_argument("skep")
    parser.add_argument("loader")
    parser.add_argument("source")
    arguments = parser.parse_args()
    if os.geteuid() != 0 or subprocess.run(["bpftool", "prog", "show"], capture_output=True, check=False).returncode:
        print("1..0 # SKIP bpf(2) of the running kernel is not permitted here")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutated-") as directory:
        objects = arguments.objects or compiled(arguments.source, directory)
        command = [arguments.loader, "-n", str(arguments.loads), "-s", str(arguments.seed), *objects]
        kernel, kernel_status = run(command)
        skep, skep_status = run([arguments.skep, "exec", "--", *command])
    kinds, shown = collections.Counter(), []
    compared = accepted = 0
    for name, load in kernel.items():
        if name not in skep or (load.error == 1 and load.type in REJECTED_UNSEEN):
            continue
        compared += 1
        accepted += not load.error
        kind = difference(load, skep[name])
        kinds[kind] += 1
        if kind not in (None, "log", "explained"):
            shown.append(f"# {kind}: {name}\n#   kernel {load.error}: {load.last}\n#   skep   {skep[name].error}: {skep[name].last}")
    good = not shown and not kernel_status and not skep_status and compared > 10 * len(objects)
    print("\n".join(shown[:40]))
    print(f"# {compared} loads of {len(objects)} objects, {accepted} accepted by the kernel; another log: {kinds['log']}, "
          f"explained: {kinds['explained']}")
    print(f"{'ok' if good else 'not ok'} 1 - changed programs are judged as the kernel judges them\n1..1")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
