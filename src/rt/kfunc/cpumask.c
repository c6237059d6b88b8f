/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on CPU masks (kernel/bpf/cpumask.c). A hive's CPUs are its vCPUs. What is only
 * read may be the memory of a program, a mask in a task's image, or an object: it is copied by
 * loads that cannot fault. What is changed is an object, whose address is looked at, or memory that
 * the verifier has found to be there: the call instruction says which.
 */
#include "rt/kfunc/families.h"
#include "rt/mem.h"
#include "rt/object.h"

#define MASK_WORDS ((RT_VCPU_MAX + 63) / 64)

struct mask {
	u64 word[MASK_WORDS];
};

static u32 nr_cpus(void)
{
	u32 nr = RT_CONTROL->nr_vcpus;

	return nr < RT_VCPU_MAX ? nr : RT_VCPU_MAX;
}

static u64 word_bits(u32 word)
{
	u32 nr = nr_cpus();

	if (nr >= (word + 1) * 64)
		return ~0ull;
	return nr <= word * 64 ? 0 : (1ull << (nr - word * 64)) - 1;
}

static struct mask load(u64 address, struct rt_vcpu *vcpu)
{
	struct mask mask;

	rt_read_kernel(vcpu, mask.word, sizeof(mask.word), address);
	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] &= word_bits(i);
	return mask;
}

/* The words of a mask that is to be changed; NULL: it turned out to be none. */
static u64 *changed(u64 address, struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	return (u64 *)(type ? rt_object_check(type, false, address) : address);
}

static void store(u64 address, const struct mask *mask, struct rt_vcpu *vcpu)
{
	u64 *words = changed(address, vcpu);

	for (u32 i = 0; words && i < MASK_WORDS; i++)
		__atomic_store_n(&words[i], mask->word[i], __ATOMIC_RELAXED);
}

/* The first set bit from cpu on; the number of CPUs if there is none. */
static u32 next_cpu(const struct mask *mask, u32 cpu)
{
	for (; cpu < nr_cpus(); cpu++)
		if (mask->word[cpu / 64] >> (cpu % 64) & 1)
			break;
	return cpu;
}

static struct mask both(u64 a, u64 b, struct rt_vcpu *vcpu)
{
	struct mask x = load(a, vcpu), y = load(b, vcpu);

	for (u32 i = 0; i < MASK_WORDS; i++)
		x.word[i] &= y.word[i];
	return x;
}

static u32 weight(const struct mask *mask)
{
	u32 nr = 0;

	for (u32 cpu = next_cpu(mask, 0); cpu < nr_cpus(); cpu = next_cpu(mask, cpu + 1))
		nr++;
	return nr;
}

RT_KFUNC(bpf_cpumask_create)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	return type && type->size >= sizeof(struct mask) ? rt_object_new(type, false, vcpu) : 0;
}

/* (mask): of a mask that is none the verifier has promised another; the program ends. */
RT_KFUNC(bpf_cpumask_acquire)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	if (rt_object_check(type, false, r1) && rt_object_acquire(r1, vcpu))
		return r1;
	vcpu->aborted = true;
	return 0;
}

RT_KFUNC(bpf_cpumask_release)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	if (type)
		rt_object_drop(type, false, r1, vcpu);
	return 0;
}

/* (mask) */
RT_KFUNC(bpf_cpumask_first)
{
	struct mask mask = load(r1, vcpu);

	return next_cpu(&mask, 0);
}

RT_KFUNC(bpf_cpumask_first_zero)
{
	struct mask mask = load(r1, vcpu);

	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] = ~mask.word[i];
	return next_cpu(&mask, 0);
}

/* (mask, mask) */
RT_KFUNC(bpf_cpumask_first_and)
{
	struct mask mask = both(r1, r2, vcpu);

	return next_cpu(&mask, 0);
}

/* Sets or clears a CPU's bit at once: what it was. */
static bool change(u32 cpu, u64 address, bool set, struct rt_vcpu *vcpu)
{
	u64 *words = changed(address, vcpu), bit = 1ull << (cpu % 64), old;

	if (cpu >= nr_cpus() || !words)
		return false;
	old = set ? __atomic_fetch_or(&words[cpu / 64], bit, __ATOMIC_RELAXED)
		  : __atomic_fetch_and(&words[cpu / 64], ~bit, __ATOMIC_RELAXED);
	return old & bit;
}

/* (cpu, mask) */
RT_KFUNC(bpf_cpumask_set_cpu)
{
	change((u32)r1, r2, true, vcpu);
	return 0;
}

