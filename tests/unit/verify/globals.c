/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Declaration tags of global functions: a main program that calls one function with one argument,
 * on skep and on the running kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../btf/blob.h"
#include "btf/btf.h"
#include "harness/tap.h"
#include "isa/asm.h"
#include "verify/verify.h"

#define LOG_MAX 65536

/* Types of the BTF below. */
enum {
	INT = 1,
	TO_INT,
	TO_VOID,
	OTHER,
	TO_OTHER,
	DECLARED, /* the context's name, of a structure that is not there */
	TO_DECLARED,
	OF_KERNEL, /* the kernel's name for it */
	TO_OF_KERNEL,
	MAIN_PROTO,
	MAIN,
	PROTO,
	FUNCTION
};

struct global_case {
	const char *name, *tags[2];
	u32 argument; /* type of the function's argument */
	const char *caller, *callee;
	int err;
	const char *message;
	bool ours;     /* 6.18 takes it */
	u32 prog_type; /* 0: raw tracepoint */
};

#define STACK "*(u32 *)(r10 -4) = 0\nr1 = r10\nr1 += -4\ncall f\nr0 = 0\nexit\n"
#define PACKET                                                                                 \
	"r6 = *(u32 *)(r1 +0)\nr7 = *(u32 *)(r1 +4)\nr4 = r6\nr4 += 14\nif r4 > r7 goto out\n" \
	"call f\nr0 = *(u8 *)(r6 +0)\nout:\nr0 = 0\nexit\n"
#define READS	"f:\nr0 = *(u32 *)(r1 +0)\nexit"
#define RETURNS "f:\nr0 = 0\nexit"

