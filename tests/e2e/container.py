#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inside of a seccomp filter that denies bpf(2), perf_event_open(2) and more, as container engines install by default:
skep works there as elsewhere."""
import ctypes
import errno
import json
import os
import shutil
import struct

import e2e
from e2e import equal, ok

BPFTOOL = shutil.which("bpftool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
BPF = 321
# bpf, perf_event_open, pidfd_getfd, kcmp, process_madvise, mount, setns, unshare, userfaultfd, name_to_handle_at
DENIED = [BPF, 298, 438, 312, 440, 165, 308, 272, 323, 303]
CLONE3 = 435
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7fff0000, 0x00050000


def instructions():
    yield (LOAD_NUMBER, 0, 0, 0)
    for number, error in [*((number, errno.EPERM) for number in DENIED), (CLONE3, errno.ENOSYS)]:
        yield (IF_EQUAL, 0, 1, number)
        yield (RETURN, 0, 0, FAIL | error)
    yield (RETURN, 0, 0, ALLOW)


# A TCP socket into a socket map, as {map_fd, key, value, flags} after {map_type, sizes, entries}.
SOCKET = f"""import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, *attr):
    return libc.syscall({BPF}, command, struct.pack(*attr), struct.calcsize(attr[0])), ctypes.get_errno()
server, client = socket.socket(), socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client.connect(server.getsockname())
key, value = ctypes.c_uint32(0), ctypes.c_uint32(client.fileno())
sockets = bpf(0, "IIII", 15, 4, 4, 1)[0]
print(*bpf(2, "IxxxxQQQ", sockets, ctypes.addressof(key), ctypes.addressof(value), 0))
"""

LIBC = ctypes.CDLL(None, use_errno=True)
FILTER = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions())
BUFFER = ctypes.create_string_buffer(FILTER)
PROGRAM = struct.pack("HxxxxxxQ", len(FILTER) // 8, ctypes.addressof(BUFFER))


def contain():
    if (LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or LIBC.prctl(PR_SET_SECCOMP, MODE_FILTER, PROGRAM, 0, 0)):
        raise OSError(ctypes.get_errno(), "prctl")
    ctypes.set_errno(0)
    if LIBC.syscall(BPF, -1, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
        os._exit(99)


def contained(command):
    return e2e.run(command, preexec_fn=contain)


def main():
    result = contained(["/bin/true"])
    if not ok(result.status == 0, "the filter denies bpf(2)", result):
        return
    result = contained([e2e.SKEP, "run", e2e.HELLO, "--", "/bin/sh", "-c", "/bin/true; exit 5"])
    equal(result.status, 5, "hello: the command's exit status", result)
    equal(result.out.count("Hello"), 2, "hello: one line for each execve", result)
    equal(result.err, "", "hello: nothing else", result)
    result = contained([e2e.SKEP, "exec", "--", e2e.EXECWATCH, "/bin/sh", "-c", "/bin/true; :"])
    ok(result.status == 0 and "true" in result.out, "libbpf attaches by perf_event_open(2)", result)
    result = contained([e2e.SKEP, "check", "--json", e2e.HELLO])
    equal([row["verdict"] for row in json.loads(result.out or "[]")], ["accepted"], "skep check", result)
    result = contained([e2e.SKEP, "exec", "--", "python3", "-c", SOCKET])
    equal(result.out, f"-1 {errno.EPERM}\n", "sockets cannot be looked at", result)
    ok("denies pidfd_getfd(2)" in result.err, "which is said", result)
    if not BPFTOOL:
        e2e.skip("there is no bpftool")
        return
    result = contained([e2e.SKEP, "exec", "--", "/bin/sh", "-c", f"""set -e
{BPFTOOL} map create /sys/fs/bpf/m type hash key 4 value 4 entries 8 name of_container
{BPFTOOL} map update pinned /sys/fs/bpf/m key 1 0 0 0 value 2 0 0 0
{BPFTOOL} -j map dump pinned /sys/fs/bpf/m
ls /sys/fs/bpf"""])
    ok(result.status == 0 and '"value":["0x02","0x00","0x00","0x00"]' in result.out, "bpftool makes a map", result)


main()
e2e.done()
