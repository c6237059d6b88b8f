/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of iterators' programs: text and bytes for whoever reads the iterator. The pointer that
 * they are given is one to the program's own seq_file, the verifier has seen to that; what they
 * write to hangs on the vCPU.
 */
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/seq.h"

#define VARARGS_MAX 12 /* MAX_BPRINTF_VARARGS */

RT_HELPER(seq_write)
{
	struct rt_seq *seq = vcpu->seq;

	if (!seq)
		return (u64)-EINVAL;
	if (r3 >= seq->size - seq->count) {
		seq->count = seq->size;
		return (u64)-EOVERFLOW;
	}
	memcpy(seq->buffer + seq->count, (const void *)r2, r3);
	seq->count += (u32)r3;
	return 0;
}

RT_HELPER(seq_printf)
{
	struct rt_seq *seq = vcpu->seq;
	u32 args_size = (u32)r5, room;
	long length;

	if (!seq || args_size % 8 || args_size > VARARGS_MAX * 8 || (args_size && !r4))
		return (u64)-EINVAL;
	room = seq->size - seq->count;
	length = rt_format((char *)seq->buffer + seq->count, room, (const char *)r2, (u32)r3,
			   (const u64 *)r4, args_size / 8, vcpu);
	if (length < 0)
		return (u64)length;
	/* The NUL does not count, but has to fit. */
	if (length > (long)room) {
		seq->count = seq->size;
		return (u64)-EOVERFLOW;
	}
	seq->count += (u32)length - 1;
	return 0;
}

RT_HELPER(d_path)
{
	const struct rt_seq *seq = vcpu->seq;
	u64 length = 0;

	if (!r3)
		return 0;
	if (!seq || !seq->path || r1 != seq->path)
		return (u64)-EFAULT;
	while (seq->path_text[length])
		length++;
	if (length + 1 > r3)
		return (u64)-ENAMETOOLONG;
	memcpy((void *)r2, seq->path_text, length + 1);
	return length + 1;
}

RT_HELPER(copy_from_user_task)
{
	if (r5)
		return (u64)-EINVAL;
	if (!r2)
		return 0;
	if (!rt_read_task(vcpu, r4, (void *)r1, r2, r3))
		return 0;
	memset((void *)r1, 0, r2);
	return (u64)-EFAULT;
}

RT_HELPER(sock_from_file)
{
	const struct rt_seq *seq = vcpu->seq;

	return seq && seq->socket_file && r1 == seq->socket_file ? seq->socket : 0;
}

/* (inode or file, hash, size): as in a kernel without IMA. */
RT_HELPER(no_ima)
{
	memset((void *)r2, 0, (u32)r3);
	return (u64)-EOPNOTSUPP;
}
