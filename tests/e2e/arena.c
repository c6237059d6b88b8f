/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: pages that programs allocate and share with clients at the clients' addresses. Programs
 * are written in instructions, since Debian 12's compiler knows no address spaces. Run as it is, it
 * asks the kernel (and skips where that says no); under `skep exec` the hive. What it expects is
 * the same.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/btf.h>
#include "harness/tap.h"

#define ARENA	33 /* BPF_MAP_TYPE_ARENA */
#define PAGE	4096ull
#define NR	100u
#define PLACE	0x200000000000ull
#define ATOMIC	0xc0
#define COUNTED 212	   /* lookup_dcookie, which is not there any more */
#define NO_USER (1u << 18) /* BPF_F_NO_USER_CONV */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_K(d, i)	    INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_X(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_K(d, i)	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define IN(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 1, 1) /* a client's address */
#define OUT(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 1, 1 << 16) /* a program's */
#define LOAD(w, d, s, o)    INSN(BPF_LDX | BPF_MEM | (w), d, s, o, 0)
#define STORE(w, d, s, o)   INSN(BPF_STX | BPF_MEM | (w), d, s, o, 0)
#define STORE_K(w, d, o, i) INSN(BPF_ST | BPF_MEM | (w), d, 0, o, i)
#define MAP(d, fd)	    INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define VALUE(d, fd, off) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_VALUE, 0, fd), INSN(0, 0, 0, 0, off)
#define KFUNC(id) INSN(BPF_JMP | BPF_CALL, 0, 2, 0, id)
#define EXIT()	  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* What a program is given, and gives back. */
struct request {
	uint64_t address, number, result, second;
};

static int alloc_id, free_id, reserve_id, arena;
static uint8_t *base;
static char log_text[65536];

static long bpf(int cmd, void *attr, size_t size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	return result < 0 ? -errno : result;
}

static int make(unsigned entries, unsigned flags, uint64_t extra)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = ARENA;
	attr.max_entries = entries;
	attr.map_flags = flags;
	attr.map_extra = extra;
	return (int)bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int load(const struct bpf_insn *insns, unsigned nr)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = nr;
	attr.license = (uintptr_t) "GPL";
	attr.log_level = 1;
	attr.log_buf = (uintptr_t)log_text;
	attr.log_size = sizeof(log_text);
	log_text[0] = 0;
	return (int)bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Runs a body with the request in r6 and r7, r8 its address and number; r0 goes into the result. */
static struct request run_insns(const struct bpf_insn *body, unsigned nr, uint64_t address,
				uint64_t number)
{
	struct request request = { address, number, 0xdead, 0xdead };
	struct bpf_insn insns[64];
	union bpf_attr attr;
	unsigned at = 0;
	int prog;

	insns[at++] = MOV_X(6, 1);
	insns[at++] = LOAD(BPF_DW, 7, 6, 0);
	insns[at++] = LOAD(BPF_DW, 8, 6, 8);
	memcpy(insns + at, body, nr * sizeof(*body));
	at += nr;
	insns[at++] = STORE(BPF_DW, 6, 0, 16);
	insns[at++] = MOV_K(0, 0);
	insns[at++] = EXIT();
	prog = load(insns, at);
	if (prog < 0) {
		tap_note("load: %d\n%s", prog, log_text);
		return request;
	}
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (unsigned)prog;
	attr.test.ctx_in = (uintptr_t)&request;
	attr.test.ctx_size_in = sizeof(request);
	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		tap_note("run: %s", strerror(errno));
	close(prog);
	return request;
}

#define RUN(address, number, ...)                                                             \
	run_insns((const struct bpf_insn[]){ __VA_ARGS__ },                                   \
		  sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn), \
		  address, number)

static uint64_t alloc(uint64_t address, unsigned nr, int node)
{
	return RUN(address, nr, MAP(1, arena), MOV_X(2, 7), MOV_X(3, 8), MOV_K(4, node),
		   MOV_K(5, 0), KFUNC(alloc_id))
		.result;
}

static void give_back(uint64_t address, unsigned nr)
{
	RUN(address, nr, MAP(1, arena), MOV_X(2, 7), MOV_X(3, 8), KFUNC(free_id), MOV_K(0, 0));
}

static long reserve(uint64_t address, unsigned nr)
{
	return (int)RUN(address, nr, MAP(1, arena), MOV_X(2, 7), MOV_X(3, 8), KFUNC(reserve_id))
		.result;
}

