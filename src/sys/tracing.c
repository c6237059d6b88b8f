/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on functions: of other programs, where they really run (rt/trampoline.h), and of the
 * kernel, of which a hive has those that test runs call. Facts of Linux 6.18:
 * bpf_tracing_prog_attach() in kernel/bpf/syscall.c, __bpf_trampoline_link_prog() in
 * kernel/bpf/trampoline.c.
 *
 * What the data plane reads is one trampoline for each function, made anew at each change and given
 * back after a grace period.
 */
#include "sys/tracing.h"
#include "abi/ksym.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum place { AT_ENTRY, AT_MODIFY, AT_EXIT, NR_PLACES };

/* A trampoline in the control segment, until nobody reads it any more. */
struct published {
	struct sys_deferred deferred;
	struct arena *arena;
	struct rt_trampoline *rt;
};

struct sys_function {
	struct sys_function *next;
	struct sys_hive *hive;
	struct sys_prog *prog; /* NULL: of the kernel; the links hold it */
	u32 btf_id, subprog, nr_args;
	bool hides_ctx;
	struct sys_link *extension;
	struct sys_link *links[NR_PLACES][RT_TRAMPOLINE_LINKS]; /* newest first */
	u32 nr[NR_PLACES];
	struct published *published;
};

static enum place place_of(const struct sys_prog *prog)
{
	switch (prog->expected_attach_type) {
	case BPF_TRACE_FENTRY: return AT_ENTRY;
	case BPF_MODIFY_RETURN: return AT_MODIFY;
	case BPF_LSM_MAC: return AT_MODIFY;
	default: return AT_EXIT;
	}
}

static struct sys_function **list_of(struct sys_hive *hive, struct sys_prog *prog)
{
	return prog ? &prog->functions : &hive->functions;
}

static struct sys_function *find(struct sys_hive *hive, struct sys_prog *prog, u32 btf_id)
{
	struct sys_function *function = *list_of(hive, prog);

	while (function && function->btf_id != btf_id)
		function = function->next;
	return function;
}

/* How many words a function's arguments take. */
static u32 words(const struct btf *btf, const struct btf_type *proto)
{
	u32 nr = 0;

	for (u32 i = 0; i < btf_vlen_of(proto); i++) {
		const struct btf_type *type =
			btf_skip_modifiers(btf, btf_params_of(proto)[i].type, NULL);

		nr += !type || btf_kind_of(type) == BTF_KIND_PTR ? 1 : (type->size + 7) / 8;
	}
	return nr < RT_TRAMPOLINE_ARGS ? nr : RT_TRAMPOLINE_ARGS;
}

/* Contexts that look to programs as they do to the kernel's code. */
static bool has_kernel_form(u32 prog_type)
{
	switch (prog_type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_TRACING: return true;
	default: return false;
	}
}

static struct sys_function *make(struct sys_hive *hive, struct sys_prog *prog, u32 btf_id)
{
	struct sys_function *function = base_zalloc(1, sizeof(*function));
	const struct btf *btf = prog ? prog->btf->btf : hive->kernel_btf->btf;
	const struct btf_type *proto = btf_func_proto(btf, btf_id);
	bool unreliable = false;

	if (!function)
		return NULL;
	function->hive = hive;
	function->prog = prog;
	function->btf_id = btf_id;
	for (u32 i = 0; prog && i < prog->rt->nr_subprogs; i++)
		if (prog->subprogs[i].type_id == btf_id) {
			function->subprog = i;
			unreliable = prog->subprogs[i].unreliable;
			break;
		}
	function->nr_args = unreliable ? 5 : words(btf, proto);
	/* A context is the only pointer that comes first. */
	if (prog && !unreliable && btf_vlen_of(proto) && !has_kernel_form(prog->rt->type)) {
		const struct btf_type *first =
			btf_skip_modifiers(btf, btf_params_of(proto)[0].type, NULL);

		function->hides_ctx = first && btf_kind_of(first) == BTF_KIND_PTR;
	}
	function->next = *list_of(hive, prog);
	*list_of(hive, prog) = function;
	return function;
}

