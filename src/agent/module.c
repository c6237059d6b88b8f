/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executable file mappings of this process: those there at its start (program, dynamic linker,
 * vDSO) and those that it maps later, each rewritten before its code can run. Site tables come from
 * the control segment when a process of the hive has met the file before, else from the supervisor.
 */
#include <asm/stat.h>
#include "agent/agent.h"

#define PAGE	      4096UL
#define PROT_EXEC     4
#define MAP_SHARED    1
#define MAP_PRIVATE   2
#define MAP_ANONYMOUS 0x20
#define MAP_TYPE      0xf
#define E_NODEV	      19
#define AT_FDCWD      ((u64)-100)
#define O_CLOEXEC     02000000

static void lock(void)
{
	while (__atomic_exchange_n(&AGENT_THREADS_TABLE->lock, 1, __ATOMIC_ACQUIRE))
		rt_sys_yield();
}

static void unlock(void)
{
	__atomic_store_n(&AGENT_THREADS_TABLE->lock, 0, __ATOMIC_RELEASE);
}

const struct agent_loaded *agent_module_at(u64 address)
{
	struct agent_state *state = AGENT_STATE;
	u32 i, nr = __atomic_load_n(&state->nr_loaded, __ATOMIC_ACQUIRE);

	for (i = 0; i < nr; i++) {
		u64 start = __atomic_load_n(&state->loaded[i].start, __ATOMIC_ACQUIRE);

		if (start && address >= start && address < READ_ONCE(state->loaded[i].end))
			return &state->loaded[i];
	}
	return NULL;
}

/* Keeps those sites that lie in the mapping: the table is of the whole file, sorted. */
static void narrow(struct agent_loaded *module)
{
	u64 length = module->end - module->start;

	while (module->nr_sites && module->sites->offset < module->file_offset) {
		module->sites++;
		module->nr_sites--;
	}
	while (module->nr_sites &&
	       module->sites[module->nr_sites - 1].offset >= module->file_offset + length)
		module->nr_sites--;
}

static bool find_known(struct agent_loaded *module, const struct agent_module_key *key)
{
	const struct agent_control *control = RT_CONTROL->agent;
	u32 i, nr = __atomic_load_n(&control->nr_modules, __ATOMIC_ACQUIRE);

	for (i = 0; i < nr && i < AGENT_MODULES_MAX; i++) {
		const struct agent_module *known = &control->modules[i];

		if (memcmp(&known->key, key, sizeof(*key)) != 0)
			continue;
		module->sites = (const struct agent_site *)known->sites;
		module->nr_sites = known->nr_sites;
		return true;
	}
	return false;
}

static bool ask_supervisor(struct agent_loaded *module, bool vdso)
{
	struct agent_sites ask = { .address = vdso ? 0 : module->start,
				   .length = vdso ? 0 : module->end - module->start,
				   .file_offset = module->file_offset };

	if (agent_command(AGENT_SITES, &ask, sizeof(ask)) != 0)
		return false;
	/* Only the control segment is read, and only as far as it reaches. */
	if (ask.sites < RT_CONTROL_BASE || ask.sites >= RT_CONTROL_BASE + RT_CONTROL_SIZE)
		return false;
	module->sites = (const struct agent_site *)ask.sites;
	module->nr_sites = ask.nr_sites;
	return true;
}

static void add(struct agent_loaded *module)
{
	struct agent_state *state = AGENT_STATE;
	struct agent_loaded *slot = NULL;
	long error;
	u32 i;

	narrow(module);
	if (!module->nr_sites)
		return;
	lock();
	for (i = 0; i < AGENT_LOADED_MAX && !slot; i++)
		if (!state->loaded[i].start)
			slot = &state->loaded[i];
	if (slot && slot >= &state->loaded[state->nr_loaded])
		__atomic_store_n(&state->nr_loaded, (u32)(slot - state->loaded) + 1,
				 __ATOMIC_RELEASE);
	if (!slot) {
		unlock();
		agent_report(AGENT_REPORT_NO_STUBS, 0);
		return;
	}
	*slot = *module;
	error = agent_patch(slot);
	if (error < 0)
		slot->start = slot->end = 0;
	unlock();
	if (error < 0)
		agent_report(AGENT_REPORT_NO_STUBS, error);
}

static void key_of(struct agent_module_key *key, const struct stat *st)
{
	key->device = st->st_dev;
	key->inode = st->st_ino;
	key->size = (u64)st->st_size;
	key->change_ns = st->st_ctime * 1000000000UL + st->st_ctime_nsec;
}

void agent_module_mapped(u64 address, u64 length, u64 file_offset, int fd)
{
	struct agent_loaded module = { .start = address,
				       .end = address + ALIGN_UP(length, PAGE),
				       .file_offset = file_offset };
	struct agent_module_key key;
	struct stat st;

	if (rt_syscall3(__NR_fstat, (u64)fd, (u64)&st, 0) == 0) {
		key_of(&key, &st);
		if (find_known(&module, &key)) {
			add(&module);
			return;
		}
	}
	if (ask_supervisor(&module, false))
		add(&module);
}

/* One line of /proc/self/maps: "start-end rights offset dev inode path". */
struct line {
	u64 start, end, offset, inode;
	bool executable;
	const char *path; /* "" if none */
};

