/* SPDX-License-Identifier: BSD-2-Clause */
/* See install.h. */
#include "jit/install.h"

#include <errno.h>
#include <string.h>

#include "arena/arena.h"
#include "rt/native.h"
#include "rt/prog.h"

#define CODE_ALIGN 64

static u64 descriptor_size(u32 nr_functions)
{
	return sizeof(struct rt_native) + nr_functions * sizeof(void *);
}

/* What lies at an address of the text segment. */
static const void *at(const u8 *text, u32 offset)
{
	return text + offset;
}

static void describe(const struct jit *jit, const u8 *text, u32 nr_functions,
		     struct rt_native *native)
{
	const void *enter = at(text, jit_enter(jit));

	memcpy(&native->enter, &enter, sizeof(enter));
	native->text = text;
	native->text_size = jit_size(jit);
	native->size = jit_enter(jit); /* what follows the functions */
	native->nr_functions = nr_functions;
	for (u32 i = 0; i < nr_functions; i++)
		native->functions[i] = at(text, jit_function(jit, i));
}

static int install(struct arena *arena, const struct jit *jit, struct rt_prog *prog,
		   const char **ret_refusal)
{
	u32 size = jit_size(jit);
	struct rt_native *native =
		arena_alloc(arena, ARENA_CONTROL, descriptor_size(prog->nr_subprogs), 64);
	u8 *text = native ? arena_alloc(arena, ARENA_TEXT, size, CODE_ALIGN) : NULL;
	int error = text ? 0 : -ENOMEM;

	if (!error && jit_copy(jit, arena_text_alias(arena, text), (u64)text)) {
		*ret_refusal = "what it refers to is too far away";
		error = -EOPNOTSUPP;
	}
	if (error) {
		arena_release(arena, ARENA_TEXT, text, size);
		arena_release(arena, ARENA_CONTROL, native, descriptor_size(prog->nr_subprogs));
		return error;
	}
	describe(jit, text, prog->nr_subprogs, native);
	prog->native = native;
	return 0;
}

int jit_install(struct arena *arena, const struct jit_input *input, struct rt_prog *prog,
		const char **ret_refusal)
{
	struct jit *jit;
	int error = jit_compile(input, &jit, ret_refusal);

	if (!error)
		error = install(arena, jit, prog, ret_refusal);
	jit_free(jit);
	return error;
}

void jit_remove(struct arena *arena, const struct rt_native *native)
{
	u32 nr_functions = native ? native->nr_functions : 0;

	if (!native)
		return;
	arena_release(arena, ARENA_TEXT, (void *)(uintptr_t)native->text, native->text_size);
	arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)native,
		      descriptor_size(nr_functions));
}
