/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of types for which the kernel has none: the context is the client's, in the layout
 * of the UAPI structure. Pointers in it are followed by the program without a check, so they are
 * never the client's: those to packets lead to the data that the client gave, those to sockets to a
 * socket of zeros, or nowhere if the program has to expect that.
 *
 * For a sysctl program the data is what it can ask for: the name, the value and, when it is
 * written, the new value, each with a NUL at its end.
 */
#include "sys/test_run.h"
#include "abi/context.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define TCP_HEADER  20u
#define MESSAGE_MAX (16u * TEST_PAGE) /* how long a message may get */

/* A context with all that belongs to it. */
union context {
	struct abi_rt_sock sock;
	struct abi_rt_msg msg;
	struct abi_rt_sysctl sysctl;
	struct abi_rt_sock_ops sock_ops;
};

/* Memory of one run; sock is what pointers to sockets lead to. */
struct memory {
	u8 *ctx;
	u32 ctx_size;
	u8 *data;
	u32 data_size;
	struct abi_rt_sock sock;
	u8 value[ABI_SYSCTL_MAX]; /* of a sysctl */
};

static bool is_pointer(const struct abi_ctx_field *field)
{
	return field->value != ABI_CTX_SCALAR && field->size == sizeof(u64);
}

static bool has_packet(const struct abi_ctx *form)
{
	for (u32 i = 0; i < form->nr_fields; i++)
		if (form->fields[i].value == ABI_CTX_PACKET)
			return true;
	return false;
}

static u64 value_of(const struct abi_ctx_field *field, const struct memory *memory)
{
	switch (field->value) {
	case ABI_CTX_PACKET: return (u64)(uintptr_t)memory->data;
	case ABI_CTX_PACKET_END: return (u64)(uintptr_t)memory->data + memory->data_size;
	case ABI_CTX_SOCKET: return (u64)(uintptr_t)&memory->sock;
	default: return 0;
	}
}

/* 0, or -EINVAL: what the client gave for a pointer is not 0. */
static int set_pointers(const struct abi_ctx *form, struct memory *memory)
{
	static const u8 zero[sizeof(u64)];

	for (u32 i = 0; i < form->nr_fields; i++)
		if (is_pointer(&form->fields[i]) &&
		    memcmp(memory->ctx + form->fields[i].offset, zero, sizeof(zero)))
			return -EINVAL;
	for (u32 i = 0; i < form->nr_fields; i++) {
		u64 value = value_of(&form->fields[i], memory);

		if (is_pointer(&form->fields[i]))
			memcpy(memory->ctx + form->fields[i].offset, &value, sizeof(value));
	}
	return 0;
}

static void clear_pointers(const struct abi_ctx *form, struct memory *memory)
{
	for (u32 i = 0; i < form->nr_fields; i++)
		if (is_pointer(&form->fields[i]))
			memset(memory->ctx + form->fields[i].offset, 0, sizeof(u64));
}

static bool takes_data(const struct sys_prog *prog, const struct abi_ctx *form)
{
	return has_packet(form) || prog->type == BPF_PROG_TYPE_CGROUP_SYSCTL;
}

/* The text that begins at *at and ends with a NUL or with the data; its length, without that. */
static u32 next_text(const struct memory *memory, u32 *at, u64 *ret_text)
{
	const u8 *text = memory->data + *at, *end = memchr(text, 0, memory->data_size - *at);
	u32 length = end ? (u32)(end - text) : memory->data_size - *at;

	*ret_text = (u64)(uintptr_t)text;
	*at += length + (end != NULL);
	return length;
}

static int set_sysctl(struct memory *memory, struct abi_rt_sysctl *run)
{
	u64 value;
	u32 at = 0;

	run->name_size = next_text(memory, &at, &run->name);
	run->current_size = next_text(memory, &at, &run->current);
	run->value_size = next_text(memory, &at, &value);
	if (run->value_size > ABI_SYSCTL_MAX || at != memory->data_size)
		return -EINVAL;
	memcpy(memory->value, (const void *)(uintptr_t)value, run->value_size);
	run->value = (u64)(uintptr_t)memory->value;
	return 0;
}

/* What helpers of the type work on: 0, or -EINVAL. */
static int set_run(const struct sys_prog *prog, struct memory *memory)
{
	union context *run = (union context *)(void *)memory->ctx;
	u32 size = memory->data_size;

	switch (prog->type) {
	case BPF_PROG_TYPE_SK_MSG:
		run->msg.md.size = size;
		run->msg.memory = (u64)(uintptr_t)memory->data;
		run->msg.room = MESSAGE_MAX;
		run->msg.nr = 1;
		run->msg.length[0] = size;
		return 0;
	case BPF_PROG_TYPE_SOCK_OPS:
		run->sock_ops.has_packet = size;
		run->sock_ops.options_left = ABI_TCP_OPTIONS_MAX;
		if (size > TCP_HEADER)
			run->sock_ops.options_left =
				size > TCP_HEADER + ABI_TCP_OPTIONS_MAX
					? 0
					: TCP_HEADER + ABI_TCP_OPTIONS_MAX - size;
		return 0;
	case BPF_PROG_TYPE_CGROUP_SYSCTL: return set_sysctl(memory, &run->sysctl);
	default: return 0;
	}
}