static const char *parse_number(const char *text, u32 base, u64 *ret)
{
	u64 value = 0;

	for (;; text++) {
		u32 digit;

		if (*text >= '0' && *text <= '9')
			digit = (u32)(*text - '0');
		else if (base == 16 && *text >= 'a' && *text <= 'f')
			digit = (u32)(*text - 'a') + 10;
		else
			break;
		value = value * base + digit;
	}
	*ret = value;
	return text;
}

/* text is one line that ends with NUL. */
static bool parse_line(const char *text, struct line *line)
{
	u64 ignored;

	text = parse_number(text, 16, &line->start);
	if (*text++ != '-')
		return false;
	text = parse_number(text, 16, &line->end);
	if (*text++ != ' ' || !text[0] || !text[1] || !text[2] || !text[3])
		return false;
	line->executable = text[2] == 'x';
	text = parse_number(text + 5, 16, &line->offset);
	text = parse_number(text + 1, 16, &ignored);
	text = parse_number(text + 1, 16, &ignored);
	text = parse_number(text + 1, 10, &line->inode);
	while (*text == ' ')
		text++;
	line->path = text;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void start_line(const struct line *line)
{
	static const struct agent_module_key vdso_key = { .size = 1 };
	struct agent_loaded module = { .start = line->start,
				       .end = line->end,
				       .file_offset = line->offset };
	bool vdso = same_text(line->path, "[vdso]");
	struct agent_module_key key;
	struct stat st;

	if (!line->executable || (!line->inode && !vdso))
		return;
	if (line->start >= RT_ARENA_BASE && line->start < RT_ARENA_BASE + RT_ARENA_SIZE)
		return;
	if (vdso) {
		module.file_offset = 0;
		if (find_known(&module, &vdso_key) || ask_supervisor(&module, true))
			add(&module);
		return;
	}
	if (rt_syscall4(__NR_newfstatat, AT_FDCWD, (u64)line->path, (u64)&st, 0) == 0 &&
	    st.st_ino == line->inode) {
		key_of(&key, &st);
		if (find_known(&module, &key)) {
			add(&module);
			return;
		}
	}
	if (ask_supervisor(&module, false))
		add(&module);
}

/*
 * The lines are read before the first mapping changes. A program starts with few of them: 16 KiB
 * are hundreds.
 */
void agent_module_scan_start(void)
{
	char text[16384];
	u64 used = 0, at = 0, i;
	long fd, got;

	fd = rt_syscall4(__NR_openat, AT_FDCWD, (u64) "/proc/self/maps", O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while (used < sizeof(text) - 1) {
		got = rt_syscall3(__NR_read, (u64)fd, (u64)text + used, sizeof(text) - 1 - used);
		if (got <= 0)
			break;
		used += (u64)got;
	}
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	text[used] = 0;
	for (i = 0; i < used; i++) {
		struct line line;

		if (text[i] != '\n')
			continue;
		text[i] = 0;
		if (parse_line(text + at, &line))
			start_line(&line);
		at = i + 1;
	}
}

enum agent_verdict agent_do_mmap(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u64 flags = regs->r10;

	if ((flags & MAP_ANONYMOUS) || (s32)regs->r8 < 0)
		return AGENT_GO;
	if (!(regs->dx & PROT_EXEC) && (flags & MAP_TYPE) == MAP_PRIVATE)
		return AGENT_GO;
	regs->ax = rt_syscall6(__NR_mmap, regs->di, regs->si, regs->dx, flags, regs->r8, regs->r9);
	if (regs->ax == (u64)-E_NODEV) {
		regs->ax = __NR_mmap;
		call->frame.kind = AGENT_KIND_MMAP;
		return AGENT_NOTIFY;
	}
	if (regs->ax < (u64)-4095 && (regs->dx & PROT_EXEC) && (flags & MAP_TYPE) == MAP_PRIVATE)
		agent_module_mapped(regs->ax, regs->si, regs->r9, (int)regs->r8);
	return AGENT_DONE;
}

static void forget(u64 start, u64 end)
{
	struct agent_state *state = AGENT_STATE;
	u64 stubs[2] = { 0, 0 };
	u32 i;

	for (i = 0; i < state->nr_loaded; i++) {
		struct agent_loaded *module = &state->loaded[i];

		if (!module->start || module->start >= end || module->end <= start)
			continue;
		/* A part of it goes: its stubs stay for the rest. */
		if (module->start < start || module->end > end)
			continue;
		stubs[0] = module->stubs;
		stubs[1] = module->stubs_size;
		__atomic_store_n(&module->start, 0, __ATOMIC_RELEASE);
		if (stubs[0])
			rt_syscall3(__NR_munmap, stubs[0], stubs[1], 0);
	}
}

enum agent_verdict agent_do_munmap(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u64 start = regs->di, end = start + ALIGN_UP(regs->si, PAGE);
	u64 resume = *(u64 *)regs->sp, sp = regs->sp;

	regs->ax = rt_syscall3(__NR_munmap, start, regs->si, 0);
	if (regs->ax)
		return AGENT_DONE;
	lock();
	forget(start, end);
	unlock();
	if (sp < start || sp >= end)
		return AGENT_DONE;
	/* A thread that unmaps its own stack (musl's does) goes on without touching it. */
	call->area->target = resume;
	regs->sp = sp + 8;
	return AGENT_DONE_NO_STACK;
}
