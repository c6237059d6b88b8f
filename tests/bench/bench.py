#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints one table of costs and ratios, both sides measured in this run, in turns. What counts are the ratios: absolute
times are those of this machine at this moment.

The kernel's column needs a user who may load programs into it; without one it is empty, and says so.
"""
import os
import re
import resource
import statistics
import subprocess
import sys
import time

SKEP = os.environ["SKEP"]
CALLS = os.environ["CALLS"]
HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get("SKEP_BENCH_ROUNDS", "7"))


def run(command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        sys.exit(f"{' '.join(command)} takes more than a minute")


def inner_ns(command):
    """What the program measured itself."""
    result = run(command)
    match = re.search(r"^ns ([0-9.]+)$", result.stdout, re.MULTILINE)
    if not match:
        sys.exit(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return float(match[1])


def outer_ns(command):
    """From start to end."""
    start = time.monotonic()
    result = run(command)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return (time.monotonic() - start) * 1e9


def cpu_ns(command):
    """Processor time of it and its descendants: what remains of the above on a busy machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outer_ns(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1e9


def medians(measure, sides):
    """{side: (median, lowest, highest)}; the sides take turns, so that a busy moment hits all of them."""
    found = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, command in sides.items():
            found[name].append(measure(command))
    return {name: (statistics.median(times), min(times), max(times)) for name, times in found.items()}


def show_ns(nanoseconds):
    if nanoseconds >= 1e6:
        return f"{nanoseconds / 1e6:.2f} ms"
    if nanoseconds >= 1e4:
        return f"{nanoseconds / 1e3:.2f} µs"
    return f"{nanoseconds:.1f} ns"


def spread(sample):
    return f"{show_ns(sample[0])} ({show_ns(sample[1])}–{show_ns(sample[2])})"


ROWS = []


def row(name, baseline, ours, kernel=None, added=False):
    """ours and kernel against the baseline: as a ratio, and for added costs as the difference."""
    def cell(sample):
        if sample is None:
            return "–"
        text = f"{sample[0] / baseline[0]:.2f}×"
        return f"+{show_ns(sample[0] - baseline[0])}, {text}" if added else text
    ROWS.append((name, spread(baseline), cell(ours), cell(kernel), spread(ours)))


def have_kernel():
    return os.geteuid() == 0 and run([SKEP, "run", "--real", "--no-trace",
                                      os.path.join(HERE, "empty.bpf.c"), "--", "/bin/true"]).returncode == 0


def skep_run(source, command, real=False):
    return [SKEP, "run"] + (["--real"] if real else []) + \
        ["--no-trace", os.path.join(HERE, source), "--"] + command


def system_calls(kernel):
    call = [CALLS, "getppid"]
    sides = {"bare": call, "filter": [CALLS, "filter"], "filter-ip": [CALLS, "filter-ip"], "skep": [SKEP, "exec", "--"] + call,
             "tp": skep_run("empty.bpf.c", call), "raw": skep_run("empty_raw.bpf.c", call)}
    if kernel:
        sides |= {"kernel tp": skep_run("empty.bpf.c", call, True),
                  "kernel raw": skep_run("empty_raw.bpf.c", call, True)}
    got = medians(inner_ns, sides)
    bare = got["bare"]
    row("a system call that nobody watches, over the bare call", bare, got["skep"], bare if kernel else None, True)
    row("… under a seccomp filter that allows everything", bare, got["filter"], None, True)
    row("… under one that looks at the instruction pointer", bare, got["filter-ip"], None, True)
    row("sys_enter tracepoint, empty program, over the bare call", bare, got["tp"], got.get("kernel tp"), True)
    row("raw sys_enter, empty program, over the bare call", bare, got["raw"], got.get("kernel raw"), True)


def gate(kernel):
    """Of 1, 2, 8 and 64 clients at once the time from one call of any of them to the next."""
    floor = medians(inner_ns, {"notify": [CALLS, "notify"], "copy": [CALLS, "copy"]})
    for clients in (1, 2, 8, 64):
        many, alone = ([str(clients)], [str(clients)]) if clients > 1 else ([], ["alone"])
        hive = [SKEP, "exec", "--", CALLS]
        served = ["outer", "gate"] + (["info", "next-id"] if clients == 1 else [])
        sides = {what: hive + [what] + many for what in ["lookup", "batch"] + served}
        sides |= {f"kernel {what}": [CALLS, what if kernel else "getppid"] + alone for what in sides}
        got = medians(inner_ns, sides)
        base, base_batch = got["kernel lookup"], got["kernel batch"]
        over = "the kernel's" if kernel else "a bare getppid"
        name = f"{clients} client" + ("s" if clients > 1 else "")
        row(f"bpf(2) lookup in-process, {name}, over {over}", base, got["lookup"], base if kernel else None)
        row(f"bpf(2) batch of 64 in-process, an element, {name}, over {over}", base_batch, got["batch"],
            base_batch if kernel else None)
        for what, title in (("outer", "lookup by the supervisor (a hash of maps)"), ("info", "info of a map"),
                            ("next-id", "id of the next map"), ("gate", "lookup from code that is not rewritten")):
            if what in got:
                base = got[f"kernel {what}"]
                row(f"bpf(2) {title}, {name}, over {over}", base, got[what], base if kernel else None)
        if clients == 1:
            row("that of the hash of maps, over a bare seccomp notification", floor["notify"], got["outer"])
            row("the same, over one that copies 8 bytes in and out", floor["copy"], got["outer"])
            row("that of code that is not rewritten, over the latter", floor["copy"], got["gate"])


def start_up():
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true; done"
    for name, command in (("skep exec -- true, over true", ["/bin/true"]),
                          ("20 short processes under skep exec, over without", ["/bin/sh", "-c", script])):
        for what, measure in (("elapsed", outer_ns), ("CPU time", cpu_ns)):
            got = medians(measure, {"bare": command, "exec": [SKEP, "exec", "--"] + command})
            row(f"{name}: {what}", got["bare"], got["exec"], None, True)


def main():
    kernel = have_kernel()
    system_calls(kernel)
    gate(kernel)
    start_up()
    titles = ("work", "baseline: median (range)", "skep", "kernel", "skep: median (range)")
    widths = [max(len(line[i]) for line in ROWS + [titles]) for i in range(len(titles))]
    for line in [titles, tuple("-" * width for width in widths)] + ROWS:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    if not kernel:
        print("The kernel's column is empty: this user may not load programs into the running kernel.")
    print(f"{ROUNDS} rounds, the sides in turns; {os.uname().release}, {os.cpu_count()} CPUs")


main()
