/* SPDX-License-Identifier: BSD-2-Clause */
/* skep down: ends hives that skep up made. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "say.h"

enum { KEY_ALL = 0x100, KEY_KILL, KEY_DISCARD };

struct down_options {
	char **names;
	int nr;
	bool all;
	unsigned flags;
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "End all hives that have a name", 0 },
	{ "kill", KEY_KILL, NULL, 0, "Kill the processes that run there", 0 },
	{ "discard", KEY_DISCARD, NULL, 0, "End also if the state cannot be written", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct down_options *down = state->input;

	switch (key) {
	case KEY_ALL: down->all = true; return 0;
	case KEY_KILL: down->flags |= SKEP_DOWN_KILL; return 0;
	case KEY_DISCARD: down->flags |= SKEP_DOWN_DISCARD; return 0;
	case ARGP_KEY_ARGS:
		down->names = state->argv + state->next;
		down->nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!down->nr == !down->all)
			argp_error(state, "either names or --all");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME...",
	.doc = "Ends hives that \"skep up\" made, and returns when they are gone. Processes that "
	       "run there go on without them."
	       "\vThe exit status is 1 if one of them was not there or could not be ended.",
};

static int end(const char *name, unsigned flags)
{
	int err = skep_hive_down(name, flags);

	switch (err) {
	case 0: return 0;
	case -EINVAL: say("\"%s\" is no name for a hive", name); break;
	case -ENOENT: command_no_hive(name); break;
	case -EPERM: say("hive \"%s\" belongs to a program, and ends with it", name); break;
	case -ETIMEDOUT: say("the supervisor of hive \"%s\" does not answer", name); break;
	case -EBUSY:
		say("hive \"%s\": its processes multiply faster than they can be killed", name);
		break;
	case -EPROTO: say("hive \"%s\" was made by another version of skep", name); break;
	case -ECONNREFUSED: say("the supervisor of hive \"%s\" has died", name); break;
	default:
		say("hive \"%s\" stays, because its state cannot be written: %s; \"skep down "
		    "--discard\" ends it without",
		    name, strerror(-err));
	}
	return 1;
}

/* Names first: the directories that are listed go away as hives end. */
struct found {
	char **names;
	size_t nr;
};

static int note(void *arg, const struct skep_hive_info *info)
{
	struct found *found = arg;
	char **names;

	if (!*info->name)
		return 0;
	names = realloc(found->names, (found->nr + 1) * sizeof(*names));
	if (!names)
		return -ENOMEM;
	found->names = names;
	names[found->nr] = strdup(info->name);
	if (!names[found->nr])
		return -ENOMEM;
	found->nr++;
	return 0;
}

static int end_all(unsigned flags)
{
	struct found found = { 0 };
	int status = 0;

	if (skep_hive_list(note, &found) < 0) {
		say("no memory");
		status = 1;
	}
	for (size_t i = 0; i < found.nr; i++) {
		status |= end(found.names[i], flags);
		free(found.names[i]);
	}
	free(found.names);
	return status;
}

int command_down(int argc, char **argv)
{
	struct down_options down = { 0 };
	int status = 0;

	argp_parse(&parser, argc, argv, 0, NULL, &down);
	if (down.all)
		return end_all(down.flags);
	for (int i = 0; i < down.nr; i++)
		status |= end(down.names[i], down.flags);
	return status;
}
