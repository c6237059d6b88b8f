/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OBJ_GET_INFO_BY_FD of every kind of object, asked with every length from none to more than there
 * is, on the running kernel and on skep side by side: the results, the length that comes back and
 * each byte must be the same, but for ids, times and what native code has; and so their fdinfo.
 * Then run statistics: what is counted, and when.
 */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROOM  512
#define GUARD 0xa5

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

struct range {
	u32 offset, size;
};
#define FIELD(type, field)                                        \
	{                                                         \
		offsetof(type, field), sizeof(((type *)0)->field) \
	}

/* What may differ. */
static const struct range of_map[] = { FIELD(struct abi_map_info, id) };
static const struct range of_prog[] = {
	FIELD(struct bpf_prog_info, id),
	FIELD(struct bpf_prog_info, load_time),
	FIELD(struct bpf_prog_info, jited_prog_len),
};
static const struct range of_btf[] = { FIELD(struct bpf_btf_info, btf_size) };
static const struct range of_link[] = {
	FIELD(struct abi_link_info, id),
	FIELD(struct abi_link_info, prog_id),
};

struct kind {
	const char *name;
	int (*make)(struct world *world);
	u32 size;
	const struct range *differs;
	u32 nr_differs;
};

static int make_map(struct world *world)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = 5;
	attr.value_size = 17;
	attr.max_entries = 33;
	attr.map_flags = BPF_F_NO_PREALLOC | BPF_F_WRONLY_PROG;
	memcpy(attr.map_name, "a_map.of_mine", 14);
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

static int make_prog(struct world *world)
{
	union abi_attr attr = world_prog_attr(BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2);

	attr.load.license = (u64)(uintptr_t) "Dual MIT/GPL";
	memcpy(attr.load.prog_name, "prog.of_mine", 13);
	return (int)world_call(world, BPF_PROG_LOAD, &attr);
}

static int make_btf(struct world *world)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.id.id = 1; /* the kernel's own */
	return (int)world_call(world, BPF_BTF_GET_FD_BY_ID, &attr);
}

static int make_link(struct world *world)
{
	int prog = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, ok_insns, 2), link;
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)prog;
	attr.raw_tracepoint.cookie = 0x1122334455667788;
	link = (int)world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr);
	world->close(world, prog);
	return link;
}

static const struct kind kinds[] = {
	{ "map", make_map, sizeof(struct abi_map_info), of_map, ARRAY_SIZE(of_map) },
	{ "program", make_prog, sizeof(struct bpf_prog_info), of_prog, ARRAY_SIZE(of_prog) },
	{ "BTF", make_btf, sizeof(struct bpf_btf_info), of_btf, ARRAY_SIZE(of_btf) },
	{ "link", make_link, sizeof(struct abi_link_info), of_link, ARRAY_SIZE(of_link) },
};

struct answer {
	long result;
	u32 length;
	u8 bytes[ROOM];
};

/* last: the last byte that the client gives; the others are 0. */
static void ask(struct world *world, const struct kind *kind, int fd, u32 length, u8 last,
		struct answer *ret_answer)
{
	union abi_attr attr;
	u32 i, j;

	memset(ret_answer, 0, sizeof(*ret_answer));
	memset(ret_answer->bytes + length, GUARD, ROOM - length);
	if (length)
		ret_answer->bytes[length - 1] = last;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info_len = length;
	attr.info.info = (u64)(uintptr_t)ret_answer->bytes;
	ret_answer->result = world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr);
	ret_answer->length = attr.info.info_len;
	for (i = 0; i < kind->nr_differs; i++)
		for (j = 0; j < kind->differs[i].size; j++)
			if (kind->differs[i].offset + j < length)
				ret_answer->bytes[kind->differs[i].offset + j] = 0;
}

/* The first difference, as text; NULL: none. */
static const char *compare(const struct answer *kernel, const struct answer *skep)
{
	static char text[128];
	u32 i;

	if (kernel->result != skep->result || kernel->length != skep->length) {
		snprintf(text, sizeof(text), "kernel %ld, length %u; skep %ld, length %u",
			 kernel->result, kernel->length, skep->result, skep->length);
		return text;
	}
	for (i = 0; i < ROOM; i++)
		if (kernel->bytes[i] != skep->bytes[i]) {
			snprintf(text, sizeof(text), "byte %u: kernel %#x, skep %#x", i,
				 kernel->bytes[i], skep->bytes[i]);
			return text;
		}
	return NULL;
}

