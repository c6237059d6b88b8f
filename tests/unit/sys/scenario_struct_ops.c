/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: struct_ops maps, their states and links, and programs for test runs. */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../btf/blob.h"
#include "abi/bpf_new.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"

#define VALUE_MAX 4096
#define MEMBERS	  4

/* Where things are in the running kernel's BTF. */
struct layout {
	struct btf *btf;
	u32 ops, value, value_size, data, dummy, dummy_value, dummy_size;
	u32 members[MEMBERS], offsets[MEMBERS], name, flags; /* bytes in the structure */
};

static const char *const member_names[MEMBERS] = { "ssthresh", "cong_avoid", "undo_cwnd",
						   "release" };

static u32 offset_of(const struct btf *btf, u32 structure, const char *name, u32 *ret_index)
{
	const struct btf_type *type = btf_type_by_id(btf, structure);
	const struct btf_member *member = btf_find_member(btf, type, name);

	if (!member)
		return 0;
	if (ret_index)
		*ret_index = (u32)(member - btf_members_of(type));
	return btf_member_offset(type, member) / 8;
}

static bool find_layout(struct layout *layout)
{
	struct btf *btf = layout->btf = kernel_btf_read();

	if (!btf)
		return false;
	layout->ops = btf_find(btf, "tcp_congestion_ops", BTF_KIND_STRUCT);
	layout->value = btf_find(btf, "bpf_struct_ops_tcp_congestion_ops", BTF_KIND_STRUCT);
	layout->dummy = btf_find(btf, "bpf_dummy_ops", BTF_KIND_STRUCT);
	layout->dummy_value = btf_find(btf, "bpf_struct_ops_bpf_dummy_ops", BTF_KIND_STRUCT);
	if (!layout->ops || !layout->value || !layout->dummy || !layout->dummy_value)
		return false;
	layout->value_size = btf_type_by_id(btf, layout->value)->size;
	layout->dummy_size = btf_type_by_id(btf, layout->dummy_value)->size;
	layout->data = offset_of(btf, layout->value, "data", NULL);
	for (u32 i = 0; i < MEMBERS; i++)
		layout->offsets[i] =
			offset_of(btf, layout->ops, member_names[i], &layout->members[i]);
	layout->name = offset_of(btf, layout->ops, "name", NULL);
	layout->flags = offset_of(btf, layout->ops, "flags", NULL);
	return layout->value_size <= VALUE_MAX;
}

static int load_btf(struct world *world)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_finish(&blob);
	return world_btf(world, &blob);
}

static void fill(union abi_attr *attr, const struct layout *layout, int btf, u32 flags)
{
	memset(attr, 0, sizeof(*attr));
	attr->map_type = BPF_MAP_TYPE_STRUCT_OPS;
	attr->key_size = 4;
	attr->value_size = layout->value_size;
	attr->max_entries = 1;
	attr->map_flags = flags;
	attr->btf_fd = (u32)btf;
	attr->btf_vmlinux_value_type_id = layout->value;
}

