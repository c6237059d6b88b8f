/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF, checked twice: skep's answer to each blob is compared with what the test says and, where
 * bpf(2) is permitted, with the running kernel's errno and log text.
 */
#include "btf/btf.h"
#include "btf/fields.h"
#include "harness/tap.h"
#include "blob.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_SIZE (1u << 20)

struct text {
	char *bytes;
	u32 length;
};

static void text_write(void *arg, const char *bytes, u64 size)
{
	struct text *text = arg;

	if (text->length + size < LOG_SIZE) {
		memcpy(text->bytes + text->length, bytes, size);
		text->length += (u32)size;
		text->bytes[text->length] = 0;
	}
}

static int ask_kernel(const void *data, u32 size, char *log)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.btf = (unsigned long)data;
	attr.btf_size = size;
	attr.btf_log_buf = (unsigned long)log;
	attr.btf_log_size = LOG_SIZE;
	attr.btf_log_level = 1;
	log[0] = 0;
	fd = syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

/* Feeds one blob to both; want is the errno, INT32_MAX if only the agreement matters. */
static void check_blob(const char *name, const void *data, u32 size, int want)
{
	static char ours[LOG_SIZE], theirs[LOG_SIZE];
	struct text text = { ours, 0 };
	struct btf_log log = { 1, text_write, &text };
	struct btf *btf = NULL;
	int error, kernel;

	ours[0] = 0;
	error = btf_new(data, size, &log, &btf);
	if (want != INT32_MAX)
		tap_is(error, want, name);
	if (tap_kernel_bpf()) {
		kernel = ask_kernel(data, size, theirs);
		if (!tap_ok(kernel == error, "%s: the kernel's errno", name))
			tap_note("kernel %d, skep %d", kernel, error);
		if (!tap_ok(!strcmp(ours, theirs), "%s: the kernel's log", name))
			tap_note("kernel:\n%s\n# skep:\n%s", theirs, ours);
	} else {
		tap_skip(2, "%s: no kernel bpf(2) to compare with", name);
	}
	btf_free(btf);
}

static void check_finished(const char *name, struct blob *blob, int want)
{
	blob_finish(blob);
	check_blob(name, blob->bytes, blob->size, want);
	memset(blob, 0, sizeof(*blob));
}

static struct blob blob;

static void every_kind(struct blob *b)
{
	blob_int(b, "int", 4);			   /* 1 */
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 1);   /* 2 */
	blob_type(b, "", BTF_KIND_ARRAY, 0, 0, 0); /* 3 */
	blob_word(b, 1), blob_word(b, 1), blob_word(b, 4);
	blob_type(b, "s", BTF_KIND_STRUCT, 0, 2, 24); /* 4 */
	blob_member(b, "a", 3, 0);
	blob_member(b, "p", 2, 128);
	blob_type(b, "u", BTF_KIND_UNION, 1, 2, 24); /* 5 */
	blob_member(b, "s", 4, 0);
	blob_member(b, "bits", 1, 3u << 24);
	blob_type(b, "e", BTF_KIND_ENUM, 1, 2, 4); /* 6 */
	blob_word(b, blob_string(b, "ONE")), blob_word(b, 1);
	blob_word(b, blob_string(b, "MINUS")), blob_word(b, -1u);
	blob_type(b, "f", BTF_KIND_FWD, 0, 0, 0);	/* 7 */
	blob_type(b, "s_t", BTF_KIND_TYPEDEF, 0, 0, 4); /* 8 */
	blob_type(b, "", BTF_KIND_VOLATILE, 0, 0, 8);	/* 9 */
	blob_type(b, "", BTF_KIND_CONST, 0, 0, 9);	/* 10 */
	blob_type(b, "", BTF_KIND_RESTRICT, 0, 0, 2);	/* 11 */
	blob_type(b, "", BTF_KIND_FUNC_PROTO, 0, 2, 1); /* 12 */
	blob_word(b, blob_string(b, "x")), blob_word(b, 1);
	blob_word(b, 0), blob_word(b, 0);
	blob_type(b, "fn", BTF_KIND_FUNC, 0, BTF_FUNC_GLOBAL, 12); /* 13 */
	blob_type(b, "v", BTF_KIND_VAR, 0, 0, 10);		   /* 14 */
	blob_word(b, 1);
	blob_type(b, ".data", BTF_KIND_DATASEC, 0, 1, 32); /* 15 */
	blob_word(b, 14), blob_word(b, 8), blob_word(b, 24);
	blob_type(b, "double", BTF_KIND_FLOAT, 0, 0, 8);  /* 16 */
	blob_type(b, "tag", BTF_KIND_DECL_TAG, 0, 0, 13); /* 17 */
	blob_word(b, 0);
	blob_type(b, "user", BTF_KIND_TYPE_TAG, 0, 0, 1); /* 18 */
	blob_type(b, "e64", BTF_KIND_ENUM64, 0, 1, 8);	  /* 19 */
	blob_word(b, blob_string(b, "BIG")), blob_word(b, 5), blob_word(b, 1);
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 18); /* 20 */
}

