#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real programs, judged by skep beside the running kernel: one table.

usage: corpus.py [--packages] [--libbpf DIR] [--work DIR] [--rows FILE] SKEP [[NAME=]DIRECTORY...]

A directory is a group: all BPF objects and *.bpf.c below it, as `skep check` finds them. --packages makes a group of
each Debian package that brings objects, in files of their own or within its commands; they are downloaded and unpacked,
not installed. Debian's libbpf is older than many objects and does not open all of them; --libbpf takes another one, as a
directory with libbpf.so.1 or as a source tree, which is then built. What differs from the kernel follows the table, with both sides' reasons: a verdict, or a number of
instructions that is more than 5 % away. The exit status is 1 if a verdict differs. Needs root and a kernel with BPF.
"""
import argparse
import collections
import glob
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

PACKAGES = ["libbpf-tools", "libxdp1", "pcp", "xdp-tools"]
ELF64_LITTLE = b"\x7fELF\x02\x01\x01"
EM_BPF = 247
EPERM = 1
COLUMNS = ["programs", "the kernel accepts", "skep of these", "same number of instructions", "time, skep / kernel",
           "both reject", "skep accepts, not judged by the kernel", "neither loads", "differ"]


def objects_in(data):
    """The BPF objects that begin anywhere in a file: each up to the end of its section table."""
    at = data.find(ELF64_LITTLE)
    while at >= 0:
        if len(data) - at >= 64 and struct.unpack_from("<H", data, at + 18)[0] == EM_BPF:
            sections, = struct.unpack_from("<Q", data, at + 40)
            entry, number = struct.unpack_from("<HH", data, at + 58)
            yield data[at:at + sections + entry * number]
        at = data.find(ELF64_LITTLE, at + 1)


def unpack(package, work):
    """The objects of a Debian package, in a directory of their own; each once."""
    out, tree = os.path.join(work, package), os.path.join(work, package + ".tree")
    if os.path.isdir(out):
        return out
    subprocess.run(["apt-get", "download", package], cwd=work, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["dpkg-deb", "-x", glob.glob(os.path.join(work, package + "_*.deb"))[0], tree], check=True)
    os.makedirs(out)
    seen = set()
    for directory, _, names in sorted(os.walk(tree)):
        for path in (os.path.join(directory, name) for name in sorted(names)):
            if os.path.islink(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            for blob in objects_in(data):
                digest = hashlib.sha256(blob).digest()
                if digest not in seen:
                    with open(os.path.join(out, f"{os.path.basename(path)}.{len(seen)}.o"), "wb") as file:
                        file.write(blob)
                seen.add(digest)
    return out


def find_libbpf(directory, work):
    """The directory of the libbpf.so.1 that is in a directory, or that its sources make."""
    for place in (directory, os.path.join(directory, "src")):
        if os.path.exists(os.path.join(place, "libbpf.so.1")):
            return os.path.abspath(place)
    out = os.path.join(work, "libbpf")
    os.makedirs(out, exist_ok=True)
    subprocess.run(["make", "-s", "-C", os.path.join(directory, "src"), "OBJDIR=" + out], check=True,
                   stdout=sys.stderr)
    return out


def judge(skep, directory, libbpf):
    environment = dict(os.environ, LD_LIBRARY_PATH=libbpf) if libbpf else None
    result = subprocess.run([skep, "check", "--real", "--json", directory], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, errors="replace", check=False, env=environment)
    return json.loads(result.stdout or "[]")


def side(row):
    """(skep's verdict, the kernel's): accepted, rejected, or error for what came to none."""
    return row["verdict"], row.get("real", {}).get("verdict", "error")


def forbidden(row):
    """Does the kernel take no program of this type from anybody?"""
    return side(row)[1] == "error" and row.get("real", {}).get("errno") == EPERM


def far_apart(row):
    ours, its = row.get("processed", 0), row["real"].get("processed", 0)
    return abs(ours - its) > 0.05 * its


def count(rows):
    """The numbers of one line of the table."""
    sides = collections.Counter(side(row) for row in rows)
    both = [row for row in rows if side(row) == ("accepted", "accepted")]
    time, its_time = (sum(of(row).get("time_us", 0) for row in both) for of in (lambda r: r, lambda r: r["real"]))
    accepted = sum(n for (_, kernel), n in sides.items() if kernel == "accepted")
    same = sum(row.get("processed") == row["real"].get("processed") for row in both)
    alone = sum(forbidden(row) and row["verdict"] == "accepted" for row in rows)
    return [len(rows), accepted, len(both), same, f"{time / its_time:.2f}" if its_time else "-",
            sides["rejected", "rejected"], alone, sum(n for s, n in sides.items() if s[0] == "error"),
            sum(bool(row.get("differs")) for row in rows)]


def shorten(text):
    return re.sub(r"0x[0-9a-f]+|\d+", "N", text or "")[:100]


def report(title, rows):
    """Rows by what both say, the most frequent first."""
    groups = collections.defaultdict(list)
    for row in rows:
        real = row.get("real", {})
        groups[shorten(row.get("reason")), shorten(real.get("reason"))].append(
            f"{os.path.basename(row['file'])}: {row.get('program')} ({row.get('processed')} / {real.get('processed')})")
    print(f"\n{title}: {len(rows)}")
    for (ours, its), names in sorted(groups.items(), key=lambda item: -len(item[1])):
        print(f"  {len(names)}: skep: {ours or 'accepted'} | kernel: {its or 'accepted'}\n    {', '.join(names[:4])}")


def print_table(groups):
    print("| from | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    for name, rows in groups:
        print(f"| {name} | " + " | ".join(map(str, count(rows))) + " |")
    everything = [row for _, rows in groups for row in rows]
    if len(groups) > 1:
        print("| all | " + " | ".join(map(str, count(everything))) + " |")
    return everything


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", action="store_true", help="the objects of " + ", ".join(PACKAGES))
    parser.add_argument("--libbpf", help="directory of the libbpf that opens the objects, instead of the installed one")
    parser.add_argument("--work", help="directory for what is downloaded; a temporary one without it")
    parser.add_argument("--rows", help="file for all rows, as JSON")
    parser.add_argument("skep")
    parser.add_argument("directories", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = os.path.abspath(arguments.work or temporary)
        os.makedirs(work, exist_ok=True)
        groups = [(package, unpack(package, work)) for package in PACKAGES if arguments.packages]
        for directory in arguments.directories:
            name, _, path = directory.rpartition("=")
            groups.append((name or os.path.basename(os.path.normpath(path)), path))
        if not groups:
            parser.error("neither --packages nor a directory")
        libbpf = arguments.libbpf and find_libbpf(arguments.libbpf, work)
        rows = print_table([(name, judge(arguments.skep, path, libbpf)) for name, path in groups])
    if arguments.rows:
        with open(arguments.rows, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    report("verdicts that differ", [row for row in rows if row.get("differs")])
    report("instructions more than 5 % away",
           [row for row in rows if side(row) == ("accepted", "accepted") and far_apart(row)])
    report("rejected, not judged by the kernel", [row for row in rows if forbidden(row) and row["verdict"] == "rejected"])
    sys.exit(any(row.get("differs") for row in rows))


main()
