/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on functions: what may be attached where, what they see and may return. The kernel that
 * skep is held against forbids to load them here, so the expectations are the rules of 6.18's
 * source alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../btf/blob.h"
#include "btf/btf.h"
#include "expand.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"
#include "isa/asm.h"
#include "verify/verify.h"

#define LOG_MAX 65536

struct attach_case {
	const char *name, *function, *text;
	u32 prog_type, attach_type;
	int err;
	const char *message;
	bool sleepable, not_gpl;
};

#define TRACING BPF_PROG_TYPE_TRACING
#define LSM	BPF_PROG_TYPE_LSM
#define ZERO	"r0 = 0\nexit"
#define TEST1	"bpf_fentry_test1"

/* Files. */
#define PATH                                             \
	"r2 = r10\nr2 += -64\nr3 = 64\n"                 \
	"call kernel-function#{kfunc:bpf_path_d_path}\n" \
	"r0 = 0\nexit"
#define EXECUTABLE                                                                \
	"call 158\nr1 = r0\ncall kernel-function#{kfunc:bpf_get_task_exe_file}\n" \
	"if r0 != 0x0 goto pc+2\nr0 = 0\nexit\n"
#define PUT "call kernel-function#{kfunc:bpf_put_file}\n"

/* On functions of the kernel. */
static const struct attach_case kernel_cases[] = {
	{ "fentry", TEST1, "r0 = *(u64 *)(r1 +0)\n" ZERO, TRACING, BPF_TRACE_FENTRY, 0, NULL, 0,
	  0 },
	{ "fentry: another result", TEST1, "r0 = 1\nexit", TRACING, BPF_TRACE_FENTRY, -EINVAL,
	  "should have been in [0, 0]", 0, 0 },
	{ "fentry: the function's result", TEST1, "r0 = *(u64 *)(r1 +8)\n" ZERO, TRACING,
	  BPF_TRACE_FENTRY, -EACCES, "doesn't have 2-th argument", 0, 0 },
	{ "fexit: the function's result", TEST1, "r0 = *(u64 *)(r1 +8)\n" ZERO, TRACING,
	  BPF_TRACE_FEXIT, 0, NULL, 0, 0 },
	{ "fexit: behind it", TEST1, "r0 = *(u64 *)(r1 +16)\n" ZERO, TRACING, BPF_TRACE_FEXIT,
	  -EACCES, "doesn't have 3-th argument", 0, 0 },
	{ "fexit: a write", TEST1, "*(u64 *)(r1 +0) = 0\n" ZERO, TRACING, BPF_TRACE_FEXIT, -EACCES,
	  "invalid bpf_context access", 0, 0 },
	{ "fexit: not aligned", TEST1, "r0 = *(u32 *)(r1 +4)\n" ZERO, TRACING, BPF_TRACE_FEXIT,
	  -EACCES, "offset 4 is not multiple of 8", 0, 0 },
	{ "fmod_ret", TEST1, "r0 = 7\nexit", TRACING, BPF_MODIFY_RETURN, 0, NULL, 0, 0 },
	{ "fmod_ret of another function", "bpf_fentry_test2", ZERO, TRACING, BPF_MODIFY_RETURN,
	  -EINVAL, "bpf_fentry_test2() is not modifiable", 0, 0 },
	{ "fentry, sleepable", TEST1, ZERO, TRACING, BPF_TRACE_FENTRY, 0, NULL, 1, 0 },
	{ "fentry, sleepable, elsewhere", "bpf_fentry_test2", ZERO, TRACING, BPF_TRACE_FENTRY,
	  -EINVAL, "bpf_fentry_test2 is not sleepable", 1, 0 },
	{ "a tracepoint, sleepable", TEST1, ZERO, TRACING, BPF_TRACE_RAW_TP, -EINVAL,
	  "can be sleepable", 1, 0 },
	{ "fentry: arguments", "bpf_fentry_test2", "r2 = 0\nr3 = r10\nr3 += -8\ncall 183\n" ZERO,
	  TRACING, BPF_TRACE_FENTRY, 0, NULL, 0, 0 },
	{ "fentry: asks for the result", "bpf_fentry_test2", "r2 = r10\nr2 += -8\ncall 184\n" ZERO,
	  TRACING, BPF_TRACE_FENTRY, 0, NULL, 0, 0 },
	{ "fmod_ret of what says where a socket goes", "update_socket_protocol", "r0 = 6\nexit",
	  TRACING, BPF_MODIFY_RETURN, 0, NULL, 0, 0 },
	{ "LSM: asks for the result", "bpf_lsm_file_open", "r2 = r10\nr2 += -8\ncall 184\n" ZERO,
	  LSM, BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM", "bpf_lsm_file_open", "r0 = -1\nexit", LSM, BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM: a good result", "bpf_lsm_file_open", "r0 = 1\nexit", LSM, BPF_LSM_MAC, -EINVAL,
	  "should have been in [-4095, 0]", 0, 0 },
	{ "LSM: a yes", "bpf_lsm_inode_xattr_skipcap", "r0 = 1\nexit", LSM, BPF_LSM_MAC, 0, NULL, 0,
	  0 },
	{ "LSM: no result wanted", "bpf_lsm_task_free", "exit", LSM, BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM: through its argument", "bpf_lsm_file_open",
	  "r1 = *(u64 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\n" ZERO, LSM, BPF_LSM_MAC, 0,
	  "R1=trusted_ptr_file()", 0, 0 },
	{ "LSM: what it has said so far", "bpf_lsm_file_open", "r0 = *(u64 *)(r1 +8)\nexit", LSM,
	  BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM: no licence", "bpf_lsm_file_open", ZERO, LSM, BPF_LSM_MAC, -EINVAL,
	  "LSM programs must have a GPL compatible license", 0, 1 },
	{ "LSM: not a hook", TEST1, ZERO, LSM, BPF_LSM_MAC, -EINVAL, "points to wrong type name", 0,
	  0 },
	{ "LSM: disabled", "bpf_lsm_getprocattr", ZERO, LSM, BPF_LSM_MAC, -EINVAL,
	  "points to disabled hook", 0, 0 },
	{ "LSM: the path of its file", "bpf_lsm_file_open",
	  "r1 = *(u64 *)(r1 +0)\nr1 += {file.f_path}\n" PATH, LSM, BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM: the path of what is none", "bpf_lsm_file_open", "r1 = *(u64 *)(r1 +0)\n" PATH, LSM,
	  BPF_LSM_MAC, -EINVAL,
	  "expected pointer to STRUCT path but R1 has a pointer to STRUCT file", 0, 0 },
	{ "LSM: what a task runs", "bpf_lsm_file_open", EXECUTABLE "r1 = r0\n" PUT ZERO, LSM,
	  BPF_LSM_MAC, 0, NULL, 0, 0 },
	{ "LSM: what a task runs, kept", "bpf_lsm_file_open", EXECUTABLE ZERO, LSM, BPF_LSM_MAC,
	  -EINVAL, "Unreleased reference", 0, 0 },
	{ "LSM: another's file put", "bpf_lsm_file_open", "r1 = *(u64 *)(r1 +0)\n" PUT ZERO, LSM,
	  BPF_LSM_MAC, -EINVAL, "release kernel function bpf_put_file expects refcounted", 0, 0 },
	{ "LSM, sleepable", "bpf_lsm_file_open", ZERO, LSM, BPF_LSM_MAC, 0, NULL, 1, 0 },
	{ "LSM, sleepable, elsewhere", "bpf_lsm_inode_permission", ZERO, LSM, BPF_LSM_MAC, -EINVAL,
	  "is not sleepable", 1, 0 },
};

