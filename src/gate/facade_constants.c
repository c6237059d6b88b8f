/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is the same in every hive of a version: tracing/events, GROUP/NAME/{id,format} for every row
 * of the catalogue, and the small files of tracefs and sysfs that clients only read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <errno.h>
#include "agent/facade.h"
#include "gate/directory.h"
#include "gate/facade.h"
#include "hook/hook.h"

#define FORMAT_MAX 8192

struct file {
	const char *name, *text;
};

#define NUMBER_TEXT_2(number) #number "\n"
#define NUMBER_TEXT(number)   NUMBER_TEXT_2(number)

static const struct file files[] = {
	{ "README", "tracefs of a skep hive\n" },
	{ "available_tracers", "nop\n" },
	{ "trace_clock", "[mono]\n" },
	{ "pmu/kprobe/type", NUMBER_TEXT(FACADE_PMU_KPROBE) },
	{ "pmu/kprobe/format/retprobe", "config:0\n" },
	{ "pmu/uprobe/type", NUMBER_TEXT(FACADE_PMU_UPROBE) },
	{ "pmu/uprobe/format/retprobe", "config:0\n" },
	{ "pmu/uprobe/format/ref_ctr_offset", "config:32-63\n" },
};

/* Eight bytes at a time, and the rest with its length. */
static u64 hash_text(u64 hash, const char *text, u64 size)
{
	for (u64 i = 0; i < size; i += sizeof(u64)) {
		u64 word = 0, left = size - i;

		memcpy(&word, text + i, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return (hash ^ size) * 0x9e3779b97f4a7c15ull;
}

u64 facade_hash_constants(void)
{
	u64 digest = hook_catalogue_digest(), hash = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		hash = hash_text(hash, files[i].name, strlen(files[i].name) + 1);
		hash = hash_text(hash, files[i].text, strlen(files[i].text) + 1);
	}
	return hash_text(hash, (const char *)&digest, sizeof(digest));
}

static int write_event(int dir_fd, const struct hook_event *event)
{
	char path[256], text[FORMAT_MAX];
	long length = hook_event_format(event, text, sizeof(text));
	int error;

	if (length < 0)
		return (int)length;
	snprintf(path, sizeof(path), "events/%s/%s/format", event->group, event->name);
	error = directory_write(dir_fd, path, text, (u64)length);
	if (error)
		return error;
	snprintf(path, sizeof(path), "events/%s/%s/id", event->group, event->name);
	length = snprintf(text, sizeof(text), "%u\n", event->id);
	return directory_write(dir_fd, path, text, (u64)length);
}

static int write_list(int dir_fd)
{
	const struct hook_event *event;
	char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);
	int error;

	if (!list)
		return -ENOMEM;
	for (u32 i = 0; (event = hook_event_at(i)); i++)
		fprintf(list, "%s:%s\n", event->group, event->name);
	error = fclose(list) == 0 ? directory_write(dir_fd, "available_events", text, size)
				  : -ENOMEM;
	free(text);
	return error;
}

int facade_write_constants(int dir_fd)
{
	const struct hook_event *event;
	int error = write_list(dir_fd);

	for (u32 i = 0; !error && i < ARRAY_SIZE(files); i++)
		error = directory_write(dir_fd, files[i].name, files[i].text,
					strlen(files[i].text));
	for (u32 i = 0; !error && (event = hook_event_at(i)); i++)
		error = write_event(dir_fd, event);
	return error;
}
