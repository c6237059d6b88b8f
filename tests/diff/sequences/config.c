/* SPDX-License-Identifier: BSD-2-Clause */
/* See sequences.h: which maps there are, and what is put into them. */
#include "sequences.h"

#include <string.h>

#define ELEMENTS (OPS(OP_LOOKUP) | OPS(OP_STORE) | OPS(OP_UPDATE) | OPS(OP_DELETE))
#define WALKED	 (ELEMENTS | OPS(OP_EACH))
#define QUEUED	 (OPS(OP_PUSH) | OPS(OP_POP) | OPS(OP_PEEK))
#define RING	 (OPS(OP_OUTPUT) | OPS(OP_RESERVE) | OPS(OP_QUERY))
#define TIMERS	 (OPS(OP_TIMER_INIT) | OPS(OP_TIMER_SET) | OPS(OP_TIMER_START) | OPS(OP_TIMER_CANCEL))
#define ACCESS	 (BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)
#define HASHED	 (ACCESS | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED)

static const struct kind kinds[] = {
	{ "array", BPF_MAP_TYPE_ARRAY, 10, ACCESS | BPF_F_MMAPABLE | BPF_F_INNER_MAP, WALKED, 0,
	  KIND_LOCKS },
	{ "hash", BPF_MAP_TYPE_HASH, 10, HASHED, WALKED, 0, KIND_UNORDERED | KIND_LOCKS },
	{ "timers in an array", BPF_MAP_TYPE_ARRAY, 5, 0, ELEMENTS | TIMERS, 0, KIND_TIMERS },
	{ "timers in a hash", BPF_MAP_TYPE_HASH, 5, BPF_F_NO_PREALLOC, ELEMENTS | TIMERS, 0,
	  KIND_UNORDERED | KIND_TIMERS },
	{ "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 10, ACCESS, WALKED | OPS(OP_PERCPU), 0,
	  KIND_PERCPU },
	{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 10, HASHED, WALKED | OPS(OP_PERCPU), 0,
	  KIND_UNORDERED | KIND_PERCPU },
	{ "lru_hash", BPF_MAP_TYPE_LRU_HASH, 10, ACCESS | BPF_F_NO_COMMON_LRU | BPF_F_ZERO_SEED,
	  WALKED, 0, KIND_UNORDERED | KIND_LRU },
	{ "lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 10,
	  ACCESS | BPF_F_NO_COMMON_LRU | BPF_F_ZERO_SEED, WALKED | OPS(OP_PERCPU), 0,
	  KIND_UNORDERED | KIND_LRU | KIND_PERCPU },
	{ "lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 10, ACCESS, ELEMENTS, 0, 0 },
	{ "queue", BPF_MAP_TYPE_QUEUE, 10, ACCESS, QUEUED, 0, KIND_KEYLESS },
	{ "stack", BPF_MAP_TYPE_STACK, 10, ACCESS, QUEUED, 0, KIND_KEYLESS },
	{ "bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, 10, ACCESS | BPF_F_ZERO_SEED,
	  OPS(OP_PUSH) | OPS(OP_PEEK), 0, KIND_KEYLESS | KIND_BLOOM },
	{ "ringbuf", BPF_MAP_TYPE_RINGBUF, 10, 0, RING, 0, KIND_KEYLESS },
	{ "stack_trace", BPF_MAP_TYPE_STACK_TRACE, 1, BPF_F_RDONLY | BPF_F_WRONLY, 0, 0,
	  KIND_BARE },
	{ "prog_array", BPF_MAP_TYPE_PROG_ARRAY, 4, BPF_F_RDONLY | BPF_F_WRONLY, 0, VALUE_PROG, 0 },
	{ "perf_event_array", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4,
	  BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_PRESERVE_ELEMS, 0, VALUE_PERF, 0 },
	/* With bad descriptors only: cgroups are refused. */
	{ "cgroup_array", BPF_MAP_TYPE_CGROUP_ARRAY, 2, BPF_F_RDONLY | BPF_F_WRONLY, 0,
	  VALUE_SOCKET, 0 },
	{ "array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS, 3, BPF_F_RDONLY | BPF_F_WRONLY,
	  OPS(OP_INNER), VALUE_MAP, KIND_SLOW },
	{ "hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS, 3,
	  BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_NO_PREALLOC, OPS(OP_INNER), VALUE_MAP,
	  KIND_SLOW | KIND_UNORDERED },
	{ "devmap", BPF_MAP_TYPE_DEVMAP, 4, BPF_F_RDONLY | BPF_F_WRONLY, OPS(OP_REDIRECT),
	  VALUE_DEVICE, 0 },
	{ "devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH, 4, BPF_F_RDONLY | BPF_F_WRONLY, OPS(OP_REDIRECT),
	  VALUE_DEVICE, KIND_UNORDERED },
	{ "cpumap", BPF_MAP_TYPE_CPUMAP, 2, 0, OPS(OP_REDIRECT), VALUE_CPU, KIND_SLOW },
	{ "xskmap", BPF_MAP_TYPE_XSKMAP, 2, 0, OPS(OP_REDIRECT), VALUE_SOCKET, 0 },
	{ "reuseport_sockarray", BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 2, BPF_F_RDONLY | BPF_F_WRONLY,
	  0, VALUE_SOCKET, 0 },
	{ "sockmap", BPF_MAP_TYPE_SOCKMAP, 2, BPF_F_RDONLY | BPF_F_WRONLY, 0, VALUE_SOCKET, 0 },
	{ "sockhash", BPF_MAP_TYPE_SOCKHASH, 2, BPF_F_RDONLY | BPF_F_WRONLY, 0, VALUE_SOCKET,
	  KIND_UNORDERED },
	{ "user_ringbuf", BPF_MAP_TYPE_USER_RINGBUF, 5, 0, OPS(OP_DRAIN), 0, KIND_KEYLESS },
	{ "arena", ABI_MAP_TYPE_ARENA, 1, 0, 0, 0, KIND_KEYLESS | KIND_BARE },
	{ "sk_storage", BPF_MAP_TYPE_SK_STORAGE, 4, BPF_F_NO_PREALLOC,
	  OPS(OP_SOCKET_GET) | OPS(OP_SOCKET_DELETE), 0, KIND_LOCAL },
	{ "task_storage", BPF_MAP_TYPE_TASK_STORAGE, 4, BPF_F_NO_PREALLOC,
	  OPS(OP_TASK_GET) | OPS(OP_TASK_DELETE), 0, KIND_LOCAL },
	{ "inode_storage", BPF_MAP_TYPE_INODE_STORAGE, 4, BPF_F_NO_PREALLOC, 0, 0, KIND_LOCAL },
};

static u64 state;

void sequences_seed(u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	draw(2);
}

u32 draw(u32 below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return below ? (u32)(state >> 33) % below : 0;
}

bool one_in(u32 n)
{
	return !draw(n);
}

const struct kind *kind_at(u32 index)
{
	return index < ARRAY_SIZE(kinds) ? &kinds[index] : NULL;
}

/* Maps of sockets whose values may be as wide as a cookie. */
static bool takes_cookies(const struct kind *kind)
{
	return kind->type == BPF_MAP_TYPE_SOCKMAP || kind->type == BPF_MAP_TYPE_SOCKHASH ||
	       kind->type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY;
}

static void draw_sizes(struct config *config)
{
	static const u32 key_sizes[] = { 1, 3, 4, 4, 5, 8, 12, 24, 64 };
	static const u32 value_sizes[] = { 1, 3, 4, 6, 8, 8, 12, 16, 33, 100, 200 };
	const struct kind *kind = config->kind;

	config->key_size = 4;
	config->value_size = value_sizes[draw(ARRAY_SIZE(value_sizes))];
	config->max_entries = one_in(4) ? 1 + draw(4) : 1 + draw(ENTRIES);
	if (kind->flavour & KIND_UNORDERED && kind->type != BPF_MAP_TYPE_DEVMAP_HASH)
		config->key_size = key_sizes[draw(ARRAY_SIZE(key_sizes))];
	if (kind->flavour & KIND_KEYLESS)
		config->key_size = 0;
	if (kind->value != VALUE_BYTES)
		config->value_size = 4;
	if ((kind->value == VALUE_DEVICE || kind->value == VALUE_CPU || takes_cookies(kind)) &&
	    one_in(2))
		config->value_size = 8;
	/* Room for all keys: what is dropped from a full one is lru.c's matter. */
	if (kind->flavour & KIND_LRU)
		config->max_entries = 4096;
	switch (kind->type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		config->value_size = 0;
		config->max_entries = 4096u << draw(2);
		break;
	case BPF_MAP_TYPE_LPM_TRIE: config->key_size = 5 + draw(16); break;
	case BPF_MAP_TYPE_BLOOM_FILTER:
		config->max_entries = 1 + draw(2000);
		config->extra = draw(16);
		break;
	case BPF_MAP_TYPE_STACK_TRACE: config->value_size = 8 * (1 + draw(16)); break;
	case ABI_MAP_TYPE_ARENA:
		config->value_size = 0;
		config->flags = BPF_F_MMAPABLE;
		break;
	case BPF_MAP_TYPE_CPUMAP: config->max_entries = 1 + draw(3); break;
	default: break;
	}
	if (kind->flavour & KIND_LOCAL) {
		config->max_entries = 0;
		config->value_size = 8;
	}
	if (kind->flavour & KIND_TIMERS) {
		config->key_size = 4;
		config->value_size = 24;
		config->special = 16;
	}
}

void config_draw(const struct kind *kind, struct config *ret_config)
{
	memset(ret_config, 0, sizeof(*ret_config));
	ret_config->kind = kind;
	draw_sizes(ret_config);
	if (kind->type == BPF_MAP_TYPE_LPM_TRIE || kind->flavour & KIND_LOCAL)
		ret_config->flags = BPF_F_NO_PREALLOC;
	if (one_in(2))
		ret_config->flags |= kind->flags & ~ACCESS & (1u << draw(13));
	/* Most often one that can be written and read. */
	if (one_in(5))
		ret_config->flags |= kind->flags & ACCESS & (1u << draw(13));
	if (one_in(40))
		ret_config->flags |= 1u << draw(20);
	if (kind->flavour & KIND_LOCKS && one_in(4)) {
		ret_config->locked = true;
		ret_config->key_size = 4;
		ret_config->value_size = 16;
		ret_config->special = 4;
	}
	ret_config->nr_keys = ret_config->max_entries + 3;
	if (ret_config->nr_keys > KEYS_MAX)
		ret_config->nr_keys = KEYS_MAX;
	/* Keys that are told apart by one byte. */
	if (ret_config->key_size == 1 && ret_config->nr_keys > 200)
		ret_config->nr_keys = 200;
}

bool config_available(const struct kind *kind)
{
	struct config config = { .kind = kind };
	int side, fd;

	draw_sizes(&config);
	if (kind->type == BPF_MAP_TYPE_LPM_TRIE || kind->flavour & KIND_LOCAL)
		config.flags = BPF_F_NO_PREALLOC;
	for (side = 0; side < SIDES; side++) {
		fd = (int)config_create(&config, side);
		if (fd < 0 && side == 0)
			tap_bail("the kernel makes no map of type %s: %d", kind->name, fd);
		if (fd < 0)
			return false;
		stage.worlds[side]->close(stage.worlds[side], fd);
	}
	return true;
}

long config_create(const struct config *config, int side)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = config->kind->type;
	attr.key_size = config->key_size;
	attr.value_size = config->value_size;
	attr.max_entries = config->max_entries;
	attr.map_flags = config->flags;
	attr.map_extra = config->extra;
	if (config->kind->value == VALUE_MAP)
		attr.inner_map_fd = (u32)stage.maps[side][0];
	if (config->locked || config->kind->flavour & (KIND_LOCAL | KIND_TIMERS)) {
		attr.btf_fd = (u32)stage.btf[side];
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = config->locked			       ? 8
					 : config->kind->flavour & KIND_TIMERS ? 10
									       : 2;
	}
	return stage_call(side, BPF_MAP_CREATE, &attr);
}

