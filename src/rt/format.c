/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printk-style formatting for programs: which formats are allowed follows kernel/bpf/helpers.c
 * (bpf_bprintf_prepare), what they print lib/vsprintf.c. As there, all arguments are fetched and
 * checked first, into a buffer of 512 bytes whose end is an error (-ENOSPC), and printed
 * afterwards.
 *
 * Differences, because there is no kernel underneath: hashed pointers (%p, %pK) hash with the
 * hive's own key, and symbol formats (%pS, %ps, %pB) print the address, as the kernel does for an
 * unknown one.
 */
#include <linux/errno.h>
#include "rt/arena.h"
#include "rt/helper.h"
#include "rt/mem.h"

#define ARGS_SIZE   512u	    /* MAX_BPRINTF_BIN_ARGS */
#define WIDTH_MAX   ((1 << 23) - 1) /* FIELD_WIDTH_MAX */
#define FORMAT_COPY 1024u	    /* longest format that may lie in shared memory */
#define ERRNO_MAX   4095	    /* MAX_ERRNO: pointers above -4096 are errors */

enum kind {
	KIND_SIGNED,
	KIND_UNSIGNED,
	KIND_HEX,
	KIND_CHAR,
	KIND_STRING,  /* text in the buffer, padded to the width */
	KIND_POINTER, /* hashed */
	KIND_ADDRESS, /* as it is: %px */
	KIND_SYMBOL,
	KIND_TEXT, /* text in the buffer, printed as it is */
	KIND_BAD,
};

struct spec {
	u8 kind;
	u8 size;    /* of an integer argument: 4 or 8 */
	char text;  /* KIND_TEXT: '4', '6' IP address; 'B' symbol; 'k', 'u' kernel's, user's string
		     */
	bool upper; /* %X; %I of addresses */
	bool left, plus, space, zero;
	s32 width; /* -1: none */
	u32 end;   /* index after the specification */
};

/* The buffer that holds fetched arguments. */
struct args {
	u8 bytes[ARGS_SIZE] __attribute__((aligned(8)));
	u32 used;
};

/* Where text goes; position counts on after the room has ended. */
struct output {
	char *text;
	u64 room, position;
};

/* Classes of characters as lib/ctype.c has them: Latin-1 above 127. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (u8)c == 0xa0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	u8 byte = (u8)c;

	if (byte >= 0xc0)
		return byte != 0xd7 && byte != 0xf7;
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_punct(char c)
{
	u8 byte = (u8)c;

	if (byte > 0xa0)
		return !is_alnum(c);
	return byte > ' ' && byte < 0x7f && !is_alnum(c);
}

static bool ends_spec(char c)
{
	return c == '\0' || is_space(c) || is_punct(c);
}

/* What follows "%p" at fmt. */
static void parse_pointer(const char *fmt, struct spec *spec, u32 *at)
{
	const char *p = fmt + *at;

	spec->size = 8;
	if (ends_spec(p[0])) {
		spec->kind = KIND_POINTER;
		return;
	}
	*at += 1;
	if ((p[0] == 'k' || p[0] == 'u') && p[1] == 's') {
		spec->text = p[0];
		spec->kind = ends_spec(p[2]) ? KIND_TEXT : KIND_BAD;
		*at += 1;
	} else if (p[0] == 'K') {
		spec->kind = KIND_POINTER;
	} else if (p[0] == 'x') {
		spec->kind = KIND_ADDRESS;
	} else if (p[0] == 's' || p[0] == 'S') {
		spec->kind = KIND_SYMBOL;
	} else if (p[0] == 'B') {
		spec->kind = KIND_TEXT;
		spec->text = 'B';
	} else if ((p[0] == 'i' || p[0] == 'I') && (p[1] == '4' || p[1] == '6')) {
		spec->kind = KIND_TEXT;
		spec->upper = p[0] == 'I';
		spec->text = p[1];
		*at += 1;
	} else {
		spec->kind = KIND_BAD;
	}
}

