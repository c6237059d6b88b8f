#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tables and a plot of how the cost of map operations grows: growth.py PROGRAM|FILE SVG

PROGRAM is bench-growth-run (growth.c says what it prints), FILE its kept output. Markdown goes to the output, the plot
to SVG.
"""
import math
import os
import subprocess
import sys
from xml.sax.saxutils import escape

COLOURS = ["#7a7a7a", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#b8860b"]
SIDES = {"skep": "", "kernel": ' stroke-dasharray="5 4"'}
LOWEST = 1.0  # nanoseconds: what is less is drawn here


def read(source):
    if os.access(source, os.X_OK):
        text = subprocess.run([source], stdout=subprocess.PIPE, text=True, check=True).stdout
    else:
        with open(source, encoding="utf-8") as file:
            text = file.read()
    costs, memory = {}, []
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        if kind == "memory":
            memory.append(tuple(int(field) for field in fields))
        elif kind == "cost":
            name, entries, workers_are, workers, ours, theirs = fields
            costs[name, int(entries), workers_are, int(workers)] = {
                "skep": float(ours), "kernel": None if theirs == "-" else max(float(theirs), 0.0) + 0.0}
    return costs, memory


def power(number):
    exponent = round(math.log10(number))
    return f"10^{exponent}" if 10 ** exponent == number else str(number)


def table(titles, lines):
    print("| " + " | ".join(titles) + " |")
    print("|" + "---|" * len(titles))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def cell(cost):
    def text(nanoseconds):
        return f"{nanoseconds:.1f}" if nanoseconds < 10 else f"{nanoseconds:.0f}"
    if cost["kernel"] is None:
        return text(cost["skep"])
    return f"{text(cost['skep'])} ({text(cost['kernel'])})"


def series(costs, workers_are, by_entries):
    """{operation: [(entries or workers, cost)]}"""
    found = {}
    counts = {}
    for _, entries, _, workers in costs:
        if workers > 1:
            counts[entries] = counts.get(entries, 0) + 1
    for (name, entries, are, workers), cost in sorted(costs.items(), key=lambda item: item[0][1:]):
        if are != workers_are or (by_entries and workers > 1) or (not by_entries and entries not in counts):
            continue
        found.setdefault(name, []).append((entries if by_entries else workers, cost))
    return {name: points for name, points in found.items() if len(points) > 1}


def tables(costs, memory):
    for title, workers_are, by_entries in (("entries", "threads", True), ("threads", "threads", False),
                                           ("processes", "processes", False)):
        lines = series(costs, workers_are, by_entries)
        xs = sorted({x for points in lines.values() for x, _ in points})
        table([f"ns (kernel's), {title}:"] + [power(x) if by_entries else str(x) for x in xs],
              [[name] + [cell(dict(points)[x]) if x in dict(points) else "" for x in xs] for name, points in lines.items()])
    table(["a hash with room for 10^7 entries holds"] + [power(held) if held else "0" for held, _, _ in memory],
          [["MB, skep"] + [f"{ours / 1e6:.1f}" for _, ours, _ in memory],
           ["MB, kernel"] + [f"{theirs / 1e6:.1f}" if theirs else "–" for _, _, theirs in memory]])


class Panel:
    """One pair of logarithmic axes."""

    def __init__(self, out, left, title, xs, highest):
        self.out, self.left, self.top, self.width, self.height = out, left, 50, 400, 320
        self.x_low, self.x_high = math.log(min(xs)), math.log(max(xs))
        self.y_high = math.log(highest)
        self.text(left + self.width / 2, 30, title, "middle", 14)
        for x in xs:
            at = self.x(x)
            self.line(at, self.top, at, self.top + self.height)
            self.text(at, self.top + self.height + 18, f"{x:,}".replace(",", " "), "middle")
        y = LOWEST
        while y <= highest:
            self.line(left, self.y(y), left + self.width, self.y(y))
            self.text(left - 6, self.y(y) + 4, f"{y:g} ns", "end")
            y *= 10

    def x(self, value):
        return self.left + (math.log(value) - self.x_low) / (self.x_high - self.x_low) * self.width

    def y(self, value):
        share = (math.log(max(value, LOWEST)) - math.log(LOWEST)) / (self.y_high - math.log(LOWEST))
        return self.top + self.height * (1 - share)

    def text(self, x, y, text, anchor="start", size=12):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2):
        self.out.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#dddddd"/>')

    def curve(self, points, colour, style):
        path = "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)
        self.out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{style}/>')

    def marks(self, points, colour):
        for x, y in points:
            self.out.append(f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="4" fill="none" stroke="{colour}"/>')


def plot(costs, path):
    by_entries, by_threads = series(costs, "threads", True), series(costs, "threads", False)
    by_processes = series(costs, "processes", False)
    names = list(dict.fromkeys([*by_entries, *by_threads]))
    highest = max(value for cost in costs.values() for value in cost.values() if value)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="480" font-family="sans-serif">',
           '<rect width="1000" height="480" fill="white"/>']
    for left, title, lines in ((70, "entries of the map, one thread", by_entries), (560, "threads at once", by_threads)):
        panel = Panel(out, left, title, sorted({x for points in lines.values() for x, _ in points}), highest)
        for name, points in lines.items():
            colour = COLOURS[names.index(name) % len(COLOURS)]
            for side, style in SIDES.items():
                panel.curve([(x, cost[side]) for x, cost in points if cost[side] is not None], colour, style)
            if lines is by_threads:
                panel.marks([(x, cost["skep"]) for x, cost in by_processes.get(name, [])], colour)
    for i, name in enumerate(names):
        at, y = 70 + i % 3 * 200, 415 + i // 3 * 20
        out.append(f'<path d="M{at} {y - 4}h24" stroke="{COLOURS[i % len(COLOURS)]}" stroke-width="2"/>')
        panel.text(at + 30, y, name)
    panel.text(70, 460, "whole lines: skep; dashed: the kernel's JIT (1 ns or less: on the axis); circles: "
                        "skep, processes instead of threads")
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: growth.py PROGRAM|FILE SVG")
    costs, memory = read(sys.argv[1])
    tables(costs, memory)
    plot(costs, sys.argv[2])


main()
