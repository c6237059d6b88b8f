/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iterator over the open files of tasks. private_data of a descriptor of the hive's own objects
 * is the object; f_op is the address that /proc/kallsyms has for the kind's operations, if it has
 * one, which is how programs tell the kinds apart.
 */
#include "sys/iter_task.h"
#include "base/alloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *const fops_names[] = {
	[OBJECT_MAP] = "bpf_map_fops",
	[OBJECT_PROG] = "bpf_prog_fops",
	[OBJECT_BTF] = "btf_fops",
	[OBJECT_LINK] = "bpf_link_fops",
};

/* The smallest descriptor of the current task at or above fd, -1: none. */
static int find_fd(const struct iter_tasks *tasks, int fd)
{
	const struct iter_task *task = &tasks->tasks[tasks->at];
	struct dirent *entry;
	DIR *directory;
	char path[80];
	int found = -1;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/fd", task->tgid, task->tid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		int number = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && number >= fd && (found < 0 || number < found))
			found = number;
	}
	if (directory)
		closedir(directory);
	return found;
}

static bool find(struct iter_session *session, bool task_found, int fd)
{
	struct iter_tasks *tasks = session->tasks;

	for (; task_found; task_found = iter_task_find_next(session, true), fd = 0) {
		tasks->fd = find_fd(tasks, fd);
		if (tasks->fd >= 0)
			return true;
	}
	tasks->fd = -1;
	return false;
}

static bool start(struct iter_session *session)
{
	struct iter_tasks *tasks = session->tasks;
	u32 tid = tasks->tid;
	bool found = iter_task_find(session, true);

	return find(session, found, tasks->tid == tid && tasks->fd > 0 ? tasks->fd : 0);
}

static bool next(struct iter_session *session)
{
	return find(session, true, session->tasks->fd + 1);
}

static void stop(struct iter_session *session)
{
	session->tasks->walks = false;
}

/* Addresses of the kernel's tables of file operations; 0 where it does not tell. */
static void read_symbols(struct sys_hive *hive)
{
	char line[256], name[128];
	unsigned long long address;
	FILE *file;

	if (hive->fops_known)
		return;
	hive->fops_known = true;
	file = fopen("/proc/kallsyms", "re");
	while (file && fgets(line, sizeof(line), file))
		for (u32 i = 0; i < ARRAY_SIZE(fops_names); i++)
			if (strstr(line, fops_names[i]) &&
			    sscanf(line, "%llx %*c %127s", &address, name) == 2 &&
			    !strcmp(name, fops_names[i]))
				hive->fops[i] = address;
	if (file)
		fclose(file);
}

static void set_object(struct iter_session *session, void *image, const struct iter_task *task,
		       int fd)
{
	struct sys_client *client = session->client;
	struct sys_hive *hive = session->hive;
	struct model *model = hive->model;
	struct object *object = NULL;
	void *private = NULL;

	/* Something that is no table of the kernel's, for files that are not ours. */
	model_set_pointer(model, image, MODEL_FILE_OPS, model_bytes(model, "", 1));
	if (!client->ops->object_of_task ||
	    client->ops->object_of_task(client, task->tid, fd, &object))
		return;
	switch (object->kind) {
	case OBJECT_MAP:
		private
		= iter_model_map(hive, sys_map_of(object));
		break;
	case OBJECT_PROG:
		private
		= iter_model_prog(hive, sys_prog_of(object));
		break;
	case OBJECT_LINK:
		private
		= iter_model_link(hive, container_of(object, struct sys_link, object));
		break;
	case OBJECT_BTF:
		private
		= iter_model_btf(hive, container_of(object, struct sys_btf, object));
		break;
	default: break;
	}
	model_set_pointer(model, image, MODEL_FILE_PRIVATE, private);
	if (object->kind < ARRAY_SIZE(fops_names) && hive->fops[object->kind])
		model_set(model, image, MODEL_FILE_OPS, hive->fops[object->kind]);
	object_unref(object);
}

void *iter_model_inode(struct model *model, const struct stat *st)
{
	void *inode = model_object(model, "inode"), *sb = model_object(model, "super_block");

	model_set(model, inode, MODEL_INODE_INO, st->st_ino);
	model_set(model, inode, MODEL_INODE_MODE, st->st_mode);
	model_set(model, inode, MODEL_INODE_SIZE, (u64)st->st_size);
	model_set(model, inode, MODEL_INODE_UID, st->st_uid);
	model_set(model, inode, MODEL_INODE_GID, st->st_gid);
	/* The kernel's own numbers have 20 bits for the minor one. */
	model_set(model, inode, MODEL_INODE_RDEV,
		  (u64)major(st->st_rdev) << 20 | minor(st->st_rdev));
	model_set(model, sb, MODEL_SB_DEV, (u64)major(st->st_dev) << 20 | minor(st->st_dev));
	model_set_pointer(model, inode, MODEL_INODE_SB, sb);
	return inode;
}