RT_KFUNC(bpf_cpumask_clear_cpu)
{
	change((u32)r1, r2, false, vcpu);
	return 0;
}

RT_KFUNC(bpf_cpumask_test_cpu)
{
	struct mask mask = load(r2, vcpu);
	u32 cpu = (u32)r1;

	return cpu < nr_cpus() && next_cpu(&mask, cpu) == cpu;
}

RT_KFUNC(bpf_cpumask_test_and_set_cpu)
{
	return change((u32)r1, r2, true, vcpu);
}

RT_KFUNC(bpf_cpumask_test_and_clear_cpu)
{
	return change((u32)r1, r2, false, vcpu);
}

/* (mask) */
RT_KFUNC(bpf_cpumask_setall)
{
	struct mask mask;

	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] = word_bits(i);
	store(r1, &mask, vcpu);
	return 0;
}

RT_KFUNC(bpf_cpumask_clear)
{
	struct mask mask = { 0 };

	store(r1, &mask, vcpu);
	return 0;
}

/* (dst, mask, mask): is anything set in it? */
RT_KFUNC(bpf_cpumask_and)
{
	struct mask mask = both(r2, r3, vcpu);

	store(r1, &mask, vcpu);
	return weight(&mask) != 0;
}

RT_KFUNC(bpf_cpumask_or)
{
	struct mask mask = load(r2, vcpu), other = load(r3, vcpu);

	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] |= other.word[i];
	store(r1, &mask, vcpu);
	return 0;
}

RT_KFUNC(bpf_cpumask_xor)
{
	struct mask mask = load(r2, vcpu), other = load(r3, vcpu);

	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] ^= other.word[i];
	store(r1, &mask, vcpu);
	return 0;
}

/* (mask, mask) */
RT_KFUNC(bpf_cpumask_equal)
{
	struct mask a = load(r1, vcpu), b = load(r2, vcpu);

	return memcmp(&a, &b, sizeof(a)) == 0;
}

RT_KFUNC(bpf_cpumask_intersects)
{
	struct mask mask = both(r1, r2, vcpu);

	return weight(&mask) != 0;
}

RT_KFUNC(bpf_cpumask_subset)
{
	struct mask mask = both(r1, r2, vcpu), first = load(r1, vcpu);

	return memcmp(&mask, &first, sizeof(mask)) == 0;
}

/* (mask) */
RT_KFUNC(bpf_cpumask_empty)
{
	struct mask mask = load(r1, vcpu);

	return weight(&mask) == 0;
}

RT_KFUNC(bpf_cpumask_full)
{
	struct mask mask = load(r1, vcpu);

	return weight(&mask) == nr_cpus();
}

RT_KFUNC(bpf_cpumask_weight)
{
	struct mask mask = load(r1, vcpu);

	return weight(&mask);
}

/* (dst, mask) */
RT_KFUNC(bpf_cpumask_copy)
{
	struct mask mask = load(r2, vcpu);

	store(r1, &mask, vcpu);
	return 0;
}

/* Another CPU each time, one after the other. */
static u32 any(const struct mask *mask, struct rt_vcpu *vcpu)
{
	u32 cpu = next_cpu(mask, vcpu->distributed + 1);

	if (cpu >= nr_cpus())
		cpu = next_cpu(mask, 0);
	if (cpu < nr_cpus())
		vcpu->distributed = cpu;
	return cpu;
}

/* (mask) */
RT_KFUNC(bpf_cpumask_any_distribute)
{
	struct mask mask = load(r1, vcpu);

	return any(&mask, vcpu);
}

/* (mask, mask) */
RT_KFUNC(bpf_cpumask_any_and_distribute)
{
	struct mask mask = both(r1, r2, vcpu);

	return any(&mask, vcpu);
}

/* (mask, memory, size) */
RT_KFUNC(bpf_cpumask_populate)
{
	u32 nr_bytes = (nr_cpus() + 63) / 64 * 8;
	struct mask mask = { 0 };

	if (r3 < nr_bytes)
		return rt_kfunc_int(-EACCES);
	if (!changed(r1, vcpu))
		return rt_kfunc_int(-EINVAL);
	rt_read_kernel(vcpu, mask.word, nr_bytes, r2);
	for (u32 i = 0; i < MASK_WORDS; i++)
		mask.word[i] &= word_bits(i);
	store(r1, &mask, vcpu);
	return 0;
}