static void test_queries(void)
{
	struct btf_fields fields;
	struct btf *btf = NULL;
	u32 size = 0, id = 0;

	every_kind(&blob);
	blob_finish(&blob);
	tap_is(btf_new(blob.bytes, blob.size, NULL, &btf), 0, "a blob with every kind is good");
	if (!btf)
		tap_bail("nothing to ask");
	tap_is(btf_nr_types(btf), 21, "number of types with void");
	tap_is(btf_find(btf, "s", BTF_KIND_STRUCT), 4, "find by name and kind");
	tap_is(btf_find(btf, "s", BTF_KIND_UNION), 0, "the kind counts");
	tap_is(btf_size_of(btf, 10, &size), 0, "const volatile typedef struct has a size");
	tap_is(size, 24, "which is the struct's");
	tap_is(btf_size_of(btf, 3, &size), 0, "an array has a size");
	tap_is(size, 16, "elements times their size");
	tap_is(btf_size_of(btf, 0, &size), -EINVAL, "void has none");
	tap_is(btf_size_of(btf, 7, &size), -EINVAL, "a forward declaration has none");
	tap_is(btf_size_of(btf, 99, &size), -EINVAL, "what does not exist has none");
	tap_ok(btf_skip_modifiers(btf, 10, &id) && id == 4, "modifiers are skipped");
	tap_ok(btf_find_member(btf, btf_type_by_id(btf, 4), "p") ==
		       &btf_members_of(btf_type_by_id(btf, 4))[1],
	       "a member by name");
	tap_ok(!btf_find_member(btf, btf_type_by_id(btf, 4), "q"), "no such member");
	tap_is(btf_member_bits(btf_type_by_id(btf, 5), &btf_members_of(btf_type_by_id(btf, 5))[1]),
	       3, "a bit field's width");
	tap_is(btf_func_linkage(btf, 13), BTF_FUNC_GLOBAL, "linkage");
	tap_is(btf_func_linkage(btf, 12), -EINVAL, "a prototype has no linkage");
	tap_ok(btf_func_proto(btf, 13) == btf_type_by_id(btf, 12), "prototype");
	tap_ok(!strcmp(btf_type_name(btf, 13), "fn"), "name of a function");
	tap_ok(!btf_type_by_id(btf, 21) && !btf_string(btf, blob.str_len), "out of range is NULL");
	tap_ok(!btf_fields_parse(btf, 15, BTF_FIELDS_OF_VALUES, 64, &fields) && !fields.nr,
	       "no special field");
	btf_free(btf);
	check_finished("every kind", &blob, 0);
}

