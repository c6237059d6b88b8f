#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What verifying costs: skep's verifier beside the running kernel's, one table.

usage: verify.py [--source DIR] [--work DIR] [--rounds N] SKEP [NAME=]DIRECTORY...

The heavy programs of the kernel's self-tests (Debian's linux-source-6.12, or an unpacked tree), compiled for two
versions of the instruction set, and the objects in the directories, each a group. Both verifiers judge each program in
turns, in several rounds; times are medians of what they say themselves ("verification time"), with the spread of the
ratio. The kernel's BTF is parsed before, as the kernel has done. At the end stand the programs that miss a bar:

  scale    (pyperf, strobemeta, the loops and scale tests) at least 4 times as fast as the kernel;
  all      not slower than the kernel from 1,000 processed instructions on; those within 5 % of the kernel's;
           the same verdict.

Needs root and a kernel with BPF.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../kernel"))
import verifier_progs  # pylint: disable=wrong-import-position

SCALE = ["loop1", "loop2", "loop3", "loop4", "loop6", "pyperf50", "pyperf100", "pyperf180", "pyperf600",
         "pyperf600_bpf_loop", "pyperf600_iter", "pyperf600_nounroll", "pyperf_global", "pyperf_subprogs", "strobemeta",
         "strobemeta_bpf_loop", "strobemeta_nounroll1", "strobemeta_nounroll2", "strobemeta_subprogs",
         "test_verif_scale1", "test_verif_scale2", "test_verif_scale3"]
OTHERS = ["bpf_flow", "profiler1", "profiler2", "profiler3", "setget_sockopt", "test_cls_redirect",
          "test_cls_redirect_dynptr", "test_cls_redirect_subprogs", "test_l4lb", "test_l4lb_noinline",
          "test_l4lb_noinline_dynptr", "test_seg6_loop", "test_sysctl_loop1", "test_sysctl_loop2", "test_tc_dtime",
          "test_tc_tunnel", "test_tcp_custom_syncookie", "test_tcp_hdr_options", "test_xdp_dynptr", "test_xdp_loop",
          "test_xdp_noinline", "test_xdp_vlan", "xdp_features", "xdp_synproxy_kern"]
WARM_UP = "test_l4lb_noinline_dynptr"  # calls kernel functions
BAR_SCALE = 4.0
COUNTS_FROM = 1000  # processed instructions
NEAR = 0.05
COLUMNS = ["program", "processed, skep / kernel", "states", "peak", "memory", "skep", "kernel", "times as fast",
           "M insn/s"]


def judge(skep, first, path):
    """A row for each program of an object, with the kernel's beside it. What a hive does once, whatever is loaded
    afterwards (it parses the kernel's BTF), is done for the object `first`."""
    result = subprocess.run([skep, "check", "--real", "--json", first, path], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False)
    return [row for row in json.loads(result.stdout or "[]") if row["file"] == path]


def milliseconds(us):
    return f"{us / 1000:.2f} ms" if us < 100000 else f"{us / 1000:.0f} ms"


def both(ours, kernel):
    return f"{ours}" if ours == kernel else f"{ours} / {kernel}"


