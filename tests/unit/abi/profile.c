/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiles against what kernels answered (tools/profiles/VERSION.golden, as
 * tools/record-profiles writes them): program types, attach types, map types, helpers and kfuncs by
 * program type, context accesses and instructions of that version, no more and no less. Arguments:
 * the files.
 */
#include "abi/profile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/attr.h"
#include "abi/bpf_new.h"
#include "abi/context.h"
#include "abi/helper.h"
#include "harness/tap.h"

struct golden {
	const char *name; /* "6.1" */
	u32 version;
	u64 loads; /* program types that the kernel loaded */
	u32 asked, wrong;
};

static void differs(struct golden *golden, const char *what, const char *detail, bool kernel)
{
	golden->wrong++;
	tap_note("Linux %s: %s %s: the kernel %s it, the profile does not agree", golden->name,
		 what, detail, kernel ? "has" : "has not");
}

static void compare(struct golden *golden, u32 since, bool kernel, const char *what,
		    const char *detail)
{
	golden->asked++;
	if ((since <= golden->version) != kernel)
		differs(golden, what, detail, kernel);
}

/* -1: a variant that the tables do not tell apart ("tracing/fentry"), or none. */
static int type_of(const char *name)
{
	for (u32 type = 1; type < 64; type++) {
		const char *known = abi_prog_type_name(type);

		if (known && !strcmp(known, name))
			return (int)type;
	}
	return -1;
}

/* The expected attach type with which the kernels were asked (tools/profiles/probe.c). */
static u32 attach_of(u32 prog_type)
{
	static const struct {
		u32 type, attach;
	} attached[] = {
		{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
		{ BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT },
		{ BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT },
		{ BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_MAC },
	};

	for (u32 i = 0; i < ARRAY_SIZE(attached); i++)
		if (attached[i].type == prog_type)
			return attached[i].attach;
	return 0;
}

/* "type NAME" and "type NAME no" */
static void check_type(struct golden *golden, char *rest)
{
	char *no = strchr(rest, ' ');
	int type;

	if (no)
		*no = '\0';
	type = type_of(rest);
	if (type < 0)
		return;
	if (!no)
		golden->loads |= ABI_PROG(type);
	/* A kernel may be built without a type that its version has, as these are. */
	if (no && type != BPF_PROG_TYPE_LIRC_MODE2 && type != BPF_PROG_TYPE_LSM)
		compare(golden, abi_since_prog_type((u32)type), false, "type", rest);
	if (!no)
		compare(golden, abi_since_prog_type((u32)type), true, "type", rest);
}

static u64 set_of(char *names)
{
	u64 set = 0;

	for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
		int type = type_of(name);

		if (type >= 0)
			set |= ABI_PROG(type);
	}
	return set;
}

/* 6.18's own set, less what the profile says is younger, must be the kernel's. */
static void check_helper(struct golden *golden, u32 id, char *names)
{
	const struct abi_helper *helper = abi_helper_find(id);
	u64 kernel = set_of(names);
	char detail[128];

	for (u32 type = 1; helper && type < 64; type++) {
		bool known = helper->progs & ABI_PROG(type);
		bool there = !known || !(helper->not_attach & ABI_ATTACH(attach_of(type)));

		if (!(golden->loads & ABI_PROG(type)) || !abi_prog_type_name(type))
			continue;
		/* Not in 6.18's set as asked of the kernel there, which was built with less. */
		if (!known && abi_since_helper(id, type) <= golden->version)
			continue;
		snprintf(detail, sizeof(detail), "%s, by %s", helper->name,
			 abi_prog_type_name(type));
		compare(golden, there ? abi_since_helper(id, type) : ABI_LINUX_NEVER,
			kernel >> type & 1, "helper", detail);
	}
}

static bool in_ranges(const char *text, char letter, u32 size, u32 offset)
{
	char key[8];
	const char *at;

	snprintf(key, sizeof(key), " %c%u ", letter, size);
	at = strstr(text, key);
	for (at = at ? at + strlen(key) : NULL; at && isdigit(*at); at += *at == ',') {
		u32 first = (u32)strtoul(at, (char **)&at, 10), last = first;

		if (*at == '-')
			last = (u32)strtoul(at + 1, (char **)&at, 10);
		if (offset >= first && offset <= last && !((offset - first) % size))
			return true;
	}
	return false;
}

static void check_context(struct golden *golden, const char *name, const char *text)
{
	int type = type_of(name);
	const struct abi_ctx *ctx = type < 0 ? NULL : abi_ctx_find((u32)type);
	struct abi_ctx_user user = { (u32)type, attach_of((u32)type) };
	char detail[128];

	if (!ctx || ctx->free_form || !ctx->nr_fields)
		return;
	for (u32 offset = 0; offset < ctx->size; offset++) {
		for (u32 size = 1; size <= 8; size *= 2) {
			for (u32 write = 0; write < 2; write++) {
				bool newest, kernel;

				if (offset % size)
					continue;
				newest = abi_ctx_access(ctx, user, offset, size, write);
				kernel = in_ranges(text, write ? 'w' : 'r', size, offset);
				snprintf(detail, sizeof(detail), "%s, %s of %u at %u", name,
					 write ? "write" : "read", size, offset);
				compare(golden,
					newest ? abi_since_context(user.prog_type, offset)
					       : ABI_LINUX_NEVER,
					kernel, "context", detail);
			}
		}
	}
}