static void test_special(void)
{
	struct btf_fields fields;
	struct btf *btf = NULL;

	blob_int(&blob, "int", 4);
	blob_type(&blob, "bpf_timer", BTF_KIND_STRUCT, 0, 1, 16);
	blob_member(&blob, "x", 1, 0);
	blob_type(&blob, "value", BTF_KIND_STRUCT, 0, 1, 16);
	blob_member(&blob, "t", 2, 0);
	blob_type(&blob, "kptr", BTF_KIND_TYPE_TAG, 0, 0, 2);
	blob_type(&blob, "", BTF_KIND_PTR, 0, 0, 4);
	blob_type(&blob, "holder", BTF_KIND_STRUCT, 0, 1, 8);
	blob_member(&blob, "p", 5, 0);
	blob_finish(&blob);
	tap_is(btf_new(blob.bytes, blob.size, NULL, &btf), 0, "a struct with a timer");
	tap_ok(btf && !btf_fields_parse(btf, 3, BTF_FIELDS_OF_VALUES, 16, &fields) &&
		       fields.nr == 1 && !fields.field[0].offset &&
		       fields.field[0].kind == BTF_FIELD_TIMER,
	       "the timer is found");
	tap_ok(btf && !btf_fields_parse(btf, 6, BTF_FIELDS_OF_VALUES, 8, &fields) &&
		       fields.nr == 1 && fields.field[0].kind == BTF_FIELD_KPTR_REF,
	       "the kptr is found");
	tap_is(btf_fields_parse(btf, 3, BTF_FIELDS_OF_VALUES, 15, &fields), -EFAULT,
	       "a value that is too short for its timer");
	btf_free(btf);
	memset(&blob, 0, sizeof(blob));
}

/* One of each thing that can be wrong; kind-specific rows in the order of the kinds. */
static void test_shapes(void)
{
	struct blob *b = &blob;

	blob_type(b, "int", BTF_KIND_INT, 0, 1, 4), blob_word(b, 32);
	check_finished("int with vlen", b, -EINVAL);
	blob_type(b, "int", BTF_KIND_INT, 1, 0, 4), blob_word(b, 32);
	check_finished("int with kflag", b, -EINVAL);
	blob_type(b, "int", BTF_KIND_INT, 0, 0, 4), blob_word(b, 33);
	check_finished("int wider than its size", b, -EINVAL);
	blob_type(b, "int", BTF_KIND_INT, 0, 0, 400), blob_word(b, 129);
	check_finished("int of 129 bits", b, -EINVAL);
	blob_type(b, "int", BTF_KIND_INT, 0, 0, 4), blob_word(b, 0x7000020);
	check_finished("int of two encodings", b, -524);
	blob_type(b, "int", BTF_KIND_INT, 0, 0, 4), blob_word(b, 0xf0000020);
	check_finished("int_data with high bits", b, -EINVAL);
	blob_type(b, "int", BTF_KIND_INT, 0, 0, 4);
	check_finished("int without data", b, -EINVAL);
	blob_word(b, 0);
	check_finished("four bytes of type", b, -EINVAL);
	blob_type(b, "", 20, 0, 0, 0);
	check_finished("kind 20", b, -EINVAL);
	blob_type(b, "", 0, 0, 0, 0);
	check_finished("kind 0", b, -EINVAL);
	blob_word(b, 0), blob_word(b, 0x60000000), blob_word(b, 0);
	check_finished("reserved bits of info", b, -EINVAL);
	blob_word(b, 999), blob_word(b, BTF_KIND_PTR << 24), blob_word(b, 0);
	check_finished("name outside of the strings", b, -EINVAL);
	blob_type(b, "p", BTF_KIND_PTR, 0, 0, 0);
	check_finished("pointer with a name", b, -EINVAL);
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 0x100000);
	check_finished("pointer to an impossible id", b, -EINVAL);
	blob_type(b, "", BTF_KIND_TYPEDEF, 0, 0, 0);
	check_finished("typedef without a name", b, -EINVAL);
	blob_type(b, "a b", BTF_KIND_TYPEDEF, 0, 0, 0);
	check_finished("typedef with a bad name", b, -EINVAL);
	blob_type(b, "v", BTF_KIND_TYPEDEF, 0, 0, 0);
	check_finished("typedef of void", b, 0);
	blob_type(b, "", BTF_KIND_TYPE_TAG, 0, 0, 0);
	check_finished("type tag without a name", b, -EINVAL);
	blob_type(b, "t", BTF_KIND_TYPE_TAG, 1, 0, 0);
	check_finished("type tag with kflag", b, INT32_MAX);
}

