/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases: programs of iterators: their contexts, buffers of unknown size, what they write to
 * readers. */
#include "case.h"

#include <errno.h>

#define ITER(name, target, text, err, message, flags)                          \
	{                                                                      \
		name, BPF_PROG_TYPE_TRACING, text, err, message, flags, target \
	}

#define WRITE_TO(seq, size) \
	seq "r2 = r10\n*(u64 *)(r10 -8) = 0\nr2 += -8\nr3 = " size "\ncall 127\nr0 = 0\nexit"
#define PRINT \
	"r2 = r10\n*(u64 *)(r10 -8) = 0\nr2 += -8\nr3 = 8\nr4 = 0\nr5 = 0\ncall 126\nr0 = 0\nexit"

/* clang-format off */
const struct verify_case cases_iter[] = {
	ITER("iterator's arguments", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +0)\nr3 = *(u64 *)(r1 +8)\nr4 = *(u64 *)(r1 +16)\nr5 = *(u64 *)(r1 +24)\nr0 = 0\nexit", 0, "R4=rdonly_buf_or_null(id=1)", 0),
	ITER("pages of a map that an iterator shows", "iter.s/bpf_map", "r1 = *(u64 *)(r1 +8)\nif r1 == 0x0 goto pc+5\nr2 = 0\nr3 = 1\nr4 = -1\nr5 = 0\ncall kernel-function#{kfunc:bpf_arena_alloc_pages}\nr0 = 0\nexit", 0, NULL, 0),
	ITER("pages of a map that may not be there", "iter.s/bpf_map", "r1 = *(u64 *)(r1 +8)\nr2 = 0\nr3 = 1\nr4 = -1\nr5 = 0\ncall kernel-function#{kfunc:bpf_arena_alloc_pages}\nr0 = 0\nexit", -EACCES, "Possibly NULL pointer passed to trusted arg0", 0),
	ITER("pages of what is no map", "iter.s/bpf_map", "r1 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r1 +0)\nr2 = 0\nr3 = 1\nr4 = -1\nr5 = 0\ncall kernel-function#{kfunc:bpf_arena_alloc_pages}\nr0 = 0\nexit", -EINVAL, NULL, 0),
	ITER("pages of a map that another one knows", "iter.s/bpf_map", "r1 = *(u64 *)(r1 +8)\nif r1 == 0x0 goto pc+6\nr1 = *(u64 *)(r1 +{bpf_map.inner_map_meta})\nr2 = 0\nr3 = 1\nr4 = -1\nr5 = 0\ncall kernel-function#{kfunc:bpf_arena_alloc_pages}\nr0 = 0\nexit", -EINVAL, "R1 must be referenced or trusted", 0),
	ITER("iterator's argument that is not there", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +32)\nr0 = 0\nexit", -EACCES, "func 'bpf_iter_bpf_map_elem' doesn't have 5-th argument", 0),
	ITER("iterator's argument far behind", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +80)\nr0 = 0\nexit", -EACCES, NULL, 0),
	ITER("half of an iterator's buffer", "iter/bpf_map_elem", "r2 = *(u32 *)(r1 +16)\nr0 = 0\nexit", -EACCES, "size 4 must be 8", 0),
	ITER("number among an iterator's arguments", "iter/task_file", "r2 = *(u32 *)(r1 +16)\nr0 = 0\nexit", 0, NULL, 0),
	ITER("objects of task_file", "iter/task_file", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r1 +24)\nr0 = 0\nexit", 0, "R3=ptr_or_null_file(id=2)", 0),
	ITER("objects of task_vma", "iter/task_vma", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r1 +16)\nr0 = 0\nexit", 0, "R3=ptr_or_null_vm_area_struct(id=2)", 0),
	ITER("object of bpf_link", "iter/bpf_link", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nexit", 0, "R2=ptr_or_null_bpf_link(id=1)", 0),
	ITER("object of bpf_prog", "iter/bpf_prog", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nexit", 0, "R2=ptr_or_null_bpf_prog(id=1)", 0),
	ITER("object of tcp", "iter/tcp", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nexit", 0, "R2=trusted_ptr_or_null_sock_common(id=1)", 0),
	ITER("object of sockmap", "iter/sockmap", "r2 = *(u64 *)(r1 +16)\nr3 = *(u64 *)(r1 +24)\nr0 = 0\nexit", 0, "R3=ptr_or_null_sock(id=2)", 0),
	ITER("iterator's object that was not checked", "iter/task", "r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +{task_struct.pid})\nexit", -EACCES, "R2 invalid mem access 'trusted_ptr_or_null_'", 0),
	ITER("iterator's object, checked", "iter/task", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nif r2 == 0x0 goto pc+2\nr0 = *(u32 *)(r2 +{task_struct.pid})\nr0 &= 1\nexit", 0, NULL, 0),
	ITER("pointer of a task in an iterator", "iter/task", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nif r2 == 0x0 goto pc+2\nr3 = *(u64 *)(r2 +{task_struct.real_parent})\nr4 = *(u32 *)(r3 +{task_struct.pid})\nexit", 0, "R3=rcu_ptr_task_struct()", 0),
	ITER("the same in one that may sleep", "iter.s/task", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nif r2 == 0x0 goto pc+2\nr3 = *(u64 *)(r2 +{task_struct.real_parent})\nr4 = *(u32 *)(r3 +{task_struct.pid})\nexit", 0, "R3=untrusted_ptr_task_struct()", 0),
	ITER("key read", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nif r2 == 0x0 goto pc+1\nr3 = *(u32 *)(r2 +100)\nr0 = 0\nexit", 0, "R2=rdonly_buf()", 0),
	ITER("key with its sign", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nif r2 == 0x0 goto pc+1\nr3 = *(s8 *)(r2 +3)\nr0 = 0\nexit", 0, NULL, 0),
	ITER("before a key", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nif r2 == 0x0 goto pc+1\nr3 = *(u32 *)(r2 -4)\nr0 = 0\nexit", -EACCES, "R2 invalid rdonly buffer access: off=-4, size=4", 0),
	ITER("before a value", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nif r2 == 0x0 goto pc+2\nr2 += -8\nr3 = *(u32 *)(r2 +4)\nr0 = 0\nexit", -EACCES, "R2 invalid rdwr buffer access", 0),
	ITER("key written", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nif r2 == 0x0 goto pc+1\n*(u32 *)(r2 +4) = 1\nr0 = 0\nexit", -EACCES, "R2 cannot write into rdonly_buf", 0),
	ITER("value written", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nif r2 == 0x0 goto pc+1\n*(u32 *)(r2 +4) = 1\nr0 = 0\nexit", 0, "R2=buf()", 0),
	ITER("value changed atomically", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nr3 = 1\nif r2 == 0x0 goto pc+1\nlock *(u64 *)(r2 +8) += r3\nr0 = 0\nexit", 0, NULL, 0),
	ITER("key changed atomically", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nr3 = 1\nif r2 == 0x0 goto pc+1\nlock *(u64 *)(r2 +8) += r3\nr0 = 0\nexit", -EACCES, "cannot write into rdonly_buf", 0),
	ITER("pointer stored in a value", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nif r2 == 0x0 goto pc+1\n*(u64 *)(r2 +8) = r2\nr0 = 0\nexit", 0, NULL, 0),
	ITER("value at a variable offset", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nr3 = *(u64 *)(r1 +0)\nr3 = *(u64 *)(r3 +8)\nr3 &= 7\nif r2 == 0x0 goto pc+2\nr2 += r3\nr4 = *(u8 *)(r2 +4)\nr0 = 0\nexit", -EACCES, "R2 invalid variable buffer offset: off=4", 0),
	ITER("value that was not checked", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nr3 = *(u64 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "R2 invalid mem access 'buf_or_null'", 0),
	ITER("arithmetic on a value that was not checked", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\nr2 += 8\nr0 = 0\nexit", -EACCES, "pointer arithmetic on buf_or_null prohibited", 0),
	ITER("value after a spill", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +24)\n*(u64 *)(r10 -8) = r2\nif r2 == 0x0 goto pc+2\nr3 = *(u64 *)(r10 -8)\nr4 = *(u64 *)(r3 +0)\nr0 = 0\nexit", 0, "R3=buf()", 0),
	ITER("key and value in one load", "iter/bpf_map_elem", "r2 = *(u64 *)(r1 +16)\nr3 = *(u64 *)(r1 +24)\nif r2 == 0x0 goto pc+4\nif r3 == 0x0 goto pc+3\nif r2 == r3 goto pc+1\nr2 = r3\nr4 = *(u64 *)(r2 +0)\nr0 = 0\nexit", 0, NULL, 0),
	ITER("value to read by a helper", "iter/bpf_map_elem", "r6 = *(u64 *)(r1 +0)\nr7 = *(u64 *)(r1 +24)\nr1 = *(u64 *)(r6 +0)\nr2 = r7\nif r7 == 0x0 goto pc+2\nr3 = 16\ncall 127\nr0 = 0\nexit", 0, NULL, 0),
	ITER("value filled by a helper", "iter/bpf_map_elem", "r1 = *(u64 *)(r1 +24)\nif r1 == 0x0 goto pc+2\nr2 = 16\ncall 16\nr0 = 0\nexit", 0, NULL, 0),
	ITER("key filled by a helper", "iter/bpf_map_elem", "r1 = *(u64 *)(r1 +16)\nif r1 == 0x0 goto pc+2\nr2 = 16\ncall 16\nr0 = 0\nexit", -EACCES, "R1 type=rdonly_buf expected=fp, pkt", 0),
	ITER("value as memory that may be null", "iter/bpf_map_elem", "r6 = *(u64 *)(r1 +0)\nr4 = *(u64 *)(r1 +24)\nr1 = *(u64 *)(r6 +0)\nr2 = r10\n*(u64 *)(r10 -8) = 0\nr2 += -8\nr3 = 8\nr5 = 8\ncall 126\nr0 = 0\nexit", -EACCES, "R4 may be null while R5 says that there is memory", CASE_OURS),
	ITER("iterator returns 1", "iter/bpf_map", "r0 = 1\nexit", 0, NULL, 0),
	ITER("iterator returns 2", "iter/bpf_map", "r0 = 2\nexit", -EINVAL, "should have been in [0, 1]", 0),
	ITER("iterator returns anything", "iter/bpf_map", "r0 = *(u64 *)(r1 +0)\nr0 = *(u64 *)(r0 +8)\nexit", -EINVAL, "has unknown scalar value should have been in [0, 1]", 0),
	ITER("bytes for the reader", "iter/bpf_map", WRITE_TO("r6 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r6 +0)\n", "8"), 0, "R1=trusted_ptr_seq_file()", 0),
	ITER("no bytes for the reader", "iter/bpf_map", WRITE_TO("r6 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r6 +0)\n", "0"), 0, NULL, 0),
	ITER("bytes to something else", "iter/bpf_map", WRITE_TO("r1 = *(u64 *)(r1 +0)\n", "8"), -EACCES, "R1 is of type bpf_iter_meta but seq_file is expected", 0),
	ITER("bytes to the middle of it", "iter/bpf_map", WRITE_TO("r6 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r6 +0)\nr1 += 8\n", "8"), -EACCES, "R1 is of type seq_file but seq_file is expected", 0),
	ITER("bytes to nothing", "iter/bpf_map", WRITE_TO("r1 = 0\n", "8"), -EACCES, "R1 type=scalar expected=ptr_, trusted_ptr_, rcu_ptr_", 0),
	ITER("bytes to the context", "iter/bpf_map", WRITE_TO("", "8"), -EACCES, "R1 type=ctx expected=ptr_, trusted_ptr_, rcu_ptr_", 0),
	ITER("text for the reader", "iter/bpf_map", "r6 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r6 +0)\n" PRINT, 0, NULL, 0),
	ITER("path of a file", "iter/task_file", "r1 = *(u64 *)(r1 +24)\nif r1 == 0x0 goto pc+5\nr1 += {file.f_path}\nr2 = r10\nr2 += -16\nr3 = 16\ncall 147\nr0 = 0\nexit", 0, NULL, 0),
	ITER("path of something else", "iter/task_file", "r1 = *(u64 *)(r1 +24)\nif r1 == 0x0 goto pc+4\nr2 = r10\nr2 += -16\nr3 = 16\ncall 147\nr0 = 0\nexit", -EACCES, "R1 is of type file but path is expected", 0),
	ITER("path into memory to be read", "iter/bpf_map_elem", "r1 = *(u64 *)(r1 +8)\nr2 = 0\nr3 = 0\ncall 147\nr0 = 0\nexit", -EACCES, "R1 is of type bpf_map but path is expected", 0),
	ITER("memory of a task", "iter.s/task", "r4 = *(u64 *)(r1 +8)\nif r4 == 0x0 goto pc+6\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 4096\nr5 = 0\ncall 191\nr0 = 0\nexit", 0, NULL, 0),
	ITER("memory of a task without sleeping", "iter/task", "r4 = *(u64 *)(r1 +8)\nif r4 == 0x0 goto pc+6\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 4096\nr5 = 0\ncall 191\nr0 = 0\nexit", -EINVAL, NULL, 0),
	ITER("text without the GPL", "iter/bpf_map", "r6 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r6 +0)\n" PRINT, -EINVAL, NULL, CASE_NOT_GPL),
	ITER("text for a reader that a tracepoint does not have", "sched_switch", "r1 = *(u64 *)(r1 +8)\n" PRINT, -EINVAL, "bpf_seq_printf#126", CASE_OWN_LOG),
	{ 0 }
};
