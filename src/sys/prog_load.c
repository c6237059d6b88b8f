/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_LOAD: the kernel's checks of the attributes in the kernel's order (bpf_prog_load() and
 * the start of bpf_check()), the verifier, and what it accepted made into a program. Until the
 * object has its id everything hangs on struct sys_load and goes with load_done().
 */
#include "sys/object_type.h"
#include "sys/prog_load.h"
#include "abi/context.h"
#include "abi/helper.h"
#include "abi/kfunc.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "isa/opcode.h"
#include "rt/object.h"
#include "rt/stream.h"
#include "sys/map_image.h"
#include "sys/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LICENSE_MAX   128
#define KEYRING_LAST  2	   /* VERIFY_USE_PLATFORM_KEYRING */
#define SIGNATURE_MAX 8192 /* KMALLOC_MAX_CACHE_SIZE */
#define KNOWN_FLAGS                                                           \
	(BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT | BPF_F_TEST_RND_HI32 | \
	 BPF_F_TEST_STATE_FREQ | BPF_F_SLEEPABLE | BPF_F_XDP_HAS_FRAGS |      \
	 ABI_F_XDP_DEV_BOUND_ONLY | ABI_F_TEST_REG_INVARIANTS | ABI_F_TOKEN_FD)

static bool license_is_gpl(const char *license)
{
	static const char *const licenses[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(licenses); i++)
		if (!strcmp(license, licenses[i]))
			return true;
	return false;
}

/* A licence longer than 127 characters is cut, not refused. */
static int read_license(struct sys_call *call, bool *ret_gpl)
{
	char license[LICENSE_MAX];
	long length = call->client->ops->read_string(call->client, license, call->attr.load.license,
						     sizeof(license));

	if (length < 0 && length != -ENAMETOOLONG)
		return -EFAULT;
	*ret_gpl = length >= 0 && license_is_gpl(license);
	return 0;
}

/* Which program types say by BTF what they are attached to. */
static bool attaches_by_btf(u32 type)
{
	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	       type == BPF_PROG_TYPE_STRUCT_OPS || type == BPF_PROG_TYPE_EXT;
}

/*
 * What the program is attached to: a function or tracepoint of the kernel's BTF, or a function of
 * another program, of which *ret_target becomes a reference.
 */
static int check_attach_target(struct sys_call *call, struct sys_prog **ret_target)
{
	const union abi_attr *attr = &call->attr;
	u32 type = attr->load.prog_type;
	struct object *object;
	bool kernel;

	*ret_target = NULL;
	if (attr->load.attach_prog_fd) {
		if (sys_object_by_fd(call, attr->load.attach_prog_fd, OBJECT_PROG, &object) == 0) {
			*ret_target = sys_prog_of(object);
			if (attr->load.attach_btf_id &&
			    (attr->load.attach_btf_id > BTF_MAX_TYPE || !attaches_by_btf(type)))
				return -EINVAL;
			return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_EXT ? 0
											  : -EINVAL;
		}
		if (sys_object_by_fd(call, attr->load.attach_prog_fd, OBJECT_BTF, &object))
			return -EINVAL;
		/* BTF that a client has loaded is not the kernel's. */
		kernel = container_of(object, struct sys_btf, object)->kernel;
		object_unref(object);
		if (!kernel)
			return -ABI_ENOTSUPP;
		return attr->load.attach_btf_id && attr->load.attach_btf_id <= BTF_MAX_TYPE &&
				       attaches_by_btf(type)
			       ? 0
			       : -EINVAL;
	}
	if (!attr->load.attach_btf_id)
		return 0;
	sys_kernel_btf_load(call->hive);
	return call->hive->kernel_btf && attr->load.attach_btf_id <= BTF_MAX_TYPE &&
			       attaches_by_btf(type)
		       ? 0
		       : -EINVAL;
}

