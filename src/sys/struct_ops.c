/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct_ops maps: kernel/bpf/bpf_struct_ops.c and net/ipv4/bpf_tcp_ca.c of Linux 6.18. The value
 * is the kernel's struct bpf_struct_ops_NAME: a count, a state, and the structure itself, at the
 * next cache line. What clients read is what they wrote, with ids of programs for descriptors.
 *
 * Without BPF_F_LINK an update registers (in use), and a deletion takes that back; with it the
 * update only makes ready, and links register.
 */
#include "sys/struct_ops.h"
#include "abi/struct_ops.h"
#include "base/alloc.h"
#include "btf/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PREFIX	      "bpf_struct_ops_"
#define ALGORITHMS    "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define CA_NAME_MAX   16
#define CA_FLAGS_MASK 0x1fu /* TCP_CONG_MASK */

enum state { STATE_INIT, STATE_INUSE, STATE_TOBEFREE, STATE_READY };

/* What the value begins with, struct bpf_struct_ops_common_value. */
struct common {
	u32 refcnt, state;
};

struct sys_struct_ops {
	struct sys_struct_ops *next; /* registered ones of the hive */
	struct sys_map *map;
	const struct abi_struct_ops *ops;
	const struct btf_type *type, *value_type;
	u32 type_id, value_type_id, data; /* data: offset of the structure in the value */
	u32 state, nr_links;
	u8 *value;		 /* as clients see it */
	struct sys_prog **progs; /* by member */
	bool registered;
};

static u32 member_offset(const struct btf_type *type, u32 i)
{
	return btf_member_offset(type, &btf_members_of(type)[i]) / 8;
}

static u32 member_size(const struct btf *btf, const struct btf_type *type, u32 i)
{
	u32 size = 0;

	return btf_size_of(btf, btf_members_of(type)[i].type, &size) ? 0 : size;
}

static const struct btf *btf_of(const struct sys_map *map)
{
	return map->hive->kernel_btf->btf;
}

/* The structure that a value type holds: 0 or -ENOTSUPP. */
static int find_type(struct sys_struct_ops *own, const struct btf *btf, u32 value_id)
{
	const struct btf_type *value = btf_type_by_id(btf, value_id);
	const char *name = value && btf_kind_of(value) == BTF_KIND_STRUCT
				   ? btf_string(btf, value->name_off)
				   : NULL;
	const struct btf_member *data;

	if (!name || strncmp(name, PREFIX, strlen(PREFIX)))
		return -ABI_ENOTSUPP;
	own->ops = abi_struct_ops_find(name + strlen(PREFIX));
	data = btf_find_member(btf, value, "data");
	if (!own->ops || !data)
		return -ABI_ENOTSUPP;
	own->type_id = data->type;
	own->type = btf_type_by_id(btf, data->type);
	own->value_type = value;
	own->value_type_id = value_id;
	own->data = btf_member_offset(value, data) / 8;
	return own->type && btf_kind_of(own->type) == BTF_KIND_STRUCT &&
			       own->data >= sizeof(struct common)
		       ? 0
		       : -ABI_ENOTSUPP;
}

int sys_struct_ops_new(struct sys_call *call, struct sys_map *map)
{
	const union abi_attr *attr = &call->attr;
	struct sys_struct_ops *own;
	int error;

	/* Of modules there are none here. */
	if (attr->map_flags & ABI_F_VTYPE_BTF_OBJ_FD) {
		struct object *object;

		error = sys_object_by_fd(call, (u32)attr->value_type_btf_obj_fd, OBJECT_BTF,
					 &object);
		if (!error)
			object_unref(object);
		return error ? error : -EINVAL;
	}
	sys_kernel_btf_load(call->hive);
	if (!call->hive->kernel_btf)
		return -ABI_ENOTSUPP;
	own = map->struct_ops = base_zalloc(1, sizeof(*own));
	if (!own)
		return -ENOMEM;
	own->map = map;
	error = find_type(own, btf_of(map), attr->btf_vmlinux_value_type_id);
	if (error)
		return error;
	if (attr->value_size != own->value_type->size)
		return -EINVAL;
	map->btf_vmlinux_value_type_id = attr->btf_vmlinux_value_type_id;
	own->value = base_zalloc(1, attr->value_size);
	own->progs = base_zalloc(btf_vlen_of(own->type), sizeof(*own->progs));
	return own->value && own->progs ? 0 : -ENOMEM;
}

