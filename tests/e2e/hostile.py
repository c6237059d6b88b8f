#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A process of the hive writes over the memory that all share while programs run and a client reads every map: nobody
faults, nobody hangs, and the hive serves on."""
import os

import e2e
from e2e import equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = os.environ.get("SKEP_E2E_ROUNDS", "1")

SCRIPT = """
"$1" $(($2 * 5000)) & scribbler=$!
for round in 1 2; do
	for map in a_hash a_lru a_percpu a_lpm a_queue; do
		# A chain that is tied into a ring has no end for a client that asks for one key after the other.
		timeout 2 bpftool map dump name $map >/dev/null 2>&1
		case $? in 132 | 134 | 135 | 136 | 139) echo "a client died of $map" ;; esac
	done
	bpftool map lookup name a_hash key 1 0 0 0 >/dev/null 2>&1
	bpftool map update name a_hash key 1 0 0 0 value 1 0 0 0 0 0 0 0 >/dev/null 2>&1
done
wait $scribbler; echo "scribbler $?"
bpftool map list >/dev/null && bpftool prog list >/dev/null && echo served
"""

result = e2e.skep_run(["--no-trace", os.path.join(HERE, "hostile.bpf.c")],
                      ["/bin/bash", "-c", SCRIPT, "-", os.environ["SCRIBBLE"], ROUNDS], 280)
equal(result.status, 0, "the hive ends as its command", result)
ok("scribbler 0" in result.out, "the process that scribbles does not fault, nor do its programs", result)
ok("died" not in result.out, "no client dies of what it reads", result)
ok("served" in result.out, "the supervisor serves on", result)
e2e.done()
