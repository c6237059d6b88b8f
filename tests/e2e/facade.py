#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files of the façade by every way there is to name them: what shells, coreutils and raw system calls do in /sys/fs/bpf and
/sys/kernel/tracing, and on the way there."""
import ctypes
import os
import re
import sys

import e2e
from e2e import equal, ok

if e2e.REAL:
    e2e.skip("the kernel needs no façade")
    e2e.done()

AT_FDCWD, AT_REMOVEDIR = -100, 0x200
RESOLVE_BENEATH, RESOLVE_IN_ROOT = 8, 16
PINS = "/sys/fs/bpf"


def system_calls():
    """Runs inside: each check is a line of output."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number, *arguments):
        def word(argument):
            return ctypes.c_char_p(argument.encode()) if isinstance(argument, str) else ctypes.c_long(argument)
        result = libc.syscall(ctypes.c_long(number), *(word(one) if not hasattr(one, "_obj") else one for one in arguments))
        return result if result >= 0 else -ctypes.get_errno()

    def check(condition, name):
        print("ok" if condition else "not ok", name, flush=True)

    def openat2(directory, path, flags, resolve=0):
        how = (ctypes.c_ulonglong * 3)(flags, 0, resolve)
        return call(437, directory, path, ctypes.byref(how), 24)

    real = os.open("/sys/fs", os.O_PATH)
    root = os.open("/", os.O_PATH)
    os.mkdir(f"{PINS}/d")
    own = os.open(f"{PINS}/d", os.O_RDONLY | os.O_DIRECTORY)
    inode = os.stat(f"{PINS}/d").st_ino
    check(os.fstat(own).st_ino == inode, "an absolute path")
    check(os.stat("bpf/d", dir_fd=real).st_ino == inode, "newfstatat from /sys/fs")
    check(os.stat("sys/fs/bpf/d", dir_fd=root).st_ino == inode, "newfstatat from /")
    check(os.stat("../../fs/bpf/d", dir_fd=os.open("/sys/kernel/debug", os.O_PATH)).st_ino == inode
          if os.access("/sys/kernel/debug", os.X_OK) else True, "newfstatat from /sys/kernel/debug")
    check(os.stat("../d", dir_fd=own).st_ino == inode, "newfstatat of a parent inside")
    check(os.stat("../..", dir_fd=own).st_ino == os.stat("/sys/fs").st_ino, "newfstatat of a parent outside")
    fd = openat2(real, "bpf/d", os.O_RDONLY | os.O_DIRECTORY)
    check(fd >= 0 and os.fstat(fd).st_ino == inode, "openat2")
    fd = openat2(AT_FDCWD, f"{PINS}/d", os.O_PATH)
    check(fd >= 0 and os.fstat(fd).st_ino == inode, "openat2, O_PATH")
    check(openat2(own, f"{PINS}/d", os.O_PATH, RESOLVE_BENEATH) == -18, "openat2, RESOLVE_BENEATH")
    check(openat2(own, f"{PINS}/d", os.O_PATH, RESOLVE_IN_ROOT) == -2, "openat2, RESOLVE_IN_ROOT")
    check(call(258, real, "bpf/e", 0o700) == 0, "mkdirat")
    check(call(269, real, "bpf/e", 0) == 0, "faccessat")
    check(call(439, real, "bpf/e", 0, 0) == 0, "faccessat2")
    check(call(316, real, "bpf/e", own, "f", 0) == 0, "renameat2")
    check(call(263, own, "../d/f", AT_REMOVEDIR) == 0, "unlinkat")
    check(call(266, "target", real, "bpf/l") == 0, "symlinkat")
    check(os.readlink("bpf/l", dir_fd=real) == "target", "readlinkat")
    check(call(265, real, "bpf/l", own, "../k", 0) == 0, "linkat")
    check(os.lstat(f"{PINS}/k").st_nlink == 2, "its links")
    os.unlink(f"{PINS}/k")
    os.unlink("bpf/l", dir_fd=real)
    check(call(88, "target", f"{PINS}/l") == 0 and call(87, f"{PINS}/l") == 0, "symlink, unlink")
    check(call(133, f"{PINS}/p", 0o10600, 0) == -1 and call(259, real, "bpf/p", 0o10600, 0) == -1, "mknod, mknodat")
    buffer = ctypes.create_string_buffer(256)
    check(call(332, real, "bpf/d", 0, 0x7ff, ctypes.byref(buffer)) == 0, "statx")
    check(call(137, f"{PINS}/d", ctypes.byref(buffer)) == 0 and buffer.raw[:4] == b"\x11\x4a\xfe\xca", "statfs")
    check(call(138, own, ctypes.byref(buffer)) == 0 and buffer.raw[:4] == b"\x11\x4a\xfe\xca", "fstatfs")
    check(call(138, real, ctypes.byref(buffer)) == 0 and buffer.raw[:4] == b"\x72\x65\x65\x62", "fstatfs outside")
    os.fchdir(own)
    check(os.getcwd() == f"{PINS}/d", "fchdir, getcwd")
    check(call(137, ".", ctypes.byref(buffer)) == 0 and buffer.raw[:4] == b"\x11\x4a\xfe\xca", "statfs of .")
    check(call(79, ctypes.byref(buffer), 4) == -34, "getcwd, too little room")
    check(call(79, 1, 4096) == -14, "getcwd, a bad address")
    os.chdir("../../..")
    check(os.getcwd() == "/sys", "chdir out of it")
    os.chdir("fs")
    os.chdir("bpf")
    check(os.getcwd() == PINS and os.listdir(".") == ["d"], "chdir step by step")
    check(call(80, "../../kernel/tracing") == 0 and os.getcwd() == "/sys/kernel/tracing", "chdir across")
    os.chdir("/")
    os.rmdir("sys/fs/bpf/d")
    check(os.listdir(PINS) == [], "rmdir from /")
    check(call(254, call(294, 0), "sys/fs/bpf", 0x100) >= 0, "inotify_add_watch")
    check(openat2(AT_FDCWD, "", os.O_PATH) == -2 and call(257, 9999, "bpf/x", 0) == -9, "errors stay what they are")
    # More different names than the agent remembers.
    good = True
    for number in range(4000):
        path = f"{PINS}/{'n' * 100}{number}"
        good = good and call(83, path, 0o700) == 0 and call(84, path) == 0
    check(good and os.listdir(PINS) == [], "4,000 names")


