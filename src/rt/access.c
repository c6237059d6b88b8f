/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that programs name by address: user memory of the current task, and "kernel" memory, which
 * is what of the arena a process may read. No address can fault:
 * - in a traced process the image loads directly; the agent's SIGSEGV handler asks the exception
 * table;
 * - hosted (supervisor, tests), and for tasks in other processes, process_vm_readv(2) does it.
 * On failure the destination is zeroed as a whole, as the kernel's bpf_probe_read_*() do.
 */
#include <linux/errno.h>

#include "rt/arena.h"
#include "rt/helper.h"
#include "rt/mem.h"
#include "rt/seq.h"
#include "rt/sys.h"
#include "rt/task_model.h"
#include "rt/vcpu.h"
#include "rt/x86_64/fault.h"

#define PAGE 4096UL

/* One past the last address a process can have: TASK_SIZE_MAX of x86-64 with four page-table
 * levels. */
#define USER_END 0x7ffffffff000UL

static bool in_range(u64 address, u64 size, u64 base, u64 length)
{
	return address >= base && size <= length && address - base <= length - size;
}

/* Is any byte of it in the arena? Programs see that as kernel memory, never as user memory. */
static bool touches_arena(u64 address, u64 size)
{
	return address < RT_ARENA_BASE + RT_ARENA_SIZE && address + size > RT_ARENA_BASE;
}

static bool user_range(u64 address, u64 size)
{
	return in_range(address, size, 0, USER_END) && !touches_arena(address, size);
}

static bool kernel_range(u64 address, u64 size)
{
	const struct rt_control *control = RT_CONTROL;

	return in_range(address, size, RT_CONTROL_BASE, control->control_size) ||
	       in_range(address, size, RT_DATA_BASE, control->data_size) ||
	       in_range(address, size, RT_PRIVATE_BASE, RT_PRIVATE_SIZE);
}

/* Bytes until the end of the page, at most size. */
static u64 within_page(u64 address, u64 size)
{
	u64 rest = PAGE - address % PAGE;

	return rest < size ? rest : size;
}

static bool remote_read(u32 pid, void *dst, u64 address, u64 size)
{
	return rt_sys_vm_read(pid, dst, address, size) == (long)size;
}

/* Copies a string from another process, a page at a time, so that it may end just before a hole. */
static long remote_read_str(u32 pid, char *dst, u64 size, u64 address)
{
	u64 done = 0;

	while (done < size) {
		u64 chunk = within_page(address + done, size - done);
		char text[256];

		if (chunk > sizeof(text))
			chunk = sizeof(text);
		if (!remote_read(pid, text, address + done, chunk))
			return -EFAULT;
		/* What lies behind the end is not written. */
		for (u64 i = 0; i < chunk; i++) {
			dst[done++] = text[i];
			if (text[i] == 0)
				return (long)done;
		}
	}
	dst[size - 1] = 0;
	return (long)size;
}

#ifdef SKEP_IMAGE

extern const struct rt_ex_entry rt_ex_table_start[], rt_ex_table_end[];

u64 rt_exception_fixup(u64 ip)
{
	for (const struct rt_ex_entry *entry = rt_ex_table_start; entry < rt_ex_table_end; entry++)
		if (entry->fault == ip)
			return entry->resume;
	return 0;
}

static bool local_read(void *dst, u64 address, u64 size)
{
	u64 word;

	if (size != sizeof(word))
		return rt_fault_copy((u64)dst, address, size) == 0;
	if (!rt_fault_load64(address, &word))
		return false;
	memcpy(dst, &word, sizeof(word));
	return true;
}

static bool local_write(u64 address, const void *src, u64 size)
{
	return rt_fault_copy(address, (u64)src, size) == 0;
}

static bool has_zero_byte(u64 word)
{
	return (word - 0x0101010101010101UL) & ~word & 0x8080808080808080UL;
}

/* Aligned words stay within a page, so none is read that the bytes alone would not read. */
static long local_read_str(char *dst, u64 size, u64 address)
{
	u64 done = 0, word;
	u8 byte;

	while (done < size) {
		if ((address + done) % sizeof(word) == 0 && size - done >= sizeof(word)) {
			if (!rt_fault_load64(address + done, &word))
				return -EFAULT;
			if (!has_zero_byte(word)) {
				memcpy(dst + done, &word, sizeof(word));
				done += sizeof(word);
				continue;
			}
		}
		if (!rt_fault_load8(address + done, &byte))
			return -EFAULT;
		dst[done++] = (char)byte;
		if (byte == 0)
			return (long)done;
	}
	dst[size - 1] = 0;
	return (long)size;
}

#else

/* Hosted code handles no faults by itself. */
u64 rt_exception_fixup(u64 ip)
{
	return 0;
}

