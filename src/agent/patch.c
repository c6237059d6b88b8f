/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rewrites the system-call sites of one mapping: a page or more of stubs within reach of a 32-bit
 * jump, one stub a site, and a jump over each site's window (or int3 over the syscall itself). Only
 * this process's private copy of the text changes, and it is never writable and executable at one
 * time.
 *
 *   stub:  relocated instructions before, lea -128(%rsp),%rsp, call *entry, nopl SITE, lea
 * 128(%rsp),%rsp, relocated instructions after, jmp back
 *
 * Go has no red zone and tiny stacks: both lea are left out.
 */
#include "agent/agent.h"

#define PAGE		    4096UL
#define PROT_READ	    1
#define PROT_WRITE	    2
#define PROT_EXEC	    4
#define MAP_PRIVATE	    2
#define MAP_ANONYMOUS	    0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define E_NOMEM		    12

#define STUB_SIZE_MAX	    (AGENT_SITE_BYTES_MAX + 40)
#define JMP_SIZE	    5
#define MADV_POPULATE_WRITE 23
#define TRAP		    0xcc

/* The first words of a module's stubs: where they call. */
#define STUB_SLOTS 16

/* A jump or a call reaches this far, with room for the module's own length. */
#define REACH (0x7fffffffUL - (256UL << 20))

static long map_stubs(u64 address, u64 size, u64 flags)
{
	return rt_syscall6(__NR_mmap, address, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | flags, (u64)-1, 0);
}

static bool within_reach(u64 stubs, u64 size, u64 start, u64 end)
{
	u64 low = stubs < start ? stubs : start;
	u64 high = stubs + size > end ? stubs + size : end;

	return high - low < REACH;
}

/* Memory for stubs near [start, end): where the kernel would put it, else below, else above. */
static u64 find_place(u64 start, u64 end, u64 size)
{
	long got;
	u64 step;

	if (start >> 40 == 0x7f || start >> 40 == 0x7e) {
		got = map_stubs(0, size, 0);
		if (got > 0 && within_reach((u64)got, size, start, end))
			return (u64)got;
		if (got > 0)
			rt_syscall3(__NR_munmap, (u64)got, size, 0);
	}
	for (step = 16 * PAGE; step < REACH; step += step / 4 & ~(PAGE - 1)) {
		u64 below = (start & ~(PAGE - 1)) - size - step;

		if (step + size + PAGE > start || !within_reach(below, size, start, end))
			break;
		got = map_stubs(below, size, MAP_FIXED_NOREPLACE);
		if (got == (long)below)
			return below;
		if (got > 0)
			rt_syscall3(__NR_munmap, (u64)got, size, 0);
	}
	/* Above may be the heap's way: begin far from the module. */
	for (step = 512UL << 20; step < REACH; step += step / 4 & ~(PAGE - 1)) {
		u64 above = ALIGN_UP(end, PAGE) + step;

		if (!within_reach(above, size, start, end))
			break;
		got = map_stubs(above, size, MAP_FIXED_NOREPLACE);
		if (got == (long)above)
			return above;
		if (got > 0)
			rt_syscall3(__NR_munmap, (u64)got, size, 0);
	}
	return 0;
}

static u8 *emit32(u8 *out, u32 value)
{
	memcpy(out, &value, 4);
	return out + 4;
}

static u8 *emit_bytes(u8 *out, const u8 *bytes, u32 size)
{
	memcpy(out, bytes, size);
	return out + size;
}

/* opcode... rel32, to an absolute address. */
static u8 *emit_relative(u8 *out, const u8 *opcode, u32 size, u64 target)
{
	out = emit_bytes(out, opcode, size);
	return emit32(out, (u32)(target - ((u64)out + 4)));
}

static u8 *emit_stub(u8 *out, const struct agent_loaded *module, const struct agent_site *site,
		     u64 address)
{
	static const u8 lea_down[] = { 0x48, 0x8d, 0x64, 0x24, 0x80 };
	static const u8 lea_up[] = { 0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0 };
	static const u8 call_slot[] = { 0xff, 0x15 }, jmp_slot[] = { 0xff, 0x25 };
	static const u8 nopl[] = { 0x0f, 0x1f, 0x80 }, jmp[] = { 0xe9 };
	bool red_zone = !(site->flags & AGENT_SITE_SMALL_STACK);
	u64 end = address + 2;

	out = emit_bytes(out, (const u8 *)address - site->before, site->before);
	if (site->flags & AGENT_SITE_EXIT)
		return emit_relative(out, jmp_slot, 2, module->stubs + 8);
	if (red_zone)
		out = emit_bytes(out, lea_down, sizeof(lea_down));
	out = emit_relative(out, call_slot, 2, module->stubs);
	/* The displacement counts from the return address, which is the nopl itself. */
	out = emit_bytes(out, nopl, sizeof(nopl));
	out = emit32(out, (u32)(end - ((u64)out - sizeof(nopl))));
	if (red_zone)
		out = emit_bytes(out, lea_up, sizeof(lea_up));
	out = emit_bytes(out, (const u8 *)end, site->after);
	return emit_relative(out, jmp, 1, end + site->after);
}