static void free_published(struct sys_deferred *deferred)
{
	struct published *published = container_of(deferred, struct published, deferred);

	arena_release(published->arena, ARENA_CONTROL, published->rt, sizeof(*published->rt));
	base_free(published);
}

static bool is_empty(const struct sys_function *function)
{
	return !function->extension && !function->nr[AT_ENTRY] && !function->nr[AT_MODIFY] &&
	       !function->nr[AT_EXIT];
}

/* As kallsyms of the hive has it. */
static u64 address_of(const struct sys_function *function)
{
	const char *name;

	if (function->prog)
		return ABI_KSYM_PROGRAM(function->prog->object.id, function->subprog);
	name = btf_type_name(function->hive->kernel_btf->btf, function->btf_id);
	return name ? abi_ksym_address(name) : 0;
}

static void fill(const struct sys_function *function, struct rt_trampoline *rt)
{
	struct rt_trampoline_link *link = rt->links;

	*rt = (struct rt_trampoline){
		.extension = function->extension ? function->extension->prog->rt : NULL,
		.ip = address_of(function),
		.nr_args = function->nr_args,
		.hides_ctx = function->hides_ctx,
		.nr_entry = function->nr[AT_ENTRY],
		.nr_modify = function->nr[AT_MODIFY],
		.nr_exit = function->nr[AT_EXIT],
	};
	for (u32 place = 0; place < NR_PLACES; place++)
		for (u32 i = 0; i < function->nr[place]; i++)
			*link++ = (struct rt_trampoline_link){ function->links[place][i]->prog->rt,
							       function->links[place][i]->cookie };
}

/* The program's table of trampolines, made when it is first needed. */
static const struct rt_trampoline **table_of(struct sys_function *function)
{
	struct rt_prog *rt = function->prog->rt;
	struct arena *arena = function->hive->options.arena;

	if (!rt->trampolines) {
		void *table =
			arena_alloc(arena, ARENA_CONTROL, rt->nr_subprogs * sizeof(void *), 8);

		__atomic_store_n(&rt->trampolines, table, __ATOMIC_RELEASE);
	}
	return (const struct rt_trampoline **)(uintptr_t)rt->trampolines;
}

/* Lets the data plane see what the function has now; the function goes when it has nothing. */
static int publish(struct sys_function *function)
{
	struct published *old = function->published, *new = NULL;
	const struct rt_trampoline **table = NULL;

	if (function->prog) {
		table = table_of(function);
		if (!table)
			return -ENOMEM;
	}
	if (!is_empty(function)) {
		new = base_zalloc(1, sizeof(*new));
		if (!new)
			return -ENOMEM;
		new->arena = function->hive->options.arena;
		new->rt = arena_alloc(new->arena, ARENA_CONTROL, sizeof(*new->rt), 64);
		if (!new->rt) {
			base_free(new);
			return -ENOMEM;
		}
		fill(function, new->rt);
	}
	if (table)
		__atomic_store_n(&table[function->subprog], new ? new->rt : NULL, __ATOMIC_RELEASE);
	function->published = new;
	if (old)
		sys_defer(function->hive, &old->deferred, free_published);
	return 0;
}

/* The data plane sees nothing of what the function has. */
static void unpublish(struct sys_function *function)
{
	struct published *old = function->published;

	if (function->prog && function->prog->rt->trampolines)
		__atomic_store_n(&table_of(function)[function->subprog], NULL, __ATOMIC_RELEASE);
	function->published = NULL;
	if (old)
		sys_defer(function->hive, &old->deferred, free_published);
}

static void forget_if_empty(struct sys_function *function)
{
	struct sys_function **at = list_of(function->hive, function->prog);

	if (!is_empty(function))
		return;
	while (*at != function)
		at = &(*at)->next;
	*at = function->next;
	base_free(function);
}