static void parse_integer(const char *fmt, struct spec *spec, u32 *at)
{
	spec->size = 4;
	for (u32 i = 0; i < 2 && fmt[*at] == 'l'; i++, ++*at)
		spec->size = 8;
	switch (fmt[*at]) {
	case 'd':
	case 'i': spec->kind = KIND_SIGNED; break;
	case 'u': spec->kind = KIND_UNSIGNED; break;
	case 'X': spec->upper = true; __attribute__((fallthrough));
	case 'x': spec->kind = KIND_HEX; break;
	default: spec->kind = KIND_BAD; return;
	}
	*at += 1;
}

/* The specification that begins after the '%' before at. fmt is NUL-terminated. */
static struct spec parse(const char *fmt, u32 at)
{
	struct spec spec = { .kind = KIND_BAD, .width = -1 };

	for (;; at++) {
		if (fmt[at] == '0')
			spec.zero = true;
		else if (fmt[at] == '+')
			spec.plus = true;
		else if (fmt[at] == '-')
			spec.left = true;
		else if (fmt[at] == ' ')
			spec.space = true;
		else
			break;
	}
	if (is_digit(fmt[at])) {
		u32 width = 0;

		/* Wraps at 32 bits, as in the kernel. */
		for (; is_digit(fmt[at]); at++)
			width = width * 10 + (u32)(fmt[at] - '0');
		spec.width = (s32)width;
		if (spec.width > WIDTH_MAX)
			spec.width = WIDTH_MAX;
		else if (spec.width < -WIDTH_MAX)
			spec.width = -WIDTH_MAX;
	}
	switch (fmt[at]) {
	case 'p':
		at++;
		parse_pointer(fmt, &spec, &at);
		break;
	case 's':
		at++;
		spec.kind = ends_spec(fmt[at]) ? KIND_STRING : KIND_BAD;
		break;
	case 'c':
		at++;
		spec.kind = KIND_CHAR;
		break;
	default: parse_integer(fmt, &spec, &at); break;
	}
	spec.end = at;
	return spec;
}

static void put(struct output *output, char c)
{
	if (output->position < output->room)
		output->text[output->position] = c;
	output->position++;
}

/* count may be negative: nothing. */
static void pad(struct output *output, s64 count, char c)
{
	u64 end = output->position + (count > 0 ? (u64)count : 0);

	while (output->position < end && output->position < output->room)
		put(output, c);
	output->position = end;
}

static void put_text(struct output *output, const struct spec *spec, const char *text, u32 length)
{
	s64 missing = (s64)spec->width - length;

	if (!spec->left)
		pad(output, missing, ' ');
	for (u32 i = 0; i < length; i++)
		put(output, text[i]);
	if (spec->left)
		pad(output, missing, ' ');
}

static void put_number(struct output *output, const struct spec *spec, u64 value, u32 base,
		       bool is_signed)
{
	const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24], sign = '\0';
	u32 length = 0;
	s64 missing;

	if (is_signed && (s64)value < 0) {
		sign = '-';
		value = -value;
	} else if (is_signed && spec->plus) {
		sign = '+';
	} else if (is_signed && spec->space) {
		sign = ' ';
	}
	do {
		text[length++] = digits[value % base];
		value /= base;
	} while (value);
	missing = (s64)spec->width - length - (sign != '\0');
	if (!spec->left && !spec->zero)
		pad(output, missing, ' ');
	if (sign)
		put(output, sign);
	if (!spec->left && spec->zero)
		pad(output, missing, '0');
	while (length)
		put(output, text[--length]);
	if (spec->left)
		pad(output, missing, ' ');
}

static void put_hex_address(struct output *output, struct spec spec, u64 address)
{
	spec.upper = false;
	if (spec.width == -1) {
		spec.width = 2 * sizeof(void *);
		spec.zero = true;
	}
	put_number(output, &spec, address, 16, false);
}

/* 32 bits that tell pointers apart and tell nothing of their value; null and errors stay
 * themselves. */
static u64 hashed_pointer(u64 pointer)
{
	unsigned __int128 product;

	if (pointer == 0 || pointer >= (u64)-ERRNO_MAX)
		return pointer;
	product = (unsigned __int128)(pointer ^ RT_CONTROL->hash_seed) *
		  (RT_CONTROL->hive_id * 2 + 1);
	return (u32)((u64)product >> 32 ^ (u64)(product >> 64));
}

