/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pinned maps to bytes. Programs go on writing to the maps meanwhile: each element is what it was
 * at some time during the walk, as with any client that dumps a map.
 */
#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "btf/btf.h"
#include "sys/hive.h"
#include "sys/sha256.h"
#include "sys/state.h"
#include "sys/state_client.h"
#include "sys/state_format.h"

/* The hive waits while a map is read: a larger one would be felt. */
#define ENTRIES_MAX 1000000u
#define BYTES_MAX   (64ull << 20)

struct writer {
	struct text *text;
	struct state_client client;
	struct sys_btf **btfs; /* as many as there are pins at most */
	u32 nr_btfs;
	const struct sys_state_pin *pins;
	u32 nr_pins;
};

/* NULL, or why a map of this type is not kept. */
static const char *why_not(const struct sys_map *map)
{
	if (map->rt->value_size == 0)
		return "it has no values";
	if (map->rt->max_entries > ENTRIES_MAX ||
	    map->rt->max_entries * (map->rt->key_size + sys_map_value_size(map)) > BYTES_MAX)
		return "it has room for more than a million elements or 64 MiB";
	switch (map->rt->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE: break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_BLOOM_FILTER: return "maps of its type cannot be read without a change";
	default: return "what it holds lives no longer than the hive";
	}
	if (map->exclusive)
		return "it belongs to one program";
	if (map->fields.nr)
		return "its values have special fields";
	return map->btf && map->btf->kernel ? "its types are the kernel's" : NULL;
}

static struct sys_map *kept(const struct sys_state_pin *pin)
{
	struct sys_map *map;

	if (pin->object->kind != OBJECT_MAP)
		return NULL;
	map = container_of(pin->object, struct sys_map, object);
	return why_not(map) ? NULL : map;
}

/* Is it the first pin of its map? */
static bool is_first(const struct writer *writer, u32 index)
{
	for (u32 i = 0; i < index; i++)
		if (writer->pins[i].object == writer->pins[index].object)
			return false;
	return true;
}

/* The blob's number from 1. */
static u32 add_btf(struct writer *writer, struct sys_btf *btf)
{
	u32 size, i = 0;
	const void *data;

	while (i < writer->nr_btfs && writer->btfs[i] != btf)
		i++;
	if (i < writer->nr_btfs)
		return i + 1;
	data = btf_data(btf->btf, &size);
	text_add(writer->text, &size, sizeof(size));
	text_add(writer->text, data, size);
	writer->btfs[writer->nr_btfs++] = btf;
	return writer->nr_btfs;
}

static u32 btf_number(const struct writer *writer, const struct sys_btf *btf)
{
	for (u32 i = 0; i < writer->nr_btfs; i++)
		if (writer->btfs[i] == btf)
			return i + 1;
	return 0;
}

static void write_pins(struct writer *writer, const struct object *object, u32 *ret_nr)
{
	for (u32 i = 0; i < writer->nr_pins; i++) {
		u32 length = (u32)strlen(writer->pins[i].path);

		if (writer->pins[i].object != object)
			continue;
		text_add(writer->text, &length, sizeof(length));
		text_add(writer->text, writer->pins[i].path, length);
		++*ret_nr;
	}
}

/* Never more than max_entries: a hash that changes may show an element again. */
static int write_elements(struct writer *writer, struct sys_map *map, int fd, u64 *ret_nr)
{
	u64 value_size = sys_map_value_size(map);
	u32 key_size = map->rt->key_size;
	u8 *keys = base_zalloc(2, key_size), *value = base_zalloc(1, value_size), *key,
	   *last = NULL;
	union bpf_attr attr;
	long result = 0;

	if (!keys || !value)
		result = -ENOMEM;
	for (u32 i = 0; !result && i < map->rt->max_entries; i++) {
		key = keys + (i & 1) * key_size;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (u32)fd;
		attr.key = (u64)last;
		attr.next_key = (u64)key;
		result = state_client_call(&writer->client, BPF_MAP_GET_NEXT_KEY, &attr);
		if (result)
			break;
		last = key;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (u32)fd;
		attr.key = (u64)key;
		attr.value = (u64)value;
		result = state_client_call(&writer->client, BPF_MAP_LOOKUP_ELEM, &attr);
		if (result == -ENOENT) { /* deleted meanwhile */
			result = 0;
			continue;
		}
		if (result)
			break;
		text_add(writer->text, key, key_size);
		text_add(writer->text, value, value_size);
		++*ret_nr;
	}
	base_free(keys);
	base_free(value);
	return result == -ENOENT ? 0 : (int)result;
}

