/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: raw SYN cookies, and headers pushed before packets of light-weight tunnels. */
#include "scenario.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <string.h>

/* A map's value: the headers that programs are given, and the result. */
struct memory {
	u8 ip[40];
	u8 tcp[64];
	u64 result;
};

struct cookies {
	struct world *world;
	int map;
	bool v6;
	struct memory memory;
};

static struct tcphdr *tcp_of(struct cookies *cookies)
{
	return (struct tcphdr *)(void *)cookies->memory.tcp;
}

/* helper(ip, tcp[, size]) on what the memory holds: its result. */
static s64 ask(struct cookies *cookies, s32 helper, s32 size)
{
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_VALUE, cookies->map),
		MOV_X(6, 1),
		MOV_X(2, 1),
		ADD_K(2, offsetof(struct memory, tcp)),
		MOV_K(3, size),
		CALL(helper),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 6, 0, offsetof(struct memory, result), 0),
		MOV_K(0, 0),
		EXIT(),
	};
	struct world *world = cookies->world;
	int prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	u32 key = 0;

	expect(world, prog, FD, "SYN cookies: a program");
	world_update(world, cookies->map, &key, &cookies->memory, 0);
	expect(world, scenario_run(world, prog), 0, "SYN cookies: it runs");
	world_lookup(world, cookies->map, &key, &cookies->memory);
	world->close(world, prog);
	return (s64)cookies->memory.result;
}

static s64 generate(struct cookies *cookies, s32 size)
{
	return ask(cookies,
		   cookies->v6 ? BPF_FUNC_tcp_raw_gen_syncookie_ipv6
			       : BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
		   size);
}

static s64 check(struct cookies *cookies)
{
	return ask(cookies,
		   cookies->v6 ? BPF_FUNC_tcp_raw_check_syncookie_ipv6
			       : BPF_FUNC_tcp_raw_check_syncookie_ipv4,
		   0);
}

static void set_option(struct cookies *cookies, const u8 *option, u32 size)
{
	memcpy(cookies->memory.tcp + sizeof(struct tcphdr), option, size);
	tcp_of(cookies)->doff = (sizeof(struct tcphdr) + size) / 4 & 15;
}

/* Which of the sizes that a cookie can tell comes out for an option. */
static void sizes(struct cookies *cookies)
{
	static const struct {
		u8 option[8];
		u32 size, v4, v6;
	} rows[] = {
		{ { 0 }, 0, 536, 1220 },
		{ { 2, 4, 0x05, 0xb4 }, 4, 1460, 1440 },
		{ { 2, 4, 0x05, 0xb3 }, 4, 1440, 1440 },
		{ { 2, 4, 0x05, 0x14 }, 4, 1300, 1220 },
		{ { 2, 4, 0x02, 0x00 }, 4, 536, 1220 },
		{ { 2, 4, 0x22, 0xec }, 4, 1460, 8940 },
		{ { 2, 4, 0, 0 }, 4, 536, 1220 },
		{ { 1, 1, 2, 4, 0x05, 0xb4, 0, 0 }, 8, 1460, 1440 },
		{ { 0, 1, 2, 4, 0x05, 0xb4, 0, 0 }, 8, 536, 1220 },
		{ { 3, 3, 7, 2, 4, 0x05, 0xb4, 0 }, 8, 1460, 1440 },
		{ { 2, 3, 7, 2, 4, 0x05, 0xb4, 0 }, 8, 1460, 1440 },
		{ { 3, 1, 2, 4, 0x05, 0xb4, 0, 0 }, 8, 536, 1220 },
		{ { 3, 40, 2, 4, 0x05, 0xb4, 0, 0 }, 8, 536, 1220 },
		{ { 2, 4, 0x05, 0xb4, 2, 4, 0x05, 0x14 }, 8, 1300, 1220 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		set_option(cookies, rows[i].option, rows[i].size);
		expect(cookies->world, generate(cookies, 20 + (s32)rows[i].size) >> 32,
		       cookies->v6 ? rows[i].v6 : rows[i].v4, "SYN cookies: the segment's size");
	}
	set_option(cookies, rows[1].option, 4);
	expect(cookies->world, generate(cookies, 20), -EINVAL, "SYN cookies: too short");
	expect(cookies->world, generate(cookies, 28), -EINVAL, "SYN cookies: too long");
	expect(cookies->world, generate(cookies, 16), -EINVAL, "SYN cookies: no header");
	expect(cookies->world, generate(cookies, 24) > 0, 1, "SYN cookies: just right");
}

static void trips(struct cookies *cookies)
{
	struct world *world = cookies->world;
	struct tcphdr *tcp = tcp_of(cookies);
	u32 sequence = ntohl(tcp->seq), first, second;

	first = (u32)generate(cookies, 24);
	second = (u32)generate(cookies, 24);
	/* A minute may go by between them. */
	expect(world, first == second || second - first < 3u << 24, 1, "SYN cookies: the same");
	tcp->seq = htonl(sequence + 1);
	tcp->ack_seq = htonl(second + 1);
	tcp->syn = 0;
	tcp->ack = 1;
	expect(world, check(cookies), 0, "SYN cookies: it comes back");
	tcp->ack_seq = htonl(second + 0x10001);
	expect(world, check(cookies), -EACCES, "SYN cookies: another number");
	tcp->ack_seq = htonl(second + 1);
	tcp->source ^= 1;
	expect(world, check(cookies), -EACCES, "SYN cookies: another port");
	tcp->source ^= 1;
	cookies->memory.ip[15] ^= 1;
	expect(world, check(cookies), -EACCES, "SYN cookies: another address");
	cookies->memory.ip[15] ^= 1;
	tcp->seq = htonl(sequence + 0x1001);
	expect(world, check(cookies), -EACCES, "SYN cookies: another sequence");
	tcp->seq = htonl(sequence + 1);
	expect(world, check(cookies), 0, "SYN cookies: still good");
	tcp->ack_seq = htonl(second + 1 - (3u << 24));
	expect(world, check(cookies), -EACCES, "SYN cookies: too old");
	tcp->seq = htonl(sequence);
}

static void syn_cookies(struct world *world, bool v6)
{
	struct cookies cookies = {
		.world = world,
		.map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0),
		.v6 = v6,
	};

	for (u32 i = 0; i < sizeof(cookies.memory.ip); i++)
		cookies.memory.ip[i] = (u8)(i * 37 + 5);
	for (u32 i = 0; i < sizeof(struct tcphdr); i++)
		cookies.memory.tcp[i] = (u8)(i * 11 + 3);
	sizes(&cookies);
	trips(&cookies);
	world->close(world, cookies.map);
}

