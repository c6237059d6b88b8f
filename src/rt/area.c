/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See area.h.
 */
#include "rt/area.h"

#include "rt/arena.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/task_model.h"

#define PAGE_SHIFT 12

/* include/linux/mm.h */
#define VM_READ	    1u
#define VM_WRITE    2u
#define VM_EXEC	    4u
#define VM_SHARED   8u
#define VM_MAY_ALL  0x70u
#define VM_MAYSHARE 0x80u

/* Above all memory of programs: shown at the end of each list, and an area of none. */
#define VSYSCALL 0xffffffffff600000ull

void rt_area_begin(struct rt_area_reader *reader, u32 pid, u64 address)
{
	reader->pid = pid;
	reader->at = 0;
	reader->offset = 0;
	reader->from = address;
	reader->text[0] = '\0';
}

static const char *skip(const char *text, char what)
{
	while (*text == what)
		text++;
	return text;
}

u64 rt_area_flags(const char *rights)
{
	u64 flags = VM_MAY_ALL;

	for (; *rights && *rights != ' '; rights++)
		flags |= *rights == 'r'	  ? VM_READ
			 : *rights == 'w' ? VM_WRITE
			 : *rights == 'x' ? VM_EXEC
			 : *rights == 's' ? VM_SHARED | VM_MAYSHARE
					  : 0;
	return flags;
}

/* "start-end rights offset major:minor inode   path" */
static bool parse(const char *line, struct rt_area *ret_area)
{
	struct rt_area area = { 0 };
	u32 length = 0;

	area.start = rt_parse_number(line, 16, &line);
	if (*line != '-')
		return false;
	area.end = rt_parse_number(line + 1, 16, &line);
	if (*line != ' ' || area.end <= area.start || area.start >= VSYSCALL)
		return false;
	line = skip(line, ' ');
	area.flags = rt_area_flags(line);
	while (*line && *line != ' ')
		line++;
	area.page = rt_parse_number(skip(line, ' '), 16, &line) >> PAGE_SHIFT;
	area.file.major = (u32)rt_parse_number(skip(line, ' '), 16, &line);
	area.file.minor = (u32)rt_parse_number(skip(line, ':'), 16, &line);
	area.file.inode = rt_parse_number(skip(line, ' '), 10, &line);
	for (line = skip(line, ' '); *line; line++) {
		if (*line == '/')
			length = 0;
		else if (length + 1 < RT_FILE_NAME)
			area.file.name[length++] = *line;
	}
	area.file.name[length] = '\0';
	for (u32 i = length; i < RT_FILE_NAME; i++)
		area.file.name[i] = '\0';
	*ret_area = area;
	return true;
}

/*
 * A copy of the next line: false if there is none. Lines are taken out of pieces of the file, read
 * one after the other: what has changed between two makes, at worst, a line that is none.
 */
static bool next_line(struct rt_area_reader *reader, const struct rt_vcpu *vcpu, char *line)
{
	struct rt_path path;

	for (u32 tries = 0; tries < 2; tries++) {
		u32 at = READ_ONCE(reader->at), length = 0;

		while (at + length < RT_AREA_TEXT) {
			char c = READ_ONCE(reader->text[at + length]);

			if (!c)
				break;
			line[length++] = c;
			if (c != '\n')
				continue;
			line[length - 1] = '\0';
			WRITE_ONCE(reader->at, at + length);
			return true;
		}
		/* Nothing but a part of it: longer than what is read at a time. */
		if (length + 1 >= RT_AREA_TEXT && !at) {
			line[length - 1] = '\0';
			WRITE_ONCE(reader->at, length);
			return true;
		}
		reader->offset += at < RT_AREA_TEXT ? at : 0;
		reader->at = 0;
		rt_path_of_task(&path, vcpu, READ_ONCE(reader->pid), "maps");
		if (rt_file_read(path.text, reader->text, RT_AREA_TEXT, reader->offset) <= 0)
			return false;
	}
	return false;
}

bool rt_area_next(struct rt_area_reader *reader, const struct rt_vcpu *vcpu,
		  struct rt_area *ret_area)
{
	char line[RT_AREA_TEXT + 1];

	while (next_line(reader, vcpu, line)) {
		if (!parse(line, ret_area) || ret_area->end <= READ_ONCE(reader->from))
			continue;
		WRITE_ONCE(reader->from, ret_area->end);
		return true;
	}
	return false;
}

/* Where the file's image begins: behind the area's. 0: the structure is not known. */
static u32 place_of_file(const struct rt_task_layout *layout)
{
	return ALIGN_UP(layout->vma_size, 64u);
}

u32 rt_area_image_size(void)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	u32 place = layout ? place_of_file(layout) : 0, file = rt_file_image_size();

	return place && file ? place + file : 0;
}

u64 rt_area_build(u8 *at, const struct rt_area *area)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	u32 size = rt_area_image_size();
	u8 *file;

	if (!size)
		return 0;
	file = at + place_of_file(layout);
	memset(at, 0, size);
	rt_task_set(at, layout->vma_start, area->start, 8);
	rt_task_set(at, layout->vma_end, area->end, 8);
	rt_task_set(at, layout->vma_flags, area->flags, 8);
	rt_task_set(at, layout->vma_offset, area->page, 8);
	if (area->file.inode)
		rt_task_set(at, layout->vma_file, rt_file_build(file, &area->file), 8);
	return (u64)at;
}