static int write_map(struct writer *writer, struct sys_map *map)
{
	u64 at = writer->text->length;
	struct state_map head = {
		.type = map->rt->type,
		.key_size = map->rt->key_size,
		.value_size = map->rt->value_size,
		.max_entries = map->rt->max_entries,
		.flags = map->rt->flags,
		.frozen = map->frozen,
		.extra = map->rt->map_extra,
		.btf = map->btf ? btf_number(writer, map->btf) : 0,
		.btf_key_type_id = map->btf_key_type_id,
		.btf_value_type_id = map->btf_value_type_id,
	};
	int fd = state_client_open(&writer->client, &map->object), error;

	if (fd < 0)
		return fd;
	memcpy(head.name, map->rt->name, sizeof(head.name));
	text_add(writer->text, &head, sizeof(head));
	write_pins(writer, &map->object, &head.nr_pins);
	error = write_elements(writer, map, fd, &head.nr_elems);
	if (!writer->text->failed)
		memcpy(writer->text->data + at, &head, sizeof(head));
	return error;
}

static int write_all(struct writer *writer)
{
	struct state_header header = { .version = STATE_VERSION, .nr_vcpus = RT_CONTROL->nr_vcpus };
	u8 digest[STATE_DIGEST_SIZE];
	int error = 0;

	memcpy(header.magic, STATE_MAGIC, sizeof(header.magic));
	text_add(writer->text, &header, sizeof(header));
	for (u32 i = 0; i < writer->nr_pins; i++) {
		struct sys_map *map = kept(&writer->pins[i]);

		if (map && map->btf)
			add_btf(writer, map->btf);
	}
	for (u32 i = 0; i < writer->nr_pins && !error; i++) {
		struct sys_map *map = kept(&writer->pins[i]);

		if (!map || !is_first(writer, i))
			continue;
		error = write_map(writer, map);
		header.nr_maps++;
	}
	if (error || writer->text->failed)
		return error ? error : -ENOMEM;
	header.nr_btfs = writer->nr_btfs;
	header.size = writer->text->length + sizeof(digest);
	memcpy(writer->text->data, &header, sizeof(header));
	sha256(writer->text->data, writer->text->length, digest);
	text_add(writer->text, digest, sizeof(digest));
	return writer->text->failed ? -ENOMEM : 0;
}

int sys_state_write(struct sys_hive *hive, const struct sys_state_pin *pins, u32 nr_pins,
		    void (*left_out)(void *arg, const struct sys_state_pin *pin,
				     const char *reason),
		    void *arg, struct text *ret_text)
{
	struct writer writer = { .text = ret_text, .pins = pins, .nr_pins = nr_pins };
	int error = -ENOMEM;

	state_client_init(&writer.client, hive);
	writer.btfs = base_zalloc(nr_pins + 1, sizeof(struct sys_btf *));
	if (writer.btfs)
		error = write_all(&writer);
	for (u32 i = 0; i < nr_pins && left_out && !error; i++) {
		if (pins[i].object->kind != OBJECT_MAP)
			left_out(arg, &pins[i], "only maps are kept");
		else if (!kept(&pins[i]))
			left_out(arg, &pins[i],
				 why_not(container_of(pins[i].object, struct sys_map, object)));
	}
	state_client_done(&writer.client);
	base_free(writer.btfs);
	return error;
}
