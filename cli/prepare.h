/* SPDX-License-Identifier: BSD-2-Clause */
/* An object is judged as its application would load it: what that sets beforehand is set here. */
#ifndef SKEP_CLI_PREPARE_H
#define SKEP_CLI_PREPARE_H

#include "object_file.h"

struct bpf_object;

/* Inner maps that were made for objects: open as long as these are loaded. */
struct inner_maps {
	unsigned count;
	int fds[32];
};

/*
 * Before libbpf opens it: what other loaders' conventions put into an object and libbpf refuses.
 * Maps of old style are described by BTF (old_maps.h). Programs that are static, or that old
 * compilers did not mark as functions, become global; a way to pin that is not libbpf's is taken
 * out, and so is what maps hold from the start. The mapping is changed, the file is not.
 */
void prepare_file(struct object_file *file);

/*
 * Before libbpf loads it. Nothing is pinned or taken from a pin. Maps whose size the application
 * computes get the smallest one, perf event arrays their only one, stack traces the kernel's. A
 * program whose section libbpf does not know gets the type that its name means to newer libbpf's
 * and other loaders. Inner maps that have no size either are made at once, and added to inner.
 */
void prepare_object(struct bpf_object *object, struct inner_maps *inner);

/* Closes them. */
void prepare_end(struct inner_maps *inner);

#endif
