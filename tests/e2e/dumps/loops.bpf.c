/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs whose dumps show what a kernel makes of may_goto, and of stores around bpf_fastcall
 * functions. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define FASTCALL_CPU                         \
	"*(u64 *)(r10 - 8) = r1;"            \
	"*(u64 *)(r10 - 16) = r2;"           \
	"call 8;" /* get_smp_processor_id */ \
	"r2 = *(u64 *)(r10 - 16);"           \
	"r1 = *(u64 *)(r10 - 8);"

/* may_goto over so many instructions. */
#define MAY_GOTO(distance) ".byte 0xe5, 0; .short " #distance "; .long 0;"

#define NAKED __attribute__((naked))

SEC("tc") NAKED int fastcall_goes(void)
{
	asm volatile("r2 = 7;" FASTCALL_CPU "r0 += r2; exit;");
}

SEC("tc") NAKED int fastcall_slots_are_read(void)
{
	asm volatile("r2 = 7;" FASTCALL_CPU "r3 = *(u64 *)(r10 - 8); r0 += r3; exit;");
}

/* 6.18 takes the store and load of r1 out, too, though on one way there is no store. */
SEC("tc") NAKED int own_fastcall_is_jumped_into(void)
{
	asm volatile("r2 = 7; *(u64 *)(r10 - 8) = r2; call 7; r2 = 7; r1 = 5; if r0 == 1 goto 1f;"
		     "*(u64 *)(r10 - 8) = r1; 1: *(u64 *)(r10 - 16) = r2; call 8;"
		     "r2 = *(u64 *)(r10 - 16); r1 = *(u64 *)(r10 - 8); exit;");
}

SEC("tc") NAKED int fastcall_beside_another_stack(void)
{
	asm volatile("r3 = 3; *(u64 *)(r10 - 8) = r3; r2 = 9;"
		     "*(u64 *)(r10 - 16) = r1; *(u64 *)(r10 - 24) = r2; call 8;"
		     "r2 = *(u64 *)(r10 - 24); r1 = *(u64 *)(r10 - 16);"
		     "r0 = *(u64 *)(r10 - 8); r0 += r2; exit;");
}

SEC("socket") NAKED int no_fastcall_for_filters(void)
{
	asm volatile(
		"r2 = 7; *(u64 *)(r10 - 8) = r2; call 8; r2 = *(u64 *)(r10 - 8); r0 += r2; exit;");
}

SEC("tc") NAKED int fastcall_beside_others(void)
{
	asm volatile("r2 = 7; *(u64 *)(r10 - 8) = r2; call 8; r2 = *(u64 *)(r10 - 8);"
		     "*(u64 *)(r10 - 8) = r2; call 5; r2 = *(u64 *)(r10 - 8); r0 += r2; exit;");
}

SEC("socket") NAKED int may_goto_first(void)
{
	asm volatile(MAY_GOTO(1) "goto -2; r0 = 0; exit;");
}

SEC("socket") NAKED int may_goto_nowhere(void)
{
	asm volatile("r0 = 1;" MAY_GOTO(0) "r0 += 1;" MAY_GOTO(0) "exit;");
}

SEC("socket") NAKED int may_goto_twice(void)
{
	asm volatile("r1 = 0; *(u64 *)(r10 - 8) = r1;" MAY_GOTO(
		4) "r1 = *(u64 *)(r10 - 8); r1 += 1;"
		   "*(u64 *)(r10 - 8) = r1; goto -5; r0 = 0;" MAY_GOTO(2) "r0 = 5; goto -3; exit;");
}

static __attribute__((noinline)) int count(__u32 i, void *sum)
{
	*(long *)sum += i;
	return 0;
}

static __attribute__((noinline)) int sum_of(__u32 nr)
{
	long sum = nr;

	bpf_loop(nr & 31, count, &sum, 0);
	asm volatile goto(MAY_GOTO(1) "goto %l[end];" : : : : end);
	sum++;
end:
	return sum;
}

SEC("socket") int loops_in_functions(struct __sk_buff *ctx)
{
	return sum_of(ctx->len) + sum_of(ctx->mark);
}

SEC("tc") int with_prologue(struct __sk_buff *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 4 > end)
		return 0;
	asm volatile goto(MAY_GOTO(1) "goto %l[end];" : : : : end);
	*(int *)data = sum_of(ctx->len);
end:
	return 0;
}

char _license[] SEC("license") = "GPL";
