/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks, cgroups, CPU masks, areas of memory: programs that get hold of them, look at them and keep
 * them. Each takes a number and says what it saw (struct seen).
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel_objects.h"

struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *cpumask) __ksym;
void bpf_cpumask_release(struct bpf_cpumask *cpumask) __ksym;
u32 bpf_cpumask_first(const struct cpumask *cpumask) __ksym;
u32 bpf_cpumask_first_zero(const struct cpumask *cpumask) __ksym;
u32 bpf_cpumask_first_and(const struct cpumask *src1, const struct cpumask *src2) __ksym;
void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *cpumask) __ksym;
void bpf_cpumask_clear_cpu(u32 cpu, struct bpf_cpumask *cpumask) __ksym;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;
bool bpf_cpumask_test_and_set_cpu(u32 cpu, struct bpf_cpumask *cpumask) __ksym;
bool bpf_cpumask_test_and_clear_cpu(u32 cpu, struct bpf_cpumask *cpumask) __ksym;
void bpf_cpumask_setall(struct bpf_cpumask *cpumask) __ksym;
void bpf_cpumask_clear(struct bpf_cpumask *cpumask) __ksym;
bool bpf_cpumask_and(struct bpf_cpumask *dst, const struct cpumask *src1,
		     const struct cpumask *src2) __ksym;
void bpf_cpumask_or(struct bpf_cpumask *dst, const struct cpumask *src1,
		    const struct cpumask *src2) __ksym;
void bpf_cpumask_xor(struct bpf_cpumask *dst, const struct cpumask *src1,
		     const struct cpumask *src2) __ksym;
bool bpf_cpumask_equal(const struct cpumask *src1, const struct cpumask *src2) __ksym;
bool bpf_cpumask_intersects(const struct cpumask *src1, const struct cpumask *src2) __ksym;
bool bpf_cpumask_subset(const struct cpumask *src1, const struct cpumask *src2) __ksym;
bool bpf_cpumask_empty(const struct cpumask *cpumask) __ksym;
bool bpf_cpumask_full(const struct cpumask *cpumask) __ksym;
void bpf_cpumask_copy(struct bpf_cpumask *dst, const struct cpumask *src) __ksym;
u32 bpf_cpumask_any_distribute(const struct cpumask *src) __ksym;
u32 bpf_cpumask_any_and_distribute(const struct cpumask *src1, const struct cpumask *src2) __ksym;
u32 bpf_cpumask_weight(const struct cpumask *cpumask) __ksym;
int bpf_cpumask_populate(struct cpumask *cpumask, void *src, size_t src__sz) __ksym;

struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
struct task_struct *bpf_task_from_vpid(s32 vpid) __ksym;
long bpf_task_under_cgroup(struct task_struct *task, struct cgroup *ancestor) __ksym;
struct cgroup *bpf_task_get_cgroup1(struct task_struct *task, int hierarchy_id) __ksym;
struct cgroup *bpf_cgroup_acquire(struct cgroup *cgrp) __ksym;
void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
struct cgroup *bpf_cgroup_from_id(u64 cgid) __ksym;

int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
int bpf_iter_task_vma_new(struct bpf_iter_task_vma *it, struct task_struct *task, u64 addr) __ksym;
struct vm_area_struct *bpf_iter_task_vma_next(struct bpf_iter_task_vma *it) __ksym;
void bpf_iter_task_vma_destroy(struct bpf_iter_task_vma *it) __ksym;
int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start,
		     unsigned flags) __ksym;
struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it) __ksym;
void bpf_iter_css_destroy(struct bpf_iter_css *it) __ksym;
int bpf_iter_css_task_new(struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
			  unsigned flags) __ksym;
struct task_struct *bpf_iter_css_task_next(struct bpf_iter_css_task *it) __ksym;
void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

#define kptr __attribute__((btf_type_tag("kptr")))