#define PACKET 40u
#define HEADER 60u

/* push_encap(type, header, size) on a packet: what the program gets; the packet comes to out. */
static long push(struct world *world, s32 kind, const u8 *header, s32 size, u8 out[256],
		 u32 *ret_size)
{
	struct bpf_insn insns[HEADER / 4 + 16];
	u8 frame[14 + PACKET];
	union abi_attr attr = { 0 };
	u32 nr = 0;
	long result;
	int prog;

	for (u32 i = 0; i < HEADER; i += 4) {
		s32 word;

		memcpy(&word, header + i, 4);
		insns[nr++] = STORE_K(BPF_W, 10, (s16)(i - HEADER), word);
	}
	insns[nr++] = MOV_K(2, kind);
	insns[nr++] = MOV_X(3, 10);
	insns[nr++] = ADD_K(3, -(s32)HEADER);
	insns[nr++] = MOV_K(4, size);
	insns[nr++] = CALL(BPF_FUNC_lwt_push_encap);
	insns[nr++] = EXIT();
	prog = world_prog(world, BPF_PROG_TYPE_LWT_IN, insns, nr);
	expect(world, prog, FD, "encapsulation: a program");
	for (u32 i = 0; i < sizeof(frame); i++)
		frame[i] = (u8)(i * 3);
	frame[12] = 8;
	frame[13] = 0;
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)frame;
	attr.test.data_size_in = sizeof(frame);
	attr.test.data_out = (u64)(uintptr_t)out;
	attr.test.data_size_out = 256;
	memset(out, 0, 256);
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	*ret_size = attr.test.data_size_out;
	world->close(world, prog);
	return result ? result : (s32)attr.test.retval;
}

static void encapsulation(struct world *world)
{
	u8 header[HEADER], four[HEADER] = { 0x45, 0, 0, 60, 0, 1, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1 },
			   six[HEADER] = { 0x60, 0, 0, 0, 0, 20, 47, 64 }, out[256];
	u32 size;

#define CASE(text, want, kind, from, length, ...)                                  \
	do {                                                                       \
		memcpy(header, from, HEADER);                                      \
		__VA_ARGS__;                                                       \
		expect(world, push(world, kind, header, length, out, &size), want, \
		       "encapsulation: " text);                                    \
	} while (0)
	CASE("kind 7", -EINVAL, 7, four, 20);
	CASE("19 bytes", -EINVAL, BPF_LWT_ENCAP_IP, four, 19);
	CASE("version 5", -EINVAL, BPF_LWT_ENCAP_IP, four, 20, header[0] = 0x55);
	CASE("shorter than it says", -EINVAL, BPF_LWT_ENCAP_IP, four, 20, header[0] = 0x46);
	CASE("no room for UDP", -EINVAL, BPF_LWT_ENCAP_IP, four, 27, header[9] = 17);
	CASE("IPv6, 39 bytes", -EINVAL, BPF_LWT_ENCAP_IP, six, 39);
	CASE("IPv6, no room for UDP", -EINVAL, BPF_LWT_ENCAP_IP, six, 47, header[6] = 17);
	CASE("UDP", 0, BPF_LWT_ENCAP_IP, four, 28, header[9] = 17);
	CASE("IPv6", 0, BPF_LWT_ENCAP_IP, six, 44);
	expect(world, size, 14 + 44 + PACKET, "encapsulation: the packet grows");
	expect(world, memcmp(out + 14, six, 44), 0, "encapsulation: by the header");
	CASE("IPv4", 0, BPF_LWT_ENCAP_IP, four, 24);
	expect(world, size, 14 + 24 + PACKET, "encapsulation: it grows");
	expect(world, memcmp(out + 14, four, 10), 0, "encapsulation: by this header");
	expect(world, out[14 + 24 + 4], (u8)(18 * 3), "encapsulation: before the packet");
	expect(world, out[24] << 8 | out[25], 0x7092, "encapsulation: with a checksum");
	CASE("IPv4 with a checksum", 0, BPF_LWT_ENCAP_IP, four, 24, header[10] = 7);
	expect(world, out[24] << 8 | out[25], 0x700, "encapsulation: it stays");
#undef CASE
}

void scenario_net_helper(struct world *world)
{
	syn_cookies(world, false);
	syn_cookies(world, true);
	encapsulation(world);
}
