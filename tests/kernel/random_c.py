#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random programs in C (c_programs.py), compiled by each clang there is, judged by skep and by the running kernel.

Compared are verdict, errno and the last line of the log, the number of instructions (which may differ for one in 20: docs/evidence.md
says why), and of some files whole level-2 logs, which are counted and shown. With --keep the
files stay, to look at what differs: `mutated-loads -a -l 0 -v 6 OBJECT`, by itself and under `skep exec`.

Usage: random_c.py [--programs N] [--seed N] [--keep DIRECTORY] SKEP MUTATED-LOADS
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import c_programs
from mutated_loads import difference, loads_of, words, REJECTED_UNSEEN

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILERS = [("clang", "v1 v2 v3"), ("clang-16", "v1 v2 v3"), ("clang-19", "v1 v2 v3 v4 v4")]
PER_OBJECT = 40
WHOLE = 4  # of so many objects one has its whole logs compared
# What may differ between two logs of one program: addresses, times.
VARIES = re.compile(r"0x(?:ffff|7e8)[0-9a-f]+ *|verification time \d+ usec")
LONG = 1000  # instructions from which a program's time counts


def compiled(seed, numbers, compiler, version, level, directory):
    """Objects of these programs: one, or more if there are some that this compiler takes not at all (says how many)."""
    name = f"{directory}/{numbers[0]}-{len(numbers)}"
    with open(name + ".c", "w", encoding="ascii") as file:
        file.write('#include "c_prelude.h"\n\n')
        file.writelines(c_programs.program(seed, number, version) + "\n" for number in numbers)
    include = f"/usr/include/{os.uname().machine}-linux-gnu"
    result = subprocess.run([compiler, "-target", "bpf", f"-O{level}", "-g", f"-mcpu={version}", "-D__TARGET_ARCH_x86", f"-I{HERE}", "-idirafter", include,
                             "-w", "-c", name + ".c", "-o", name + ".o"], capture_output=True, text=True, errors="replace", check=False)
    if not result.returncode:
        return [name + ".o"], 0
    if len(numbers) == 1:
        print(f"# {compiler} -O{level} {version} does not take program {seed}/{numbers[0]}: {(re.search('error: .*', result.stderr) or [result.stderr])[0][:120]}")
        return [], 1
    half = len(numbers) // 2
    halves = [compiled(seed, part, compiler, version, level, directory) for part in (numbers[:half], numbers[half:])]
    return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]


def loaded(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if result.returncode or "libbpf does not" in result.stderr:
        print(f"# {command[0]} ended with {result.returncode}: {result.stderr[-300:]}", flush=True)
    return loads_of(result.stdout), result.returncode == 0


def figure(load, text):
    found = [re.match(text, line) for line in load.text]
    return next((int(match[1]) for match in found if match), 0)


def processed(load):
    return figure(load, r"processed (\d+) insns")


class Tally:
    def __init__(self):
        self.kinds = collections.Counter()
        self.compared = self.accepted = self.same = self.logs = self.same_logs = 0

    def show(self, kind, name, kernel, skep):
        self.kinds[kind] += 1
        print(f"# {kind}: {name}\n#   kernel {kernel.error} ({processed(kernel)}): {kernel.last}\n"
              f"#   skep   {skep.error} ({processed(skep)}): {skep.last}", flush=True)

    def compare(self, name, kernel, skep, whole):
        if kernel.error == 1 and kernel.type in REJECTED_UNSEEN:
            return
        self.compared += 1
        self.accepted += not kernel.error
        kind = difference(kernel, skep)
        if kernel.error == skep.error in (0, 28):
            kind = None  # the last line is none of a reason; counts and whole logs follow
        if kind not in (None, "log"):
            self.show(kind, name, kernel, skep)
            return
        if kernel.error == 28:
            return
        self.same += processed(kernel) == processed(skep)
        if processed(kernel) != processed(skep):
            self.show("instructions", name, kernel, skep)
        elif whole:
            pairs = zip(kernel.text + ["(end)"], skep.text + ["(end)"])
            differ = next(((a, b) for a, b in pairs if words(VARIES.sub("#", a.rstrip())) != words(VARIES.sub("#", b.rstrip()))), None)
            self.logs += 1
            self.same_logs += differ is None
            if differ:
                self.kinds["log"] += 1
                print(f"# log: {name}\n#   kernel: {differ[0][:200]}\n#   skep:   {differ[1][:200]}", flush=True)
        times = [figure(load, r"verification time (\d+) usec") for load in (kernel, skep)]
        if processed(kernel) > LONG and times[1] > times[0]:
            print(f"# slower: {name}: {processed(kernel)} instructions, {times[0]} us by the kernel, {times[1]} us by skep")


def judge(tally, arguments, directory, first):
    """One file of programs, on both sides; how many did not compile."""
    rng = random.Random(f"{arguments.seed}/{first}/file")
    compiler, versions = rng.choice([row for row in COMPILERS if shutil.which(row[0])])
    version, level, whole = rng.choice(versions.split()), rng.choice("221s"), first // PER_OBJECT % WHOLE == 1
    numbers = range(first, min(first + PER_OBJECT, arguments.first + arguments.programs))
    objects, lost = compiled(arguments.seed, numbers, compiler, version, level, directory)
    command = [arguments.loader, "-a", "-l", "0", "-v", "6" if whole else "5", *objects]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        (kernel, good), (skep, good_too) = pool.map(loaded, (command, [arguments.skep, "exec", "--", *command]))
    for name, load in kernel.items():
        if name in skep:
            tally.compare(f"{name} ({compiler} -O{level} {version})", load, skep[name], whole)
    if not good or not good_too or set(kernel) != set(skep) or len(kernel) != len(numbers) - lost:
        tally.kinds["lost"] += 1
        print(f"# of programs {numbers.start} to {numbers.stop} {len(kernel)} were loaded by the kernel, {len(skep)} by skep", flush=True)
    if not arguments.keep:
        for path in objects:
            os.unlink(path)
    return lost


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--keep", help="a directory for sources and objects")
    parser.add_argument("skep")
    parser.add_argument("loader")
    arguments = parser.parse_args()
    if os.geteuid() != 0 or subprocess.run(["bpftool", "prog", "show"], capture_output=True, check=False).returncode:
        print("1..0 # SKIP bpf(2) of the running kernel is not permitted here")
        return 0
    if not any(shutil.which(name) for name, _ in COMPILERS):
        print("1..0 # SKIP there is no clang here")
        return 0
    tally, lost = Tally(), 0
    with tempfile.TemporaryDirectory(prefix="random-c-") as directory:
        if arguments.keep:
            os.makedirs(arguments.keep, exist_ok=True)
        for first in range(arguments.first, arguments.first + arguments.programs, PER_OBJECT):
            lost += judge(tally, arguments, arguments.keep or directory, first)
    bad = sum(number for kind, number in tally.kinds.items() if kind not in ("explained", "log", "instructions"))
    print(f"# {tally.compared} programs, {tally.accepted} accepted by the kernel, {tally.same} with its number of instructions, {lost} not compiled; "
          f"{tally.logs} whole logs compared, {tally.same_logs} the same; {dict(tally.kinds)}")
    others = tally.kinds["instructions"] + tally.kinds["explained"]
    good = not bad and lost * 20 <= arguments.programs < tally.compared * 2 and others * 20 <= tally.compared
    print(f"{'ok' if good else 'not ok'} 1 - random programs in C are judged as the kernel judges them\n1..1")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
