/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The façade's rules: which paths of the machine stand for which directories of the hive. The agent
 * applies them to the path arguments of system calls in the process; the gate, which makes those
 * directories, to the paths in bpf(2) and for processes without an agent.
 *
 * Freestanding: tables without pointers and one inline function.
 */
#ifndef SKEP_AGENT_FACADE_H
#define SKEP_AGENT_FACADE_H

#include "base/types.h"

/* What the façade's pmu/ directory shows as types of the dynamic PMUs (perf_event_attr.type). */
#define FACADE_PMU_KPROBE 6
#define FACADE_PMU_UPROBE 7

/*
 * A gate command beside those of agent/protocol.h, for any process: which hive do I live in? attr =
 * struct agent_hive_info, size its size. Fails as every bpf(2) with an unknown command where there
 * is no hive.
 */
#define AGENT_HIVE_INFO (0x534b0000u + 0x80)

struct agent_hive_info {
	char facade_dir[128]; /* out */
	u32 supervisor_pid;   /* out */
	u32 zero;
};

struct facade_rule {
	u8 prefix_length, target_length;
	char prefix[46]; /* this path and everything below it */
	char target[16]; /* goes after the hive's directory in its place */
};

#define FACADE_RULE(prefix, target)                                    \
	{                                                              \
		sizeof(prefix) - 1, sizeof(target) - 1, prefix, target \
	}

static const struct facade_rule facade_rules[] = {
	FACADE_RULE("/sys/kernel/tracing", "/tracing"),
	FACADE_RULE("/sys/kernel/debug/tracing", "/tracing"),
	FACADE_RULE("/sys/fs/bpf", "/bpf"),
	FACADE_RULE("/sys/devices/system/cpu/possible", "/cpu/possible"),
	FACADE_RULE("/sys/devices/system/cpu/online", "/cpu/online"),
	FACADE_RULE("/sys/bus/event_source/devices/kprobe", "/pmu/kprobe"),
	FACADE_RULE("/sys/bus/event_source/devices/uprobe", "/pmu/uprobe"),
};

static inline bool facade_is_end(char c)
{
	return !c || c == '/';
}

/* The rule for path, which must be plain and absolute, or NULL. */
static inline const struct facade_rule *facade_rule_of(const char *path)
{
	u32 i;

	/* Every rule begins with "/sys/": most paths are decided here. */
	if (path[0] != '/' || path[1] != 's' || path[2] != 'y' || path[3] != 's' || path[4] != '/')
		return NULL;
	for (u32 r = 0; r < ARRAY_SIZE(facade_rules); r++) {
		const struct facade_rule *rule = &facade_rules[r];

		for (i = 0; i < rule->prefix_length && path[i] == rule->prefix[i]; i++)
			;
		if (i == rule->prefix_length && facade_is_end(path[i]))
			return rule;
	}
	return NULL;
}

/* Appends text to out, which has *length characters: false if there is no room. */
static inline bool facade_append(char *out, u32 size, u32 *length, const char *text)
{
	u32 n = *length;

	for (; *text; text++, n++) {
		if (n + 1 >= size)
			return false;
		out[n] = *text;
	}
	out[n] = '\0';
	*length = n;
	return true;
}

/*
 * Writes the path that stands for path in the hive whose directory is dir (NUL-terminated): its
 * length, 0 when no rule applies, -1 when out is too small. Only absolute paths in plain form are
 * known; facade_walk() makes them of others.
 */
static inline int facade_rewrite(const char *path, const char *dir, char *out, u32 size)
{
	const struct facade_rule *rule = facade_rule_of(path);
	u32 n = 0;

	if (!rule)
		return 0;
	if (!facade_append(out, size, &n, dir) || !facade_append(out, size, &n, rule->target) ||
	    !facade_append(out, size, &n, path + rule->prefix_length))
		return -1;
	return (int)n;
}

/*
 * The other way: the path for which a path below the hive's directory stands. Its length, 0 if path
 * stands for none, -1 when out is too small.
 */
static inline int facade_origin(const char *path, const char *dir, char *out, u32 size)
{
	u32 i, t, n = 0;

	for (i = 0; dir[i] && path[i] == dir[i]; i++)
		;
	if (dir[i] || !i)
		return 0;
	for (u32 r = 0; r < ARRAY_SIZE(facade_rules); r++) {
		const struct facade_rule *rule = &facade_rules[r];

		for (t = 0; t < rule->target_length && path[i + t] == rule->target[t]; t++)
			;
		if (t < rule->target_length || !facade_is_end(path[i + t]))
			continue;
		if (!facade_append(out, size, &n, rule->prefix) ||
		    !facade_append(out, size, &n, path + i + t))
			return -1;
		return (int)n;
	}
	return 0;
}

/*
 * Is this path, made by facade_rewrite() for the hive's directory dir, below what is the same in
 * every hive? Those files are made when the first process looks for one.
 */
static inline bool facade_is_constant(const char *path, const char *dir)
{
	while (*dir && *path == *dir) {
		path++;
		dir++;
	}
	return !*dir && path[0] == '/' && (path[1] == 't' || path[1] == 'p');
}

#endif