static int check_room(const struct sys_function *function, const struct sys_prog *prog)
{
	u32 nr = function->nr[AT_ENTRY] + function->nr[AT_MODIFY] + function->nr[AT_EXIT];
	enum place place = place_of(prog);

	/* Who unwinds does not know of trampolines. */
	if (function->prog && function->prog->rt->throws) {
		sys_say(function->hive,
			"program \"%.16s\": programs that call bpf_throw() cannot be traced or "
			"extended",
			function->prog->name);
		return -EOPNOTSUPP;
	}
	if (function->extension)
		return -EBUSY;
	if (prog->type == BPF_PROG_TYPE_EXT)
		return nr || function->prog->nr_slots ? -EBUSY : 0;
	if (nr >= RT_TRAMPOLINE_LINKS)
		return -E2BIG;
	for (u32 i = 0; i < function->nr[place]; i++)
		if (function->links[place][i]->prog == prog)
			return -EBUSY;
	return 0;
}

static void put_in(struct sys_function *function, struct sys_link *link)
{
	enum place place = place_of(link->prog);
	struct sys_link **links = function->links[place];

	if (link->prog->type == BPF_PROG_TYPE_EXT) {
		function->extension = link;
		function->prog->nr_extensions++;
		return;
	}
	memmove(links + 1, links, function->nr[place] * sizeof(*links));
	links[0] = link;
	function->nr[place]++;
}

static void take_out(struct sys_function *function, struct sys_link *link)
{
	enum place place = place_of(link->prog);
	struct sys_link **links = function->links[place];
	u32 i = 0;

	if (function->extension == link) {
		function->extension = NULL;
		function->prog->nr_extensions--;
		return;
	}
	while (links[i] != link)
		i++;
	function->nr[place]--;
	memmove(links + i, links + i + 1, (function->nr[place] - i) * sizeof(*links));
}

/* Puts a link on a function: 0 or -errno. */
static int connect(struct sys_link *link, struct sys_prog *target, u32 btf_id)
{
	struct sys_function *function = find(link->hive, target, btf_id);
	int error;

	if (!function)
		function = make(link->hive, target, btf_id);
	if (!function)
		return -ENOMEM;
	error = check_room(function, link->prog);
	if (!error) {
		put_in(function, link);
		error = publish(function);
		if (error)
			take_out(function, link);
	}
	if (error) {
		forget_if_empty(function);
		return error;
	}
	link->function = function;
	return 0;
}

void sys_tracing_detach(struct sys_link *link)
{
	struct sys_function *function = link->function;

	if (!function)
		return;
	take_out(function, link);
	/* Without memory for a shorter list the longer one would name what is gone. */
	if (publish(function)) {
		unpublish(function);
		sys_say(link->hive,
			"no memory: what else is attached to a function does not run until that "
			"changes again");
	}
	link->function = NULL;
	forget_if_empty(function);
}

void sys_tracing_target(const struct sys_prog *target, bool extends,
			struct verify_target *ret_target)
{
	*ret_target = (struct verify_target){
		.prog_type = target->rt->type,
		.expected_attach_type = target->expected_attach_type,
		.subprogs = target->subprogs,
		.nr_subprogs = target->rt->nr_subprogs,
		.extends = extends,
		.is_extension = target->type == BPF_PROG_TYPE_EXT,
		.traces_tracing = target->traces_tracing,
	};
}

/* May prog, loaded for another program, be attached to this one as well? */
static int check_new_target(const struct sys_prog *prog, const struct sys_prog *target, u32 btf_id)
{
	struct verify_target description;
	struct verify_input input = {
		.prog_type = target->rt->type,
		.expected_attach_type = target->expected_attach_type,
		.attach_btf = target->btf ? target->btf->btf : NULL,
		.attach_btf_id = btf_id,
		.target = &description,
		.prog_flags = prog->flags,
		.gpl_compatible = prog->gpl_compatible,
		.btf = prog->btf ? prog->btf->btf : NULL,
		.func_info = prog->func_info,
		.nr_func_info = prog->nr_func_info,
	};

	sys_tracing_target(target, true, &description);
	if (prog->rt->type != target->rt->type ||
	    prog->rt->expected_attach_type != target->expected_attach_type)
		return -EINVAL;
	return verify_attach(&input, &prog->subprogs[0]);
}

