/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper table against the data plane: what the verifier lets through exists, what exists is
 * let through, and prototypes make sense by themselves.
 */
#include "abi/helper.h"
#include "harness/tap.h"
#include "rt/helper.h"

#include <string.h>

static void check_prototype(u32 id, const struct abi_helper *helper)
{
	bool ended = false, ok = true;

	for (u32 i = 0; i < 5; i++) {
		u32 base = helper->arg[i] & ABI_ARG_BASE_MASK;
		bool size = base == ARG_CONST_SIZE || base == ARG_CONST_SIZE_OR_ZERO;

		ok &= !(ended && base != ARG_NONE);
		ended |= base == ARG_NONE;
		/* A size belongs to the memory before it, memory has a size behind it or a fixed
		 * one. */
		if (size)
			ok &= i && (helper->arg[i - 1] & ABI_ARG_BASE_MASK) == ARG_PTR_TO_MEM;
		if (base == ARG_PTR_TO_MEM)
			ok &= (helper->arg[i] & ABI_ARG_FIXED_SIZE)
				      ? helper->arg_size[i] > 0
				      : i < 4 && (helper->arg[i + 1] & ABI_ARG_BASE_MASK) !=
							 ARG_NONE;
	}
	if (!ok)
		tap_ok(false, "prototype of helper %u, %s", id, helper->name);
}

/* As far as the headers that this was built with go, names and numbers are theirs. */
static void check_names(void)
{
#define NAME(name) #name
	static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };
#undef NAME
	u32 differ = 0;

	for (u32 id = 1; id < ARRAY_SIZE(names); id++) {
		const struct abi_helper *helper = abi_helper_find(id);

		if (helper && !strcmp(helper->name, names[id]))
			continue;
		differ++;
		tap_ok(false, "helper %u is %s", id, names[id]);
	}
	tap_ok(!differ && ARRAY_SIZE(names) > 200, "%zu helpers are those of linux/bpf.h",
	       ARRAY_SIZE(names) - 1);
}

int main(void)
{
	u32 available = 0, known = 0;

	check_names();
	for (u32 id = 0; id < 1000; id++)
		known += abi_helper_find(id) != NULL;
	tap_ok(known == 211, "there are %u helpers", known);

	for (u32 id = 0; id < RT_HELPER_MAX; id++) {
		const struct abi_helper *helper = abi_helper_find(id);
		bool have = rt_helpers[id] || id == BPF_FUNC_tail_call; /* the engines' own */

		if (helper && helper->available)
			available++;
		if (helper)
			check_prototype(id, helper);
		if (have != (helper && helper->available))
			tap_ok(false, "helper %u: the data plane %s it, the table says otherwise",
			       id, have ? "has" : "lacks");
	}
	tap_ok(available > 20, "%u helpers are available", available);
	tap_ok(!strcmp(abi_helper_find(1)->name, "map_lookup_elem"), "numbers are the kernel's");
	tap_ok(!abi_helper_find(0) && !abi_helper_find(5000), "unknown numbers are unknown");
	tap_ok(abi_helper_allowed(4, BPF_PROG_TYPE_KPROBE, 0) &&
		       !abi_helper_allowed(4, BPF_PROG_TYPE_XDP, 0),
	       "probe_read is for tracing only");
	return tap_done();
}
