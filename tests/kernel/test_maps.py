#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's own test_maps, of Debian's linux-source-6.1, unmodified, under skep exec.

It is built in a directory that stays between runs (--cache DIR), from the package's source, which is taken from
SKEP_LINUX_SOURCE (an unpacked tree), or downloaded with apt-get if --fetch says so. Without either the test is
skipped. Nothing of it comes into this repository.

It ends at the first thing that fails, so what it printed until then says how far it came.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import e2e
import linux_source
from e2e import ok, skip
from linux_source import run

PACKAGE = "linux-source-6.1"
SELFTESTS = "tools/testing/selftests/bpf"
PARTS = ["tools", "scripts/bpf_doc.py", "include/uapi", "kernel/trace/bpf_trace.c"]
OBJECTS = ["sockmap_parse_prog", "sockmap_verdict_prog", "sockmap_tcp_msg_prog", "test_map_in_map",
           "test_map_in_map_invalid", "read_bpf_task_storage_busy"]
BPFTOOL = shutil.which("bpftool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
TIMEOUT = 500

# What it prints, in its order. The last part, which looks at a variable of the kernel, fails on 6.18 itself.
STAGES = ["test_hashmap", "test_hashmap_percpu", "test_hashmap_sizes", "test_arraymap", "test_arraymap_percpu"]
PASSES = ["test_array_map_batch_ops:PASS", "test_array_percpu_map_batch_ops:PASS", "test_htab_map_batch_ops:PASS",
          "test_htab_percpu_map_batch_ops:PASS", "test_lpm_trie_map_batch_ops:PASS",
          "test_map_in_map_batch_ops_array:PASS with inner ARRAY map", "test_map_in_map_batch_ops_array:PASS with inner HASH map",
          "test_map_in_map_batch_ops_hash:PASS with inner ARRAY map", "test_map_in_map_batch_ops_hash:PASS with inner HASH map",
          "test_sk_storage_map:PASS"]


def build(tree, work):
    """test_maps and the objects that it loads, in work."""
    program = os.path.join(work, "test_maps")
    if os.path.exists(program):
        return program
    os.makedirs(work, exist_ok=True)
    library = os.path.join(work, "libbpf")
    os.makedirs(library, exist_ok=True)
    run("make", "-C", os.path.join(tree, "tools/lib/bpf"), "OUTPUT=" + library + "/", "DESTDIR=" + library, "prefix=",
        "install_headers", library + "/libbpf.a", library + "/bpf_helper_defs.h")
    tests = os.path.join(tree, SELFTESTS)
    headers = ["-I" + work, "-I" + os.path.join(library, "include"), "-I" + tests]
    uapi = "-I" + os.path.join(tree, "tools/include/uapi")
    with open(os.path.join(work, "vmlinux.h"), "w") as header:
        subprocess.run([BPFTOOL, "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"], check=True, stdout=header)
    for name in OBJECTS:
        run("clang", "-O2", "-g", "-target", "bpf", "-w", "-D__TARGET_ARCH_x86", *headers, uapi,
            "-idirafter", "/usr/include/x86_64-linux-gnu", "-c", f"{tests}/progs/{name}.c", "-o", f"{work}/{name}.bpf.o")
    skeleton = "read_bpf_task_storage_busy"
    with open(os.path.join(work, skeleton + ".skel.h"), "w") as header:
        subprocess.run([BPFTOOL, "gen", "skeleton", f"{work}/{skeleton}.bpf.o", "name", skeleton], check=True, stdout=header)
    sources = sorted(glob.glob(tests + "/map_tests/*.c"))
    os.makedirs(os.path.join(work, "map_tests"), exist_ok=True)
    with open(os.path.join(work, "map_tests/tests.h"), "w") as header:
        for source in sources:
            with open(source) as text:
                for name in re.findall(r"^void test_(\w+)\(void\)", text.read(), re.M):
                    header.write(f"DEFINE_TEST({name})\n")
    run("gcc", "-O1", "-w", *headers, "-I" + os.path.join(tree, "tools/include"), uapi, "-o", program, tests + "/test_maps.c", *sources, tests + "/testing_helpers.c", library + "/libbpf.a", "-lelf", "-lz", "-lpthread")
    return program


def hide_sockmaps(work):
    """The library that hides them (no_sockmap.c says why)."""
    library = os.path.join(work, "no_sockmap.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_sockmap.c")
    run("gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl")
    return library


def judge(output):
    for name in STAGES:
        ok(f"Fork 100 tasks to '{name}'" in output, f"{name}: alone, and a hundred at a time")
    ok("test_sockmap SKIP" in output, "sockmap: skipped, since nothing is sent through such maps")
    for line in PASSES:
        ok(line in output, line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fetch", action="store_true", help="download the package if it is not there")
    parser.add_argument("--cache", required=True, metavar="DIR")
    options = parser.parse_args()
    cache = os.path.abspath(options.cache)
    tree = os.environ.get("SKEP_LINUX_SOURCE", "")
    missing = [tool for tool in ("make", "clang", "gcc") if not shutil.which(tool)] + ([] if BPFTOOL else ["bpftool"])
    if missing:
        skip("no " + ", ".join(missing))
        e2e.done()
    if not tree and not os.path.isdir(os.path.join(cache, PACKAGE)) and not options.fetch:
        skip(f"no source of {PACKAGE}: SKEP_LINUX_SOURCE says where, `ninja kernel-test-maps` fetches it")
        e2e.done()
    os.makedirs(cache, exist_ok=True)
    try:
        tree = tree or linux_source.fetch(PACKAGE, PARTS, cache)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError, IndexError) as error:
        skip(f"{PACKAGE} is not to be had: {getattr(error, 'stderr', None) or error}".splitlines()[0])
        e2e.done()
    try:
        program = build(tree, os.path.join(cache, "work"))
        library = hide_sockmaps(os.path.join(cache, "work"))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        ok(False, "test_maps is built", getattr(error, "stderr", None) or error)
        e2e.done()
    try:
        result = subprocess.run([e2e.SKEP, "exec", "--", "env", "LD_PRELOAD=" + library, program],
                                cwd=os.path.dirname(program), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
        output = result.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace") + f"\nno end within {TIMEOUT} s"
    e2e.note("\n".join(output.splitlines()[-12:]))
    judge(output)
    e2e.done()


main()
