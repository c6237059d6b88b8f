/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYN cookies of programs that answer for a server (bpf_tcp_raw_*_syncookie_*): made and checked
 * as in net/ipv4/syncookies.c, with a key of the hive's, so that a cookie of one process is good
 * for another one, and none of the kernel's is. A cookie tells the minute and one of four segment
 * sizes.
 */
#include "rt/arena.h"
#include "rt/clock.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define TCP_HEADER  20u
#define SIZES	    4u
#define AGE_MAX	    2u /* minutes */
#define MINUTE_NS   60000000000ull
#define COUNT_SHIFT 24
#define DATA_MASK   0xffffffu
#define DEFAULT_V4  536u  /* TCP_MSS_DEFAULT */
#define DEFAULT_V6  1220u /* the smallest packet of IPv6 without its headers */
#define OPTION_END  0
#define OPTION_NOP  1
#define OPTION_MSS  2

static const u16 sizes_v4[SIZES] = { 536, 1300, 1440, 1460 };
static const u16 sizes_v6[SIZES] = { 1220, 1420, 1440, 8940 };

/* What a cookie is good for. */
struct flow {
	const u8 *addresses; /* of the source, then of the destination */
	u32 length;	     /* of both */
	const u8 *tcp;
	const u16 *sizes;
};

static struct flow flow_v4(u64 ip, u64 tcp)
{
	return (struct flow){ (const u8 *)ip + 12, 8, (const u8 *)tcp, sizes_v4 };
}

static struct flow flow_v6(u64 ip, u64 tcp)
{
	return (struct flow){ (const u8 *)ip + 8, 32, (const u8 *)tcp, sizes_v6 };
}

static u32 word_at(const u8 *at)
{
	return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
}

static u64 mix(u64 hash, u64 word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * (RT_CONTROL->hash_seed | 1);

	return (u64)product ^ (u64)(product >> 64) ^ RT_CONTROL->hive_id;
}

/* A keyed hash of the addresses, the ports, the minute and a number. */
static u32 hash_of(const struct flow *flow, u32 count, u32 number)
{
	u64 hash = mix((u64)count << 32 | number, word_at(flow->tcp));

	for (u32 i = 0; i < flow->length; i += 4)
		hash = mix(hash, word_at(flow->addresses + i));
	return (u32)(mix(hash, flow->length) >> 32);
}

static u32 minute(const struct rt_vcpu *vcpu)
{
	return (u32)(rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) / MINUTE_NS);
}

/* The sender's segment size, as the last option that tells one has it; 0: none does. */
static u32 segment_size(const u8 *option, u32 left)
{
	u32 size = 0;

	while (left) {
		if (option[0] == OPTION_END)
			break;
		if (option[0] == OPTION_NOP) {
			option++;
			left--;
			continue;
		}
		if (left < 2 || option[1] < 2 || option[1] > left)
			break;
		if (option[0] == OPTION_MSS && option[1] == 4 && (option[2] || option[3]))
			size = (u32)option[2] << 8 | option[3];
		left -= option[1];
		option += option[1];
	}
	return size;
}

static u64 generate(const struct flow *flow, u32 size, u32 default_size, struct rt_vcpu *vcpu)
{
	u32 index = SIZES - 1, segment, count = minute(vcpu), cookie;

	if (size < TCP_HEADER || size != (flow->tcp[12] >> 4) * 4u)
		return (u64)-EINVAL;
	segment = segment_size(flow->tcp + TCP_HEADER, size - TCP_HEADER);
	if (!segment)
		segment = default_size;
	while (index && segment < flow->sizes[index])
		index--;
	cookie = hash_of(flow, 0, 0) + word_at(flow->tcp + 4) + (count << COUNT_SHIFT);
	cookie += (hash_of(flow, count, 1) + index) & DATA_MASK;
	return cookie | (u64)flow->sizes[index] << 32;
}

static u64 check(const struct flow *flow, struct rt_vcpu *vcpu)
{
	u32 sequence = word_at(flow->tcp + 4) - 1, cookie = word_at(flow->tcp + 8) - 1;
	u32 count = minute(vcpu), age;

	cookie -= hash_of(flow, 0, 0) + sequence;
	age = (count - (cookie >> COUNT_SHIFT)) & 0xff;
	if (age >= AGE_MAX)
		return (u64)-EACCES;
	return ((cookie - hash_of(flow, count - age, 1)) & DATA_MASK) < SIZES ? 0 : (u64)-EACCES;
}

/* (ip, tcp, tcp_size) */
RT_HELPER(tcp_raw_gen_syncookie_ipv4)
{
	struct flow flow = flow_v4(r1, r2);

	return (u32)r3 < TCP_HEADER ? (u64)-EINVAL : generate(&flow, (u32)r3, DEFAULT_V4, vcpu);
}

RT_HELPER(tcp_raw_gen_syncookie_ipv6)
{
	struct flow flow = flow_v6(r1, r2);

	return (u32)r3 < TCP_HEADER ? (u64)-EINVAL : generate(&flow, (u32)r3, DEFAULT_V6, vcpu);
}

/* (ip, tcp) */
RT_HELPER(tcp_raw_check_syncookie_ipv4)
{
	struct flow flow = flow_v4(r1, r2);

	return check(&flow, vcpu);
}

RT_HELPER(tcp_raw_check_syncookie_ipv6)
{
	struct flow flow = flow_v6(r1, r2);

	return check(&flow, vcpu);
}
