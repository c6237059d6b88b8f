/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads each program of each object file by itself and says what the verifier said: one line a
 * program, "FILE PROGRAM VERDICT EXPECTED | last words of the log". VERDICT is ok or a negative
 * errno; EXPECTED is what the kernel's self-tests annotate in the BTF for privileged clients
 * (success, failure, or a dash), followed by "text" if an expected message is missing. With -l the
 * whole log follows, each line behind two spaces and a bar.
 *
 * With a kernel's own objects this compares bpf(2) of whoever serves it with that kernel's.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_SIZE   (16u << 20)
#define PREFIX	   "comment:"
#define MESSAGES   16
#define LAST_WORDS 160

static char log_text[LOG_SIZE];
static bool whole_logs;

struct expectation {
	bool success, failure, skip;
	const char *message[MESSAGES];
	int nr;
	__u32 flags, log_level;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static __u32 flag_of(const char *name)
{
	static const struct {
		const char *name;
		__u32 flag;
	} flags[] = {
		{ "BPF_F_STRICT_ALIGNMENT", BPF_F_STRICT_ALIGNMENT },
		{ "BPF_F_ANY_ALIGNMENT", BPF_F_ANY_ALIGNMENT },
		{ "BPF_F_TEST_RND_HI32", BPF_F_TEST_RND_HI32 },
		{ "BPF_F_TEST_STATE_FREQ", BPF_F_TEST_STATE_FREQ },
		{ "BPF_F_SLEEPABLE", BPF_F_SLEEPABLE },
		{ "BPF_F_XDP_HAS_FRAGS", BPF_F_XDP_HAS_FRAGS },
		{ "BPF_F_TEST_REG_INVARIANTS", 1u << 7 },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(flags[i].name, name))
			return flags[i].flag;
	return (__u32)strtoul(name, NULL, 0);
}

/* An annotation may have a number before its text, to keep equal ones apart. */
static const char *after(const char *tag, const char *word)
{
	size_t length = strlen(word);

	return strncmp(tag, word, length) ? NULL : tag + length;
}

static void take_tag(const char *tag, struct expectation *expect)
{
	const char *rest;

	if (strncmp(tag, PREFIX, sizeof(PREFIX) - 1))
		return;
	tag += sizeof(PREFIX) - 1;
	if (!strcmp(tag, "test_expect_success"))
		expect->success = true;
	else if (!strcmp(tag, "test_expect_failure"))
		expect->failure = true;
	else if (!strcmp(tag, "test_auxiliary") || !strcmp(tag, "test_auxiliary_unpriv"))
		expect->skip = true;
	else if ((rest = after(tag, "test_prog_flags=")))
		expect->flags |= flag_of(rest);
	else if ((rest = after(tag, "test_log_level=")))
		expect->log_level = (__u32)atoi(rest);
	else if ((rest = after(tag, "test_expect_msg=")) && expect->nr < MESSAGES) {
		const char *text = strchr(rest, '=');

		/* "N=" before the text. */
		if (text && strspn(rest, "0123456789") == (size_t)(text - rest))
			rest = text + 1;
		expect->message[expect->nr++] = rest;
	}
}

static void read_tags(const struct btf *btf, const char *program, struct expectation *expect)
{
	__u32 func = (__u32)btf__find_by_name_kind(btf, program, BTF_KIND_FUNC);
	__u32 nr = btf__type_cnt(btf);

	for (__u32 i = 1; i < nr; i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);

		if (btf_is_decl_tag(type) && type->type == func &&
		    btf_decl_tag(type)->component_idx == -1)
			take_tag(btf__name_by_offset(btf, type->name_off), expect);
	}
}

/* Where the pattern's plain parts end in text, one behind the other; NULL: they are not there. */
static const char *find_pattern(const char *text, const char *pattern)
{
	char part[512];

	while (*pattern) {
		const char *open = strstr(pattern, "{{");
		size_t length = open ? (size_t)(open - pattern) : strlen(pattern);

		if (length >= sizeof(part))
			return NULL;
		memcpy(part, pattern, length);
		part[length] = '\0';
		text = strstr(text, part);
		if (!text)
			return NULL;
		text += length;
		if (!open)
			break;
		pattern = strstr(open, "}}");
		if (!pattern)
			return NULL;
		pattern += 2;
	}
	return text;
}