static int refuse_kernel_function(struct sys_call *call, const struct sys_prog *prog, u32 btf_id)
{
	const char *name = btf_type_name(call->hive->kernel_btf->btf, btf_id);

	if (name && sys_test_function(name))
		return 0;
	sys_say(call->hive, "program %s: the kernel's function %s does not run in a hive",
		prog->name, name ? name : "");
	return -EOPNOTSUPP;
}

/* Which function it is: 0 and *ret_target (a reference, NULL: the kernel), *btf_id; or -errno. */
static int choose(struct sys_call *call, struct sys_prog *prog, u32 target_fd, u32 *btf_id,
		  struct sys_prog **ret_target)
{
	struct sys_prog *target = NULL;
	int error;

	*ret_target = NULL;
	if (!target_fd != !*btf_id || (target_fd && prog->type != BPF_PROG_TYPE_EXT))
		return -EINVAL;
	if (target_fd) {
		error = sys_prog_by_fd(call, target_fd, &target);
		if (error)
			return error;
		if (target != prog->target || *btf_id != prog->attach_btf_id)
			error = check_new_target(prog, target, *btf_id);
		*ret_target = target;
		if (error) {
			sys_prog_put(target);
			*ret_target = NULL;
		}
		return error;
	}
	/* The target of the load counts once: afterwards it is not kept for that any more. */
	if (prog->target)
		*ret_target = sys_prog_ref(prog->target);
	else if (prog->had_target || prog->type == BPF_PROG_TYPE_EXT)
		return -EINVAL;
	*btf_id = prog->attach_btf_id;
	return prog->target ? 0 : refuse_kernel_function(call, prog, *btf_id);
}

static bool is_attachable(const struct sys_prog *prog)
{
	u32 attach = prog->expected_attach_type;

	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
		return attach == BPF_TRACE_FENTRY || attach == BPF_TRACE_FEXIT ||
		       attach == BPF_MODIFY_RETURN;
	case BPF_PROG_TYPE_LSM: return attach == BPF_LSM_MAC;
	case BPF_PROG_TYPE_EXT: return !attach;
	default: return false;
	}
}

long sys_tracing_attach(struct sys_call *call, struct sys_prog *prog, u32 target_fd, u32 btf_id,
			u64 cookie, u32 attach_type)
{
	struct sys_prog *target;
	struct sys_link *link;
	int error;

	if (!is_attachable(prog))
		return -EINVAL;
	error = choose(call, prog, target_fd, &btf_id, &target);
	if (error)
		return error;
	link = sys_link_new(call, BPF_LINK_TYPE_TRACING, prog, cookie);
	if (!link) {
		sys_prog_put(target);
		return -ENOMEM;
	}
	link->target = target;
	link->attach_type = attach_type;
	error = connect(link, target, btf_id);
	if (error) {
		sys_link_put(link);
		return error;
	}
	sys_prog_put(prog->target);
	prog->target = NULL;
	return sys_install_consume(call, &link->object, O_RDWR);
}

void sys_tracing_place(const struct sys_link *link, u32 *ret_object_id, u32 *ret_btf_id)
{
	*ret_object_id = link->target ? link->target->object.id : SYS_KERNEL_BTF_ID;
	*ret_btf_id = link->function ? link->function->btf_id : 0;
}

const struct rt_trampoline *sys_tracing_of_kernel(struct sys_hive *hive, u32 btf_id)
{
	const struct sys_function *function = find(hive, NULL, btf_id);

	return function && function->published ? function->published->rt : NULL;
}
