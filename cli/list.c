/* SPDX-License-Identifier: BSD-2-Clause */
/* skep list: the living hives of this user. */
#include <argp.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "say.h"

enum { KEY_JSON = 0x100, KEY_LOG };

struct list_options {
	bool json, log;
	unsigned shown;
	struct json_object *array;
};

static const struct argp_option options[] = {
	{ "json", KEY_JSON, NULL, 0, "Print an array of JSON objects", 0 },
	{ "log", KEY_LOG, NULL, 0, "Print below each hive what it had to say", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_options *list = state->input;

	switch (key) {
	case KEY_JSON: list->json = true; return 0;
	case KEY_LOG: list->log = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.doc = "Shows the hives of this user: those of \"skep up\" by name, and those of "
	       "\"skep exec\" and \"skep run\" by the process id of their supervisor.",
};

static void print_log(const struct skep_hive_info *info)
{
	char path[4096], line[1200];
	FILE *file;

	for (int old = 1; old >= 0; old--) {
		snprintf(path, sizeof(path), "%s/log%s", info->directory, old ? ".old" : "");
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			printf("    %s", line);
		if (file)
			fclose(file);
	}
}

static void add_number(struct json_object *object, const char *key, unsigned long long value)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)value));
}

static void add_json(struct list_options *list, const struct skep_hive_info *info)
{
	struct json_object *object = json_object_new_object();

	if (*info->name)
		json_object_object_add(object, "name", json_object_new_string(info->name));
	json_object_object_add(object, "directory", json_object_new_string(info->directory));
	if (info->error) {
		json_object_object_add(object, "error",
				       json_object_new_string(strerror(-info->error)));
	} else {
		add_number(object, "pid", (unsigned long long)info->pid);
		add_number(object, "uptime_ms", info->age_ns / 1000000);
		add_number(object, "processes", info->processes);
		add_number(object, "maps", info->maps);
		add_number(object, "progs", info->progs);
		add_number(object, "links", info->links);
		if (*info->state)
			json_object_object_add(object, "state",
					       json_object_new_string(info->state));
	}
	json_object_array_add(list->array, object);
}

static void format_time(char *ret_text, size_t size, unsigned long long seconds)
{
	if (seconds < 60)
		snprintf(ret_text, size, "%llus", seconds);
	else if (seconds < 3600)
		snprintf(ret_text, size, "%llum%02llus", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(ret_text, size, "%lluh%02llum", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(ret_text, size, "%llud%02lluh", seconds / 86400, seconds / 3600 % 24);
}

static int show(void *arg, const struct skep_hive_info *info)
{
	struct list_options *list = arg;
	const char *name = *info->name ? info->name : "-";
	char uptime[32];

	if (list->json) {
		add_json(list, info);
		return 0;
	}
	if (!list->shown++)
		printf("%-16s %8s %8s %9s %6s %6s %6s  %s\n", "NAME", "PID", "UPTIME", "PROCESSES",
		       "MAPS", "PROGS", "LINKS", "STATE");
	format_time(uptime, sizeof(uptime), info->age_ns / 1000000000);
	if (info->error)
		printf("%-16s does not answer (%s)\n", name, strerror(-info->error));
	else
		printf("%-16s %8d %8s %9u %6u %6u %6u  %s\n", name, (int)info->pid, uptime,
		       info->processes, info->maps, info->progs, info->links, info->state);
	if (list->log)
		print_log(info);
	return 0;
}

int command_list(int argc, char **argv)
{
	struct list_options list = { 0 };

	argp_parse(&parser, argc, argv, 0, NULL, &list);
	if (list.json)
		list.array = json_object_new_array();
	skep_hive_list(show, &list);
	if (list.json) {
		puts(json_object_to_json_string_ext(
			list.array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(list.array);
	}
	return 0;
}
