#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's own test_lru_map, of Debian's linux-source-6.12, unmodified, under skep exec.

It says which keys LRU maps drop, with lists for all CPUs and with lists for each. (That of 6.1 fails on kernels of today,
whose batches are smaller.) The source is SKEP_LINUX_SOURCE_6_12 (an unpacked tree), or is fetched into --cache DIR, where it
and the program stay, if --fetch says so; without either the test is skipped.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import e2e
import linux_source
from e2e import ok, skip

PACKAGE = "linux-source-6.12"
SELFTESTS = "tools/testing/selftests/bpf"
TIMEOUT = 300
# By map_flags: 2 is BPF_F_NO_COMMON_LRU.
CASES = {0: [0, 1, 2, 3, 4, 5, 7, 8], 2: [0, 4, 6, 7, 8]}
TYPES = {9: "LRU hash", 10: "LRU percpu hash"}


def build(tree, cache):
    program = os.path.join(cache, "test_lru_map")
    if not os.path.exists(program):
        tests, tools = os.path.join(tree, SELFTESTS), os.path.join(tree, "tools")
        linux_source.run("gcc", "-O1", "-w", "-I" + tests, f"-I{tools}/include", f"-I{tools}/include/uapi", "-o", program,
                   tests + "/test_lru_map.c", "-lbpf", "-lelf", "-lz")
    return program


def judge(output, status):
    for flags, cases in CASES.items():
        for number, name in TYPES.items():
            for case in cases:
                line = rf"test_lru_sanity{case} \(map_type:{number} map_flags:0x{flags:X}\): Pass"
                ok(re.search(line, output), f"{name}{', NO_COMMON_LRU' if flags else ''}: sanity{case}")
    ok(status == 0, f"it ends with status 0 ({status})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fetch", action="store_true", help="download the package if it is not there")
    parser.add_argument("--cache", required=True, metavar="DIR")
    options = parser.parse_args()
    cache, tree = os.path.abspath(options.cache), os.environ.get("SKEP_LINUX_SOURCE_6_12", "")
    if not shutil.which("gcc"):
        skip("no gcc")
        e2e.done()
    if not tree and not os.path.isdir(os.path.join(cache, PACKAGE)) and not options.fetch:
        skip(f"no source of {PACKAGE}: SKEP_LINUX_SOURCE_6_12 says where, `ninja kernel-test-lru-map` fetches it")
        e2e.done()
    os.makedirs(cache, exist_ok=True)
    try:
        tree = tree or linux_source.fetch(PACKAGE, [SELFTESTS, "tools/include"], cache)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError, IndexError) as error:
        skip(f"{PACKAGE} is not to be had: {getattr(error, 'stderr', None) or error}".splitlines()[0])
        e2e.done()
    try:
        program = build(tree, cache)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        ok(False, "test_lru_map is built", getattr(error, "stderr", None) or error)
        e2e.done()
    try:
        result = subprocess.run([e2e.SKEP, "exec", "--", program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        output, status = result.stdout.decode(errors="replace"), result.returncode
    except subprocess.TimeoutExpired as error:
        output, status = (error.stdout or b"").decode(errors="replace"), f"no end within {TIMEOUT} s"
    e2e.note("\n".join(output.splitlines()[-4:]))
    judge(output, status)
    e2e.done()


main()