static int check_attr(struct sys_call *call, struct sys_prog **ret_target)
{
	union abi_attr *attr = &call->attr;
	struct object *object;
	int error;

	if (attr->load.prog_flags & ~KNOWN_FLAGS)
		return -EINVAL;
	if (attr->load.prog_flags & ABI_F_TOKEN_FD) {
		error = sys_object_by_fd(call, (u32)attr->load.prog_token_fd, OBJECT_KINDS,
					 &object);
		if (!error)
			object_unref(object);
		return error ? error : -EINVAL;
	}
	if (!call->client->privileged)
		return -EPERM;
	if (!attr->load.insn_cnt || attr->load.insn_cnt > ABI_INSNS_MAX)
		return -E2BIG;
	error = check_attach_target(call, ret_target);
	if (error)
		return error;
	return sys_check_load_attach(attr->load.prog_type, &attr->load.expected_attach_type);
}

/* There is no key here to check one with; whatever was wrong with it before that is the kernel's
 * errno, and at the end that of a kernel without CONFIG_SYSTEM_DATA_VERIFICATION. */
static int check_signature(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	void *signature;

	if ((u32)attr->load.keyring_id > KEYRING_LAST || attr->load.signature_size > SIGNATURE_MAX)
		return -EINVAL;
	if (sys_read_new(load->call, attr->load.signature, attr->load.signature_size, &signature))
		return -ENOMEM;
	base_free(signature);
	sys_say(load->call->hive,
		"program \"%.16s\": signatures of programs cannot be checked here",
		attr->load.prog_name);
	return -EOPNOTSUPP;
}

/* A program bound to a device, of which no device here takes any: first what is wrong with it. */
static int check_device(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	u32 flags = attr->load.prog_flags;
	bool only = flags & ABI_F_XDP_DEV_BOUND_ONLY;

	if (attr->load.prog_type != BPF_PROG_TYPE_SCHED_CLS &&
	    attr->load.prog_type != BPF_PROG_TYPE_XDP)
		return -EINVAL;
	if (flags & ~(u32)(ABI_F_XDP_DEV_BOUND_ONLY | BPF_F_XDP_HAS_FRAGS) ||
	    (flags & BPF_F_XDP_HAS_FRAGS && !only) ||
	    (attr->load.prog_type == BPF_PROG_TYPE_SCHED_CLS && only) ||
	    !sys_device_exists(load->call->client, attr->load.prog_ifindex))
		return -EINVAL;
	sys_say(load->call->hive, "program \"%.16s\": devices take no programs in user space",
		attr->load.prog_name);
	return -EOPNOTSUPP;
}

static int check_kind(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	struct sys_hive *hive = load->call->hive;

	if (attr->load.signature)
		return check_signature(load);
	if (attr->load.prog_ifindex)
		return check_device(load);
	if (attr->load.prog_type == BPF_PROG_TYPE_EXT)
		return sys_copy_name(load->prog->name, attr->load.prog_name);
	if (!abi_ctx_find(attr->load.prog_type)) {
		if (attr->load.prog_type && abi_prog_type_name(attr->load.prog_type))
			sys_say(hive,
				"program \"%.16s\": programs of type %s are not available in user "
				"space",
				attr->load.prog_name, abi_prog_type_name(attr->load.prog_type));
		return -EINVAL;
	}
	return sys_copy_name(load->prog->name, attr->load.prog_name);
}

/* The verifier asks for the map behind a descriptor: looked up once for each descriptor. */
static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	struct sys_load *load = arg;
	struct sys_load_map *entry;
	void *maps;
	u32 i;
	int error;

	for (i = 0; i < load->nr_maps; i++)
		if (load->maps[i]->fd == fd) {
			*ret_map = &load->maps[i]->description;
			return 0;
		}
	if (load->nr_maps == load->maps_room) {
		u32 room = load->maps_room ? load->maps_room * 2 : 16;

		maps = base_realloc(load->maps, room, sizeof(*load->maps));
		if (!maps)
			return -ENOMEM;
		load->maps = maps;
		load->maps_room = room;
	}
	entry = base_zalloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	error = sys_map_by_fd(load->call, (u32)fd, &entry->map);
	if (error) {
		base_free(entry);
		return error;
	}
	entry->fd = fd;
	sys_map_describe(entry->map, &entry->description);
	load->maps[load->nr_maps++] = entry;
	*ret_map = &entry->description;
	return 0;
}