static int make(struct world *world, const struct layout *layout, int btf, u32 flags)
{
	union abi_attr attr;

	fill(&attr, layout, btf, flags);
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

static void creates(struct world *world, const struct layout *layout, int btf)
{
	union abi_attr attr;

#define CASE(text, want, change)                                                     \
	do {                                                                         \
		fill(&attr, layout, btf, 0);                                         \
		change;                                                              \
		expect(world, world_call(world, BPF_MAP_CREATE, &attr), want, text); \
	} while (0)
	CASE("struct_ops: key of 8", -EINVAL, attr.key_size = 8);
	CASE("struct_ops: two entries", -EINVAL, attr.max_entries = 2);
	CASE("struct_ops: no type", -EINVAL, attr.btf_vmlinux_value_type_id = 0);
	CASE("struct_ops: the structure itself", -ABI_ENOTSUPP,
	     attr.btf_vmlinux_value_type_id = layout->ops);
	CASE("struct_ops: no such type", -ABI_ENOTSUPP, attr.btf_vmlinux_value_type_id = 1u << 24);
	CASE("struct_ops: another size", -EINVAL, attr.value_size--);
	CASE("struct_ops: flags", -EINVAL, attr.map_flags = BPF_F_MMAPABLE);
	CASE("struct_ops: types of its own", -EINVAL, attr.btf_value_type_id = 1);
	CASE("struct_ops: no BTF", -EBADF, attr.btf_fd = 12345);
	CASE("array with such a type", -EINVAL, attr.map_type = BPF_MAP_TYPE_ARRAY);
#undef CASE
}

/* A program for a member. */
static int load(struct world *world, u32 structure, u32 member, const struct bpf_insn *insns,
		u32 nr)
{
	union abi_attr attr = world_prog_attr(BPF_PROG_TYPE_STRUCT_OPS, insns, nr);

	attr.load.attach_btf_id = structure;
	attr.load.expected_attach_type = member;
	return (int)world_call(world, BPF_PROG_LOAD, &attr);
}

static void put_member(u8 *value, const struct layout *layout, u32 member, u64 fd)
{
	memcpy(value + layout->data + layout->offsets[member], &fd, sizeof(fd));
}

static void put_name(u8 *value, const struct layout *layout, const char *name)
{
	memset(value + layout->data + layout->name, 0, 16);
	strcpy((char *)value + layout->data + layout->name, name);
}

/* A value that is good. */
static void good_value(u8 *value, const struct layout *layout, const int *progs, const char *name)
{
	memset(value, 0, VALUE_MAX);
	put_name(value, layout, name);
	for (u32 i = 0; i < MEMBERS; i++)
		put_member(value, layout, i, (u64)progs[i]);
}

static void bad_updates(struct world *world, const struct layout *layout, const int *progs, int map)
{
	u8 value[VALUE_MAX];
	u32 key = 0, one = 1;

#define CASE(text, want, change)                                                     \
	do {                                                                         \
		good_value(value, layout, progs, "skep_test");                       \
		change;                                                              \
		expect(world, world_update(world, map, &key, value, 0), want, text); \
	} while (0)
	good_value(value, layout, progs, "skep_test");
	expect(world, world_update(world, map, &one, value, 0), -E2BIG, "struct_ops: key 1");
	expect(world, world_update(world, map, &key, value, BPF_NOEXIST), -EINVAL,
	       "struct_ops: flags");
	CASE("struct_ops: a count", -EINVAL, value[0] = 1);
	CASE("struct_ops: a state", -EINVAL, value[4] = 1);
	CASE("struct_ops: between members", -EINVAL, value[8] = 1);
	CASE("struct_ops: no name", -EINVAL, put_name(value, layout, ""));
	CASE("struct_ops: a bad name", -EINVAL, put_name(value, layout, "a-b"));
	CASE("struct_ops: a name of the kernel's", -EEXIST, put_name(value, layout, "cubic"));
	CASE("struct_ops: its flags", -EINVAL, value[layout->data + layout->flags] = 32);
	CASE("struct_ops: a member is missing", -EINVAL, put_member(value, layout, 0, 0));
	CASE("struct_ops: another member's program", -EINVAL,
	     put_member(value, layout, 0, (u64)progs[1]));
	CASE("struct_ops: a map for a program", -EINVAL, put_member(value, layout, 0, (u64)map));
	CASE("struct_ops: no descriptor", -EBADF, put_member(value, layout, 0, 12345));
#undef CASE
	expect(world, world_lookup(world, map, &key, value), 0, "struct_ops: nothing is left");
	expect(world, value[layout->data + layout->name], 0, "struct_ops: no name is left");
}

static void registers(struct world *world, const struct layout *layout, const int *progs, int map,
		      int second)
{
	u8 value[VALUE_MAX];
	u32 key = 0, next = 7, common[2];
	u64 id;

	good_value(value, layout, progs, "skep_test");
	expect(world, world_delete(world, map, &key), -ENOENT, "struct_ops: nothing to delete");
	expect(world, world_update(world, map, &key, value, 0), 0, "struct_ops: registered");
	expect(world, world_update(world, map, &key, value, 0), -EBUSY, "struct_ops: in use");
	expect(world, world_update(world, second, &key, value, 0), -EEXIST,
	       "struct_ops: the name is taken");
	expect(world, world_lookup(world, map, &key, value), 0, "struct_ops: lookup");
	memcpy(common, value, sizeof(common));
	expect(world, common[0], 1, "struct_ops: its count");
	expect(world, common[1], 1, "struct_ops: its state");
	memcpy(&id, value + layout->data + layout->offsets[0], sizeof(id));
	expect(world, id != 0 && id != (u64)progs[0], 1, "struct_ops: an id for a descriptor");
	key = 1;
	expect(world, world_lookup(world, map, &key, value), -ENOENT, "struct_ops: lookup of 1");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &next, 0), 0,
	       "struct_ops: first key");
	expect(world, next, 0, "struct_ops: which is 0");
	key = 0;
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, &key, &next, 0), -ENOENT,
	       "struct_ops: no other");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, &key, value, 0),
	       -ABI_ENOTSUPP, "struct_ops: lookup and delete");
	expect(world, scenario_element(world, BPF_MAP_FREEZE, map, NULL, NULL, 0), -ABI_ENOTSUPP,
	       "struct_ops: freeze");
	expect(world, world_delete(world, map, &key), 0, "struct_ops: taken back");
	expect(world, world_delete(world, map, &key), -EINPROGRESS, "struct_ops: already");
	good_value(value, layout, progs, "skep_test");
	expect(world, world_update(world, map, &key, value, 0), -EBUSY, "struct_ops: used up");
	expect(world, world_update(world, second, &key, value, 0), 0,
	       "struct_ops: the name is free");
	expect(world, world_delete(world, second, &key), 0, "struct_ops: taken back again");
}

