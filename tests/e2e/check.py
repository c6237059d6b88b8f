#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""skep check: rows, exit statuses, directories, JSON, and the running kernel beside."""
import json
import os
import shutil
import signal
import subprocess
import sys

import e2e
from e2e import equal, ok

MULTIARCH = os.uname().machine + "-linux-gnu"

HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nchar _license[] SEC(\"license\") = \"GPL\";\n"

GOOD = HEAD + 'SEC("xdp") int pass_all(struct xdp_md *ctx) { return XDP_PASS; }\n'

# One of two is rejected; the other must be judged all the same.
MIXED = HEAD + """
SEC("xdp") int fine(struct xdp_md *ctx) { return XDP_DROP; }
SEC("xdp") int beyond(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }
"""


def check(*arguments, **keywords):
    return e2e.run([e2e.SKEP, "check", *arguments], **keywords)


def rows_of(result):
    try:
        return json.loads(result.out)
    except json.JSONDecodeError:
        return []


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def verdicts(directory):
    good, mixed = write(directory, "good.bpf.c", GOOD), write(directory, "mixed.bpf.c", MIXED)
    result = check(good)
    equal(result.status, 0, "all accepted: exit status 0", result)
    ok("good.bpf.c: pass_all (xdp)" in result.out, "the program has a row", result)
    ok(result.out.endswith("1 accepted, 0 rejected\n"), "the last line counts", result)
    result = check("--json", good, mixed)
    equal(result.status, 1, "one rejected: exit status 1", result)
    rows = rows_of(result)
    equal([(row["program"], row["verdict"]) for row in rows],
          [("pass_all", "accepted"), ("fine", "accepted"), ("beyond", "rejected")], "a row for each program, in order",
          result)
    if len(rows) == 3:
        equal(rows[2]["reason"], "R1 offset is outside of the packet", "the reason is the verifier's last word")
        ok(all(row["memory"] > 1000 for row in rows), "what it took is there", result)
        causes = rows[2].get("causes", [])
        ok(causes and causes[0]["source"].startswith("SEC(\"xdp\") int beyond") and causes[0]["value"] == "R1=pkt(r=0)",
           "the instruction, its line and its values", rows[2])
        ok(len(causes) > 1 and "*(u32 *)(r1 +0)" in causes[-1]["text"], "where they come from", rows[2])
        equal((rows[2]["errno"], rows[0]["processed"]), (13, 2), "errno and instructions")
    result = check("--log", mixed)
    ok("invalid access to packet, off=0 size=1" in result.out, "--log shows the log", result)


def not_judged(directory):
    broken, text = write(directory, "broken.bpf.c", "int x = ;\n"), write(directory, "text.o", "hello\n")
    good = write(directory, "good.bpf.c", GOOD)
    for name, path in (("C with an error", broken), ("text as object", text), ("no such file", directory + "/none.o")):
        result = check("--json", path, good)
        rows = rows_of(result)
        equal(result.status, 3, f"{name}: exit status 3", result)
        equal([row["verdict"] for row in rows], ["error", "accepted"], f"{name}: the other file is judged", result)
        ok(os.path.basename(path) in result.err, f"{name}: said on standard error", result)
    equal(check().status, 2, "no file: exit status 2")
    equal(check("--unknown", good).status, 2, "an unknown option: exit status 2")


# For another loader: a static program, a pin of its own kind, maps (one within another) that get their size later, a
# section of its own.
FOREIGN = HEAD + """
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, long); __uint(max_entries, 16);
         __uint(pinning, 16); } table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); } events SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, long); __uint(max_entries, 4);
         __uint(pinning, LIBBPF_PIN_BY_NAME); } skep_check_pinned SEC(".maps");
SEC("tcx/ingress") int entry(struct __sk_buff *c)
{
    int key = 0;
    bpf_ringbuf_output(&ring, &key, 4, 0);
    bpf_perf_event_output(c, &events, BPF_F_CURRENT_CPU, &key, 4);
    return bpf_map_lookup_elem(&table, &key) || bpf_map_lookup_elem(&skep_check_pinned, &key) ? 0 : ANSWER;
}
struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(key_size, 4); } stacks SEC(".maps");
SEC("kprobe/nanosleep") int where(void *c) { return bpf_get_stackid(c, &stacks, 0) < 0; }
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __type(key, int); __type(value, int); __uint(max_entries, 2);
         __array(values, struct { __uint(type, BPF_MAP_TYPE_RINGBUF); }); } rings SEC(".maps");
SEC("kprobe/nanosleep") int one_of(void *c)
{
    int key = 1;
    void *inner = bpf_map_lookup_elem(&rings, &key);
    return inner ? bpf_ringbuf_output(inner, &key, 4, 0) : 0;
}
int slot(struct xdp_md *c);
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(key_size, 4); __uint(max_entries, 2); __array(values, int (void *)); }
    jumps SEC(".maps") = { .values = { [1] = (void *)&slot } };
SEC("xdp") int slot(struct xdp_md *c) { bpf_tail_call(c, &jumps, 1); return XDP_PASS; }
__attribute__((used)) SEC("xdp/tail") static int tail(struct xdp_md *c) { return XDP_PASS; }
"""


def foreign(directory):
    headers = os.path.join(directory, "headers")
    os.mkdir(headers)
    write(headers, "answer.h", "#define ANSWER MINUS 1\n")
    path = write(directory, "foreign.bpf.c", "#include <answer.h>\n" + FOREIGN)
    result = check("--json", "-I", headers, "-DMINUS=-", path)
    equal([(row.get("program"), row["verdict"], row.get("type")) for row in rows_of(result)],
          [("entry", "accepted", "sched_cls"), ("where", "accepted", "kprobe"), ("one_of", "accepted", "kprobe"),
           ("slot", "accepted", "xdp"), ("tail", "accepted", "xdp")], "an object for another loader", result)
    if e2e.have_root_bpf():
        result = check("--real", "-I", headers, "-DMINUS=-", path)
        ok(result.status == 0 and "of 5 that it accepts 5 are accepted" in result.out, "the same beside the kernel", result)
        ok(not os.path.exists("/sys/fs/bpf/skep_check_pinned"), "nothing stays pinned there")


# Maps as libbpf took them before 1.0, iproute2's kind of tail call, with and without BTF; the second program is rejected.
OLD = """
#include <linux/bpf.h>
#define SEC(n) __attribute__((section(n), used))
struct bpf_map_def { unsigned int type, key_size, value_size, max_entries, map_flags; };
struct bpf_elf_map { unsigned int type, key_size, value_size, max_entries, flags, id, pinning, inner_id, inner_idx; };
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*tail_call)(void *c, void *map, unsigned int i) = (void *)12;
struct MAP SEC("maps") numbers = { 1, 4, 8, 16 };
struct MAP SEC("maps") slots = { 3, 4, 4, 8 };
struct MAP SEC("maps") table = { 13, 4, 4, 8 };
SEC("classifier") int first(struct __sk_buff *c)
{
    int key = 0;
    long *value = lookup(&numbers, &key);
    void *inner = lookup(&table, &key);
    if (inner && lookup(inner, &key))
        return 1;
    tail_call(c, &slots, 3);
    return value ? *value : 0;
}
SEC("2/3") int third(struct __sk_buff *c) { int key = 0; return *(long *)lookup(&numbers, &key); }
char _license[] SEC("license") = "GPL";
"""


def old_maps(directory):
    path = write(directory, "old.bpf.c", OLD)
    for kind in ("bpf_map_def", "bpf_elf_map"):
        for debug in ("-g", "-g0"):
            name = os.path.join(directory, f"{kind}{debug}.o")
            compiled = e2e.run(["clang", "-target", "bpf", "-O2", debug, f"-DMAP={kind}", f"-I/usr/include/{MULTIARCH}", "-c", path,
                                "-o", name])
            result = check("--json", name)
            equal((compiled.status, [(row.get("type"), row["verdict"]) for row in rows_of(result)]),
                  (0, [("sched_cls", "accepted"), ("sched_cls", "rejected")]), f"{kind}, clang {debug}", result)
            if rows_of(result):
                ok("vs=8" in rows_of(result)[-1]["causes"][0]["value"], "the map has the size that was asked for", result)


TARGET = HEAD + """
__noinline int answer(struct xdp_md *c) { volatile int x = 1; return x; }
SEC("xdp") int whole(struct xdp_md *c) { return answer(c); }
"""
FOR_TARGET = HEAD + """
SEC("freplace/answer") int other(struct xdp_md *c) { return 2; }
SEC("freplace/nothing") int none(struct xdp_md *c) { return 2; }
SEC("fexit/answer") int leave(unsigned long long *c) { return 0; }
"""


def targets(directory):
    target, path = write(directory, "target.bpf.c", TARGET), write(directory, "for.bpf.c", FOR_TARGET)
    result = check("--json", "--target", target, path)
    equal([row["verdict"] for row in rows_of(result)], ["accepted", "error", "accepted"], "beside their target", result)
    equal(rows_of(result)[1]["reason"], "the target has no such function", "what is not there is said")
    result = check("--json", path)
    equal([row["verdict"] for row in rows_of(result)], ["error"] * 3, "without it", result)
    ok("--target" in rows_of(result)[0]["reason"], "an extension's row says what is needed", result)
    result = check("--target", directory + "/none", path)
    equal(result.status, 3, "a target that is not there", result)


def odd_names(directory):
    """Standard input, pipes, names of any bytes, no name."""
    good = write(directory, "good.bpf.c", GOOD)
    objects = os.path.join(directory, "objects")
    os.mkdir(objects)
    strange = os.path.join(os.fsencode(objects), b"a b\xff\n.o")
    compiled = e2e.run(["clang", "-target", "bpf", "-O2", "-g", "-c", good, "-o", strange, f"-I/usr/include/{MULTIARCH}"])
    equal(compiled.status, 0, "an object of a strange name", compiled)
    result = check("--json", objects)
    equal(rows_of(result)[0]["file"] if rows_of(result) else None, objects + "/a b\ufffd\n.o", "a name that is not UTF-8", result)
    for name in ("-", "/dev/stdin"):
        with subprocess.Popen(["cat", strange], stdout=subprocess.PIPE) as pipe:
            result = check("--json", name, stdin=pipe.stdout)
        equal([(row["file"], row["verdict"]) for row in rows_of(result)], [(name, "accepted")], f"{name} from a pipe", result)
        equal(check("--json", name).status, 3, f"{name}: nothing in it")
    result = check("--json", "", good)
    equal((result.status, [row["verdict"] for row in rows_of(result)]), (3, ["error", "accepted"]), "no name", result)
    result = check("--json", directory + "/none.o")
    equal(rows_of(result)[0]["reason"], "No such file or directory", "the row has the reason", result)


# A thousand paths at each turn: a level-2 log of more than 16 MiB.
LONG = HEAD + """
SEC("xdp") int longer(struct xdp_md *c)
{
    unsigned int sum = 0;
    for (int i = 0; i < 100000; i++) {
        sum = sum * 3 + i;
        if (sum == 77)
            return 1;
    }
    return sum & 1;
}
"""


def logs(directory):
    path = write(directory, "long.bpf.c", LONG)
    result = check("--json", "--log=2", path)
    rows = rows_of(result)
    equal((rows[0]["verdict"], len(rows[0]["log"]) > 16000000), ("accepted", True), "a log longer than its buffer is cut",
          rows[0]["verdict"])
    result = check("--log=9", path)
    ok(result.status == 2 and '"9" is no level' in result.err, "a level that there is not", result)


def full(directory):
    with open("/dev/full", "w", encoding="ascii") as device, \
            subprocess.Popen([e2e.SKEP, "check", write(directory, "good.bpf.c", GOOD)], stdout=device, stderr=subprocess.PIPE) as process:
        err = process.stderr.read()
        equal((process.wait(), b"cannot be written" in err), (3, True), "verdicts that nobody gets are no success")
    result = e2e.run(["sh", "-c", 'exec "$0" check "$1" >&-', e2e.SKEP, os.path.join(directory, "good.bpf.c")])
    ok(result.status == 3 and "cannot be written" in result.err, "nor are they with a closed standard output", result)
    result = e2e.run(["sh", "-c", """exec "$0" exec -- sh -c 'test -e /proc/$$/fd/0 && echo open || echo closed' <&-""", e2e.SKEP])
    equal(result.out, "closed\n", "a command's closed descriptor stays closed", result)


def interrupted(directory):
    """Ctrl-C ends the command, not only the file that it is at."""
    path = write(directory, "long.bpf.c", LONG)
    with subprocess.Popen([e2e.SKEP, "check", path, *[path] * 200], stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        equal(process.wait(), -signal.SIGINT, "the command ends by the signal")


def directories(directory):
    below = os.path.join(directory, "a", "b")
    os.makedirs(below)
    shutil.copy(e2e.HELLO, below)
    write(below, "notes.c", "not for us")
    write(below, "text.o", "not for us")
    write(os.path.join(directory, "a"), "x.bpf.c", GOOD)
    result = check("--json", os.path.join(directory, "a"))
    rows = rows_of(result)
    equal([os.path.basename(row["file"]) for row in rows], ["hello.bpf.c", "x.bpf.c"], "what is BPF below a directory",
          result)
    equal(result.status, 0, "all of it is accepted", result)
    empty = os.path.join(directory, "empty")
    os.mkdir(empty)
    equal(check(empty).status, 3, "a directory without BPF: exit status 3")


# What is younger than 5.4, by the version that brought it.
YOUNG = HEAD + """
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
static long back(unsigned int i, void *c) { return 0; }
SEC("xdp") int old(struct xdp_md *c) { return XDP_PASS; }
SEC("xdp") int looper(struct xdp_md *c) { return bpf_loop(3, back, 0, 0) > 0 ? 2 : 1; }
SEC("xdp") int who(struct xdp_md *c) { return bpf_get_current_pid_tgid() ? 2 : 1; }
SEC("syscall") int call(void *c) { return 0; }
SEC("tc") int stamp(struct __sk_buff *c) { return c->hwtstamp ? 1 : 0; }
"""
SINCE = {"old": "5.10", "looper": "6.1", "who": "6.12", "call": "5.15", "stamp": "6.1"}


# Two elements in one call, which came with 5.6: by bpf(2) itself, so that no library asks for it before.
BATCH = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, *fields):
    attr = ctypes.create_string_buffer(struct.pack(*fields).ljust(128, b"\\0"))
    return libc.syscall(321, command, attr, 128)
fd = bpf(0, "IIII", 2, 4, 4, 2)
keys, values = (ctypes.c_uint32 * 2)(0, 1), (ctypes.c_uint32 * 2)(5, 6)
one = bpf(2, "IxxxxQQQ", fd, ctypes.addressof(keys), ctypes.addressof(values), 0)
many = bpf(26, "QQQQII", 0, 0, ctypes.addressof(keys), ctypes.addressof(values), 2, fd)
print(one, many, ctypes.get_errno() if many else 0)
"""


def batches():
    for kernel, want in (("5.4", "0 -1 22"), ("5.10", "0 0 0")):
        result = e2e.run([e2e.SKEP, "exec", "--kernel", kernel, "--", sys.executable, "-c", BATCH])
        equal(result.out.strip(), want, f"batches by a client of {kernel}", result)


def kernels(directory):
    path = write(directory, "young.bpf.c", YOUNG)
    result = check("--json", "--kernel", "all", path)
    rows = rows_of(result)
    equal(sorted(row["program"] for row in rows), sorted(SINCE), "a row for each program", result)
    for row in rows:
        answers = row["kernels"]
        since = list(answers).index(SINCE[row["program"]])
        equal([answer["verdict"] for answer in list(answers.values())[1:]],
              ["rejected"] * (since - 1) + ["accepted"] * (7 - since), f"{row['program']}: since {SINCE[row['program']]}",
              answers)
        equal(answers["5.4"]["verdict"], "error", f"{row['program']}: 5.4 has no ring buffer")
    ok("failed to create" in rows[0]["kernels"]["5.4"]["reason"] if rows else False, "which is the reason", rows)
    equal(result.status, 3, "exit status: not all could be judged", result)
    result = check("--kernel", "6.1", path)
    ok("unknown func bpf_get_current_pid_tgid#14" in result.out and "6.1 " in result.out, "one kernel's words", result)
    equal(result.status, 1, "exit status: some were rejected", result)
    result = check("--kernel", "6.2", path)
    ok(result.status == 2 and "known are 5.4, 5.10" in result.err, "an unknown kernel is refused by name", result)
    result = e2e.run([e2e.SKEP, "exec", "--kernel", "5.4", "--", "bpftool", "map", "create", "/sys/fs/bpf/r", "type", "ringbuf",
                      "entries", "4096", "name", "r"])
    ok(result.status != 0 and "Invalid argument" in result.err, "exec --kernel: the hive has that kernel's maps", result)
    batches()


def beside_the_kernel(directory):
    if not e2e.have_root_bpf():
        e2e.skip("bpf(2) of the running kernel is not permitted here")
        return
    result = check("--real", "--json", e2e.EXAMPLES, write(directory, "mixed.bpf.c", MIXED))
    rows = rows_of(result)
    ok(len(rows) > 4, "rows", result)
    for row in rows:
        name = row["program"]
        equal(row["real"]["verdict"], row["verdict"], f"{name}: both say the same", result)
        equal(row["real"]["processed"], row["processed"], f"{name}: processed as many instructions")
        equal(row["real"]["states"], row["states"], f"{name}: kept as many states")
        ok(not row["differs"], f"{name}: is not marked")


def main():
    for test in (verdicts, not_judged, foreign, old_maps, targets, odd_names, logs, full, interrupted, directories, kernels, beside_the_kernel):
        with e2e.Scratch() as directory:
            test(directory)
    e2e.done()


main()