/* What goes back as data. */
static struct test_data result_of(const struct sys_prog *prog, const struct memory *memory)
{
	const union context *run = (const union context *)(const void *)memory->ctx;
	const struct bpf_sock_ops *ops = (const struct bpf_sock_ops *)(const void *)memory->ctx;

	switch (prog->type) {
	case BPF_PROG_TYPE_SK_MSG:
		return (struct test_data){ .data = memory->data, .size = run->msg.md.size };
	case BPF_PROG_TYPE_SOCK_OPS:
		return (struct test_data){ .data = memory->data,
					   .size = (u32)((const u8 *)ops->skb_data_end -
							 memory->data) };
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
		return (struct test_data){ .data = memory->value, .size = run->sysctl.value_size };
	default: return (struct test_data){ .data = memory->data, .size = memory->data_size };
	}
}

static int check(const union abi_attr *attr, const struct sys_prog *prog,
		 const struct abi_ctx *form, u32 size)
{
	/* A packet for a program without one: here the kernel's answer stands. */
	if (!takes_data(prog, form) && (attr->test.data_in || attr->test.data_out ||
					attr->test.data_size_in || attr->test.data_size_out))
		return -ABI_ENOTSUPP;
	if (attr->test.flags || attr->test.cpu || attr->test.batch_size)
		return -EINVAL;
	if (attr->test.data_size_in > TEST_PAGE || size < prog->max_ctx_offset || size > form->size)
		return -EINVAL;
	return 0;
}

/* Bytes of memory for data that helpers may make longer. */
static u32 room_for(const struct sys_prog *prog, u32 size)
{
	switch (prog->type) {
	case BPF_PROG_TYPE_SK_MSG: return MESSAGE_MAX;
	case BPF_PROG_TYPE_SOCK_OPS: return size + ABI_TCP_OPTIONS_MAX;
	default: return size ? size : 1;
	}
}

static int read_memory(struct sys_call *call, const struct sys_prog *prog,
		       const struct abi_ctx *form, bool open, struct memory *memory)
{
	const union abi_attr *attr = &call->attr;
	bool given;
	int error;

	/* What the verifier lets a program of this type read, and what helpers know of a socket. */
	memory->ctx = base_zalloc(1, form->size + sizeof(union context));
	memory->data_size = attr->test.data_size_in;
	memory->data = base_zalloc(1, room_for(prog, memory->data_size));
	if (!memory->ctx || !memory->data)
		return -ENOMEM;
	error = sys_read(call, memory->data, attr->test.data_in, memory->data_size);
	if (error)
		return error;
	return open ? sys_read(call, memory->ctx, attr->test.ctx_in, memory->ctx_size)
		    : test_ctx_init(call, memory->ctx, memory->ctx_size, &given);
}

static int run_and_report(struct sys_call *call, struct sys_prog *prog, const struct abi_ctx *form,
			  struct memory *memory)
{
	int error = set_pointers(form, memory);
	struct test_data result;

	if (prog->type == BPF_PROG_TYPE_CGROUP_SOCK)
		test_sock_init(call, (struct abi_rt_sock *)(void *)memory->ctx);
	else
		test_sock_init(call, &memory->sock);
	if (!error)
		error = set_run(prog, memory);
	if (!error)
		error = test_run(call, prog, memory->ctx);
	if (error)
		return error;
	result = result_of(prog, memory);
	clear_pointers(form, memory);
	if (takes_data(prog, form))
		error = test_finish(call, &result);
	else if (sys_write_attr(call, test.retval) || sys_write_attr(call, test.duration))
		error = -EFAULT;
	return error ? error : test_ctx_finish(call, memory->ctx, memory->ctx_size);
}

long test_run_ctx(struct sys_call *call, struct sys_prog *prog)
{
	const struct abi_ctx *form = abi_ctx_find(prog->type);
	bool open = prog->type == BPF_PROG_TYPE_TRACEPOINT; /* its records have no common form */
	struct memory memory = { .ctx_size = open ? call->attr.test.ctx_size_in : form->size };
	int error = check(&call->attr, prog, form, memory.ctx_size);

	if (!error)
		error = read_memory(call, prog, form, open, &memory);
	if (!error)
		error = run_and_report(call, prog, form, &memory);
	base_free(memory.ctx);
	base_free(memory.data);
	return error;
}
