/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers, storages, kernel functions, and the contexts of socket programs: how a kernel shows them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
struct el {
	struct bpf_timer t;
	__u64 x;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, struct el);
} tm SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, 1);
	__type(key, int);
	__type(value, __u64);
} ts SEC(".maps");
static int cb(void *map, int *key, struct el *v)
{
	v->x++;
	return 0;
}
SEC("tc") int timer(void *ctx)
{
	__u32 k = 1;
	struct el *v = bpf_map_lookup_elem(&tm, &k);
	if (!v)
		return 0;
	bpf_timer_init(&v->t, &tm, 1);
	bpf_timer_set_callback(&v->t, cb);
	bpf_timer_start(&v->t, 1000, 0);
	bpf_timer_cancel(&v->t);
	return 0;
}
SEC("tp_btf/sys_enter") int stor(void *ctx)
{
	__u64 *p = bpf_task_storage_get(&ts, bpf_get_current_task_btf(), 0, 1);
	if (p)
		*p += 1;
	bpf_task_storage_delete(&ts, bpf_get_current_task_btf());
	return 0;
}
struct bpf_iter_num {
	__u64 o[1];
};
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
SEC("tc") int iter(void *ctx)
{
	struct bpf_iter_num it;
	int s = 0, *v;
	bpf_iter_num_new(&it, 0, 10);
	while ((v = bpf_iter_num_next(&it)))
		s += *v;
	bpf_iter_num_destroy(&it);
	return s & 1;
}
SEC("socket") int sig(void *ctx)
{
	char b[16];
	__u64 x[2] = { 1, 2 };
	return bpf_get_current_comm(b, 16);
}
SEC("cgroup/connect4") int conn(struct bpf_sock_addr *c)
{
	return c->user_ip4 != 1;
}
SEC("sockops") int ops(struct bpf_sock_ops *c)
{
	return c->op & 1;
}
SEC("cgroup/dev") int dev(struct bpf_cgroup_dev_ctx *c)
{
	return c->major == 1;
}
SEC("sk_lookup") int lk(struct bpf_sk_lookup *c)
{
	return c->local_port & 1;
}
SEC("flow_dissector") int fd(struct __sk_buff *c)
{
	return c->data_end - c->data > 1;
}