static const struct btf *kernel_btf(void *arg)
{
	struct sys_hive *hive = ((struct sys_load *)arg)->call->hive;

	sys_kernel_btf_load(hive);
	return hive->kernel_btf ? hive->kernel_btf->btf : NULL;
}

static u32 object_type(void *arg, const struct btf *btf, u32 id, u32 node_offset)
{
	return sys_object_type(((struct sys_load *)arg)->call->hive, btf, id, node_offset);
}

/* As in the kernel an index below 0 is a place before the array. */
static int fd_at(void *arg, s32 index, int *ret_fd)
{
	struct sys_load *load = arg;
	u64 address = load->call->attr.load.fd_array + (u64)((s64)index * (s64)sizeof(int));

	return sys_read(load->call, ret_fd, address, sizeof(*ret_fd));
}

static bool is_btf(void *arg, int fd)
{
	struct sys_load *load = arg;
	struct object *object;

	if (sys_object_by_fd(load->call, (u32)fd, OBJECT_BTF, &object))
		return false;
	object_unref(object);
	return true;
}

static void report(const struct sys_load *load, int error, const struct verify_diagnosis *diagnosis)
{
	const struct sys_hive_options *options = &load->prog->hive->options;
	const struct verify_output *output = &load->output;
	struct sys_verification verification = {
		.name = load->prog->name,
		.error = error,
		.insns = output->verified_insns,
		.states = output->total_states,
		.peak_states = output->peak_states,
		.memory = output->memory,
		.diagnosis = error ? diagnosis : NULL,
	};

	if (options->verified)
		options->verified(options->verified_arg, &verification);
}

static const struct verify_ops ops = {
	.map_by_fd = map_by_fd,
	.kernel_btf = kernel_btf,
	.object_type = object_type,
	.fd_at = fd_at,
	.is_btf = is_btf,
	.read_func_info = sys_load_func_info,
	.read_line_info = sys_load_line_info,
	.check_relocations = sys_load_relocations,
};
/* What attach_btf_id counts in. */
static const struct btf *attach_btf(const struct sys_load *load)
{
	const struct sys_prog *prog = load->prog;

	if (prog->target)
		return prog->target->btf ? prog->target->btf->btf : NULL;
	return prog->attach_btf_id ? load->call->hive->kernel_btf->btf : NULL;
}

/* Does the program name kernel functions, variables or structures? */
static bool names_kernel_types(const struct sys_load *load)
{
	const struct bpf_insn *insn = load->insns, *end = insn + load->call->attr.load.insn_cnt;

	for (; insn < end; insn++) {
		const struct abi_helper *helper;

		if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_BTF_ID)
			return true;
		if (insn->code != (BPF_JMP | BPF_CALL))
			continue;
		helper = insn->src_reg ? NULL : abi_helper_find((u32)insn->imm);
		if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL || (helper && helper->ret_struct))
			return true;
	}
	return load->prog->attach_btf_id;
}

