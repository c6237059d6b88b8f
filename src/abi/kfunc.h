/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel functions that programs may call (kfuncs), as data: name, arguments, result, flags,
 * and which program types may call them. A client names a kfunc by its id in the kernel's BTF; the
 * hive's BTF gives the name, and the name finds the row here. Arguments are those of this table,
 * not of the BTF: what the data plane is handed does not depend on a file. Facts: the prototypes
 * and BTF_KFUNCS sets of Linux 6.18; who may call what was asked of a running 6.18.
 */
#ifndef SKEP_ABI_KFUNC_H
#define SKEP_ABI_KFUNC_H

#include "abi/bpf_new.h"
#include "abi/helper.h"

/* What an argument is. The data plane gets the register as it stands. */
enum abi_kfunc_arg {
	KARG_NONE,
	KARG_SCALAR,
	KARG_CONST,	      /* __k: a number that is known */
	KARG_IGNORE,	      /* __ign: anything, it is never followed unchecked */
	KARG_CTX,	      /* the program's context */
	KARG_SKB,	      /* the same, or of a netfilter program its packet */
	KARG_MEM_SIZE,	      /* memory; its size in bytes is the next argument (__sz) */
	KARG_MEM_SIZE_OPT,    /* the same, or null (__opt), the size being known (__szk) */
	KARG_DYNPTR,	      /* an initialised dynptr */
	KARG_DYNPTR_UNINIT,   /* room for a dynptr */
	KARG_ITER,	      /* an iterator, of the kind that `iter` names */
	KARG_CONST_STRING,    /* a string in a map that nobody can change */
	KARG_PROG,	      /* __prog: the kernel fills it in, whatever the register holds */
	KARG_IRQ_FLAG_UNINIT, /* room for the saved interrupt state */
	KARG_IRQ_FLAG,
	KARG_WORKQUEUE, /* a bpf_wq in a map's value */
	KARG_MAP,	/* __map: a map; of a bpf_wq that which it is in */
	KARG_FUNCTION,	/* a function of the program, called back, at once or later */
	/* Allocated objects, and lists and trees of them. */
	KARG_OBJECT, /* __alloc: an object that is given away */
	KARG_PERCPU_OBJECT,
	KARG_REFCOUNTED, /* __refcounted_kptr: an object with a bpf_refcount */
	KARG_LIST_HEAD,	 /* in a value or object whose lock is held */
	KARG_LIST_NODE,	 /* of an object that is given away */
	KARG_RB_ROOT,
	KARG_RB_NODE,
	KARG_RB_NODE_LENT, /* of an object in the tree */
	KARG_RES_LOCK,
	KARG_INT, /* memory for an int */
	/* A pointer to a structure of the kernel: KARG_PTR(). */
	KARG_BTF = 0x40,
	KARG_NULLABLE = 0x80, /* __nullable: beside it, or null */
};

/* The structures of the kernel that arguments and results point to. */
enum abi_struct {
	ABI_STRUCT_NONE,
	ABI_STRUCT_TASK,
	ABI_STRUCT_CGROUP,
	ABI_STRUCT_CSS,
	ABI_STRUCT_VMA,
	ABI_STRUCT_CPUMASK,
	ABI_STRUCT_CHANGED_CPUMASK,
	ABI_STRUCT_BPF_CPUMASK, /* one that can be changed */
	ABI_STRUCT_KMEM_CACHE,
	ABI_STRUCT_DMABUF,
	ABI_STRUCT_KEY,
	ABI_STRUCT_SOCK,
	ABI_STRUCT_TCP_SOCK,
	ABI_STRUCT_ACK_SAMPLE,
	ABI_STRUCT_RATE_SAMPLE,
	ABI_STRUCT_FILE,
	ABI_STRUCT_PATH,
	ABI_STRUCT_SOCK_COMMON,
	ABI_STRUCT_SOCK_OPS,
	ABI_STRUCT_CONNECTION,
	ABI_STRUCT_NEW_CONNECTION,
	ABI_STRUCT_NET_ADDRESS,
	ABI_STRUCT_CRYPTO,
	ABI_STRUCT_TEST,
	ABI_STRUCT_TEST_MEMBER,
	ABI_STRUCT_XFRM_STATE,
	ABI_NR_STRUCTS
};

#define KARG_PTR(name) (KARG_BTF | ABI_STRUCT_##name)

/* The structure that an argument points to; ABI_STRUCT_NONE: it is no such argument. */
static inline u32 abi_kfunc_arg_struct(u8 arg)
{
	return arg & KARG_BTF ? arg & (KARG_BTF - 1u) : ABI_STRUCT_NONE;
}

