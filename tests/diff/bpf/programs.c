/* SPDX-License-Identifier: BSD-2-Clause */
/* See programs.h: most of them are accepted, some are broken; generate.c breaks more. */
#include "programs.h"
#include "generate.h"
#include "scenario.h"
#include "../../unit/btf/blob.h"

#define PROGRAM(...)                                             \
	do {                                                     \
		const struct bpf_insn insns[] = { __VA_ARGS__ }; \
		put(op, AT_INSNS, insns, (u32)sizeof(insns));    \
		return (u32)ARRAY_SIZE(insns);                   \
	} while (0)

u32 program_make(const struct pair *pair, struct op *op)
{
	s32 map = (s32)some_fd(pair, A_MAP);

	switch (draw(12)) {
	case 0: PROGRAM(LD_MAP(1, BPF_PSEUDO_MAP_FD, map), MOV_K(0, 0), EXIT());
	case 1: PROGRAM(LD_MAP(1, BPF_PSEUDO_MAP_VALUE, map), MOV_K(0, 0), EXIT());
	case 2:
		PROGRAM(STORE_K(BPF_W, 10, -4, 1), MOV_X(2, 10), ADD_K(2, -4),
			LD_MAP(1, BPF_PSEUDO_MAP_FD, map), CALL(BPF_FUNC_map_lookup_elem),
			JEQ_K(0, 0, 1), LOAD(BPF_B, 0, 0, 0), MOV_K(0, 1), EXIT());
	case 3: PROGRAM(LOAD(BPF_W, 0, 1, 0), MOV_K(0, 0), EXIT());
	case 4: PROGRAM(CALL((s32)draw(220)), MOV_K(0, 0), EXIT());
	case 5: PROGRAM(EXIT());
	case 6: PROGRAM(MOV_K(0, 0), JEQ_K(0, 0, (s16)draw(4)), MOV_K(0, 1), EXIT());
	case 7:
		PROGRAM(INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1), EXIT(), MOV_K(0, 2),
			EXIT());
	case 8: PROGRAM(CALL(BPF_FUNC_ktime_get_ns), MOV_K(0, 0), EXIT());
	case 9: PROGRAM(LD_MAP(1, BPF_PSEUDO_MAP_IDX, (s32)draw(2)), MOV_K(0, 0), EXIT());
	default: PROGRAM(MOV_K(0, (s32)draw(3)), EXIT());
	}
}

u32 program_btf(struct op *op)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, "", BTF_KIND_PTR, 0, 0, 1 + draw(4));
	blob_type(&blob, "t", BTF_KIND_TYPEDEF, 0, 0, 1 + draw(3));
	if (one_in(2)) {
		blob_type(&blob, "s", BTF_KIND_STRUCT, 0, 2, 16);
		blob_member(&blob, "a", 1 + draw(5), 0);
		blob_member(&blob, "b", 2, 64);
	}
	if (one_in(3))
		blob_type(&blob, "v", draw(22), draw(2), draw(3), draw(20));
	blob_finish(&blob);
	put(op, AT_BTF, blob.bytes, blob.size);
	return blob.size;
}
