/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks, cgroups, CPU masks and iterators of programs, with pointers to anywhere and with any bytes
 * where their state and images are: nothing is reached that is not theirs, and nothing is left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "harness/tap.h"
#include "object_env.h"
#include "rt/file.h"
#include "rt/kernel_object.h"
#include "rt/kfunc.h"
#include "rt/task_model.h"

#define ROUNDS	  (UNDER_SANITIZER ? 150 : 400)
#define TYPE_SIZE RT_OBJECT_KERNEL_MAX

/* Structures of words: which member is where does not matter, but that all are there. */
static struct rt_task_layout layout = {
	.task_size = 256,
	.cred_size = 64,
	.pid = 0,
	.tgid = 4,
	.comm = 8,
	.group_leader = 24,
	.parent = 32,
	.real_parent = 40,
	.start_time = 48,
	.start_boottime = 56,
	.cred = 64,
	.real_cred = 72,
	.uid = 0,
	.gid = 4,
	.euid = 8,
	.egid = 12,
	.cpus_mask = 80,
	.cpus_ptr = 120,
	.cgroup_size = 128,
	.node_size = 64,
	.cgroup_self = 0,
	.cgroup_level = 8,
	.cgroup_node = 16,
	.node_id = 0,
	.node_name = 8,
	.css_cgroup = 0,
	.vma_size = 64,
	.file_size = 64,
	.inode_size = 64,
	.dentry_size = 64,
	.super_size = 64,
	.vma_start = 0,
	.vma_end = 8,
	.vma_flags = 16,
	.vma_offset = 24,
	.vma_file = 32,
	.file_inode = 0,
	.file_path = 8,
	.file_dentry = 16,
	.inode_number = 0,
	.inode_super = 8,
	.super_device = 0,
	.dentry_inode = 0,
	.dentry_name = 8,
	.dentry_name_length = 16,
};

static u64 seed = 1;

static u64 call(struct rt_vcpu *vcpu, u32 kfunc, u64 r1, u64 r2, u64 r3)
{
	return rt_kfuncs[kfunc](r1, r2, r3, 0, 0, vcpu);
}

#define CALL(name, ...) call(vcpu, ABI_KFUNC_##name, __VA_ARGS__)

/* The end of a program, and the next one: what was dropped can be used again. */
static void rest(struct rt_vcpu *vcpu)
{
	struct rt_task task = vcpu->task;
	u32 call_arg = vcpu->call_arg;

	for (u32 i = 0; i < 3; i++) {
		rt_vcpu_release(vcpu);
		if (rt_vcpu_acquire_slot(vcpu->owner, vcpu->index) != vcpu)
			tap_bail("no vCPU");
	}
	vcpu->task = task;
	vcpu->call_arg = call_arg;
}

/* Where a wrong pointer may point to. */
static u64 anywhere(const struct object_env *env)
{
	const struct rt_object_class *class = &env->heap->class[RT_OBJECT_KERNEL + 1];

	switch (env_random(&seed) % 7) {
	case 0: return 0;
	case 1: return env_random(&seed);
	case 2: return class->first + env_random(&seed) % ((u64) class->nr * class->stride);
	case 3: return class->first + env_random(&seed) % class->nr * class->stride;
	case 4: return RT_DATA_BASE + RT_CONTROL->data_size - env_random(&seed) % 64;
	case 5: return RT_CONTROL_BASE + env_random(&seed) % 4096;
	default: return RT_PRIVATE_BASE + env_random(&seed) % 65536;
	}
}

static void test_pointers(struct object_env *env, struct rt_vcpu *vcpu)
{
	static const u32 acquire[] = { ABI_KFUNC_bpf_task_acquire, ABI_KFUNC_bpf_cgroup_acquire };
	u64 held[ROUNDS] = { 0 };

	for (u32 i = 0; i < ROUNDS; i++) {
		held[i] = call(vcpu, acquire[i % 2], anywhere(env), 0, 0);
		if (held[i] && !rt_object_in_class(RT_OBJECT_KERNEL + 1, held[i]))
			tap_bail("an object that is none");
		CALL(bpf_cgroup_ancestor, anywhere(env), 0, 0);
		CALL(bpf_task_under_cgroup, anywhere(env), anywhere(env), 0);
		if (held[i])
			CALL(bpf_task_release, held[i], 0, 0);
		rest(vcpu);
	}
	tap_ok(true, "pointers to anywhere are followed nowhere");
}