static bool local_read(void *dst, u64 address, u64 size)
{
	return remote_read(rt_sys_getpid(), dst, address, size);
}

static bool local_write(u64 address, const void *src, u64 size)
{
	return rt_sys_vm_write(rt_sys_getpid(), address, src, size) == (long)size;
}

static long local_read_str(char *dst, u64 size, u64 address)
{
	return remote_read_str(rt_sys_getpid(), dst, size, address);
}

#endif

long rt_read_user(struct rt_vcpu *vcpu, void *dst, u64 size, u64 user_address)
{
	u32 remote = vcpu->task.remote_pid;

	if (size == 0)
		return 0;
	if (user_range(user_address, size) && (remote ? remote_read(remote, dst, user_address, size)
						      : local_read(dst, user_address, size)))
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

long rt_read_user_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 user_address)
{
	u32 remote = vcpu->task.remote_pid;
	long length = -EFAULT;

	if (size == 0)
		return 0;
	/* A string may end before the range that size allows does. */
	if (user_range(user_address, 1)) {
		u64 limit = user_address < RT_ARENA_BASE ? RT_ARENA_BASE : USER_END;
		u64 room = limit - user_address;
		u64 most = size < room ? size : room;

		length = remote ? remote_read_str(remote, dst, most, user_address)
				: local_read_str(dst, most, user_address);
	}
	if (length < 0)
		memset(dst, 0, size);
	return length;
}

/* The thread of an iterator's task; 0: it is none of these. */
static u32 task_of_iterator(const struct rt_vcpu *vcpu, u64 image)
{
	const struct rt_seq *seq = vcpu->seq;

	for (u32 i = 0; seq && i < seq->nr_tasks && i < RT_SEQ_TASKS; i++)
		if (seq->task[i].image == image)
			return seq->task[i].tid;
	return 0;
}

static bool is_current(struct rt_vcpu *vcpu, u64 image)
{
	return image && rt_task_image_pid(image, vcpu) == vcpu->task.pid && vcpu->task.pid;
}

long rt_read_task(struct rt_vcpu *vcpu, u64 image, void *dst, u64 size, u64 user_address)
{
	u32 tid = task_of_iterator(vcpu, image);

	if (!tid)
		return is_current(vcpu, image) ? rt_read_user(vcpu, dst, size, user_address)
					       : -EFAULT;
	return user_range(user_address, size) && remote_read(tid, dst, user_address, size)
		       ? 0
		       : -EFAULT;
}

long rt_read_task_str(struct rt_vcpu *vcpu, u64 image, void *dst, u64 size, u64 user_address)
{
	u32 tid = task_of_iterator(vcpu, image);

	if (!tid)
		return is_current(vcpu, image) ? rt_read_user_str(vcpu, dst, size, user_address)
					       : -EFAULT;
	return user_range(user_address, size) ? remote_read_str(tid, dst, size, user_address)
					      : -EFAULT;
}

long rt_read_own(void *dst, u64 size, u64 address)
{
	if (local_read(dst, address, size))
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

long rt_read_kernel(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address)
{
	if (size == 0)
		return 0;
	if (kernel_range(address, size) && local_read(dst, address, size))
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

long rt_read_kernel_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address)
{
	const struct rt_control *control = RT_CONTROL;
	u64 room = 0;
	long length = -EFAULT;

	if (size == 0)
		return 0;
	if (in_range(address, 1, RT_CONTROL_BASE, control->control_size))
		room = RT_CONTROL_BASE + control->control_size - address;
	else if (in_range(address, 1, RT_DATA_BASE, control->data_size))
		room = RT_DATA_BASE + control->data_size - address;
	else if (in_range(address, 1, RT_PRIVATE_BASE, RT_PRIVATE_SIZE))
		room = RT_PRIVATE_BASE + RT_PRIVATE_SIZE - address;
	if (room)
		length = local_read_str(dst, size < room ? size : room, address);
	if (length < 0)
		memset(dst, 0, size);
	return length;
}

long rt_read_any(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address)
{
	return touches_arena(address, 1) ? rt_read_kernel(vcpu, dst, size, address)
					 : rt_read_user(vcpu, dst, size, address);
}

long rt_read_any_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address)
{
	return touches_arena(address, 1) ? rt_read_kernel_str(vcpu, dst, size, address)
					 : rt_read_user_str(vcpu, dst, size, address);
}

long rt_write_user(struct rt_vcpu *vcpu, u64 user_address, const void *src, u64 size)
{
	u32 remote = vcpu->task.remote_pid;

	if (size == 0)
		return 0;
	if (!user_range(user_address, size))
		return -EFAULT;
	if (remote)
		return rt_sys_vm_write(remote, user_address, src, size) == (long)size ? 0 : -EFAULT;
	return local_write(user_address, src, size) ? 0 : -EFAULT;
}
