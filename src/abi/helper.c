/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds helpers in the table (helper_table.h), and tells who may call them. */
#include "abi/helper_table.h"

static const struct abi_helper *const families[] = {
	abi_helpers_map,
	abi_helpers_system,
	abi_helpers_packet,
	abi_helpers_socket,
};

const struct abi_helper *abi_helper_find(u32 func_id)
{
	for (u32 i = 0; func_id < ABI_HELPERS && i < ARRAY_SIZE(families); i++)
		if (families[i][func_id].name)
			return &families[i][func_id];
	return NULL;
}

bool abi_helper_allowed(u32 func_id, u32 prog_type, u32 expected_attach_type)
{
	const struct abi_helper *helper = abi_helper_find(func_id);

	if (helper && (helper->iter || helper->iter_only) && prog_type == BPF_PROG_TYPE_TRACING &&
	    expected_attach_type == BPF_TRACE_ITER)
		return true;
	if (helper && helper->iter_only)
		return false;
	/* Programs with BTF-typed arguments may call what raw tracepoints may. */
	if ((prog_type == BPF_PROG_TYPE_TRACING || prog_type == BPF_PROG_TYPE_LSM) && helper &&
	    !(helper->progs & ABI_PROG(prog_type)))
		prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	/* So may programs that are run by hand, beside what is theirs alone. */
	if (prog_type == BPF_PROG_TYPE_SYSCALL && helper && !(helper->progs & PROG_SYSCALL) &&
	    func_id != BPF_FUNC_get_attach_cookie)
		prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	if (!helper || prog_type >= 64 || !(helper->progs & ABI_PROG(prog_type)))
		return false;
	return expected_attach_type >= 64 ||
	       !(helper->not_attach & ABI_ATTACH(expected_attach_type));
}