/* The samples that the prober has, by what makes them young. */
static void check_insn(struct golden *golden, char *name)
{
	static const struct {
		const char *name;
		struct bpf_insn insn;
	} samples[] = {
		{ "atomic-fetch", { .code = BPF_STX | BPF_ATOMIC | BPF_DW, .imm = BPF_FETCH } },
		{ "movsx", { .code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 8 } },
		{ "sdiv", { .code = BPF_ALU64 | BPF_DIV | BPF_K, .off = 1, .imm = 3 } },
		{ "bswap", { .code = BPF_ALU64 | BPF_END, .imm = 16 } },
		{ "ldsx", { .code = BPF_LDX | 0x80 | BPF_B } },
		{ "gotol", { .code = BPF_JMP32 | BPF_JA, .imm = 1 } },
		{ "may-goto", { .code = BPF_JMP | 0xe0, .off = 1 } },
		{ "load-acquire", { .code = BPF_STX | BPF_ATOMIC | BPF_DW, .imm = 0x100 } },
		{ "store-release", { .code = BPF_STX | BPF_ATOMIC | BPF_DW, .imm = 0x110 } },
		{ "atomic-add", { .code = BPF_STX | BPF_ATOMIC | BPF_DW, .imm = BPF_ADD } },
		{ "jmp32", { .code = BPF_JMP32 | BPF_JEQ | BPF_K } },
	};
	char *no = strchr(name, ' ');

	if (no)
		*no = '\0';
	for (u32 i = 0; i < ARRAY_SIZE(samples); i++)
		if (!strcmp(samples[i].name, name))
			compare(golden, abi_since_insn(&samples[i].insn), !no, "insn", name);
}

static void check_line(struct golden *golden, char *line)
{
	char *rest = strchr(line, ' '), *colon;

	if (!rest)
		return;
	*rest++ = '\0';
	colon = strchr(rest, ':');
	if (colon)
		*colon = '\0';
	if (!strcmp(line, "type"))
		check_type(golden, rest);
	else if (!strcmp(line, "map"))
		compare(golden, abi_since_map_type((u32)atoi(rest)), true, "map", rest);
	else if (!strcmp(line, "insn"))
		check_insn(golden, rest);
	else if (!strcmp(line, "helper") && colon)
		check_helper(golden, (u32)atoi(rest), colon + 1);
	else if (!strcmp(line, "kfunc") && colon)
		compare(golden, abi_since_kfunc(rest), true, "kfunc", rest);
	else if (!strcmp(line, "context") && colon)
		check_context(golden, rest, colon + 1);
}

static void check_file(const char *path)
{
	static char line[65536];
	struct golden golden = { 0 };
	char name[16];
	const struct abi_profile *profile;
	const char *slash = strrchr(path, '/');
	FILE *file = fopen(path, "re");

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : path);
	if (strstr(name, ".golden"))
		*strstr(name, ".golden") = '\0';
	golden.name = name;
	profile = abi_profile_find(name);
	if (!tap_ok(file && profile, "%s is there, and a profile of that name", path))
		return;
	golden.version = profile->version;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '#')
			check_line(&golden, line);
	}
	fclose(file);
	tap_ok(golden.asked > 5000 && !golden.wrong, "Linux %s: %u answers, %u differ", name,
	       golden.asked, golden.wrong);
}

static void check_names(void)
{
	u32 nr = 0, last = 0;
	bool ok = true;

	for (; abi_profile_at(nr); nr++) {
		ok &= abi_profile_at(nr)->version > last;
		last = abi_profile_at(nr)->version;
		ok &= abi_profile_find(abi_profile_at(nr)->name) == abi_profile_at(nr);
	}
	tap_ok(ok && nr >= 7 && last == ABI_LINUX_NEWEST, "%u profiles, the last is the newest",
	       nr);
	tap_ok(!abi_profile_find("6.") && !abi_profile_find("") && !abi_profile_find("6.18.0"),
	       "no profile of another name");
	tap_ok(abi_since_helper(212, BPF_PROG_TYPE_XDP) == ABI_LINUX_NEVER &&
		       abi_since_prog_type(33) == ABI_LINUX_NEVER &&
		       abi_since_command(38) == ABI_LINUX_NEVER,
	       "what 6.18 has not is in no version");
	tap_ok(abi_since_helper(1, ABI_PROG_TYPE_NETFILTER) == ABI_LINUX(6, 4),
	       "a helper is no older than the program type that calls it");
}

int main(int argc, char **argv)
{
	check_names();
	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	return tap_done();
}
