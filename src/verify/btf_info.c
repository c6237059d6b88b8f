/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * func_info and line_info: records of a size that the client states, each of which must name
 * existing instructions, types and strings. Afterwards other files use them without checks.
 */
#include "verify/btf_info.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "base/alloc.h"
#include "btf/btf.h"

#define RECORD_SIZE_MAX 252 /* MAX_FUNCINFO_REC_SIZE */

const char *btf_info_string(const struct verify_env *env, u32 offset)
{
	const char *text = env->input->btf ? btf_string(env->input->btf, offset) : NULL;

	return text ? text : "";
}

static bool tail_is_zero(const u8 *record, u32 known, u32 size)
{
	for (u32 i = known; i < size; i++)
		if (record[i])
			return false;
	return true;
}

static bool record_size_ok(u32 size, u32 min)
{
	return size >= min && size <= RECORD_SIZE_MAX && !(size % 4);
}

/* Record i must come behind the one before, the first at 0, and name a function. */
static int check_func_record(struct verify_env *env, u32 i)
{
	const struct bpf_func_info *info = &env->func_info[i];
	const struct btf_type *type;

	if (!i && info->insn_off) {
		verbose(env, "nonzero insn_off %u for the first func info record", info->insn_off);
		return -EINVAL;
	}
	if (i && info->insn_off <= info[-1].insn_off) {
		verbose(env, "same or smaller insn offset (%u) than previous func info record (%u)",
			info->insn_off, info[-1].insn_off);
		return -EINVAL;
	}
	type = btf_type_by_id(env->input->btf, info->type_id);
	if (!type || btf_kind_of(type) != BTF_KIND_FUNC) {
		verbose(env, "invalid type id %d in func info", info->type_id);
		return -EINVAL;
	}
	return btf_func_proto(env->input->btf, info->type_id) ? 0 : -EINVAL;
}

/* The caller's reading of records: its error counts after what is wrong with those before. */
static int read_records(struct verify_env *env, int (*read)(void *arg, struct verify_env *env))
{
	return read ? read(env->input->ops_arg, env) : 0;
}

int btf_info_read_funcs(struct verify_env *env)
{
	const struct verify_input *input = env->input;
	int read_err = read_records(env, input->ops->read_func_info), err = 0;
	u32 size = input->func_info_rec_size;

	if (!input->nr_func_info && read_err != -E2BIG)
		return read_err;
	if (!input->btf)
		return -EINVAL;
	if (!record_size_ok(size, sizeof(struct bpf_func_info))) {
		verbose(env, "invalid func info rec size %u\n", size);
		return -EINVAL;
	}
	env->func_info = base_zalloc(input->nr_func_info + 1, sizeof(*env->func_info));
	if (!env->func_info)
		return -ENOMEM;
	for (u32 i = 0; i < input->nr_func_info && !err; i++) {
		const u8 *record = (const u8 *)input->func_info + (u64)i * size;

		if (!tail_is_zero(record, sizeof(*env->func_info), size)) {
			err = -E2BIG;
			break;
		}
		memcpy(&env->func_info[i], record, sizeof(*env->func_info));
		err = check_func_record(env, i);
	}
	err = err ? err : read_err;
	if (err == -E2BIG)
		verbose(env, "nonzero tailing record in func info");
	env->nr_func_info = input->nr_func_info;
	return err;
}

/* Without BTF nothing says what a subprogram returns. */
static int check_abnormal_return(struct verify_env *env)
{
	for (u32 i = 1; i < env->nr_subprogs; i++) {
		if (env->subprog[i].has_ld_abs) {
			verbose(env, "LD_ABS is not allowed in subprogs without BTF\n");
			return -EINVAL;
		}
		if (env->subprog[i].has_tail_call) {
			verbose(env, "tail_call is not allowed in subprogs without BTF\n");
			return -EINVAL;
		}
	}
	return 0;
}

static bool returns_int(const struct btf *btf, u32 func_id)
{
	const struct btf_type *proto = btf_func_proto(btf, func_id);
	const struct btf_type *type = btf_skip_modifiers(btf, proto->type, NULL);

	if (!type)
		return false;
	return (btf_kind_of(type) == BTF_KIND_INT && type->size <= 8) ||
	       btf_kind_of(type) == BTF_KIND_ENUM || btf_kind_of(type) == BTF_KIND_ENUM64;
}

