/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions of ciphers (kernel/bpf/crypto.c): a kernel without any. Programs run on threads
 * whose vector registers are not theirs, so that none of a library's ciphers could be called here.
 */
#include "rt/kfunc/families.h"
#include "rt/mem.h"

struct parameters {
	char type[14];
	u8 reserved[2];
	char algorithm[128];
	u8 key[256];
	u32 key_length, auth_size;
};

static long refuse(const struct parameters *parameters, u32 size)
{
	char type[sizeof(parameters->type)];

	if (size != sizeof(*parameters) || READ_ONCE(parameters->reserved[0]) ||
	    READ_ONCE(parameters->reserved[1]))
		return -EINVAL;
	memcpy(type, parameters->type, sizeof(type));
	return memcmp(type, "skcipher", sizeof("skcipher")) ? -ENOENT : -EOPNOTSUPP;
}

/* (parameters, size, error) */
RT_KFUNC(bpf_crypto_ctx_create)
{
	WRITE_ONCE(*(s32 *)r3, (s32)refuse((const struct parameters *)r1, (u32)r2));
	return 0;
}

/* There is nothing to call these with. */
RT_KFUNC(bpf_crypto_ctx_acquire)
{
	return 0;
}

RT_KFUNC(bpf_crypto_ctx_release)
{
	return 0;
}

RT_KFUNC(bpf_crypto_encrypt)
{
	return rt_kfunc_int(-EINVAL);
}

RT_KFUNC(bpf_crypto_decrypt)
{
	return rt_kfunc_int(-EINVAL);
}