static void put_progs(struct sys_struct_ops *own)
{
	for (u32 i = 0; i < btf_vlen_of(own->type); i++) {
		sys_prog_put(own->progs[i]);
		own->progs[i] = NULL;
	}
}

void sys_struct_ops_free(struct sys_map *map)
{
	struct sys_struct_ops *own = map->struct_ops;

	if (own && own->progs)
		put_progs(own);
	if (own) {
		base_free(own->progs);
		base_free(own->value);
	}
	base_free(own);
	map->struct_ops = NULL;
}

/* Registered is what the kernel has, and what this hive's maps have. */
static bool name_is_taken(struct sys_hive *hive, const char *name)
{
	char line[1024], *word, *rest = line;
	FILE *file = fopen(ALGORITHMS, "re");
	bool taken = false;

	if (file && fgets(line, sizeof(line), file))
		while (!taken && (word = strsep(&rest, " \n")))
			taken = *word && !strcmp(word, name);
	if (file)
		fclose(file);
	for (const struct sys_struct_ops *own = hive->struct_ops; own && !taken; own = own->next) {
		const struct btf_member *member =
			btf_find_member(btf_of(own->map), own->type, "name");

		taken = member && !strncmp((const char *)own->value + own->data +
						   btf_member_offset(own->type, member) / 8,
					   name, CA_NAME_MAX);
	}
	return taken;
}

static const char *name_of(const struct sys_struct_ops *own)
{
	const struct btf_member *member = btf_find_member(btf_of(own->map), own->type, "name");

	return member ? (const char *)own->value + own->data +
				btf_member_offset(own->type, member) / 8
		      : "";
}

static int enrol(struct sys_struct_ops *own)
{
	struct sys_hive *hive = own->map->hive;

	if (own->registered || name_is_taken(hive, name_of(own)))
		return -EEXIST;
	own->registered = true;
	own->next = hive->struct_ops;
	hive->struct_ops = own;
	sys_say(hive,
		"map %s: \"%.16s\" is registered; the sockets of a hive are the kernel's, and "
		"do not use it",
		own->map->rt->name, name_of(own));
	return 0;
}

static void strike_out(struct sys_struct_ops *own)
{
	struct sys_struct_ops **at = &own->map->hive->struct_ops;

	while (*at && *at != own)
		at = &(*at)->next;
	if (*at)
		*at = own->next;
	own->registered = false;
}

/* Bytes between members must be zero, as the kernel's check_zero_holes() wants it. */
static int check_holes(const struct btf *btf, const struct btf_type *type, const u8 *data)
{
	u32 end = 0, next;

	for (u32 i = 0; i <= btf_vlen_of(type); i++) {
		next = i < btf_vlen_of(type) ? member_offset(type, i) : type->size;
		for (; end < next; end++)
			if (data[end])
				return -EINVAL;
		if (i < btf_vlen_of(type))
			end = next + member_size(btf, type, i);
	}
	return 0;
}

static bool is_zero(const u8 *data, u32 size)
{
	while (size--)
		if (*data++)
			return false;
	return true;
}

/* Members that the subsystem looks at itself. 1: done, 0: one of the others, or -errno. */
static int own_member(const struct sys_struct_ops *own, const char *name, const u8 *data)
{
	char copy[CA_NAME_MAX];
	u32 flags;

	if (!own->ops->registers)
		return -EOPNOTSUPP;
	if (!strcmp(name, "flags")) {
		memcpy(&flags, data, sizeof(flags));
		return flags & ~CA_FLAGS_MASK ? -EINVAL : 1;
	}
	if (!strcmp(name, "name"))
		return !data[0] || sys_copy_name(copy, (const char *)data) ? -EINVAL : 1;
	return 0;
}

