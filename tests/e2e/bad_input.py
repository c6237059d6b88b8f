#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What cannot work ends with a sentence that says so, and with the right exit status."""
import os
import re
import subprocess

import e2e
from e2e import equal, ok

HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nchar _license[] SEC(\"license\") = \"GPL\";\n"

REJECTED = HEAD + """
struct {
	__uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);
	__type(key, int); __type(value, long);
} m SEC(".maps");
SEC("tp/syscalls/sys_enter_execve") int reader(void *ctx)
{
	int key = 1;
	long *value = bpf_map_lookup_elem(&m, &key);
	return *value; /* without a check */
}
"""


def one(section):
    return HEAD + f'SEC("{section}") int p(void *ctx) {{ return 0; }}\n'


def refused(name, path, pattern, status=1, options=()):
    result = e2e.skep_run(list(options) + [path], ["/bin/echo", "ran"])
    equal(result.status, status, f"{name}: exit status {status}", result)
    ok(re.search(pattern, result.err), f"{name}: says why", f"no match for {pattern}", result)
    ok("ran" not in result.out, f"{name}: the command is not run", result)


def write(directory, name, content):
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def compiled(directory):
    """An object with maps, BTF and relocations."""
    path = os.path.join(directory, "good.o")
    subprocess.run(["clang", "-target", "bpf", "-O2", "-g", "-c", e2e.SYSCOUNT, "-o", path,
                    "-I", os.path.join(e2e.EXAMPLES, "..", "cli", "bpf"),
                    "-idirafter", "/usr/include/x86_64-linux-gnu"], check=True)
    with open(path, "rb") as file:
        return file.read()


def files(directory):
    good = compiled(directory)
    refused("no such file", os.path.join(directory, "none.bpf.c"), r"none\.bpf\.c: No such file")
    refused("a directory", directory, r"Is a directory")
    refused("C with an error", write(directory, "syntax.bpf.c", "int x = ;\n"),
            r"syntax\.bpf\.c:1:9: error: expected expression")
    refused("text as object", write(directory, "text.o", "hello\n"), r"text\.o: not a BPF object: it has no ELF")
    refused("an empty file", write(directory, "empty.o", ""), r"empty\.o: the file is empty")
    refused("an x86 object", "/bin/true", r"/bin/true: not a BPF object: this ELF file is for another machine")
    for size in (10, 40, 63, 200, len(good) - 100, len(good) - 1):
        refused(f"an object cut off after {size} bytes", write(directory, "cut.o", good[:size]),
                r"cut\.o: the file is truncated|cut\.o: the file is corrupt")
    corrupt_btf(directory, good)


def corrupt_btf(directory, good):
    at = good.find(b"\x9f\xeb\x01\x00")
    ok(at > 0, "the object has BTF")
    broken = bytearray(good)
    broken[at + 24:at + 200] = b"\xff" * 176
    refused("corrupt BTF", write(directory, "btf.o", bytes(broken)), r"btf\.o: ")


def flipped(directory):
    """Any flipped byte ends in an orderly way: the program runs, or it is refused with the file's name."""
    good = compiled(directory)
    wrong = []
    for number, at in enumerate(range(0, len(good), max(1, len(good) // 24))):
        path = write(directory, f"flip{number}.o", good[:at] + bytes([good[at] ^ 0xff]) + good[at + 1:])
        result = e2e.skep_run(["--no-trace", path], ["/bin/true"])
        if result.status not in (0, 1) or (result.status == 1 and os.path.basename(path) not in result.err):
            wrong.append((at, result))
    ok(not wrong, "objects with one flipped byte", *wrong[:3])


def programs(directory):
    path = write(directory, "reject.bpf.c", REJECTED)
    refused("a rejected program", path, r'program "reader" was rejected: Permission denied')
    refused("its log has the source", path, r"; return \*value; /\* without a check \*/")
    refused("and the verifier's reason", path, r"R0 invalid mem access 'map_value_or_null'")
    refused("an unknown tracepoint", write(directory, "a.bpf.c", one("tp/syscalls/sys_enter_nonesuch")),
            r'"p" \(SEC\("tp/syscalls/sys_enter_nonesuch"\)\) cannot be attached: .*No such file')
    refused("an unknown section", write(directory, "b.bpf.c", one("nonsense/x")), r"nonsense/x")
    refused("a program without a place", write(directory, "c.bpf.c", one("xdp")),
            r'SEC\("xdp"\)\) names no event')
    refused("a map that is not there", e2e.HELLO, r'it has no map "nosuch"', options=["--map", "nosuch"])
    if e2e.REAL:
        return
    refused("an event that no process tree can show", write(directory, "d.bpf.c", one("tp/block/block_rq_issue")),
            r'"p" \(SEC\("tp/block/block_rq_issue"\)\) cannot be attached')


def commands():
    result = e2e.skep_run(["--no-trace", e2e.HELLO], ["skep-no-such-command"])
    equal(result.status, 127, "run: an unknown command is 127", result)
    ok("skep-no-such-command: command not found" in result.err, "run: and is named", result)
    result = e2e.skep_run(["--no-trace", e2e.HELLO], ["/etc/passwd"])
    equal(result.status, 126, "run: what cannot be executed is 126", result)
    result = e2e.skep_run(["--no-trace", e2e.HELLO], ["/bin/sh", "-c", "kill -TERM $$"])
    equal(result.status, 128 + 15, "run: killed by signal 15 is 143", result)
    result = e2e.skep_exec(["skep-no-such-command"])
    equal(result.status, 127, "exec: an unknown command is 127", result)
    ok("skep-no-such-command: command not found" in result.err, "exec: and is named", result)
    result = e2e.skep_exec(["/etc/passwd"])
    equal(result.status, 126, "exec: what cannot be executed is 126", result)
    result = e2e.skep_exec(["/bin/sh", "-c", "kill -KILL $$"])
    equal(result.status, 128 + 9, "exec: killed by signal 9 is 137", result)


def arguments():
    for command in ([], ["frobnicate"], ["run"], ["exec"], ["run", "--frob", "x"], ["exec", "--frob", "x"]):
        result = e2e.run([e2e.SKEP] + command)
        equal(result.status, 2, f"skep {' '.join(command)}: a usage error", result)
        ok(result.err, f"skep {' '.join(command)}: says something", result)
    for command in (["--help"], ["run", "--help"], ["exec", "--help"], ["version", "--help"]):
        result = e2e.run([e2e.SKEP] + command)
        ok(result.status == 0 and "Usage: skep" in result.out, f"skep {' '.join(command)}", result)
    result = e2e.run([e2e.SKEP, "version"])
    ok(result.status == 0 and re.fullmatch(r"skep \d+\.\d+\.\d+\n", result.out), "skep version", result)
    result = e2e.run([e2e.SKEP, "run", e2e.HELLO, "--", "true"], env={"PATH": "/nonexistent"})
    ok(result.status == 1 and 'the Debian package is "clang"' in result.err, "without clang: which package", result)


arguments()
with e2e.Scratch() as scratch:
    files(scratch)
    programs(scratch)
    flipped(scratch)
commands()
e2e.done()
