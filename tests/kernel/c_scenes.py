# SPDX-License-Identifier: BSD-2-Clause
"""Scenes of c_programs.py: what programs do with maps, the stack, packets, functions and helpers. Each writes statements
into a program; where `slip()` says so, a check is missing or wrong, something is not released, or a size is too large."""
import contextlib
import functools

SCENES = []  # (traits of which the kind needs one, weight, scene)


def scene(traits="", weight=2):
    def keep(function):
        SCENES.append((set(traits.split()), weight, function))
        return function
    return keep


@functools.lru_cache(maxsize=None)
def scenes_for(traits):
    return [function for wanted, weight, function in SCENES if not wanted or wanted & traits for _ in range(weight)]


@contextlib.contextmanager
def function(p, head, scope, kind=None):
    """The body of another function of the file, before the program; kind: of the context that it has."""
    keep = p.lines, p.depth, p.scopes, p.loops, p.kind, p.may_stop
    p.may_stop = p.chance(0.4)
    p.lines, p.depth, p.scopes, p.loops = [], 1, [[("acc", "__u64"), *scope]], 0
    p.kind = kind or p.without_context
    p.say("__u64 acc = 0;")
    yield
    text = [head, "{", *p.lines, "}", ""]
    p.lines, p.depth, p.scopes, p.loops, p.kind, p.may_stop = keep
    p.top += text


def lookup(p, name, kind, key=None, prefix="e"):
    """A pointer to a map's value; (name, what has to be true)."""
    index = p.fresh("k")
    p.say(f"__u32 {index} = {key or p.pick(0, 1, 3, p.variable(), p.variable() + ' & 3')};")
    element = p.fresh(prefix)
    p.say(f"{kind} *{element} = bpf_map_lookup_elem(&{name}, &{index});")
    return element


def seen(p, pointer):
    """The block in which a pointer is not null; now and then without the look."""
    return p.block("") if p.slip(0.12) else p.block(f"if ({pointer})")


# -- maps

@scene(weight=4)
def map_field(p):
    element = lookup(p, p.pick("array", "hash", "array"), "struct value")
    with seen(p, element):
        fields = ["count", "words[2]", "bytes[3]", "index", "in.a", "in.b", "in.c", "halves[4]"]
        for _ in range(p.rng.randrange(1, 4)):
            field = f"{element}->{p.rng.choice(fields)}"
            p.say(p.pick(f"{field} = {p.expression(1)};", f"{field} += {p.expression(1)};", f"acc ^= {field};",
                         f"{field}++;"))
        if p.chance(0.4):
            p.declare(p.pick("__u32", "__u64", "__s32"), f"{element}->{p.rng.choice(fields)}")
            p.inside()


@scene(weight=6)
def map_index(p):
    name, kind, member, count = p.pick(("array", "struct value", "words", 8), ("hash", "struct value", "bytes", 24), ("array", "struct value", "halves", 5),
                                       ("bigs", "struct big", "data", 256), ("percpu", "struct big", "slots", 16), ("percpu", "struct big", "data", 256))
    element = lookup(p, name, kind)
    with seen(p, element):
        block, index = p.within(count)
        with block:
            place = f"{element}->{member}[{index}]"
            p.say(p.pick(f"{place} = {p.expression(1)};", f"acc += {place};", f"{place} ^= acc;", f"{place}++;"))
            if p.chance(0.3):
                p.say(f"acc += {element}->{member}[(__u32){index} / 2];")
            if p.chance(0.2):
                p.inside()


@scene(weight=3)
def pointer_walk(p):
    element = lookup(p, "bigs", "struct big")
    with seen(p, element):
        at, end = p.fresh("at"), p.fresh("end")
        p.say(f"__u8 *{at} = {element}->data, *{end} = {element}->data + {256 + p.slip() * 24};")
        width, word = p.pick((1, "__u8"), (2, "__u16"), (4, "__u32"), (8, "__u64"))
        p.say(f"__u32 left{at} = {p.expression(1)} & {p.pick(31, 63)};")
        p.say("#pragma clang loop unroll(disable)")
        with p.block(f"for (int n = 0; n < {p.pick(4, 8, 16)} && {at} + {width if not p.slip() else width - 1} <= {end}; n++)"):
            p.say(f"acc += *({word} *){at};")
            p.say(f"{at} += {p.pick(width, f'left{at}', f'(left{at} & 7) + 1', f'*{at} & 15')};")


@scene(weight=2)
def map_change(p):
    key, value = p.fresh("k"), p.fresh("w")
    if p.chance(0.5):
        p.say(f"struct odd_key {key};" if p.chance(0.3) else f"struct odd_key {key} = {{}};")
        p.say(f"__builtin_memset(&{key}, 0, sizeof({key}));" if p.chance(0.4) else f"{key}.a = 1;")
        p.say(f"{key}.b = {p.expression(1)};")
        p.say(f"{key}.c = {p.expression(1)};")
        p.say(f"{key}.d[{p.rng.randrange(3)}] = acc;")
        p.say(f"__u64 {value} = {p.expression(1)};")
        p.say(f"bpf_map_update_elem(&lru, &{key}, &{value}, {p.pick('BPF_ANY', 'BPF_NOEXIST')});")
    else:
        p.say(f"__u32 {key} = {p.expression(1)};")
        p.say(f"struct value {value}{p.pick(' = {}', ' = {.count = 1}', ' = global_value', '')};")
        p.say(f"{value}.{p.pick('count', 'index', 'in.b', 'words[3]')} = {p.expression(1)};")
        p.say(f"acc += bpf_map_update_elem(&{p.pick('hash', 'array', 'hash')}, &{key}, &{value}, BPF_ANY);")
        if p.chance(0.3):
            p.say(f"bpf_map_delete_elem(&hash, &{key});")


@scene()
def map_in_map(p):
    key = p.fresh("k")
    p.say(f"__u32 {key} = {p.variable()} & 3;")
    p.say(f"void *m{key} = bpf_map_lookup_elem(&outer, &{key});")
    with seen(p, f"m{key}"):
        p.say(f"struct value *v{key} = bpf_map_lookup_elem(m{key}, &{key});")
        with seen(p, f"v{key}"):
            p.say(f"v{key}->count += {p.expression(1)};")
            p.say(f"acc += v{key}->words[{p.pick(0, 7)}];")


@scene()
def queue(p):
    value = p.fresh("q")
    p.say(f"__u64 {value}{p.pick('', ' = acc')};")
    p.say(p.pick(f"bpf_map_push_elem(&queue, &{value}, 0);", f"if (!bpf_map_pop_elem(&queue, &{value})) acc += {value};", f"bpf_map_peek_elem(&queue, &{value});"))


@scene(weight=3)
def global_data(p):
    name, count = p.pick(("totals", 16), ("marks", 64), ("table", 8), ("codes", 16), ("text", 32), ("global_value.bytes", 24))
    block, index = p.within(count)
    with block:
        constant = name in ("table", "codes")
        if constant and p.slip(0.1):
            p.say(f"*(__u8 *)&{name}[{index}] = 1;")
        elif constant or p.chance(0.5):
            p.say(f"acc += {name}[{index}];")
        else:
            p.say(f"{name}[{index}] {p.pick('=', '+=', '^=')} {p.expression(1)};")
    if p.chance(0.4):
        with p.block(f"if ({p.pick('flag_on', 'flag_off', 'limit > 10', 'negative < 0', 'table[2] == 9', 'codes[5] & 1')})"):
            p.inside()


@scene()
def const_chain(p):
    block, index = p.within(8)
    with block:
        p.say(f"__u32 {p.fresh('t')} = table[{index}] & 63;")
        last = f"t{p.names}"
        p.say(f"marks[{last}] = codes[{last} & 15];" if not p.slip() else f"marks[{last} + table[1]] = 1;")


# -- the stack

