/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers and work queues, for timers.c, which runs each program once and waits for what it counts.
 * What the helpers return goes into `results`.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define CLOCK_MONOTONIC 1
#define CLOCK_BOOTTIME	7
#define EBUSY		16
#define MILLISECOND	1000000ull

struct bpf_wq;
int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym __weak;
int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym __weak;
int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value),
			     unsigned int flags, void *aux) __ksym __weak;

struct counting {
	long count;
	struct bpf_timer timer;
	long wanted;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, int);
	__type(value, struct counting);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct counting);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, int);
	__type(value, struct counting);
} lru SEC(".maps");

struct working {
	long count;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct working);
} works SEC(".maps");

long results[16];
long started, fired, last_key, self_cancel, rearmed;
int many;

static int tick(void *map, int *key, struct counting *value)
{
	__sync_fetch_and_add(&fired, 1);
	last_key = *key;
	if (++value->count < value->wanted)
		rearmed |= bpf_timer_start(&value->timer, MILLISECOND, 0);
	return 0;
}

static int cancels_itself(void *map, int *key, struct counting *value)
{
	self_cancel = bpf_timer_cancel(&value->timer);
	value->count++;
	return 0;
}

static int deletes_itself(void *map, int *key, struct counting *value)
{
	bpf_map_delete_elem(map, key);
	fired++;
	return 0;
}

static struct counting *fresh(void *map, int key, long wanted)
{
	struct counting zero = { .wanted = wanted };

	bpf_map_update_elem(map, &key, &zero, 0);
	return bpf_map_lookup_elem(map, &key);
}

/* Five ticks in a hash, from a timer that starts itself again. */
SEC("tc")
int in_hash(struct __sk_buff *skb)
{
	struct counting *value = fresh(&hash, 7, 5);

	if (!value)
		return 1;
	results[0] = bpf_timer_start(&value->timer, 0, 0);
	results[1] = bpf_timer_cancel(&value->timer);
	results[2] = bpf_timer_set_callback(&value->timer, tick);
	results[3] = bpf_timer_init(&value->timer, &hash, 4);
	results[4] = bpf_timer_init(&value->timer, &hash, 17);
	results[5] = bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	results[6] = bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	results[7] = bpf_timer_start(&value->timer, 0, 0);
	results[8] = bpf_timer_set_callback(&value->timer, tick);
	results[9] = bpf_timer_start(&value->timer, 0, 4);
	results[10] = bpf_timer_start(&value->timer, MILLISECOND, 0);
	return 0;
}

SEC("tc")
int in_array(struct __sk_buff *skb)
{
	struct counting *value = fresh(&array, 2, 3);

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &array, CLOCK_BOOTTIME);
	bpf_timer_set_callback(&value->timer, tick);
	return bpf_timer_start(&value->timer, bpf_ktime_get_boot_ns() + MILLISECOND, 1);
}

SEC("tc")
int in_lru(struct __sk_buff *skb)
{
	struct counting *value = fresh(&lru, 9, 2);

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &lru, 0);
	bpf_timer_set_callback(&value->timer, cancels_itself);
	return bpf_timer_start(&value->timer, 0, 0);
}

/* One that is far away: cancelled, it was there; and once more, when it is not. */
SEC("tc")
int cancelled(struct __sk_buff *skb)
{
	struct counting *value = fresh(&hash, 8, 1);

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&value->timer, tick);
	results[0] = bpf_timer_start(&value->timer, 3600000 * MILLISECOND, 0);
	results[1] = bpf_timer_cancel(&value->timer);
	results[2] = bpf_timer_cancel(&value->timer);
	results[3] = bpf_timer_start(&value->timer, 0, 0);
	results[4] = bpf_timer_set_callback(&value->timer, tick);
	results[5] = bpf_timer_start(&value->timer, ~0ull >> 1, 0);
	return 0;
}

/* As far away, and its element goes; then an array's element is written over. */
SEC("tc")
int deleted(struct __sk_buff *skb)
{
	struct counting *value = fresh(&hash, 10, 1), zero = {};
	int key = 10, other = 3;

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&value->timer, tick);
	results[0] = bpf_timer_start(&value->timer, 3600000 * MILLISECOND, 0);
	results[1] = bpf_map_delete_elem(&hash, &key);
	value = fresh(&hash, 10, 1);
	if (!value)
		return 1;
	results[2] = bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	value = bpf_map_lookup_elem(&array, &other);
	if (!value)
		return 1;
	results[3] = bpf_timer_init(&value->timer, &array, CLOCK_MONOTONIC);
	results[4] = bpf_map_update_elem(&array, &other, &zero, 0);
	results[5] = bpf_timer_init(&value->timer, &array, CLOCK_MONOTONIC);
	return 0;
}

SEC("tc")
int in_own_callback(struct __sk_buff *skb)
{
	struct counting *value = fresh(&hash, 11, 1);

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&value->timer, deletes_itself);
	return bpf_timer_start(&value->timer, 0, 0);
}

static int where(void *map, int *key, struct counting *value)
{
	/* The vCPU that it was started on. */
	value->count += bpf_get_smp_processor_id() == value->wanted;
	fired++;
	return 0;
}

SEC("tc")
int pinned(struct __sk_buff *skb)
{
	struct counting *value = fresh(&hash, 12, bpf_get_smp_processor_id());

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&value->timer, where);
	return bpf_timer_start(&value->timer, MILLISECOND, 2);
}

static long start_one(__u32 i, void *unused)
{
	struct counting *value = fresh(&hash, 1000 + i, 1);

	if (!value)
		return 1;
	/* The kernel may have no memory for it in this place. */
	if (bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC))
		return 0;
	started++;
	bpf_timer_set_callback(&value->timer, tick);
	bpf_timer_start(&value->timer, i * 1000, 0);
	return 0;
}

SEC("tc")
int start_many(struct __sk_buff *skb)
{
	return bpf_loop(many, start_one, 0, 0) != many;
}

static int work(void *map, int *key, void *value)
{
	struct working *working = value;
	char byte;

	/* Only what may sleep can do this. */
	bpf_copy_from_user(&byte, 1, 0);
	working->count += 1 + *key;
	return 0;
}

SEC("tc")
int in_work(struct __sk_buff *skb)
{
	int key = 1;
	struct working *value = bpf_map_lookup_elem(&works, &key);

	if (!value)
		return 1;
	results[0] = bpf_wq_start(&value->work, 0);
	results[1] = bpf_wq_set_callback_impl(&value->work, work, 0, 0);
	results[2] = bpf_wq_init(&value->work, &works, 1);
	results[3] = bpf_wq_init(&value->work, &works, 0);
	results[4] = bpf_wq_init(&value->work, &works, 0);
	results[5] = bpf_wq_set_callback_impl(&value->work, work, 1, 0);
	results[6] = bpf_wq_set_callback_impl(&value->work, work, 0, 0);
	results[7] = bpf_wq_start(&value->work, 1);
	results[8] = bpf_wq_start(&value->work, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