static long link_map(struct world *world, int map)
{
	union abi_attr attr = { 0 };

	attr.link_create.prog_fd = (u32)map;
	attr.link_create.attach_type = ABI_STRUCT_OPS;
	return world_call(world, BPF_LINK_CREATE, &attr);
}

static long update_link(struct world *world, int link, int map, u32 flags, int old)
{
	union abi_attr attr = { 0 };

	attr.link_update.link_fd = (u32)link;
	attr.link_update.new_prog_fd = (u32)map;
	attr.link_update.flags = flags;
	attr.link_update.old_prog_fd = (u32)old;
	return world_call(world, BPF_LINK_UPDATE, &attr);
}

static void link_info(struct world *world, int link)
{
	struct abi_link_info info = { 0 };
	union abi_attr attr = { 0 };

	attr.info.bpf_fd = (u32)link;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "struct_ops link: info");
	expect(world, info.type, ABI_LINK_TYPE_STRUCT_OPS, "struct_ops link: its type");
	expect(world, info.prog_id, 0, "struct_ops link: no program");
	expect(world, info.struct_ops.map_id != 0, 1, "struct_ops link: a map");
}

static void links(struct world *world, const struct layout *layout, const int *progs, int btf)
{
	int maps[3], plain = make(world, layout, btf, 0);
	u8 value[VALUE_MAX];
	union abi_attr attr = { 0 };
	u32 key = 0, common[2];
	long link;

	for (u32 i = 0; i < 3; i++)
		maps[i] = make(world, layout, btf, ABI_F_LINK);
	expect(world, maps[0], FD, "struct_ops: with BPF_F_LINK");
	expect(world, link_map(world, maps[0]), -EINVAL, "struct_ops link: not ready");
	good_value(value, layout, progs, "skep_link");
	expect(world, world_update(world, maps[0], &key, value, 0), 0, "struct_ops: made ready");
	expect(world, world_update(world, maps[0], &key, value, 0), -EBUSY, "struct_ops: once");
	expect(world, world_update(world, maps[1], &key, value, 0), 0, "struct_ops: another");
	put_name(value, layout, "skep_other");
	for (u32 i = 0; i < MEMBERS; i++)
		put_member(value, layout, i, (u64)progs[i]);
	expect(world, world_update(world, maps[2], &key, value, 0), 0, "struct_ops: a third");
	expect(world, world_delete(world, maps[0], &key), -EOPNOTSUPP, "struct_ops: deletion");
	expect(world, link_map(world, plain), -EINVAL, "struct_ops link: without the flag");
	link = link_map(world, maps[0]);
	expect(world, link, FD, "struct_ops link");
	expect(world, link_map(world, maps[0]), -EEXIST, "struct_ops link: a second");
	expect(world, link_map(world, maps[1]), -EEXIST, "struct_ops link: of the same name");
	expect(world, world_lookup(world, maps[0], &key, value), 0, "struct_ops link: lookup");
	memcpy(common, value, sizeof(common));
	expect(world, common[0], 1, "struct_ops link: the map's count");
	expect(world, common[1], 3, "struct_ops link: the map's state");
	link_info(world, (int)link);
	expect(world, update_link(world, (int)link, maps[2], 0, 0), -EINVAL,
	       "struct_ops link: another name");
	expect(world, update_link(world, (int)link, plain, 0, 0), -EINVAL,
	       "struct_ops link: no such map");
	expect(world, update_link(world, (int)link, maps[1], 0, maps[0]), -EINVAL,
	       "struct_ops link: an old one without the flag");
	expect(world, update_link(world, (int)link, maps[1], BPF_F_REPLACE, maps[2]), -EPERM,
	       "struct_ops link: a wrong old one");
	expect(world, update_link(world, (int)link, maps[1], BPF_F_REPLACE, maps[0]), 0,
	       "struct_ops link: replaced");
	attr.link_detach.link_fd = (u32)link;
	expect(world, world_call(world, BPF_LINK_DETACH, &attr), 0, "struct_ops link: detached");
	expect(world, update_link(world, (int)link, maps[0], 0, 0), -ENOLINK,
	       "struct_ops link: no more");
	world->close(world, (int)link);
	link = link_map(world, maps[0]);
	expect(world, link, FD, "struct_ops link: the name is free");
	world->close(world, (int)link);
	for (u32 i = 0; i < 3; i++)
		world->close(world, maps[i]);
	world->close(world, plain);
}