/* Types of the BTF of programs. */
enum { INT = 1, CTX, TO_CTX, PROTO, F, STATIC, SHORT_PROTO, SHORT, CTX_PROTO, WITH_CTX };

struct program_case {
	const char *name, *text;
	u32 attach_type, function; /* of the target */
	u32 own;		   /* an extension's main function */
	int err;
	const char *message;
	u32 target_type, target_attach;
	bool is_extension, traces_tracing, original_changes, sleepable;
};

#define XDP   BPF_PROG_TYPE_XDP
#define MOVES "r2 = 0\ncall 44\n" ZERO

/* On functions of other programs; without an attach type: in their place. */
static const struct program_case program_cases[] = {
	{ "fentry: arguments", "r0 = *(u64 *)(r1 +8)\n" ZERO, BPF_TRACE_FENTRY, F, 0, 0, NULL, XDP,
	  0, 0, 0, 0, 0 },
	{ "fentry: no third one", "r0 = *(u64 *)(r1 +16)\n" ZERO, BPF_TRACE_FENTRY, F, 0, -EACCES,
	  "doesn't have 3-th argument", XDP, 0, 0, 0, 0, 0 },
	{ "fexit: the result", "r0 = *(u64 *)(r1 +16)\n" ZERO, BPF_TRACE_FEXIT, F, 0, 0, NULL, XDP,
	  0, 0, 0, 0, 0 },
	{ "fexit of what cannot be relied on", "r0 = *(u64 *)(r1 +40)\n" ZERO, BPF_TRACE_FEXIT,
	  STATIC, 0, 0, NULL, XDP, 0, 0, 0, 0, 0 },
	{ "fexit: not a function of the program", ZERO, BPF_TRACE_FEXIT, SHORT, 0, -EINVAL,
	  "Subprog short doesn't exist", XDP, 0, 0, 0, 0, 0 },
	{ "fmod_ret of a program", ZERO, BPF_MODIFY_RETURN, F, 0, -EINVAL,
	  "can't modify return codes of BPF programs", XDP, 0, 0, 0, 0, 0 },
	{ "fentry, sleepable", ZERO, BPF_TRACE_FENTRY, F, 0, -EINVAL, "f is not sleepable", XDP, 0,
	  0, 0, 0, 1 },
	{ "a tracepoint of a program", ZERO, BPF_TRACE_RAW_TP, F, 0, -EINVAL,
	  "Only FENTRY/FEXIT progs are attachable", XDP, 0, 0, 0, 0, 0 },
	{ "fentry of fentry", ZERO, BPF_TRACE_FENTRY, F, 0, 0, NULL, TRACING, BPF_TRACE_FENTRY, 0,
	  0, 0, 0 },
	{ "fentry of fentry of fentry", ZERO, BPF_TRACE_FENTRY, F, 0, -EINVAL,
	  "Cannot nest tracing program attach more than once", TRACING, BPF_TRACE_FENTRY, 0, 1, 0,
	  0 },
	{ "fentry of an extension", ZERO, BPF_TRACE_FENTRY, F, 0, 0, NULL, XDP, 0, 1, 0, 0, 0 },
	{ "the target's context", "r1 = *(u64 *)(r1 +0)\n" ZERO, BPF_TRACE_FENTRY, WITH_CTX, 0, 0,
	  NULL, XDP, 0, 0, 0, 0, 0 },
	{ "extension", "r0 = r1\nr0 += r2\nexit", 0, F, F, 0, NULL, XDP, 0, 0, 0, 0, 0 },
	{ "extension: an argument more", ZERO, 0, F, SHORT, -EINVAL,
	  "short() has 1 args while f() has 2 args", XDP, 0, 0, 0, 0, 0 },
	{ "extension: another kind of argument", ZERO, 0, SHORT, WITH_CTX, -EINVAL,
	  "Subprog short doesn't exist", XDP, 0, 0, 0, 0, 0 },
	{ "extension that is static", ZERO, 0, F, STATIC, -EINVAL, "is not a global function", XDP,
	  0, 0, 0, 0, 0 },
	{ "extension of a static function", ZERO, 0, STATIC, F, -EINVAL,
	  "Cannot replace static functions", XDP, 0, 0, 0, 0, 0 },
	{ "extension of an extension", ZERO, 0, F, F, -EINVAL, "Cannot recursively attach", XDP, 0,
	  1, 0, 0, 0 },
	{ "extension of fentry", ZERO, 0, F, F, -EINVAL, "Cannot extend fentry/fexit", TRACING,
	  BPF_TRACE_FENTRY, 0, 0, 0, 0 },
	{ "extension that moves the packet", MOVES, 0, WITH_CTX, WITH_CTX, -EINVAL,
	  "Extension program changes packet data, while original does not", XDP, 0, 0, 0, 0, 0 },
	{ "extension that moves it as the original does", MOVES, 0, WITH_CTX, WITH_CTX, 0, NULL,
	  XDP, 0, 0, 0, 1, 0 },
	{ "extension: its arguments are what the prototype says", "r0 = *(u32 *)(r1 +0)\nexit", 0,
	  F, F, -EACCES, "R1 invalid mem access 'scalar'", XDP, 0, 0, 0, 0, 0 },
};