static int verify(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	struct sys_prog *prog = load->prog;
	struct verify_target target = { 0 };
	struct verify_diagnosis diagnosis;
	u64 longest = 0;
	int error;

	load->input = (struct verify_input){
		.insns = load->insns,
		.nr_insns = attr->load.insn_cnt,
		.digest = load->digest,
		.prog_type = prog->type,
		.expected_attach_type = prog->expected_attach_type,
		.attach_btf = attach_btf(load),
		.attach_btf_id = prog->attach_btf_id,
		.prog_flags = prog->flags,
		.gpl_compatible = prog->gpl_compatible,
		.privileged = load->call->client->privileged,
		.nr_cpus = RT_CONTROL->nr_vcpus,
		.has_fd_array = attr->load.fd_array != 0,
		.fd_array_cnt = attr->load.fd_array_cnt,
		.kernel = load->call->hive->options.kernel,
		.ops = &ops,
		.ops_arg = load,
		.map_image = offsetof(struct rt_map, image),
		.map_image_size = RT_MAP_IMAGE_SIZE,
		.log = { .level = load->log.level,
			 .write = sys_log_write,
			 .arg = &load->log,
			 .ret_longest = &longest },
	};
	if (prog->target) {
		sys_tracing_target(prog->target, prog->type == BPF_PROG_TYPE_EXT, &target);
		load->input.target = &target;
	}
	if (prog->type == BPF_PROG_TYPE_EXT && !prog->target) {
		sys_log_printf(&load->log, prog->attach_btf_id
						   ? "Cannot replace kernel functions\n"
						   : "Tracing programs must provide btf_id\n");
		return -EINVAL;
	}
	/* An extension is verified as what it will be part of. */
	if (prog->type == BPF_PROG_TYPE_EXT) {
		load->input.prog_type = target.prog_type;
		load->input.expected_attach_type = target.expected_attach_type;
	}
	if (load->call->hive->options.verified)
		load->input.ret_diagnosis = &diagnosis;
	/* The first to need the kernel's BTF waits until it is parsed; that is no verification. */
	if (names_kernel_types(load))
		sys_kernel_btf_load(load->call->hive);
	error = verify_program(&load->input, &load->output);
	report(load, error, &diagnosis);
	/* Text that was taken back has needed room as well. */
	if (longest && longest + 1 > load->log.longest)
		load->log.longest = longest + 1;
	return error;
}

/* The verifier between opening and closing the log; its errors give way to the log's. */
static int check_program(struct sys_load *load)
{
	union abi_attr *attr = &load->call->attr;
	int error, log_error;

	error = sys_log_init(&load->log, attr->load.log_level, attr->load.log_buf,
			     attr->load.log_size);
	if (error)
		return error;
	error = verify(load);
	log_error = sys_log_finish(load->call, &load->log, &attr->load.log_true_size);
	if (load->call->size >= offsetof(union abi_attr, load.log_true_size) + sizeof(u32) &&
	    sys_write_attr(load->call, load.log_true_size))
		log_error = -EFAULT;
	return log_error ? log_error : error;
}

/* Maps of this type belong to the programs of one kind. */
static bool has_owner(u32 type)
{
	return type == BPF_MAP_TYPE_PROG_ARRAY || type == BPF_MAP_TYPE_DEVMAP ||
	       type == BPF_MAP_TYPE_CPUMAP;
}

/* References to the maps that the program has: the verifier names each once. */
static int take_maps(struct sys_load *load)
{
	struct sys_prog *prog = load->prog;
	u32 i;

	prog->maps = base_zalloc(load->output.nr_used_maps, sizeof(*prog->maps));
	if (!prog->maps)
		return -ENOMEM;
	for (i = 0; i < load->output.nr_used_maps; i++) {
		prog->maps[i] = load->output.used_maps[i];
		object_ref(&prog->maps[i]->object);
		prog->nr_maps++;
	}
	for (i = 0; i < prog->nr_maps; i++)
		if (has_owner(prog->maps[i]->rt->type) &&
		    !sys_map_accepts_prog(prog->maps[i], prog))
			return -EINVAL;
	return 0;
}

/* Does the program call one of the two helpers? */
static bool calls(const struct verify_output *output, s32 a, s32 b)
{
	for (u32 i = 0; i < output->nr_insns; i++) {
		const struct bpf_insn *insn = &output->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
		    (insn->imm == a || insn->imm == b))
			return true;
	}
	return false;
}

