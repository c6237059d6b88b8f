#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs on the running kernel (--real) and on skep, over the same workload: the same events, in the same order in
each thread, field by field.

Process ids are compared by their place in the family. Not compared: clocks, CPUs, and the name in the first column of
trace_pipe, which the kernel looks up when the line is read (fields.bpf.c prints the name as programs see it).
"""
import os
import re
import time

import e2e
from e2e import equal, ok

# Every process of the family prints "member N" with its own id before it is what it will be.
SELF = "echo member $$; "
LEAF = f"/bin/dash -c '{SELF}exec /bin/true'"
NODE = f"/bin/dash -c '{SELF}{LEAF.replace(chr(39), chr(34)).replace('$$', chr(92) + '$$')}; exit 3'"
PYTHON = f"""
import os, sys
for script in ({SELF + 'exec /bin/true'!r}, {SELF + 'exec /bin/ls /'!r}, {SELF + 'exit 4'!r}):
    os.spawnv(os.P_WAIT, '/bin/dash', ['/bin/dash', '-c', script])
os._exit(5)
"""
WORKLOADS = {
    "dash": ["/bin/dash", "-c", f"{LEAF}; {NODE}; exit 5"],
    "bash": ["/bin/bash", "-c", f"{LEAF}; {NODE}; exit 5"],
    "python3": ["/usr/bin/python3", "-I", "-S", "-c", PYTHON],
    "a static C program": [e2e.TWICE_C, "3"],
}
HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = os.path.join(HERE, "fields.bpf.c")
CALLS = os.path.join(HERE, "calls.bpf.c")


def on(real, options, command):
    whole = ["/bin/dash", "-c", SELF + 'exec "$@"', "sh"] + command
    where = ["--real"] if real or e2e.REAL else []
    for _ in range(40):
        result = e2e.run([e2e.SKEP, "run"] + where + options + ["--"] + whole)
        # The kernel's trace_pipe has one reader at a time; somebody else's run is over soon.
        if "trace_pipe cannot be read: Device or resource busy" not in result.err:
            break
        time.sleep(0.25)
    return result


def family(result):
    """Process id → its number in order of birth."""
    members = re.findall(r"^(?:member|child) (\d+)$", result.out, re.MULTILINE)
    return {int(pid): number for number, pid in enumerate(members)}


def events(result):
    """For each process of the family: its lines, without what differs from run to run."""
    members, found = family(result), {}
    for line in e2e.trace_lines(result.out):
        pid = int(line["pid"])
        if pid in members:
            # The second flag tells whether the scheduler wants the CPU: chance.
            flags = line["flags"][0] + "." + line["flags"][2:]
            found.setdefault(members[pid], []).append((flags, line["event"], line["text"]))
    return found


def comparable(kernel, ours):
    """A read of user memory fails in the kernel where the page is not present, which is chance too."""
    if " length -14 of" in kernel[2]:
        return tuple((line[0], line[1], line[2].split(" length ")[0]) for line in (kernel, ours))
    return kernel, ours


def same_events(name, example, command):
    kernel, ours = (on(real, [example], command) for real in (True, False))
    what = f"{os.path.basename(example)} on {name}"
    equal((kernel.status, ours.status), (5, 5), f"{what}: exit status", kernel, ours)
    want, got = events(kernel), events(ours)
    ok(len(want) > 2, f"{what}: the kernel shows the family", kernel)
    for member in sorted(want):
        lines, others = want[member], got.get(member, [])
        pairs = [comparable(*pair) for pair in zip(lines, others)]
        at = next((i for i, pair in enumerate(pairs) if pair[0] != pair[1]), len(pairs))
        ok(at == len(lines) == len(others), f"{what}: the same events in process {member}",
           f"{len(others)} lines, the kernel has {len(lines)}; the first difference is line {at}",
           f"got  {others[at:at + 3]}", f"want {lines[at:at + 3]}")


def entries(result):
    """What the maps held of the family: (place in it, key, value)."""
    members = family(result)
    for line in e2e.json_lines(result.out):
        key = line.get("key")
        pid = key.get("process") if isinstance(key, dict) else key
        if line.get("map") == "calls" and pid in members:
            yield members[pid], key, line["value"]


def on_both(example, name, command):
    options = ["--no-trace", "--json", "--map", "calls", example]
    kernel, ours = (on(real, options, command) for real in (True, False))
    equal((kernel.status, ours.status), (5, 5), f"{os.path.basename(example)} on {name}: exit status", kernel, ours)
    return list(entries(kernel)), list(entries(ours))


def chance(name, member):
    """How often these are interrupted while they wait for a child is chance, on the kernel too."""
    return name in ("bash", "python3") and member == 0


def same_calls(name, command):
    kernel, ours = on_both(CALLS, name, command)
    want, got = {}, {}
    for found, source in ((want, kernel), (got, ours)):
        for member, key, times in source:
            found.setdefault(member, {})[key["nr"]] = times
    ok(len(want) > 2, f"calls on {name}: the kernel counts the family", kernel)
    for member in sorted(want):
        if chance(name, member):
            equal(set(got.get(member, {})), set(want[member]), f"calls on {name}: the same kinds by process {member}")
        else:
            equal(got.get(member), want[member], f"calls on {name}: the same number of each by process {member}")


def same_counts(name, command):
    kernel, ours = on_both(e2e.SYSCOUNT, name, command)
    want, got = ({member: value for member, _, value in source} for source in (kernel, ours))
    ok(len(want) > 2, f"syscount on {name}: the kernel counts the family", kernel)
    for member in sorted(want):
        if chance(name, member):
            want[member].pop("calls")
            got.get(member, {}).pop("calls", None)
        equal(got.get(member), want[member], f"syscount on {name}: the same entry for process {member}")


if not e2e.have_kernel_pids():
    e2e.skip("in a PID namespace the kernel's programs see other process ids")
elif e2e.have_root_bpf() and not e2e.have_kernel_trace():
    e2e.skip("the kernel's tracing is stopped (tracing_on)")
elif e2e.have_root_bpf():
    for workload, arguments in WORKLOADS.items():
        same_events(workload, e2e.HELLO, arguments)
        same_counts(workload, arguments)
        same_calls(workload, arguments)
        same_events(workload, FIELDS, arguments)
else:
    e2e.skip("the running kernel does not let this user load programs, so there is nothing to compare with")
e2e.done()