static char log_text[LOG_MAX];
static u64 log_length;

static void collect(void *arg, const char *text, u64 size)
{
	if (log_length + size >= LOG_MAX)
		size = LOG_MAX - 1 - log_length;
	memcpy(log_text + log_length, text, size);
	log_length += size;
	log_text[log_length] = '\0';
}

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	return -EBADF;
}

/* Nothing runs here: any number will do. */
static u32 object_type(void *arg, const struct btf *btf, u32 id, u32 node_offset)
{
	return 1;
}

static const struct btf *running; /* the kernel's */

static const struct btf *kernel_btf(void *arg)
{
	return running;
}

static const struct verify_ops ops = { .map_by_fd = map_by_fd,
				       .kernel_btf = kernel_btf,
				       .object_type = object_type };

static void judge(struct verify_input *input, const char *text, const char *name, int err,
		  const char *message)
{
	struct bpf_insn insns[64];
	struct verify_output output;
	char error[256];
	int got, nr = isa_assemble(text, insns, ARRAY_SIZE(insns), error, sizeof(error));

	if (nr < 0)
		tap_bail("%s: %s", name, error);
	log_length = 0;
	log_text[0] = '\0';
	input->insns = insns;
	input->nr_insns = (u32)nr;
	input->privileged = true;
	input->ops = &ops;
	input->log = (struct verify_log){ .level = 2, .write = collect };
	got = verify_program(input, &output);
	if (!got)
		verify_output_done(&output);
	if (!tap_ok(got == err && (!message || strstr(log_text, message)), "%s", name))
		tap_note("got %d, want %d with %s\n%s", got, err, message ? message : "anything",
			 log_text);
}

