/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See proc.h.
 */
#include "rt/proc.h"

#include "rt/arena.h"
#include "rt/mem.h"
#include "rt/sys.h"
#include "rt/vcpu.h"

#define AT_FDCWD    (-100)
#define O_CLOEXEC   02000000
#define O_DIRECTORY 0200000
#define DT_DIR	    4
#define TICK_NS	    10000000ull /* 1 / USER_HZ */

struct entry {
	u64 ino, next;
	u16 length;
	u8 type;
	char name[];
};

void rt_path_set(struct rt_path *path, const char *text)
{
	path->length = 0;
	path->text[0] = '\0';
	rt_path_add(path, text);
}

void rt_path_add(struct rt_path *path, const char *text)
{
	while (*text && path->length + 1 < RT_PATH_SIZE)
		path->text[path->length++] = *text++;
	if (*text)
		path->length = 0;
	path->text[path->length] = '\0';
}

void rt_path_add_number(struct rt_path *path, u32 number)
{
	char digits[12];
	u32 at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	rt_path_add(path, digits + at);
}

void rt_path_of_task(struct rt_path *path, const struct rt_vcpu *vcpu, u32 pid, const char *name)
{
	if (!pid || pid == vcpu->task.pid)
		pid = vcpu->task.remote_pid;
	rt_path_set(path, "/proc/");
	if (pid)
		rt_path_add_number(path, pid);
	else
		rt_path_add(path, "thread-self");
	rt_path_add(path, "/");
	rt_path_add(path, name);
}

static long open_file(const char *path, u64 flags)
{
	return *path ? rt_syscall4(__NR_openat, (u64)AT_FDCWD, (u64)path, O_CLOEXEC | flags, 0)
		     : -ENOENT;
}

long rt_file_read(const char *path, char *text, u32 size, u64 offset)
{
	long fd = open_file(path, 0), length;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	length = rt_syscall4(__NR_pread64, (u64)fd, (u64)text, size - 1, offset);
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	if (length < 0)
		return length;
	text[length] = '\0';
	return length;
}

static bool takes_entry(const struct entry *entry, bool directories_only)
{
	const char *name = entry->name;

	if (directories_only && entry->type != DT_DIR)
		return false;
	return !(name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])));
}

bool rt_directory_next(const char *path, u64 *cursor, bool directories_only, char *name,
		       u32 name_size)
{
	char entries[1024] __attribute__((aligned(8)));
	long fd = open_file(path, O_DIRECTORY), size;
	bool found = false;

	if (fd < 0)
		return false;
	if (*cursor && rt_syscall3(__NR_lseek, (u64)fd, *cursor, 0) < 0)
		goto out;
	do {
		size = rt_syscall3(__NR_getdents64, (u64)fd, (u64)entries, sizeof(entries));
		for (long at = 0; at < size && !found;) {
			const struct entry *entry = (const struct entry *)(entries + at);
			u32 length = 0;

			at += entry->length;
			*cursor = entry->next;
			while (entry->name[length])
				length++;
			if (!takes_entry(entry, directories_only) || length >= name_size)
				continue;
			memcpy(name, entry->name, length + 1);
			found = true;
		}
	} while (size > 0 && !found);
out:
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	return found;
}

u64 rt_parse_number(const char *text, u32 base, const char **ret_end)
{
	u64 number = 0;

	for (;; text++) {
		u32 digit = *text >= '0' && *text <= '9'   ? (u32)(*text - '0')
			    : *text >= 'a' && *text <= 'f' ? (u32)(*text - 'a') + 10
							   : 16;

		if (digit >= base)
			break;
		number = number * base + digit;
	}
	*ret_end = text;
	return number;
}

/* The number after the nth space behind `at`. */
static u64 number_at(const char *at, u32 nth)
{
	for (; *at && nth; at++)
		nth -= *at == ' ';
	return rt_parse_number(at, 10, &at);
}

/* The name lies between the first '(' and the last ')' of the line. */
static const char *parse_name(const char *text, u32 size, char *comm)
{
	u32 first = 0, last = size;

	while (first < size && text[first] != '(')
		first++;
	while (last > first && text[last] != ')')
		last--;
	for (u32 i = 0; i < 15 && first + 1 + i < last; i++)
		comm[i] = text[first + 1 + i];
	return text + last;
}

/* The numbers behind the line's title. */
static void parse_line(const char *text, const char *title, u32 *numbers, u32 nr)
{
	u32 i = 0;

	while (*text) {
		for (i = 0; title[i] && text[i] == title[i]; i++)
			;
		if (!title[i])
			break;
		while (*text && *text++ != '\n')
			;
	}
	for (text += *text ? i : 0; nr && *text && *text != '\n'; nr--) {
		while (*text == '\t' || *text == ' ')
			text++;
		*numbers++ = (u32)rt_parse_number(text, 10, &text);
	}
}

u64 rt_task_cpus(u32 pid)
{
	u64 mask[RT_VCPU_MAX >= 1024 ? RT_VCPU_MAX / 64 : 16] = { 0 };
	u32 nr = RT_CONTROL->nr_vcpus;

	if (rt_syscall3(__NR_sched_getaffinity, pid, sizeof(mask), (u64)mask) <= 0)
		mask[0] = ~0ull;
	return nr < 64 ? mask[0] & ((1ull << nr) - 1) : mask[0];
}

bool rt_task_facts_of(const struct rt_vcpu *vcpu, u32 pid, struct rt_task_facts *ret_facts)
{
	struct rt_task_facts facts = { .pid = pid };
	u32 uids[2] = { 0 }, gids[2] = { 0 };
	struct rt_path path;
	char text[2048];
	const char *rest;
	long size;

	rt_path_of_task(&path, vcpu, pid, "stat");
	size = pid ? rt_file_read(path.text, text, sizeof(text), 0) : -ENOENT;
	if (size <= 0)
		return false;
	rest = parse_name(text, (u32)size, facts.comm);
	facts.parent = (u32)number_at(rest, 2);
	facts.start_ns = facts.start_boot_ns = number_at(rest, 20) * TICK_NS;
	rt_path_of_task(&path, vcpu, pid, "status");
	if (rt_file_read(path.text, text, sizeof(text), 0) <= 0)
		return false;
	parse_line(text, "Tgid:", &facts.tgid, 1);
	parse_line(text, "Uid:", uids, 2);
	parse_line(text, "Gid:", gids, 2);
	facts.uid = uids[0];
	facts.euid = uids[1];
	facts.gid = gids[0];
	facts.egid = gids[1];
	facts.cpus = rt_task_cpus(pid);
	*ret_facts = facts;
	return facts.tgid != 0;
}
