/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that put values of the kernel's types into words (rt/show.h). */
#include "rt/helper/families.h"
#include "rt/seq.h"
#include "rt/show.h"

/* (text, size, struct btf_ptr, its size, flags): the length that all would have. */
RT_HELPER(snprintf_btf)
{
	const struct btf_ptr *value = (const struct btf_ptr *)r3;
	struct rt_show_text text = { .text = (char *)r1, .room = (u32)r2 };
	long error;

	if ((u32)r4 != sizeof(*value))
		return (u64)-EINVAL;
	error = rt_show((u64)value->ptr, value->type_id, r5, &text, vcpu);
	if (text.length && text.room)
		text.text[text.length < text.room ? text.length : text.room - 1] = '\0';
	return error ? (u64)error : text.length;
}

/* (seq_file, struct btf_ptr, its size, flags) */
RT_HELPER(seq_printf_btf)
{
	const struct btf_ptr *value = (const struct btf_ptr *)r2;
	struct rt_seq *seq = vcpu->seq;
	struct rt_show_text text;
	long error;

	if (!seq || (u32)r3 != sizeof(*value))
		return (u64)-EINVAL;
	text = (struct rt_show_text){ .text = (char *)seq->buffer + seq->count,
				      .room = seq->size - seq->count };
	error = rt_show((u64)value->ptr, value->type_id, r4, &text, vcpu);
	if (text.length < text.room)
		seq->count += (u32)text.length;
	else
		seq->count = seq->size;
	return (u64)error;
}
