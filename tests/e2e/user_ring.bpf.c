/* SPDX-License-Identifier: BSD-2-Clause */
/* For user_ring.py: drains a ring that a client fills, by hand or whenever a certain call is made.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTED 212 /* lookup_dcookie, which is not there any more */

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct request {
	__u64 flags;
	__u64 stop_at; /* a sample with this number ends it; 0: none */
	__s64 result;
};

__u64 sum, bytes, samples, wrong;
__s64 inner;
int nest;

static long count(struct bpf_dynptr *dynptr, void *ctx)
{
	samples++;
	return 0;
}

static long take(struct bpf_dynptr *dynptr, void *ctx)
{
	__u64 head[2] = {}, *stop_at = ctx;
	__u8 *last;

	samples++;
	if (nest)
		inner = bpf_user_ringbuf_drain(&ring, count, 0, 0);
	if (bpf_dynptr_read(head, sizeof(head), dynptr, 0, 0)) {
		wrong++;
		return 0;
	}
	sum += head[0];
	bytes += head[1];
	/* The last byte of a sample of head[1] bytes is its number's lowest one. */
	last = bpf_dynptr_data(dynptr, 15, 1);
	if (!last || (head[1] == 16 && *last))
		wrong++;
	if (head[1] > 16) {
		__u8 byte = 0;

		if (bpf_dynptr_read(&byte, 1, dynptr, head[1] - 1, 0) || byte != (__u8)head[0])
			wrong++;
		if (!bpf_dynptr_read(&byte, 1, dynptr, head[1], 0))
			wrong++;
	}
	return *stop_at && head[0] == *stop_at;
}

SEC("syscall")
int drain(struct request *request)
{
	__u64 stop_at = request->stop_at;

	request->result = bpf_user_ringbuf_drain(&ring, take, &stop_at, request->flags);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_call(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 stop_at = 0;

	if (ctx->args[1] == COUNTED)
		bpf_user_ringbuf_drain(&ring, take, &stop_at, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