static void put_symbol(struct output *output, const struct spec *spec, u64 address)
{
	struct output text;
	struct spec plain = { .width = -1 };
	char buffer[24] = "0x";

	text = (struct output){ .text = buffer, .room = sizeof(buffer), .position = 2 };
	put_number(&text, &plain, address, 16, false);
	put_text(output, spec, buffer, (u32)text.position);
}

/* An address (4 or 16 bytes) as lib/vsprintf.c's %pI4, %pi4, %pI6, %pi6: its length. */
static u32 print_ip(char *text, const u8 *ip, const struct spec *spec)
{
	struct output output = { .text = text, .room = 64 };
	struct spec part = { .zero = true };
	bool four = spec->text == '4';

	part.width = four ? (spec->upper ? -1 : 3) : 2;
	for (u32 i = 0; i < (four ? 4 : 16); i++) {
		if (four && i)
			put(&output, '.');
		if (!four && spec->upper && i && i % 2 == 0)
			put(&output, ':');
		put_number(&output, &part, ip[i], four ? 10 : 16, false);
	}
	return (u32)output.position;
}

/* Appends bytes to the fetched arguments. */
static long args_put(struct args *args, const void *bytes, u32 size)
{
	if (ARGS_SIZE - args->used < size)
		return -ENOSPC;
	memcpy(args->bytes + args->used, bytes, size);
	args->used += size;
	return 0;
}

static long fetch_string(struct args *args, const struct spec *spec, u64 address,
			 struct rt_vcpu *vcpu)
{
	u8 *to = args->bytes + args->used;
	u32 room = ARGS_SIZE - args->used;
	long length;

	if (room == 0)
		return -ENOSPC;
	if (spec->text == 'k')
		length = rt_read_kernel_str(vcpu, to, room, address);
	else if (spec->text == 'u')
		length = rt_read_user_str(vcpu, to, room, address);
	else
		length = rt_read_any_str(vcpu, to, room, address);
	if (length <= 0) {
		*to = '\0';
		length = 1;
	}
	args->used += (u32)length;
	return 0;
}

static long fetch_text(struct args *args, const struct spec *spec, u64 value, struct rt_vcpu *vcpu)
{
	char text[64];
	u8 ip[16] = { 0 };
	u32 size = spec->text == '4' ? 4 : 16, length;

	if (spec->text == 'k' || spec->text == 'u')
		return fetch_string(args, spec, value, vcpu);
	if (spec->text == 'B') {
		struct output output = { .text = text, .room = sizeof(text) };
		struct spec plain = { .width = -1 };

		put_symbol(&output, &plain, value);
		length = (u32)output.position;
	} else {
		if (ARGS_SIZE - args->used < size)
			return -ENOSPC;
		if (rt_read_kernel(vcpu, ip, size, value))
			memset(ip, 0, sizeof(ip));
		length = print_ip(text, ip, spec);
	}
	text[length] = '\0';
	/* The kernel cuts the text where its buffer ends. */
	if (length + 1 > ARGS_SIZE - args->used && args->used < ARGS_SIZE) {
		length = ARGS_SIZE - args->used - 1;
		text[length] = '\0';
	}
	return args_put(args, text, length + 1);
}

static long fetch(struct args *args, const struct spec *spec, u64 value, struct rt_vcpu *vcpu)
{
	switch (spec->kind) {
	case KIND_STRING: return fetch_string(args, spec, value, vcpu);
	case KIND_TEXT: return fetch_text(args, spec, value, vcpu);
	case KIND_CHAR: return args_put(args, &value, 1);
	default: break;
	}
	/* Zeroes between, since text that is passed over (print()) may make them be printed. */
	while (args->used % 4)
		args->bytes[args->used++] = 0;
	return args_put(args, &value, spec->size);
}

/* Takes size bytes of an argument back, in the order in which they were put. */
static u64 args_take(struct args *args, u32 *at, u32 size)
{
	u64 value = 0;

	*at = ALIGN_UP(*at, 4u);
	memcpy(&value, args->bytes + *at, size);
	*at += size;
	return value;
}