u32 config_user_size(const struct config *config)
{
	if (config->kind->flavour & KIND_PERCPU)
		return ALIGN_UP(config->value_size, 8u) * stage.cpus;
	return config->value_size;
}

/* Prefixes that lie in one another, some longer than a key. */
static void prefix_key(const struct config *config, u8 *key)
{
	static const u8 bytes[] = { 0, 0x80, 0xc0, 0xff };
	u32 i, bits = draw((config->key_size - 4) * 8 + 2);

	for (i = 4; i < KEY_MAX; i++)
		key[i] = bytes[i < 6 ? draw(4) : draw(2)];
	memcpy(key, &bits, sizeof(bits));
}

static const int *local_fds(const struct config *config, int side)
{
	switch (config->kind->type) {
	case BPF_MAP_TYPE_SK_STORAGE: return stage.sockets[side];
	case BPF_MAP_TYPE_TASK_STORAGE: return stage.tasks[side];
	default: return stage.files[side];
	}
}

void config_key(const struct config *config, u8 *const keys[SIDES])
{
	u32 number = draw(config->nr_keys), i, fd;

	for (i = 0; i < SIDES; i++)
		memset(keys[i], 'k', KEY_MAX);
	if (config->kind->flavour & KIND_LOCAL) {
		number = draw(OBJECTS + 1);
		for (i = 0; i < SIDES; i++) {
			fd = number < OBJECTS ? (u32)local_fds(config, (int)i)[number] : 100000;
			memcpy(keys[i], &fd, sizeof(fd));
		}
		return;
	}
	if (config->kind->type == BPF_MAP_TYPE_LPM_TRIE)
		prefix_key(config, keys[0]);
	else
		memcpy(keys[0], &number, config->key_size < 4 ? config->key_size : 4);
	memcpy(keys[1], keys[0], KEY_MAX);
}