/* A member that may be a program: its descriptor gives way to its id in data. */
static int take_member(struct sys_call *call, struct sys_struct_ops *own, u32 i, u8 *data)
{
	const struct btf *btf = btf_of(own->map);
	const struct btf_member *member = &btf_members_of(own->type)[i];
	const struct btf_type *type = btf_skip_modifiers(btf, member->type, NULL), *pointee = NULL;
	const char *name = btf_string(btf, member->name_off), *pointee_name;
	u64 value = 0;
	int error;

	if (type && btf_kind_of(type) == BTF_KIND_PTR) {
		pointee = btf_skip_modifiers(btf, type->type, NULL);
		pointee_name = pointee ? btf_string(btf, pointee->name_off) : NULL;
		memcpy(&value, data, sizeof(value));
		if (pointee_name && !strcmp(pointee_name, "module"))
			return value ? -EINVAL : 0;
	}
	error = own_member(own, name ? name : "", data);
	if (error)
		return error < 0 ? error : 0;
	if (!pointee || btf_kind_of(pointee) != BTF_KIND_FUNC_PROTO)
		return is_zero(data, member_size(btf, own->type, i)) ? 0 : -EINVAL;
	if (!(s32)value)
		return 0;
	error = sys_prog_by_fd(call, (u32)value, &own->progs[i]);
	if (error)
		return error;
	if (own->progs[i]->type != BPF_PROG_TYPE_STRUCT_OPS ||
	    own->progs[i]->attach_btf_id != own->type_id ||
	    own->progs[i]->expected_attach_type != i)
		return -EINVAL;
	value = own->progs[i]->object.id;
	memcpy(data, &value, sizeof(value));
	return 0;
}

static const struct sys_prog *implements(const struct sys_struct_ops *own, const char *member)
{
	const struct btf *btf = btf_of(own->map);

	for (u32 i = 0; i < btf_vlen_of(own->type); i++) {
		const char *name = btf_string(btf, btf_members_of(own->type)[i].name_off);

		if (name && !strcmp(name, member))
			return own->progs[i];
	}
	return NULL;
}

/* What a congestion control cannot do without. */
static int validate(const struct sys_struct_ops *own)
{
	return implements(own, "ssthresh") && implements(own, "undo_cwnd") &&
			       (implements(own, "cong_avoid") || implements(own, "cong_control"))
		       ? 0
		       : -EINVAL;
}

static int fill(struct sys_call *call, struct sys_struct_ops *own)
{
	int error = 0;

	for (u32 i = 0; i < btf_vlen_of(own->type) && !error; i++)
		error = take_member(call, own, i,
				    own->value + own->data + member_offset(own->type, i));
	if (!error)
		error = validate(own);
	if (error)
		return error;
	if (own->map->rt->flags & ABI_F_LINK) {
		own->state = STATE_READY;
		return 0;
	}
	error = enrol(own);
	if (error)
		return error;
	/* It keeps itself, also when no client has it. */
	object_ref(&own->map->object);
	own->state = STATE_INUSE;
	return 0;
}

static long update(struct sys_call *call, struct sys_map *map, const struct rt_elem *elem)
{
	struct sys_struct_ops *own = map->struct_ops;
	const u8 *value = elem->value_room;
	struct common common;
	u32 key;
	int error;

	memcpy(&key, elem->key_room, sizeof(key));
	if (elem->flags)
		return -EINVAL;
	if (key)
		return -E2BIG;
	error = check_holes(btf_of(map), own->value_type, value);
	if (!error)
		error = check_holes(btf_of(map), own->type, value + own->data);
	memcpy(&common, value, sizeof(common));
	if (error || common.state || common.refcnt)
		return -EINVAL;
	if (own->state != STATE_INIT)
		return -EBUSY;
	memcpy(own->value, value, map->rt->value_size);
	error = fill(call, own);
	if (error) {
		put_progs(own);
		memset(own->value, 0, map->rt->value_size);
	}
	return error;
}

static long delete (struct sys_map *map)
{
	struct sys_struct_ops *own = map->struct_ops;

	if (map->rt->flags & ABI_F_LINK)
		return -EOPNOTSUPP;
	switch (own->state) {
	case STATE_INUSE:
		own->state = STATE_TOBEFREE;
		strike_out(own);
		object_unref(&map->object);
		return 0;
	case STATE_TOBEFREE: return -EINPROGRESS;
	default: return -ENOENT;
	}
}

void sys_struct_ops_end(struct sys_hive *hive)
{
	while (hive->struct_ops) {
		struct sys_struct_ops *own = hive->struct_ops;

		if (own->state == STATE_INUSE)
			delete (own->map);
		else
			strike_out(own);
	}
}

