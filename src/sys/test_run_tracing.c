/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TEST_RUN of programs on functions. fentry, fexit and fmod_ret are run as by 6.18: the command
 * calls the kernel's own test functions with fixed arguments (bpf_prog_test_run_tracing() in
 * net/bpf/test_run.c), and whatever is attached to them runs. They are here again, with the results
 * that the kernel expects of them. LSM programs, which 6.18 cannot run, get their arguments from
 * the client.
 */
#include "sys/test_run.h"
#include "sys/tracing.h"

#include <errno.h>
#include <string.h>

struct test_function {
	const char *name;
	u64 args[RT_TRAMPOLINE_ARGS];
	u64 result; /* of the function itself */
};

/* Arguments that point to the caller's memory are 0: it is not the program's to read. */
static const struct test_function entry_tests[] = {
	{ "bpf_fentry_test1", { 1 }, 2 },
	{ "bpf_fentry_test2", { 2, 3 }, 5 },
	{ "bpf_fentry_test3", { 4, 5, 6 }, 15 },
	{ "bpf_fentry_test4", { 7, 8, 9, 10 }, 34 },
	{ "bpf_fentry_test5", { 11, 12, 13, 14, 15 }, 65 },
	{ "bpf_fentry_test6", { 16, 17, 18, 19, 20, 21 }, 111 },
	{ "bpf_fentry_test7", { 0 }, 0 },
	{ "bpf_fentry_test8", { 0 }, 0 },
	{ "bpf_fentry_test9", { 0 }, 0 },
	{ "bpf_fentry_test10", { 0 }, 0 },
};

static const struct test_function modify_tests[] = {
	{ "bpf_modify_return_test", { 1, 0 }, 4 },
	{ "bpf_modify_return_test2", { 1, 0, 3, 4, 5, 6, 7 }, 29 },
};

bool sys_test_function(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(entry_tests); i++)
		if (!strcmp(entry_tests[i].name, name))
			return true;
	for (u32 i = 0; i < ARRAY_SIZE(modify_tests); i++)
		if (!strcmp(modify_tests[i].name, name))
			return true;
	return false;
}

/* A call in progress. */
struct calling {
	const struct test_function *function;
	bool was_called;
};

static u64 call_itself(void *arg, const u64 *args)
{
	struct calling *calling = arg;

	calling->was_called = true;
	return calling->function->result;
}

static u64 call_function(struct sys_hive *hive, struct rt_vcpu *vcpu, struct calling *calling)
{
	const struct test_function *function = calling->function;
	u32 id = btf_find(hive->kernel_btf->btf, function->name, BTF_KIND_FUNC);
	const struct rt_trampoline *trampoline = id ? sys_tracing_of_kernel(hive, id) : NULL;

	calling->was_called = false;
	if (!trampoline)
		return call_itself(calling, function->args);
	return rt_trampoline_run(trampoline, vcpu, function->args, call_itself, calling);
}

/* All return what they must, or -EFAULT. */
static int call_entry_tests(struct sys_hive *hive, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < ARRAY_SIZE(entry_tests); i++) {
		struct calling calling = { &entry_tests[i], false };

		/* The functions return ints. */
		if ((u32)call_function(hive, vcpu, &calling) != entry_tests[i].result)
			return -EFAULT;
	}
	return 0;
}

/* The sum of the results, and how many of the functions were really called, from bit 16 on. */
static u32 call_modify_tests(struct sys_hive *hive, struct rt_vcpu *vcpu)
{
	u32 called = 0;
	u16 sum = 0;

	for (u32 i = 0; i < ARRAY_SIZE(modify_tests); i++) {
		struct calling calling = { &modify_tests[i], false };

		sum = (u16)(sum + call_function(hive, vcpu, &calling));
		called += calling.was_called;
	}
	return called << 16 | sum;
}

long test_run_function(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct rt_vcpu *vcpu;
	u32 result = 0;
	int error;

	if (attr->test.flags || attr->test.cpu || attr->test.batch_size)
		return -EINVAL;
	switch (prog->expected_attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN: break;
	default: return -EFAULT;
	}
	sys_kernel_btf_load(call->hive);
	if (!call->hive->kernel_btf)
		return -EFAULT;
	vcpu = test_vcpu_begin(call);
	if (!vcpu)
		return -EBUSY;
	error = 0;
	if (prog->expected_attach_type == BPF_MODIFY_RETURN)
		result = call_modify_tests(call->hive, vcpu);
	else
		error = call_entry_tests(call->hive, vcpu);
	if (test_vcpu_end(vcpu))
		error = -EINTR;
	call->attr.test.retval = result;
	return error ? error : sys_write_attr(call, test.retval);
}

/* What a hook's program sees: the number of words, the words. */
struct hook_ctx {
	u64 nr;
	u64 args[RT_TRAMPOLINE_ARGS + 1];
};

