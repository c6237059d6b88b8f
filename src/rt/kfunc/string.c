/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions on strings of any kernel address (kernel/bpf/helpers.c of Linux 6.18). Every byte is
 * read in a way that cannot fault, and strings longer than STRING_MAX are given up: -ERANGE for an
 * address that is no kernel memory, -EFAULT where a string runs into nothing, -E2BIG.
 */
#include "rt/arena.h"
#include "rt/kfunc/families.h"
#include "rt/prog.h"

#define STRING_MAX 65536u /* XATTR_SIZE_MAX */
#define WINDOW	   64u

/* A string of which a window is read at a time. */
struct string {
	u64 address; /* of the first byte */
	u64 start;   /* distance of the window */
	u32 length;  /* bytes in it */
	struct rt_vcpu *vcpu;
	u8 window[WINDOW];
};

static bool open_string(struct string *string, u64 address, struct rt_vcpu *vcpu)
{
	string->address = address;
	string->start = string->length = 0;
	string->vcpu = vcpu;
	return address >= RT_ARENA_BASE && address < RT_ARENA_BASE + RT_ARENA_SIZE;
}

/* The byte at index; false where there is none to be read. */
static bool byte_at(struct string *string, u64 index, char *ret_byte)
{
	if (index - string->start >= string->length) {
		u64 at = string->address + index;
		u32 length = WINDOW - at % WINDOW; /* stays within a page */

		if (rt_read_kernel(string->vcpu, string->window, length, at)) {
			string->length = 0;
			return false;
		}
		string->start = index;
		string->length = length;
	}
	*ret_byte = (char)string->window[index - string->start];
	return true;
}

static char lower(char c)
{
	u8 u = (u8)c;

	/* As the kernel's table has it, Latin-1 included. */
	if ((u >= 'A' && u <= 'Z') || (u >= 0xc0 && u <= 0xde && u != 0xd7))
		return (char)(u + 32);
	return c;
}

static long compare(u64 first, u64 second, bool ignore_case, struct rt_vcpu *vcpu)
{
	struct string a, b;
	char x, y;

	if (!open_string(&a, first, vcpu) || !open_string(&b, second, vcpu))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		if (!byte_at(&a, i, &x) || !byte_at(&b, i, &y))
			return -EFAULT;
		if (ignore_case) {
			x = lower(x);
			y = lower(y);
		}
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
	return -E2BIG;
}

RT_KFUNC(bpf_strcmp)
{
	return rt_kfunc_int(compare(r1, r2, false, vcpu));
}

RT_KFUNC(bpf_strcasecmp)
{
	return rt_kfunc_int(compare(r1, r2, true, vcpu));
}

/* The first c among count bytes. */
static long find(u64 address, u64 count, char c, struct rt_vcpu *vcpu)
{
	struct string s;
	char at;
	u32 i;

	if (!open_string(&s, address, vcpu))
		return -ERANGE;
	for (i = 0; i < count && i < STRING_MAX; i++) {
		if (!byte_at(&s, i, &at))
			return -EFAULT;
		if (at == c)
			return i;
		if (!at)
			return -ENOENT;
	}
	return i == STRING_MAX ? -E2BIG : -ENOENT;
}

/* (s, count, c) */
RT_KFUNC(bpf_strnchr)
{
	return rt_kfunc_int(find(r1, r2, (char)r3, vcpu));
}

/* (s, c) */
RT_KFUNC(bpf_strchr)
{
	return rt_kfunc_int(find(r1, STRING_MAX, (char)r2, vcpu));
}

/* (s, c): of the first c, or of the end. */
RT_KFUNC(bpf_strchrnul)
{
	struct string s;
	char at;

	if (!open_string(&s, r1, vcpu))
		return rt_kfunc_int(-ERANGE);
	for (u32 i = 0; i < STRING_MAX; i++) {
		if (!byte_at(&s, i, &at))
			return rt_kfunc_int(-EFAULT);
		if (!at || at == (char)r2)
			return i;
	}
	return rt_kfunc_int(-E2BIG);
}

/* (s, c): of the last c; the end is one, too. */
RT_KFUNC(bpf_strrchr)
{
	long last = -ENOENT;
	struct string s;
	char at;

	if (!open_string(&s, r1, vcpu))
		return rt_kfunc_int(-ERANGE);
	for (u32 i = 0; i < STRING_MAX; i++) {
		if (!byte_at(&s, i, &at))
			return rt_kfunc_int(-EFAULT);
		if (at == (char)r2)
			last = i;
		if (!at)
			return rt_kfunc_int(last);
	}
	return rt_kfunc_int(-E2BIG);
}

