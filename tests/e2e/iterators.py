#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Iterators, read by programs that know nothing of skep: cat, head, python, a static program, bpftool.

Where the running kernel lets this user load programs, what it gives for the same object must be the same, line by
line (hashes have no order), but for what differs between two processes.
"""
import os
import re
import signal
import subprocess

import e2e
from e2e import BPFTOOL, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
READERS = {"dynamic": os.environ["ITER_READ"], "static": os.environ["ITER_READ_STATIC"]}

# (arguments of iter_read, how lines are compared). $$ is the shell that starts it.
WALKS = [
    ("elems map=hash fill=5", sorted),
    ("elems map=hash fill=3000 chunk=70", sorted),
    ("elems map=hash fill=300 chunk=1", len),
    ("elems map=lru fill=400 chunk=100", sorted),
    ("elems map=array fill=8", list),
    ("elems map=array fill=8 vector=3", list),
    ("elems map=percpu_array fill=4", list),
    ("elems map=percpu_hash fill=4", sorted),
    ("elems map=.rodata", list),
    ("elems map=queue", list),
    ("elems", list),
    ("empty map=hash fill=1000", list),
    ("reads_far map=array", list),
    ("reads_far map=percpu_array fill=4", len),
    ("blocks map=hash fill=20", len),
    ("blocks map=hash fill=20 chunk=5000", len),
    ("too_much map=hash fill=2", list),
    ("too_much map=hash", list),
    ("retries map=array fill=8", list),
    ("tasks tid=$$", list),
    ("tasks pid=$$", list),
    ("tasks pidfd=$$", list),
    ("sleepy_tasks pid=$$", list),
    ("tasks tid=4194303", list),
    ("tasks tid=1 pid=2", list),
    ("files pid=$$", list),
    ("paths pid=$$", list),
    ("contents self", list),
    ("elems map=array update=elems", list),
    ("elems map=array update=maps", list),
]


def script(reader, target):
    return "exec 2>&1 </dev/null; " + "; ".join(f"echo '== {walk}'; {reader} {target} {walk}" for walk, _ in WALKS)


def sections(text):
    """The lines of each walk, without what differs between processes and kernels."""
    found = {}
    for line in text.splitlines():
        if line.startswith("== "):
            current = found.setdefault(line[3:], [])
        elif not line.startswith("libbpf: "):
            current.append(line)
    return found


def normalise(walk, lines):
    """Ids of processes and inodes are numbers like others; what is compared is the rest."""
    if re.search(r"(tid|pid|pidfd)=", walk):
        return [re.sub(r"\b\d{2,}\b", "N", re.sub(r"\b(null|pipe|.*\.tmp)\b", "F", line)) for line in lines]
    return lines


def compile_object(path):
    return e2e.run(["clang", "-g", "-O2", "-target", "bpf", "-I/usr/include/" + os.uname().machine + "-linux-gnu",
                    "-c", os.path.join(HERE, "iterators.bpf.c"), "-o", path])


def walk_all(target, kernel):
    for kind, reader in READERS.items():
        result = e2e.skep_exec(["/bin/sh", "-c", script(reader, target)])
        mine = sections(result.out)
        equal(set(mine), {walk for walk, _ in WALKS}, f"{kind} reader: every walk was made", result)
        for walk, how in WALKS:
            lines = normalise(walk, mine.get(walk, []))
            ok(lines and "Function not implemented" not in str(lines), f"{kind}: {walk}", result)
            if kernel:
                equal(how(lines), how(normalise(walk, kernel.get(walk, []))), f"{kind}: {walk}: as the kernel",
                      "\n".join(lines[:20]), "\n".join(kernel.get(walk, [])[:20]))


def pins(target):
    """A pinned iterator is a file like others: each that opens it begins a walk of its own."""
    line = r"^iterator.rodata +type 2 key 4 value \d+ entries 1 flags 1152 7$"
    steps = [
        f"{BPFTOOL} iter pin {target} /sys/fs/bpf/maps",
        "cat /sys/fs/bpf/maps >$T/1",
        "cat </sys/fs/bpf/maps >$T/2",
        "cd /sys/fs/bpf && cat maps >$T/3",
        "head -c 1 /sys/fs/bpf/maps >$T/4",
        "exec 3</sys/fs/bpf/maps; head -c 9 <&3 >$T/5; cat <&3 >>$T/5; cat <&3 >>$T/5; exec 3<&-",
        f"{os.sys.executable} -c 'print(open(\"/sys/fs/bpf/maps\").read(), end=\"\")' >$T/6",
        "dd if=/sys/fs/bpf/maps bs=3 2>/dev/null >$T/7",
        "for i in 1 2 3 4 5 6 7 8; do cat /sys/fs/bpf/maps >$T/p$i & done; wait; cat $T/p* >$T/8",
        f"{BPFTOOL} -j link show >$T/9",
        "test ! -s /sys/fs/bpf/maps; rm /sys/fs/bpf/maps; test ! -e /sys/fs/bpf/maps",
    ]
    with e2e.Scratch() as scratch:
        result = e2e.skep_exec(["/bin/sh", "-ec", f"T={scratch}\n" + "\n".join(steps)])
        equal(result.status, 0, "pinned iterators: every step", result)

        def text(name):
            with open(os.path.join(scratch, name), encoding="ascii") as file:
                return file.read()

        if result.status != 0:
            return
        whole = text("1")
        ok(whole.startswith("walk over maps\n") and whole.endswith("end\n") and re.search(line, whole, re.M),
           "cat of a pin", whole)
        for name, what in [("2", "a pin as standard input"), ("3", "a pin by a relative path"),
                           ("5", "a descriptor shared by three readers"), ("6", "python"), ("7", "three bytes a read")]:
            equal(text(name), whole, what)
        equal(text("4"), whole[:1], "head -c 1")
        equal(text("8"), whole * 8, "eight readers at once")
        ok('"type":"iter"' in text("9") and '"target_name":"bpf_map"' in text("9"), "link show", text("9"))


def killed(target):
    """A reader that dies in the middle of a walk, and others that go on."""
    reader = READERS["dynamic"]
    command = (f"{reader} {target} elems map=hash fill=4000 chunk=1 >/dev/null 2>&1 & victim=$!; "
               f"{reader} {target} elems map=array fill=8; kill -9 $victim; wait $victim; "
               f"{reader} {target} elems map=array fill=8")
    result = e2e.skep_exec(["/bin/sh", "-c", command])
    equal(result.out.count("7 of array"), 2, "others go on when a reader is killed", result)


COUNTS = r'''
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1024); __type(key, u32); __type(value, u64); } calls
	SEC(".maps");
SEC("tracepoint/raw_syscalls/sys_enter") int count(struct trace_event_raw_sys_enter *ctx)
{
	u32 nr = ctx->id;
	u64 one = 1;

	bpf_map_update_elem(&calls, &nr, &one, BPF_ANY);
	return 0;
}
SEC("iter/bpf_map_elem") int report(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *key = ctx->key;

	if (key)
		BPF_SEQ_PRINTF(ctx->meta->seq, "call %u\n", *key);
	return 0;
}
SEC("iter.s/task") int loader(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "task %s\n", task->comm);
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
'''


def skep_run(path):
    """skep run prints what iterators give when the command has ended."""
    with open(path, "w", encoding="ascii") as source:
        source.write(COUNTS)
    result = e2e.skep_run([path], ["/bin/true"])
    equal(result.status, 0, "skep run with iterators", result)
    ok("\ncall 231\n" in "\n" + result.out and "\ntask skep\n" in "\n" + result.out, "skep run: their text", result)
    result = e2e.skep_run(["--json", path], ["/bin/true"])
    texts = {line["iterator"]: line["text"] for line in e2e.json_lines(result.out) if "iterator" in line}
    ok("call 231\n" in texts.get("report", "") and "task skep\n" in texts.get("loader", ""), "skep run --json", result)
    with open(path, "a", encoding="ascii") as source:
        source.write('struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); '
                     '__type(value, u64); } other SEC(".maps");')
    result = e2e.skep_run([path], ["/bin/true"])
    ok(result.status == 1 and "use --map" in result.err, "an iterator over one of two maps", result)
    result = e2e.skep_run(["--map", "other", path], ["/bin/true"])
    ok(result.status == 0 and "call 0\n" in result.out and "call 231" not in result.out, "over the one of --map", result)


with e2e.Scratch() as directory:
    name = os.path.join(directory, "iterators.bpf.o")
    built = compile_object(name)
    if not os.access("/sys/kernel/btf/vmlinux", os.R_OK):
        e2e.skip("the kernel shows no BTF here")
    elif ok(built.status == 0, "the object is compiled", built):
        theirs = None
        if e2e.have_root_bpf():
            theirs = sections(e2e.run(["/bin/sh", "-c", script(READERS["dynamic"], name)]).out)
        else:
            e2e.skip("the running kernel takes no programs: nothing to compare with")
        walk_all(name, theirs)
        if BPFTOOL:
            pins(name)
        else:
            e2e.skip("no bpftool: pins are not walked")
        killed(name)
        skep_run(os.path.join(directory, "counts.bpf.c"))
        result = e2e.skep_exec([READERS["dynamic"], name, "elems", "map=array", "update=reads_far"])
        ok("update: Permission denied" in result.err, "a new program may not read beyond the map", result)
e2e.done()
