/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers without a call: what they would do for this very map, whose descriptor is constant, or
 * with what the vCPU, private memory, holds. Of a lookup, the key is read once.
 */
#include "jit/x86_64/codegen.h"

#include "abi/bpf_new.h"
#include "rt/map/ops.h"
#include "rt/native.h"
#include "rt/vcpu.h"

#define OF_VCPU(field)	((s32)offsetof(struct rt_vcpu, field))
#define OF_CALLS(field) ((s32)offsetof(struct rt_native_calls, field))

/* The map that r1 is known to hold. */
static const struct rt_map *map_of_call(const struct generator *generator)
{
	u32 map = generator->analysis->maps[generator->insn];

	return map ? generator->input->maps[map - 1] : NULL;
}

static void no_element(struct generator *generator, const struct cold *cold)
{
	x86_constant(&generator->emitter, RAX, 0);
	emit_jump(&generator->emitter, cold->back);
}

/* reg *= factor */
static bool scale(struct emitter *emitter, u32 reg, u64 factor)
{
	if (factor > INT32_MAX)
		return false;
	if (factor & (factor - 1)) {
		x86_reg(emitter, X86_64, 0x69, reg, reg);
		emit_u32(emitter, (u32)factor);
	} else if (factor > 1) {
		x86_shift_imm(emitter, X86_64, X86_SHL, reg, (u32)__builtin_ctzll(factor));
	}
	return true;
}

/* A value of an array: its address is arithmetic. */
static bool lookup_array(struct generator *generator, const struct rt_map *map)
{
	struct emitter *emitter = &generator->emitter;
	bool percpu = map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	u32 back = emit_label(emitter);

	if (map->max_entries > INT32_MAX || map->elem_stride > INT32_MAX ||
	    (percpu && (map->cpu_stride > INT32_MAX || map->nr_vcpus < generator->input->nr_vcpus)))
		return false;
	x86_mem(emitter, 0, 0x8b, RAX, RSI, 0);
	x86_constant(emitter, R10, (u64)map->data);
	x86_imm(emitter, 0, X86_CMP, RAX, (s32)map->max_entries);
	emit_jump_if(emitter, X86_AE, codegen_cold(generator, no_element, back));
	scale(emitter, RAX, map->elem_stride);
	if (percpu) {
		x86_mem(emitter, 0, 0x8b, R11, VCPU, OF_VCPU(index));
		scale(emitter, R11, map->cpu_stride);
		x86_reg(emitter, X86_64, X86_STORE_OF(X86_ADD), R11, RAX);
	}
	x86_reg(emitter, X86_64, X86_STORE_OF(X86_ADD), R10, RAX);
	emit_bind(emitter, back);
	return true;
}

static bool is_hash(u32 type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* The function of the map's type, whose vcpu comes as argument number nr (from 0). */
static void call_type(struct generator *generator, const struct rt_map *map, s32 function, u32 nr)
{
	static const u8 args[] = { RDI, RSI, RDX, RCX, R8 };
	struct emitter *emitter = &generator->emitter;

	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_move(emitter, X86_64, args[nr], VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, R10, OF_CALLS(map_types));
	x86_mem(emitter, X86_64, 0x8b, R10, R10, (s32)(map->type * sizeof(void *)));
	x86_mem(emitter, 0, 0xff, 2, R10, function);
}

bool codegen_inline(struct generator *generator, const struct bpf_insn *insn)
{
	const struct rt_map *map = map_of_call(generator);
	struct emitter *emitter = &generator->emitter;

	if (insn->src_reg)
		return false;
	switch (insn->imm) {
	case BPF_FUNC_get_smp_processor_id:
		x86_mem(emitter, 0, 0x8b, RAX, VCPU, OF_VCPU(index));
		return true;
	case BPF_FUNC_map_lookup_elem:
		if (map &&
		    (map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY))
			return lookup_array(generator, map);
		if (!map || !is_hash(map->type))
			return false;
		call_type(generator, map, (s32)offsetof(struct rt_map_ops, lookup), 2);
		return true;
	default: return false;
	}
}