/* What stands for memory of the kernel's that is not there (rt/object.h). */
static bool have_zeros(struct arena *arena, const struct verify_output *output)
{
	bool wanted = calls(output, BPF_FUNC_get_current_task_btf, BPF_FUNC_get_current_task_btf);

	for (u32 i = 0; i < output->nr_insns; i++)
		wanted |= output->insns[i].code == (BPF_LDX | BPF_DW | ISA_LOAD_OBJECT) &&
			  output->insns[i].imm & RT_OBJECT_ARG_MEMORY;
	if (wanted && !RT_CONTROL->zeros) {
		void *zeros = arena_alloc(arena, ARENA_CONTROL, RT_KERNEL_MEMORY, 64);

		RT_CONTROL->zeros = zeros ? memset(zeros, 0, RT_KERNEL_MEMORY) : NULL;
	}
	return !wanted || RT_CONTROL->zeros;
}

/* Does it write to its streams? Others can, at most, be told there that a loop was ended. */
static bool writes_streams(const struct verify_output *output, bool *ret_has_loops)
{
	bool writes = false;

	*ret_has_loops = false;
	for (u32 i = 0; i < output->nr_insns; i++) {
		const struct bpf_insn *insn = &output->insns[i];

		writes |= insn->code == (BPF_JMP | BPF_CALL) &&
			  insn->src_reg == BPF_PSEUDO_KFUNC_CALL &&
			  insn->imm == ABI_KFUNC_bpf_stream_vprintk_impl;
		*ret_has_loops |= insn->code == (BPF_JMP | BPF_JCOND);
	}
	return writes;
}

static int build_streams(struct sys_load *load, struct rt_prog *rt)
{
	bool has_loops, writes = writes_streams(&load->output, &has_loops);

	if (!writes && !has_loops && !rt->arena)
		return 0;
	rt->streams = arena_alloc(load->call->hive->options.arena, ARENA_DATA,
				  rt_stream_memory_size(), 4096);
	return rt->streams || !writes ? 0 : -ENOMEM;
}

static int build(struct sys_load *load)
{
	const struct verify_output *output = &load->output;
	struct arena *arena = load->call->hive->options.arena;
	struct sys_prog *prog = load->prog;
	struct rt_subprog *subprogs;
	struct bpf_insn *insns;
	struct rt_prog *rt;
	u32 i;

	if (calls(output, BPF_FUNC_get_current_task, BPF_FUNC_get_current_task_btf))
		sys_task_layout(load->call->hive);
	if (calls(output, BPF_FUNC_snprintf_btf, BPF_FUNC_seq_printf_btf) &&
	    sys_show_btf(load->call->hive))
		return -ENOMEM;
	if (!have_zeros(arena, output))
		return -ENOMEM;
	prog->rt = rt = arena_alloc(arena, ARENA_CONTROL, sizeof(*rt), 64);
	if (!rt)
		return -ENOMEM;
	rt->nr_insns = output->nr_insns;
	rt->nr_subprogs = output->nr_subprogs;
	rt->insns = insns =
		arena_alloc(arena, ARENA_CONTROL, (u64)output->nr_insns * sizeof(*insns), 64);
	rt->subprogs = subprogs =
		arena_alloc(arena, ARENA_CONTROL, (u64)output->nr_subprogs * sizeof(*subprogs), 8);
	rt->stats = arena_alloc(arena, ARENA_DATA, sizeof(*rt->stats), 64);
	if (!insns || !subprogs || !rt->stats)
		return -ENOMEM;
	memcpy(insns, output->insns, (u64)output->nr_insns * sizeof(*insns));
	for (i = 0; i < output->nr_subprogs; i++) {
		subprogs[i].start = output->subprogs[i].start;
		subprogs[i].stack_depth = output->subprogs[i].stack_depth;
	}
	/* An extension is what its target is. */
	rt->type = prog->type == BPF_PROG_TYPE_EXT ? prog->target->rt->type : prog->type;
	rt->expected_attach_type = prog->type == BPF_PROG_TYPE_EXT
					   ? prog->target->rt->expected_attach_type
					   : prog->expected_attach_type;
	prog->subprogs =
		base_memdup(output->subprogs, (u64)output->nr_subprogs * sizeof(*output->subprogs));
	if (!prog->subprogs)
		return -ENOMEM;
	prog->async = base_memdup(output->async, output->nr_async * sizeof(*output->async));
	prog->nr_async = output->nr_async;
	if (output->nr_async && !prog->async)
		return -ENOMEM;
	rt->tail_call_reachable = output->tail_calls;
	rt->exception_callback = output->exception_callback;
	rt->throws = output->throws;
	for (i = 0; i < output->nr_used_maps; i++) {
		const struct sys_map *map = output->used_maps[i];

		if (map->rt->type == ABI_MAP_TYPE_ARENA)
			rt->arena = map->rt;
	}
	rt->stats_enabled = load->call->hive->stats_users != 0;
	memcpy(rt->name, prog->name, sizeof(rt->name));
	return build_streams(load, rt);
}

