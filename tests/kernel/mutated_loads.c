/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads real programs, changed at random, and says how each load ended: one line a load,
 * "FILE PROGRAM NUMBER TYPE/LEVEL ERRNO LENGTH HASH | LAST-LINE", where LENGTH and HASH are those
 * of the log without what differs from run to run, and an h behind LEVEL says that half of a
 * register is compared with 0. With -l NUMBER one such load with its whole log.
 *
 * libbpf opens the object, makes its maps, BTF and relocations; its PROG_LOADs pass through
 * syscall(), which is ours. Behind each one its program is loaded again and again, with
 * instructions, line info, function info, relocation records or other attributes changed. What is
 * changed depends on the seed, the program's name and the number only, so that whoever serves
 * bpf(2) gets the same loads, and mutated_loads.py compares what the kernel and skep made of them.
 * Load 0 is the program as it is. With -a all programs of an object come from one run of libbpf,
 * which needs names of less than 16 bytes and is told that each was loaded: random_c.py has many of
 * them.
 *
 * Usage: mutated-loads [-a] [-n LOADS] [-s SEED] [-l NUMBER] [-v LEVEL] OBJECT...
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/bpf_new.h"

#define LOG_SIZE    (1u << 20)
#define INSNS_MAX   4096u /* longer programs are left alone: they take too long */
#define SPARE	    4096u /* zeros behind what is copied, for counts that are too high */
#define MAX_CHANGES 3

/* Attributes of PROG_LOAD as 6.18 knows them. */
typedef __typeof__(((union abi_attr *)0)->load) load_attr;

static struct {
	long loads, only;
	u64 seed, state;
	u32 level;		    /* of the log; 0: by chance */
	const char *file, *program; /* what is being loaded; NULL: libbpf tries something out */
	bool whole;		    /* -a */
	struct bpf_object *object;  /* with -a what is loaded */
	char *log;
} run = { .loads = 100, .only = -1 };

static u64 next(void)
{
	u64 z = run.state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static u32 draw(u32 n)
{
	return n ? (u32)(next() >> 33) % n : 0;
}

/* FNV-1a, going on from hash. */
static u64 hash_of(u64 hash, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (u8)text[i]) * 0x100000001b3ULL;
	return hash;
}

static u32 number(void)
{
	static const u32 numbers[] = { 0,	   1,	       2,    3,	     7,	     8,	    15,
				       16,	   31,	       32,   63,     64,     255,   256,
				       511,	   512,	       4096, 0x7fff, 0x8000, 65535, 0xfffe,
				       0x7fffffff, 0x80000000, ~0u,  ~1u,    ~7u,    ~15u,  ~511u };

	switch (draw(3)) {
	case 0: return draw(40) - 20;
	case 1: return (u32)next() >> draw(32);
	default: return numbers[draw(ARRAY_SIZE(numbers))];
	}
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static void change_code(struct bpf_insn *insn)
{
	/* The operation, the source, the size, the class, or anything. */
	switch (draw(5)) {
	case 0: insn->code = (u8)((insn->code & 0x0f) | draw(16) << 4); break;
	case 1: insn->code ^= BPF_X; break;
	case 2: insn->code = (u8)((insn->code & ~0x18) | draw(4) << 3); break;
	case 3: insn->code = (u8)((insn->code & ~7) | draw(8)); break;
	default: insn->code = (u8)next();
	}
}

/* One field, or the place, of one instruction. */
static void change_insn(struct bpf_insn *insns, u32 *count)
{
	u32 at = draw(*count), other = draw(*count);
	struct bpf_insn *insn = &insns[at], keep;

	switch (draw(12)) {
	case 0: change_code(insn); break;
	case 1: insn->dst_reg = draw(draw(4) ? 11 : 16) & 15; break;
	case 2: insn->src_reg = draw(draw(4) ? 11 : 16) & 15; break;
	case 3: insn->off = (short)number(); break;
	case 4: insn->off = (short)(insn->off + (int)draw(9) - 4); break;
	case 5:
		if (!is_wide(insn) || !insn->src_reg) /* descriptors are each side's own */
			insn->imm = (int)number();
		break;
	case 6:
		if (!is_wide(insn) || !insn->src_reg)
			insn->imm += (int)draw(9) - 4;
		break;
	case 7: *insn = (struct bpf_insn){ .code = BPF_JMP | BPF_JA }; break;
	case 8: *insn = insns[other]; break;
	case 9:
		keep = *insn;
		*insn = insns[other];
		insns[other] = keep;
		break;
	case 10: *insn = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT }; break;
	default: *count = draw(8) ? draw(*count + 1) : 0;
	}
}