static int check_funcs(struct verify_env *env)
{
	const struct btf *btf = env->input->btf;

	if (!env->nr_func_info)
		return check_abnormal_return(env);
	if (env->nr_func_info != env->nr_subprogs) {
		verbose(env, "number of funcs in func_info doesn't match number of subprogs\n");
		return -EINVAL;
	}
	for (u32 i = 0; i < env->nr_subprogs; i++) {
		const struct bpf_func_info *info = &env->func_info[i];
		struct subprog *subprog = &env->subprog[i];
		bool scalar = returns_int(btf, info->type_id);

		if (subprog->start != info->insn_off) {
			verbose(env, "func_info BTF section doesn't match subprog layout in BPF "
				     "program\n");
			return -EINVAL;
		}
		subprog->type_id = info->type_id;
		subprog->name = btf_type_name(btf, info->type_id);
		subprog->is_global = btf_func_linkage(btf, info->type_id) == BTF_FUNC_GLOBAL;
		if (i && !scalar && subprog->has_ld_abs) {
			verbose(env, "LD_ABS is only allowed in functions that return 'int'.\n");
			return -EINVAL;
		}
		if (i && !scalar && subprog->has_tail_call) {
			verbose(env, "tail_call is only allowed in functions that return 'int'.\n");
			return -EINVAL;
		}
	}
	return 0;
}

static int check_line_record(struct verify_env *env, u32 i)
{
	const struct bpf_line_info *line = &env->line_info[i];
	u32 prev = i ? line[-1].insn_off : 0;

	if ((i && line->insn_off <= prev) || line->insn_off >= env->nr_insns) {
		verbose(env, "Invalid line_info[%u].insn_off:%u (prev_offset:%u prog->len:%u)\n", i,
			line->insn_off, prev, env->nr_insns);
		return -EINVAL;
	}
	if (!env->insns[line->insn_off].code) {
		verbose(env, "Invalid insn code at line_info[%u].insn_off\n", i);
		return -EINVAL;
	}
	if (!btf_string(env->input->btf, line->line_off) ||
	    !btf_string(env->input->btf, line->file_name_off)) {
		verbose(env, "Invalid line_info[%u].line_off or .file_name_off\n", i);
		return -EINVAL;
	}
	return 0;
}

static int check_lines(struct verify_env *env)
{
	const struct verify_input *input = env->input;
	int read_err = read_records(env, input->ops->read_line_info), err = 0;
	u32 size = input->line_info_rec_size, subprog = 0, known = sizeof(struct bpf_line_info);

	if (!input->nr_line_info && read_err != -E2BIG)
		return read_err;
	if (!input->btf || !record_size_ok(input->line_info_rec_size, 16))
		return -EINVAL;
	env->line_info = base_zalloc(input->nr_line_info + 1, sizeof(*env->line_info));
	if (!env->line_info)
		return -ENOMEM;
	for (u32 i = 0; i < input->nr_line_info && !err; i++) {
		const u8 *record = (const u8 *)input->line_info + (u64)i * size;

		if (!tail_is_zero(record, known, size)) {
			err = -E2BIG;
			break;
		}
		memcpy(&env->line_info[i], record, size < known ? size : known);
		err = check_line_record(env, i);
		if (err || subprog == env->nr_subprogs)
			continue;
		if (env->line_info[i].insn_off == env->subprog[subprog].start) {
			subprog++;
		} else if (env->subprog[subprog].start < env->line_info[i].insn_off) {
			verbose(env, "missing bpf_line_info for func#%u\n", subprog);
			return -EINVAL;
		}
	}
	err = err ? err : read_err;
	if (err == -E2BIG)
		verbose(env, "nonzero tailing record in line_info");
	if (!err && subprog != env->nr_subprogs) {
		verbose(env, "missing bpf_line_info for %u funcs starting from func#%u\n",
			env->nr_subprogs - subprog, subprog);
		return -EINVAL;
	}
	env->nr_line_info = err ? 0 : input->nr_line_info;
	return err;
}

int btf_info_check(struct verify_env *env)
{
	int err = check_funcs(env);

	if (!err)
		err = check_lines(env);
	return err ? err : read_records(env, env->input->ops->check_relocations);
}