@scene(weight=4)
def stack_array(p):
    word, width = p.pick(("__u8", 1), ("__u8", 1), ("__u16", 2), ("__u32", 4), ("__u64", 8))
    count = p.pick(8, 13, 16, 21, 32)
    if count * width > 64:
        count = 64 // width
    name = p.fresh("s")
    p.say(f"{word} {name}[{count}]{p.pick(' = {}', ' = {1, 2, 3}', '')};")
    if p.chance(0.3):
        p.say(f"__builtin_memset({name}, {p.rng.randrange(4)}, {p.pick(count * width, max(1, count * width - 3))});")
    for _ in range(p.rng.randrange(1, 3)):
        block, index = p.within(count)
        with block:
            p.say(p.pick(f"{name}[{index}] = {p.expression(1)};", f"acc += {name}[{index}];", f"{name}[{index}] ^= 5;"))
    p.use(f"{name}[{p.rng.randrange(count)}]")


@scene(weight=2)
def copies(p):
    a, b = p.fresh("s"), p.fresh("s")
    kind = p.pick("struct small", "struct packed_in", "struct odd_key", "struct value", "struct bits")
    source = "global_value" if kind == "struct value" else None
    p.say(f"{kind} {a}{p.pick(' = {}', '') if not source else ' = ' + source};")
    length = p.pick(f"sizeof({kind})", 3, 5, 7, f"sizeof({kind}) - 1")
    p.say(f"{kind} {b};")
    p.say(f"__builtin_memcpy(&{b}, {p.pick('&' + a, 'text', 'totals')}, {length});")
    p.say(f"HIDE(acc);")
    p.say(f"if ({p.condition(1)}) {b} = {a};")
    p.use(f"((__u8 *)&{b})[{p.rng.randrange(6)}]")
    if p.chance(0.4):
        p.say(f"__builtin_memcpy(marks + {p.rng.randrange(16)}, &{b}, {p.pick(2, 3, 5, 6)});")


@scene(weight=2)
def bit_fields(p):
    name = p.fresh("s")
    where = p.pick("global_value", "stack", "map")
    if where == "stack":
        p.say(f"struct bits {name}s{p.pick(' = {}', '')}, *{name} = &{name}s;")
    elif where == "global_value":
        p.say(f"struct bits *{name} = (struct bits *)&global_value;")
    else:
        element = lookup(p, "array", "struct value")
        p.say(f"struct bits *{name} = (struct bits *){element};")
        if not p.slip():
            p.say(f"if (!{name})")
            p.say("\treturn 0;")
    for _ in range(p.rng.randrange(1, 4)):
        field = p.pick("low", "mid", "high", "top", "sign", "rest", "wide", "narrow")
        p.say(p.pick(f"{name}->{field} = {p.expression(1)};", f"acc += {name}->{field};", f"{name}->{field}++;"))
    if where == "stack":
        p.use(f"{name}->{p.pick('low', 'mid', 'wide')}")
    member = p.pick("low", "mid")
    if p.chance(0.5):
        p.say(f"{'totals' if member == 'low' and not p.slip() else 'marks'}[{name}->{member}] += 1;")


@scene()
def pointer_in_slot(p):
    """Pointers that are spilled, and chosen between."""
    element = lookup(p, "array", "struct value")
    other = lookup(p, p.pick("array", "hash", "longs"), "struct value")
    name = p.fresh("x")
    p.say(f"struct value *volatile {name} = {p.condition(1)} ? {element} : {other};")
    p.say(f"struct value *{name}r = {name};")
    with seen(p, f"{name}r"):
        p.say(f"acc += {name}r->{p.pick('count', 'count', 'index', 'words[1]')};")
    p.say(f"acc += bpf_get_prandom_u32();")


# -- functions

@scene(weight=4)
def static_call(p):
    name = f"{p.name}_{p.fresh('f')}"
    count = p.rng.randrange(1, 6)
    kinds = [p.pick("__u32", "__u64", "__s32", "int", "__u8", "struct value *", "char *") for _ in range(count)]
    names = [f"a{i}" for i in range(count)]
    head = f"NOINLINE {p.pick('int', '__u64', '__u32', '__u8')} {name}({', '.join(f'{k} {n}' for k, n in zip(kinds, names))})"
    with function(p, head, [(n, k) for k, n in zip(kinds, names) if "*" not in k]):
        for kind, arg in zip(kinds, names):
            if kind == "struct value *":
                if not p.slip(0.15):
                    p.say(f"if (!{arg})")
                    p.say("\treturn 1;")
                p.say(p.pick(f"acc += {arg}->count;", f"{arg}->words[1] += acc;", f"{arg}->in.b = 3;"))
            elif kind == "char *":
                p.say(p.pick(f"acc += {arg}[3];", f"{arg}[{p.pick(0, 7, 8 if p.slip() else 5)}] = acc;"))
        p.statements(p.rng.randrange(1, 4))
        p.say(f"return {p.pick('acc', 'acc & 15', 'acc % 7', p.variable())};")
    buffer = p.fresh("s")
    arguments = []
    for kind in kinds:
        if kind == "struct value *":
            arguments.append(p.pick("&global_value", lookup(p, p.pick("array", "hash"), "struct value")))
        elif kind == "char *":
            p.say(f"char {buffer}[8]{p.pick(' = {}', '')};" if buffer not in arguments else "")
            arguments.append(buffer)
        else:
            arguments.append(p.expression(1))
    result = p.declare(p.pick("__u32", "__u64", "int"), f"{name}({', '.join(arguments)})")
    if p.chance(0.4):
        p.say(f"{p.pick('totals', 'totals', 'marks')}[{result} & 15] += 1;")
    if buffer in arguments:
        p.use(f"{buffer}[3]")


@scene(weight=4)
def global_call(p):
    name = f"{p.name}_{p.fresh('g')}"
    takes = ["value", "bytes", "number", "sum", "task", "dynptr"] + ["ctx"] * ("context" in p.kind.traits)
    takes = p.rng.sample(takes, p.rng.randrange(1, 4))
    kinds = {"ctx": f"{p.kind.context} *ctx", "value": "struct value *v" + p.pick("", " ARG_TAG(\"nonnull\")"), "bytes": "struct small *s",
             "number": "__u32 n0", "sum": "__s64 n1", "task": "struct task_struct *t " + p.pick('ARG_TAG("trusted")', 'ARG_TAG("trusted") ARG_TAG("nullable")'),
             "dynptr": "const struct bpf_dynptr *d"}
    if p.kind.section == "syscall" or "*" in p.kind.context or p.kind.context in ("__u64", "unsigned int", "struct bpf_raw_tracepoint_args", "struct sys_enter"):
        kinds["ctx"] = "void *ctx ARG_TAG(\"ctx\")"
    scope = [(kinds[t].split()[1], kinds[t].split()[0]) for t in takes if t in ("number", "sum")]
    kind = p.kind if "ctx" in takes and "void" not in kinds["ctx"] else None
    with function(p, f"GLOBAL {p.pick('int', '__u64')} {name}({', '.join(kinds[t] for t in takes)})", scope, kind):
        for take in takes:
            if take == "value":
                if "nonnull" not in kinds[take] and not p.slip():
                    p.say("if (!v)")
                    p.say("\treturn 0;")
                p.say(p.pick("acc += v->count;", "v->index = acc;", "acc ^= v->words[7];"))
            elif take == "bytes":
                if not p.slip():
                    p.say("if (!s)")
                    p.say("\treturn 0;")
                p.say(p.pick("acc += s->a;", "s->b = 7;", "s->c++;", "acc += *(__u64 *)s;"))
            elif take == "task":
                if "nullable" in kinds[take] and not p.slip():
                    p.say("if (!t)")
                    p.say("\treturn 0;")
                p.say(p.pick("acc += t->pid;", "acc += t->prio + t->tgid;", "acc += t->real_parent->pid;"))
            elif take == "dynptr":
                p.say("acc += bpf_dynptr_size(d);")
        p.statements(p.rng.randrange(1, 4))
        p.say(f"return {p.pick('acc', 'acc & 31', p.variable())};")
    arguments = []
    for take in takes:
        if take == "ctx":
            arguments.append("ctx")
        elif take == "value":
            arguments.append(p.pick("&global_value", "&global_value", lookup(p, "array", "struct value")))
        elif take == "bytes":
            small = p.fresh("s")
            p.say(f"struct small {small} = {{}};")
            arguments.append(p.pick(f"&{small}", f"&{small}", "&global_value.in", "(void *)0"))
        elif take == "task":
            p.say(f"struct task_struct *t{name} = {p.pick('bpf_get_current_task_btf()', 'bpf_get_current_task_btf()', '(void *)bpf_get_current_task()')};")
            arguments.append(f"t{name}")
        elif take == "dynptr":
            p.say(f"struct bpf_dynptr d{name};")
            p.say(f"bpf_dynptr_from_mem(totals, {p.pick(8, 64, 128, 136 if p.slip() else 32)}, 0, &d{name});")
            arguments.append(f"&d{name}")
        else:
            arguments.append(p.expression(1))
    result = p.declare("__u32", f"{name}({', '.join(arguments)})")
    if p.chance(0.4):
        p.say(f"marks[{result}{'' if p.slip() else ' & 63'}] = 1;")