static void test_more_shapes(void)
{
	struct blob *b = &blob;

	blob_type(b, "f", BTF_KIND_FWD, 0, 0, 1);
	check_finished("forward with a type", b, -EINVAL);
	blob_type(b, "", BTF_KIND_ENUM, 0, 0, 3);
	check_finished("enum of size 3", b, -EINVAL);
	blob_type(b, "", BTF_KIND_ENUM, 0, 0, 0);
	check_finished("enum of size 0", b, INT32_MAX);
	blob_type(b, "", BTF_KIND_ENUM, 0, 1, 4), blob_word(b, 0), blob_word(b, 0);
	check_finished("enumerator without a name", b, -EINVAL);
	blob_type(b, "", BTF_KIND_ENUM, 0, 1, 4), blob_word(b, 99), blob_word(b, 0);
	check_finished("enumerator with a bad name", b, -EINVAL);
	blob_type(b, "fl", BTF_KIND_FLOAT, 0, 0, 3);
	check_finished("float of size 3", b, -EINVAL);
	blob_type(b, "fp", BTF_KIND_FUNC_PROTO, 0, 0, 0);
	check_finished("prototype with a name", b, -EINVAL);
	blob_type(b, "", BTF_KIND_FUNC_PROTO, 0, 0, 0), blob_type(b, "f", BTF_KIND_FUNC, 0, 3, 1);
	check_finished("function with linkage 3", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "v", BTF_KIND_VAR, 0, 0, 1), blob_word(b, 2);
	check_finished("variable with linkage 2", b, -EINVAL);
	blob_type(b, "v", BTF_KIND_VAR, 0, 0, 0), blob_word(b, 1);
	check_finished("variable of void", b, -EINVAL);
	blob_type(b, ".s", BTF_KIND_DATASEC, 0, 0, 0);
	check_finished("section of size 0", b, -EINVAL);
	blob_type(b, ".s", BTF_KIND_DATASEC, 0, 0, 4);
	check_finished("section without variables", b, 0);
	blob_int(b, "int", 4), blob_type(b, "tag", BTF_KIND_DECL_TAG, 0, 0, 1), blob_word(b, -2u);
	check_finished("declaration tag with component -2", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "tag", BTF_KIND_DECL_TAG, 0, 0, 1), blob_word(b, -1u);
	check_finished("declaration tag on an int", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "i_t", BTF_KIND_TYPEDEF, 0, 0, 1);
	blob_type(b, "tag", BTF_KIND_DECL_TAG, 1, 0, 2), blob_word(b, -1u);
	check_finished("declaration tag with kflag", b, INT32_MAX);
}