static void on_kernel(const struct btf *btf)
{
	for (u32 i = 0; i < ARRAY_SIZE(kernel_cases); i++) {
		const struct attach_case *c = &kernel_cases[i];
		struct verify_input input = {
			.prog_type = c->prog_type,
			.expected_attach_type = c->attach_type,
			.attach_btf = btf,
			.attach_btf_id = btf_find(btf, c->function, BTF_KIND_FUNC),
			.kernel_btf = btf,
			.prog_flags = c->sleepable ? BPF_F_SLEEPABLE : 0,
			.gpl_compatible = !c->not_gpl,
		};

		if (!input.attach_btf_id)
			tap_skip(1, "this kernel has no %s", c->function);
		else
			judge(&input, expand_text(btf, c->text), c->name, c->err, c->message);
	}
}

static struct btf *programs_btf(void)
{
	static struct blob blob;
	struct btf *btf;

	blob_int(&blob, "int", 4);
	blob_type(&blob, "xdp_md", BTF_KIND_STRUCT, 0, 0, 24);
	blob_type(&blob, "", BTF_KIND_PTR, 0, 0, CTX);
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 2, INT);
	blob_word(&blob, blob_string(&blob, "a"));
	blob_word(&blob, INT);
	blob_word(&blob, blob_string(&blob, "b"));
	blob_word(&blob, INT);
	blob_type(&blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, PROTO);
	blob_type(&blob, "quiet", BTF_KIND_FUNC, 0, BTF_FUNC_STATIC, PROTO);
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 1, INT);
	blob_word(&blob, blob_string(&blob, "a"));
	blob_word(&blob, INT);
	blob_type(&blob, "short", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, SHORT_PROTO);
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 1, INT);
	blob_word(&blob, blob_string(&blob, "ctx"));
	blob_word(&blob, TO_CTX);
	blob_type(&blob, "entry", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, CTX_PROTO);
	blob_finish(&blob);
	if (btf_new(blob.bytes, blob.size, NULL, &btf))
		tap_bail("BTF of the programs is not taken");
	return btf;
}

static void on_programs(const struct btf *kernel)
{
	struct btf *btf = programs_btf();

	for (u32 i = 0; i < ARRAY_SIZE(program_cases); i++) {
		const struct program_case *c = &program_cases[i];
		const struct verify_subprog subprogs[] = {
			{ .type_id = WITH_CTX, .changes_packet = c->original_changes },
			{ .type_id = F },
			{ .type_id = STATIC, .unreliable = true },
		};
		const struct verify_target target = { .prog_type = c->target_type,
						      .expected_attach_type = c->target_attach,
						      .subprogs = subprogs,
						      .nr_subprogs = ARRAY_SIZE(subprogs),
						      .extends = !c->attach_type,
						      .is_extension = c->is_extension,
						      .traces_tracing = c->traces_tracing };
		struct bpf_func_info info = { 0, c->own };
		struct verify_input input = {
			.prog_type = c->attach_type ? TRACING : c->target_type,
			.expected_attach_type = c->attach_type ? c->attach_type : c->target_attach,
			.attach_btf = btf,
			.attach_btf_id = c->function,
			.target = &target,
			.kernel_btf = kernel,
			.prog_flags = c->sleepable ? BPF_F_SLEEPABLE : 0,
			.gpl_compatible = true,
			.btf = c->own ? btf : NULL,
			.func_info = c->own ? &info : NULL,
			.func_info_rec_size = sizeof(info),
			.nr_func_info = c->own ? 1 : 0,
		};

		judge(&input, c->text, c->name, c->err, c->message);
	}
	btf_free(btf);
}

int main(void)
{
	struct btf *btf = kernel_btf_read();

	running = btf;
	if (btf) {
		on_kernel(btf);
		on_programs(btf);
	} else {
		tap_skip(1, "the kernel shows no BTF here");
	}
	btf_free(btf);
	return tap_done();
}