@scene(weight=3)
def bpf_loop(p):
    name = f"{p.name}_{p.fresh('l')}"
    with function(p, f"NOINLINE int {name}(__u32 n, void *data)", [("n", "__u32")]):
        p.scopes[-1] = [("acc", "__u64"), ("a0", "__u32")]
        p.say("__u32 a0 = n;")
        p.say("struct small *s = data;")
        for _ in range(p.rng.randrange(1, 3)):
            p.say(p.pick("s->a += n;", "s->b++;", "acc += s->c;", f"s->a = {p.expression(1)};", "if (s->a > 100) s->a = 0;"))
        p.statements(p.rng.randrange(0, 3))
        if p.chance(0.4):
            p.say(f"marks[{p.pick('s->a', 'n')}{'' if p.slip() else ' & 63'}] += 1;")
        p.say(f"return {p.pick('0', '0', 'n > 5', 's->c == 3', 'acc & 1', 'acc' if p.slip() else '0')};")
    small = p.fresh("s")
    p.say(f"struct small {small} = {{ .a = {p.pick(0, 1, p.variable())} }};")
    p.say(f"acc += bpf_loop({p.pick(4, 10, 100, 1 << 20, p.variable(), p.variable())}, {name}, &{small}, 0);")
    p.use(f"{small}.a")
    if p.chance(0.5):
        p.say(f"totals[{small}.a{'' if p.slip(0.3) else ' & 15'}] = 1;")


@scene(weight=2)
def each_element(p):
    name = f"{p.name}_{p.fresh('e')}"
    which, kind = p.pick(("array", "struct value"), ("hash", "struct value"), ("bigs", "struct big"), ("percpu", "struct big"))
    with function(p, f"NOINLINE long {name}(void *map, __u32 *key, {kind} *v, __u64 *data)", []):
        p.say(p.pick("acc += *key;", "*data += *key;", "if (*key > 3) return 1;") if not p.slip(0.1) else "*key = 1;")
        p.say(p.pick("*data += v->count;", "v->count++;", "acc ^= v->words[3];") if kind == "struct value" else p.pick("*data += v->head;", "v->length++;"))
        p.statements(p.rng.randrange(0, 2))
        p.say("return 0;")
    data = p.fresh("w")
    p.say(f"__u64 {data} = 0;")
    p.say(f"bpf_for_each_map_elem(&{which}, {name}, &{data}, 0);")
    p.use(data)


@scene()
def timer(p):
    name = f"{p.name}_{p.fresh('t')}"
    with function(p, f"NOINLINE int {name}(void *map, int *key, struct timed *v)", []):
        p.say("v->count++;")
        if p.chance(0.4):
            p.say("bpf_timer_start(&v->timer, 1000, 0);")
        block, index = p.within(4)
        with block:
            p.say(f"v->words[{index}] += *key;")
        p.say("return 0;" if not p.slip(0.15) else "return acc + bpf_get_prandom_u32();")
    element = lookup(p, "timers", "struct timed")
    with seen(p, element):
        p.say(f"bpf_timer_init(&{element}->timer, {'&timers' if not p.slip() else '&array'}, 1);")
        p.say(f"bpf_timer_set_callback(&{element}->timer, {name});")
        p.say(f"bpf_timer_start(&{element}->timer, {p.variable()}, {p.pick(0, 0, 1)});")
        if p.chance(0.3):
            p.say(f"bpf_timer_cancel(&{element}->timer);")


@scene()
def exception(p):
    with p.block(f"if {p.condition(1)}"):
        p.say(f"bpf_throw({p.pick(0, 1, p.variable())});")


@scene("context")
def tail_call(p):
    p.say(f"bpf_tail_call(ctx, &{'calls' if not p.slip() else 'array'}, {p.pick(0, 3, p.variable())});")


# -- iterators, locks, references

@scene(weight=2)
def iterator_by_hand(p):
    it, at = p.fresh("it"), p.fresh("at")
    p.say(f"struct numbers {it};")
    p.say(f"int *{at};")
    p.say(f"bpf_iter_num_new(&{it}, 0, {p.pick(10, 100, p.variable())});")
    lost = p.slip(0.3)
    p.scopes.append([])
    with p.block(f"while (({at} = bpf_iter_num_next(&{it})))"):
        name = p.declare("int", f"*{at}")
        if p.chance(0.5):
            p.say(f"if ({name} < 16{'' if p.chance(0.5) else f' && {name} >= 0'})")
            p.say(f"\ttotals[{name}{p.pick('', ' & 15')}] += 1;")
        p.say(f"if {p.condition(1)}")
        p.say("\tbreak;" if not lost or p.chance(0.5) else "\treturn 1;")
        p.loops += 1
        p.inside()
        p.loops -= 1
    p.scopes.pop()
    if not lost or p.chance(0.3):
        p.say(f"bpf_iter_num_destroy(&{it});")
    if p.slip(0.05):
        p.say(f"bpf_iter_num_next(&{it});")


@scene(weight=2)
def spin_lock(p):
    element = lookup(p, "locks", "struct locked")
    with seen(p, element):
        p.say(f"bpf_spin_lock(&{element}->lock);")
        p.say(f"{element}->count += {p.pick(1, p.variable())};")
        if p.chance(0.4):
            p.say(f"{element}->bytes[{p.rng.randrange(16)}] = 1;")
        if p.chance(0.3):
            with p.block(f"if ({element}->word > 5)"):
                p.say(f"{element}->word = 0;")
                if p.slip():
                    p.say("return 0;")
        if p.slip(0.15):
            p.say("acc += bpf_get_prandom_u32();" if p.chance(0.5) else f"*(__u64 *)&{element}->lock = 0;")
        if not p.slip(0.2):
            p.say(f"bpf_spin_unlock(&{element}->lock);")


@scene()
def sections(p):
    enter, leave = p.pick(("bpf_rcu_read_lock", "bpf_rcu_read_unlock"), ("bpf_preempt_disable", "bpf_preempt_enable"))
    p.say(f"{enter}();")
    task = p.fresh("t")
    if "rcu" in enter:
        p.say(f"struct task_struct *{task} = bpf_get_current_task_btf();")
        p.say(f"acc += {task}->{p.pick('pid', 'real_parent->pid', 'group_leader->tgid', 'prio')};")
        if p.chance(0.4):
            p.say(f"struct task_struct *{task}p = {task}->real_parent;")
            p.say(f"{p.pick('', f'if ({task}p) ')}acc += {task}p->tgid;")
    p.use(p.expression(1))
    if p.chance(0.3):
        with p.block(f"if {p.condition(1)}"):
            p.say(f"{leave}();" if not p.slip() else ";")
            p.say("return 0;")
    if not p.slip(0.25):
        p.say(f"{leave}();")