/* Its name in BTF. */
const char *abi_struct_name(u32 structure);

/*
 * Is it one of scalars, so that kfuncs take any memory of its size for it? And can programs hold
 * references to such ones and keep them in maps: does the data plane have them as objects?
 */
bool abi_struct_is_plain(u32 structure);
bool abi_struct_is_object(const char *name);

enum abi_kfunc_ret {
	KRET_VOID,
	KRET_SCALAR,
	KRET_MEM,	    /* memory of ret_size bytes */
	KRET_RDONLY_MEM,    /* the same, only to be read */
	KRET_BTF,	    /* a pointer to the structure ret_struct */
	KRET_DYNPTR_SLICE,  /* memory of as many bytes as the constant argument says */
	KRET_CAST_CTX,	    /* the kernel's own context structure */
	KRET_OBJECT,	    /* an object of the type that the constant argument names */
	KRET_PERCPU_OBJECT, /* one for each CPU */
	KRET_REFCOUNTED,    /* the object that is the argument */
	KRET_NODE,	    /* the node of an object of the list or tree */
	KRET_LOCKED,	    /* 0; on a path of its own -errno */
	KRET_CAST, /* the structure whose BTF id is the constant argument; may be anything */
};

#define KFUNC_ACQUIRE	     1u
#define KFUNC_RELEASE	     2u
#define KFUNC_RET_NULL	     4u
#define KFUNC_TRUSTED_ARGS   8u
#define KFUNC_SLEEPABLE	     16u
#define KFUNC_RCU	     32u
#define KFUNC_ITER_NEW	     64u
#define KFUNC_ITER_NEXT	     128u
#define KFUNC_ITER_DESTROY   256u
#define KFUNC_UNDER_LOCK     512u /* may be called with a spin lock held */
#define KFUNC_RCU_PROTECTED  1024u
#define KFUNC_FASTCALL	     2048u  /* leaves alone the argument registers that it does not take */
#define KFUNC_UNTRUSTED	     4096u  /* nothing is promised of the result */
#define KFUNC_CHANGES_PACKET 16384u /* pointers into it are void */
#define KFUNC_SESSION_PROGS  32768u /* of kprobes only those of sessions */
#define KFUNC_ITER_PROGS     8192u  /* of tracing programs only iterators' */

/* Open-coded iterators: state on the program's stack, made, advanced and destroyed by kfuncs. */
enum abi_iter {
	ABI_ITER_NONE,
	ABI_ITER_NUM,
	ABI_ITER_BITS,
	ABI_ITER_TASK,
	ABI_ITER_TASK_VMA,
	ABI_ITER_CSS,
	ABI_ITER_CSS_TASK,
	ABI_ITER_KMEM_CACHE,
	ABI_ITER_DMABUF,
};

struct abi_iter_kind {
	const char *name; /* as logs have it: without "bpf_iter_" */
	u32 slots;	  /* of 8 bytes */
	const char *object;
};

const struct abi_iter_kind *abi_iter_kind(u32 iter);

/* The structure that an iterator's object of the data plane is of; NULL: its state is on the stack.
 */
const char *abi_iter_object(u32 iter);

/* Numbers of rows; the data plane's table has the same ones. Not part of any interface. */
enum abi_kfunc_id {
#define ABI_KFUNC(name) ABI_KFUNC_##name,
#include "abi/kfunc_names.h"
#undef ABI_KFUNC
	ABI_NR_KFUNCS
};

struct abi_kfunc {
	const char *name; /* whole, as in BTF */
	u16 flags;	  /* KFUNC_* */
	u8 arg[5];	  /* enum abi_kfunc_arg */
	u8 ret;		  /* enum abi_kfunc_ret */
	u32 ret_size;
	u8 ret_struct;	    /* enum abi_struct */
	u8 iter;	    /* enum abi_iter */
	abi_prog_set progs; /* 0: every type */
};

/* NULL unless id < ABI_NR_KFUNCS. */
const struct abi_kfunc *abi_kfunc_by_id(u32 id);

/* The row's number, or -1 when this is no kfunc that the data plane has. */
int abi_kfunc_find(const char *name);

/* May programs of this type, to be attached so, call it? */
bool abi_kfunc_allowed(const struct abi_kfunc *kfunc, u32 prog_type, u32 expected_attach_type);

u32 abi_kfunc_nr_args(const struct abi_kfunc *kfunc);

/* Why the data plane does not have a function of 6.18 (kfunc_refused.c); NULL: it is none of these.
 */
const char *abi_kfunc_refused(const char *name);
/* The rows of that table by their number: the name, NULL after the last one. */
const char *abi_kfunc_refused_at(u32 index, const char **ret_why);

#endif
