/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers on maps of every type: how a kernel shows their calls. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define M(n, t, fl)                      \
	struct {                         \
		__uint(type, t);         \
		__uint(max_entries, 8);  \
		__uint(map_flags, fl);   \
		__type(key, __u32);      \
		__type(value, struct v); \
	} n SEC(".maps")
struct v {
	__u64 a, b, c;
};
M(ar, BPF_MAP_TYPE_ARRAY, 0);
M(ha, BPF_MAP_TYPE_HASH, 0);
M(lr, BPF_MAP_TYPE_LRU_HASH, 0);
M(pa, BPF_MAP_TYPE_PERCPU_ARRAY, 0);
M(ph, BPF_MAP_TYPE_PERCPU_HASH, 0);
M(lp, BPF_MAP_TYPE_LRU_PERCPU_HASH, 0);
M(am, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE);
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} a4 SEC(".maps");
struct key12 {
	__u32 a[3];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 7);
	__type(key, struct key12);
	__type(value, __u32);
} h12 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 7);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} tr SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 7);
	__type(value, __u32);
} qu SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 7);
	__type(value, __u32);
} st SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 7);
	__type(value, __u32);
} bl SEC(".maps");
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} in SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 7);
	__type(key, __u32);
	__array(values, struct inner);
} ao SEC(".maps") = { .values = { &in } };
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 7);
	__type(key, __u32);
	__array(values, struct inner);
} ho SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} dm SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} dh SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} cm SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} xm SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} rb SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} pr SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u32);
} pe SEC(".maps");
char _license[] SEC("license") = "GPL";
#define L(n)                                               \
	SEC("xdp") int look_##n(void *ctx)                 \
	{                                                  \
		__u32 k = 1;                               \
		struct v *v = bpf_map_lookup_elem(&n, &k); \
		if (v)                                     \
			v->b++;                            \
		struct v w = { 1, 2, 3 };                  \
		bpf_map_update_elem(&n, &k, &w, 0);        \
		bpf_map_delete_elem(&n, &k);               \
		return 0;                                  \
	}
L(ar) L(ha) L(lr) L(pa) L(ph) L(lp) L(am) static long cb(void *map, void *k, void *v, void *c)
{
	return 0;
}
#define E(n)                                         \
	SEC("xdp") int each_##n(void *ctx)           \
	{                                            \
		bpf_for_each_map_elem(&n, cb, 0, 0); \
		return 1;                            \
	}
E(ar)
E(ha)
E(lr)
E(pa)
E(ph)
E(lp)
#define P(n)                                                         \
	SEC("xdp") int pc_##n(void *ctx)                             \
	{                                                            \
		__u32 k = 1;                                         \
		struct v *v = bpf_map_lookup_percpu_elem(&n, &k, 0); \
		return v ? 1 : 2;                                    \
	}
P(pa) P(ph) P(lp) SEC("xdp") int a4p(void *ctx)
{
	__u32 k = 1;
	__u32 *v = bpf_map_lookup_elem(&a4, &k);
	return v ? *v : 0;
}
SEC("xdp") int h12p(void *ctx)
{
	struct key12 k = {};
	__u32 *v = bpf_map_lookup_elem(&h12, &k);
	return v ? *v : 0;
}
SEC("xdp") int trp(void *ctx)
{
	__u64 k = 1;
	__u32 *v = bpf_map_lookup_elem(&tr, &k), w = 2;
	bpf_map_update_elem(&tr, &k, &w, 0);
	bpf_map_delete_elem(&tr, &k);
	return v ? *v : 0;
}
#define Q(n)                                  \
	SEC("xdp") int q_##n(void *ctx)       \
	{                                     \
		__u32 v = 1;                  \
		bpf_map_push_elem(&n, &v, 0); \
		bpf_map_peek_elem(&n, &v);    \
		bpf_map_pop_elem(&n, &v);     \
		return v;                     \
	}
Q(qu) Q(st) SEC("xdp") int blp(void *ctx)
{
	__u32 v = 1;
	bpf_map_push_elem(&bl, &v, 0);
	bpf_map_peek_elem(&bl, &v);
	return v;
}
SEC("xdp") int aop(void *ctx)
{
	__u32 k = 1;
	void *m = bpf_map_lookup_elem(&ao, &k);
	if (!m)
		return 0;
	__u32 *v = bpf_map_lookup_elem(m, &k);
	return v ? *v : 0;
}
SEC("xdp") int hop(void *ctx)
{
	__u32 k = 1;
	void *m = bpf_map_lookup_elem(&ho, &k);
	if (!m)
		return 0;
	__u32 *v = bpf_map_lookup_elem(m, &k);
	return v ? *v : 0;
}
#define R(n)                                       \
	SEC("xdp") int r_##n(void *ctx)            \
	{                                          \
		return bpf_redirect_map(&n, 1, 0); \
	}
R(dm) R(dh) R(cm) R(xm) SEC("xdp") int dmp(void *ctx)
{
	__u32 k = 1;
	return bpf_map_lookup_elem(&dm, &k) ? 1 : 2;
}
SEC("xdp") int dhp(void *ctx)
{
	__u32 k = 1;
	return bpf_map_lookup_elem(&dh, &k) ? 1 : 2;
}
SEC("xdp") int xmp(void *ctx)
{
	__u32 k = 1;
	return bpf_map_lookup_elem(&xm, &k) ? 1 : 2;
}
SEC("xdp") int rbp(void *ctx)
{
	__u64 *p = bpf_ringbuf_reserve(&rb, 8, 0);
	if (!p)
		return 0;
	*p = 1;
	bpf_ringbuf_submit(p, 0);
	return bpf_ringbuf_query(&rb, 0);
}
SEC("xdp") int tcs(void *ctx)
{
	bpf_tail_call(ctx, &pr, 3);
	return 0;
}
SEC("xdp") int tcd(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &pr, ctx->data_end - ctx->data);
	return 0;
}
SEC("xdp") int pep(struct xdp_md *ctx)
{
	__u64 x = 1;
	bpf_perf_event_output(ctx, &pe, BPF_F_CURRENT_CPU, &x, 8);
	return 0;
}
SEC("tp/syscalls/sys_enter_write") int pept(struct xdp_md *ctx)
{
	__u64 x = 1;
	bpf_perf_event_output(ctx, &pe, BPF_F_CURRENT_CPU, &x, 8);
	return 0;
}
SEC("tc") int pec(struct xdp_md *ctx)
{
	__u64 x = 1;
	bpf_perf_event_output(ctx, &pe, BPF_F_CURRENT_CPU, &x, 8);
	return 0;
}
SEC("xdp") int poisoned(struct xdp_md *ctx)
{
	__u32 k = 1;
	void *m = ctx->rx_queue_index ? (void *)&ha : (void *)&lr;
	struct v *v = bpf_map_lookup_elem(m, &k);
	return v ? 1 : 2;
}