@scene(weight=3)
def record(p):
    length = p.pick(8, 16, 24, 40, 64)
    name = p.fresh("r")
    p.say(f"__u64 *{name} = bpf_ringbuf_reserve(&ring, {length}, 0);")
    with seen(p, name):
        p.say(f"{name}[{p.rng.randrange(length // 8) + (length // 8 if p.slip(0.1) else 0)}] = {p.expression(1)};")
        if p.chance(0.4):
            block, index = p.within(length)
            with block:
                p.say(f"((__u8 *){name})[{index}] = 1;")
        if p.chance(0.3):
            with p.block(f"if {p.condition(1)}"):
                if not p.slip():
                    p.say(f"bpf_ringbuf_discard({name}, 0);")
                p.say("return 0;")
        if not p.slip(0.2):
            p.say(f"bpf_ringbuf_{p.pick('submit', 'submit', 'discard')}({name}, 0);")
        if p.slip(0.1):
            p.say(f"{name}[0] = 1;")


@scene("context")
def output(p):
    name = p.fresh("s")
    p.say(f"struct value {name} = {{}};")
    p.say(f"{name}.count = {p.expression(1)};")
    length = p.declare("__u32", p.expression(1), "i")
    if not p.slip():
        p.say(f"if ({length} > sizeof({name}))")
        p.say(f"\t{length} = sizeof({name});")
    size = p.pick(f"sizeof({name})", length)
    p.say(f"bpf_ringbuf_output(&ring, &{name}, {size}, 0);" if p.chance(0.4) else f"bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &{name}, {size});")


@scene(weight=2)
def dynptr_memory(p):
    name, length = p.fresh("d"), p.pick(16, 32, 64)
    source = p.pick("ring", "data")
    p.say(f"struct bpf_dynptr {name};")
    if source == "ring":
        p.say(f"bpf_ringbuf_reserve_dynptr(&ring, {p.pick(length, p.variable())}, 0, &{name});")
    else:
        p.say(f"bpf_dynptr_from_mem(marks, {length}, 0, &{name});")
    at = p.fresh("at")
    p.say(f"__u64 *{at} = bpf_dynptr_data(&{name}, {p.pick(0, 8)}, {p.pick(8, 16)});")
    with seen(p, at):
        p.say(f"{at}[{p.rng.randrange(1 + p.slip())}] = {p.expression(1)};")
    if p.chance(0.5):
        p.say(f"__u32 b{at}{p.pick(' = 0', '')};")
        p.say(f"acc += bpf_dynptr_{p.pick('read', 'read')}(&b{at}, 4, &{name}, {p.variable()}, 0) + b{at};" if p.chance(0.5)
              else f"bpf_dynptr_write(&{name}, {p.variable()}, &acc, {p.pick(4, 8)}, 0);")
    if p.chance(0.3):
        p.say(f"bpf_dynptr_adjust(&{name}, {p.variable()}, {p.pick(8, 16)});")
    if source == "ring" and not p.slip(0.25):
        p.say(f"bpf_ringbuf_{p.pick('submit', 'discard')}_dynptr(&{name}, 0);")
        if p.slip(0.1):
            p.say(f"{at}[0] = 1;")


@scene("task", 2)
@scene("trace net call", 2)
def task_reference(p):
    name = p.fresh("t")
    p.say(f"struct task_struct *{name} = {p.pick('bpf_task_from_pid(1)', 'bpf_task_acquire(bpf_get_current_task_btf())')};")
    with seen(p, name):
        p.say(f"acc += {name}->{p.pick('pid', 'tgid', 'flags', 'mm->start_code', 'real_parent->tgid')};")
        element = lookup(p, "holders", "struct holder") if p.chance(0.5) else None
        if element:
            p.say(f"if ({element}) {{")
            p.say(f"\t{name} = bpf_kptr_xchg(&{element}->task, {name});")
            p.say(f"\tif (!{name})" if not p.slip() else "\tif (0)")
            p.say("\t\treturn 0;")
            p.say("}")
        if not p.slip(0.2):
            p.say(f"bpf_task_release({name});")
        if p.slip(0.1):
            p.say(f"acc += {name}->pid;")


@scene("net call task", 2)
def own_object(p):
    name = p.fresh("o")
    p.say(f"struct thing *{name} = NEW(struct thing);")
    with seen(p, name):
        p.say(f"{name}->key = {p.expression(1)};")
        block, index = p.within(4)
        with block:
            p.say(f"{name}->data[{index}] += 1;")
        if p.chance(0.5):
            element = lookup(p, "holders", "struct holder")
            with p.block(f"if ({element})"):
                p.say(f"{name} = bpf_kptr_xchg(&{element}->thing, {name});")
                p.say(f"if (!{name})" if not p.slip() else "if (0)")
                p.say("\treturn 0;")
        if not p.slip(0.2):
            p.say(f"DROP({name});")


@scene()
def kernel_pointer_in_map(p):
    element = lookup(p, "holders", "struct holder")
    with seen(p, element):
        p.say(f"struct {p.pick('task_struct *t = ' + element + '->seen', 'thing *t = ' + element + '->thing', 'task_struct *t = ' + element + '->task')};")
        with seen(p, "t"):
            p.say("acc += *(__u32 *)t;" if p.chance(0.3) else "acc += (long)t & 1;")
        if p.slip(0.2):
            p.say(f"{element}->task = (void *)t;")


@scene(weight=3)
def atomics(p):
    where = p.pick("totals[3]", "global_value.count", "size")
    element = None
    if p.chance(0.5):
        element = lookup(p, "array", "struct value")
        p.say(f"if ({element})" if not p.slip(0.15) else "")
        where = f"{element}->{p.pick('count', 'words[3]', 'index', 'in.a')}"
    fetch = p.version in ("v3", "v4")
    ways = [f"__sync_fetch_and_add(&{where}, {p.variable()} | 1);"]
    if fetch:
        ways += [f"acc += __sync_fetch_and_add(&{where}, {p.variable()});", f"acc += __sync_fetch_and_{p.pick('or', 'and', 'xor')}(&{where}, {p.variable()});",
                 f"acc ^= __sync_lock_test_and_set(&{where}, {p.variable()});", f"acc += __sync_val_compare_and_swap(&{where}, {p.variable()}, 3);",
                 f"totals[__sync_fetch_and_add(&{where}, 1){'' if p.slip() else ' & 15'}] = 1;"]
    p.say("{ " + p.rng.choice(ways) + " }")


# -- the kernel's functions

def container(name, kind):
    return f"(struct {kind} *)((char *){name} - offsetof(struct {kind}, node))"


@scene("net call task", 2)
def list_of_items(p):
    name = p.fresh("o")
    p.say(f"struct item *{name} = NEW(struct item);")
    with seen(p, name):
        p.say(f"{name}->key = {p.expression(1)};")
        locked = not p.slip()
        if locked:
            p.say("bpf_spin_lock(&list_lock);")
        p.say(f"bpf_list_push_front_impl(&list, &{name}->node, (void *)0, {p.pick(0, 0, 0, 8 if p.slip() else 0)});")
        if locked:
            p.say("bpf_spin_unlock(&list_lock);")
        if p.slip(0.15):
            p.say(f"acc += {name}->key;" if p.chance(0.5) else f"DROP({name});")
    p.say("bpf_spin_lock(&list_lock);")
    p.say(f"struct bpf_list_node *n{name} = bpf_list_pop_front(&list);")
    if not p.slip(0.15):
        p.say("bpf_spin_unlock(&list_lock);")
    with seen(p, f"n{name}"):
        p.say(f"{name} = {container('n' + name, 'item')};")
        block, index = p.within(4)
        with block:
            p.say(f"acc += {name}->data[{index}];")
        if not p.slip():
            p.say(f"DROP({name});")