static bool site_matches(const struct agent_site *site, u64 address)
{
	const u8 *code = (const u8 *)address;

	return code[0] == 0x0f && code[1] == 0x05 &&
	       site->before + site->after <= AGENT_SITE_BYTES_MAX &&
	       (site->kind == AGENT_SITE_TRAP || site->before + 2 + site->after >= JMP_SIZE);
}

static u64 site_address(const struct agent_loaded *module, const struct agent_site *site)
{
	return module->start + site->offset - module->file_offset;
}

static bool site_inside(const struct agent_loaded *module, const struct agent_site *site)
{
	u64 address = site_address(module, site);

	return address >= module->start + site->before &&
	       address + 2 + site->after <= module->end && site_matches(site, address);
}

static void write_site(const struct agent_site *site, u64 address, const u8 *stub)
{
	static const u8 jmp[] = { 0xe9 };
	u8 *at = (u8 *)address - site->before;
	u8 *end = (u8 *)address + 2 + site->after;

	if (site->kind == AGENT_SITE_TRAP) {
		*(u8 *)address = TRAP;
		return;
	}
	at = emit_relative(at, jmp, 1, (u64)stub);
	while (at < end)
		*at++ = TRAP;
}

static long protect(u64 from, u64 to, u64 rights)
{
	return rt_syscall3(__NR_mprotect, from, to - from, rights);
}

/*
 * Makes the pages with sites the process's own, some at a time: a fault for each, twice, costs more
 * than all the rest of rewriting. Where the kernel cannot do that (before 5.14) they fault.
 */
static void prepare_pages(const struct agent_loaded *module)
{
	u64 from = 0, to = 0;
	u32 i;

	for (i = 0; i <= module->nr_sites; i++) {
		u64 page = i < module->nr_sites
				   ? ALIGN_DOWN(site_address(module, &module->sites[i]), PAGE)
				   : 0;

		if (page && page >= from && page <= to) {
			to = page + PAGE;
			continue;
		}
		if (to > from && from >= module->start && to <= ALIGN_UP(module->end, PAGE))
			rt_syscall3(__NR_madvise, from, to - from, MADV_POPULATE_WRITE);
		from = page;
		to = page + PAGE;
	}
}

long agent_patch(struct agent_loaded *module)
{
	u64 size = ALIGN_UP(STUB_SLOTS + (u64)module->nr_sites * STUB_SIZE_MAX, PAGE);
	u64 first, last;
	u8 *out;
	long error;
	u32 i;

	if (!module->nr_sites)
		return 0;
	module->stubs = find_place(module->start, module->end, size);
	if (!module->stubs)
		return -E_NOMEM;
	module->stubs_size = size;
	first = site_address(module, &module->sites[0]) - AGENT_SITE_BYTES_MAX;
	last = site_address(module, &module->sites[module->nr_sites - 1]) + AGENT_SITE_BYTES_MAX;
	first = ALIGN_DOWN(first < module->start ? module->start : first, PAGE);
	last = ALIGN_UP(last > module->end ? module->end : last, PAGE);
	error = protect(first, last, PROT_READ | PROT_WRITE);
	if (error < 0)
		goto out_stubs;
	prepare_pages(module);
	((u64 *)module->stubs)[0] = (u64)agent_syscall_entry;
	((u64 *)module->stubs)[1] = (u64)agent_exit_entry;
	out = (u8 *)module->stubs + STUB_SLOTS;
	for (i = 0; i < module->nr_sites; i++) {
		const struct agent_site *site = &module->sites[i];
		u64 address = site_address(module, site);
		u8 *stub = out;

		if (!site_inside(module, site))
			continue;
		if (site->kind != AGENT_SITE_TRAP)
			out = emit_stub(out, module, site, address);
		write_site(site, address, stub);
	}
	error = protect(module->stubs, module->stubs + size, PROT_READ | PROT_EXEC);
	if (error < 0)
		goto out_text;
	error = protect(first, last, PROT_READ | PROT_EXEC);
	return error;
out_text:
	/* The sites already lead to stubs that cannot run: this process cannot go on without them.
	 */
	agent_report(AGENT_REPORT_PROTECT, error);
	protect(module->stubs, module->stubs + size, PROT_READ | PROT_WRITE | PROT_EXEC);
	return protect(first, last, PROT_READ | PROT_EXEC);
out_stubs:
	rt_syscall3(__NR_munmap, module->stubs, size, 0);
	module->stubs = 0;
	return error;
}