/* clang-format off */
static const struct global_case cases[] = {
	{ "memory that is not null", { "arg:nonnull" }, TO_INT, STACK, READS, 0, NULL, false, 0 },
	{ "memory that may be null",
	  { NULL },
	  TO_INT,
	  STACK,
	  READS,
	  -EACCES,
	  "invalid mem access 'mem_or_null'",
	  false,
	  0 },
	/* 6.18 lets the constant through and reads address 0. */
	{ "null for memory that is not",
	  { "arg:nonnull" },
	  TO_INT,
	  "r1 = 0\ncall f\nr0 = 0\nexit\n",
	  READS,
	  -EINVAL,
	  "arg#0 is expected to be non-NULL",
	  true,
	  0 },
	{ "context",
	  { "arg:ctx" },
	  TO_VOID,
	  "call f\nr0 = 0\nexit\n",
	  "f:\nr0 = *(u64 *)(r1 +0)\nr0 = 0\nexit",
	  0,
	  NULL,
	  false,
	  0 },
	{ "memory for the context",
	  { "arg:ctx" },
	  TO_VOID,
	  STACK,
	  RETURNS,
	  -EINVAL,
	  "arg#0 expects pointer to ctx",
	  false,
	  0 },
	{ "context of another type",
	  { "arg:ctx" },
	  TO_OTHER,
	  "call f\nr0 = 0\nexit\n",
	  RETURNS,
	  -EINVAL,
	  "arg#0 should be `struct bpf_raw_tracepoint_args *`",
	  false,
	  0 },
	{ "context with a second tag",
	  { "arg:ctx", "arg:nonnull" },
	  TO_VOID,
	  "call f\nr0 = 0\nexit\n",
	  RETURNS,
	  -EINVAL,
	  "arg#0 has invalid combination of tags",
	  false,
	  0 },
	{ "tagged number",
	  { "arg:nonnull" },
	  INT,
	  "r1 = 0\ncall f\nr0 = 0\nexit\n",
	  RETURNS,
	  -EINVAL,
	  "arg#0 has pointer tag, but is not a pointer type",
	  false,
	  0 },
	{ "nullable memory",
	  { "arg:nullable" },
	  TO_INT,
	  STACK,
	  RETURNS,
	  -EINVAL,
	  "arg#0 has invalid combination of tags",
	  false,
	  0 },
	{ "tag that nobody knows",
	  { "arg:odd" },
	  TO_INT,
	  STACK,
	  RETURNS,
	  -EOPNOTSUPP,
	  "arg#0 has unsupported set of tags",
	  false,
	  0 },
	{ "bytes of which nothing is known",
	  { "arg:untrusted" },
	  TO_INT,
	  "r1 = 7\ncall f\nr0 = 0\nexit\n",
	  READS,
	  0,
	  NULL,
	  false,
	  0 },
	{ "such bytes written",
	  { "arg:untrusted" },
	  TO_INT,
	  "r1 = 7\ncall f\nr0 = 0\nexit\n",
	  "f:\n*(u32 *)(r1 +0) = 0\nr0 = 0\nexit",
	  -EACCES,
	  "R1 cannot write into rdonly_untrusted_mem",
	  false,
	  0 },
	{ "an untrusted pointer with a second tag",
	  { "arg:untrusted", "arg:nullable" },
	  TO_INT,
	  STACK,
	  RETURNS,
	  -EINVAL,
	  "arg#0 untrusted cannot be combined with any other tags",
	  false,
	  0 },
	{ "a trusted structure that the kernel does not have",
	  { "arg:trusted" },
	  TO_OTHER,
	  STACK,
	  RETURNS,
	  -ENOENT,
	  "has no matches",
	  false,
	  0 },
	{ "a trusted pointer that is not null by a tag",
	  { "arg:trusted", "arg:nonnull" },
	  TO_OTHER,
	  STACK,
	  RETURNS,
	  -EINVAL,
	  "arg#0 has invalid combination of tags",
	  false,
	  0 },
	{ "tag of something else", { "other:odd" }, TO_INT, STACK, RETURNS, 0, NULL, false, 0 },
	{ "packet pointers over a function that changes the packet",
	  { "arg:ctx" },
	  TO_VOID,
	  PACKET,
	  "f:\nr2 = -4\ncall bpf_xdp_adjust_head#44\nr0 = 0\nexit",
	  -EACCES,
	  "R6 invalid mem access 'scalar'",
	  false,
	  BPF_PROG_TYPE_XDP },
	{ "packet pointers over one that does not",
	  { "arg:ctx" },
	  TO_VOID,
	  PACKET,
	  "f:\ncall bpf_xdp_get_buff_len#188\nr0 = 0\nexit",
	  0,
	  NULL,
	  false,
	  BPF_PROG_TYPE_XDP },
	{ "number of the caller's that has to be precise",
	  { NULL },
	  INT,
	  "r1 = 7\ncall f\nr0 = 0\nexit\n",
	  "f:\nr6 = r1\n*(u64 *)(r10 -8) = r1\nr0 = 0\nagain:\nmay_goto out\nr0 += 1\ngoto again\n"
	  "out:\nr6 &= 3\nr1 = r10\nr1 += -8\nr1 += r6\nr0 = *(u8 *)(r1 +0)\nexit",
	  0,
	  "force_precise: frame0: forcing r1 to be precise\n"
	  "force_precise: frame0: forcing fp-8 to be precise",
	  false,
	  0 },
	{ "context that is only declared",
	  { NULL },
	  TO_DECLARED,
	  "call f\nr0 = 0\nexit\n",
	  RETURNS,
	  -EINVAL,
	  "arg#0 reference type('FWD xdp_md') size cannot be determined: -22",
	  false,
	  BPF_PROG_TYPE_XDP },
	{ "context by the kernel's name",
	  { NULL },
	  TO_OF_KERNEL,
	  "call f\nr0 = 0\nexit\n",
	  "f:\ncall bpf_xdp_get_buff_len#188\nr0 = 0\nexit",
	  0,
	  NULL,
	  false,
	  BPF_PROG_TYPE_XDP },
};
/* clang-format on */

static char text[LOG_MAX];
static u64 length;

static void collect(void *arg, const char *more, u64 size)
{
	if (size >= LOG_MAX - length)
		size = LOG_MAX - 1 - length;
	memcpy(text + length, more, size);
	length += size;
	text[length] = '\0';
}

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	return -EBADF;
}