@scene("net call task", 2)
def tree_of_leaves(p):
    name = p.fresh("o")
    less = f"{p.name}_{p.fresh('b')}"
    p.top += [f"NOINLINE bool {less}(struct bpf_rb_node *a, const struct bpf_rb_node *b)", "{",
              f"\treturn ({container('a', 'leaf')})->key < ({container('b', 'leaf')})->key;", "}", ""]
    p.say(f"struct leaf *{name} = NEW(struct leaf);")
    p.say(f"if (!{name})")
    p.say("\treturn 0;")
    p.say(f"{name}->key = {p.expression(1)};")
    p.say("bpf_spin_lock(&tree_lock);")
    p.say(f"bpf_rbtree_add_impl(&tree, &{name}->node, {less}, (void *)0, 0);")
    p.say(f"struct bpf_rb_node *n{name} = bpf_rbtree_first(&tree);")
    if not p.slip(0.3):
        p.say(f"if (!n{name}) {{ bpf_spin_unlock(&tree_lock); return 0; }}")
    p.say(f"acc += ({container('n' + name, 'leaf')})->key;")
    if p.chance(0.6):
        p.say(f"n{name} = bpf_rbtree_remove(&tree, n{name});")
        p.say("bpf_spin_unlock(&tree_lock);")
        with seen(p, f"n{name}"):
            p.say(f"acc ^= ({container('n' + name, 'leaf')})->key;")
            if not p.slip():
                p.say(f"DROP({container('n' + name, 'leaf')});")
    elif not p.slip():
        p.say("bpf_spin_unlock(&tree_lock);")


@scene(weight=2)
def interrupts(p):
    flags = p.fresh("w")
    p.say(f"unsigned long {flags};")
    p.say(f"bpf_local_irq_save(&{flags});")
    p.use(p.expression(1))
    if p.slip():
        p.say("return 0;" if p.chance(0.5) else f"{flags} = 1;")
    if p.chance(0.3):
        p.say(f"unsigned long {flags}i;")
        p.say(f"bpf_local_irq_save(&{flags}i);")
        p.say(f"bpf_local_irq_restore(&{flags}{'' if p.slip() else 'i'});")
    if not p.slip():
        p.say(f"bpf_local_irq_restore(&{flags});")


@scene(weight=2)
def resilient_lock(p):
    element = lookup(p, "guards", "struct guarded")
    with seen(p, element):
        p.say(f"if (bpf_res_spin_lock(&{element}->lock))" if not p.slip() else f"if (!bpf_res_spin_lock(&{element}->lock))")
        p.say("\treturn 0;")
        p.say(f"{element}->count += {p.variable()};")
        block, index = p.within(4)
        with block:
            p.say(f"{element}->words[{index}]++;")
        if not p.slip():
            p.say(f"bpf_res_spin_unlock(&{element}->lock);")


@scene()
def work_queue(p):
    name = f"{p.name}_{p.fresh('w')}"
    with function(p, f"NOINLINE int {name}(void *map, int *key, void *value)", []):
        p.say("struct worked *v = value;")
        p.say(p.pick("v->count++;", "v->words[1] += *key;", "v->words[2] += 1;" if p.slip() else "acc += v->words[0];"))
        p.say("return 0;")
    element = lookup(p, "works", "struct worked")
    with seen(p, element):
        # A map without any such field is nothing to try out: 6.18 falls over it.
        p.say(f"bpf_wq_init(&{element}->work, {'&works' if not p.slip() else '&locks'}, 0);")
        p.say(f"bpf_wq_set_callback_impl(&{element}->work, {name}, 0, (void *)0);")
        p.say(f"bpf_wq_start(&{element}->work, 0);")


@scene("task call", 3)
@scene("trace", 1)
def all_tasks(p):
    it, task = p.fresh("it"), p.fresh("t")
    guarded = not p.slip()
    if guarded:
        p.say("bpf_rcu_read_lock();")
    p.say(f"struct tasks {it};")
    p.say(f"struct task_struct *{task};")
    p.say(f"bpf_iter_task_new(&{it}, (void *)0, {p.pick(0, 1, 2)});")
    with p.block(f"while (({task} = bpf_iter_task_next(&{it})))"):
        p.say(f"acc += {task}->{p.pick('pid', 'tgid', 'group_leader->pid', 'real_parent->prio')};")
        p.say(f"if ({task}->pid == {p.number()})")
        p.say("\tbreak;" if not p.slip(0.15) else "\treturn 0;")
    p.say(f"bpf_iter_task_destroy(&{it});")
    if guarded:
        p.say("bpf_rcu_read_unlock();")


@scene("task call", 2)
def mask_of_cpus(p):
    name = p.fresh("m")
    p.say(f"struct bpf_cpumask *{name} = bpf_cpumask_create();")
    with seen(p, name):
        p.say(f"bpf_cpumask_set_cpu({p.variable()}, {name});")
        if not p.slip():
            p.say(f"bpf_cpumask_release({name});")


@scene("net", 2)
def routes(p):
    name = p.fresh("s")
    p.say(f"struct bpf_fib_lookup {name}{p.pick(' = {}', '')};")
    p.say(f"{name}.family = {p.pick(2, 10)};")
    p.say(f"{name}.ipv4_dst = {p.variable()};")
    p.say(f"acc += bpf_fib_lookup(ctx, &{name}, {p.pick(f'sizeof({name})', f'sizeof({name})', 128 if p.slip() else 64)}, 0);")
    p.use(f"{name}.{p.pick('dmac[2]', 'ifindex', 'rt_metric')}")
    p.say(p.pick(f"acc += bpf_redirect({p.variable()}, 0);", f"acc += bpf_redirect_map({'&devices' if not p.slip() else '&array'}, {p.variable()}, 0);"))


@scene("reuseport", 3)
def listener(p):
    key = p.fresh("k")
    p.say(f"__u32 {key} = {p.expression(1)};")
    p.say(f"acc += bpf_sk_select_reuseport(ctx, {p.pick('&listeners', '&listeners', '&sockets', '&array')}, {'&' + key if not p.slip() else '(void *)0'}, 0);")


@scene("msg", 3)
def message(p):
    key = p.fresh("k")
    p.say(f"__u32 {key} = {p.variable()};")
    p.say(p.pick(f"acc += bpf_msg_apply_bytes(ctx, {key});", f"acc += bpf_msg_push_data(ctx, {key}, 8, 0);", f"acc += bpf_msg_pull_data(ctx, 0, {key}, 0);",
                 f"acc += bpf_msg_redirect_hash(ctx, &{'sockets' if not p.slip() else 'hash'}, &{key}, 0);"))
    data, end = ends(p)
    bounds(p, data, end, 4)
    p.say(p.pick(f"acc += *(__u32 *){data};", f"*(__u8 *){data} = 1;"))


# -- helpers with sizes and strings

@scene(weight=3)
def sized_helper(p):
    count = p.pick(16, 24, 32, 64)
    name = p.fresh("s")
    p.say(f"char {name}[{count}]{p.pick(' = {}', '')};")
    length = p.declare(p.pick("__u32", "__u64", "__s32", "__s64", "int"), p.expression(1), "i")
    how = p.rng.randrange(6)
    limit = count + (p.pick(1, 8) if p.slip(0.3) else 0)
    low = p.pick(0, 1, 1)
    if how == 0:
        p.say(f"{length} &= {limit - 1};")
    elif how == 1:
        p.say(f"if ({length} > {limit}) {length} = {limit};")
    elif how == 2:
        p.say(f"if ({length} < {low} || {length} > {limit})")
        p.say("\treturn 0;")
    elif how == 3:
        p.say(f"{length} = {length} < {limit} ? {length} : {limit};")
    elif how == 4:
        length = str(limit)
    source = p.pick("(void *)acc", "(void *)bpf_get_current_task()", "&totals", "(void *)(long)" + p.variable())
    p.say(p.pick(f"acc += bpf_probe_read_kernel({name}, {length}, {source});", f"acc += bpf_probe_read_user({name}, {length}, {source});",
                 f"acc += bpf_probe_read_kernel_str({name}, {length}, {source});", f"acc += bpf_get_current_comm({name}, {length});",
                 f"bpf_trace_printk({name}, {length}, acc);"))
    p.use(f"{name}[{p.rng.randrange(count)}]")


