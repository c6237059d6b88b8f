#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The checks themselves: each finds what it is there to find, and passes what is right."""
import os
import subprocess
import sys
import tempfile

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
results = failures = 0


def ok(condition, name, detail=""):
    global results, failures
    results += 1
    failures += not condition
    print(f"{'ok' if condition else 'not ok'} {results} - {name}")
    if not condition:
        print("".join(f"# {line}\n" for line in str(detail).splitlines()), end="", flush=True)


def run(tool, *arguments, cwd=None):
    return subprocess.run([os.path.join(TOOLS, tool), *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)
    return full


def layers(root):
    write(root, "include/skep/skep.h", "#include <stddef.h>\n")
    for header in ("base/types.h", "base/text.h", "rt/map.h", "verify/verify.h", "isa/isa.h", "agent/protocol.h"):
        write(root, f"src/{header}", "")
    allowed = {
        "src/rt/a.c": '#include "rt/map.h"\n#include "base/types.h"\n#include <linux/bpf.h>\n#include <stdint.h>\n',
        "src/verify/a.c": '#include "isa/isa.h"\n#include "base/text.h"\n#include <string.h>\n',
        "src/sys/a.c": '#include "verify/verify.h"\n#include "isa/isa.h"\n',
        "cli/a.c": '#include <skep/skep.h>\n#include <bpf/libbpf.h>\n#include <stdio.h>\n',
    }
    forbidden = {
        "src/rt/b.c": '#include <string.h>\n',
        "src/rt/c.c": '#include "base/text.h"\n',
        "src/agent/d.c": '#include <stdio.h>\n',
        "src/verify/e.c": '#include "rt/map.h"\n',
        "src/base/f.c": '#include "isa/isa.h"\n',
        "cli/g.c": '#include "base/types.h"\n',
        "src/sys/h.c": '#include <bpf/libbpf.h>\n',
        "src/verify/domain/i.c": '#include "verify/verify.h"\n',
        "src/nowhere/j.c": "",
        "src/base/k.c": '#include "base/missing.h"\n',
    }
    for path, text in allowed.items():
        write(root, path, text)
    result = run("check-layers", root)
    ok(result.returncode == 0, "check-layers: allowed edges pass", result.stdout)
    for path, text in forbidden.items():
        full = write(root, path, text)
        result = run("check-layers", root)
        ok(result.returncode == 1 and path in result.stdout, f"check-layers: {path} is found", result.stdout)
        os.unlink(full)


def sizes(root):
    def function(name, lines):
        return f"int {name}(void)\n{{\n" + "\tx();\n" * (lines - 3) + "\treturn 0;\n}\n"

    os.makedirs(os.path.join(root, "tools"))
    path = write(root, "src/a.c", "/* top */\n" + function("fits", 70) + "\n" + function("also", 3))
    # The script finds its list beside the tree that it checks.
    result = run("check-size", root)
    ok(result.returncode == 0, "check-size: 70 lines pass", result.stdout)
    write(root, "src/a.c", function("fits", 71))
    result = run("check-size", root)
    ok(result.returncode == 1 and "fits has 71 lines" in result.stdout, "check-size: 71 do not", result.stdout)
    write(root, "tools/check-size.allow", "src/a.c:fits 71 # a table\n")
    ok(run("check-size", root).returncode == 0, "check-size: unless they are listed")
    write(root, "src/a.c", function("fits", 60))
    result = run("check-size", root)
    ok(result.returncode == 1 and "remove it" in result.stdout, "check-size: a needless exception fails", result.stdout)
    write(root, "src/a.c", function("fits", 80))
    write(root, "tools/check-size.allow", "src/a.c:fits 90\n")
    result = run("check-size", root)
    ok(result.returncode == 1 and "lower its limit" in result.stdout, "check-size: and one that shrank", result.stdout)
    os.unlink(os.path.join(root, "tools/check-size.allow"))
    write(root, "src/a.c", "int x;\n" * 1001)
    result = run("check-size", root)
    ok(result.returncode == 1 and "a.c has 1001 lines" in result.stdout, "check-size: a file of 1001 lines", result.stdout)
    os.unlink(path)


def compile_c(root, name, text, *flags):
    source, out = write(root, name + ".c", text), os.path.join(root, name)
    subprocess.run(["cc", "-O1", "-ffreestanding", "-fno-stack-protector", "-fcf-protection=none", source, "-o", out, *flags],
                   check=True)
    return out


def freestanding(root):
    link = ("-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-mgeneral-regs-only")
    good = "const int table[] = { 1, 2 };\nvoid _start(void) { for (;;) ; }\n"
    ok(run("check-freestanding", compile_c(root, "good", good, *link)).returncode == 0, "check-freestanding: passes")
    for name, text, complaint, flags in (
            ("data", good + "int counter = 3; int next(void) { return counter++; }\n", "writable section .data", link),
            ("bss", good + "int counter; int next(void) { return counter++; }\n", "writable section .bss", link),
            ("tls", good + "__thread int t; int next(void) { return t++; }\n", "writable section .tbss", link),
            ("float", good + "double half(double x) { return x / 2; }\n", "xmm", link[:-1]),
            ("x87", good + "long double half(long double x) { return x / 2; }\n", "f", link[:-1])):
        result = run("check-freestanding", compile_c(root, name, text, *flags))
        ok(result.returncode == 1 and complaint in result.stdout, f"check-freestanding: {name} is found", result.stdout)
    obj = compile_c(root, "undefined.o", "int other(void); int f(void) { return other(); }\n", "-c")
    result = run("check-freestanding", obj)
    ok(result.returncode == 1 and "undefined symbol other" in result.stdout, "check-freestanding: an undefined symbol",
       result.stdout)


def exports(root):
    good = compile_c(root, "good.so", "int skep_a(void) { return 1; }\n", "-shared", "-fPIC", "-nostdlib")
    ok(run("check-exports", good).returncode == 0, "check-exports: skep_* passes")
    bad = compile_c(root, "bad.so", "int skep_a(void) { return 1; } int other(void) { return 2; }\n",
                    "-shared", "-fPIC", "-nostdlib")
    result = run("check-exports", bad)
    ok(result.returncode == 1 and "other" in result.stdout, "check-exports: another name is found", result.stdout)
    empty = compile_c(root, "empty.so", "static int a(void) { return 1; } static int (*p)(void) = a;\n", "-shared", "-fPIC",
                      "-nostdlib")
    ok(run("check-exports", empty).returncode == 1, "check-exports: so is a library without any")


def count(root):
    import json
    tests = [
        {"name": "good", "stdout": "ok 1 - a\nok 2 # SKIP no root\n1..2\n", "result": "OK", "returncode": 0},
        {"name": "bad", "stdout": "ok 1 - a\nnot ok 2 - b\n# why\n1..2\n", "result": "FAIL", "returncode": 1},
        {"name": "crash", "stdout": "ok 1 - a\n", "result": "ERROR", "returncode": -11},
        {"name": "plain", "stdout": "hello\n", "result": "OK", "returncode": 0},
        {"name": "none", "stdout": "1..0 # SKIP not here\n", "result": "SKIP", "returncode": 0},
        {"name": "slow", "stdout": "", "result": "TIMEOUT", "returncode": -15},
    ]
    log = write(root, "log.json", "".join(json.dumps(test) + "\n" for test in tests))
    result = run("count-tests", log)
    ok(result.returncode == 1 and result.stdout.splitlines()[-1] == "4 passed, 3 failed, 2 skipped",
       "count-tests: every kind of result", result.stdout)
    ok("skipped good: no root" in result.stdout and "FAILED bad: b" in result.stdout, "count-tests: names them", result.stdout)
    log = write(root, "fine.json", json.dumps(tests[0]) + "\n")
    checks = write(root, "checks", "ok build\nnot ok install (exit status 1)\n")
    result = run("count-tests", "--checks", checks, log)
    ok(result.returncode == 1 and result.stdout.splitlines()[-1] == "2 passed, 1 failed, 1 skipped",
       "count-tests: with other checks", result.stdout)
    ok(run("count-tests", log).returncode == 0, "count-tests: 0 when nothing failed")
    ok(run("count-tests", os.path.join(root, "missing")).returncode == 1, "count-tests: a missing log fails")


for check in (layers, sizes, freestanding, exports, count):
    with tempfile.TemporaryDirectory(prefix="skep-e2e-") as directory:
        check(directory)
print(f"1..{results}")
sys.exit(failures != 0)
