#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of the kernel's verifier self-tests, judged by skep.

usage: verifier_progs.py [--source DIR] [--work DIR] [--logs] SKEP LOADER [NAME...]

Fetches Debian's linux-source-6.12 by name (or takes an unpacked tree), compiles progs/verifier_*.c (or the files
named, without ".c") with clang, and loads every program alone under skep. The verdict is compared with the annotation
and, where the running kernel takes programs, with its verdict; with --logs also the whole level-2 logs are (but for
addresses and times). Nothing of the package is kept but in --work.
"""
import argparse
import collections
import glob
import itertools
import os
import re
import subprocess
import sys
import tempfile

PACKAGE = "linux-source-6.12"
CLANG = os.environ.get("CLANG", "clang-14")


def fetch(work):
    """Downloads and unpacks the package's parts that are needed; the tree's top directory."""
    top = os.path.join(work, PACKAGE)
    if os.path.isdir(top):
        return top
    subprocess.run(["apt-get", "download", PACKAGE], cwd=work, check=True, stdout=subprocess.DEVNULL)
    package = glob.glob(os.path.join(work, PACKAGE + "_*.deb"))[0]
    subprocess.run(["dpkg-deb", "-x", package, work], check=True)
    archive = os.path.join(work, "usr/src", PACKAGE + ".tar.xz")
    parts = ["tools/testing/selftests/bpf", "tools/lib/bpf", "tools/include", "scripts/bpf_doc.py"]
    subprocess.run(["tar", "-xf", archive, "-C", work] + [f"{PACKAGE}/{part}" for part in parts], check=True)
    return top


def compile_all(top, work, names, cpu="v3"):
    """Object files of the programs; says which do not compile here."""
    tests, tools = os.path.join(top, "tools/testing/selftests/bpf"), os.path.join(top, "tools")
    include, out = os.path.join(work, "include"), os.path.join(work, "objects" if cpu == "v3" else "objects-" + cpu)
    os.makedirs(os.path.join(include, "bpf"), exist_ok=True)
    os.makedirs(out, exist_ok=True)
    for header in glob.glob(os.path.join(tools, "lib/bpf/*.h")):
        with open(header) as source, open(os.path.join(include, "bpf", os.path.basename(header)), "w") as target:
            target.write(source.read())
    with open(os.path.join(include, "bpf/bpf_helper_defs.h"), "w") as target:
        subprocess.run([sys.executable, os.path.join(top, "scripts/bpf_doc.py"), "--header", "--file",
                        os.path.join(tools, "include/uapi/linux/bpf.h")], stdout=target, check=True)
    with open(os.path.join(include, "vmlinux.h"), "w") as target:
        subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"],
                       stdout=target, check=True)
    objects = []
    for name in names or sorted(os.path.basename(p)[:-2] for p in glob.glob(os.path.join(tests, "progs/verifier_*.c"))):
        target = os.path.join(out, name + ".o")
        result = subprocess.run(
            [CLANG, "-g", "-O2", "-target", "bpf", "-mcpu=" + cpu, "-D__TARGET_ARCH_x86", "-I", include, "-I", tests,
             "-I", os.path.join(tools, "include"), "-I", os.path.join(tools, "include/uapi"),
             "-I", "/usr/include/x86_64-linux-gnu", "-w", "-c", os.path.join(tests, "progs", name + ".c"),
             "-o", target], stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode:
            error = re.search("error: .*", result.stderr)
            print(f"{name}: does not compile: {error[0] if error else result.stderr[-200:]}")
        else:
            objects.append(target)
    return objects


# What may differ between two logs of one program: addresses and times.
VARIES = re.compile(r"0x(?:ffff|7e8)[0-9a-f]+ *|verification time \d+ usec")


def judge(command, objects):
    """{(file, program): (verdict, expected, text missing, last words, log)}"""
    result = subprocess.run(command + objects, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            errors="replace", check=False)
    verdicts = {}
    for line in result.stdout.split("\n"):
        if line.startswith("  | "):
            log.append(VARIES.sub("#", line[4:].rstrip()))
            continue
        facts, _, words = line.partition(" | ")
        parts = facts.split()
        if len(parts) >= 4:
            log = []
            verdicts[parts[0], parts[1]] = (parts[2] == "ok", parts[3], "text" in parts[4:], words, log)
    return verdicts


def report(title, differ):
    """Differences by the last words of skep's log, the most frequent first."""
    counts = collections.Counter(re.sub(r"\d+", "N", words)[:90] for _, words in differ)
    print(f"{title}: {len(differ)}")
    for words, number in counts.most_common(25):
        names = [":".join(key) for key, w in differ if re.sub(r"\d+", "N", w)[:90] == words]
        print(f"  {number} {words or '(before the verifier)'}: {', '.join(names[:3])}")


def report_logs(ours, kernel):
    """Where logs of programs on which both agree differ for the first time."""
    same = [key for key in ours if key in kernel and ours[key][0] == kernel[key][0]]
    differ = [key for key in same if ours[key][4] != kernel[key][4]]
    print(f"{len(same)} programs with the kernel's verdict, {len(same) - len(differ)} with its whole log")
    for key in differ:
        pairs = itertools.zip_longest(ours[key][4], kernel[key][4], fillvalue="(end)")
        mine, its = next(pair for pair in pairs if pair[0] != pair[1])
        print(f"  {':'.join(key)}\n    skep:   {mine[:160]}\n    kernel: {its[:160]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="an unpacked tree, instead of the package")
    parser.add_argument("--work", help="directory for what is made; a temporary one without it")
    parser.add_argument("--logs", action="store_true", help="compare whole logs, too")
    parser.add_argument("skep")
    parser.add_argument("loader")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = os.path.abspath(arguments.work or temporary)
        os.makedirs(work, exist_ok=True)
        objects = compile_all(arguments.source or fetch(work), work, arguments.names)
        loader = [arguments.loader] + (["-l"] if arguments.logs else [])
        ours = judge([arguments.skep, "exec"] + loader, objects)
        kernel = judge(loader, objects) if os.geteuid() == 0 else {}
    annotated = {key: v for key, v in ours.items() if v[1] in ("success", "failure")}
    wrong = [(key, v[3]) for key, v in annotated.items() if v[0] != (v[1] == "success")]
    print(f"{len(annotated)} annotated programs, {len(annotated) - len(wrong)} verdicts as annotated, "
          f"{sum(v[2] for v in annotated.values())} without an expected message")
    report("not as annotated", wrong)
    if any(v[0] for v in kernel.values()):
        both = [key for key in ours if key in kernel]
        differ = [(key, ours[key][3]) for key in both if ours[key][0] != kernel[key][0]]
        print(f"{len(both)} programs, {len(both) - len(differ)} verdicts as the running kernel's")
        report("not as the running kernel", differ)
        report("accepted by skep alone", [d for d in differ if ours[d[0]][0]])
        if arguments.logs:
            report_logs(ours, kernel)


if __name__ == "__main__":
    main()