static uint64_t peek(uint64_t address)
{
	return RUN(address, 0, MAP(1, arena), IN(1, 7), LOAD(BPF_DW, 0, 1, 0)).result;
}

static void poke(uint64_t address, uint64_t number)
{
	RUN(address, number, MAP(1, arena), IN(1, 7), STORE(BPF_DW, 1, 8, 0), MOV_K(0, 0));
}

static void creation(void)
{
	const unsigned map = BPF_F_MMAPABLE;
	int fd;

#define CREATE(want, entries, flags, extra)                                      \
	do {                                                                     \
		fd = make(entries, flags, extra);                                \
		tap_ok((want) < 0 ? fd == (want) : fd >= 0,                      \
		       "create: " #entries ", " #flags ", " #extra " (%d)", fd); \
		if (fd >= 0)                                                     \
			close(fd);                                               \
	} while (0)
	CREATE(0, 1, map, 0);
	CREATE(-EINVAL, 0, map, 0);
	CREATE(-EINVAL, 1, 0, 0);
	CREATE(-EINVAL, 1, map | BPF_F_NO_PREALLOC, 0);
	CREATE(0, 1, map | NO_USER, 0);
	CREATE(-EINVAL, 1, map, 0x1001);
	CREATE(0, 1, map, 0x200000000000);
	CREATE(-ERANGE, 2, map, 0x1fffffffff000);
	CREATE(0, 1 << 20, map, 0);
	CREATE(-E2BIG, (1 << 20) + 1, map, 0);
#undef CREATE
}

static void mapping(void)
{
	void *memory;
	int fd = make(10, BPF_F_MMAPABLE, 0);

	memory = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	tap_ok(memory == MAP_FAILED, "a private mapping");
	memory = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	tap_ok(memory == MAP_FAILED && errno == EINVAL, "a mapping of its middle");
	memory = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tap_ok(memory != MAP_FAILED, "a mapping anywhere");
	tap_ok((uintptr_t)memory >> 32 == ((uintptr_t)memory + 10 * PAGE - 1) >> 32,
	       "does not reach over 4 GiB");
	munmap(memory, 10 * PAGE);
	close(fd);
	base = mmap((void *)PLACE, NR * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, arena,
		    PAGE);
	tap_ok(base == MAP_FAILED && errno == EINVAL, "the arena from its second page on");
	base = mmap((void *)(PLACE + PAGE), NR * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, arena, 0);
	tap_ok(base == MAP_FAILED && errno == EINVAL, "the arena elsewhere");
	base = mmap((void *)PLACE, (NR - 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    arena, 0);
	tap_ok(base == MAP_FAILED && errno == EINVAL, "a part of the arena");
	base = mmap((void *)PLACE, (NR + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    arena, 0);
	tap_ok(base == MAP_FAILED && errno == E2BIG, "more than the arena");
	base = mmap((void *)PLACE, NR * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, arena,
		    0);
	tap_ok(base == (void *)PLACE, "the arena");
}

static void pages(void)
{
	uint64_t page, other;

	page = alloc(0, 2, -1);
	tap_ok(page == PLACE, "the first two pages (%llx)", (unsigned long long)page);
	other = alloc(0, 1, -1);
	tap_ok(other == PLACE + 2 * PAGE, "the next one (%llx)", (unsigned long long)other);
	tap_ok(alloc(PLACE + 50 * PAGE, 3, -1) == PLACE + 50 * PAGE, "three at an address");
	tap_ok(!alloc(PLACE + 52 * PAGE, 2, -1), "of which one is taken");
	tap_ok(!alloc(PLACE + 1, 1, -1), "at a crooked address");
	tap_ok(!alloc(PLACE + (NR - 1) * PAGE, 2, -1), "beyond the end");
	tap_ok(!alloc(0, NR + 1, -1), "too many");
	tap_ok(!alloc(0, 0, -1), "none");
	tap_ok(!alloc(0, 1, 5000), "of a node that is not there");
	tap_ok(alloc((uint32_t)PLACE + 60 * PAGE, 1, -1) == PLACE + 60 * PAGE,
	       "by the low half of an address");
	poke(page, 0x1122334455667788);
	tap_ok(*(uint64_t *)base == 0x1122334455667788, "a client sees what a program stores");
	((uint64_t *)base)[1] = 99;
	tap_ok(peek(page + 8) == 99, "and a program what a client stores");
	tap_ok(peek((uint32_t)page + 8) == 99, "of addresses only the low half counts");
	tap_ok(peek(page + 3) == (0x1122334455667788 >> 24 | 99ull << 40), "crooked loads work");
	poke(page + PAGE - 4, ~0ull);
	tap_ok(peek(page + PAGE - 4) == ~0ull, "from one page into the next");
	give_back(page, 2);
	tap_ok(!*(uint64_t *)base, "pages that are given back are empty");
	tap_ok(alloc(PLACE + PAGE, 1, -1) == PLACE + PAGE, "and can be had again");
	tap_ok(!alloc(PLACE, 1, -1), "but not one that a client has touched");
	tap_ok(alloc(0, 40, -1) == PLACE + 3 * PAGE, "forty fit in one place");
	tap_ok(alloc(0, 38, -1) == PLACE + 61 * PAGE, "thirty-eight in another");
	tap_ok(!alloc(0, 8, -1), "eight in none");
	give_back(PLACE, NR);
}

static void faults(void)
{
	uint64_t page = PLACE + 20 * PAGE;

	tap_ok(peek(page) == 0, "a page that is not there reads as 0");
	poke(page, 5);
	tap_ok(peek(page) == 0, "and takes no stores");
	tap_ok(peek(PLACE + NR * PAGE) == 0, "behind the arena");
	tap_ok(peek(PLACE - 8) == 0, "before it");
	tap_ok(peek(0) == 0, "at 0");
	tap_ok(alloc(page, 1, -1) == page, "a page");
	tap_ok(peek(page) == 0, "is empty");
	poke(page, 6);
	poke(page + PAGE - 4, 7);
	tap_ok(peek(page + PAGE - 4) == 0, "half outside reads as 0");
	tap_ok(RUN(page + PAGE, 0, MAP(1, arena), IN(1, 7), LOAD(BPF_DW, 0, 1, -4096)).result == 6,
	       "offsets go both ways");
	*(uint64_t *)(base + 30 * PAGE) = 8;
	tap_ok(peek(PLACE + 30 * PAGE) == 8, "a page that a client has touched is there");
	give_back(PLACE, NR);
	tap_ok(!peek(page) && !peek(PLACE + 30 * PAGE), "all are given back");
}

static void reserved(void)
{
	if (reserve_id <= 0) {
		tap_skip(6, "no bpf_arena_reserve_pages()");
		return;
	}
	tap_ok(reserve(PLACE + 5 * PAGE, 2) == 0, "two pages are reserved");
	tap_ok(reserve(PLACE + 6 * PAGE, 2) == -EBUSY, "but once");
	tap_ok(reserve(PLACE + (NR - 1) * PAGE, 2) == -EINVAL, "not behind the end");
	tap_ok(!alloc(PLACE + 6 * PAGE, 1, -1), "they cannot be had");
	tap_ok(peek(PLACE + 6 * PAGE) == 0, "and are not there");
	give_back(PLACE, NR);
	tap_ok(alloc(PLACE + 6 * PAGE, 1, -1) == PLACE + 6 * PAGE, "they are given back");
	give_back(PLACE, NR);
}

static void casts(void)
{
	struct request got;

	alloc(PLACE, 1, -1);
	got = RUN(PLACE + 16, 0, MAP(1, arena), IN(1, 7), MOV_X(0, 1));
	tap_ok(got.result == (uint32_t)(PLACE + 16), "a program's address is the low half");
	got = RUN(PLACE + 16, 0, MAP(1, arena), IN(1, 7), ADD_K(1, 8), OUT(0, 1));
	tap_ok(got.result == PLACE + 24, "a client's is whole");
	got = RUN(PLACE, 0, MAP(1, arena), MOV_K(2, 0), OUT(0, 2));
	tap_ok(got.result == 0, "no address is none");
	got = RUN(PLACE, 0, MAP(1, arena), IN(1, 7), ADD_K(1, -1), MOV_X(0, 1));
	tap_ok(got.result == 0xffffffff, "arithmetic has 32 bits");
	got = RUN(PLACE, 5, MAP(1, arena), IN(1, 7), MOV_X(2, 8),
		  INSN(BPF_ALU64 | BPF_OR | BPF_X, 2, 1, 0, 0), STORE_K(BPF_B, 2, 0, 3),
		  LOAD(BPF_W, 0, 1, 4));
	tap_ok(got.result == 0x300, "a number and an address make an address");
	got = RUN(PLACE, 5, VALUE(1, arena, 40), IN(1, 1), STORE_K(BPF_DW, 1, 0, 77), MOV_X(0, 1));
	tap_ok(((uint64_t *)base)[5] == 77, "a variable of the arena");
	got = RUN(PLACE, 5, VALUE(0, arena, 40));
	tap_ok(got.result == PLACE + 40, "its address is the client's");
	give_back(PLACE, NR);
}

static uint64_t atomic(int op, unsigned width, uint64_t operand, uint64_t r0)
{
	return RUN(PLACE, operand, MAP(1, arena), IN(1, 7), MOV_X(2, 8), MOV_K(0, (int)r0),
		   INSN(BPF_STX | ATOMIC | width, 1, 2, 8, op), MOV_X(0, 2))
		.result;
}

static void atomics(void)
{
	uint64_t *word = (uint64_t *)base + 1;

	alloc(PLACE, 1, -1);
	*word = 10;
	atomic(BPF_ADD, BPF_DW, 5, 0);
	tap_ok(*word == 15, "add");
	tap_ok(atomic(BPF_ADD | BPF_FETCH, BPF_DW, 5, 0) == 15 && *word == 20, "fetch and add");
	tap_ok(atomic(BPF_XCHG, BPF_W, 3, 0) == 20 && *word == 3, "exchange");
	atomic(BPF_CMPXCHG, BPF_DW, 9, 3);
	tap_ok(*word == 9, "compare and exchange");
	atomic(BPF_CMPXCHG, BPF_DW, 1, 3);
	tap_ok(*word == 9, "that fails");
	atomic(BPF_OR, BPF_DW, 6, 0);
	tap_ok(*word == 15, "or");
	give_back(PLACE, 1);
	tap_ok(atomic(BPF_ADD | BPF_FETCH, BPF_DW, 5, 0) == 5,
	       "where there is no page nothing is done");
}

static void verdict(const char *name, long want, const char *text, const struct bpf_insn *insns,
		    unsigned nr)
{
	int prog = load(insns, nr);

	if (!tap_ok(want < 0 ? prog == want && (!text || strstr(log_text, text)) : prog >= 0, "%s",
		    name))
		tap_note("%d\n%s", prog, log_text);
	if (prog >= 0)
		close(prog);
}

#define VERDICT(name, want, text, ...)                                                           \
	verdict(name, want, text, (const struct bpf_insn[]){ __VA_ARGS__, MOV_K(0, 0), EXIT() }, \
		sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) + 2)

static void verdicts(void)
{
	int second = make(1, BPF_F_MMAPABLE, PLACE * 2), nowhere = make(1, BPF_F_MMAPABLE, 0);

	VERDICT("two arenas", -EBUSY, "Only one arena per program", MAP(1, arena), MAP(2, second));
	VERDICT("an arena that nobody has mapped", -EINVAL,
		"arena's user address must be set via map_extra or mmap()", MAP(1, nowhere));
	VERDICT("a cast without an arena", -EINVAL,
		"addr_space_cast insn can only be used in a program that has an associated arena",
		MOV_K(1, 0), IN(1, 1));
	VERDICT("a cast to elsewhere", -EINVAL,
		"addr_space_cast insn can only convert between address space 1 and 0",
		MAP(1, arena), MOV_K(1, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 1, 1, 2));
	VERDICT("a client's address", -EACCES, "R1 invalid mem access 'scalar'", VALUE(1, arena, 0),
		LOAD(BPF_DW, 0, 1, 0));
	VERDICT("the map itself", -EACCES, NULL, MAP(1, arena), STORE_K(BPF_DW, 1, 0, 0));
	VERDICT("memory for a helper", -EACCES, "R1 type=arena expected=", VALUE(1, arena, 0),
		IN(1, 1), MOV_K(2, 8), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_trace_printk));
	VERDICT("either memory or an arena's", -EINVAL,
		"same insn cannot be used with different pointers", LOAD(BPF_DW, 2, 1, 0),
		VALUE(3, arena, 0), IN(3, 3), INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 0),
		MOV_X(3, 1), STORE_K(BPF_DW, 3, 0, 0));
	VERDICT("fetch and or", -EACCES, "BPF_ATOMIC stores into R1 arena is not allowed",
		VALUE(1, arena, 0), IN(1, 1), MOV_K(2, 0),
		INSN(BPF_STX | ATOMIC | BPF_DW, 1, 2, 0, BPF_OR | BPF_FETCH));
	VERDICT("a variable at the end", 0, NULL, VALUE(1, arena, NR * PAGE));
	VERDICT("a variable beyond", -ERANGE,
		"invalid access to map value pointer, value_size=0 off=409601",
		VALUE(1, arena, NR * PAGE + 1));
	VERDICT("pages of no map", -EINVAL, "pointer in R1 isn't map pointer", MAP(1, arena),
		MOV_K(1, 1), MOV_K(2, 0), MOV_K(3, 1), KFUNC(free_id));
	VERDICT("spilt", 0, NULL, VALUE(1, arena, 0), IN(1, 1), STORE(BPF_DW, 10, 1, -8),
		LOAD(BPF_DW, 2, 10, -8), LOAD(BPF_DW, 0, 2, 0));
	VERDICT("a sign-extending load", 0, NULL, VALUE(1, arena, 0), IN(1, 1),
		INSN(BPF_LDX | 0x80 | BPF_W, 0, 1, 0, 0));
	close(second);
	close(nowhere);
}

