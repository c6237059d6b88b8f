/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep as a client sees it (../bpf/client.h), for callers whose keys and values lie anywhere: what
 * an attribute points to is laid into the client's memory before the call, and what the call has
 * changed there is brought back.
 */
#include "../bpf/client.h"
#include "sequences.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PLACES	    5
#define PLACES_FROM 1024u /* behind the attributes */
#define KEYS_ROOM   (BATCH_MAX * KEY_MAX)
#define VALUES_ROOM (SCRIPT_LEN * (u32)sizeof(struct entry))
#define TOKEN_ROOM  256u
#define LOG_ROOM    (1u << 16)

/* A pointer in an attribute, and how much may lie there. */
struct place {
	u32 at;
	u32 size; /* or of each element */
	u32 nr;	  /* where the number of elements is; 0: there is one */
};

#define NOWHERE ~0u
#define END                   \
	{                     \
		NOWHERE, 0, 0 \
	}
#define FIELD(name) (u32) offsetof(union abi_attr, name)

static const struct place element[] = { { FIELD(elem.key), KEY_MAX, 0 },
					{ FIELD(elem.value), VALUES_ROOM, 0 },
					END };
static const struct place batch[] = { { FIELD(batch.in_batch), TOKEN_ROOM, 0 },
				      { FIELD(batch.out_batch), TOKEN_ROOM, 0 },
				      { FIELD(batch.keys), KEYS_ROOM, 0 },
				      { FIELD(batch.values), 0, 0 }, /* as many CPUs as there are */
				      END };
static const struct place program[] = { { FIELD(load.insns), 8, FIELD(load.insn_cnt) },
					{ FIELD(load.license), 16, 0 },
					{ FIELD(load.log_buf), 1, FIELD(load.log_size) },
					{ FIELD(load.func_info), sizeof(struct bpf_func_info),
					  FIELD(load.func_info_cnt) },
					END };
static const struct place types[] = { { FIELD(btf.btf), 1, FIELD(btf.btf_size) }, END };
static const struct place info[] = { { FIELD(info.info), 1, FIELD(info.info_len) }, END };
static const struct place run[] = { { FIELD(test.data_in), 1, FIELD(test.data_size_in) }, END };

static const struct place *places_of(u32 cmd)
{
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM: return element;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH: return batch;
	case BPF_PROG_LOAD: return program;
	case BPF_BTF_LOAD: return types;
	case BPF_OBJ_GET_INFO_BY_FD: return info;
	case BPF_PROG_TEST_RUN: return run;
	default: return NULL;
	}
}

static u32 values_room(void)
{
	return BATCH_MAX * ALIGN_UP(VALUE_MAX, 8u) * stage.cpus;
}

static u32 window_size(void)
{
	u32 elements = KEYS_ROOM + values_room() + 2 * TOKEN_ROOM;
	u32 loads = LOG_ROOM + 65536;

	return ALIGN_UP(PLACES_FROM + (elements > loads ? elements : loads) + VALUES_ROOM, 4096u);
}

static u32 size_of(const struct place *place, const union abi_attr *attr)
{
	u32 nr = 1;

	if (place->nr)
		memcpy(&nr, (const u8 *)attr + place->nr, sizeof(nr));
	return (place->size ? place->size : values_room()) * nr;
}

/* What is there of so many bytes: callers' arrays may end before. */
static void copy_in(u8 *to, u64 address, u32 size)
{
	struct iovec into = { to, size }, from = { (void *)(uintptr_t)address, size };

	memset(to, 0, size);
	process_vm_readv(getpid(), &into, 1, &from, 1, 0);
}

struct window {
	struct world world;
	struct world *client;
	u8 *before; /* what the client's memory was */
};

static long window_bpf(struct world *world, u32 cmd, const void *attributes, u32 size)
{
	struct window *window = container_of(world, struct window, world);
	u8 *memory = (u8 *)(uintptr_t)MEMORY;
	union abi_attr *attr = (void *)memory;
	const struct place *places = places_of(cmd);
	u64 addresses[PLACES] = { 0 };
	u32 starts[PLACES], sizes[PLACES], at = PLACES_FROM, nr = 0;
	long result;

	memcpy(attr, attributes, size);
	for (; places && places[nr].at != NOWHERE; nr++) {
		u64 own = MEMORY + at;

		memcpy(&addresses[nr], memory + places[nr].at, sizeof(u64));
		starts[nr] = at;
		sizes[nr] = addresses[nr] ? size_of(&places[nr], attr) : 0;
		if (!addresses[nr])
			continue;
		at += ALIGN_UP(sizes[nr], 8u);
		if (at > window_size())
			tap_bail("command %u needs %u bytes of the client's memory", cmd, at);
		copy_in(memory + starts[nr], addresses[nr], sizes[nr]);
		memcpy(window->before + starts[nr], memory + starts[nr], sizes[nr]);
		memcpy(memory + places[nr].at, &own, sizeof(own));
	}
	/* Now from code that the agent has rewritten, now from other. */
	client_world_raw(window->client, (addresses[0] >> 3) % 5 == 0);
	result = window->client->bpf(window->client, cmd, (const void *)(uintptr_t)MEMORY, size);
	for (u32 i = 0; i < nr; i++) {
		u8 *to = (u8 *)(uintptr_t)addresses[i];

		for (u32 byte = 0; byte < sizes[i]; byte++)
			if (memory[starts[i] + byte] != window->before[starts[i] + byte])
				to[byte] = memory[starts[i] + byte];
		memcpy(memory + places[i].at, &addresses[i], sizeof(u64));
	}
	memcpy((void *)(uintptr_t)attributes, attr, size);
	return result;
}

static int window_close(struct world *world, int fd)
{
	struct window *window = container_of(world, struct window, world);

	return window->client->close(window->client, fd);
}

static int window_perf_open(struct world *world)
{
	struct window *window = container_of(world, struct window, world);

	return window->client->perf_open(window->client);
}

static int window_take(struct world *world, int file)
{
	struct window *window = container_of(world, struct window, world);

	return window->client->take(window->client, file);
}

static struct window window = { .world = { "client", false, window_bpf, window_close,
					   window_perf_open, NULL, window_take } };

struct world *window_start(const char *skep)
{
	u32 size = window_size();

	client_map_memory(size);
	window.before = calloc(1, size);
	window.client = client_start(skep);
	return &window.world;
}

u32 window_stop(void)
{
	free(window.before);
	return client_stop(window.client);
}

struct world *window_client(void)
{
	return window.client;
}