static long lookup(const struct sys_map *map, struct rt_elem *elem)
{
	const struct sys_struct_ops *own = map->struct_ops;
	struct common common = { own->nr_links + (own->state == STATE_INUSE), own->state };
	u32 key;

	memcpy(&key, elem->key_room, sizeof(key));
	if (key)
		return -ENOENT;
	memset(elem->value_room, 0, map->rt->value_size);
	if (own->state == STATE_INIT)
		return 0;
	memcpy(elem->value_room, own->value, map->rt->value_size);
	memcpy(elem->value_room, &common, sizeof(common));
	return 0;
}

long sys_struct_ops_elem(struct sys_call *call, struct sys_map *map, struct rt_elem *elem)
{
	u32 key = 1;

	switch (elem->cmd) {
	case BPF_MAP_LOOKUP_ELEM: return lookup(map, elem);
	case BPF_MAP_UPDATE_ELEM: return update(call, map, elem);
	case BPF_MAP_DELETE_ELEM: return delete (map);
	case BPF_MAP_GET_NEXT_KEY:
		if (elem->key)
			memcpy(&key, elem->key_room, sizeof(key));
		if (!key)
			return -ENOENT;
		memset(elem->value_room, 0, sizeof(key));
		return 0;
	default: return -ABI_ENOTSUPP;
	}
}

static bool can_be_linked(const struct sys_map *map)
{
	return map->struct_ops && map->rt->flags & ABI_F_LINK &&
	       map->struct_ops->state == STATE_READY;
}

long sys_struct_ops_link(struct sys_call *call)
{
	struct sys_link *link;
	struct sys_map *map;
	int error = sys_map_by_fd(call, call->attr.link_create.prog_fd, &map);

	if (error)
		return error;
	if (!can_be_linked(map)) {
		sys_map_put(map);
		return -EINVAL;
	}
	link = sys_link_new(call, ABI_LINK_TYPE_STRUCT_OPS, NULL, 0);
	error = link ? enrol(map->struct_ops) : -ENOMEM;
	if (error) {
		sys_link_put(link);
		sys_map_put(map);
		return error;
	}
	link->struct_ops = map;
	map->struct_ops->nr_links++;
	return sys_install_consume(call, &link->object, O_RDWR);
}

void sys_struct_ops_unlink(struct sys_link *link)
{
	struct sys_map *map = link->struct_ops;

	if (!map)
		return;
	map->struct_ops->nr_links--;
	strike_out(map->struct_ops);
	link->struct_ops = NULL;
	sys_map_put(map);
}

/* The link goes over to another map of the same name. */
static int replace(struct sys_link *link, struct sys_map *new, const struct sys_map *expected)
{
	struct sys_map *old = link->struct_ops;

	if (!can_be_linked(new))
		return -EINVAL;
	if (!old)
		return -ENOLINK;
	if (expected && expected != old)
		return -EPERM;
	if (new->struct_ops->type_id != old->struct_ops->type_id)
		return -EINVAL;
	if (new->struct_ops->registered)
		return -EEXIST;
	if (strncmp(name_of(new->struct_ops), name_of(old->struct_ops), CA_NAME_MAX))
		return -EINVAL;
	strike_out(old->struct_ops);
	old->struct_ops->nr_links--;
	new->struct_ops->registered = true;
	new->struct_ops->next = link->hive->struct_ops;
	link->hive->struct_ops = new->struct_ops;
	new->struct_ops->nr_links++;
	object_ref(&new->object);
	link->struct_ops = new;
	sys_map_put(old);
	return 0;
}

long sys_struct_ops_update(struct sys_call *call, struct sys_link *link)
{
	const union abi_attr *attr = &call->attr;
	struct sys_map *new, *old = NULL;
	int error = sys_map_by_fd(call, attr->link_update.new_prog_fd, &new);

	if (error)
		return error;
	if (attr->link_update.flags & BPF_F_REPLACE)
		error = sys_map_by_fd(call, attr->link_update.old_prog_fd, &old);
	else if (attr->link_update.old_prog_fd)
		error = -EINVAL;
	if (!error)
		error = replace(link, new, old);
	sys_map_put(old);
	sys_map_put(new);
	return error;
}
