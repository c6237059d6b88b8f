/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * union abi_attr and the info structures beside the running kernel's own BTF: each field that the
 * rows of abi/attr.c end with must end where the kernel's does.
 */
#include "abi/attr.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct field {
	const char *type, *path;
	u32 end;
} fields[] = {
#define ATTR(path, field)                                                                      \
	{                                                                                      \
		"bpf_attr", path,                                                              \
			offsetof(union abi_attr, field) + sizeof(((union abi_attr *)0)->field) \
	}
	ATTR("excl_prog_hash_size", excl_prog_hash_size),
	ATTR("map_extra", map_extra),
	ATTR("map_token_fd", map_token_fd),
	ATTR("flags", elem.flags),
	ATTR("next_key", elem.next_key),
	ATTR("batch.flags", batch.flags),
	ATTR("log_buf", load.log_buf),
	ATTR("prog_name", load.prog_name),
	ATTR("expected_attach_type", load.expected_attach_type),
	ATTR("line_info_cnt", load.line_info_cnt),
	ATTR("fd_array", load.fd_array),
	ATTR("log_true_size", load.log_true_size),
	ATTR("fd_array_cnt", load.fd_array_cnt),
	ATTR("keyring_id", load.keyring_id),
	ATTR("path_fd", pin.path_fd),
	ATTR("expected_revision", attach.expected_revision),
	ATTR("test.retval", test.retval),
	ATTR("test.ctx_out", test.ctx_out),
	ATTR("test.batch_size", test.batch_size),
	ATTR("next_id", id.next_id),
	ATTR("open_flags", id.open_flags),
	ATTR("fd_by_id_token_fd", id.token_fd),
	ATTR("info.info", info.info),
	ATTR("query.revision", query.revision),
	ATTR("raw_tracepoint.cookie", raw_tracepoint.cookie),
	ATTR("btf_log_true_size", btf.log_true_size),
	ATTR("btf_token_fd", btf.token_fd),
	ATTR("task_fd_query.probe_addr", task_fd_query.probe_addr),
	ATTR("link_create.perf_event.bpf_cookie", link_create.perf_event.bpf_cookie),
	ATTR("link_create.tracing.cookie", link_create.tracing.cookie),
	ATTR("link_create.uprobe_multi.pid", link_create.uprobe_multi.pid),
	ATTR("link_update.old_prog_fd", link_update.old_prog_fd),
	ATTR("iter_create.flags", iter_create.flags),
	ATTR("prog_bind_map.flags", prog_bind_map.flags),
	ATTR("token_create.bpffs_fd", token_create.bpffs_fd),
	ATTR("prog_stream_read.prog_fd", prog_stream_read.prog_fd),
#undef ATTR
#define INFO(name, path, structure, field)                                               \
	{                                                                                \
		name, path, offsetof(structure, field) + sizeof(((structure *)0)->field) \
	}
	INFO("bpf_map_info", "name", struct abi_map_info, name),
	INFO("bpf_map_info", "btf_vmlinux_id", struct abi_map_info, btf_vmlinux_id),
	INFO("bpf_map_info", "hash_size", struct abi_map_info, hash_size),
	INFO("bpf_link_info", "raw_tracepoint.cookie", struct abi_link_info, raw_tracepoint.cookie),
	INFO("bpf_link_info", "perf_event.tracepoint.cookie", struct abi_link_info,
	     perf_event.tracepoint.cookie),
	INFO("bpf_link_info", "perf_event.event.cookie", struct abi_link_info,
	     perf_event.event.cookie),
#undef INFO
};

/* End in bytes of the member that path names, anonymous members looked through; 0: there is none.
 */
static u32 end_of(const struct btf *btf, u32 id, const char *path, u32 offset)
{
	const struct btf_type *type = btf_skip_modifiers(btf, id, &id);
	u32 length = (u32)strcspn(path, "."), i, end, size;

	if (btf_kind_of(type) != BTF_KIND_STRUCT && btf_kind_of(type) != BTF_KIND_UNION)
		return 0;
	for (i = 0; i < btf_vlen_of(type); i++) {
		const struct btf_member *member = &btf_members_of(type)[i];
		const char *name = btf_string(btf, member->name_off);
		u32 at = offset + btf_member_offset(type, member) / 8;

		end = 0;
		if (!name[0])
			end = end_of(btf, member->type, path, at);
		else if (strlen(name) == length && !strncmp(name, path, length) && path[length])
			end = end_of(btf, member->type, path + length + 1, at);
		else if (!strcmp(name, path) && !btf_size_of(btf, member->type, &size))
			end = at + size;
		if (end)
			return end;
	}
	return 0;
}

static u32 find(const struct btf *btf, const char *name)
{
	u32 id = btf_find(btf, name, BTF_KIND_UNION);

	return id ? id : btf_find(btf, name, BTF_KIND_STRUCT);
}

static void test_layout(void)
{
	struct btf *btf = kernel_btf_read();
	u32 i, end;

	if (!btf) {
		tap_skip(ARRAY_SIZE(fields), "no BTF of the running kernel");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		end = end_of(btf, find(btf, fields[i].type), fields[i].path, 0);
		if (!end)
			tap_skip(1, "%s.%s: unknown to the running kernel", fields[i].type,
				 fields[i].path);
		else
			tap_ok(end == fields[i].end, "%s.%s ends at %u", fields[i].type,
			       fields[i].path, end);
	}
	btf_free(btf);
}

static void test_tails(void)
{
	union abi_attr attr;
	u32 cmd;

	for (cmd = 0; cmd < 38; cmd++) {
		const struct abi_command *command = abi_command_find(cmd);

		memset(&attr, 0, sizeof(attr));
		memset(&attr, 0xff, command ? command->end : 0);
		tap_ok(command && abi_attr_tail_is_zero(cmd, &attr),
		       "%s: its own fields are no tail", command ? command->name : "?");
		if (!command || command->end == sizeof(attr))
			continue;
		((u8 *)&attr)[command->end] = 1;
		tap_ok(!abi_attr_tail_is_zero(cmd, &attr), "%s: the byte behind them is",
		       command->name);
	}
	tap_ok(!abi_command_find(38), "there is no command 38");
	tap_ok(!strcmp(abi_prog_type_name(5), "tracepoint") && !abi_prog_type_name(33),
	       "program types");
	tap_ok(!strcmp(abi_map_type_name(27), "ringbuf") && !abi_map_type_name(34), "map types");
}

int main(void)
{
	test_layout();
	test_tails();
	return tap_done();
}