static void make_btf(const struct global_case *c, struct blob *blob)
{
	blob_int(blob, "int", 4);
	blob_type(blob, "", BTF_KIND_PTR, 0, 0, INT);
	blob_type(blob, "", BTF_KIND_PTR, 0, 0, 0);
	blob_type(blob, "other", BTF_KIND_STRUCT, 0, 1, 4);
	blob_member(blob, "x", INT, 0);
	blob_type(blob, "", BTF_KIND_PTR, 0, 0, OTHER);
	blob_type(blob, "xdp_md", BTF_KIND_FWD, 0, 0, 0);
	blob_type(blob, "", BTF_KIND_PTR, 0, 0, DECLARED);
	blob_type(blob, "xdp_buff", BTF_KIND_STRUCT, 0, 0, 4);
	blob_type(blob, "", BTF_KIND_PTR, 0, 0, OF_KERNEL);
	blob_type(blob, "", BTF_KIND_FUNC_PROTO, 0, 0, INT);
	blob_type(blob, "main", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, MAIN_PROTO);
	blob_type(blob, "", BTF_KIND_FUNC_PROTO, 0, 1, INT);
	blob_word(blob, blob_string(blob, "a"));
	blob_word(blob, c->argument);
	blob_type(blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, PROTO);
	for (u32 i = 0; i < 2 && c->tags[i]; i++) {
		blob_type(blob, c->tags[i], BTF_KIND_DECL_TAG, 0, 0, FUNCTION);
		blob_word(blob, 0);
	}
	blob_finish(blob);
}

static u32 type_of(const struct global_case *c)
{
	return c->prog_type ? c->prog_type : BPF_PROG_TYPE_RAW_TRACEPOINT;
}

static int on_skep(const struct global_case *c, const struct blob *blob,
		   const struct bpf_insn *insns, u32 nr, const struct bpf_func_info *info)
{
	static const struct verify_ops ops = { .map_by_fd = map_by_fd };
	struct verify_input input = { .insns = insns,
				      .nr_insns = nr,
				      .prog_type = type_of(c),
				      .gpl_compatible = true,
				      .privileged = true,
				      .func_info = info,
				      .func_info_rec_size = sizeof(*info),
				      .nr_func_info = 2,
				      .ops = &ops,
				      .log = { .level = 2, .write = collect } };
	struct verify_output output;
	struct btf *btf = NULL;
	int err;

	length = 0;
	text[0] = '\0';
	if (btf_new(blob->bytes, blob->size, NULL, &btf))
		tap_bail("BTF of a case is not taken");
	input.btf = btf;
	err = verify_program(&input, &output);
	if (!err)
		verify_output_done(&output);
	btf_free(btf);
	return err;
}

static int on_kernel(const struct global_case *c, const struct blob *blob,
		     const struct bpf_insn *insns, u32 nr, const struct bpf_func_info *info)
{
	union bpf_attr btf = { .btf = (u64)(uintptr_t)blob->bytes, .btf_size = blob->size };
	int btf_fd = (int)syscall(SYS_bpf, BPF_BTF_LOAD, &btf, sizeof(btf)), fd;
	union bpf_attr attr = { .prog_type = type_of(c),
				.insns = (u64)(uintptr_t)insns,
				.insn_cnt = nr,
				.license = (u64)(uintptr_t) "GPL",
				.prog_btf_fd = (u32)btf_fd,
				.func_info = (u64)(uintptr_t)info,
				.func_info_rec_size = sizeof(*info),
				.func_info_cnt = 2 };

	if (btf_fd < 0)
		return -errno;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	fd = fd < 0 ? -errno : fd;
	close(btf_fd);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void run_case(const struct global_case *c, bool have_kernel)
{
	struct bpf_func_info info[2] = { { 0, MAIN }, { 0, FUNCTION } };
	struct blob *blob = calloc(1, sizeof(*blob));
	char program[512], error[128] = "";
	struct bpf_insn insns[32];
	int nr, err;

	snprintf(program, sizeof(program), "%s%s", c->caller, c->callee);
	nr = isa_assemble(program, insns, 32, error, sizeof(error));
	if (nr <= 0 || !blob)
		tap_bail("%s: %s", c->name, error);
	for (int i = 0; i < nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == BPF_PSEUDO_CALL)
			info[1].insn_off = (u32)(i + insns[i].imm + 1);
	make_btf(c, blob);
	err = on_skep(c, blob, insns, (u32)nr, info);
	if (!tap_ok(err == c->err, "%s: verdict", c->name) ||
	    (c->message && !tap_ok(strstr(text, c->message), "%s: message", c->name)))
		tap_note("%s", text);
	if (have_kernel && !c->ours)
		tap_ok(on_kernel(c, blob, insns, (u32)nr, info) == err, "%s: the kernel's verdict",
		       c->name);
	free(blob);
}

int main(void)
{
	bool have_kernel = tap_kernel_bpf();

	if (!have_kernel)
		tap_skip(1, "no comparison of verdicts: the kernel takes no programs here");
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i], have_kernel);
	return tap_done();
}