static void test_masks(struct object_env *env, struct rt_vcpu *vcpu)
{
	static const u32 changing[] = { ABI_KFUNC_bpf_cpumask_setall, ABI_KFUNC_bpf_cpumask_clear,
					ABI_KFUNC_bpf_cpumask_copy, ABI_KFUNC_bpf_cpumask_and };
	u8 before[256];
	u64 mask = CALL(bpf_cpumask_create, 0, 0, 0);

	tap_ok(mask, "a mask");
	memcpy(before, (void *)RT_CONTROL, sizeof(before));
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 wrong = RT_CONTROL_BASE + env_random(&seed) % 128;

		call(vcpu, changing[i % 4], wrong, mask, mask);
		CALL(bpf_cpumask_set_cpu, env_random(&seed) % 64, wrong, 0);
		CALL(bpf_cpumask_weight, anywhere(env), 0, 0);
		CALL(bpf_cpumask_populate, wrong, mask, 8);
	}
	tap_ok(!memcmp(before, (void *)RT_CONTROL, sizeof(before)), "only masks are changed");
	CALL(bpf_cpumask_set_cpu, 1, mask, 0);
	tap_is(CALL(bpf_cpumask_first, mask, 0, 0), 1, "a bit");
	CALL(bpf_cpumask_set_cpu, 64, mask, 0);
	tap_is(CALL(bpf_cpumask_weight, mask, 0, 0), 1, "a CPU that there is not");
	CALL(bpf_cpumask_acquire, RT_CONTROL_BASE, 0, 0);
	tap_ok(vcpu->aborted, "a reference to something else ends the program");
	vcpu->aborted = false;
	CALL(bpf_cpumask_release, mask, 0, 0);
}

static void scribble(u64 object)
{
	struct rt_iterator *it = (struct rt_iterator *)object;
	u32 from = (u32)(env_random(&seed) % sizeof(*it)), nr = 1 + (u32)env_random(&seed) % 64;

	for (u32 i = from; i < from + nr && i < sizeof(*it); i++)
		((u8 *)object)[i] = (u8)env_random(&seed);
}

/* Iterators whose state is scribbled over before each element. */
static void test_iterators(struct object_env *env, struct rt_vcpu *vcpu)
{
	static const struct {
		u32 new, next, destroy;
	} kinds[] = {
		{ ABI_KFUNC_bpf_iter_task_new, ABI_KFUNC_bpf_iter_task_next,
		  ABI_KFUNC_bpf_iter_task_destroy },
		{ ABI_KFUNC_bpf_iter_task_vma_new, ABI_KFUNC_bpf_iter_task_vma_next,
		  ABI_KFUNC_bpf_iter_task_vma_destroy },
		{ ABI_KFUNC_bpf_iter_css_new, ABI_KFUNC_bpf_iter_css_next,
		  ABI_KFUNC_bpf_iter_css_destroy },
		{ ABI_KFUNC_bpf_iter_css_task_new, ABI_KFUNC_bpf_iter_css_task_next,
		  ABI_KFUNC_bpf_iter_css_task_destroy },
	};
	u64 task = CALL(bpf_task_from_pid, (u64)getpid(), 0, 0);
	u64 root = CALL(bpf_cgroup_from_id, 1, 0, 0), outside = 0, given = 0;

	for (u32 i = 0; i < ROUNDS / 4 * ARRAY_SIZE(kinds); i++) {
		u32 kind = i % ARRAY_SIZE(kinds);
		bool css = kind >= 2;
		u64 slot[3] = { 0 };

		call(vcpu, kinds[kind].new, (u64)slot,
		     css ? rt_cgroup_css(env_random(&seed) % 8 ? root : anywhere(env)) : task,
		     kind == 2 ? 2 + env_random(&seed) % 3 : env_random(&seed) % 2);
		for (u32 n = 0; slot[0] && n < 6; n++) {
			u64 element;

			if (n)
				scribble(slot[0]);
			element = call(vcpu, kinds[kind].next, (u64)slot, 0, 0);
			given += element != 0;
			outside += element && element - slot[0] >= TYPE_SIZE;
		}
		call(vcpu, kinds[kind].destroy, (u64)slot, 0, 0);
		rest(vcpu);
	}
	tap_ok(given > ROUNDS / 4, "iterators give something (%llu)", (unsigned long long)given);
	tap_is(outside, 0, "and that is their own");
	CALL(bpf_task_release, task, 0, 0);
	if (root)
		CALL(bpf_cgroup_release, root, 0, 0);
}

