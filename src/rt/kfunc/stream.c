/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_stream_vprintk(): formatted text to a stream of the program (rt/stream.h). Checks and their
 * order: kernel/bpf/stream.c.
 */
#include "rt/kfunc/families.h"
#include "rt/prog.h"
#include "rt/stream.h"

#define VARARGS_MAX 12 /* MAX_BPRINTF_VARARGS */

/* (stream_id, fmt, args, len, aux): the last one is the kernel's own word for the program. */
RT_KFUNC(bpf_stream_vprintk_impl)
{
	u32 stream = (u32)r1, size = (u32)r4;
	long length;

	if (stream != RT_STREAM_STDOUT && stream != RT_STREAM_STDERR)
		return rt_kfunc_int(-ENOENT);
	if (size % 8 || size > VARARGS_MAX * 8 || (size && !r3))
		return rt_kfunc_int(-EINVAL);
	/* The verifier has seen that the format is a constant string. */
	length = rt_format((char *)vcpu->format, sizeof(vcpu->format), (const char *)r2, ~0u,
			   (const u64 *)r3, size / 8, vcpu);
	if (length < 0)
		return rt_kfunc_int(length);
	return rt_kfunc_int(rt_stream_write(vcpu->prog, stream, (const char *)vcpu->format,
					    (u64)length - 1, vcpu));
}