/* bpf_dummy_ops cannot be registered, but run. */
static void dummies(struct world *world, const struct layout *layout, int btf)
{
	/* Returns what the state was, or -1 without one, and adds 5 to it. */
	const struct bpf_insn first[] = { LOAD(BPF_DW, 1, 1, 0),
					  MOV_K(0, -1),
					  JEQ_K(1, 0, 4),
					  LOAD(BPF_W, 0, 1, 0),
					  MOV_X(2, 0),
					  ADD_K(2, 5),
					  INSN(BPF_STX | BPF_MEM | BPF_W, 1, 2, 0, 0),
					  EXIT() };
	/* Returns the sum of its numbers. */
	const struct bpf_insn second[] = { LOAD(BPF_DW, 0, 1, 8), LOAD(BPF_DW, 2, 1, 32),
					   INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 2, 0, 0), EXIT() };
	int progs[2] = { load(world, layout->dummy, 0, first, ARRAY_SIZE(first)),
			 load(world, layout->dummy, 1, second, ARRAY_SIZE(second)) };
	u8 value[VALUE_MAX] = { 0 };
	union abi_attr attr = { 0 };
	s32 state = 37;
	u64 args[5] = { (u64)(uintptr_t)&state, 1, 2, 3, 4 };
	u32 key = 0;
	int map;

	expect(world, progs[0], FD, "bpf_dummy_ops: test_1");
	expect(world, progs[1], FD, "bpf_dummy_ops: test_2");
	attr.test.prog_fd = (u32)progs[0];
	attr.test.ctx_in = (u64)(uintptr_t)args;
	attr.test.ctx_size_in = 8;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "bpf_dummy_ops: run");
	expect(world, attr.test.retval, 37, "bpf_dummy_ops: its result");
	expect(world, state, 42, "bpf_dummy_ops: the state");
	args[0] = 0;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "bpf_dummy_ops: no state");
	expect(world, (s32)attr.test.retval, -1, "bpf_dummy_ops: its result without");
	attr.test.ctx_size_in = 16;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "bpf_dummy_ops: size");
	attr.test.prog_fd = (u32)progs[1];
	attr.test.ctx_size_in = sizeof(args);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL,
	       "bpf_dummy_ops: a state is needed");
	args[0] = (u64)(uintptr_t)&state;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "bpf_dummy_ops: numbers");
	expect(world, attr.test.retval, 5, "bpf_dummy_ops: their sum");
	fill(&attr, layout, btf, 0);
	attr.btf_vmlinux_value_type_id = layout->dummy_value;
	attr.value_size = layout->dummy_size;
	map = (int)world_call(world, BPF_MAP_CREATE, &attr);
	expect(world, map, FD, "bpf_dummy_ops: a map");
	expect(world, world_update(world, map, &key, value, 0), -EOPNOTSUPP,
	       "bpf_dummy_ops: cannot be registered");
	world->close(world, map);
	world->close(world, progs[0]);
	world->close(world, progs[1]);
}

void scenario_struct_ops(struct world *world)
{
	const struct bpf_insn insns[] = { MOV_K(0, 2), EXIT() };
	struct layout layout = { 0 };
	int progs[MEMBERS], btf, map, second;
	union abi_attr attr = { 0 };

	if (!find_layout(&layout)) {
		tap_skip(1, "this kernel's BTF has no struct_ops");
		btf_free(layout.btf);
		return;
	}
	btf = load_btf(world);
	creates(world, &layout, btf);
	for (u32 i = 0; i < MEMBERS; i++) {
		progs[i] = load(world, layout.ops, layout.members[i], insns, 2);
		expect(world, progs[i], FD, member_names[i]);
	}
	map = make(world, &layout, btf, 0);
	second = make(world, &layout, btf, 0);
	expect(world, map, FD, "struct_ops");
	bad_updates(world, &layout, progs, map);
	registers(world, &layout, progs, map, second);
	attr.test.prog_fd = (u32)progs[0];
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EOPNOTSUPP,
	       "tcp_congestion_ops: not to be run");
	world->close(world, map);
	world->close(world, second);
	links(world, &layout, progs, btf);
	dummies(world, &layout, btf);
	for (u32 i = 0; i < MEMBERS; i++)
		world->close(world, progs[i]);
	world->close(world, btf);
	btf_free(layout.btf);
}
