#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A walk through bpftool's verbs under skep exec, as whoever runs this test.

Where the running kernel lets this user load programs, the same script runs on it and every step must print the
same, but for ids, times, addresses, and what a JIT compiler adds.
"""
import json
import os
import re

import e2e
from e2e import BPFTOOL, equal, ok

# (name, expected status, command): $B is bpftool, $P a bpffs directory, $O the object.
STEPS = [
    ("prog load", 0, "$B prog load $O $P/one"),
    ("prog show", 0, "$B prog show pinned $P/one"),
    ("prog show --pretty", 0, "$B --pretty prog show pinned $P/one"),
    ("prog show -f", 0, "$B -f -j prog show pinned $P/one"),
    ("prog dump xlated", 0, "$B prog dump xlated pinned $P/one | sed 's/#-*[0-9]*$/#/'"),
    ("prog dump xlated linum", 0, "$B prog dump xlated pinned $P/one linum | grep ';'"),
    ("prog pin by name", 0, "$B prog pin name count_packet $P/two"),
    ("prog show the second pin", 0, "$B -f -j prog show pinned $P/two"),
    ("prog run: too short", 234, "head -c 3 /dev/zero >$T/short; $B prog run pinned $P/one data_in $T/short"),
    ("prog run", 0, "head -c 64 /dev/zero >$T/zeros; $B -j prog run pinned $P/one data_in $T/zeros repeat 3"),
    ("prog run with data_out", 0, "$B prog run pinned $P/one data_in $T/zeros data_out $T/out"),
    ("data_out is the packet", 0, "cmp $T/zeros $T/out"),
    ("map show .bss", 0, "$B map show name $BSS"),
    ("map dump .bss", 0, "$B map dump name $BSS"),
    ("map dump .bss -j", 0, "$B -j map dump name $BSS"),
    ("map lookup .bss", 0, "$B map lookup name $BSS key 0 0 0 0"),
    ("map show", 0, "$B -j map show name totals"),
    ("map update", 0, "$B map update name totals key 7 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
    ("map update noexist", 239, "$B map update name totals key 7 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 noexist"),
    ("prog run again", 0, "$B -j prog run pinned $P/one data_in $T/zeros"),
    ("map dump by BTF", 0, "$B map dump name totals"),
    ("map lookup", 0, "$B map lookup name totals key 7 0 0 0"),
    ("map lookup: nothing", 254, "$B -j map lookup name totals key 8 0 0 0"),
    ("map getnext", 0, "$B -j map getnext name totals"),
    ("map getnext: the end", 254, "$B -j map getnext name totals key 7 0 0 0"),
    ("map pin", 0, "$B map pin name totals $P/totals"),
    ("map show pinned", 0, "$B -f map show pinned $P/totals"),
    ("map delete", 0, "$B map delete pinned $P/totals key 7 0 0 0"),
    ("map delete: nothing", 254, "$B map delete pinned $P/totals key 7 0 0 0"),
    ("map freeze", 0, "$B map freeze pinned $P/totals"),
    ("map update: frozen", 255, "$B map update pinned $P/totals key 7 0 0 0 value "
                                "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
    ("btf dump file", 0, "$B btf dump file $O"),
    ("btf dump prog", 0, "$B btf dump prog pinned $P/one"),
    ("btf dump map", 0, "$B btf dump map name totals"),
    ("btf dump map in C", 0, "$B btf dump map name totals all format c"),
    ("btf dump prog in C", 0, "$B btf dump prog pinned $P/one format c"),
    ("gen skeleton", 0, "$B gen skeleton $O"),
    ("gen object", 0, "cd $T && $B gen object merged.o $O && $B btf dump file merged.o format c"),
    ("gen min_core_btf", 0, "cd $T && $B gen min_core_btf /sys/kernel/btf/vmlinux min.btf $O && $B btf dump file min.btf"),
    ("prog loadall", 0, "$B prog loadall $O $P/all pinmaps $P/maps; ls $P/all; ls $P/maps"),
    ("prog load: already there", 255, "$B prog load $O $P/one"),
    ("map create array", 0, "$B map create $P/array type array key 4 value 8 entries 2 name numbers && $B map dump pinned $P/array"),
    ("map create percpu_hash", 0, "$B map create $P/percpu type percpu_hash key 4 value 8 entries 2 name percpu "
                                  "&& $B map update pinned $P/percpu key 1 0 0 0 value 1 2 3 4 5 6 7 8 "
                                  "&& $B map dump pinned $P/percpu"),
    ("map create: no such type", 255, "$B map create $P/none type nonsense key 4 value 8 entries 2 name none"),
    ("map create: key of an array", 255, "$B map create $P/none type array key 8 value 8 entries 2 name none"),
    ("link show pinned: not a link", 255, "$B link show pinned $P/one"),
    ("prog attach: not attachable", 234, "$B prog attach pinned $P/one flow_dissector"),
    ("cgroup list: not a cgroup", 255, "$B cgroup list /tmp"),
    ("struct_ops list", 0, "$B struct_ops list"),
    ("perf show", 0, "$B perf show"),
    ("batch", 0, "printf 'map update pinned %s/array key 0 0 0 0 value 9 0 0 0 0 0 0 0\\nmap lookup pinned %s/array key 0 0 0 0\\n' $P $P "
                 ">$T/batch; $B batch file $T/batch"),
    ("unpin", 0, "rm -r $P/one $P/two $P/totals $P/all $P/maps $P/array $P/percpu; ls $P | grep -c -v debug || true"),
    ("prog show: gone", 255, "$B prog show name count_packet"),
    ("map show: gone", 255, "for i in $(seq 100); do $B map show name totals >&2 || break; sleep 0.1; done 2>/dev/null; "
                            "$B map show name totals"),
]

# Queues, stacks and tries of bpftool's map verbs.
STEPS += [
    ("queue", 0, "$B map create $P/q type queue value 4 entries 2 name queue && $B map push pinned $P/q value 1 0 0 0 && "
                 "$B map enqueue pinned $P/q value 2 0 0 0 && $B map peek pinned $P/q && $B map dequeue pinned $P/q && "
                 "$B map show pinned $P/q && rm $P/q"),
    ("stack", 0, "$B map create $P/s type stack value 4 entries 2 name stack && $B map push pinned $P/s value 1 0 0 0 && "
                 "$B map push pinned $P/s value 2 0 0 0 && $B map pop pinned $P/s && $B map peek pinned $P/s && rm $P/s"),
    ("lpm_trie", 0, "$B map create $P/t type lpm_trie key 8 value 4 entries 8 name trie flags 1 && "
                    "$B map update pinned $P/t key 8 0 0 0 10 0 0 0 value 1 0 0 0 && "
                    "$B map lookup pinned $P/t key 32 0 0 0 10 1 2 3 && $B map dump pinned $P/t && rm $P/t"),
    ("lru_hash", 0, "$B map create $P/l type lru_hash key 4 value 4 entries 8 name lru && "
                    "$B map update pinned $P/l key 8 0 0 0 value 1 0 0 0 && $B map dump pinned $P/l && rm $P/l"),
    ("devmap", 0, "$B map create $P/d type devmap key 4 value 4 entries 2 name devices && "
                  "$B map update pinned $P/d key 0 0 0 0 value 1 0 0 0 && $B map dump pinned $P/d && "
                  "$B map delete pinned $P/d key 0 0 0 0 && $B map show pinned $P/d && rm $P/d"),
    ("devmap_hash: no such device", 234, "$B map create $P/e type devmap_hash key 4 value 8 entries 2 name devices && "
                  "$B map update pinned $P/e key 9 0 0 0 value 255 255 255 127 0 0 0 0; s=$?; rm $P/e; exit $s"),
    ("cpumap", 0, "$B map create $P/c type cpumap key 4 value 4 entries 2 name cpus && "
                  "$B map update pinned $P/c key 0 0 0 0 value 192 0 0 0 && $B map dump pinned $P/c && rm $P/c"),
    ("stack_trace", 0, "$B map create $P/k type stack_trace key 4 value 80 entries 8 name stacks && $B map dump pinned $P/k && "
                       "$B map show pinned $P/k && rm $P/k"),
    ("hash_of_maps", 0, "$B map create $P/i type hash key 4 value 4 entries 8 name inner && "
                        "$B map create $P/o type hash_of_maps key 4 value 4 entries 8 name outer inner_map pinned $P/i && "
                        "$B map update pinned $P/o key 7 0 0 0 value pinned $P/i && $B map show pinned $P/o && "
                        "$B map dump pinned $P/o | sed 's/inner_map_id:.*/an id/' | grep -v ': *$' | cut -c1-17 && "
                        "$B map delete pinned $P/o key 7 0 0 0 && $B map dump pinned $P/o && rm $P/i $P/o"),
]

# Links: those of an ordinary program that runs meanwhile.
STEPS += [
    ("link", 0, "$W sleep 60 >$T/watch & watch=$!; trap 'kill $(cat /proc/$watch/task/$watch/children) $watch' EXIT; "
                "for i in $(seq 200); do [ -s $T/watch ] && break; sleep 0.05; done; "
                "id=$($B -j prog show name on_fork | sed 's/.*{\"id\":\\([0-9]*\\).*/\\1/'); "
                "link=$($B link show | sed -n \"s/: perf_event  prog $id .*//p\"); $B link show id $link; "
                "$B link pin id $link $P/link && $B -f link show id $link && $B link show pinned $P/link && "
                "$B -j link show id $link && rm $P/link; $B link detach id $link; echo $?"),
]


def script(pins, scratch, obj):
    lines = [f"B={BPFTOOL} P={pins} T={scratch} O={obj} BSS=counter.bss W={e2e.EXECWATCH}"]
    for number, (_, _, command) in enumerate(STEPS):
        lines.append(f"({command}) >$T/{number}.out 2>$T/{number}.err; echo $? >$T/{number}.status")
    return "\n".join(lines)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


NORMAL = [
    (r"/\S*(bpffs-walk|/sys/fs/bpf)", "BPFFS"), (r"/\S*e2e-\w+", "DIR"), (r"/sys/fs/bpf", "BPFFS"),
    (r"^\d+: ", "N: "), (r"loaded_at \S+  uid \d+", "loaded_at TIME uid N"),
    (r"(map_ids|prog_ids|btf_id|btf_vmlinux_id) [\d,]+", r"\1 N"), (r'"(id|btf_id)":( ?)\d+', r'"\1":\2N'),
    (r'"(map_ids)":( ?)\[[^]]*\]', r'"\1":\2N'), (r'"(uid|loaded_at|duration)":( ?)\d+', r'"\1":\2N'),
    (r"prog \d+ ", "prog N "), (r'"prog_id":\d+', '"prog_id":N'), (r"map\[id:\d+\]", "map[id:N]"), (r"duration( \(average\))?: \d+ns", "duration"),
    (r"jited \d+B|not jited", "JIT"), (r'"jited":( ?)(true,\s*"bytes_jited":( ?)\d+|false)', r'"jited":\1J'),
    (r"memlock \d+B", "memlock"), (r'"bytes_memlock":( ?)\d+', r'"bytes_memlock":\1N'),
]


def normal(text):
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def walk(on_kernel, obj, name):
    """{step: (status, output)}; None if it could not run at all."""
    with e2e.Scratch() as scratch:
        if on_kernel:
            # A bpffs of the test's own, in a mount namespace of its own.
            pins = os.path.join(scratch, "bpffs-walk")
            os.mkdir(pins)
            result = e2e.run(["unshare", "-m", "/bin/sh", "-c",
                              f"mount --make-rprivate / && mount -t bpf bpf {pins} && {{\n{script(pins, scratch, obj)}\n}}"])
        else:
            result = e2e.skep_exec(["/bin/sh", "-c", script("/sys/fs/bpf", scratch, obj)])
        if not equal(result.status, 0, f"the walk on {name} ends", result):
            return None
        return [(int(read(f"{scratch}/{i}.status")), read(f"{scratch}/{i}.out"), read(f"{scratch}/{i}.err"))
                for i in range(len(STEPS))]


def tracelog(obj):
    result = e2e.skep_exec(["/bin/sh", "-c", f"""head -c 64 /dev/zero >zeros
{BPFTOOL} prog load {obj} /sys/fs/bpf/one
{BPFTOOL} prog tracelog >log & reader=$!
for i in $(seq 100); do [ -s log ] && break
    {BPFTOOL} prog run pinned /sys/fs/bpf/one data_in zeros >/dev/null; sleep 0.1; done
