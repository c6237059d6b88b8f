/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths as programs write them, and the façade's answer. The hive's directory is /H. */
#include <stddef.h>
#include <string.h>
#include "agent/walk.h"
#include "harness/tap.h"

static const struct {
	const char *from, *path, *want; /* NULL: the path itself */
} cases[] = {
	/* From outside to inside. */
	{ "", "/sys/fs/bpf", "/H/bpf" },
	{ "", "/sys/fs/bpf/", "/H/bpf/" },
	{ "", "/sys/fs/bpf/a/b", "/H/bpf/a/b" },
	{ "", "/sys/fs/bpfx", NULL },
	{ "", "/sys/fs", NULL },
	{ "", "//sys//fs/./bpf//m", "/H/bpf/m" },
	{ "", "/./sys/fs/bpf/.", "/H/bpf/" },
	{ "", "/../sys/fs/bpf", "/H/bpf" },
	{ "", "/sys/kernel/debug/../tracing/x", "/H/tracing/x" },
	{ "", "/sys/class/net/../../fs/bpf", NULL }, /* a link may stand there: the kernel's */
	{ "/", "sys/fs/bpf", "/H/bpf" },
	{ "/sys", "fs/bpf/x", "/H/bpf/x" },
	{ "/sys/fs", "bpf", "/H/bpf" },
	{ "/sys/fs", "./bpf/x", "/H/bpf/x" },
	{ "/sys/fs", "bpf/../bpf/x", "/H/bpf/x" },
	{ "/sys/fs", "../kernel/tracing/", "/H/tracing/" },
	{ "/sys/kernel", "debug/tracing/events/", "/H/tracing/events/" },
	{ "/sys/devices/system", "cpu/possible", "/H/cpu/possible" },
	{ "/sys/devices/system", "cpu/cpu0", NULL },
	{ "/sys/class", "../fs/bpf", NULL },
	{ "/home", "../sys/fs/bpf", NULL },
	{ "/home/sys/fs", "bpf", NULL },
	{ "(unreachable)/sys/fs", "bpf", NULL },
	/* From inside. */
	{ "/H/bpf", "m", "/H/bpf/m" },
	{ "/H/bpf", ".", "/H/bpf/" },
	{ "/H/bpf", "..", "/sys/fs" },
	{ "/H/bpf/d", "../m", "/H/bpf/m" },
	{ "/H/bpf/d", "../../cgroup/a", "/sys/fs/cgroup/a" },
	{ "/H/bpf", "../../kernel/tracing/trace_pipe", "/H/tracing/trace_pipe" },
	{ "/H/bpf", "../../..", "/" },
	{ "/H/bpf", "../../../../..", "/" },
	{ "/H/bpf", "../../class/net/../x", "/sys/class/net/../x" },
	{ "/H/tracing/events", "../trace_marker", "/H/tracing/trace_marker" },
	/* Beside the façade, in the hive's own directory, nothing is walked. */
	{ "/H/fd", "../bpf", NULL },
	{ "/Hx/bpf", "..", NULL },
	/* From inside to outside by an absolute path. */
	{ "", "/sys/fs/bpf/../cgroup", "/sys/fs/cgroup" },
	{ "", "/sys/fs/bpf/..", "/sys/fs" },
};

static void sizes(struct facade_walker *walker)
{
	static char path[2 * FACADE_PATH_MAX], out[FACADE_PATH_MAX];
	bool ok = true;

	memset(path, 'a', sizeof(path));
	memcpy(path, "/sys/fs/bpf/", 12);
	path[FACADE_PATH_MAX - 2] = '\0';
	ok &= facade_walk(walker, "", path, "/a/long/name", out, sizeof(out)) == -1;
	path[FACADE_PATH_MAX - 2] = 'a';
	path[sizeof(path) - 1] = '\0';
	ok &= facade_walk(walker, "", path, "/H", out, sizeof(out)) <= 0;
	for (u32 size = 0; size < 8; size++)
		ok &= facade_walk(walker, "/H/bpf", "..", "/H", out, size) == -1;
	ok &= facade_walk(walker, "/H/bpf", "..", "/H", out, 8) == 7;
	tap_ok(ok, "what does not fit is refused");
}

int main(void)
{
	static struct facade_walker walker;
	char out[FACADE_PATH_MAX];

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		int length =
			facade_walk(&walker, cases[i].from, cases[i].path, "/H", out, sizeof(out));
		const char *want = cases[i].want ?: cases[i].path,
			   *got = length ? out : cases[i].path;

		tap_ok(!strcmp(got, want) && (!length || length == (int)strlen(out)), "%s: %s",
		       cases[i].from, cases[i].path);
		if (strcmp(got, want))
			tap_note("got %s, want %s", got, want);
	}
	sizes(&walker);
	tap_ok(facade_may_begin("bpf") && facade_may_begin("./../x") &&
		       facade_may_begin(".//sys/") && !facade_may_begin("bp") &&
		       !facade_may_begin("bpfx") && !facade_may_begin("") &&
		       !facade_may_begin(".") && !facade_may_begin("...") &&
		       !facade_may_begin("a/bpf"),
	       "names that a walk may begin with");
	return tap_done();
}
