/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log's text buffer, source lines and instructions. The state printer is in log_state.c.
 *
 * At level 1 the whole path must stay rewindable, so the text is kept until the end, at most
 * LOG_KEEP_MAX bytes of it (older text is dropped). At level 2 nothing older than a line is ever
 * taken back, and the text streams out.
 */
#include "verify/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "abi/helper.h"
#include "isa/disasm.h"
#include "verify/btf_info.h"
#include "verify/kfunc.h"

#define LOG_KEEP_MAX	(64UL << 20)
#define LOG_STREAM_MAX	(256UL << 10)
#define LOG_LINE_MAX	8192
#define HELPER_NAME_MAX 64

static void drop_front(struct log *log, u64 bytes)
{
	memmove(log->text, log->text + bytes, log->end - log->start - bytes);
	log->start += bytes;
}

/* Makes room for one more piece. */
static bool make_room(struct verify_env *env)
{
	struct log *log = &env->log;
	u64 used = log->end - log->start;
	bool stream = env->input->log.level & LOG_LEVEL2;

	if (stream && used > LOG_STREAM_MAX) {
		u64 bytes = used - LOG_LINE_MAX;

		env->input->log.write(env->input->log.arg, log->text, bytes);
		drop_front(log, bytes);
	} else if (used > LOG_KEEP_MAX) {
		drop_front(log, used / 2);
	}
	used = log->end - log->start;
	if (used + LOG_LINE_MAX > log->capacity) {
		u64 capacity = log->capacity ? log->capacity * 2 : 4 * LOG_LINE_MAX;
		char *text = base_realloc(log->text, capacity, 1);

		if (!text) {
			log->out_of_memory = true;
			return false;
		}
		log->text = text;
		log->capacity = capacity;
	}
	return true;
}

static void append(struct verify_env *env, const char *format, va_list args)
{
	struct log *log = &env->log;
	int length;

	if (!env->input->log.level || !make_room(env))
		return;
	length = vsnprintf(log->text + (log->end - log->start), LOG_LINE_MAX, format, args);
	if (length > 0)
		log->end += length < LOG_LINE_MAX ? length : LOG_LINE_MAX - 1;
}

void verbose(struct verify_env *env, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(env, format, args);
	va_end(args);
}

int verify_bug(struct verify_env *env, const char *format, ...)
{
	va_list args;

	env->failed_internally = true;
	verbose(env, "verifier bug: ");
	va_start(args, format);
	append(env, format, args);
	va_end(args);
	verbose(env, "\n");
	return -14; /* EFAULT */
}

void log_rewind(struct verify_env *env, u64 pos)
{
	struct log *log = &env->log;

	if (pos >= log->end)
		return;
	if (log->end > log->longest)
		log->longest = log->end;
	if (pos < log->start)
		log->start = pos;
	log->end = pos;
}

void log_take(struct verify_env *env, u64 pos, char *text, size_t size)
{
	struct log *log = &env->log;
	u64 from = pos > log->start ? pos : log->start;
	u64 length = log->end > from ? log->end - from : 0;

	if (length >= size)
		length = size - 1;
	memcpy(text, log->text + (from - log->start), length);
	text[length] = '\0';
	if (log->end > pos)
		log->end = from;
}

void log_finish(struct verify_env *env)
{
	struct log *log = &env->log;

	if (env->input->log.ret_longest)
		*env->input->log.ret_longest = log->end > log->longest ? log->end : log->longest;
	if (log->end > log->start)
		env->input->log.write(env->input->log.arg, log->text, log->end - log->start);
	base_free(log->text);
	memset(log, 0, sizeof(*log));
}

static const struct bpf_line_info *find_line(const struct verify_env *env, u32 insn)
{
	u32 low = 0, high = env->nr_line_info;

	if (!high || insn >= env->nr_insns)
		return NULL;
	/* The last record at or before insn; record 0 is at instruction 0. */
	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (env->line_info[mid].insn_off <= insn)
			low = mid;
		else
			high = mid;
	}
	return &env->line_info[low];
}

bool log_source_of(const struct verify_env *env, u32 insn, const char **ret_text,
		   const char **ret_file, u32 *ret_line)
{
	const struct bpf_line_info *line = find_line(env, insn);
	const char *text, *file, *slash;

	if (!line)
		return false;
	text = btf_info_string(env, line->line_off);
	while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		text++;
	file = btf_info_string(env, line->file_name_off);
	slash = strrchr(file, '/');
	*ret_text = text;
	*ret_file = slash ? slash + 1 : file;
	*ret_line = BPF_LINE_INFO_LINE_NUM(line->line_col);
	return true;
}

void log_source_line(struct verify_env *env, u32 insn, const char *prefix)
{
	const struct bpf_line_info *prev = env->prev_line, *line;
	const char *text, *file;
	u32 number;

	if (!env->input->log.level)
		return;
	line = find_line(env, insn);
	if (!line || line == prev)
		return;
	/* Columns are not shown: two records of one line would print it twice. */
	if (prev && line->file_name_off == prev->file_name_off &&
	    BPF_LINE_INFO_LINE_NUM(line->line_col) == BPF_LINE_INFO_LINE_NUM(prev->line_col))
		return;
	log_source_of(env, insn, &text, &file, &number);
	verbose(env, "%s%s", prefix ? prefix : "", text);
	verbose(env, " @ %s:%u\n", file, number);
	env->prev_line = line;
}

const char *log_format_slots(char *buffer, u64 mask)
{
	u32 length = 0;

	buffer[0] = '\0';
	for (u32 i = 0; i < MAX_SLOTS; i++)
		if (mask & (1ULL << i))
			length += snprintf(buffer + length, LOG_MASK_SIZE - length, "%s%d",
					   length ? "," : "", -(int)(i + 1) * 8);
	return buffer;
}

const char *log_number(char *buffer, u32 number)
{
	snprintf(buffer, 16, "%u: ", number);
	return buffer;
}

struct names {
	struct verify_env *env;
	char text[HELPER_NAME_MAX];
};

static const char *helper_name(void *arg, s32 func_id)
{
	const struct abi_helper *helper = abi_helper_find(func_id);
	char *text = ((struct names *)arg)->text;

	if (!func_id)
		return "bpf_unspec";
	if (!helper)
		return NULL;
	snprintf(text, HELPER_NAME_MAX, "bpf_%s", helper->name);
	return text;
}

static const char *kfunc_name(void *arg, const struct bpf_insn *insn)
{
	if (insn_is_kfunc_call(insn) && !insn->imm)
		return "";
	return insn_is_kfunc_call(insn) ? kfunc_btf_name(((struct names *)arg)->env, insn->imm)
					: NULL;
}

void log_insn(struct verify_env *env, u32 insn)
{
	char text[ISA_DISASM_MAX];
	struct names names = { .env = env };
	struct isa_disasm_ops ops = { .helper_name = helper_name,
				      .call_name = kfunc_name,
				      .arg = &names };

	if (!env->input->log.level)
		return;
	isa_disasm(&ops, &env->insns[insn], env->allow_ptr_leaks, text, sizeof(text));
	verbose(env, "%s\n", text);
}
