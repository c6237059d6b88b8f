/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_BTF_LOAD: the blob is checked by src/btf, its report goes to the client's log buffer. */
#include "sys/hive.h"
#include "sys/log.h"
#include "sys/object_type.h"
#include "base/alloc.h"
#include "btf/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void release(struct object *object)
{
	struct sys_btf *btf = container_of(object, struct sys_btf, object);

	if (btf->hive)
		sys_object_types_forget(btf->hive, btf->btf);
	btf_free(btf->btf);
	base_free(btf);
}

static const struct btf *kernel_btf(void *arg)
{
	struct sys_hive *hive = arg;

	sys_kernel_btf_load(hive);
	return hive->kernel_btf ? hive->kernel_btf->btf : NULL;
}

static int parse(struct sys_call *call, struct btf **ret_btf)
{
	const union abi_attr *attr = &call->attr;
	struct btf_log sink = { 0 };
	struct sys_log log;
	void *data;
	int error, log_error;

	if (attr->btf.btf_size > BTF_SIZE_MAX)
		return -E2BIG;
	error = sys_log_init(&log, attr->btf.log_level, attr->btf.log_buf, attr->btf.log_size);
	if (error)
		return error;
	sink.level = log.level;
	sink.write = sys_log_write;
	sink.arg = &log;
	error = sys_read_new(call, attr->btf.btf, attr->btf.btf_size, &data);
	if (!error) {
		error = btf_new(data, attr->btf.btf_size, &sink, ret_btf);
		base_free(data);
	}
	if (!error) {
		error = sys_profile_check_btf(call->hive, *ret_btf);
		if (!error)
			error = btf_find_objects(*ret_btf, kernel_btf, call->hive);
		if (error)
			btf_free(*ret_btf);
	}
	log_error = sys_log_finish(call, &log, &call->attr.btf.log_true_size);
	if (call->size >= offsetof(union abi_attr, btf.log_true_size) + sizeof(u32) &&
	    sys_write_attr(call, btf.log_true_size))
		log_error = -EFAULT;
	if (log_error && !error)
		btf_free(*ret_btf);
	return log_error ? log_error : error;
}

long sys_btf_load(struct sys_call *call)
{
	struct sys_btf *btf;
	int error;

	if (call->attr.btf.flags & ~ABI_F_TOKEN_FD)
		return -EINVAL;
	if (call->attr.btf.flags & ABI_F_TOKEN_FD) {
		struct object *object;

		/* There are no tokens: whatever the descriptor is, it is not one. */
		error = sys_object_by_fd(call, (u32)call->attr.btf.token_fd, OBJECT_KINDS, &object);
		if (!error)
			object_unref(object);
		return error ? error : -EINVAL;
	}
	if (!call->client->privileged)
		return -EPERM;
	btf = base_zalloc(1, sizeof(*btf));
	if (!btf)
		return -ENOMEM;
	btf->hive = call->hive;
	error = parse(call, &btf->btf);
	if (error) {
		base_free(btf);
		return error;
	}
	error = object_init(call->hive->objects, &btf->object, OBJECT_BTF, release);
	if (error) {
		release(&btf->object);
		return error;
	}
	return sys_install_consume(call, &btf->object, O_RDONLY);
}

/* The whole file in new memory, BTF_SIZE_MAX bytes at most; NULL if it cannot be had. */
static void *read_file(const char *path, u32 *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	u8 *data = fd < 0 ? NULL : base_alloc(BTF_SIZE_MAX);
	u64 size = 0;
	ssize_t part;

	while (data && size < BTF_SIZE_MAX &&
	       (part = read(fd, data + size, BTF_SIZE_MAX - size)) > 0)
		size += (u64)part;
	if (fd >= 0)
		close(fd);
	*ret_size = (u32)size;
	return data;
}

static void load_kernel_btf(struct sys_hive *hive)
{
	const char *path = hive->options.kernel_btf;
	struct sys_btf *btf = NULL;
	void *data;
	u32 size;

	data = read_file(path ? path : "/sys/kernel/btf/vmlinux", &size);
	if (data)
		btf = base_zalloc(1, sizeof(*btf));
	if (btf &&
	    (btf_new(data, size, NULL, &btf->btf) ||
	     object_init_as(hive->objects, &btf->object, OBJECT_BTF, SYS_KERNEL_BTF_ID, release))) {
		release(&btf->object);
		btf = NULL;
	}
	base_free(data);
	if (!btf) {
		sys_say(hive,
			"the kernel's BTF cannot be had: clients will not find it as object %u",
			SYS_KERNEL_BTF_ID);
		return;
	}
	btf->kernel = true;
	hive->kernel_btf = btf;
}

void sys_kernel_btf_load(struct sys_hive *hive)
{
	struct base_account *account;

	if (hive->kernel_btf_tried)
		return;
	hive->kernel_btf_tried = true;
	/* It is the hive's: no part of what the one who asks first may take. */
	account = base_account_set(NULL);
	load_kernel_btf(hive);
	base_account_set(account);
}