@scene(weight=2)
def strings_appended(p):
    """Strings one behind the other in a value: the length of each is the next one's place."""
    element = lookup(p, "bigs", "struct big")
    with seen(p, element):
        length, total = p.fresh("r"), p.fresh("w")
        p.say(f"__u32 {total} = 0;")
        p.say(f"long {length};")
        for _ in range(p.pick(1, 2, 3)):
            p.say(f"{length} = bpf_probe_read_kernel_str({element}->data{p.pick(f' + {total}', f' + {total}', '')}, {p.pick(16, 32, 64)}, text);")
            if p.slip(0.3):
                p.say(f"{total} += {length};")
            else:
                p.say(p.pick(f"if ({length} > 0 && {length} <= 64) {total} += {length};", f"if ({length} < 0 || {length} > 32) return 0; {total} += {length};",
                             f"{total} = ({total} + {length}) & {p.pick(63, 127, 255)};"))
        p.say(f"if ({total} < {p.pick(128, 256, 257 if p.slip() else 200)}) {element}->data[{total}] = 0;")


@scene(weight=2)
def numbers_in_text(p):
    name = p.fresh("s")
    p.say(f"char {name}[{p.pick(24, 32)}] = {{}};")
    which = p.rng.randrange(4)
    if which == 0:
        p.say(f"static const char f{name}[] = \"{p.pick('%d %u', '%d%s', '%llx %d', '%pK %c', '%d %n')}\";")
        p.say(f"__u64 g{name}[2] = {{ acc, {p.pick(1, '(__u64)(long)text')} }};")
        p.say(f"acc += bpf_snprintf({name}, sizeof({name}), f{name}, g{name}, {p.pick('sizeof(g' + name + ')', 'sizeof(g' + name + ')', 8)});")
    elif which == 1:
        p.say(f"long o{name}{p.pick(' = 0', '')};")
        p.say(f"acc += bpf_strtol({p.pick('text', name)}, {p.pick(8, 24, 33 if p.slip() else 16)}, {p.pick(0, 10, 16)}, &o{name});")
        p.use(f"o{name}")
    elif which == 2:
        p.say(f"acc += bpf_strncmp({name}, {p.pick(8, 24, 40 if p.slip() else 16)}, {p.pick('text', '(const char *)table', '(const char *)codes')});")
    else:
        p.say(f"bpf_printk(\"{p.pick('%d', '%s %d', 'x %lx', '%p')}\", acc, {name});")


@scene("trace", 2)
def stack_of_calls(p):
    element = lookup(p, "bigs", "struct big")
    with seen(p, element):
        length = p.fresh("r")
        p.say(f"long {length} = bpf_get_stack(ctx, {element}->data, {p.pick(128, 200, 256)}, {p.pick(0, 'BPF_F_USER_STACK')});")
        p.say(f"if ({length} < 0)")
        p.say("\treturn 0;")
        p.say(f"acc += bpf_get_stack(ctx, {element}->data + {length}, {p.pick(128, 200, 256)}{'' if p.slip(0.4) else f' - {length}'}, 0);")
    p.say(f"acc += bpf_get_stackid(ctx, &stacks, {p.pick(0, 'BPF_F_USER_STACK')});")


# -- the kernel's structures

@scene("trace", 4)
def core_reads(p):
    name = p.fresh("t")
    p.say(f"struct task_struct *{name} = (void *)bpf_get_current_task();")
    p.say(p.pick(f"acc += BPF_CORE_READ({name}, {p.pick('pid', 'tgid', 'mm, arg_start', 'real_parent, tgid', 'group_leader, real_parent, pid')});",
                 f"acc += bpf_core_field_exists({name}->prio) ? BPF_CORE_READ({name}, prio) : 0;",
                 f"char c{name}[16]; acc += BPF_CORE_READ_STR_INTO(&c{name}, {name}, comm) + c{name}[2];",
                 f"acc += {name}->pid;" if p.slip() else f"acc += BPF_CORE_READ({name}, flags);"))


@scene("task", 5)
def typed_task(p):
    name = p.fresh("t")
    p.say(f"struct task_struct *{name} = (void *)ctx[{p.pick(1, 2)}];")
    p.say(f"acc += {name}->{p.pick('pid', 'prio', 'real_parent->pid', 'mm->arg_start', 'comm[3]', 'group_leader->real_parent->tgid')};")
    if p.slip():
        p.say(p.pick(f"{name}->pid = 1;", f"acc += ctx[9];", f"acc += *(__u64 *)((char *){name} + acc);"))
    if p.chance(0.4):
        p.say(f"struct value *v{name} = bpf_task_storage_get(&per_task, {p.pick(name, name, 'bpf_get_current_task_btf()')}, 0, {p.pick(0, 1)});")
        with seen(p, f"v{name}"):
            p.say(f"v{name}->count++;")


@scene("skbuff", 5)
def typed_skb(p):
    name = p.fresh("k")
    p.say(f"struct sk_buff *{name} = (void *)ctx[0];")
    p.say(f"acc += {name}->{p.pick('len', 'data_len')};")
    if p.chance(0.5):
        p.say(f"struct ethhdr e{name};" if p.chance(0.5) else f"struct ethhdr e{name} = {{}};")
        p.say(f"bpf_probe_read_kernel(&e{name}, sizeof(e{name}), {name}->{p.pick('data', 'head')});")
        p.use(f"e{name}.h_proto")
    if p.slip():
        p.say(f"acc += *{name}->data;" if p.chance(0.5) else f"{name}->len = 0;")


@scene("iter", 5)
def iterated(p):
    name = p.fresh("t")
    p.say(f"struct task_struct *{name} = ctx->task;")
    with seen(p, name):
        p.say(f"acc += {name}->{p.pick('pid', 'tgid', 'prio', 'real_parent->pid')};")
        p.say(p.pick(f"bpf_seq_write(ctx->meta->seq, &acc, {p.pick(4, 8, 9 if p.slip() else 8)});", f"BPF_SEQ_PRINTF(ctx->meta->seq, \"%d %s\\n\", (int)acc, text);"))


# -- packets

def ends(p):
    data, end = p.fresh("d"), p.fresh("z")
    p.say(f"{p.pick('void', 'void', '__u8')} *{data} = (void *)(long)ctx->data, *{end} = (void *)(long)ctx->data_end;"
          if p.kind.section != "sk_msg" and p.kind.section != "sk_reuseport" else f"void *{data} = ctx->data, *{end} = ctx->data_end;")
    return data, end


def bounds(p, at, end, length):
    """A look at the packet's end; now and then a wrong one."""
    if p.slip(0.15):
        if p.chance(0.5):
            return
        length = f"{length} - {p.pick(1, 1, 2, 4)}"
    sign = ">=" if p.slip(0.05) else ">"
    p.say(p.pick(f"if ((void *){at} + {length} {sign} (void *){end})", f"if ((void *)(long){end} < (void *){at} + {length})"))
    p.say("\treturn 0;" if not p.loops or p.chance(0.5) else "\tbreak;")


@scene("packet", 5)
def headers(p):
    data, end = ends(p)
    eth, proto, off = p.fresh("eth"), p.fresh("pr"), p.fresh("of")
    p.say(f"struct ethhdr *{eth} = (void *){data};")
    bounds(p, eth, end, "sizeof(struct ethhdr)")
    p.say(f"__u16 {proto} = {eth}->h_proto;")
    p.say(f"__u64 {off} = sizeof(struct ethhdr);")
    if p.chance(0.5):
        p.say(p.pick("#pragma clang loop unroll(full)", "#pragma clang loop unroll(disable)"))
        with p.block(f"for (int n = 0; n < {p.pick(1, 2, 4)}; n++)"):
            p.say(f"struct vlan *v = (void *){data} + {off};")
            p.say(f"if ({proto} != bpf_htons(ETH_P_8021Q) && {proto} != bpf_htons(ETH_P_8021AD))")
            p.say("\tbreak;")
            p.loops += 1
            bounds(p, "(v + 1)", end, "0")
            p.loops -= 1
            p.say(f"{proto} = v->next;")
            p.say(f"{off} += sizeof(*v);")
    if p.chance(0.6):
        with p.block(f"if ({proto} == bpf_htons(ETH_P_IP))"):
            ip4(p, data, end, off)
    if p.chance(0.6):
        with p.block(f"if ({proto} == bpf_htons(ETH_P_IPV6))"):
            ip6(p, data, end, off)
    p.use(proto)


