# SPDX-License-Identifier: BSD-2-Clause
"""Random BPF programs in C, of what compilers make of what people write: random_c.py compiles and loads them.

A program is a function of one of the KINDS below: numbers from its context, random statements, and scenes (c_scenes.py): what
programs do with maps, packets, helpers. Half of them are to be sound; in the others checks are missing or wrong here and there
(`slip()`). What includes is c_prelude.h. The same seed and number give the same program.
"""
import contextlib
import random

from c_scenes import scenes_for

TYPES = ["__u64", "__u32", "__s64", "__s32", "__u16", "__u8", "__s16", "__s8"]
WIDE = ["__u64", "__u32", "__s64", "__s32"]


class Kind:
    """Where a program runs: section, context, numbers that can be read there, and what scenes it is for."""

    def __init__(self, section, context, reads, traits="", writes=(), returns="1"):
        self.section, self.context, self.traits = section, context, frozenset((traits + " context").split())
        self.reads, self.writes, self.returns = reads.split(), list(writes), returns


SKB = "len mark protocol priority ifindex hash vlan_tci queue_mapping pkt_type cb[2] tstamp gso_segs napi_id"
KINDS = [
    Kind("xdp", "struct xdp_md", "ingress_ifindex rx_queue_index", "packet xdp net", (), "2"),
    Kind("tc", "struct __sk_buff", SKB + " tc_classid wire_len", "packet skb net writable", ("mark", "cb[1]", "tc_index", "priority"), "0"),
    Kind("tc", "struct __sk_buff", SKB, "packet skb net writable", ("mark", "cb[4]", "queue_mapping", "tstamp"), "2"),
    Kind("socket", "struct __sk_buff", "len mark protocol ifindex vlan_present cb[0]", "skb", ("cb[3]",), "64"),
    Kind("cgroup_skb/ingress", "struct __sk_buff", "len mark priority ifindex family remote_port", "packet skb", ("mark", "cb[0]")),
    Kind("cgroup_skb/egress", "struct __sk_buff", "len protocol cb[2]", "packet skb", ("priority", "tstamp")),
    Kind("lwt_xmit", "struct __sk_buff", "len mark hash cb[1]", "packet skb", ("mark", "cb[1]"), "0"),
    Kind("lwt_in", "struct __sk_buff", "len mark priority", "packet skb", ("mark",), "0"),
    Kind("kprobe/do_nanosleep", "struct pt_regs", "rdi rsi rdx rcx r8 rax rsp rip", "trace", (), "0"),
    Kind("kretprobe/do_nanosleep", "struct pt_regs", "rax rsp rip", "trace", (), "0"),
    Kind("tracepoint/syscalls/sys_enter_openat", "struct sys_enter", "id args[0] args[1] args[2] args[5]", "trace", (), "0"),
    Kind("raw_tp/sys_enter", "struct bpf_raw_tracepoint_args", "args[0] args[1]", "trace raw", (), "0"),
    Kind("perf_event", "struct bpf_perf_event_data", "sample_period addr regs.rip regs.rsp", "trace", (), "0"),
    Kind("tp_btf/sched_switch", "__u64", "", "trace task", (), "0"),
    Kind("tp_btf/kfree_skb", "__u64", "", "trace skbuff", (), "0"),
    Kind("iter/task", "struct bpf_iter__task", "", "trace iter", (), "0"),
    Kind("syscall", "struct value", "count words[0] words[5] index halves[2]", "call", ("count", "words[1]"), "0"),
    Kind("cgroup/sock_create", "struct bpf_sock", "family type protocol mark", "sock", ("mark", "priority")),
    Kind("cgroup/connect4", "struct bpf_sock_addr", "user_family user_ip4 user_port family protocol", "sock addr", ("user_ip4", "user_port")),
    Kind("cgroup/sendmsg6", "struct bpf_sock_addr", "user_ip6[0] user_ip6[3] msg_src_ip6[1] user_port", "sock addr", ("user_ip6[1]",)),
    Kind("cgroup/getsockopt", "struct bpf_sockopt", "level optname optlen retval", "sockopt", ("optlen", "retval")),
    Kind("cgroup/setsockopt", "struct bpf_sockopt", "level optname optlen", "sockopt", ("optlen", "level")),
    Kind("cgroup/sysctl", "struct bpf_sysctl", "write file_pos", "sysctl", ("file_pos",)),
    Kind("cgroup/dev", "struct bpf_cgroup_dev_ctx", "access_type major minor", ""),
    Kind("sockops", "struct bpf_sock_ops", "op family local_port remote_port snd_cwnd srtt_us state args[1] is_fullsock", "sockops",
         ("reply", "replylong[1]", "sk_txhash")),
    Kind("sk_skb/stream_parser", "struct __sk_buff", "len remote_port local_port family", "packet skb", (), "0"),
    Kind("sk_skb/stream_verdict", "struct __sk_buff", "len remote_ip4 priority", "packet skb", ("priority", "tc_index"), "1"),
    Kind("sk_msg", "struct sk_msg_md", "size family remote_ip4 local_port", "packet msg", ()),
    Kind("sk_lookup", "struct bpf_sk_lookup", "family protocol remote_port local_port remote_ip4 ingress_ifindex", "lookup", ()),
    Kind("sk_reuseport", "struct sk_reuseport_md", "len eth_protocol ip_protocol bind_inany hash", "packet reuseport", ()),
    Kind("flow_dissector", "struct __sk_buff", "", "packet dissect", (), "0"),
]


