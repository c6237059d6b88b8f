/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may not be done with resilient locks.
 */
#include "objects_bad.h"

struct res_value {
	struct bpf_res_spin_lock lock;
	__u32 number;
};

ARRAY(resilient, struct res_value);

private(A) struct bpf_spin_lock lock_a;

#define RES(variable) VALUE(variable, res_value, resilient)

BAD(res_unchecked)
{
	RES(a);
	bpf_res_spin_lock(&a->lock);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_held)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	return 0;
}

BAD(res_same)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	if (!bpf_res_spin_lock(&a->lock))
		bpf_res_spin_unlock(&a->lock);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_order)
{
	RES(a);
	RES(b);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	if (bpf_res_spin_lock(&b->lock)) {
		bpf_res_spin_unlock(&a->lock);
		return 0;
	}
	bpf_res_spin_unlock(&a->lock);
	bpf_res_spin_unlock(&b->lock);
	return 0;
}

BAD(res_other)
{
	RES(a);
	RES(b);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	bpf_res_spin_unlock(&b->lock);
	return 0;
}

BAD(res_not_held)
{
	RES(a);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_irq_mixed)
{
	unsigned long flags;
	RES(a);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return 0;
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_irq_native)
{
	unsigned long flags;
	RES(a);
	bpf_local_irq_save(&flags);
	if (bpf_res_spin_lock(&a->lock)) {
		bpf_local_irq_restore(&flags);
		return 0;
	}
	bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
	return 0;
}

BAD(res_irq_wrong_flags)
{
	unsigned long flags, other;
	RES(a);
	bpf_local_irq_save(&other);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags)) {
		bpf_local_irq_restore(&other);
		return 0;
	}
	bpf_res_spin_unlock_irqrestore(&a->lock, &other);
	return 0;
}

BAD(res_irq_restore_native)
{
	unsigned long flags;
	RES(a);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return 0;
	bpf_local_irq_restore(&flags);
	return 0;
}

BAD(res_as_spin)
{
	RES(a);
	bpf_spin_lock((void *)&a->lock);
	bpf_spin_unlock((void *)&a->lock);
	return 0;
}

BAD(spin_as_res)
{
	if (!bpf_res_spin_lock((void *)&lock_a))
		bpf_res_spin_unlock((void *)&lock_a);
	return 0;
}

BAD(res_and_spin)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	bpf_spin_lock(&lock_a);
	bpf_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(spin_and_res)
{
	RES(a);
	bpf_spin_lock(&lock_a);
	if (!bpf_res_spin_lock(&a->lock))
		bpf_res_spin_unlock(&a->lock);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(res_helper_call)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	a->number = bpf_get_prandom_u32();
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

FINDS("raw_tp/sys_enter", traced_res, resilient)
FINDS("socket", socket_res, resilient)

char _license[] SEC("license") = "GPL";