/* The lines of an object's fdinfo, values that may differ cut off. */
static void read_fdinfo(struct world *world, int fd, char *ret_text, size_t size)
{
	static const char *const differ[] = { "map_id", "prog_id", "link_id",
					      "btf_id", "memlock", "prog_jited" };
	char raw[4096] = "", path[64], *line, *rest, *colon;
	FILE *file;
	u32 i;

	ret_text[0] = '\0';
	if (world->kernel) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		file = fopen(path, "re");
		if (file) {
			raw[fread(raw, 1, sizeof(raw) - 1, file)] = '\0';
			fclose(file);
		}
		/* After pos, flags, mnt_id and ino. */
		line = strstr(raw, "\nino:");
		line = line ? strchr(line + 1, '\n') + 1 : raw;
	} else {
		sys_object_fdinfo(world_hive(world), world_object(world, fd), raw, sizeof(raw));
		line = raw;
	}
	for (line = strtok_r(line, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		colon = strchr(line, ':');
		for (i = 0; colon && i < ARRAY_SIZE(differ); i++)
			if (strlen(differ[i]) == (size_t)(colon - line) &&
			    !strncmp(line, differ[i], (size_t)(colon - line)))
				colon[1] = '\0';
		if (strlen(ret_text) + strlen(line) + 2 < size) {
			strcat(ret_text, line);
			strcat(ret_text, "\n");
		}
	}
}

static void compare_fdinfo(struct world *const worlds[2], const struct kind *kind, const int fds[2])
{
	char texts[2][4096];
	u32 i;

	for (i = 0; i < 2; i++)
		read_fdinfo(worlds[i], fds[i], texts[i], sizeof(texts[i]));
	if (!tap_ok(texts[0][0] && !strcmp(texts[0], texts[1]), "%s: the same fdinfo", kind->name))
		tap_note("kernel:\n%s\nskep:\n%s", texts[0], texts[1]);
}

static void compare_kind(struct world *const worlds[2], const struct kind *kind)
{
	int fds[2] = { kind->make(worlds[0]), kind->make(worlds[1]) };
	struct answer answers[2];
	u32 length, equal = 0, asked = 0, round;
	const char *difference;

	tap_ok(fds[0] >= 0 && fds[1] >= 0, "%s: made in both (%d, %d)", kind->name, fds[0], fds[1]);
	/* With a byte that is not 0 where the kernel knows nothing: E2BIG. */
	for (round = 0; round < 2; round++)
		for (length = round ? kind->size + 9 : 0; length < kind->size + 40; length++) {
			ask(worlds[0], kind, fds[0], length, (u8)round, &answers[0]);
			ask(worlds[1], kind, fds[1], length, (u8)round, &answers[1]);
			difference = compare(&answers[0], &answers[1]);
			asked++;
			equal += !difference;
			if (difference)
				tap_note("%s, %u bytes: %s", kind->name, length, difference);
		}
	tap_ok(equal == asked, "%s: the same answer for %u of %u lengths", kind->name, equal,
	       asked);
	compare_fdinfo(worlds, kind, fds);
	worlds[0]->close(worlds[0], fds[0]);
	worlds[1]->close(worlds[1], fds[1]);
}

static u64 state = 88172645463325252ull;

static u32 draw(u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 32) % below;
}

/* A program with two maps: what a client may ask to be told of it. */
static int make_user(struct world *world)
{
	int first = make_map(world), second = make_map(world), prog;
	struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, first),
				    LD_MAP(2, BPF_PSEUDO_MAP_FD, second), MOV_K(0, 0), EXIT() };

	prog = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
	world->close(world, first);
	world->close(world, second);
	return prog;
}

/* Room and an address for each array: some, none, too little, bad. The address is at_buffer's. */
static void draw_request(struct bpf_prog_info *info, u64 buffer)
{
	static const u32 rooms[] = { 0, 0, 1, 2, 8, 40, 100 }, sizes[] = { 0, 0, 8, 16, 7 };
	u64 addresses[] = { 0, buffer, buffer, buffer, buffer, 8 };

#define ROOM_FOR(count, address)                       \
	(info->count = rooms[draw(ARRAY_SIZE(rooms))], \
	 info->address = info->count ? addresses[draw(ARRAY_SIZE(addresses))] : 0)
	memset(info, 0, sizeof(*info));
	if (draw(2))
		ROOM_FOR(nr_map_ids, map_ids);
	if (draw(2))
		ROOM_FOR(xlated_prog_len, xlated_prog_insns);
	/* Of native code skep answers as a kernel does that hides its addresses: nothing is
	 * written. */
	info->nr_jited_ksyms = draw(2);
	info->jited_ksyms = info->nr_jited_ksyms ? buffer : 0;
	info->nr_jited_func_lens = draw(2);
	info->jited_func_lens = info->nr_jited_func_lens ? buffer : 0;
	if (draw(2))
		ROOM_FOR(nr_prog_tags, prog_tags);
	if (!draw(3)) {
		ROOM_FOR(nr_func_info, func_info);
		info->func_info_rec_size = sizes[draw(ARRAY_SIZE(sizes))];
	}
	if (!draw(3)) {
		ROOM_FOR(nr_line_info, line_info);
		info->line_info_rec_size = sizes[draw(ARRAY_SIZE(sizes))];
	}
	if (!draw(3)) {
		ROOM_FOR(nr_jited_line_info, jited_line_info);
		info->jited_line_info_rec_size = sizes[draw(ARRAY_SIZE(sizes))];
	}
#undef ROOM_FOR
}

