/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: any bytes as the state of a hive. Size and checksum are put right, as whoever can
 * write the file could do, so that the bytes between are looked at.
 */
#include "fuzz.h"
#include "rt/arena.h"
#include "rt/map.h"
#include "sys/sha256.h"
#include "sys/state.h"
#include "sys/state_format.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define PINS_MAX    64
#define ENTRIES_MAX 4096

static struct object *pinned[PINS_MAX];
static u32 nr_pinned;

static int pin(void *arg, const struct sys_state_pin *pin)
{
	/* Larger ones take long to write, and show nothing more. */
	if (nr_pinned == PINS_MAX || sys_map_rt(pin->object)->max_entries > ENTRIES_MAX)
		return -1;
	object_user_ref(pin->object);
	pinned[nr_pinned++] = pin->object;
	return 0;
}

static void write_back(struct sys_hive *hive)
{
	struct sys_state_pin pins[PINS_MAX];
	struct text text = { 0 };

	for (u32 i = 0; i < nr_pinned; i++)
		pins[i] = (struct sys_state_pin){ "a", pinned[i] };
	sys_state_write(hive, pins, nr_pinned, NULL, NULL, &text);
	text_done(&text);
}

static void put_right(uint8_t *bytes, size_t size)
{
	struct state_header header;
	u64 length = size;
	u32 cpus = RT_CONTROL->nr_vcpus;

	if (size < sizeof(header) + STATE_DIGEST_SIZE)
		return;
	memcpy(bytes + offsetof(struct state_header, size), &length, sizeof(length));
	memcpy(bytes + offsetof(struct state_header, nr_vcpus), &cpus, sizeof(cpus));
	sha256(bytes, size - STATE_DIGEST_SIZE, bytes + size - STATE_DIGEST_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	const char *reason;
	uint8_t *bytes = malloc(size + 1);

	if (!world)
		world = world_skep();
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	put_right(bytes, size);
	if (!sys_state_read(world_hive(world), bytes, size, pin, NULL, &reason))
		write_back(world_hive(world));
	while (nr_pinned)
		object_user_unref(pinned[--nr_pinned]);
	sys_hive_reap(world_hive(world));
	free(bytes);
	return 0;
}
