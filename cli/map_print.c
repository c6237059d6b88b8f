/* SPDX-License-Identifier: BSD-2-Clause */
/* See map_print.h. Keys and values are printed through BTF where the object file has it, else as
 * hexadecimal bytes. */
#include "map_print.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "btf_json.h"
#include "say.h"

#define STYLE_TEXT (JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)
#define STYLE_JSON (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct printer {
	const struct bpf_map *map;
	const struct btf *btf;
	const char *name; /* of the map */
	bool json;
	int cpus; /* values an entry has; 0: one, the map is not per CPU */
	size_t value_size;
};

static bool is_per_cpu(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static struct json_object *to_json(const struct printer *printer, __u32 type, const void *data,
				   size_t size)
{
	return printer->btf && type ? btf_json_value(printer->btf, type, data, size)
				    : btf_json_hex(data, size);
}

static struct json_object *value_json(const struct printer *printer, const unsigned char *value)
{
	__u32 type = bpf_map__btf_value_type_id(printer->map);
	size_t stride = (printer->value_size + 7) & ~7UL;
	struct json_object *list;

	if (!printer->cpus)
		return to_json(printer, type, value, printer->value_size);
	list = json_object_new_array();
	for (int cpu = 0; cpu < printer->cpus; cpu++)
		json_object_array_add(list, to_json(printer, type, value + (size_t)cpu * stride,
						    printer->value_size));
	return list;
}

static void print_entry(const struct printer *printer, const void *key, const void *value)
{
	size_t key_size = bpf_map__key_size(printer->map);
	__u32 key_type = bpf_map__btf_key_type_id(printer->map), index;
	struct json_object *json_key, *json_value = value_json(printer, value);

	if (!key_type && key_size == sizeof(index) &&
	    bpf_map__type(printer->map) != BPF_MAP_TYPE_HASH) {
		memcpy(&index, key, sizeof(index)); /* arrays of global data have no key type */
		json_key = json_object_new_int64(index);
	} else {
		json_key = to_json(printer, key_type, key, key_size);
	}
	if (printer->json) {
		struct json_object *line = json_object_new_object();

		json_object_object_add(line, "map", json_object_new_string(printer->name));
		json_object_object_add(line, "key", json_key);
		json_object_object_add(line, "value", json_value);
		dprintf(STDOUT_FILENO, "%s\n", json_object_to_json_string_ext(line, STYLE_JSON));
		json_object_put(line);
		return;
	}
	dprintf(STDOUT_FILENO, "%s[%s] = ", printer->name,
		json_object_to_json_string_ext(json_key, STYLE_TEXT));
	dprintf(STDOUT_FILENO, "%s\n", json_object_to_json_string_ext(json_value, STYLE_TEXT));
	json_object_put(json_key);
	json_object_put(json_value);
}

/* key, next and value: room for one each. */
static int print_entries(const struct printer *printer, void *key, void *next, void *value)
{
	size_t key_size = bpf_map__key_size(printer->map);
	int fd = bpf_map__fd(printer->map), err;
	const void *previous = NULL;

	while (!(err = bpf_map_get_next_key(fd, previous, next))) {
		memcpy(key, next, key_size);
		previous = key;
		if (!bpf_map_lookup_elem(fd, key, value))
			print_entry(printer, key, value);
		else if (errno != ENOENT)
			break;
	}
	if (err == -ENOENT)
		return 0;
	say("map %s: %s maps cannot be printed entry by entry: %s", printer->name,
	    libbpf_bpf_map_type_str(bpf_map__type(printer->map)), strerror(errno));
	return 1;
}

int map_print(const struct bpf_map *map, const struct btf *btf, bool json)
{
	struct printer printer = {
		.map = map,
		.btf = btf,
		.name = bpf_map__name(map),
		.json = json,
		.value_size = bpf_map__value_size(map),
	};
	size_t value_room = printer.value_size + 8;
	void *key, *next, *value;
	int failed = 1;

	if (is_per_cpu(bpf_map__type(map))) {
		printer.cpus = libbpf_num_possible_cpus();
		if (printer.cpus <= 0) {
			say("the number of CPUs is not known: %s", strerror(-printer.cpus));
			return 1;
		}
		value_room = ((printer.value_size + 7) & ~7UL) * (size_t)printer.cpus;
	}
	key = malloc(bpf_map__key_size(map) + 1UL);
	next = malloc(bpf_map__key_size(map) + 1UL);
	value = malloc(value_room);
	if (key && next && value)
		failed = print_entries(&printer, key, next, value);
	else
		say("out of memory");
	free(key);
	free(next);
	free(value);
	return failed;
}
