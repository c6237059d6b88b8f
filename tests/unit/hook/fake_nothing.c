/* SPDX-License-Identifier: BSD-2-Clause */
/* What stand-ins for src/sys have nothing of: timers, mappings, saved states, iterators. */
#include <errno.h>

#include "sys/state.h"
#include "sys/sys.h"

u64 sys_async_step(struct sys_hive *hive)
{
	return UINT64_MAX;
}

void sys_hive_reap(struct sys_hive *hive)
{
}

int sys_symbols(struct sys_hive *hive, sys_symbol_fn fn, void *arg)
{
	return fn(arg, 0x1000, "bpf_map_lookup_elem", false);
}

int sys_map_mmap(struct object *map, int access, u32 prot, u32 map_flags, u64 offset, u64 length,
		 u64 *ret_address)
{
	return -EPERM;
}

int sys_state_write(struct sys_hive *hive, const struct sys_state_pin *pins, u32 nr_pins,
		    void (*left_out)(void *arg, const struct sys_state_pin *pin,
				     const char *reason),
		    void *arg, struct text *ret_text)
{
	return -ENOTSUP;
}

int sys_state_read(struct sys_hive *hive, const void *data, u64 size,
		   int (*pin)(void *arg, const struct sys_state_pin *pin), void *arg,
		   const char **ret_reason)
{
	return -ENOTSUP;
}

u64 sys_map_ticket(struct object *map, int access)
{
	return 0;
}

void sys_tickets_end(void)
{
}

void sys_tickets_stop(void)
{
}

bool sys_object_is_iter_link(const struct object *object)
{
	return false;
}

int sys_iter_open(struct sys_client *client, struct object *object, struct object **ret_session)
{
	return -EACCES;
}

long sys_iter_read(struct sys_client *client, struct object *object, u64 size,
		   const void **ret_data)
{
	return -EINVAL;
}

void sys_iter_consume(struct object *object, u64 size)
{
}