/* The last component of what /proc says of a file; pipes and sockets have none. */
static void name_of(const char *path, char name[256])
{
	static const char anonymous[] = "anon_inode:", deleted[] = " (deleted)";
	size_t length;

	if (path[0] == '/')
		path = strrchr(path, '/')[1] ? strrchr(path, '/') + 1 : path;
	else if (!strncmp(path, anonymous, sizeof(anonymous) - 1))
		path += sizeof(anonymous) - 1;
	else
		path = "";
	length = strnlen(path, 255);
	if (length >= sizeof(deleted) && !strcmp(path + length - (sizeof(deleted) - 1), deleted))
		length -= sizeof(deleted) - 1;
	memcpy(name, path, length);
	name[length] = '\0';
}

void *iter_model_file(struct iter_session *session, void *inode, const char *path)
{
	struct model *model = session->hive->model;
	void *image = model_object(model, "file"), *dentry = model_object(model, "dentry");
	char name[256];

	name_of(path, name);

	model_set_pointer(model, image, MODEL_FILE_INODE, inode);
	model_set_pointer(model, dentry, MODEL_DENTRY_INODE, inode);
	model_set_pointer(model, dentry, MODEL_DENTRY_NAME,
			  model_bytes(model, name, strlen(name) + 1));
	model_set(model, dentry, MODEL_DENTRY_NAME_LEN, strlen(name));
	model_set_pointer(model, image, MODEL_FILE_DENTRY, dentry);
	session->seq.path_text = model_bytes(model, path, strlen(path) + 1);
	session->seq.path =
		session->seq.path_text ? (u64)model_member(model, image, MODEL_FILE_PATH) : 0;
	return image;
}

/* What bpf_sock_from_file() gives; the socket behind it is the kernel's. */
static void set_socket(struct iter_session *session, void *file)
{
	struct model *model = session->hive->model;
	void *socket = model_object(model, "socket");

	model_set_pointer(model, socket, MODEL_SOCKET_FILE, file);
	model_set_pointer(model, file, MODEL_FILE_PRIVATE, socket);
	session->seq.socket_file = (u64)file;
	session->seq.socket = (u64)socket;
}

static void *model_open_file(struct iter_session *session, const struct iter_task *task, int fd)
{
	struct model *model = session->hive->model;
	unsigned long long position = 0;
	char path[96], target[4096], *text = NULL;
	struct stat st = { 0 };
	u32 flags = 0;
	ssize_t length;
	void *image;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/fd/%d", task->tgid, task->tid, fd);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	if (stat(path, &st) < 0)
		memset(&st, 0, sizeof(st));
	image = iter_model_file(session, iter_model_inode(model, &st), target);
	snprintf(path, sizeof(path), "/proc/%u/task/%u/fdinfo/%d", task->tgid, task->tid, fd);
	if (iter_read_proc(path, &text) >= 0)
		sscanf(text, "pos: %llu flags: %o", &position, &flags);
	base_free(text);
	model_set(model, image, MODEL_FILE_POS, position);
	/* Close-on-exec is the descriptor's, not the file's. */
	model_set(model, image, MODEL_FILE_FLAGS, flags & ~(u32)O_CLOEXEC);
	/* FMODE_READ 1, FMODE_WRITE 2 */
	model_set(model, image, MODEL_FILE_F_MODE, (flags + 1) & 3);
	set_object(session, image, task, fd);
	if (S_ISSOCK(st.st_mode))
		set_socket(session, image);
	return image;
}

static void build(struct iter_session *session, u64 *ctx)
{
	struct iter_tasks *tasks = session->tasks;
	const struct iter_task *task = &tasks->tasks[tasks->at];

	if (!tasks->walks || tasks->fd < 0)
		return;
	read_symbols(session->hive);
	ctx[0] = (u64)iter_task_model(session, task);
	ctx[1] = (u64)tasks->fd;
	ctx[2] = (u64)model_open_file(session, task, tasks->fd);
}

const struct iter_ops iter_task_file_ops = { .open = iter_task_open,
					     .close = iter_task_close,
					     .start = start,
					     .next = next,
					     .stop = stop,
					     .build = build };