static void compare_requests(struct world *const worlds[2])
{
	static u8 buffer[4096] __attribute__((aligned(16)));
	int fds[2] = { make_user(worlds[0]), make_user(worlds[1]) };
	struct bpf_prog_info infos[2], request;
	u32 round, i, equal = 0, rounds = 3000;
	union abi_attr attr;
	long results[2];

	for (round = 0; round < rounds; round++) {
		draw_request(&request, (u64)(uintptr_t)buffer);
		for (i = 0; i < 2; i++) {
			infos[i] = request;
			memset(&attr, 0, sizeof(attr));
			attr.info.bpf_fd = (u32)fds[i];
			attr.info.info_len = sizeof(request);
			attr.info.info = (u64)(uintptr_t)&infos[i];
			results[i] = world_call(worlds[i], BPF_OBJ_GET_INFO_BY_FD, &attr);
			infos[i].id = 0;
			infos[i].load_time = 0;
			infos[i].jited_prog_len = 0;
			infos[i].jited_ksyms = infos[i].jited_func_lens = 0;
			infos[i].nr_jited_line_info = 0;
		}
		if (results[0] == results[1] && !memcmp(&infos[0], &infos[1], sizeof(request))) {
			equal++;
			continue;
		}
		if (round - equal > 5)
			continue;
		for (i = 0; i < sizeof(request) - 1; i++)
			if (((u8 *)&infos[0])[i] != ((u8 *)&infos[1])[i])
				break;
		tap_note("round %u: kernel %ld, skep %ld; byte %u", round, results[0], results[1],
			 i);
	}
	tap_ok(equal == rounds, "a program: the same answer to %u of %u requests", equal, rounds);
	worlds[0]->close(worlds[0], fds[0]);
	worlds[1]->close(worlds[1], fds[1]);
}

static struct bpf_prog_info stats_of(struct world *world, int prog)
{
	struct bpf_prog_info info;
	union abi_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)prog;
	attr.info.info_len = sizeof(info);
	attr.info.info = (u64)(uintptr_t)&info;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "statistics");
	return info;
}

static void run(struct world *world, int prog, u32 times)
{
	static u8 packet[64];
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = times;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "a run");
}

static int enable(struct world *world)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	return (int)world_call(world, BPF_ENABLE_STATS, &attr);
}

static void statistics(struct world *world)
{
	int prog = make_prog(world), first, second;
	struct bpf_prog_info info;

	run(world, prog, 3);
	expect(world, (long)stats_of(world, prog).run_cnt, 0, "runs before statistics");
	first = enable(world);
	second = enable(world);
	expect(world, first, FD, "statistics on");
	expect(world, second, FD, "statistics on, once more");
	run(world, prog, 5);
	info = stats_of(world, prog);
	expect(world, (long)info.run_cnt, 5, "runs while they are on");
	tap_ok(info.run_time_ns > 0 && info.run_time_ns < 10000000000ull, "%s: they took %llu ns",
	       world->name, (unsigned long long)info.run_time_ns);
	expect(world, (long)info.recursion_misses, 0, "no run was missed");
	world->close(world, first);
	run(world, prog, 2);
	expect(world, (long)stats_of(world, prog).run_cnt, 7, "runs while one wants them");
	world->close(world, second);
	run(world, prog, 2);
	expect(world, (long)stats_of(world, prog).run_cnt, 7, "runs after them");
	world->close(world, prog);
	first = enable(world);
	prog = make_prog(world);
	run(world, prog, 4);
	expect(world, (long)stats_of(world, prog).run_cnt, 4, "a program that came after them");
	world->close(world, first);
	world->close(world, prog);
}

int main(void)
{
	struct world *worlds[2] = { world_kernel(), NULL };
	u32 i;

	if (!worlds[0]) {
		tap_skip(1, "no kernel bpf(2) here");
		return tap_done();
	}
	worlds[1] = world_skep();
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		compare_kind(worlds, &kinds[i]);
	compare_requests(worlds);
	statistics(worlds[0]);
	statistics(worlds[1]);
	tap_is(world_skep_free(worlds[1]), 0, "nothing is left");
	return tap_done();
}
