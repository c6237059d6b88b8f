/* SPDX-License-Identifier: BSD-2-Clause */
/* The modelled kernel's structures: laid out by the running kernel's BTF, and nothing beyond the
 * room. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"

/* Offset in bytes of a member that is not in an anonymous structure. */
static u32 offset_of(const struct btf *btf, const char *structure, const char *member)
{
	const struct btf_type *type =
		btf_type_by_id(btf, btf_find(btf, structure, BTF_KIND_STRUCT));

	return btf_member_offset(type, btf_find_member(btf, type, member)) / 8;
}

static u32 size_of(const struct btf *btf, const char *structure)
{
	return btf_type_by_id(btf, btf_find(btf, structure, BTF_KIND_STRUCT))->size;
}

static bool is_zero(const u8 *bytes, u64 size)
{
	for (u64 i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void members(const struct btf *btf, struct model *model)
{
	u8 *task = model_object(model, "task_struct"), *map = model_object(model, "bpf_map");
	const char *comm = (char *)task + offset_of(btf, "task_struct", "comm");
	u32 word;

	model_set(model, task, MODEL_TASK_PID, 0x1122334455667788ull);
	memcpy(&word, task + offset_of(btf, "task_struct", "pid"), sizeof(word));
	tap_ok(word == 0x55667788, "a number, cut to its member");
	tap_ok(is_zero(task, offset_of(btf, "task_struct", "pid")), "nothing before it");
	model_set_text(model, task, MODEL_TASK_COMM, "a name of more than fifteen letters");
	tap_ok(!strcmp(comm, "a name of more "), "text, cut to its member");
	model_set_text(model, task, MODEL_TASK_COMM, "");
	model_set_bytes(model, map, MODEL_MAP_NAME, "0123456789abcdefXXXX", 20);
	tap_ok(!memcmp(map + offset_of(btf, "bpf_map", "name"), "0123456789abcdef", 16) &&
		       map[offset_of(btf, "bpf_map", "name") + 16] != 'X',
	       "bytes, cut to their member");
	tap_ok(model_member(model, map, MODEL_MAP_NAME) == map + offset_of(btf, "bpf_map", "name"),
	       "where a member lies");
	tap_ok(!model_member(model, NULL, MODEL_MAP_NAME), "no member of nothing");
	model_set(model, NULL, MODEL_MAP_ID, 1);
	model_set_text(model, NULL, MODEL_MAP_NAME, "x");
}

/* Members of one bit, side by side. */
static void bits(const struct btf *btf, struct model *model)
{
	u32 size = size_of(btf, "bpf_prog"), first = 0;
	u8 *prog = model_object(model, "bpf_prog");

	model_set(model, prog, MODEL_PROG_GPL, 0xff);
	while (first < size && !prog[first])
		first++;
	tap_ok(first < size && !(prog[first] & (prog[first] - 1)), "one bit is set");
	tap_ok(is_zero(prog + first + 1, size - first - 1), "and no other");
	model_set(model, prog, MODEL_PROG_GPL, 0);
	tap_ok(is_zero(prog, size), "one bit is cleared");
}

static void room(const struct btf *btf, u8 *memory, u64 size)
{
	struct model *model = model_new(btf, memory, size);
	u64 nr = 0, most = size / size_of(btf, "task_struct");

	memset(memory, 0xaa, size + 64);
	tap_ok(!model_object(model, "no_such_structure"),
	       "a structure that the kernel does not have");
	while (nr <= most && model_object(model, "task_struct"))
		nr++;
	tap_ok(nr && nr <= most, "images until there is no room");
	tap_ok(!model_bytes(model, memory, size), "no room for bytes either");
	tap_ok(!model_bytes(model, memory, UINT64_MAX), "nor for more than can be");
	tap_ok(memory[size] == 0xaa, "nothing behind the room");
	model_reset(model);
	tap_ok(model_object(model, "task_struct") == memory, "room again");
	tap_ok(is_zero(memory, size_of(btf, "task_struct")), "all zero");
	model_free(model);
}

int main(void)
{
	struct btf *btf = kernel_btf_read();
	u64 size = 64u << 10;
	struct model *model;
	u8 *memory;

	if (!btf) {
		tap_skip(1, "the kernel shows no BTF here");
		return tap_done();
	}
	memory = malloc(size + 64);
	model = memory ? model_new(btf, memory, size) : NULL;
	if (!model)
		tap_bail("no memory");
	members(btf, model);
	bits(btf, model);
	model_free(model);
	room(btf, memory, size);
	free(memory);
	btf_free(btf);
	return tap_done();
}