/* An open-coded iterator, which is ended whenever the loop is left. */
#define bpf_for_each(kind, element, args...)                                                 \
	for (struct bpf_iter_##kind it_ __attribute__((cleanup(bpf_iter_##kind##_destroy))), \
	     *begin_ __attribute__((unused)) =                                               \
		     ((void)bpf_iter_##kind##_destroy, /* or it is a weak symbol */          \
		      bpf_iter_##kind##_new(&it_, ##args), (void *)0);                       \
	     (element = bpf_iter_##kind##_next(&it_));)

struct kept {
	struct task_struct kptr *task;
	struct cgroup kptr *group;
	struct bpf_cpumask kptr *mask;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept);
} keeper SEC(".maps");

/* CPUs 0 and 1 are there everywhere, or the program is not run. */
SEC("syscall")
int masks(struct seen *seen)
{
	struct bpf_cpumask *a = bpf_cpumask_create(), *b, *c;
	u64 *out = seen->out;

	if (!a)
		return 1;
	b = bpf_cpumask_create();
	if (!b) {
		bpf_cpumask_release(a);
		return 2;
	}
	out[0] = bpf_cpumask_weight((struct cpumask *)a) << 8 |
		 bpf_cpumask_empty((struct cpumask *)a) << 4 |
		 bpf_cpumask_full((struct cpumask *)a);
	bpf_cpumask_set_cpu(1, a);
	bpf_cpumask_set_cpu(100000, a);
	out[1] = bpf_cpumask_first((struct cpumask *)a) << 16 |
		 bpf_cpumask_first_zero((struct cpumask *)a) << 8 |
		 bpf_cpumask_test_cpu(1, (struct cpumask *)a) << 4 |
		 bpf_cpumask_test_cpu(0, (struct cpumask *)a);
	out[2] = bpf_cpumask_test_and_set_cpu(0, b) << 12 |
		 bpf_cpumask_test_and_set_cpu(0, b) << 8 |
		 bpf_cpumask_test_and_clear_cpu(1, b) << 4 |
		 bpf_cpumask_intersects((struct cpumask *)a, (struct cpumask *)b);
	out[3] = bpf_cpumask_subset((struct cpumask *)a, (struct cpumask *)b) << 8 |
		 bpf_cpumask_equal((struct cpumask *)a, (struct cpumask *)b) << 4;
	bpf_cpumask_or(a, (struct cpumask *)a, (struct cpumask *)b);
	out[3] |= bpf_cpumask_weight((struct cpumask *)a) << 16 |
		  bpf_cpumask_subset((struct cpumask *)b, (struct cpumask *)a);
	bpf_cpumask_xor(b, (struct cpumask *)a, (struct cpumask *)b);
	out[4] = bpf_cpumask_first((struct cpumask *)b) << 8 |
		 bpf_cpumask_first_and((struct cpumask *)a, (struct cpumask *)b) << 4 |
		 bpf_cpumask_and(b, (struct cpumask *)a, (struct cpumask *)b);
	out[5] = (bpf_cpumask_any_distribute((struct cpumask *)a) !=
		  bpf_cpumask_any_distribute((struct cpumask *)a))
			 << 8 |
		 bpf_cpumask_any_and_distribute((struct cpumask *)a, (struct cpumask *)b);
	bpf_cpumask_setall(a);
	bpf_cpumask_copy(b, (struct cpumask *)a);
	bpf_cpumask_clear_cpu(0, b);
	out[6] = bpf_cpumask_full((struct cpumask *)a) << 12 |
		 (bpf_cpumask_weight((struct cpumask *)a) - bpf_cpumask_weight((struct cpumask *)b))
			 << 8 |
		 bpf_cpumask_first((struct cpumask *)b);
	c = bpf_cpumask_acquire(a);
	bpf_cpumask_release(a);
	bpf_cpumask_clear(c);
	out[6] |= bpf_cpumask_empty((struct cpumask *)c) << 4;
	bpf_cpumask_release(b);
	bpf_cpumask_release(c);
	return 0;
}

/* Memory of a program's own is as good as a mask. */
SEC("syscall")
int plain_masks(struct seen *seen)
{
	u64 words[32] = { 5, 7 };
	struct bpf_cpumask mine = {};
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!mask)
		return 1;
	seen->out[0] = bpf_cpumask_first((struct cpumask *)&mine) > 1;
	bpf_cpumask_set_cpu(1, &mine);
	seen->out[1] = bpf_cpumask_first((struct cpumask *)&mine);
	seen->out[2] = bpf_cpumask_populate((struct cpumask *)mask, words, sizeof(words));
	seen->out[3] = bpf_cpumask_test_cpu(0, (struct cpumask *)mask) << 4 |
		       bpf_cpumask_test_cpu(1, (struct cpumask *)mask);
	seen->out[4] = (u32)bpf_cpumask_populate((struct cpumask *)mask, words, 1);
	bpf_cpumask_or(&mine, (struct cpumask *)&mine, (struct cpumask *)mask);
	seen->out[5] = bpf_cpumask_test_cpu(0, (struct cpumask *)&mine) << 4 |
		       bpf_cpumask_test_cpu(1, (struct cpumask *)&mine);
	bpf_cpumask_release(mask);
	return 0;
}

static void describe(struct task_struct *task, u64 *out)
{
	out[0] = (u64)task->tgid << 32 | (u32)task->pid;
	__builtin_memcpy(&out[1], task->comm, 8);
	out[2] = task->start_boottime != 0;
}

SEC("syscall")
int task_by_pid(struct seen *seen)
{
	struct task_struct *task = bpf_task_from_pid((s32)seen->in), *same;

	if (!task)
		return 1;
	describe(task, seen->out);
	bpf_rcu_read_lock();
	seen->out[3] = task->real_parent->tgid;
	bpf_rcu_read_unlock();
	same = bpf_task_acquire(task);
	bpf_task_release(task);
	if (!same)
		return 2;
	seen->out[4] = same->pid;
	bpf_rcu_read_lock();
	seen->out[5] = bpf_cpumask_weight(same->cpus_ptr) != 0;
	bpf_rcu_read_unlock();
	bpf_task_release(same);
	same = bpf_task_from_vpid((s32)seen->in);
	if (!same)
		return 3;
	seen->out[6] = same->pid;
	bpf_task_release(same);
	return 0;
}

SEC("syscall")
int current_task(struct seen *seen)
{
	struct task_struct *task = bpf_task_acquire(bpf_get_current_task_btf());
	struct cgroup *group;

	if (!task)
		return 1;
	describe(task, seen->out);
	seen->out[3] = task->tgid == bpf_get_current_pid_tgid() >> 32;
	group = bpf_task_get_cgroup1(task, (int)seen->in);
	if (group) {
		seen->out[4] = group->kn->id;
		bpf_cgroup_release(group);
	}
	bpf_task_release(task);
	return 0;
}

/* What was kept is what comes out; what was there before is given back. */
SEC("syscall")
int keep(struct seen *seen)
{
	struct task_struct *task = bpf_task_from_pid((s32)seen->in);
	struct bpf_cpumask *mask = bpf_cpumask_create();
	u32 key = 0;
	struct kept *kept = bpf_map_lookup_elem(&keeper, &key);

	if (task && kept)
		task = bpf_kptr_xchg(&kept->task, task);
	seen->out[0] = task ? task->pid : 0;
	if (task)
		bpf_task_release(task);
	if (mask)
		bpf_cpumask_set_cpu(1, mask);
	if (mask && kept)
		mask = bpf_kptr_xchg(&kept->mask, mask);
	seen->out[1] = mask ? bpf_cpumask_first((struct cpumask *)mask) + 1 : 0;
	if (mask)
		bpf_cpumask_release(mask);
	return 0;
}

SEC("syscall")
int look_at_kept(struct seen *seen)
{
	u32 key = 0;
	struct kept *kept = bpf_map_lookup_elem(&keeper, &key);
	struct bpf_cpumask *mask;
	struct task_struct *task;

	if (!kept)
		return 1;
	bpf_rcu_read_lock();
	task = kept->task;
	if (task)
		describe(task, seen->out);
	mask = kept->mask;
	if (mask) {
		bpf_cpumask_set_cpu(0, mask);
		seen->out[3] = bpf_cpumask_weight((struct cpumask *)mask);
	}
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
int group_by_id(struct seen *seen)
{
	struct cgroup *group = bpf_cgroup_from_id(seen->in), *above;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 name = 0;

	if (!group)
		return 1;
	seen->out[0] = group->kn->id;
	seen->out[1] = group->level;
	bpf_probe_read_kernel_str(&name, sizeof(name), group->kn->name);
	seen->out[2] = name;
	above = bpf_cgroup_ancestor(group, 0);
	if (above) {
		seen->out[3] = above->kn->id;
		seen->out[4] = bpf_task_under_cgroup(task, above);
		bpf_cgroup_release(above);
	}
	above = bpf_cgroup_ancestor(group, group->level + 1);
	if (above) {
		bpf_cgroup_release(above);
		seen->out[5] = 1;
	}
	above = bpf_cgroup_acquire(group);
	bpf_cgroup_release(group);
	if (above) {
		seen->out[6] = above->kn->id;
		bpf_cgroup_release(above);
	}
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} stored SEC(".maps");

SEC("syscall")
int group_storage(struct seen *seen)
{
	struct cgroup *group = bpf_cgroup_from_id(seen->in), *root;
	u64 first = 40, *value;

	if (!group)
		return 1;
	seen->out[0] = bpf_cgrp_storage_get(&stored, group, NULL, 0) != NULL;
	value = bpf_cgrp_storage_get(&stored, group, &first, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (value)
		seen->out[1] = ++*value;
	root = bpf_cgroup_ancestor(group, 0);
	if (root) {
		value = bpf_cgrp_storage_get(&stored, root, NULL, 0);
		if (value)
			seen->out[2] = *value;
		seen->out[3] = bpf_cgrp_storage_delete(&stored, root);
		seen->out[4] = bpf_cgrp_storage_delete(&stored, root);
		bpf_cgroup_release(root);
	}
	bpf_cgroup_release(group);
	return 0;
}

/* From here on: only in a hive. in: a process. */
SEC("syscall")
int tasks(struct seen *seen)
{
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_for_each(task, task, NULL, 0)
	{
		seen->out[0]++;
		seen->out[1] += task->pid == (s32)seen->in;
		seen->out[2] += task->pid != task->tgid;
	}
	bpf_for_each(task, task, NULL, 1) seen->out[3] += task->tgid == (s32)seen->in;
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
int threads(struct seen *seen)
{
	struct task_struct *of = bpf_task_from_pid((s32)seen->in), *task;

	if (!of)
		return 1;
	bpf_rcu_read_lock();
	bpf_for_each(task, task, of, 2)
	{
		struct task_struct *same = bpf_task_acquire(task);

		seen->out[0]++;
		if (same) {
			seen->out[1] += same->tgid == of->tgid;
			seen->out[2] += same->pid;
			bpf_task_release(same);
		}
	}
	bpf_rcu_read_unlock();
	bpf_task_release(of);
	return 0;
}

SEC("syscall")
int areas(struct seen *seen)
{
	struct task_struct *task = bpf_task_from_pid((s32)seen->in);
	struct vm_area_struct *area;

	if (!task)
		return 1;
	bpf_for_each(task_vma, area, task, 0)
	{
		seen->out[0]++;
		seen->out[1] += area->vm_end - area->vm_start;
		seen->out[2] ^= area->vm_start * 31 + area->vm_end;
		seen->out[3] += (area->vm_flags & 4) != 0;
		if (area->vm_file)
			seen->out[4] ^= area->vm_file->f_inode->i_ino;
	}
	bpf_task_release(task);
	return 0;
}

static long note_area(struct task_struct *task, struct vm_area_struct *area, struct seen *seen)
{
	seen->out[0] = area->vm_start;
	seen->out[1] = area->vm_end;
	seen->out[2] = task->pid;
	return 0;
}

/* in: a cgroup's id */
SEC("syscall")
int groups(struct seen *seen)
{
	struct cgroup *start = bpf_cgroup_from_id(seen->in);
	struct cgroup_subsys_state *css;
	struct task_struct *task;
	u64 last = 0;

	if (!start)
		return 1;
	bpf_rcu_read_lock();
	bpf_for_each(css, css, &start->self, 2)
	{
		seen->out[0]++;
		seen->out[1] ^= css->cgroup->kn->id;
		if (!seen->out[2])
			seen->out[2] = css->cgroup->kn->id;
	}
	bpf_for_each(css, css, &start->self, 3)
	{
		seen->out[3]++;
		last = css->cgroup->kn->id;
	}
	bpf_for_each(css, css, &start->self, 4) seen->out[5] = css->cgroup->level;
	bpf_rcu_read_unlock();
	seen->out[4] = last;
	bpf_for_each(css_task, task, &start->self, 1) seen->out[6]++;
	bpf_cgroup_release(start);
	return 0;
}

/* In the process that makes the call. */
struct seen inside;
unsigned long long wanted_address;
int wanted_pid;

SEC("tp/syscalls/sys_enter_getpriority")
int in_process(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf(), *other;
	struct vm_area_struct *area;
	struct bpf_cpumask *mask;
	struct seen found = {};

	if (task->tgid != wanted_pid)
		return 0;
	inside.out[3] = (u64)bpf_find_vma(task, wanted_address, note_area, &found, 0);
	inside.out[0] = found.out[0];
	inside.out[1] = found.out[1];
	inside.out[2] = found.out[2];
	bpf_for_each(task_vma, area, task, wanted_address) inside.out[4]++;
	mask = bpf_cpumask_create();
	if (mask) {
		bpf_cpumask_copy(mask, task->cpus_ptr);
		inside.out[5] = bpf_cpumask_weight((struct cpumask *)mask);
		bpf_cpumask_release(mask);
	}
	inside.in = bpf_strncmp(task->comm, 6, "kernel") == 0;
	other = bpf_task_from_pid(task->real_parent->tgid);
	if (other) {
		inside.out[6] = other->pid;
		bpf_task_release(other);
	}
	return 0;
}

/* A name as a helper's memory, of a task that the event does not show: its name is empty. */
int forked;

SEC("tp_btf/sched_process_fork")
int BPF_PROG(named, struct task_struct *parent, struct task_struct *child)
{
	forked = bpf_strncmp(parent->comm, 1, "") == 0 ? 1 : 2;
	return 0;
}

char _license[] SEC("license") = "GPL";