static void print(struct output *output, const struct spec *spec, struct args *args, u32 *at)
{
	const char *text = (const char *)args->bytes + *at;
	u32 length = 0;
	u64 value;

	if (spec->kind == KIND_STRING || spec->kind == KIND_TEXT) {
		struct spec plain = { .width = -1 };

		/* Once the room has ended the kernel does not even step over such text. */
		if (spec->kind == KIND_TEXT && output->position >= output->room)
			return;
		while (*at + length < args->used && text[length])
			length++;
		*at += length + 1;
		put_text(output, spec->kind == KIND_STRING ? spec : &plain, text, length);
		return;
	}
	if (spec->kind == KIND_CHAR) {
		*at += 1;
		put_text(output, spec, text, 1);
		return;
	}
	value = args_take(args, at, spec->size);
	switch (spec->kind) {
	case KIND_SIGNED:
		put_number(output, spec, spec->size == 4 ? (u64)(s32)value : value, 10, true);
		break;
	case KIND_UNSIGNED: put_number(output, spec, value, 10, false); break;
	case KIND_HEX: put_number(output, spec, value, 16, false); break;
	case KIND_POINTER: put_hex_address(output, *spec, hashed_pointer(value)); break;
	case KIND_ADDRESS: put_hex_address(output, *spec, value); break;
	default: put_symbol(output, spec, value); break;
	}
}

/* Checks the whole format and fetches its arguments: 0 or -errno. */
static long prepare(struct args *args, const char *fmt, const u64 *values, u32 nr_values,
		    struct rt_vcpu *vcpu)
{
	u32 nr = 0;
	long error;

	for (u32 i = 0; fmt[i];) {
		struct spec spec;

		if (fmt[i] != '%') {
			/* Of ASCII what can be printed, and all else: it may be UTF-8. */
			if ((u8)fmt[i] < 0x80 && !is_space(fmt[i]) && !is_punct(fmt[i]) &&
			    !is_alnum(fmt[i]))
				return -EINVAL;
			i++;
			continue;
		}
		if (fmt[i + 1] == '%') {
			i += 2;
			continue;
		}
		if (nr >= nr_values)
			return -EINVAL;
		spec = parse(fmt, i + 1);
		if (spec.kind == KIND_BAD)
			return -EINVAL;
		error = fetch(args, &spec, values[nr++], vcpu);
		if (error)
			return error;
		i = spec.end;
	}
	return 0;
}

static u64 print_all(char *out, u32 out_size, const char *fmt, struct args *args)
{
	struct output output = { .text = out, .room = out_size };
	u32 at = 0;

	for (u32 i = 0; fmt[i];) {
		struct spec spec;

		if (fmt[i] != '%' || fmt[i + 1] == '%') {
			put(&output, fmt[i]);
			i += fmt[i] == '%' ? 2 : 1;
			continue;
		}
		spec = parse(fmt, i + 1);
		print(&output, &spec, args, &at);
		i = spec.end;
		/* All letters and digits after a pointer belong to it. */
		while (spec.kind >= KIND_POINTER && is_alnum(fmt[i]))
			i++;
	}
	return output.position;
}

long rt_format(char *out, u32 out_size, const char *fmt, u32 fmt_size, const u64 *args, u32 nr_args,
	       struct rt_vcpu *vcpu)
{
	struct args fetched;
	char copy[FORMAT_COPY];
	u64 length;
	u32 end = 0;
	long error;

	/*
	 * A format in shared memory may change under way, in a map that programs only read by its
	 * client's hand, so its first bytes are copied. One without size is a constant, see
	 * bpf_snprintf().
	 */
	if (fmt_size != ~0u && (u64)fmt >= RT_CONTROL_BASE &&
	    (u64)fmt < RT_DATA_BASE + RT_DATA_SIZE) {
		fmt_size = fmt_size < FORMAT_COPY ? fmt_size : FORMAT_COPY;
		memcpy(copy, fmt, fmt_size);
		fmt = copy;
	}
	while (end < fmt_size && fmt[end])
		end++;
	if (end == fmt_size)
		return -EINVAL;
	fetched.used = 0;
	error = prepare(&fetched, fmt, args, nr_args, vcpu);
	if (error)
		return error;
	length = print_all(out, out_size, fmt, &fetched);
	if (out_size)
		out[length < out_size ? length : out_size - 1] = '\0';
	return (long)length + 1;
}