static bool messages_there(const struct expectation *expect)
{
	const char *at = log_text;

	for (int i = 0; i < expect->nr && at; i++)
		at = find_pattern(at, expect->message[i]);
	return at;
}

static void say_last_words(void)
{
	char *end = strstr(log_text, "processed "), *begin;
	char *next;

	while (end && (next = strstr(end + 1, "\nprocessed ")))
		end = next + 1;
	if (end)
		*end = '\0';
	end = log_text + strlen(log_text);
	while (end > log_text && end[-1] == '\n')
		*--end = '\0';
	begin = strrchr(log_text, '\n');
	printf(" | %.*s\n", LAST_WORDS, begin ? begin + 1 : log_text);
}

static void say_log(char *log)
{
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		printf("  | %s\n", line);
}

/* Sections that a libbpf of Debian 12 does not know yet. */
static void set_type(struct bpf_program *program)
{
	static const struct {
		const char *section;
		enum bpf_prog_type type;
		unsigned int attach;
	} sections[] = {
		{ "tc/ingress", BPF_PROG_TYPE_SCHED_CLS, 46 },
		{ "tcx/ingress", BPF_PROG_TYPE_SCHED_CLS, 46 },
		{ "tc/egress", BPF_PROG_TYPE_SCHED_CLS, 47 },
		{ "tcx/egress", BPF_PROG_TYPE_SCHED_CLS, 47 },
		{ "netfilter", 32, 45 },
		{ "cgroup/connect_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 49 },
		{ "cgroup/sendmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 50 },
		{ "cgroup/recvmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 51 },
		{ "cgroup/getpeername_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 52 },
		{ "cgroup/getsockname_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 53 },
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcmp(bpf_program__section_name(program), sections[i].section) != 0)
			continue;
		bpf_program__set_type(program, sections[i].type);
		bpf_program__set_expected_attach_type(program, sections[i].attach);
	}
}

static void load_one(const char *path, const char *name)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program, *wanted = NULL;
	struct expectation expect = { 0 };
	const char *file = strrchr(path, '/');
	int err = -EINVAL;

	if (!object)
		return;
	/* Programs that are there for others are loaded, too: maps of programs hold them. */
	bpf_object__for_each_program(program, object) {
		struct expectation its = { 0 };

		read_tags(bpf_object__btf(object), bpf_program__name(program), &its);
		bpf_program__set_autoload(program, its.skip);
		if (strcmp(bpf_program__name(program), name) != 0)
			continue;
		bpf_program__set_autoload(program, true);
		set_type(program);
		wanted = program;
		expect = its;
	}
	if (wanted) {
		if (expect.flags)
			bpf_program__set_flags(wanted, bpf_program__flags(wanted) | expect.flags);
		log_text[0] = '\0';
		bpf_program__set_log_buf(wanted, log_text, sizeof(log_text));
		bpf_program__set_log_level(wanted, expect.log_level ? expect.log_level : 2);
		err = bpf_object__load(object);
	}
	if (!expect.skip) {
		char *log = whole_logs ? strdup(log_text) : NULL;

		printf("%s %s ", file ? file + 1 : path, name);
		if (err)
			printf("%d", err);
		else
			printf("ok");
		printf(" %s%s",
		       expect.success	? "success"
		       : expect.failure ? "failure"
					: "-",
		       messages_there(&expect) ? "" : " text");
		say_last_words();
		if (log)
			say_log(log);
		free(log);
	}
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	int first = 1;

	libbpf_set_print(quiet);
	if (argc > 1 && !strcmp(argv[1], "-l")) {
		whole_logs = true;
		first++;
	}
	for (int i = first; i < argc; i++) {
		struct bpf_object *object = bpf_object__open_file(argv[i], NULL);
		struct bpf_program *program;

		if (!object) {
			printf("%s cannot be opened: %d\n", argv[i], -errno);
			continue;
		}
		bpf_object__for_each_program(program, object)
			load_one(argv[i], bpf_program__name(program));
		bpf_object__close(object);
		fflush(stdout);
	}
	return 0;
}