/* What an image says of its path is text of anybody's. */
static void test_paths(struct object_env *env, struct rt_vcpu *vcpu)
{
	static const char *const paths[] = { "/../../..", "/..", "//", "etc", "/a/./b", "/" };
	struct rt_cgroup group = { .id = 1 }, read;
	u64 image = rt_kernel_object_new(rt_cgroup_image_size(), vcpu);
	u32 wrong = 0;

	if (!image)
		tap_bail("no object");

	for (u32 i = 0; i < ARRAY_SIZE(paths); i++) {
		memset(&group, 0, sizeof(group));
		strcpy(group.path, paths[i]);
		wrong += rt_cgroup_check(&group);
		strcpy(group.mount, "../..");
		group.path[0] = '\0';
		wrong += rt_cgroup_check(&group);
	}
	tap_is(wrong, 0, "paths that lead elsewhere name nothing");
	for (u32 i = 0; i < ROUNDS; i++) {
		group.id = 0x123456789a;
		for (u32 c = 0; c < RT_CGROUP_PATH; c++)
			group.path[c] = "/.ab"[env_random(&seed) % 4];
		memset(group.mount, 'x', sizeof(group.mount));
		rt_cgroup_build((u8 *)image, &group);
		wrong += i < 4 && rt_cgroup_read(image, vcpu, &read);
	}
	tap_is(wrong, 0, "nor do images of what there is not");
	rt_kernel_object_release(image, vcpu);
}

/* The file that a task runs, and a path that is none of such a file's. */
static void test_files(struct object_env *env, struct rt_vcpu *vcpu)
{
	char link[512] = { 0 }, text[512], small[4];
	u64 task = CALL(bpf_task_from_pid, (u64)getpid(), 0, 0);
	u64 file = CALL(bpf_get_task_exe_file, task, 0, 0), path = file + layout.file_path;
	ssize_t length = readlink("/proc/self/exe", link, sizeof(link) - 1);

	tap_ok(file && length > 0, "a task's executable");
	tap_is(CALL(bpf_path_d_path, path, (u64)text, sizeof(text)), (u64)length + 1, "its path");
	tap_ok(!strcmp(text, link), "is that which /proc shows");
	tap_is((s32)CALL(bpf_path_d_path, path, (u64)small, sizeof(small)), -ENAMETOOLONG,
	       "in a small buffer");
	tap_is((s32)CALL(bpf_path_d_path, path, 0, 0), -EINVAL, "in none");
	memset((u8 *)file + rt_file_image_size(), 'x', TYPE_SIZE - rt_file_image_size());
	tap_is((s32)CALL(bpf_path_d_path, path, (u64)text, sizeof(text)), -ENAMETOOLONG,
	       "scribbled over");
	for (u32 i = 0; i < ROUNDS; i++)
		CALL(bpf_path_d_path, anywhere(env) + layout.file_path, (u64)text, sizeof(text));
	tap_is(CALL(bpf_get_task_exe_file, 0, 0, 0), 0, "no task has none");
	rest(vcpu);
	tap_is((s32)CALL(bpf_path_d_path, (u64)link, (u64)text, sizeof(text)), -ENOENT,
	       "of something else");
	CALL(bpf_put_file, file, 0, 0);
	CALL(bpf_task_release, task, 0, 0);
	rest(vcpu);
}

int main(void)
{
	struct object_env env;
	struct rt_vcpu *vcpu;
	struct rt_object_type *type;

	object_env_new(&env, 2, 4 << 20);
	type = arena_alloc(env.arena, ARENA_CONTROL, sizeof(*type), 64);
	*type = (struct rt_object_type){ .index = 9,
					 .size = TYPE_SIZE,
					 .class = RT_OBJECT_KERNEL + 1,
					 .percpu_class = RT_OBJECT_CLASSES };
	env.heap->types[9] = type;
	RT_CONTROL->task_layout = &layout;
	vcpu = env_vcpu();
	vcpu->task = (struct rt_task){ .pid = (u32)getpid(), .tgid = (u32)getpid() };
	vcpu->call_arg = 9;
	test_pointers(&env, vcpu);
	test_masks(&env, vcpu);
	test_iterators(&env, vcpu);
	test_paths(&env, vcpu);
	test_files(&env, vcpu);
	tap_is(rt_objects_in_use(), 0, "nothing is left");
	RT_CONTROL->task_layout = NULL;
	rt_vcpu_release(vcpu);
	arena_release(env.arena, ARENA_CONTROL, type, sizeof(*type));
	object_env_close(&env);
	arena_free(env.arena);
	return tap_done();
}