/* One field of one record of an array of them: by steps of a few, or to anything. */
static void change_record(void *records, u32 count, u32 size)
{
	u32 field;
	char *at;

	if (!records || !count || size < 4)
		return;
	at = (char *)records + (u64)draw(count) * size + draw(size / 4) * 4;
	memcpy(&field, at, 4);
	field = draw(2) ? field + draw(9) - 4 : number();
	memcpy(at, &field, 4);
}

static void *copy_of(u64 address, u64 size)
{
	void *copy = address && size ? calloc(1, size + SPARE) : NULL;

	if (copy)
		memcpy(copy, (void *)(uintptr_t)address, size);
	return copy;
}

static void change_attribute(load_attr *load)
{
	static const char no_license[] = "Proprietary";

	switch (draw(18)) {
	case 0: load->func_info_cnt += draw(3) - 1; break;
	case 1: load->func_info_rec_size = number(); break;
	case 2: load->line_info_cnt += draw(3) - 1; break;
	case 3: load->line_info_rec_size = number(); break;
	case 4: load->core_relo_cnt += draw(3) - 1; break;
	case 5: load->core_relo_rec_size = number(); break;
	case 6: load->license = (u64)(uintptr_t)no_license; break;
	case 7: load->prog_flags = 1u << draw(12); break;
	case 8: load->prog_flags = number(); break;
	case 9: load->expected_attach_type = draw(64); break;
	case 10: load->prog_type = draw(34); break;
	case 11: load->attach_btf_id = number(); break;
	case 12: load->prog_btf_fd = 0; break;
	case 13: load->func_info = 0; break;
	case 14: load->line_info = 0; break;
	case 15: load->log_level = number(); break;
	case 16: /* the counters' digits would move the end */
		load->log_size = draw(2) ? draw(300) : number();
		load->log_level &= 3;
		break;
	default: load->log_buf = 0;
	}
}

/* original: how many records there really are. */
static void change(load_attr *load, const load_attr *original, struct bpf_insn *insns)
{
	for (u32 changes = 1 + draw(MAX_CHANGES); changes; changes--)
		switch (draw(10)) {
		case 0:
			change_record((void *)(uintptr_t)load->func_info, original->func_info_cnt,
				      original->func_info_rec_size);
			break;
		case 1:
			change_record((void *)(uintptr_t)load->line_info, original->line_info_cnt,
				      original->line_info_rec_size);
			break;
		case 2:
			change_record((void *)(uintptr_t)load->core_relos, original->core_relo_cnt,
				      original->core_relo_rec_size);
			break;
		case 3: change_attribute(load); break;
		default: change_insn(insns, &load->insn_cnt);
		}
}

/* The line's length without what depends on the run: times, addresses, and what is behind them. */
static size_t length_of(const char *line)
{
	size_t length = strcspn(line, "\n");
	const char *end = memmem(line, length, "verification time ", 18);

	if (!end)
		end = memmem(line, length, "(18) r", 6);
	return end ? (size_t)(end - line) : length;
}

/* The line's length without counts, which may stand behind a sentence that has no end of its own.
 */
static size_t sentence(const char *line)
{
	static const char *const counts[] = { "processed ", "stack depth " };
	size_t length = length_of(line);

	for (int i = 0; i < 2; i++) {
		const char *end = memmem(line, length, counts[i], strlen(counts[i]));

		if (end)
			length = (size_t)(end - line);
	}
	return length;
}

/* Is a half of a register compared with 0? Kernels decide that by the whole if it is a pointer. */
static bool compares_half(const load_attr *load)
{
	const struct bpf_insn *insns = (const void *)(uintptr_t)load->insns;

	for (u32 i = 0; insns && i < load->insn_cnt; i++)
		if ((insns[i].code == (BPF_JMP32 | BPF_JEQ) ||
		     insns[i].code == (BPF_JMP32 | BPF_JNE)) &&
		    !insns[i].imm)
			return true;
	return false;
}