class Load:
    """One program in one group; a time of each side for each round."""

    def __init__(self, group, row):
        self.group, self.row, self.kernel = group, row, row["real"]
        self.name = os.path.basename(row["file"])[:-2] + ": " + row["program"]
        self.ours, self.theirs = [], []

    def add(self, row):
        self.ours.append(max(row["time_us"], 1))
        self.theirs.append(max(row["real"]["time_us"], 1))

    def ratio(self):
        return statistics.median(self.theirs) / statistics.median(self.ours)

    def missed(self):
        """The bars that it misses, in words."""
        if self.row["verdict"] != self.kernel["verdict"]:
            yield f"{self.row['verdict']} ({self.row.get('reason')}), by the kernel {self.kernel['verdict']}"
            return
        processed, theirs = self.row["processed"], self.kernel["processed"]
        if abs(processed - theirs) > NEAR * theirs:
            yield f"{processed / theirs:.2f} times the kernel's instructions"
        bar = BAR_SCALE if self.group == "scale" else 1.0
        if theirs >= COUNTS_FROM and self.ratio() < bar:
            yield f"{self.ratio():.2f} times as fast, not {bar:.0f}"

    def cells(self):
        ratios = [theirs / ours for ours, theirs in zip(self.ours, self.theirs)]
        ours = statistics.median(self.ours)
        return [self.name, both(self.row["processed"], self.kernel["processed"]),
                both(self.row["states"], self.kernel["states"]), both(self.row["peak_states"], self.kernel["peak_states"]),
                f"{self.row['memory'] / 2**20:.1f} MiB", milliseconds(ours), milliseconds(statistics.median(self.theirs)),
                f"{self.ratio():.2f} ({min(ratios):.2f} to {max(ratios):.2f})", f"{self.row['processed'] / ours:.1f}"]


def measure(skep, first, groups, rounds):
    """{(group, file, program): Load} of what both verifiers have looked at."""
    loads = {}
    for _ in range(rounds):
        for group, objects in groups:
            for path in objects:
                for row in judge(skep, first, path):
                    if not row.get("processed") or not (row.get("real") or {}).get("processed"):
                        continue
                    key = group, path, row["program"]
                    loads.setdefault(key, Load(group, row)).add(row)
    return loads


def report(loads):
    heavy = [load for load in loads if load.kernel["processed"] >= COUNTS_FROM]
    for group in dict.fromkeys(load.group for load in heavy):
        rows = [load for load in heavy if load.group == group]
        print(f"\n{group}:\n\n| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
        for load in rows:
            print("| " + " | ".join(load.cells()) + " |")
        agree = [load for load in rows if load.row["verdict"] == load.kernel["verdict"]]
        ratios = sorted(load.ratio() for load in agree)
        if ratios:
            speed = sum(load.row["processed"] for load in agree) / sum(statistics.median(load.ours) for load in agree)
            print(f"\n{len(rows)} programs; times as fast: median {statistics.median(ratios):.2f}, least "
                  f"{ratios[0]:.2f}; all together {speed:.1f} M instructions a second")
    print(f"\n{len(loads)} programs, {len(loads) - len(heavy)} of them with less than {COUNTS_FROM} instructions to "
          "process")
    missed = [(load, words) for load in loads for words in load.missed()]
    print(f"bars missed: {len(missed)}")
    for load, words in missed:
        print(f"  {load.group}: {load.name}: {words}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="an unpacked tree, instead of the package")
    parser.add_argument("--work", help="directory for what is made; a temporary one without it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("skep")
    parser.add_argument("directories", nargs="*")
    arguments = parser.parse_args()
    if os.geteuid():
        sys.exit("verify.py: the running kernel lets only root load these programs")
    os.nice(-15)
    with tempfile.TemporaryDirectory() as temporary:
        work = os.path.abspath(arguments.work or temporary)
        os.makedirs(work, exist_ok=True)
        top = arguments.source or verifier_progs.fetch(work)
        groups = [(group, path) for cpu in ("v3", "v2") for group, names in (("scale", SCALE), ("others", OTHERS))
                  for path in [verifier_progs.compile_all(top, work, names, cpu)]]
        for argument in arguments.directories:
            name, _, directory = argument.rpartition("=")
            groups.append((name or os.path.basename(directory.rstrip("/")), sorted(glob.glob(directory + "/*.o"))))
        os.makedirs(os.path.join(work, "first"), exist_ok=True)
        first = shutil.copy(verifier_progs.compile_all(top, work, [WARM_UP])[0], os.path.join(work, "first"))
        report(list(measure(arguments.skep, first, groups, arguments.rounds).values()))


main()
