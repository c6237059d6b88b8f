/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may not be done with objects and with pointers to them that are kept in map values.
 */
#include "objects_bad.h"

struct counters {
	__u64 n;
};

struct mixed {
	__u64 n;
	struct plain *pointer;
};

struct large {
	__u8 bytes[600];
};

struct stash {
	__u64 before;
	struct plain KPTR *plain;
	struct item KPTR *item;
	struct counters PERCPU_KPTR *counters;
	struct plain UNTRUSTED_KPTR *loose;
};

ARRAY(stashes, struct stash);

int result;

#define STASH(variable) VALUE(variable, stash, stashes)

BAD(leak)
{
	NEW(p, plain);
	return (int)p->a;
}

BAD(no_null_check)
{
	struct plain *p = OBJ_NEW(struct plain);

	p->a = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(after_drop)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return (int)p->a;
}

BAD(drop_inside)
{
	NEW(p, plain);
	bpf_obj_drop_impl(&p->b, 0);
	return 0;
}

BAD(drop_value)
{
	STASH(s);
	bpf_obj_drop_impl(s, 0);
	return 0;
}

BAD(drop_percpu)
{
	struct counters *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counters), 0);

	if (!c)
		return 1;
	bpf_obj_drop_impl(c, 0);
	return 0;
}

BAD(percpu_direct)
{
	struct counters *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counters), 0);

	if (!c)
		return 1;
	c->n = 1;
	bpf_percpu_obj_drop_impl(c, 0);
	return 0;
}

/* One for each CPU of a type that cannot be. */
#define PERCPU_OF(name, type)                                                              \
	BAD(name)                                                                          \
	{                                                                                  \
		void *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct type), 0); \
                                                                                           \
		if (c)                                                                     \
			bpf_percpu_obj_drop_impl(c, 0);                                    \
		return 0;                                                                  \
	}
PERCPU_OF(percpu_of_pointers, mixed)
PERCPU_OF(percpu_large, large)
PERCPU_OF(percpu_of_fields, other)

BAD(large_is_fine)
{
	NEW(p, large);
	p->bytes[599] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(beyond)
{
	NEW(p, plain);
	((__u64 *)p)[2] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(before)
{
	NEW(p, plain);
	((__u64 *)p)[-1] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(variable_offset)
{
	NEW(p, plain);
	*(__u8 *)((void *)p + (skb->len & 7)) = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(write_node)
{
	NEW(i, item);
	*(__u64 *)&i->l = 1;
	bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(read_refcount)
{
	NEW(i, item);
	result = *(__u32 *)&i->ref;
	bpf_obj_drop_impl(i, 0);
	return 0;
}

#define NEW_OF(name, type_id)                           \
	BAD(name)                                       \
	{                                               \
		void *p = bpf_obj_new_impl(type_id, 0); \
                                                        \
		if (p)                                  \
			bpf_obj_drop_impl(p, 0);        \
		return 0;                               \
	}
NEW_OF(new_of_unknown_type, skb->len)
NEW_OF(new_of_no_struct, bpf_core_type_id_local(__u64))
NEW_OF(new_of_nothing, 100000)

BAD(xchg_wrong_type)
{
	STASH(s);
	NEW(o, other);
	o = (void *)bpf_kptr_xchg(&s->plain, (void *)o);
	if (o)
		bpf_obj_drop_impl(o, 0);
	return 0;
}

BAD(xchg_wrong_place)
{
	STASH(s);
	NEW(p, plain);
	p = bpf_kptr_xchg(&s->before, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_loose)
{
	STASH(s);
	NEW(p, plain);
	p = bpf_kptr_xchg(&s->loose, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_then_use)
{
	STASH(s);
	NEW(p, plain);
	struct plain *old = bpf_kptr_xchg(&s->plain, p);

	if (old)
		bpf_obj_drop_impl(old, 0);
	return (int)p->a;
}

BAD(xchg_maybe_null)
{
	STASH(s);
	struct plain *p = OBJ_NEW(struct plain);

	p = bpf_kptr_xchg(&s->plain, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_percpu_plain)
{
	STASH(s);
	NEW(p, counters);
	p = bpf_kptr_xchg(&s->counters, p);
	if (p)
		bpf_percpu_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_variable)
{
	STASH(s);
	void *p = bpf_kptr_xchg((void *)s + (skb->len & 8), 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(store_kptr)
{
	STASH(s);
	*(volatile __u64 *)&s->plain = 0;
	return 0;
}

BAD(store_loose)
{
	STASH(s);
	*(volatile __u64 *)&s->loose = 0;
	return 0;
}

BAD(half_kptr)
{
	STASH(s);
	return *(volatile __u32 *)&s->plain;
}

BAD(kptr_into_helper)
{
	STASH(s);
	return bpf_csum_diff((void *)s, 16, 0, 0, 0);
}

BAD(load_without_check)
{
	STASH(s);
	return (int)s->plain->a;
}

BAD(load_and_write)
{
	STASH(s);
	struct plain *p = s->plain;

	if (p)
		p->b = 1;
	return 0;
}

BAD(load_loose_and_write)
{
	STASH(s);
	struct plain *p = s->loose;

	if (p)
		p->b = 1;
	return 0;
}

BAD(load_loose_and_read)
{
	STASH(s);
	struct plain *p = s->loose;

	return p ? (int)p->b : 0;
}

BAD(load_percpu_direct)
{
	STASH(s);
	struct counters *c = s->counters;

	return c ? (int)c->n : 0;
}

BAD(this_cpu_of_plain)
{
	NEW(p, plain);
	struct plain *q = bpf_this_cpu_ptr(p);

	result = (int)q->a;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(refcount_of_plain)
{
	NEW(p, plain);
	void *q = bpf_refcount_acquire_impl(p, 0);

	bpf_obj_drop_impl(q, 0);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(refcount_inside)
{
	NEW(i, item);
	void *j = bpf_refcount_acquire_impl(&i->l, 0);

	bpf_obj_drop_impl(j, 0);
	bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(refcount_stashed)
{
	STASH(s);
	struct item *i = s->item, *j;

	if (!i)
		return 0;
	j = bpf_refcount_acquire_impl(i, 0);
	if (j)
		bpf_obj_drop_impl(j, 0);
	return 0;
}

/* Program types that may have no such map, or no objects. */
FINDS("raw_tp/sys_enter", traced_stash, stashes)

SEC("socket")
int socket_new(struct __sk_buff *skb)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

SEC("xdp")
int xdp_new(struct xdp_md *xdp)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

SEC("kprobe/do_nanosleep")
int kprobe_new(void *ctx)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
