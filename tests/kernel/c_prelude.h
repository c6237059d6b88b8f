/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of random programs (c_programs.py) begins with: maps, global data, kernel
 * structures and functions that the programs use. Structures of the kernel have the members only
 * that are read; libbpf finds their offsets.
 */
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define KNOWN	       __attribute__((preserve_access_index))
#define TYPE_TAG(tag)  __attribute__((btf_type_tag(tag)))
#define ARG_TAG(tag)   __attribute__((btf_decl_tag("arg:" tag)))
#define NOINLINE       static __attribute__((noinline))
#define GLOBAL	       __attribute__((noinline))
#define HIDE(variable) asm volatile("" : "+r"(variable))

/* The end of a loop that the verifier need not see end: jumps to the label when time is up. */
#define MAY_STOP(label)                                                \
	asm volatile goto("1: .byte 0xe5; .byte 0; .long ((%l[" #label \
			  "] - 1b - 8) / 8) & 0xffff; .short 0" :: ::label)

struct vlan {
	__be16 tci, next;
};

struct ext6 {
	__u8 next, length, rest[6];
};

struct sys_enter {
	__u64 common;
	long id;
	unsigned long args[6];
};

struct mm_struct {
	unsigned long start_code, arg_start;
} KNOWN;

struct task_struct {
	int pid, tgid, prio;
	unsigned int flags;
	char comm[16];
	struct mm_struct *mm;
	struct task_struct *real_parent, *group_leader;
} KNOWN;

struct sk_buff {
	unsigned int len, data_len;
	unsigned char *head, *data;
} KNOWN;

struct numbers {
	__u64 opaque[1];
} __attribute__((aligned(8)));

struct bpf_iter_meta {
	struct seq_file *seq;
} KNOWN;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KNOWN;

struct small {
	__u32 a;
	__u16 b;
	__u8 c;
};

struct packed_in {
	__u8 kind;
	__u32 value;
	__u16 port;
} __attribute__((packed));

struct bits {
	__u32 low : 3, mid : 7, high : 12, top : 10;
	__s16 sign : 5, rest : 11;
	__u64 wide : 40, narrow : 24;
};

struct value {
	__u64 count;
	__u32 words[8];
	__u8 bytes[24];
	__s32 index;
	struct small in;
	__u16 halves[5];
};

struct big {
	__u64 head;
	__u8 data[256];
	__u32 length;
	__u64 slots[16];
};

struct odd_key {
	__u8 a;
	__u32 b;
	__u16 c;
	__u8 d[3];
};

struct locked {
	__u64 count;
	struct bpf_spin_lock lock;
	__u32 word;
	__u8 bytes[16];
};

struct timed {
	__u64 count;
	struct bpf_timer timer;
	__u32 words[4];
};

struct thing {
	__u64 key;
	__u32 data[4];
};

/* Kinds of the kernel's that 6.1's headers do not have yet. */
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct bpf_rb_root {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_rb_node {
	__u64 opaque[4];
} __attribute__((aligned(8)));

struct bpf_res_spin_lock {
	__u32 val;
};

struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct item {
	__u64 key;
	struct bpf_list_node node;
	__u32 data[4];
};

struct leaf {
	__u64 key;
	struct bpf_rb_node node;
};

struct guarded {
	__u64 count;
	struct bpf_res_spin_lock lock;
	__u32 words[4];
};

struct worked {
	__u64 count;
	struct bpf_wq work;
	__u32 words[2];
};

struct tasks {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct bpf_cpumask {
	int unused;
};

struct holder {
	__u64 count;
	struct thing TYPE_TAG("kptr") * thing;
	struct task_struct TYPE_TAG("kptr") * task;
	struct task_struct TYPE_TAG("kptr_untrusted") * seen;
};

#define MAP(name, kind, entries, key_type, value_type) \
	struct {                                       \
		__uint(type, kind);                    \
		__uint(max_entries, entries);          \
		__type(key, key_type);                 \
		__type(value, value_type);             \
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, 4, __u32, struct value);
MAP(hash, BPF_MAP_TYPE_HASH, 64, __u32, struct value);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 64, struct odd_key, __u64);
MAP(percpu, BPF_MAP_TYPE_PERCPU_ARRAY, 2, __u32, struct big);
MAP(bigs, BPF_MAP_TYPE_ARRAY, 2, __u32, struct big);
MAP(locks, BPF_MAP_TYPE_ARRAY, 4, __u32, struct locked);
MAP(timers, BPF_MAP_TYPE_HASH, 4, __u32, struct timed);
MAP(holders, BPF_MAP_TYPE_ARRAY, 4, __u32, struct holder);
MAP(guards, BPF_MAP_TYPE_ARRAY, 4, __u32, struct guarded);
MAP(works, BPF_MAP_TYPE_ARRAY, 4, __u32, struct worked);
MAP(longs, BPF_MAP_TYPE_ARRAY, 16, __u32, __u64);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} orders SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__uint(value_size, 4);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__uint(value_size, 8);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__uint(value_size, 160);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} per_socket SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} per_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__uint(value_size, 8);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 8);
} listeners SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &inner } };

const volatile __u32 limit = 12;
const volatile __u8 flag_on = 1, flag_off = 0;
const volatile __s32 negative = -3;
const volatile __u32 table[8] = { 1, 4, 9, 16, 25, 36, 49, 64 };
const volatile __u8 codes[16] = { 3, 1, 2, 0, 7, 15, 9, 4 };

__u64 totals[16];
__u8 marks[64];
__s32 position;
__u32 size = 7;
struct value global_value;
struct thing spare; /* for its BTF */
struct bpf_spin_lock list_lock SEC(".data.lists");
struct bpf_list_head list SEC(".data.lists") __attribute__((btf_decl_tag("contains:item:node")));
struct bpf_spin_lock tree_lock SEC(".data.trees");
struct bpf_rb_root tree SEC(".data.trees") __attribute__((btf_decl_tag("contains:leaf:node")));
char text[32] = "12 -34";

extern int bpf_iter_num_new(struct numbers *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct numbers *it) __ksym;
extern void bpf_iter_num_destroy(struct numbers *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *kptr, void *meta) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer,
				   __u32 size) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node,
				    void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b),
			       void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root,
					     struct bpf_rb_node *node) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int(callback)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __ksym;
extern int bpf_iter_task_new(struct tasks *it, struct task_struct *task, unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct tasks *it) __ksym;
extern void bpf_iter_task_destroy(struct tasks *it) __ksym;
extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_set_cpu(__u32 cpu, struct bpf_cpumask *mask) __ksym;
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
extern void bpf_throw(__u64 cookie) __ksym;

#define NEW(type)    ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define DROP(object) bpf_obj_drop_impl(object, NULL)

/* Counts i from low to high; the iterator ends with the loop. */
#define COUNTED(i, low, high)                                                                   \
	for (struct numbers it __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),      \
	     *begun __attribute__((unused)) =                                                   \
		     (bpf_iter_num_new(&it, low, high), (void)bpf_iter_num_destroy, (void *)0); \
	     ({                                                                                 \
		     int *one = bpf_iter_num_next(&it);                                         \
		     one ? (i = *one, 1) : 0;                                                   \
	     });)

char license_of_all[] SEC("license") = "GPL";