/* 0, or -EINVAL: a pointer to a structure must be 0, as the program would follow it. */
static int check_pointers(const struct btf *btf, const struct btf_type *proto, const u64 *args)
{
	for (u32 i = 0; i < btf_vlen_of(proto); i++) {
		const struct btf_type *type =
			btf_skip_modifiers(btf, btf_params_of(proto)[i].type, NULL);

		if (type && btf_kind_of(type) == BTF_KIND_PTR && args[i]) {
			u32 kind = btf_kind_of(btf_skip_modifiers(btf, type->type, NULL));

			if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
				return -EINVAL;
		}
	}
	return 0;
}

long test_run_hook(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	const struct btf *btf = prog->hive->kernel_btf->btf;
	const struct btf_type *proto = btf_func_proto(btf, prog->attach_btf_id);
	struct hook_ctx ctx = { .nr = btf_vlen_of(proto) };
	u32 size = attr->test.ctx_size_in;
	int error;

	if (attr->test.data_in || attr->test.data_out || attr->test.data_size_in ||
	    attr->test.data_size_out)
		return -ABI_ENOTSUPP;
	if (attr->test.flags || attr->test.cpu || attr->test.batch_size || attr->test.ctx_out)
		return -EINVAL;
	/* The arguments, and the result so far for those who look at it. */
	if (size % sizeof(u64) || size < prog->max_ctx_offset || size > (ctx.nr + 1) * sizeof(u64))
		return -EINVAL;
	error = sys_read(call, ctx.args, attr->test.ctx_in, size);
	if (!error)
		error = check_pointers(btf, proto, ctx.args);
	if (!error)
		error = test_run(call, prog, ctx.args);
	if (error)
		return error;
	return sys_write_attr(call, test.retval) || sys_write_attr(call, test.duration) ? -EFAULT
											: 0;
}

/* The structure that test runs of bpf_dummy_ops pass, struct bpf_dummy_ops_state. */
struct dummy_state {
	s32 val;
};

/* 0, or -EINVAL for a null pointer that the program takes to be none. */
static int check_nulls(const struct btf *btf, const struct btf_type *proto, const char *member,
		       const u64 *args)
{
	for (u32 i = 0; i < btf_vlen_of(proto); i++) {
		const struct btf_type *type =
			btf_skip_modifiers(btf, btf_params_of(proto)[i].type, NULL);

		/* The kernel's stub says it of the first one alone. */
		if (type && btf_kind_of(type) == BTF_KIND_PTR && !args[i] &&
		    strcmp(member, "test_1"))
			return -EINVAL;
	}
	return 0;
}

/* The prototype of the member that the program is, and the member's name. */
static const struct btf_type *member_of(const struct sys_prog *prog, const char **ret_name)
{
	const struct btf *btf = prog->hive->kernel_btf->btf;
	const struct btf_type *type = btf_type_by_id(btf, prog->attach_btf_id);
	const struct btf_member *member = &btf_members_of(type)[prog->expected_attach_type];

	*ret_name = btf_string(btf, member->name_off);
	type = btf_skip_modifiers(btf, member->type, NULL);
	return btf_skip_modifiers(btf, type->type, NULL);
}

/* The state lies in the arena while the program runs: it reads and writes it there. */
static int run_on_state(struct sys_call *call, struct sys_prog *prog, u64 *args)
{
	struct arena *arena = call->hive->options.arena;
	struct dummy_state *state;
	u64 address = args[0];
	int error = 0;

	state = arena_alloc(arena, ARENA_CONTROL, sizeof(*state), 8);
	if (!state)
		return -ENOMEM;
	if (address) {
		error = sys_read(call, state, address, sizeof(*state));
		args[0] = (u64)(uintptr_t)state;
	}
	if (!error)
		error = test_run(call, prog, args);
	if (!error && address)
		error = sys_write(call, address, state, sizeof(*state));
	arena_release(arena, ARENA_CONTROL, state, sizeof(*state));
	return error;
}

long test_run_struct_ops(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	const struct btf *btf = prog->hive->kernel_btf->btf;
	const char *structure = btf_type_name(btf, prog->attach_btf_id), *member;
	const struct btf_type *proto = member_of(prog, &member);
	u64 args[RT_TRAMPOLINE_ARGS] = { 0 };
	int error;

	/* Only these are made to be run by hand. */
	if (strcmp(structure, "bpf_dummy_ops"))
		return -EOPNOTSUPP;
	if (attr->test.ctx_size_in != btf_vlen_of(proto) * sizeof(u64))
		return -EINVAL;
	error = sys_read(call, args, attr->test.ctx_in, attr->test.ctx_size_in);
	if (!error)
		error = check_nulls(btf, proto, member, args);
	/* Whatever else is asked for is not looked at. */
	call->attr.test.repeat = 1;
	if (!error)
		error = run_on_state(call, prog, args);
	return error ? error : sys_write_attr(call, test.retval);
}
