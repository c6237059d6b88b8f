/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a sequence of bpf(2) calls. The input is a list of calls, each a command, a length
 * and as many bytes of attributes; addresses in them are drawn into a buffer of the target's own
 * that the rest of the input fills, so that calls often find something there. Everything is closed
 * at the end.
 */
#include "fuzz.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_SIZE 8192
#define CALLS_MAX   40

/* All that the client has. */
static struct {
	union abi_attr attr;
	u8 memory[MEMORY_SIZE];
} client __attribute__((aligned(8)));

/* Do the attributes begin with an address? */
static bool begins_with_address(u32 cmd)
{
	return cmd == BPF_OBJ_PIN || cmd == BPF_OBJ_GET || cmd == BPF_RAW_TRACEPOINT_OPEN ||
	       cmd == BPF_BTF_LOAD || (cmd >= BPF_MAP_LOOKUP_BATCH && cmd <= BPF_MAP_DELETE_BATCH);
}

/* Small numbers where an address may stand become addresses in memory, unless a bit of how says no.
 */
static void place(union abi_attr *attr, u32 cmd, u8 how)
{
	u8 *bytes = (u8 *)attr;
	u64 address;
	u32 at;

	for (at = begins_with_address(cmd) ? 0 : 8; at + 8 <= sizeof(*attr); at += 8) {
		memcpy(&address, bytes + at, sizeof(address));
		if (!address || address >> 16 || how >> (at / 8 % 8) & 1)
			continue;
		address = (u64)(uintptr_t)client.memory + address % MEMORY_SIZE;
		memcpy(bytes + at, &address, sizeof(address));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	u32 calls = 0, cmd, length;
	u8 how;
	int fd;

	if (!world) {
		world = world_skep();
		world_limit(world, &client, sizeof(client));
	}
	memset(&client, 0, sizeof(client));
	memcpy(client.memory, data, size < MEMORY_SIZE ? size : MEMORY_SIZE);
	while (size >= 3 && calls++ < CALLS_MAX) {
		cmd = data[0] % 40;
		length = data[1] < sizeof(client.attr) ? data[1] : sizeof(client.attr);
		how = data[2];
		data += 3;
		size -= 3;
		if (length > size)
			length = (u32)size;
		memset(&client.attr, 0, sizeof(client.attr));
		memcpy(&client.attr, data, length);
		data += length;
		size -= length;
		place(&client.attr, cmd, how);
		/* Nothing is learned from filling the arena, and each of these costs a second. */
		if (cmd == BPF_MAP_CREATE &&
		    (u64)client.attr.max_entries * (client.attr.value_size + 64ull) > 1 << 20)
			client.attr.max_entries = 4096;
		if (cmd == BPF_PROG_TEST_RUN)
			client.attr.test.repeat %= 4;
		if (client.attr.batch.count > 4096 && cmd >= BPF_MAP_LOOKUP_BATCH &&
		    cmd <= BPF_MAP_DELETE_BATCH)
			client.attr.batch.count %= 4096;
		world->bpf(world, cmd, &client.attr, how == 255 ? length : sizeof(client.attr));
	}
	for (fd = 3; fd < 3 + CALLS_MAX * 2; fd++)
		world->close(world, fd);
	world_unpin(world);
	for (calls = 0; calls < 10; calls++)
		sys_hive_reap(world_hive(world));
	/* What nobody holds is gone, whatever has failed. */
	if (object_next_id(sys_hive_objects(world_hive(world)), OBJECT_MAP, 0) ||
	    object_next_id(sys_hive_objects(world_hive(world)), OBJECT_PROG, 0) ||
	    object_next_id(sys_hive_objects(world_hive(world)), OBJECT_LINK, 0))
		abort();
	return 0;
}