def transport(p, data, end, off, kind):
    name = p.fresh("h")
    p.say(f"struct {kind} *{name} = (void *){data} + {off};")
    bounds(p, name, end, f"sizeof(struct {kind})")
    p.say(p.pick(f"acc += {name}->source;", f"acc ^= {name}->dest;"))
    if "writable" in p.kind.traits or "xdp" in p.kind.traits or p.slip(0.1):
        p.say(f"{name}->dest = {p.pick('bpf_htons(80)', p.variable())};")
    if kind == "tcphdr" and p.chance(0.5):
        length = p.fresh("i")
        p.say(f"__u32 {length} = {name}->doff * 4;")
        bounds(p, name, end, length)
        p.say(f"if ({length} > sizeof(struct tcphdr)) acc += *((__u8 *){name} + {length} - {p.pick(1, 1, 4)});")


def ip4(p, data, end, off):
    name = p.fresh("h")
    p.say(f"struct iphdr *{name} = (void *){data} + {off};")
    bounds(p, f"({name} + 1)", end, "0")
    p.say(f"acc += {name}->{p.pick('saddr', 'ttl', 'tot_len', 'frag_off')};")
    length = p.fresh("i")
    p.say(f"__u32 {length} = {name}->ihl {p.pick('* 4', '<< 2')};")
    if p.chance(0.5):
        p.say(f"if ({length} < sizeof(*{name}))")
        p.say("\treturn 0;")
    p.say(f"{off} += {length};")
    with p.block(f"if ({name}->protocol == {p.pick('IPPROTO_TCP', '6', '17')})"):
        transport(p, data, end, off, p.pick("tcphdr", "udphdr"))
    if p.chance(0.3):
        payload(p, data, end, off)


def ip6(p, data, end, off):
    name, nexth = p.fresh("h"), p.fresh("i")
    p.say(f"struct ipv6hdr *{name} = (void *){data} + {off};")
    bounds(p, f"({name} + 1)", end, "0")
    p.say(f"__u8 {nexth} = {name}->nexthdr;")
    p.say(f"{off} += sizeof(*{name});")
    p.say(p.pick("#pragma clang loop unroll(disable)", "#pragma clang loop unroll(full)"))
    with p.block(f"for (int n = 0; n < {p.pick(2, 4, 6)}; n++)"):
        p.say(f"struct ext6 *x = (void *){data} + {off};")
        p.say(f"if ({nexth} != 0 && {nexth} != 43 && {nexth} != 60)")
        p.say("\tbreak;")
        p.loops += 1
        bounds(p, "(x + 1)", end, "0")
        p.loops -= 1
        p.say(f"{nexth} = x->next;")
        p.say(f"{off} += (x->length + 1) * 8;")
        if p.chance(0.3):
            p.say(f"if ({off} > {p.pick(200, 1500, 0xffff)})")
            p.say("\treturn 0;")
    with p.block(f"if ({nexth} == {p.pick(6, 17)})"):
        if p.chance(0.3) and not p.slip():
            p.say(f"{off} &= {p.pick(0xff, 0xfff, 0x7fff)};")
        transport(p, data, end, off, p.pick("tcphdr", "udphdr"))


def payload(p, data, end, off):
    at = p.fresh("at")
    p.say(f"__u8 *{at} = (void *){data} + {off};")
    p.say("#pragma clang loop unroll(disable)")
    with p.block(f"for (int n = 0; n < {p.pick(4, 16, 64)}; n++)"):
        p.loops += 1
        bounds(p, at, end, p.pick("1", "1", "4"))
        p.loops -= 1
        p.say(f"acc += *{at};")
        p.say(f"{at} += {p.pick(1, 1, 2, f'1 + (*{at} & 7)')};")


@scene("packet", 3)
def packet_at_offset(p):
    data, end = ends(p)
    off, at = p.declare(p.pick("__u32", "__u64", "__u16", "__u8", "int"), p.expression(1), "i"), p.fresh("at")
    p.say(p.pick(f"{off} &= {p.pick(63, 255, 0x3ff, 0x7fff)};", f"if ({off} > {p.pick(100, 1000, 0xffff, 0x10000)}) return 0;", f"{off} %= 128u;") if not p.slip() else "")
    p.say(f"__u8 *{at} = (void *){data} + {off};")
    width = p.pick(1, 2, 4, 8, 14)
    bounds(p, at, end, width)
    word = {1: "__u8", 2: "__u16", 4: "__u32", 8: "__u64", 14: "__u16"}[width]
    p.say(f"acc += *({word} *)({at}{' + 12' if width == 14 else ''});")
    if p.chance(0.3):
        second = p.fresh("at")
        p.say(f"__u8 *{second} = {at} + ({p.variable()} & 15);")
        bounds(p, second, end, 2)
        p.say(f"acc += {second}[{p.pick(0, 1)}];")


@scene("net", 2)
def packet_moved(p):
    data, end = ends(p)
    bounds(p, data, end, 20)
    p.say(f"acc += *(__u16 *)({data} + 12);")
    if "xdp" in p.kind.traits:
        p.say(p.pick(f"if (bpf_xdp_adjust_head(ctx, {p.pick(-8, 4, '(int)' + p.variable())})) return 1;", "bpf_xdp_adjust_tail(ctx, -4);", f"bpf_xdp_adjust_meta(ctx, {p.pick(-4, -8)});"))
    else:
        p.say(p.pick(f"if (bpf_skb_pull_data(ctx, {p.pick(64, p.variable())})) return 0;", "bpf_skb_vlan_push(ctx, bpf_htons(ETH_P_8021Q), 5);",
                     f"bpf_skb_store_bytes(ctx, {p.variable()}, &acc, {p.pick(4, 8)}, 0);", "bpf_l3_csum_replace(ctx, 24, 1, 2, 2);", "bpf_skb_change_tail(ctx, 80, 0);"))
    if not p.slip(0.4):
        p.say(f"{data} = (void *)(long)ctx->data;")
        p.say(f"{end} = (void *)(long)ctx->data_end;")
        bounds(p, data, end, 20)
    p.say(f"acc += *(__u32 *)({data} + {p.pick(0, 8, 16)});")


@scene("xdp skb", 3)
def packet_bytes(p):
    name = p.fresh("s")
    count = p.pick(16, 32, 64)
    p.say(f"__u8 {name}[{count}]{p.pick(' = {}', '')};")
    length = p.declare(p.pick("__u32", "__u64", "int"), f"{p.pick('(long)ctx->data_end - (long)ctx->data', p.expression(1)) if 'packet' in p.kind.traits else p.expression(1)}", "i")
    if not p.slip(0.3):
        p.say(p.pick(f"if ({length} < 1 || {length} > {count}) return 0;", f"{length} &= {count - 1}; {length} += 1;", f"if ({length} > {count}) {length} = {count}; if (!{length}) return 0;"))
    where = p.pick(0, 14, p.variable())
    helper = "bpf_xdp_load_bytes" if "xdp" in p.kind.traits else "bpf_skb_load_bytes"
    p.say(f"if ({helper}(ctx, {where}, {name}, {length}))" if p.chance(0.7) else f"if ({helper}(ctx, {where}, {name}, {count + (4 if p.slip() else 0)}))")
    p.say("\treturn 0;")
    block, index = p.within(count)
    with block:
        p.say(f"acc += {name}[{index}];")