static void say_load(const load_attr *load, long number, int err)
{
	const char *log = load->log_buf ? run.log : "", *last = "";
	size_t last_length = 0, total = 0;
	u64 hash = 0xcbf29ce484222325ULL;

	for (const char *line = log; *line;) {
		size_t length = strcspn(line, "\n");

		hash = hash_of(hash_of(hash, line, length_of(line)), "\n", 1);
		total += length_of(line) + 1;
		if (sentence(line)) {
			last = line;
			last_length = sentence(line);
		}
		if (run.only >= 0)
			printf("  | %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	printf("%s %s %ld %u/%u%s %d %zu %016llx | %.*s\n", run.file, run.program, number,
	       load->prog_type, load->log_level, compares_half(load) ? "h" : "", err, total,
	       (unsigned long long)hash, (int)(last_length < 160 ? last_length : 160), last);
}

/* The number-th change of this load. */
static void load_changed(const load_attr *original, long number)
{
	static const u32 levels[] = { 1, 2, 4, 4, 4, 7 };
	load_attr load = *original;
	struct bpf_insn *insns = copy_of(load.insns, 8ull * load.insn_cnt);
	void *func_info =
		copy_of(load.func_info, (u64)load.func_info_cnt * load.func_info_rec_size);
	void *line_info =
		copy_of(load.line_info, (u64)load.line_info_cnt * load.line_info_rec_size);
	void *relos = copy_of(load.core_relos, (u64)load.core_relo_cnt * load.core_relo_rec_size);
	int fd, err;

	run.state = hash_of(run.seed * 0x9e3779b97f4a7c15ULL + (u64)number, run.program,
			    strlen(run.program));
	load.insns = (u64)(uintptr_t)insns;
	load.func_info = (u64)(uintptr_t)func_info;
	load.line_info = (u64)(uintptr_t)line_info;
	load.core_relos = (u64)(uintptr_t)relos;
	load.log_level = levels[draw(ARRAY_SIZE(levels))];
	load.log_size = LOG_SIZE;
	load.log_buf = (u64)(uintptr_t)run.log;
	if (number)
		change(&load, original, insns);
	if (run.level)
		load.log_level = run.level;
	run.log[0] = '\0';
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	err = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	say_load(&load, number, err);
	free(insns);
	free(func_info);
	free(line_info);
	free(relos);
}

static void load_all(const load_attr *original)
{
	static bool inside;

	if (inside || !run.program || (original->insn_cnt > INSNS_MAX && run.only))
		return;
	inside = true;
	if (run.only >= 0)
		load_changed(original, run.only);
	else
		for (long i = 0; i < run.loads; i++)
			load_changed(original, i);
	fflush(stdout);
	inside = false;
}

/* One of the object's own, which count as loaded; libbpf's own tries do not. */
static bool load_as_it_is(const load_attr *load)
{
	const struct bpf_program *program =
		run.object ? bpf_object__find_program_by_name(run.object, load->prog_name) : NULL;

	if (!program)
		return false;
	run.program = bpf_program__name(program);
	load_all(load);
	run.program = NULL;
	return true;
}

/* In place of libc's, for libbpf. */
__attribute__((visibility("default"))) long syscall(long nr, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list args;

	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	if (nr == SYS_bpf && a[0] == BPF_PROG_LOAD && a[2] <= (long)sizeof(load_attr)) {
		load_attr load = { 0 };

		memcpy(&load, (void *)a[1], (size_t)a[2]);
		/* The first bytes of its name are the load's: not one of libbpf's own tries. */
		if (run.program && !strncmp(load.prog_name, run.program, BPF_OBJ_NAME_LEN - 1))
			load_all(&load);
		else if (load_as_it_is(&load))
			return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* Loads the index-th program alone; false: there is none. */
static bool load_program(const char *path, int index)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	const char *file = strrchr(path, '/');
	struct bpf_program *program;
	bool found = false;
	int i = 0;

	if (!object)
		return false;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, i == index);
		if (i++ != index)
			continue;
		run.program = bpf_program__name(program);
		found = true;
	}
	run.file = file ? file + 1 : path;
	if (found)
		bpf_object__load(object);
	run.program = NULL;
	bpf_object__close(object);
	return found;
}

static void load_object(const char *path)
{
	const char *file = strrchr(path, '/');

	run.object = bpf_object__open_file(path, NULL);
	run.file = file ? file + 1 : path;
	if (run.object && bpf_object__load(run.object))
		fprintf(stderr, "%s: libbpf does not load it: %s\n", path, strerror(errno));
	bpf_object__close(run.object);
	run.object = NULL;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "an:s:l:v:")) != -1)
		switch (option) {
		case 'a': run.whole = true; break;
		case 'n': run.loads = atol(optarg); break;
		case 's': run.seed = strtoull(optarg, NULL, 0); break;
		case 'l': run.only = atol(optarg); break;
		case 'v': run.level = (u32)atol(optarg); break;
		default: return 2;
		}
	libbpf_set_print(quiet);
	run.log = malloc(LOG_SIZE);
	for (int i = optind; run.log && i < argc; i++)
		if (run.whole)
			load_object(argv[i]);
		else
			for (int index = 0; load_program(argv[i], index); index++)
				;
	return 0;
}
