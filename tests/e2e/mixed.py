#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A mixed load gives the same results with tracepoints attached on every system call as it gives without skep:
make -j over a small C project, python with subprocesses and threads, git, a Go build, signals and pipes."""
import os
import shutil

import e2e
from e2e import equal, ok

MAKEFILE = """
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
all: program
	./program
program: $(OBJECTS)
	cc -o $@ $^
%.o: %.c
	cc -O1 -c -o $@ $<
"""

PYTHON = r"""
import hashlib, os, queue, subprocess, threading, signal, time
out = {}
def worker(n):
    text = subprocess.run(['/bin/sh', '-c', f'echo {n}; seq 1 {n * 50} | sort -r | md5sum'],
                          capture_output=True, text=True).stdout
    out[n] = hashlib.sha1(text.encode()).hexdigest()
threads = [threading.Thread(target=worker, args=(n,)) for n in range(12)]
[t.start() for t in threads]
[t.join() for t in threads]
print([out[n] for n in sorted(out)])
hits = []
signal.signal(signal.SIGALRM, lambda *a: hits.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
data = b''
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(r)
    for i in range(200):
        os.write(w, bytes([i]) * 100)
        if i % 20 == 0: time.sleep(0.002)
    os._exit(9)
os.close(w)
while True:
    part = os.read(r, 333)
    if not part: break
    data += part
signal.setitimer(signal.ITIMER_REAL, 0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), hashlib.sha1(data).hexdigest(), bool(hits))
try:
    open('/nonexistent/file')
except OSError as error:
    print(error)
"""

GIT = """set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
git -c init.defaultBranch=main init -q repository; cd repository
for i in $(seq 1 15); do seq 1 $((i * 30)) >file$((i % 4)); git add .; git commit -q -m "commit $i"; done
git log --format=%H | md5sum; git gc -q; git fsck --no-progress 2>&1; git diff --stat HEAD~7 | cat
git checkout -q -b side HEAD~4; echo x >>file9; git add .; git commit -q -m side; git merge -q -m merge main
git rev-parse HEAD^{tree}; git status --short
"""

GO = """set -e
cat >main.go <<END
package main

import ("fmt"; "sync"; "os/exec")

func main() {
	var wait sync.WaitGroup
	lines := make([]string, 8)
	for i := range lines {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			out, err := exec.Command("/bin/echo", fmt.Sprint(i)).Output()
			lines[i] = fmt.Sprint(string(out), err)
		}(i)
	}
	wait.Wait()
	fmt.Println(lines)
}
END
GO111MODULE=off CGO_ENABLED=0 go build -o program main.go
./program
"""

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def project(directory):
    for number in range(12):
        with open(os.path.join(directory, f"part{number}.c"), "w", encoding="ascii") as source:
            source.write("#include <stdio.h>\n#include <string.h>\n#include <math.h>\n")
            for function in range(30):
                source.write(f"int f{number}_{function}(int x) {{ char b[64]; snprintf(b, 64, \"%d\", x * {function});"
                             f" return (int)strlen(b) + x % {function + 2}; }}\n")
    with open(os.path.join(directory, "main.c"), "w", encoding="ascii") as source:
        source.write("#include <stdio.h>\n")
        calls = [f"f{n}_{f}" for n in range(12) for f in range(30)]
        source.write("".join(f"int {call}(int);\n" for call in calls))
        source.write("int main(void) { int s = 0;\n" + "".join(f"s += {call}(s);\n" for call in calls) +
                     'printf("%d\\n", s); return 0; }\n')
    with open(os.path.join(directory, "Makefile"), "w", encoding="ascii") as makefile:
        makefile.write(MAKEFILE)


def in_scratch(prefix, command, prepare=None):
    with e2e.Scratch() as scratch:
        if prepare:
            prepare(scratch)
        cache = os.path.join(scratch, "go-cache")
        return e2e.run(prefix + command, 600, cwd=scratch,
                       env=dict(ENVIRONMENT, HOME=scratch, GOCACHE=cache))


def compare(name, command, prepare=None, sort=False):
    plain = in_scratch([], command, prepare)
    hive = [e2e.SKEP, "run"] + (["--real"] if e2e.REAL else []) + ["--no-trace", e2e.SYSCOUNT, "--"]
    traced = in_scratch(hive, command, prepare)
    order = sorted if sort else list
    ok(plain.status == 0, f"{name}: works without skep", plain)
    equal(traced.status, plain.status, f"{name}: exit status", traced)
    equal(order(traced.out.splitlines()), order(plain.out.splitlines()), f"{name}: standard output", traced.err[-2000:])
    equal(traced.err, plain.err, f"{name}: standard error")
    e2e.note(f"{name}: {plain.seconds:.2f} s without, {traced.seconds:.2f} s with")


# SKEP_E2E_ROUNDS=30 makes about two minutes of it.
for number in range(int(os.environ.get("SKEP_E2E_ROUNDS", "1"))):
    # make prints its commands as jobs start: their order is not a result.
    compare("make -j", ["make", "-j4"], project, sort=True)
    compare("python", ["/usr/bin/python3", "-c", PYTHON])
    compare("git", ["/bin/sh", "-c", GIT])
    if shutil.which("go"):
        compare("go", ["/bin/sh", "-c", GO])
    else:
        e2e.skip("Go is not on this machine")
e2e.done()