@scene("xdp skb", 3)
def packet_dynptr(p):
    name, at = p.fresh("d"), p.fresh("at")
    p.say(f"struct bpf_dynptr {name};")
    p.say(f"if (bpf_dynptr_from_{'xdp' if 'xdp' in p.kind.traits else 'skb'}(ctx, 0, &{name}))")
    p.say("\treturn 0;")
    p.say(f"struct iphdr b{at}{p.pick(' = {}', '')};")
    p.say(f"struct iphdr *{at} = bpf_dynptr_slice{p.pick('', '', '_rdwr')}(&{name}, {p.pick(14, 0, p.variable())}, &b{at}, {p.pick('sizeof(b' + at + ')', 'sizeof(b' + at + ')', 8 if p.slip() else 20)});")
    with seen(p, at):
        p.say(f"acc += {at}->{p.pick('saddr', 'protocol', 'ihl', 'tot_len')};")
        if p.chance(0.3):
            p.say(f"{at}->ttl = 1;")
    if p.chance(0.3):
        p.say(f"bpf_dynptr_{p.pick('write(&' + name + ', 0, &acc, 8, 0)', 'read(&acc, 8, &' + name + ', 4, 0)', 'size(&' + name + ')')};")


@scene("net", 2)
def socket_lookup(p):
    name = p.fresh("k")
    p.say(f"struct bpf_sock_tuple t{name} = {{}};")
    p.say(f"t{name}.ipv4.daddr = {p.variable()};")
    p.say(f"struct bpf_sock *{name} = bpf_{p.pick('sk_lookup_tcp', 'sk_lookup_udp', 'skc_lookup_tcp')}(ctx, &t{name}, {p.pick('sizeof(t' + name + '.ipv4)', 'sizeof(t' + name + '.ipv6)', 64 if p.slip() else 12)}, BPF_F_CURRENT_NETNS, 0);")
    with seen(p, name):
        p.say(f"acc += {name}->{p.pick('family', 'src_port', 'state', 'mark', 'dst_port')};")
        if p.chance(0.3):
            p.say(f"struct bpf_tcp_sock *c{name} = bpf_tcp_sock({name});")
            with seen(p, f"c{name}"):
                p.say(f"acc += c{name}->snd_cwnd;")
        if p.chance(0.2):
            p.say(f"struct value *v{name} = bpf_sk_storage_get(&per_socket, {name}, 0, 1);")
            p.say(f"if (v{name}) v{name}->count++;")
        if not p.slip(0.25):
            p.say(f"bpf_sk_release({name});")
        if p.slip(0.1):
            p.say(f"acc += {name}->family;")


@scene("skb sock addr sockops lookup sockopt msg reuseport", 2)
def own_socket(p):
    name = p.fresh("k")
    p.say(f"struct bpf_sock *{name} = {'(void *)ctx' if p.kind.context == 'struct bpf_sock' else '(void *)ctx->sk'};")
    with seen(p, name):
        p.say(f"acc += {name}->{p.pick('family', 'protocol', 'type', 'bound_dev_if')};")
        if p.chance(0.5):
            p.say(f"struct bpf_sock *f{name} = bpf_sk_fullsock({name});")
            with seen(p, f"f{name}"):
                p.say(f"acc += f{name}->{p.pick('mark', 'priority', 'src_ip4', 'rx_queue_mapping')};")
        if p.chance(0.4):
            p.say(f"struct value *v{name} = bpf_sk_storage_get(&per_socket, {name}, 0, {p.pick(0, 1)});")
            with seen(p, f"v{name}"):
                p.say(f"v{name}->words[1] += 1;")


@scene("addr sockopt sockops", 2)
def socket_option(p):
    name = p.fresh("s")
    p.say(f"int {name} = {p.expression(1)};")
    p.say(f"acc += bpf_{p.pick('set', 'get')}sockopt(ctx, 1, {p.pick(8, 2)}, &{name}, {p.pick('sizeof(int)', 'sizeof(int)', 8 if p.slip() else 4)});")


@scene("sockopt", 4)
def option_value(p):
    at, end = p.fresh("d"), p.fresh("z")
    p.say(f"__u8 *{at} = ctx->optval, *{end} = ctx->optval_end;")
    bounds(p, at, end, p.pick(1, 4, 8))
    p.say(p.pick(f"acc += {at}[{p.pick(0, 0, 3)}];", f"{at}[0] = acc;", f"acc += *(__u32 *){at};"))


@scene("sysctl", 4)
def system_control(p):
    name = p.fresh("s")
    p.say(f"char {name}[{p.pick(16, 32)}]{p.pick(' = {}', '')};")
    p.say(p.pick(f"acc += bpf_sysctl_get_name(ctx, {name}, sizeof({name}), 0);", f"acc += bpf_sysctl_get_current_value(ctx, {name}, {p.pick('sizeof(' + name + ')', 64 if p.slip() else 8)});",
                 f"acc += bpf_sysctl_set_new_value(ctx, {name}, 8);"))
    p.say(f"long o{name} = 0;")
    p.say(f"int r{name} = bpf_strtol({name}, sizeof({name}), 0, &o{name});")
    p.say(f"if (r{name} > 0 && r{name} < {p.pick(16, 64 if p.slip() else 16)}) acc += {name}[r{name}];")


@scene("dissect", 4)
def dissected(p):
    name = p.fresh("k")
    p.say(f"struct bpf_flow_keys *{name} = ctx->flow_keys;")
    p.say(p.pick(f"acc += {name}->nhoff;", f"{name}->thoff = {name}->nhoff + 20;", f"{name}->ip_proto = acc;", f"{name}->is_encap = 1;"))
    if p.chance(0.4):
        p.say(f"__u8 b{name}[8];")
        p.say(f"if (!bpf_skb_load_bytes(ctx, {name}->nhoff, b{name}, {8 + p.slip()})) acc += b{name}[1];")
    if p.slip():
        p.say(f"acc += *((__u8 *){name} + {p.pick(55, 56, 'acc', 'sizeof(*' + name + ')')});")


@scene("call", 2)
def context_memory(p):
    block, index = p.within(p.pick(8, 8, 24))
    with block:
        p.say(f"acc += ctx->{p.pick('words', 'bytes')}[{index} & 7];" if p.chance(0.5) else f"ctx->words[{index}] = 1;")


@scene("trace", 2)
def context_memory_beyond(p):
    if p.slip(0.5):
        p.say(f"acc += *(__u{p.pick(8, 16, 32, 64)} *)((char *)ctx + {p.pick(1, 2, 4, 7, 160, 164, 168, 2000, '(acc & 8)')});")
    else:
        p.say(f"acc += bpf_get_attach_cookie(ctx) + {p.pick('bpf_get_func_ip(ctx)', 'bpf_get_numa_node_id()', 'bpf_get_current_pid_tgid()')};")


@scene("net", 2)
def checksum(p):
    name = p.fresh("s")
    p.say(f"__be32 {name}[4] = {{ {p.variable()}, 2 }};")
    length = p.pick(4, 8, 16, 20 if p.slip() else 12, f"({p.variable()} & {p.pick(3, 7, 15)})", f"(({p.variable()} & 3) * 4)")
    p.say(f"acc += bpf_csum_diff({p.pick('0, 0', f'{name}, 4')}, {name}, {length}, acc);")


@scene()
def orders(p):
    name = f"{p.name}_{p.fresh('u')}"
    with function(p, f"NOINLINE long {name}(struct bpf_dynptr *d, __u64 *data)", []):
        p.say("__u32 word = 0;")
        p.say(f"if (bpf_dynptr_read(&word, sizeof(word), d, {p.pick(0, 4)}, 0) < 0)")
        p.say("\treturn 1;")
        p.say(p.pick("*data += word;", f"marks[word{'' if p.slip() else ' & 63'}] = 1;"))
        p.say(f"return {p.pick(0, 'word & 1', 2 if p.slip() else 0)};")
    data = p.fresh("w")
    p.say(f"__u64 {data} = 0;")
    p.say(f"acc += bpf_user_ringbuf_drain(&orders, {name}, &{data}, 0) + {data};")