static void test_sections(void)
{
	struct blob *b = &blob;

	blob_int(b, "int", 4), blob_type(b, "v", BTF_KIND_VAR, 0, 0, 1), blob_word(b, 1);
	blob_type(b, "s", BTF_KIND_DATASEC, 0, 2, 8);
	blob_word(b, 2), blob_word(b, 4), blob_word(b, 4), blob_word(b, 2), blob_word(b, 0),
		blob_word(b, 4);
	check_finished("variables that go back", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "v", BTF_KIND_VAR, 0, 0, 1), blob_word(b, 1);
	blob_type(b, "s", BTF_KIND_DATASEC, 0, 1, 8), blob_word(b, 2), blob_word(b, 6),
		blob_word(b, 4);
	check_finished("a variable beyond its section", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "v", BTF_KIND_VAR, 0, 0, 1), blob_word(b, 1);
	blob_type(b, "s", BTF_KIND_DATASEC, 0, 1, 8), blob_word(b, 2), blob_word(b, 0),
		blob_word(b, 2);
	check_finished("a variable cut short", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_DATASEC, 0, 1, 8), blob_word(b, 1),
		blob_word(b, 0), blob_word(b, 4);
	check_finished("a section of something else", b, -EINVAL);
	/* A VAR that refers to a VAR, a const to a section. */
	blob_int(b, "int", 4), blob_type(b, "v", BTF_KIND_VAR, 0, 0, 1), blob_word(b, 1);
	blob_type(b, "w", BTF_KIND_VAR, 0, 0, 2), blob_word(b, 1);
	check_finished("a variable of a variable", b, -EINVAL);
}

static void test_references(void)
{
	struct blob *b = &blob;
	u32 i;

	blob_type(b, "", BTF_KIND_CONST, 0, 0, 2), blob_type(b, "", BTF_KIND_VOLATILE, 0, 0, 1);
	check_finished("a loop of modifiers", b, -EEXIST);
	blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8), blob_member(b, "s", 1, 0);
	check_finished("a struct in itself", b, -EEXIST);
	blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8), blob_member(b, "s", 2, 0);
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 1);
	check_finished("a struct that points to itself", b, 0);
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 2), blob_type(b, "", BTF_KIND_PTR, 0, 0, 1);
	check_finished("two pointers to each other", b, -EEXIST);
	blob_type(b, "", BTF_KIND_CONST, 0, 0, 9);
	check_finished("a modifier of nothing", b, -EINVAL);
	for (i = 0; i < 40; i++)
		blob_type(b, "", BTF_KIND_CONST, 0, 0, i + 2);
	blob_int(b, "int", 4);
	check_finished("a chain of 40 modifiers", b, -E2BIG);
	for (blob_int(b, "int", 4), i = 0; i < 40; i++)
		blob_type(b, "", BTF_KIND_CONST, 0, 0, i + 1);
	check_finished("a chain of 40 modifiers, downwards", b, INT32_MAX);
	for (i = 0; i < 31; i++)
		blob_type(b, "", BTF_KIND_CONST, 0, 0, i + 2);
	blob_int(b, "int", 4);
	check_finished("a chain of 31 modifiers", b, 0);
	blob_int(b, "int", 4), blob_type(b, "", BTF_KIND_CONST, 0, 0, 1);
	blob_type(b, "t", BTF_KIND_TYPE_TAG, 0, 0, 2), blob_type(b, "", BTF_KIND_CONST, 0, 0, 3);
	check_finished("a type tag behind a modifier", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "", BTF_KIND_ARRAY, 0, 0, 0);
	blob_word(b, 1), blob_word(b, 1), blob_word(b, 0x40000000);
	check_finished("an array of 4 GiB", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "", BTF_KIND_ARRAY, 0, 0, 0);
	blob_word(b, 1), blob_word(b, 2), blob_word(b, 1);
	check_finished("an array indexed by itself", b, -EEXIST);
	blob_int(b, "int", 4), blob_type(b, "f", BTF_KIND_FUNC, 0, 0, 1);
	check_finished("a function of type int", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "", BTF_KIND_FUNC_PROTO, 0, 1, 0);
	blob_word(b, 0), blob_word(b, 1), blob_type(b, "f", BTF_KIND_FUNC, 0, 0, 2);
	check_finished("a function with a nameless argument", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "", BTF_KIND_FUNC_PROTO, 0, 2, 0);
	blob_word(b, 0), blob_word(b, 0), blob_word(b, 0), blob_word(b, 1);
	check_finished("a void argument in front", b, -EINVAL);
	blob_type(b, "f", BTF_KIND_FWD, 0, 0, 0), blob_type(b, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);
	check_finished("a function that returns a forward", b, -EINVAL);
}

