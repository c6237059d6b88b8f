/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes to pinned maps. The checksum guards against accidents only: whoever can write the file can
 * write that too. So every size is held against what is left, paths against where they may lead,
 * and the rest is for bpf(2) to accept or not.
 */
#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "sys/hive.h"
#include "sys/sha256.h"
#include "sys/state.h"
#include "sys/state_client.h"
#include "sys/state_format.h"

struct reader {
	const u8 *data;
	u64 left;
	struct state_client client;
	u32 nr_btfs; /* descriptors 0 … nr_btfs - 1 */
	int (*pin)(void *arg, const struct sys_state_pin *pin);
	void *arg;
	const char *reason;
};

/* The next size bytes, or NULL. */
static const void *take(struct reader *reader, u64 size)
{
	const void *data = reader->data;

	if (size > reader->left)
		return NULL;
	reader->data += size;
	reader->left -= size;
	return data;
}

static int bad(struct reader *reader, const char *reason)
{
	reader->reason = reason;
	return -EINVAL;
}

static int refused(struct reader *reader, const char *reason, long error)
{
	reader->reason = reason;
	return (int)error;
}

static int read_btf(struct reader *reader)
{
	const u32 *size_at = take(reader, sizeof(u32));
	union bpf_attr attr = { 0 };
	const void *blob;
	u32 size = 0;
	long fd;

	if (size_at)
		memcpy(&size, size_at, sizeof(size));
	blob = size_at ? take(reader, size) : NULL;
	if (!blob)
		return bad(reader, "a BTF blob is longer than the file");
	attr.btf = (u64)blob;
	attr.btf_size = size;
	fd = state_client_call(&reader->client, BPF_BTF_LOAD, &attr);
	return fd < 0 ? refused(reader, "a BTF blob is not accepted", fd) : 0;
}

/* Names of files below one directory, and nothing else. */
static bool path_is_harmless(const char *path)
{
	for (const char *part = path;; part++) {
		u64 length = strcspn(part, "/");

		if (!length || length > 255 || (length == 1 && part[0] == '.') ||
		    (length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += length;
		if (!*part)
			return true;
	}
}

static int read_pins(struct reader *reader, u32 nr, int fd)
{
	struct sys_state_pin pin = { .object = reader->client.objects[fd] };
	char path[SYS_STATE_PATH_MAX];
	int error;

	for (u32 i = 0; i < nr; i++) {
		const void *size_at = take(reader, sizeof(u32)), *bytes;
		u32 size = 0;

		if (size_at)
			memcpy(&size, size_at, sizeof(size));
		bytes = size_at && size < sizeof(path) ? take(reader, size) : NULL;
		if (!bytes)
			return bad(reader, "a path is too long");
		memcpy(path, bytes, size);
		path[size] = '\0';
		if (strlen(path) != size || !path_is_harmless(path))
			return bad(reader, "a path is none below a directory");
		pin.path = path;
		error = reader->pin(reader->arg, &pin);
		if (error)
			return refused(reader, "a pin cannot be made", error);
	}
	return 0;
}

static int read_elements(struct reader *reader, const struct state_map *head, int fd)
{
	struct sys_map *map = container_of(reader->client.objects[fd], struct sys_map, object);
	u64 value_size = sys_map_value_size(map);
	union bpf_attr attr;

	if (head->nr_elems > head->max_entries)
		return bad(reader, "a map has more elements than it has room for");
	for (u64 i = 0; i < head->nr_elems; i++) {
		const void *key = take(reader, head->key_size);
		const void *value = key ? take(reader, value_size) : NULL;
		long error;

		if (!value)
			return bad(reader, "a map has more elements than the file");
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (u32)fd;
		attr.key = (u64)key;
		attr.value = (u64)value;
		error = state_client_call(&reader->client, BPF_MAP_UPDATE_ELEM, &attr);
		if (error)
			return refused(reader, "an element is not accepted", error);
	}
	if (!head->frozen)
		return 0;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)fd;
	return (int)state_client_call(&reader->client, BPF_MAP_FREEZE, &attr);
}

static int read_map(struct reader *reader)
{
	const void *bytes = take(reader, sizeof(struct state_map));
	union bpf_attr attr = { 0 };
	struct state_map head;
	long fd;
	int error;

	if (!bytes)
		return bad(reader, "it ends within a map");
	memcpy(&head, bytes, sizeof(head));
	if (head.btf > reader->nr_btfs || head.frozen > 1 || !head.nr_pins)
		return bad(reader, "a map's description is inconsistent");
	attr.map_type = head.type;
	attr.key_size = head.key_size;
	attr.value_size = head.value_size;
	attr.max_entries = head.max_entries;
	attr.map_flags = head.flags;
	attr.map_extra = head.extra;
	memcpy(attr.map_name, head.name, sizeof(attr.map_name));
	if (head.btf) {
		attr.btf_fd = head.btf - 1;
		attr.btf_key_type_id = head.btf_key_type_id;
		attr.btf_value_type_id = head.btf_value_type_id;
	}
	fd = state_client_call(&reader->client, BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return refused(reader, "a map cannot be made", fd);
	error = read_pins(reader, head.nr_pins, (int)fd);
	return error ? error : read_elements(reader, &head, (int)fd);
}

static int read_all(struct reader *reader, u64 size)
{
	const void *bytes = take(reader, sizeof(struct state_header));
	u8 digest[STATE_DIGEST_SIZE];
	struct state_header header;
	int error = 0;

	if (!bytes)
		return bad(reader, "it is too short");
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.magic, STATE_MAGIC, sizeof(header.magic)))
		return bad(reader, "it is no state of a hive");
	if (header.version != STATE_VERSION)
		return bad(reader, header.version < STATE_VERSION
					   ? "its format is older than this skep reads"
					   : "its format is newer than this skep reads");
	if (header.size != size || reader->left < sizeof(digest))
		return bad(reader, "it is truncated, or something follows");
	reader->left -= sizeof(digest);
	sha256(bytes, size - sizeof(digest), digest);
	if (memcmp(digest, (const u8 *)bytes + size - sizeof(digest), sizeof(digest)))
		return bad(reader, "its checksum is wrong");
	if (header.nr_vcpus != RT_CONTROL->nr_vcpus)
		return bad(reader, "it was written on a machine with another number of CPUs");
	for (u32 i = 0; i < header.nr_btfs && !error; i++, reader->nr_btfs++)
		error = read_btf(reader);
	for (u32 i = 0; i < header.nr_maps && !error; i++)
		error = read_map(reader);
	if (!error && reader->left)
		return bad(reader, "something follows the last map");
	return error;
}

int sys_state_read(struct sys_hive *hive, const void *data, u64 size,
		   int (*pin)(void *arg, const struct sys_state_pin *pin), void *arg,
		   const char **ret_reason)
{
	struct reader reader = {
		.data = data, .left = size, .pin = pin, .arg = arg, .reason = "it is not accepted"
	};
	int error;

	state_client_init(&reader.client, hive);
	error = read_all(&reader, size);
	state_client_done(&reader.client);
	if (error)
		*ret_reason = reader.reason;
	return error;
}
