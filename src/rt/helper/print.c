/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that format text (rt/format.c): into the trace queue, or into the program's memory.
 */
#include "rt/helper/families.h"
#include "rt/trace.h"

#define VARARGS_MAX	  12 /* MAX_BPRINTF_VARARGS */
#define TRACE_VARARGS_MAX 3  /* MAX_TRACE_PRINTK_VARARGS */

/* Formats into the vCPU's buffer and sends that: the text's length without NUL, or -errno. */
static u64 trace(const char *fmt, u32 fmt_size, const u64 *args, u32 nr_args, struct rt_vcpu *vcpu)
{
	char *text = (char *)vcpu->format;
	long length = rt_format(text, sizeof(vcpu->format), fmt, fmt_size, args, nr_args, vcpu);
	u32 shown;

	if (length < 0)
		return (u64)length;
	shown = (u32)(length < (long)sizeof(vcpu->format) ? length : (long)sizeof(vcpu->format));
	/* As in the kernel a full trace buffer is not the program's concern: the queue counts it.
	 */
	rt_trace_write(vcpu, text, shown - 1);
	return (u64)length - 1;
}

/* data_len of bpf_snprintf() and bpf_trace_vprintk(). */
static bool bad_args(u64 args, u32 size)
{
	return size % 8 || size > VARARGS_MAX * 8 || (size && !args);
}

RT_HELPER(trace_printk)
{
	u64 args[TRACE_VARARGS_MAX] = { r3, r4, r5 };

	return trace((const char *)r1, (u32)r2, args, TRACE_VARARGS_MAX, vcpu);
}

RT_HELPER(trace_vprintk)
{
	if (bad_args(r3, (u32)r4))
		return (u64)-EINVAL;
	return trace((const char *)r1, (u32)r2, (const u64 *)r3, (u32)r4 / 8, vcpu);
}

RT_HELPER(snprintf)
{
	/* A map value that may be null passes as memory that may be null, whatever its size. */
	if (bad_args(r4, (u32)r5) || (!r1 && r2))
		return (u64)-EINVAL;
	/* The verifier has seen that the format is a constant string. */
	return (u64)rt_format((char *)r1, (u32)r2, (const char *)r3, ~0u, (const u64 *)r4,
			      (u32)r5 / 8, vcpu);
}