static long length_of(u64 address, u64 count, struct rt_vcpu *vcpu)
{
	struct string s;
	char at;
	u32 i;

	if (!open_string(&s, address, vcpu))
		return -ERANGE;
	for (i = 0; i < count && i < STRING_MAX; i++) {
		if (!byte_at(&s, i, &at))
			return -EFAULT;
		if (!at)
			return i;
	}
	return i == STRING_MAX ? -E2BIG : (long)i;
}

/* (s, count) */
RT_KFUNC(bpf_strnlen)
{
	return rt_kfunc_int(length_of(r1, r2, vcpu));
}

RT_KFUNC(bpf_strlen)
{
	return rt_kfunc_int(length_of(r1, STRING_MAX, vcpu));
}

/* Is c one of the bytes of set? 1, 0, or -errno. */
static long is_among(struct string *set, char c)
{
	char at;

	for (u32 i = 0; i < STRING_MAX; i++) {
		if (!byte_at(set, i, &at))
			return -EFAULT;
		if (!at)
			return 0;
		if (at == c)
			return 1;
	}
	return -E2BIG;
}

/* Length of the part at the start that has only bytes of the set, or only others. */
static long span(u64 address, u64 set_address, bool among, struct rt_vcpu *vcpu)
{
	struct string s, set;
	char at;

	if (!open_string(&s, address, vcpu) || !open_string(&set, set_address, vcpu))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		long is;

		if (!byte_at(&s, i, &at))
			return -EFAULT;
		if (!at)
			return i;
		is = is_among(&set, at);
		if (is < 0)
			return is;
		if ((bool)is != among)
			return i;
		if (rt_prog_out_of_time(vcpu))
			break;
	}
	return -E2BIG;
}

RT_KFUNC(bpf_strspn)
{
	return rt_kfunc_int(span(r1, r2, true, vcpu));
}

RT_KFUNC(bpf_strcspn)
{
	return rt_kfunc_int(span(r1, r2, false, vcpu));
}

/* Does what begin with needle at i, within length bytes? 1, 0, or -errno: -ENOENT: nor anywhere
 * behind. */
static long begins_with(struct string *what, u64 i, struct string *needle, u64 length)
{
	char a, b;
	u32 j;

	for (j = 0; i + j <= length && j < STRING_MAX; j++) {
		if (!byte_at(needle, j, &b))
			return -EFAULT;
		if (!b)
			return 1;
		/* One byte more of the needle: it may end here. */
		if (i + j == length)
			break;
		if (!byte_at(what, i + j, &a))
			return -EFAULT;
		if (!a)
			return -ENOENT;
		if (a != b)
			break;
	}
	if (j == STRING_MAX)
		return -E2BIG;
	return i + j == length ? -ENOENT : 0;
}

static long find_string(u64 address, u64 needle_address, u64 length, struct rt_vcpu *vcpu)
{
	struct string s, needle;

	if (!open_string(&s, address, vcpu) || !open_string(&needle, needle_address, vcpu))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		long is = begins_with(&s, i, &needle, length);

		if (is)
			return is < 0 ? is : (long)i;
		if (rt_prog_out_of_time(vcpu))
			break;
	}
	return -E2BIG;
}

RT_KFUNC(bpf_strstr)
{
	return rt_kfunc_int(find_string(r1, r2, STRING_MAX, vcpu));
}

/* (s1, s2, len) */
RT_KFUNC(bpf_strnstr)
{
	return rt_kfunc_int(find_string(r1, r2, r3, vcpu));
}

/* (dst, size, unsafe_ptr, flags) */
/* What copies of strings do with what follows the string: flags are BPF_F_PAD_ZEROS or none. */
static u64 end_copy(u8 *to, u32 size, u64 flags, long length)
{
	for (u32 i = length < 0 ? 0 : (u32)length; flags && i < size; i++)
		to[i] = 0;
	return rt_kfunc_int(length < 0 ? -EFAULT : length);
}

RT_KFUNC(bpf_copy_from_user_str)
{
	if (r4 & ~1ULL) /* BPF_F_PAD_ZEROS */
		return rt_kfunc_int(-EINVAL);
	if (!(u32)r2)
		return 0;
	return end_copy((u8 *)r1, (u32)r2, r4, rt_read_user_str(vcpu, (void *)r1, (u32)r2, r3));
}

/* (dst, size, address, task, flags) */
RT_KFUNC(bpf_copy_from_user_task_str)
{
	if (r5 & ~1ULL)
		return rt_kfunc_int(-EINVAL);
	if (!(u32)r2)
		return 0;
	return end_copy((u8 *)r1, (u32)r2, r5, rt_read_task_str(vcpu, r4, (void *)r1, (u32)r2, r3));
}