NO_CONTEXT = Kind("", "", "")
NO_CONTEXT.traits = frozenset()


class Program:
    """One program being written: text at the file's level in `top`, its own statements in `lines`."""

    def __init__(self, seed, number, version):
        self.rng = random.Random(f"{seed}/{number}")
        self.name = f"p{number}"
        self.version = version
        self.kind = self.rng.choice(KINDS)
        self.top, self.lines, self.depth, self.names = [], [], 1, 0
        self.scopes = [[("acc", "__u64")]]
        self.wrong = self.rng.random() < 0.5
        self.slips = 0
        self.budget = self.rng.choice([4, 7, 7, 10, 16])
        self.loops = 0
        self.without_context = NO_CONTEXT
        self.may_stop = self.chance(0.4)  # compilers take no jump of MAY_STOP beside the end of a COUNTED

    # -- chance

    def pick(self, *choices):
        return self.rng.choice(choices)

    def chance(self, probability):
        return self.rng.random() < probability

    def slip(self, probability=0.2):
        """Shall this place be wrong?"""
        if not self.wrong or not self.chance(probability):
            return False
        self.slips += 1
        return True

    def number(self):
        return self.pick(self.rng.randrange(16), self.rng.randrange(16), self.rng.randrange(256), self.rng.randrange(1 << 16),
                         self.rng.randrange(1 << 31), self.pick(7, 15, 31, 63, 127, 255, 4095, 65535, 0x7fffffff, 0x80000000))

    def fresh(self, prefix="v"):
        self.names += 1
        return f"{prefix}{self.names}"

    # -- text

    def say(self, line):
        self.lines.append("\t" * self.depth + line)

    @contextlib.contextmanager
    def block(self, head, tail=""):
        self.say((head + " {").lstrip())
        self.depth += 1
        self.scopes.append([])
        yield
        self.scopes.pop()
        self.depth -= 1
        self.say("}" + tail)

    def declare(self, kind, value, prefix="v"):
        name = self.fresh(prefix)
        self.say(f"{kind} {name} = {value};")
        self.scopes[-1].append((name, kind))
        return name

    def variables(self):
        return [variable for scope in self.scopes for variable in scope]

    def variable(self):
        return self.rng.choice(self.variables())[0]

    def use(self, expression):
        """What was computed must matter."""
        self.say(self.pick(f"acc += {expression};", f"acc ^= {expression};", f"totals[{self.rng.randrange(16)}] = {expression};",
                           f"acc = acc * 31 + {expression};"))

    # -- numbers

    def source(self):
        """A number that the compiler does not know."""
        kind = self.kind
        if kind.reads and self.chance(0.6):
            return f"ctx->{self.rng.choice(kind.reads)}"
        return self.pick("bpf_get_prandom_u32()", "bpf_ktime_get_ns()", "position", "size", "limit", "negative", "global_value.index",
                         f"totals[{self.rng.randrange(16)}]", f"marks[{self.rng.randrange(64)}]", f"table[{self.rng.randrange(8)}]",
                         f"codes[{self.rng.randrange(16)}]", "global_value.in.b", "(__s8)bpf_get_prandom_u32()", "bpf_get_smp_processor_id()")

    def expression(self, depth=2):
        if depth <= 0 or self.chance(0.25):
            return self.variable() if self.chance(0.75) else self.source() if self.chance(0.2) else str(self.number())
        a, b = self.expression(depth - 1), self.expression(depth - 1)
        kind = self.rng.choice(TYPES)
        word = self.rng.choice(WIDE)
        division = [f"((__u32){a} / (__u32)({b} | 1))", f"((__u64){a} / {self.pick(3, 7, 10, 1000)}ull)", f"((__u32){a} % {self.pick(3, 5, 10, 64)}u)",
                    f"((__u64){a} % (((__u32){b} & 15) + 1))"]
        if self.version == "v4":
            division += [f"((__s32){a} / ((__s32){b} | 1))", f"((__s64){a} % {self.pick(3, -5, 7)}ll)"]
        return self.pick(
            f"({a} + {b})", f"({a} - {b})", f"({a} & {b})", f"({a} | {b})", f"({a} ^ {b})", f"({word})({a} * {b})", f"(({kind}){a})",
            f"(({word}){a} << {self.rng.randrange(32)})", f"(({word}){a} >> {self.rng.randrange(32)})", f"(({word}){a} >> ({b} & 31))",
            f"(-({word}){a})", f"(~({word}){a})", f"({a} & {self.pick(1, 3, 7, 15, 31, 63, 255, 4095)})", f"({self.condition(depth - 1)} ? {a} : {b})",
            self.rng.choice(division), f"(({kind}){a} + ({kind}){b})")

    def condition(self, depth=1):
        a = self.expression(depth) if depth > 0 and self.chance(0.4) else self.variable()
        word = self.pick("", "", "(__u32)", "(__s32)", "(__s64)", "(__u8)", "(__u64)")
        other = str(self.number()) if self.chance(0.6) else self.variable()
        if self.chance(0.15):
            return f"({word}{a} & {self.pick(1, 2, 8, 0x80, 0xff00)})"
        if depth > 1 and self.chance(0.3):
            return f"({self.condition(depth - 1)} {self.pick('&&', '||')} {self.condition(depth - 1)})"
        return f"({word}{a} {self.pick('<', '<=', '>', '>=', '==', '!=')} {word}{other})"

    def index(self, count):
        """A statement's way to an index below count: (text of the condition or None, index). Perhaps too high."""
        kind = self.rng.choice(WIDE + ["__u16", "__u8", "__s16"])
        name = self.declare(kind, self.expression(1), "i")
        if self.chance(0.2):
            self.say(f"HIDE({name});")
        below = count
        if self.slip(0.35):
            below = self.pick(count + 1, count + 1, count * 2, None)
        if below is None:
            return None, name
        way = self.rng.randrange(9)
        if way == 0:
            mask = 1 << (below.bit_length() - 1)
            return None, f"({name} & {mask - 1 if mask <= below else 0})"
        if way == 1:
            self.say(f"if ({name} {self.pick('>=', '>=', '>') if below > count else '>='} {below})")
            self.say(f"\t{name} = {self.rng.randrange(count)};")
            return (None if kind.startswith("__u") or self.slip() else f"({name} >= 0)"), name
        if way == 2 and kind.startswith("__u"):
            return None, f"({name} % {below}u)"
        if way == 3 and kind.startswith("__s"):
            return (f"({name} >= 0 && {name} < {below})" if not self.slip() else f"({name} < {below})"), name
        if way == 4:
            copy = self.declare("__u64", name, "c")
            return f"({copy} < {below})", copy if self.chance(0.8) else name
        if way == 5:
            return f"((__u32){name} < {below})", self.pick(name, f"(__u32){name}")
        if way == 6 and kind.startswith("__u"):
            self.say(f"{name} = {name} > {below - 1} ? {below - 1} : {name};")
            if self.chance(0.5):
                self.say(f"HIDE({name});")
            return None, name
        if way == 7:
            low = self.rng.randrange(1, 4)
            return f"((__u64){name} >= {low} && (__u64){name} < {below + low})", f"({name} - {low})"
        return f"((__u64){name} < {below})", name

    def within(self, count):
        """A context in which the index it gives is below count."""
        condition, name = self.index(count)
        return self.maybe(condition), name

    def maybe(self, condition):
        return self.block(f"if {condition}") if condition else self.block("")

    # -- statements

    def statements(self, count):
        for _ in range(count):
            if self.budget <= 0:
                return
            self.budget -= 1
            self.statement()

    def statement(self):
        plain = [self.assign, self.assign, self.branch, self.loop, self.switch, self.hide, self.new_number]
        if self.chance(0.55):
            self.rng.choice(scenes_for(self.kind.traits))(self)
        else:
            self.rng.choice(plain)()

    def inside(self):
        self.statements(self.rng.randrange(1, 3))
        if self.chance(0.5):
            self.use(self.expression(1))

    def assign(self):
        name = self.variable()
        if name.startswith("n"):
            return  # counts a loop
        self.say(f"{name} {self.pick('=', '+=', '-=', '^=', '|=', '&=')} {self.expression(2)};")

    def new_number(self):
        self.declare(self.rng.choice(TYPES), self.pick(self.expression(2), self.source()))

    def hide(self):
        name, kind = self.rng.choice(self.variables())
        if not name.startswith("n") and (kind in ("__u64", "__s64") or (self.version in ("v3", "v4") and kind in WIDE)):
            self.say(f"HIDE({name});")

    def branch(self):
        with self.block(f"if {self.condition(2)}"):
            self.inside()
            if self.loops and self.chance(0.15):
                self.say(self.pick("break;", "continue;"))
        if self.chance(0.4):
            with self.block("else"):
                self.inside()

    def loop(self):
        if self.loops >= 2:
            return
        count = self.fresh("n")
        steps = self.pick(2, 3, 5, 8, 16, 24) if not self.loops else self.pick(2, 3)
        how = self.pick(0, 0, 1, 1, 2, 3, *((6, 7) if self.may_stop else (4, 5)))
        kind = self.pick("int", "__u32", "__u64", "__u16")
        end = str(steps)
        if how == 1:
            bound = self.fresh("b")
            self.say(f"__u32 {bound} = {self.expression(1)};")
            if not self.slip():
                self.say(self.pick(f"if ({bound} > {steps}) {bound} = {steps};", f"{bound} &= {steps - 1};"))
            end = bound
        head = f"for ({kind} {count} = {self.pick(0, 0, 1)}; {count} < {end}; {count}{self.pick('++', '++', ' += 2', ' += 3')})"
        if how == 2:
            head = f"for (int {count} = {steps}; {count} > 0; {count}--)"
        if how == 3:
            head = f"for (__u64 {count} = 1; {count} < {1 << min(steps, 20)}; {count} <<= 1)"
        if how in (4, 5):
            self.say(f"int {count} = 0;")
            high = str(steps) if self.chance(0.6) else f"({self.variable()} & {self.pick(7, 63, 1023)})"
            head = f"COUNTED({count}, {self.pick(0, 0, 1)}, {high})"
        if how < 4:
            self.say(self.pick("#pragma clang loop unroll(disable)", "#pragma clang loop unroll(disable)", "#pragma clang loop unroll(full)"
                               if end.isdigit() and steps <= 8 and how in (0, 2) else "#pragma clang loop unroll(disable)"))
        stop = self.fresh("stop") if how >= 6 else None
        if how == 6:
            self.say(f"{kind} {count} = 0;")
            head = f"for (;; {count}++)"
        with self.block(head):
            self.loops += 1
            self.scopes[-1].append((count, "__u32"))
            if stop and not self.slip(0.15):
                self.say(f"MAY_STOP({stop});")
            self.inside()
            if how == 6:
                self.say(f"if {self.condition(1)}")
                self.say("\tbreak;")
            self.loops -= 1
        if stop:
            self.say(f"{stop}:;")

    def switch(self):
        cases = self.pick(3, 4, 6, 9)
        with self.block(f"switch ({self.variable()}{self.pick('', ' & 7', ' & 15', ' >> 3')})"):
            for value in self.rng.sample(range(16), cases):
                with self.block(f"case {value}:"):
                    self.say(f"acc += {self.expression(1)};")
                    if self.chance(0.2):
                        self.statements(1)
                if self.chance(0.7):
                    self.say("break;" if not self.loops or self.chance(0.8) else "continue;")
            if self.chance(0.5):
                self.say(f"default: acc ^= {self.number()};")

    # -- the whole

    def text(self):
        kind = self.kind
        body_first = len(self.lines)
        self.say("__u64 acc = 0;")
        for _ in range(self.rng.randrange(1, 4)):
            self.declare(self.rng.choice(TYPES), self.source())
        if kind.writes and self.chance(0.3):
            self.say(f"ctx->{self.rng.choice(kind.writes)} = {self.expression(1)};")
        if kind.reads and self.slip(0.05):
            self.say(f"ctx->{self.rng.choice(kind.reads)} = 1;")
        while self.budget > 0:
            self.statements(1)
        self.say("totals[0] = acc;")
        if self.chance(0.3):
            self.say(f"return {kind.returns};")
        else:
            self.say("return acc & 1;" if not self.slip(0.1) else "return acc;")
        head = [f'SEC("{kind.section}")', f"int {self.name}({kind.context} *ctx)", "{"]
        return "\n".join(self.top + head + self.lines[body_first:] + ["}", ""])


def program(seed, number, version):
    return Program(seed, number, version).text()
