/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: any bytes as BTF; what is accepted is asked everything. */
#include "fuzz.h"
#include "btf/btf.h"
#include "btf/fields.h"

#include <string.h>

static u64 seen;

static void use(void *arg, const char *text, u64 size)
{
	while (size--)
		seen += (u8)*text++;
}

static void ask(const struct btf *btf)
{
	const struct btf_type *type;
	struct btf_fields fields;
	u32 id, size, nr = btf_nr_types(btf);

	if (nr > 2000)
		nr = 2000;
	for (id = 0; id <= nr; id++) {
		const char *name = btf_type_name(btf, id);

		type = btf_type_by_id(btf, id);
		if (!type)
			continue;
		seen += strlen(name) + btf_find(btf, name, btf_kind_of(type));
		if (!btf_size_of(btf, id, &size))
			seen += size;
		if (btf_skip_modifiers(btf, id, NULL))
			seen++;
		if (btf_find_member(btf, type, "a"))
			seen++;
		if (btf_func_proto(btf, id))
			seen += btf_vlen_of(btf_func_proto(btf, id));
		if (!btf_fields_parse(btf, id, BTF_FIELDS_OF_VALUES, 64, &fields))
			seen += fields.nr;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf_log log = { 1, use, NULL };
	struct btf *btf = NULL;

	if (!btf_new(data, (u32)size, &log, &btf))
		ask(btf);
	btf_free(btf);
	return 0;
}
