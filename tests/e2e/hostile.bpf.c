/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps and buffers of all kinds at every getppid(), for hostile.py. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(name_, type_, key_, extra_)             \
	struct {                                    \
		__uint(type, BPF_MAP_TYPE_##type_); \
		__uint(max_entries, 64);            \
		__type(key, key_);                  \
		__type(value, long);                \
		extra_                              \
	} name_ SEC(".maps")

struct prefix {
	__u32 length, bits;
};

MAP(a_hash, HASH, int, );
MAP(a_lru, LRU_HASH, int, );
MAP(a_percpu, PERCPU_HASH, int, );
MAP(a_lpm, LPM_TRIE, struct prefix, __uint(map_flags, BPF_F_NO_PREALLOC););

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16);
	__type(value, long);
} a_queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} a_ring SEC(".maps");

static long count(void *map, const int *key, long *value, void *ctx)
{
	return 0;
}

SEC("tp/syscalls/sys_enter_getppid") int work(void *ctx)
{
	int key = bpf_get_prandom_u32() % 80;
	struct prefix prefix = { 32, key };
	long value = key;

	bpf_map_update_elem(&a_hash, &key, &value, 0);
	bpf_map_update_elem(&a_lru, &key, &value, 0);
	bpf_map_update_elem(&a_percpu, &key, &value, 0);
	bpf_map_update_elem(&a_lpm, &prefix, &value, 0);
	key = bpf_get_prandom_u32() % 80;
	prefix.bits = key;
	bpf_map_delete_elem(&a_hash, &key);
	bpf_map_delete_elem(&a_lpm, &prefix);
	bpf_map_lookup_elem(&a_percpu, &key);
	bpf_for_each_map_elem(&a_hash, count, (void *)0, 0);
	bpf_map_push_elem(&a_queue, &value, BPF_EXIST);
	bpf_map_pop_elem(&a_queue, &value);
	bpf_ringbuf_output(&a_ring, &value, sizeof(value), 0);
	bpf_printk("value %ld", value);
	return 0;
}

char _license[] SEC("license") = "GPL";