/* A program that runs where the client does: it counts a call that nobody else makes. */
static void traced(void)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 7, 1, 8), INSN(BPF_JMP | BPF_JNE | BPF_K, 7, 0, 5, COUNTED),
		VALUE(1, arena, 64),   IN(1, 1),
		MOV_K(2, 1),	       INSN(BPF_STX | ATOMIC | BPF_DW, 1, 2, 0, BPF_ADD),
		MOV_K(0, 0),	       EXIT(),
	};
	union bpf_attr attr;
	int prog, link;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	attr.license = (uintptr_t) "GPL";
	prog = (int)bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (unsigned)prog;
	link = (int)bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	tap_ok(link >= 0, "a program at system calls (%d, %d)", prog, link);
	syscall(COUNTED, 0, 0, 0);
	tap_ok(peek(PLACE + 64) == 0, "counts nowhere when there is no page");
	((uint64_t *)base)[8] = 10;
	syscall(COUNTED, 0, 0, 0);
	syscall(COUNTED, 0, 0, 0);
	tap_ok(((uint64_t *)base)[8] == 12, "and on the client's when there is one");
	close(link);
	close(prog);
	give_back(PLACE, NR);
}

/* Another process has it at the same place, if it asks for it; a child does not inherit it. */
static void processes(void)
{
	int status;
	pid_t pid;

	alloc(PLACE, 1, -1);
	*(uint64_t *)base = 1;
	pid = fork();
	if (!pid) {
		void *memory;

		if (msync(base, PAGE, MS_ASYNC) == 0 || errno != ENOMEM)
			_exit(1);
		memory = mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, arena, 0);
		if (memory != MAP_FAILED)
			_exit(2);
		memory = mmap((void *)PLACE, NR * PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED_NOREPLACE, arena, 0);
		if (memory != base || *(uint64_t *)base != 1)
			_exit(3);
		*(uint64_t *)base = 2;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	tap_ok(!status, "a child has to map it (%x)", status);
	tap_ok(peek(PLACE) == 2, "and shares it");
	give_back(PLACE, NR);
}

int main(void)
{
	struct btf *btf;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "bpf(2) is not to be had");
		return tap_done();
	}
	btf = btf__load_vmlinux_btf();
	alloc_id = btf ? btf__find_by_name_kind(btf, "bpf_arena_alloc_pages", BTF_KIND_FUNC) : 0;
	free_id = btf ? btf__find_by_name_kind(btf, "bpf_arena_free_pages", BTF_KIND_FUNC) : 0;
	reserve_id =
		btf ? btf__find_by_name_kind(btf, "bpf_arena_reserve_pages", BTF_KIND_FUNC) : 0;
	arena = make(NR, BPF_F_MMAPABLE, PLACE);
	if (alloc_id <= 0 || arena == -EOPNOTSUPP) {
		tap_skip(1, "no arenas here");
		return tap_done();
	}
	creation();
	mapping();
	if (base == MAP_FAILED)
		return tap_done();
	pages();
	faults();
	reserved();
	casts();
	atomics();
	verdicts();
	traced();
	processes();
	btf__free(btf);
	return tap_done();
}
