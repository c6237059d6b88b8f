/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading clocks through the vDSO, and finding the vDSO: its address is in the auxiliary vector,
 * its function in its dynamic symbols. The vDSO is the kernel's own image, so it is read without
 * distrust, but with bounds: what does not look as expected means "not found", and then clocks are
 * system calls.
 */
#include <elf.h>
#include "rt/clock.h"
#include "rt/mem.h"
#include "rt/sys.h"
#include "rt/vcpu.h"

#define AUXV_MAX     64
#define PR_GET_AUXV  0x41555856 /* Linux 6.4 */
#define AT_FDCWD     (-100)
#define SYMBOLS_MAX  256
#define HEADERS_MAX  32
#define DYNAMICS_MAX 64

typedef long (*clock_gettime_fn)(s32 clock, struct __kernel_timespec *time);

u64 rt_clock_ns(const struct rt_vcpu *vcpu, s32 clock)
{
	struct __kernel_timespec time = { 0 };

	if (likely(vcpu->clock))
		((clock_gettime_fn)vcpu->clock)(clock, &time);
	else
		rt_sys_clock_gettime(clock, &time);
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

/* Bytes of the auxiliary vector, or less than 0. */
static long read_auxv(Elf64_auxv_t *auxv, u64 size)
{
	long got = rt_syscall6(__NR_prctl, PR_GET_AUXV, (u64)auxv, size, 0, 0, 0), fd;

	if (got >= 0)
		return got < (long)size ? got : (long)size;
	fd = rt_syscall4(__NR_openat, (u64)AT_FDCWD, (u64) "/proc/self/auxv", 0, 0);
	if (fd < 0)
		return fd;
	got = rt_syscall3(__NR_read, (u64)fd, (u64)auxv, size);
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	return got;
}

static u64 vdso_address(void)
{
	Elf64_auxv_t auxv[AUXV_MAX];
	long size = read_auxv(auxv, sizeof(auxv));

	for (long i = 0; i < size / (long)sizeof(auxv[0]); i++)
		if (auxv[i].a_type == AT_SYSINFO_EHDR)
			return auxv[i].a_un.a_val;
	return 0;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Tables of the dynamic section; addresses in it are offsets from where the image was meant to be.
 */
struct dynamic {
	const Elf64_Sym *symbols;
	const char *strings;
	const u32 *hash;     /* DT_HASH: the second word is the number of symbols */
	const u32 *gnu_hash; /* newer vDSOs have only this one */
};

static struct dynamic read_dynamic(const Elf64_Dyn *entry, u64 bias)
{
	struct dynamic dynamic = { 0 };

	for (u32 i = 0; i < DYNAMICS_MAX && entry->d_tag != DT_NULL; i++, entry++) {
		u64 address = bias + entry->d_un.d_ptr;

		if (entry->d_tag == DT_SYMTAB)
			dynamic.symbols = (const Elf64_Sym *)address;
		else if (entry->d_tag == DT_STRTAB)
			dynamic.strings = (const char *)address;
		else if (entry->d_tag == DT_HASH)
			dynamic.hash = (const u32 *)address;
		else if (entry->d_tag == DT_GNU_HASH)
			dynamic.gnu_hash = (const u32 *)address;
	}
	return dynamic;
}

/* The GNU hash table does not tell the number of symbols: it is after the end of the last chain. */
static u32 gnu_symbols(const u32 *table)
{
	u32 nr_buckets = table[0], first = table[1], bloom_words = table[2], last = 0;
	const u32 *buckets = table + 4 + 2 * bloom_words, *chains = buckets + nr_buckets;

	if (nr_buckets > SYMBOLS_MAX || bloom_words > SYMBOLS_MAX)
		return 0;
	for (u32 i = 0; i < nr_buckets; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < first)
		return 0;
	while (last - first < SYMBOLS_MAX && !(chains[last - first] & 1))
		last++;
	return last + 1;
}

static u64 find_symbol(const struct dynamic *dynamic, u64 bias, const char *name)
{
	u32 nr = 0;

	if (!dynamic->symbols || !dynamic->strings)
		return 0;
	if (dynamic->hash)
		nr = dynamic->hash[1];
	else if (dynamic->gnu_hash)
		nr = gnu_symbols(dynamic->gnu_hash);
	for (u32 i = 0; i < nr && i < SYMBOLS_MAX; i++) {
		const Elf64_Sym *symbol = &dynamic->symbols[i];

		if (symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
		    same_name(dynamic->strings + symbol->st_name, name))
			return bias + symbol->st_value;
	}
	return 0;
}

u64 rt_clock_find(void)
{
	u64 base = vdso_address(), bias = 0, dynamic_address = 0;
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *segment;
	struct dynamic dynamic;

	if (!base || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phnum > HEADERS_MAX)
		return 0;
	segment = (const Elf64_Phdr *)(base + header->e_phoff);
	for (u32 i = 0; i < header->e_phnum; i++) {
		if (segment[i].p_type == PT_LOAD && !bias)
			bias = base + segment[i].p_offset - segment[i].p_vaddr;
		if (segment[i].p_type == PT_DYNAMIC)
			dynamic_address = base + segment[i].p_offset;
	}
	if (!bias || !dynamic_address)
		return 0;
	dynamic = read_dynamic((const Elf64_Dyn *)dynamic_address, bias);
	return find_symbol(&dynamic, bias, "__vdso_clock_gettime");
}
