#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The three examples, each on dash, bash, python3, a static C program and a static Go program."""
import re

import e2e
from e2e import equal, ok


def hello(comm, command):
    result = e2e.skep_run([e2e.HELLO], command)
    lines = [m for m in e2e.trace_lines(result.out) if m["text"] == "Hello World!"]
    own = [m for m in lines if m["comm"].strip() == comm]
    first = [m for m in lines if m["comm"].strip() == "skep"]
    equal(result.status, 5, f"hello on {comm}: the command's exit status", result)
    # The command's own execve is made by the process that was skep before; then one for each child.
    ok(len(first) >= 1 and (len(own) == 2 or e2e.REAL), f"hello on {comm}: one line for each execve", result)
    ok(all(m["event"] == "bpf_trace_printk" for m in lines), f"hello on {comm}: trace_pipe's format", result)
    if not e2e.REAL:
        equal(len(lines), 3, f"hello on {comm}: nothing else", result)


def syscount(comm, command):
    result = e2e.skep_run(["--no-trace", "--json", "--map", "calls", e2e.SYSCOUNT], command)
    entries = [line["value"] for line in e2e.json_lines(result.out) if line.get("map") == "calls"]
    own = [entry for entry in entries if entry["comm"] == comm]
    children = [entry for entry in entries if entry["comm"] == "true"]
    equal(result.status, 5, f"syscount on {comm}: the command's exit status", result)
    ok(own and own[0]["calls"] > 10, f"syscount on {comm}: the command is counted", result)
    ok(len(children) >= 2 and all(entry["calls"] > 5 and entry["last_nr"] == 231 for entry in children),
       f"syscount on {comm}: both children are counted, to their exit_group", result)


def execwatch(comm, command):
    result = e2e.run([e2e.EXECWATCH] + command) if e2e.REAL else \
        e2e.skep_exec([e2e.EXECWATCH] + command)
    seen = re.findall(r"^ *[0-9.]+ ms  (exec|exit) +\d+  (\S+)", result.out, re.MULTILINE)
    equal(result.status, 5, f"execwatch on {comm}: the command's exit status", result)
    equal(seen, [("exec", comm), ("exec", "true"), ("exit", "true"), ("exec", "true"),
                 ("exit", "true"), ("exit", comm)], f"execwatch on {comm}: all events in order", result)


for name, arguments in e2e.workloads():
    for example in (hello, syscount, execwatch):
        if arguments is None:
            e2e.skip(f"{name} is not on this machine")
        else:
            example(name, arguments)
e2e.done()
