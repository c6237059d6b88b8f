/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as BTF describes them, as JSON. */
#ifndef SKEP_CLI_BTF_JSON_H
#define SKEP_CLI_BTF_JSON_H

#include <json-c/json.h>
#include <bpf/btf.h>

/*
 * The value of type id in size bytes of data. Structures become objects, arrays of char strings,
 * enumerators their names, pointers hexadecimal strings. What the bytes do not hold is null.
 */
struct json_object *btf_json_value(const struct btf *btf, __u32 id, const void *data, size_t size);

/* Without BTF: two hexadecimal digits a byte. */
struct json_object *btf_json_hex(const void *data, size_t size);

#endif