static void test_members(void)
{
	struct blob *b = &blob;

	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 4),
		blob_member(b, "a", 1, 8);
	check_finished("an int that sticks out", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 4),
		blob_member(b, "a", 1, 40);
	check_finished("an offset behind the struct", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 1, 1, 4),
		blob_member(b, "a", 1, 33u << 24);
	check_finished("a bit field wider than its type", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 1, 1, 8),
		blob_member(b, "a", 1, 4);
	check_finished("kflag and a half-byte offset", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 2, 8),
		blob_member(b, "a", 1, 32), blob_member(b, "b", 1, 0);
	check_finished("members that go back", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_UNION, 0, 1, 8),
		blob_member(b, "a", 1, 32);
	check_finished("a union's member with an offset", b, -EINVAL);
	blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8), blob_member(b, "a", 0, 0);
	check_finished("a member of void", b, -EINVAL);
	blob_type(b, "f", BTF_KIND_FWD, 0, 0, 0), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8),
		blob_member(b, "a", 1, 0);
	check_finished("a member of a forward type", b, -EINVAL);
	blob_type(b, "d", BTF_KIND_FLOAT, 0, 0, 8), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 16),
		blob_member(b, "a", 1, 32);
	check_finished("a float that is not aligned", b, -EINVAL);
	blob_type(b, "", BTF_KIND_PTR, 0, 0, 0), blob_type(b, "s", BTF_KIND_STRUCT, 1, 1, 16),
		blob_member(b, "a", 1, 8u << 24);
	check_finished("a pointer as a bit field", b, -EINVAL);
	blob_type(b, "e", BTF_KIND_ENUM, 0, 0, 8), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 4),
		blob_member(b, "a", 1, 0);
	check_finished("an enum that sticks out", b, -EINVAL);
	blob_type(b, "e", BTF_KIND_ENUM, 0, 0, 4), blob_type(b, "s", BTF_KIND_STRUCT, 1, 1, 4),
		blob_member(b, "a", 1, 40u << 24);
	check_finished("an enum of 40 bits", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8);
	blob_word(b, 999), blob_word(b, 1), blob_word(b, 0);
	check_finished("a member whose name is nowhere", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 1, 8),
		blob_member(b, "1a", 1, 0);
	check_finished("a member with a bad name", b, -EINVAL);
	blob_int(b, "int", 4), blob_type(b, "s", BTF_KIND_STRUCT, 0, 9, 8);
	check_finished("fewer members than announced", b, -EINVAL);
}

static void test_headers(void)
{
	static u8 bytes[4096];
	struct btf_header *header = (struct btf_header *)bytes;
	u32 size, at;

	blob_int(&blob, "int", 4);
	blob_finish(&blob);
	size = blob.size;
#define CASE(name, want, change)                     \
	do {                                         \
		memset(bytes, 0, sizeof(bytes));     \
		memcpy(bytes, blob.bytes, size);     \
		change;                              \
		check_blob(name, bytes, size, want); \
	} while (0)
	CASE("the plain blob", 0, );
	CASE("magic", -EINVAL, header->magic = 1);
	CASE("version", -524, header->version = 2);
	CASE("flags", -524, header->flags = 1);
	CASE("header longer than the blob", -EINVAL, header->hdr_len = 4000);
	CASE("header of 8 bytes", -EINVAL, header->hdr_len = 8);
	CASE("header of 7 bytes", -EINVAL, header->hdr_len = 7);
	CASE("header of 4 bytes", -EINVAL, header->hdr_len = 4);
	CASE("header of 0 bytes", -EINVAL, header->hdr_len = 0);
	CASE("longer header, not zero", -E2BIG, header->hdr_len = 28);
	CASE("gap", -EINVAL, header->type_off = 4);
	CASE("overlap", -EINVAL, header->str_off = 4);
	CASE("type_off far away", -EINVAL, header->type_off = 0xfffffff0);
	CASE("type_len too long", -EINVAL, header->type_len = 0xfffffff0);
	CASE("str_len too long", -EINVAL, header->str_len = 4000);
	CASE("str_len too short", -EINVAL, header->str_len--);
	CASE("strings begin with a letter", -EINVAL,
	     bytes[header->hdr_len + header->str_off] = 'x');
	CASE("strings end with a letter", -EINVAL, bytes[size - 1] = 'x');
	CASE("strings first", -EINVAL, (header->str_off = 0, header->type_off = header->str_len));
#undef CASE
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, blob.bytes, sizeof(*header));
	memcpy(bytes + 29, blob.bytes + sizeof(*header), size - sizeof(*header));
	header->hdr_len = 29;
	check_blob("a longer header, odd, of zeros", bytes, size + 5, 0);
	for (at = 0; at < size; at++) {
		memcpy(bytes, blob.bytes, size);
		check_blob("truncated", bytes, at, -EINVAL);
	}
	memset(&blob, 0, sizeof(blob));
}