kill $reader; wait $reader; cat log"""], cwd=os.path.dirname(obj))
    lines = e2e.trace_lines(result.out)
    ok(lines and lines[0]["text"] == "packet 0" and lines[0]["comm"].strip() == "bpftool",
       "prog tracelog: the line of the program", result)


def feature_probe():
    result = e2e.skep_exec([BPFTOOL, "-j", "feature", "probe", "unprivileged"])
    try:
        probe = json.loads(result.out)
    except ValueError:
        ok(False, "feature probe: JSON", result)
        return
    ok(probe["syscall_config"]["have_bpf_syscall"], "feature probe: bpf(2) is there")
    wanted = ["have_hash_map_type", "have_array_map_type", "have_ringbuf_map_type"]
    equal([probe["map_types"].get(name) for name in wanted], [True] * 3, "feature probe: map types")


def compare(ours, theirs):
    for (name, _, _), mine, kernel in zip(STEPS, ours, theirs):
        mine, kernel = [(status, normal(out), normal(err)) for status, out, err in (mine, kernel)]
        equal(mine, kernel, f"{name}: as the kernel")


def main():
    with e2e.Scratch() as scratch:
        obj = os.path.join(scratch, "counter.bpf.o")
        result = e2e.run(["clang", "-target", "bpf", "-O2", "-g", "-c", os.path.join(os.path.dirname(__file__), "counter.bpf.c"),
                          "-o", obj, "-I/usr/include/x86_64-linux-gnu"])
        if not ok(result.status == 0, "the program compiles", result):
            return
        os.chmod(scratch, 0o755)
        ours = walk(False, obj, "skep")
        if ours:
            for (name, status, _), got in zip(STEPS, ours):
                equal(got[0], status, f"{name}: status", *got[1:])
        tracelog(obj)
        feature_probe()
        if ours and e2e.have_root_bpf():
            theirs = walk(True, obj, "the running kernel")
            if theirs:
                compare(ours, theirs)
        else:
            e2e.skip("the running kernel does not let this user load programs: nothing to compare with")


if BPFTOOL:
    main()
else:
    e2e.skip("bpftool is not on this machine")
e2e.done()
