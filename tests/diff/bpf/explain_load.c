/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explained differences of PROG_LOAD. Both sides are asked again with room for the whole log; then
 * the logs must be the same but for what is each side's own, word by word.
 */
#include "compare.h"
#include "abi/helper.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_MAX	   (AT_EDGE - AT_OWN)
#define ADDRESS_OF 9 /* digits: a shorter number is none of an address */

struct log {
	long result;
	u32 true_size;
	char text[LOG_MAX];
	char plain[LOG_MAX]; /* without what is a side's own */
};

static struct log logs[SIDES];

/* Behind an address of the kernel's or of the arena's, and behind the blanks that fill its column;
 * NULL if there is none here. */
static const char *after_address(const char *text)
{
	const char *at = text + 2;

	if (strncmp(text, "0xffff", 6) != 0 && strncmp(text, "0x7e8", 5) != 0)
		return NULL;
	while (isxdigit((unsigned char)*at))
		at++;
	return at - text - 2 >= ADDRESS_OF ? at + strspn(at, " ") : NULL;
}

/* Copies a log; in place of what is a side's own stands a word. */
static void make_plain(struct log *log)
{
	static const char helper[] = "program of this type cannot use helper ";
	static const char func[] = "unknown func ", time[] = "verification time ";
	const char *in = log->text, *end;
	char *out = log->plain;

	while (*in) {
		end = after_address(in);
		if (end) {
			*out++ = '@';
			in = end;
		} else if (!strncmp(in, helper, sizeof(helper) - 1)) {
			*out++ = '!';
			in += sizeof(helper) - 1;
		} else if (!strncmp(in, func, sizeof(func) - 1)) {
			*out++ = '!';
			in += sizeof(func) - 1;
		} else if (!strncmp(in, time, sizeof(time) - 1)) {
			*out++ = '~';
			for (in += sizeof(time) - 1; isdigit((unsigned char)*in); in++)
				;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

static void ask_again(struct pair *pair, const struct op *op, u32 level)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		logs[side].result = pair_load(pair, side, op, level, logs[side].text, LOG_MAX,
					      &logs[side].true_size);
		make_plain(&logs[side]);
	}
}

static bool same_verdict(long a, long b)
{
	return a == b || (a >= FIRST_FD && b >= FIRST_FD);
}

/* Is text all of the log, its end (what a full buffer keeps) or, with fixed, its beginning? */
static bool is_part_of(const char *text, const struct log *log, bool fixed)
{
	size_t size = strlen(text), whole = strlen(log->text);

	if (size > whole)
		return false;
	return !memcmp(text, fixed ? log->text : log->text + whole - size, size);
}

/* Was anything written but the log and its size? What lies in the log's place is in it. */
static bool only_log_differs(const struct op *op, const struct outcome *outcome, u32 level)
{
	static u8 memory[SIDES][MEMORY_SIZE];
	const union abi_attr *attr = op_attr(op);
	u64 start = attr->load.log_buf, end = start + attr->load.log_size;
	u32 size_at = op->attr_at + offsetof(union abi_attr, load.log_true_size);
	int side;

	for (side = 0; side < SIDES; side++) {
		memcpy(memory[side], outcome->memory[side], MEMORY_SIZE);
		if (size_at + 4 <= MEMORY_SIZE)
			memset(memory[side] + size_at, 0, 4);
		if (start < MEMORY || start >= MEMORY_END || end < start)
			continue;
		if (end > MEMORY_END)
			end = MEMORY_END;
		if (end < MEMORY_END && !(level & 4) && end - start < LOG_MAX &&
		    !memchr(memory[side] + (start - MEMORY), 0, end - start))
			return false;
		if (!(level & 4) && start == MEMORY + AT_LOG && end < MEMORY_END &&
		    !is_part_of((char *)memory[side] + AT_LOG, &logs[side],
				attr->load.log_level & 8))
			return false;
		memset(memory[side] + (start - MEMORY), 0, end - start);
	}
	return !memcmp(memory[0], memory[1], MEMORY_SIZE);
}

/* What the call asked for; a buffer that does not rotate is what asking again has room for. */
static u32 level_of(const struct op *op)
{
	u32 level = op_attr(op)->load.log_level;

	return level & 7 ? level & 7 : level;
}

/* Is all of the log's place the client's? */
static bool is_room(u64 log_buf, u32 log_size)
{
	return log_buf >= MEMORY && log_buf < MEMORY_END && log_size <= MEMORY_END - log_buf;
}

static bool has_room(const union abi_attr *attr)
{
	return is_room(attr->load.log_buf, attr->load.log_size);
}

bool load_own_words(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;
	u32 level = level_of(op), i;

	if (op->cmd != BPF_PROG_LOAD || !op_attr(op)->load.log_level)
		return false;
	ask_again(pair, op, level);
	if (!same_verdict(logs[0].result, logs[1].result) ||
	    strcmp(logs[0].plain, logs[1].plain) != 0)
		return false;
	/* Only what says more than there is room for may fail for it. */
	for (i = 0; i < SIDES; i++)
		if (!same_verdict(results[i], logs[i].result) &&
		    !(results[i] == -ENOSPC &&
		      logs[i].true_size + 1 > op_attr(op)->load.log_size) &&
		    !(results[i] == -EFAULT && !has_room(op_attr(op))))
			return false;
	return only_log_differs(op, outcome, level);
}

bool load_half_log(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = op_attr(op);

	if (op->cmd != BPF_PROG_LOAD || outcome->results[0] != -EFAULT || has_room(attr))
		return false;
	ask_again(pair, op, level_of(op));
	return same_verdict(logs[0].result, logs[1].result) &&
	       !strcmp(logs[0].plain, logs[1].plain);
}

bool btf_half_log(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = op_attr(op);
	u64 begin = attr->btf.log_buf, end = begin + attr->btf.log_size;

	if (op->cmd != BPF_BTF_LOAD || outcome->results[0] != -EFAULT ||
	    outcome->results[1] != -EFAULT || end < begin || is_room(begin, attr->btf.log_size))
		return false;
	begin = begin < MEMORY ? 0 : begin < MEMORY_END ? begin - MEMORY : MEMORY_SIZE;
	end = end < MEMORY ? 0 : end < MEMORY_END ? end - MEMORY : MEMORY_SIZE;
	return !memcmp(outcome->memory[0], outcome->memory[1], begin) &&
	       !memcmp(outcome->memory[0] + end, outcome->memory[1] + end, MEMORY_SIZE - end);
}

bool load_refused(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static const char *const sentences[] = {
		/* what a map in a map is: the hive's descriptor, not the kernel's */
		"map_ptr access not supported here",
		/* a socket found in a map of XSK sockets: there are none in a hive */
		"cannot pass map_type 17 into func bpf_map_lookup_elem",
	};
	const char *at = NULL;
	u32 i;

	if (op->cmd != BPF_PROG_LOAD || outcome->results[1] >= 0)
		return false;
	ask_again(pair, op, 2);
	for (i = 0; i < ARRAY_SIZE(sentences) && !at; i++)
		at = strstr(logs[1].plain, sentences[i]);
	if (!at)
		return false;
	/* The line before is the instruction's, in the kernel with what it does. */
	while (at > logs[1].plain && *at != '\n')
		at--;
	return !memcmp(logs[0].plain, logs[1].plain, (size_t)(at - logs[1].plain));
}

bool load_forbidden(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	u32 type = op_attr(op)->load.prog_type;

	return op->cmd == BPF_PROG_LOAD && outcome->results[0] == -EPERM &&
	       (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
		type == BPF_PROG_TYPE_EXT);
}