/* Seeded: the blob with every kind, with one word or byte changed, must be judged as the kernel
 * does. */
static void test_mutants(void)
{
	static u8 bytes[sizeof(blob.bytes)];
	static char ours[LOG_SIZE], theirs[LOG_SIZE];
	u32 seed = 12345, round, bad = 0, at, accepted = 0;
	struct btf *btf;

	every_kind(&blob);
	blob_finish(&blob);
	if (!tap_kernel_bpf()) {
		tap_skip(1, "mutants: no kernel bpf(2) to compare with");
		return;
	}
	for (round = 0; round < 20000; round++) {
		struct text text = { ours, 0 };
		struct btf_log log = { 1, text_write, &text };
		int error, kernel;

		memcpy(bytes, blob.bytes, blob.size);
		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % blob.size;
		seed = seed * 1103515245 + 12345;
		if (round % 2)
			bytes[at] = (u8)(seed >> 16) % (round % 4 == 1 ? 32 : 256);
		else
			bytes[at] ^= (u8)(1 << ((seed >> 16) % 8));
		ours[0] = 0;
		btf = NULL;
		error = btf_new(bytes, blob.size, &log, &btf);
		btf_free(btf);
		accepted += !error;
		kernel = ask_kernel(bytes, blob.size, theirs);
		if (error == kernel && !strcmp(ours, theirs))
			continue;
		if (bad++ < 3)
			tap_note("round %u: byte %u = %u: kernel %d\n%s\n# skep %d\n%s", round, at,
				 bytes[at], kernel, theirs, error, ours);
	}
	tap_ok(!bad, "20000 mutants (%u of them good) are judged as the kernel judges them",
	       accepted);
	memset(&blob, 0, sizeof(blob));
}

/* The kernel's own BTF is the largest real one at hand. */
static void test_vmlinux(void)
{
	FILE *file = fopen("/sys/kernel/btf/vmlinux", "r");
	struct btf *btf = NULL;
	void *data;
	u32 size;

	if (!file) {
		tap_skip(2, "no /sys/kernel/btf/vmlinux");
		return;
	}
	data = malloc(BTF_SIZE_MAX);
	size = (u32)fread(data, 1, BTF_SIZE_MAX, file);
	fclose(file);
	tap_is(btf_new(data, size, NULL, &btf), 0, "the kernel's own BTF is good");
	tap_ok(btf && btf_find(btf, "task_struct", BTF_KIND_STRUCT), "and has a task_struct");
	btf_free(btf);
	free(data);
}

int main(void)
{
	test_queries();
	test_special();
	test_shapes();
	test_more_shapes();
	test_sections();
	test_references();
	test_members();
	test_headers();
	test_mutants();
	test_vmlinux();
	return tap_done();
}
