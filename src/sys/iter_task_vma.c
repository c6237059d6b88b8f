/* SPDX-License-Identifier: BSD-2-Clause */
/* The iterator over the memory areas of tasks, by the lines of /proc/PID/maps. */
#include "sys/iter_task.h"
#include "base/alloc.h"
#include "rt/area.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE_SHIFT 12

/* The areas of the current task, unless they are there already. */
static bool read_areas(struct iter_tasks *tasks)
{
	const struct iter_task *task = &tasks->tasks[tasks->at];
	char path[80], *vsyscall;
	long length;

	if (tasks->text && tasks->text_tid == task->tid)
		return tasks->line && *tasks->line;
	base_free(tasks->text);
	tasks->text = NULL;
	tasks->line = NULL;
	snprintf(path, sizeof(path), "/proc/%u/task/%u/maps", task->tgid, task->tid);
	length = iter_read_proc(path, &tasks->text);
	if (length < 0) {
		tasks->text = NULL;
		return false;
	}
	tasks->text_tid = task->tid;
	tasks->line = tasks->text;
	/* Shown at the end of every list, and an area of none. */
	if ((vsyscall = strstr(tasks->text, "\nffffffffff600000-")))
		vsyscall[1] = '\0';
	return *tasks->line;
}

static bool find(struct iter_session *session, bool task_found)
{
	for (; task_found; task_found = iter_task_find_next(session, true))
		if (read_areas(session->tasks))
			return true;
	return false;
}

static bool start(struct iter_session *session)
{
	return find(session, iter_task_find(session, true));
}

static bool next(struct iter_session *session)
{
	struct iter_tasks *tasks = session->tasks;
	const char *end = strchr(tasks->line, '\n');

	tasks->line = end ? end + 1 : tasks->line + strlen(tasks->line);
	return find(session, true);
}

static void stop(struct iter_session *session)
{
	session->tasks->walks = false;
}

static void *model_area(struct iter_session *session, const char *line, void *mm)
{
	struct model *model = session->hive->model;
	unsigned long long from = 0, to = 0, offset = 0, inode = 0;
	unsigned major_number = 0, minor_number = 0;
	char rights[8] = "", path[4096] = "";
	struct stat st = { 0 };
	void *image = model_object(model, "vm_area_struct"), *file;

	sscanf(line, "%llx-%llx %7s %llx %x:%x %llu%*1[ ]%*[ ]%4095[^\n]", &from, &to, rights,
	       &offset, &major_number, &minor_number, &inode, path);
	model_set(model, image, MODEL_VMA_START, from);
	model_set(model, image, MODEL_VMA_END, to);
	model_set(model, image, MODEL_VMA_FLAGS, rt_area_flags(rights));
	model_set(model, image, MODEL_VMA_PGOFF, offset >> PAGE_SHIFT);
	model_set_pointer(model, image, MODEL_VMA_MM, mm);
	if (!inode)
		return image;
	st.st_ino = (ino_t)inode;
	st.st_dev = makedev(major_number, minor_number);
	file = iter_model_file(session, iter_model_inode(model, &st), path);
	model_set_pointer(model, image, MODEL_VMA_FILE, file);
	return image;
}

static void build(struct iter_session *session, u64 *ctx)
{
	struct iter_tasks *tasks = session->tasks;
	struct model *model = session->hive->model;

	if (!tasks->walks || !tasks->line)
		return;
	ctx[0] = (u64)iter_task_model(session, &tasks->tasks[tasks->at]);
	ctx[1] = (u64)model_area(session, tasks->line, model_object(model, "mm_struct"));
}

const struct iter_ops iter_task_vma_ops = { .open = iter_task_open,
					    .close = iter_task_close,
					    .start = start,
					    .next = next,
					    .stop = stop,
					    .build = build };