/* The descriptor of an object on a side; one choice is none. */
static u32 object_fd(const struct config *config, int side, u32 choice)
{
	const int(*fds)[OBJECTS];

	switch (config->kind->value) {
	case VALUE_PROG: fds = stage.progs; break;
	case VALUE_MAP: fds = stage.maps; break;
	case VALUE_PERF: fds = stage.perf; break;
	case VALUE_SOCKET: fds = stage.sockets; break;
	default: fds = stage.xdp; break;
	}
	return choice < OBJECTS ? (u32)fds[side][choice] : 100000;
}

void config_value(const struct config *config, u32 number, u8 *const values[SIDES])
{
	static const u32 devices[] = { 0, 1, 1, 1, 2, 77 };
	static const u32 queues[] = { 0, 1, 64, 192, 16384, 16385 };
	u32 size = config_user_size(config), i, choice = draw(OBJECTS + 1), first, fd;

	switch (config->kind->value) {
	case VALUE_BYTES: break;
	case VALUE_DEVICE:
	case VALUE_CPU:
		first = draw(6);
		first = config->kind->value == VALUE_CPU ? queues[first] : devices[first];
		for (i = 0; i < SIDES; i++) {
			fd = number % 2 ? object_fd(config, (int)i, choice) : 0;
			memcpy(values[i], &first, sizeof(first));
			memcpy(values[i] + 4, &fd, sizeof(fd));
		}
		return;
	default:
		for (i = 0; i < SIDES; i++) {
			fd = object_fd(config, (int)i, choice);
			memset(values[i], 0, size);
			memcpy(values[i], &fd, sizeof(fd));
		}
		return;
	}
	/* Few different ones, so that a filter meets them again. */
	if (config->kind->flavour & KIND_BLOOM)
		memset(values[0], (int)number, size);
	else
		for (i = 0; i < size; i++)
			values[0][i] = (u8)(number * 31 + i * (number >> 3));
	memcpy(values[1], values[0], size);
}