static int load_program(struct sys_load *load)
{
	struct sys_call *call = load->call;
	const union abi_attr *attr = &call->attr;
	struct sys_prog *prog = load->prog;
	void *insns;
	int error;

	prog->type = attr->load.prog_type;
	prog->traces_tracing = prog->target && prog->type == BPF_PROG_TYPE_TRACING &&
			       prog->target->type == BPF_PROG_TYPE_TRACING;
	prog->expected_attach_type = attr->load.expected_attach_type;
	prog->flags = attr->load.prog_flags;
	prog->attach_btf_id = attr->load.attach_btf_id;
	error = sys_read_new(call, attr->load.insns,
			     (u64)attr->load.insn_cnt * sizeof(struct bpf_insn), &insns);
	if (error)
		return error;
	load->insns = insns;
	error = read_license(call, &prog->gpl_compatible);
	if (!error)
		error = check_kind(load);
	if (!error)
		error = sys_prog_digest(load->insns, attr->load.insn_cnt, load->digest);
	if (!error) {
		memcpy(prog->tag, load->digest, sizeof(prog->tag));
		prog->load_time_ns = base_clock_ns(CLOCK_BOOTTIME);
		error = check_program(load);
	}
	if (error)
		return error;
	prog->shown = load->output.shown;
	load->output.shown = (struct verify_shown){ 0 };
	if (load->output.reads_maps)
		sys_map_images(call->hive);
	prog->verified_insns = load->output.verified_insns;
	prog->tail_calls = load->output.tail_calls;
	prog->max_ctx_offset = load->output.max_ctx_offset;
	prog->max_rdonly_access = load->output.max_rdonly_access;
	prog->max_rdwr_access = load->output.max_rdwr_access;
	error = take_maps(load);
	if (error)
		return error;
	error = build(load);
	if (!error && !call->hive->options.interpret)
		sys_prog_compile(load);
	if (error == -ENOMEM)
		sys_say(call->hive,
			"program \"%.16s\": no room for %u instructions in the hive's arena",
			attr->load.prog_name, load->output.nr_insns);
	return error;
}

static void load_done(struct sys_load *load)
{
	u32 i;

	verify_output_done(&load->output);
	for (i = 0; i < load->nr_maps; i++) {
		sys_map_put(load->maps[i]->map);
		base_free(load->maps[i]);
	}
	base_free(load->maps);
	base_free(load->insns);
}

long sys_prog_load(struct sys_call *call)
{
	struct sys_load load = { .call = call };
	struct sys_prog *prog, *target = NULL;
	int error;

	error = check_attr(call, &target);
	prog = load.prog = error ? NULL : sys_prog_new(call->hive);
	if (!prog) {
		sys_prog_put(target);
		return error ? error : -ENOMEM;
	}
	prog->target = target;
	prog->had_target = target;
	error = load_program(&load);
	if (!error)
		error = sys_prog_publish(prog);
	load_done(&load);
	if (error) {
		sys_prog_free(prog);
		return error;
	}
	return sys_install_consume(call, &prog->object, O_RDWR);
}
