/* SPDX-License-Identifier: BSD-2-Clause */
/* See iterators.h. */
#include "iterators.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>
#include "say.h"

#define TEXT_MAX (64u << 20)

bool iterator_is(const struct bpf_program *program)
{
	return bpf_program__type(program) == BPF_PROG_TYPE_TRACING &&
	       bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

static bool walks_over_a_map(const struct bpf_program *program)
{
	const char *target = strchr(bpf_program__section_name(program), '/');

	return target && !strcmp(target + 1, "bpf_map_elem");
}

/* The only map that the program's author has written; NULL if there are none or several. */
static struct bpf_map *only_map(const struct bpf_object *object)
{
	struct bpf_map *map, *found = NULL;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__is_internal(map))
			continue;
		if (found)
			return NULL;
		found = map;
	}
	return found;
}

struct bpf_link *iterator_attach(const struct bpf_program *program, struct bpf_object *object,
				 struct bpf_map *map)
{
	LIBBPF_OPTS(bpf_iter_attach_opts, options);
	union bpf_iter_link_info info = { 0 };

	if (!walks_over_a_map(program))
		return bpf_program__attach_iter(program, NULL);
	if (!map)
		map = only_map(object);
	if (!map) {
		say("program \"%s\" walks over a map, and nothing says over which one: use --map",
		    bpf_program__name(program));
		errno = EINVAL;
		return NULL;
	}
	info.map.map_fd = (__u32)bpf_map__fd(map);
	options.link_info = &info;
	options.link_info_len = sizeof(info);
	return bpf_program__attach_iter(program, &options);
}

/* All of it: the length, or -errno. */
static long read_all(int fd, char **ret_text)
{
	size_t room = 1 << 16, length = 0;
	char *text = NULL, *grown;
	ssize_t got;

	for (;;) {
		grown = room <= TEXT_MAX ? realloc(text, room) : NULL;
		if (!grown) {
			free(text);
			return -ENOMEM;
		}
		text = grown;
		got = read(fd, text + length, room - length);
		if (got <= 0)
			break;
		length += (size_t)got;
		if (length == room)
			room *= 2;
	}
	if (got < 0) {
		got = -errno;
		free(text);
		return got;
	}
	*ret_text = text;
	return (long)length;
}

static void print_json(const char *name, const char *text, size_t length)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "iterator", json_object_new_string(name));
	json_object_object_add(object, "text", json_object_new_string_len(text, (int)length));
	printf("%s\n", json_object_to_json_string_ext(
			       object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

int iterator_print(const struct bpf_program *program, const struct bpf_link *link, bool json)
{
	const char *name = bpf_program__name(program);
	int fd = bpf_iter_create(bpf_link__fd(link));
	char *text = NULL;
	long length = fd < 0 ? -errno : read_all(fd, &text);

	if (fd >= 0)
		close(fd);
	if (length < 0) {
		say("iterator \"%s\" cannot be read: %s", name, strerror((int)-length));
		return 1;
	}
	if (json)
		print_json(name, text, (size_t)length);
	else
		fwrite(text, 1, (size_t)length, stdout);
	free(text);
	return fflush(stdout) != 0;
}