static u32 index_of(const u32 *ids, u32 id)
{
	u32 i;

	for (i = 0; i < OBJECTS; i++)
		if (ids[i] == id)
			return NO_OBJECT + i;
	return id;
}

void config_plain(const struct config *config, int side, u8 *value)
{
	u32 stride = ALIGN_UP(config->value_size, 8u), i, id;
	u64 cookie;

	switch (config->kind->value) {
	case VALUE_PROG:
	case VALUE_MAP:
		memcpy(&id, value, sizeof(id));
		id = index_of(config->kind->value == VALUE_MAP ? stage.map_ids[side]
							       : stage.prog_ids[side],
			      id);
		memcpy(value, &id, sizeof(id));
		break;
	case VALUE_DEVICE:
	case VALUE_CPU:
		if (config->value_size < 8)
			break;
		memcpy(&id, value + 4, sizeof(id));
		id = index_of(stage.xdp_ids[side], id);
		memcpy(value + 4, &id, sizeof(id));
		break;
	case VALUE_SOCKET:
		memcpy(&cookie, value, sizeof(cookie));
		for (i = 0; i < OBJECTS && config->value_size == 8; i++)
			if (cookie == stage.cookies[side][i])
				memset(value, 1 + (int)i, 8);
		break;
	default: break;
	}
	/* What lies between the values of two CPUs is nobody's. */
	if (config->kind->flavour & KIND_PERCPU)
		for (i = 0; i < stage.cpus; i++)
			memset(value + i * stride + config->value_size, 0,
			       stride - config->value_size);
}
