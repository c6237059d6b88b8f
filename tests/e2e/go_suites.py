#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Go's own tests of bpf(2), from Debian's packages, under skep exec and, for root, on the running kernel.

    go_suites.py SKEP [--report FILE]

Builds the tests of cilium/ebpf and gobpf that need nothing but bpf(2) and what belongs to it, runs them
and prints one row for each package and each test that fails in a hive. A test that passes on the running kernel,
fails in a hive and has no reason in REASONS is a failure of this script. --report writes the page
docs/go-suites.md. As root the hive's part runs as the user nobody.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

GOPATH = "/usr/share/gocode"
PACKAGES = ["golang-github-cilium-ebpf-dev", "golang-github-iovisor-gobpf-dev", "golang-github-frankban-quicktest-dev",
            "golang-go"]
SUITES = [("github.com/cilium/ebpf", part) for part in ("", "asm", "btf", "features", "link", "perf", "ringbuf", "rlimit")]
SUITES += [("github.com/iovisor/gobpf", part) for part in ("elf", "pkg/cpurange", "pkg/ksym", "pkg/tracepipe")]

# Tests that fail in a hive, by pattern: why.
REASONS = [
    (r"Kprobe|Kretprobe|TestTracefsProbe|KprobeMulti", "kprobes: no process of a hive runs kernel functions"),
    (r"Uprobe|Uretprobe", "uprobes are not there yet"),
    (r"TestAttachXDP", "XDP on an interface: packets are not there yet"),
    (r"[Cc]group", "needs a cgroup of its own, which an unprivileged user cannot make; a hive attaches nothing to cgroups"),
    (r"TestSocketFilterAttach|TestAttachSocketFilter", "SO_ATTACH_BPF goes to the kernel's own sockets"),
    (r"TestSkLookup|TestRawLink", "links to a network namespace: packets are not there yet"),
    (r"TestTracing|TestLSM|TestProgramTypeLSM", "of the kernel's functions a hive has those that test runs call, and no LSM hooks"),
    (r"TestTracepointMissing|TestTracepointID|TestTracepoint", "tracepoints that happen inside the kernel cannot fire"),
    (r"TestProgramAlter", "a hive attaches no programs to socket maps"),
    (r"TestRawTracepoint", "raw tracepoints that happen inside the kernel cannot fire"),
]


def say(text):
    print(text, flush=True)


def install():
    missing = [name for name in PACKAGES
               if subprocess.run(["dpkg", "-s", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 check=False).returncode]
    if missing and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends"] + missing, check=True,
                       stdout=subprocess.DEVNULL)
    elif missing:
        sys.exit(f"these packages are missing: {' '.join(missing)}")


def build(directory):
    """{(module, part): program}"""
    environment = dict(os.environ, GO111MODULE="off", GOPATH=GOPATH, GOFLAGS="", GOCACHE=os.path.join(directory, "cache"))
    programs = {}
    for module, part in SUITES:
        source = os.path.join(GOPATH, "src", module, part)
        program = os.path.join(directory, (module + "/" + part).strip("/").replace("/", "-") + ".test")
        result = subprocess.run(["go", "test", "-c", "-o", program, "."], cwd=source, env=environment, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if not os.path.exists(program):
            sys.exit(f"{module}/{part} does not build:\n{result.stdout}")
        programs[module, part] = program
    return programs


def run(module, part, command):
    """{test: "PASS", "FAIL" or "SKIP"}"""
    source = os.path.join(GOPATH, "src", module, part)
    try:
        text = subprocess.run(command + ["-test.v"], cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=300, check=False).stdout
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace")
        say(f"{module}/{part}: killed after five minutes")
    found = dict((name, verdict) for verdict, name in re.findall(r"^ *--- (PASS|FAIL|SKIP): (\S+)", text, re.MULTILINE))
    if not re.search(r"^(PASS|FAIL)$", text, re.MULTILINE):
        found["(the test program)"] = "FAIL"
        say(text[-2000:])
    return found


def reason_of(test):
    for pattern, reason in REASONS:
        if re.search(pattern, test):
            return reason
    return None


def leaves(results, verdict):
    """Tests with that verdict, without those that only sum up others."""
    return sorted(name for name, got in results.items()
                  if got == verdict and not any(other.startswith(name + "/") for other in results))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("skep")
    parser.add_argument("--report")
    options = parser.parse_args()
    skep = os.path.abspath(options.skep)
    root = os.geteuid() == 0
    install()
    directory = tempfile.mkdtemp(prefix="go-suites-")
    unexplained = 0
    rows, failures = [], []
    try:
        programs = build(directory)
        subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
        for (module, part), program in programs.items():
            name = f"{module}/{part}".rstrip("/")
            become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if root else []
            kernel = run(module, part, [program]) if root else {}
            ours = run(module, part, become + [skep, "exec", "--", program])
            count = [len(leaves(ours, verdict)) for verdict in ("PASS", "FAIL", "SKIP")]
            count += [len(leaves(kernel, verdict)) for verdict in ("PASS", "FAIL", "SKIP")]
            rows.append((name, count))
            say(f"{name}: {count[0]} pass, {count[1]} fail, {count[2]} skipped"
                + (f" (kernel: {count[3]}, {count[4]}, {count[5]})" if root else ""))
            for test in leaves(ours, "FAIL"):
                reason = "fails on the running kernel too" if kernel.get(test) == "FAIL" else reason_of(test)
                unexplained += reason is None
                failures.append((name, test, reason))
                say(f"    {test}: {reason or 'NO REASON KNOWN'}")
        if options.report:
            write_report(options.report, rows, failures)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    say(f"{unexplained} failures without a reason")
    sys.exit(unexplained != 0)


def write_report(path, rows, failures):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# Go's tests of bpf(2)\n\nWritten by `tests/e2e/go_suites.py build/skep --report docs/go-suites.md`: the tests of "
                   "Debian's\n`golang-github-cilium-ebpf-dev` and `golang-github-iovisor-gobpf-dev`, unmodified, as an "
                   "unprivileged user under\n`skep exec`, and as root on the running kernel (pass / fail / skipped).\n\n"
                   "| package | in a hive | on Linux |\n|---|---|---|\n")
        for name, count in rows:
            file.write(f"| {name} | {count[0]} / {count[1]} / {count[2]} | {count[3]} / {count[4]} / {count[5]} |\n")
        file.write("\nWhat fails in a hive:\n\n| package | test | why |\n|---|---|---|\n")
        for name, test, reason in failures:
            file.write(f"| {name.rsplit('/', 1)[-1]} | {test} | {reason or 'not known'} |\n")
        file.write("\ngobpf's integration tests (`bpf_test.go`) need kernel headers and kprobes, also on Linux.\n")


main()
