#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Objects that programs allocate (objects.bpf.c): the same programs, run in the same order, have the same results in a
hive and on the kernel, where the running kernel lets this user load them; and what may not be done with objects
(objects_bad_*.bpf.c) is refused in its words.

The type tags of a kptr need clang 16 or newer: Debian's clang 14 loses those of structures that it knows.
"""
import os
import re
import tempfile

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
CLANG = e2e.NEW_CLANG

# (program, length of the packet, repetitions)
STEPS = [("stash_plain", 64, 1), ("stash_plain", 64, 1), ("take_plain", 64, 1), ("take_plain", 64, 1),
         ("stash_plain", 64, 500), ("list_push", 64, 1), ("list_ends", 64, 1), ("list_pop", 64, 1),
         ("list_ends", 64, 1), ("list_pop", 64, 1), ("list_pop", 64, 1), ("list_ends", 64, 1)]
STEPS += [("tree_add", length, 1) for length in range(64, 84)]
STEPS += [("tree_shape", length, 1) for length in range(64, 80)] + [("tree_take", 64, 1)]
for _ in range(5):
    STEPS += [("tree_behead", 64, 1)] + [("tree_shape", length, 1) for length in (64, 69, 74, 79)]
STEPS += [("counted", 64, 1), ("twice", 64, 1), ("twice", 64, 200), ("nested", 64, 1), ("nested", 64, 200),
          ("percpu_put", 64, 1), ("percpu_count", 64, 1), ("percpu_count", 64, 1), ("percpu_put", 64, 1),
          ("percpu_count", 64, 1), ("hash_fill", 64, 1), ("hash_fill", 65, 1), ("hash_fill", 64, 50),
          ("hash_drop", 64, 1), ("hash_drop", 64, 1), ("hash_fill", 64, 1), ("res_lock", 64, 1), ("res_lock", 64, 10),
          ("res_deadlock", 64, 1), ("res_lock", 64, 1), ("locked_storage", 64, 1),
          ("locked_storage", 64, 2), ("locked_storage", 64, 100), ("tree_take", 64, 1), ("list_ends", 64, 1)]

# What 6.18 says of these is that it has found an error of its own; and it takes a plain object for a place that is read
# back as one for each CPU, and a pointer into an object for the object.
EXPLAINED = {"xchg_maybe_null", "refcount_of_plain", "xchg_percpu_plain", "refcount_inside"}

SCRIPT = """exec 2>&1 </dev/null
mkdir {pins} && {bpftool} prog loadall {object} {pins} || exit 1
{runs}
rm -r {pins}
"""
RUN = "head -c {size} /dev/zero >{work}/in; echo '== {name}/{size}*{repeat}'; {bpftool} prog run pinned {pins}/{name} " \
      "data_in {work}/in data_out /dev/null repeat {repeat}"


def script(work, target):
    pins = f"/sys/fs/bpf/objects-{os.getpid()}"
    runs = [RUN.format(work=work, pins=pins, bpftool=BPFTOOL, name=name, size=size, repeat=repeat)
            for name, size, repeat in STEPS]
    return SCRIPT.format(pins=pins, bpftool=BPFTOOL, object=target, runs="\n".join(runs))


def results(text):
    """The result of each step, by what bpftool printed behind its mark."""
    found = []
    for part in re.split(r"^== ", text, flags=re.M)[1:]:
        name, _, rest = part.partition("\n")
        value = re.search(r"Return value: (\d+)", rest)
        found.append((name, int(value[1]) if value else rest.strip()[-200:]))
    return found


def compile_object(work, name):
    target = os.path.join(work, name + ".o")
    made = e2e.run([CLANG, "-g", "-O2", "-target", "bpf", "-mcpu=v3",
                    "-I/usr/include/" + os.uname().machine + "-linux-gnu", "-c",
                    os.path.join(HERE, name + ".bpf.c"), "-o", target])
    return target if ok(made.status == 0, f"{name} is compiled", made) else None


def verdicts(text):
    """What the loader says of each program: taken or refused, and the last words."""
    found = {}
    for line in text.splitlines():
        facts, _, words = line.partition(" | ")
        parts = facts.split()
        if len(parts) >= 4:
            found[parts[1]] = "taken" if parts[2] == "ok" else words
    return found


def compare_verdicts(work):
    loader = os.environ.get("VERIFIER_PROGS", "")
    targets = [compile_object(work, "objects_bad_" + part) for part in ("kptr", "graph", "res")]
    if not all(targets) or not os.access(loader, os.X_OK):
        e2e.skip("no loader of single programs")
        return
    run = e2e.run([e2e.SKEP, "exec", loader] + targets)
    got = verdicts(run.out)
    if not ok(len(got) > 80 and list(got.values()).count("taken") < 20, "programs that do what may not be done", run):
        return
    want = verdicts(e2e.run([loader] + targets).out) if os.geteuid() == 0 else {}
    if "taken" not in want.values():
        e2e.skip("the running kernel does not let this user load programs")
        return
    for name, words in got.items():
        if name not in EXPLAINED:
            equal(words, want.get(name), name)


def main():
    if not CLANG or not BPFTOOL:
        e2e.skip("no clang 16 or newer" if not CLANG else "no bpftool")
        e2e.done()
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        compare_verdicts(work)
        target = compile_object(work, "objects")
        if not target:
            e2e.done()
        ours = e2e.run([e2e.SKEP, "exec", "--", "sh", "-c", script(work, target)])
        got = results(ours.out)
        if not equal(len(got), len(STEPS), "every program runs in a hive", ours):
            e2e.done()
        ok(all(isinstance(value, int) for _, value in got), "... and has a result", ours)
        real = e2e.run(["sh", "-c", script(work, target)]) if os.geteuid() == 0 else None
        if real is None or real.status:
            e2e.skip("the running kernel does not let this user load programs")
        else:
            for (name, mine), (_, theirs) in zip(got, results(real.out)):
                equal(mine, theirs, name)
    e2e.done()


main()
