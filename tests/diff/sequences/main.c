/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on maps of all types, on the running kernel and on skep, side by side
 * (sequences.h). The first difference of each type is shown with what was done before it.
 *
 * Usage: diff-sequences [--seed N] [--operations N] [--type NAME] [--client SKEP]
 *   --client SKEP: not what is linked in, but a process under `SKEP exec`
 */
#include "../bpf/client.h"
#include "sequences.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURSTS 40

static u64 total;
static u32 differences;

void differ(struct pair *pair, const char *format, ...)
{
	const struct config *config = &pair->config;
	char text[320];
	va_list args;
	u32 i;

	if (pair->differences++)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tap_note("%s, key %u, value %u, max %u, flags %#x%s: %s", config->kind->name,
		 config->key_size, config->value_size, config->max_entries, config->flags,
		 config->locked ? ", locked" : "", text);
	for (i = pair->nr_history > 4 ? pair->nr_history - 4 : 0; i < pair->nr_history; i++)
		tap_note("  before: %s", pair->history[i % 4]);
}

void remember(struct pair *pair, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(pair->history[pair->nr_history++ % 4], sizeof(pair->history[0]), format, args);
	va_end(args);
}

static void operate(struct pair *pair)
{
	u32 burst, i;

	program_new(pair);
	/* A mapped one cannot be frozen, a frozen one not be mapped. */
	if (pair->config.kind->type == BPF_MAP_TYPE_RINGBUF && !one_in(8))
		call_consume(pair);
	if (pair->config.kind->type == BPF_MAP_TYPE_USER_RINGBUF && pair->progs[0] >= 0)
		call_produce(pair);
	for (burst = 0; burst < BURSTS && !pair->differences && !pair->parted; burst++) {
		if (one_in(2) && pair->progs[0] >= 0) {
			for (i = 0; i < 4 && !pair->differences; i++) {
				program_run(pair);
				if (pair->produced)
					call_produce(pair);
			}
		} else {
			for (i = 0; i < 64 && !pair->differences; i++)
				call_step(pair);
		}
		if (pair->differences || pair->parted)
			break;
		if (pair->config.kind->type == BPF_MAP_TYPE_RINGBUF) {
			if (pair->rings[0] && one_in(3))
				call_consume(pair);
		} else if (one_in(4) &&
			   !(pair->config.kind->flavour & (KIND_KEYLESS | KIND_LOCAL))) {
			call_compare(pair);
		}
	}
}

static void close_both(int fds[SIDES])
{
	int side;

	for (side = 0; side < SIDES; side++)
		if (fds[side] >= 0)
			stage.worlds[side]->close(stage.worlds[side], fds[side]);
}

/* One map from its creation to its end: the number of operations; adds those that did something. */
static u64 episode(const struct kind *kind, u64 seed, bool *ret_same, u64 *succeeded)
{
	static struct pair pair;
	long results[SIDES];
	bool drops;
	int side;

	memset(&pair, 0, sizeof(pair));
	pair.progs[0] = pair.progs[1] = -1;
	sequences_seed(seed);
	config_draw(kind, &pair.config);
	drops = kind->flavour & KIND_LRU && one_in(2);
	if (drops) {
		pair.config.max_entries = 64 << draw(4);
		pair.config.flags &= BPF_F_NO_COMMON_LRU;
		if (pair.config.value_size < 4)
			pair.config.value_size = 4;
		if (pair.config.key_size < 4)
			pair.config.key_size = 4;
	}
	for (side = 0; side < SIDES; side++)
		pair.fds[side] = (int)(results[side] = config_create(&pair.config, side));
	pair.operations++;
	if ((results[0] < 0 || results[1] < 0) && results[0] != results[1])
		differ(&pair, "MAP_CREATE: kernel %ld, skep %ld", results[0], results[1]);
	if (results[0] >= 0 && results[1] >= 0) {
		if (drops)
			lru_episode(&pair);
		else
			operate(&pair);
	}
	close_both(pair.progs);
	call_unmap(&pair);
	close_both(pair.fds);
	if (pair.differences)
		tap_note("  seed %llu", (unsigned long long)seed);
	*succeeded += pair.succeeded;
	*ret_same = !pair.differences;
	return pair.operations;
}

static void run_kind(const struct kind *kind, u64 seed, u64 budget)
{
	u64 done = 0, maps = 0, succeeded = 0;
	bool same = true;
	while (done < budget && same) {
		done += episode(kind, seed + maps, &same, &succeeded);
		maps++;
	}
	differences += !same;
	total += done;
	tap_ok(same && (succeeded || kind->flavour & KIND_BARE),
	       "%s: %llu operations on %llu maps as the kernel, %llu succeeded", kind->name,
	       (unsigned long long)done, (unsigned long long)maps, (unsigned long long)succeeded);
}

static bool is_wanted(const struct kind *kind, const char *only)
{
	return (!only || !strcmp(only, kind->name)) && config_available(kind);
}

int main(int argc, char **argv)
{
	u64 seed = 1, operations = 200000, weights = 0;
	const char *only = NULL, *skep = NULL;
	const struct kind *kind;
	u32 i;

	if (argc == 4 && !strcmp(argv[1], "--serve"))
		return client_serve(argv[2], argv[3]);

	for (i = 1; i + 1 < (u32)argc; i += 2) {
		if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--operations"))
			operations = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--type"))
			only = argv[i + 1];
		else if (!strcmp(argv[i], "--client"))
			skep = argv[i + 1];
		else
			break;
	}
	if (i != (u32)argc)
		tap_bail("usage: %s [--seed N] [--operations N] [--type NAME] [--client SKEP]",
			 argv[0]);
	if (!stage_new(skep)) {
		tap_skip(1, "no kernel bpf(2) to compare with");
		return tap_done();
	}
	for (i = 0; (kind = kind_at(i)); i++)
		weights += is_wanted(kind, only) ? kind->weight : 0;
	for (i = 0; (kind = kind_at(i)); i++)
		if (is_wanted(kind, only))
			run_kind(kind, seed, operations * kind->weight / weights + 1);
		else if (!only)
			tap_note("%s is left out: skep does not have it", kind->name);
	tap_ok(!differences, "%llu operations from seed %llu: %u types differ",
	       (unsigned long long)total, (unsigned long long)seed, differences);
	tap_is(stage_free(), 0, "nothing is left");
	return tap_done();
}
