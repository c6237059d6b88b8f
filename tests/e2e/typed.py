#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs of type tracing: members read through BTF pointers, also through pointers that lead nowhere."""
import os

import e2e
from e2e import equal, ok

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "typed.bpf.c")

if not os.access("/sys/kernel/btf/vmlinux", os.R_OK):
    e2e.skip("the kernel shows no BTF here")
else:
    result = e2e.skep_run([SOURCE], ["/bin/cat", "/etc/hostname"])
    equal(result.status, 0, "the command goes through", result)
    texts = [m["text"] for m in e2e.trace_lines(result.out)]
    ok("opens /etc/hostname of 257" in texts, "tp_btf/sys_enter: arguments through struct pt_regs", result)
    if not e2e.REAL:
        ok(any(text.startswith("parent ") and text.endswith(" 0") for text in texts),
           "a structure that is not there reads as 0", result)
        ok("not modelled" in result.err + result.out, "which is said", result)
e2e.done()