if sys.argv[1:] == ["calls"]:
    system_calls()
    sys.exit(0)

SHELL = [
    # (commands, output)
    ("cd /sys/fs && mkdir -p bpf/a/b && ls bpf", "a\n"),
    ("mkdir -p /sys/fs/bpf/a/b/c; cd /sys/fs/bpf; ls a/b; pwd; /bin/pwd", "c\n/sys/fs/bpf\n/sys/fs/bpf\n"),
    ("cd /sys/fs/bpf/a; cd ../..; /bin/pwd; ls -d bpf/a", "/sys/fs\nbpf/a\n"),
    ("cd -P /sys/fs/bpf/a; cd -P ..; /bin/pwd", "/sys/fs/bpf\n"),
    ("cd /; ls sys/fs/bpf/a; ls /sys//fs/./bpf//a", "b\nb\n"),
    ("ls -d /sys/fs/bpf/../cgroup", "/sys/fs/bpf/../cgroup\n"),
    ("cd /sys/fs/bpf; bpftool map create m type array key 4 value 4 entries 1 name one && bpftool map show pinned ../bpf/m | head -1"
     " | sed 's/.*array/array/'", "array  name one  flags 0x0\n"),
    ("cd /sys/fs; bpftool map create bpf/a/m type array key 4 value 4 entries 1 name two && bpftool map show pinned bpf/a/m | head -1"
     " | sed 's/.*array/array/'", "array  name two  flags 0x0\n"),
    ("cd /sys/fs/bpf; find . | sort", ".\n./a\n./a/b\n./a/b/c\n./a/m\n./m\n"),
    ("find /sys/fs/bpf -type f | sort", "/sys/fs/bpf/a/m\n/sys/fs/bpf/m\n"),
    ("cd /sys/fs/bpf; mv m n; ls -p; stat -c '%n %F %a' n; stat -f -c %T . a n", "a/\nn\nn regular empty file 600\nbpf_fs\nbpf_fs\nbpf_fs\n"),
    ("cd /sys/fs/bpf; ls -l n | cut -c1-10; ls -ld /sys/fs/bpf | cut -c1-10", "-rw-------\ndrwx------\n"),
    ("cd /sys/fs/bpf; ln -s n l; readlink l; bpftool map show pinned l | grep -c one; rm l", "n\n1\n"),
    ("cd /sys/fs/bpf; rm n; bpftool map show | grep -c one; rm -r a; ls -A", "0\n"),
    ("cd /sys/kernel; ls tracing | grep pipe; cd tracing; echo off > current_tracer; cat current_tracer", "trace_pipe\noff\n"),
    ("cd /sys/kernel/tracing/events/syscalls; cat sys_enter_execve/format | head -1", "name: sys_enter_execve\n"),
    ("test -r /sys/kernel/tracing/available_events && test -w /sys/kernel/tracing/trace_marker && test -d /sys/fs/bpf && echo yes", "yes\n"),
]


def shells():
    script = "".join(f"echo '=== {number}'; {{ {commands}; }} 2>&1\n" for number, (commands, _) in enumerate(SHELL))
    result = e2e.skep_exec(["/bin/bash", "-c", script])
    parts = re.split(r"^=== \d+\n", result.out, flags=re.M)[1:]
    for (commands, want), got in zip(SHELL, parts + [""] * len(SHELL)):
        equal(got, want, commands)


def calls():
    result = e2e.skep_exec([sys.executable, os.path.abspath(__file__), "calls"])
    for line in result.out.splitlines():
        ok(line.startswith("ok "), line.split(" ", 1 if line.startswith("ok") else 2)[-1])
    equal(result.status, 0, "system calls: to the end", result)


calls()
shells()
e2e.done()
