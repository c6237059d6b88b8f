/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See cgroup.h.
 */
#include "rt/cgroup.h"

#include <linux/stat.h>

#include "rt/arena.h"
#include "rt/helper.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/storage.h"
#include "rt/sys.h"
#include "rt/task_model.h"
#include "rt/vcpu.h"

#define AT_FDCWD      (-100)
#define CGROUP2_MAGIC 0x63677270L
#define CGROUP_MAGIC  0x27e0ebL
#define STEPS_MAX     65536 /* cgroups that are looked at for one */
#define NAME_SIZE     256

/* What stat(2) and statfs(2) of x86-64 begin with. */
struct file_status {
	u64 dev, ino;
	u64 rest[16];
};

struct system_status {
	s64 type;
	u64 rest[15];
};

static bool is_hierarchy(const struct rt_path *path)
{
	struct system_status status = { 0 };

	return rt_syscall3(__NR_statfs, (u64)path->text, (u64)&status, 0) == 0 &&
	       (status.type == CGROUP2_MAGIC || status.type == CGROUP_MAGIC);
}

/* The mount's name is a single one, whoever has written it. */
static bool mount_path(struct rt_path *path, const char *mount)
{
	rt_path_set(path, "/sys/fs/cgroup");
	if (!*mount)
		return true;
	for (const char *at = mount; *at; at++)
		if (*at == '/' || *at == '.')
			return false;
	rt_path_add(path, "/");
	rt_path_add(path, mount);
	return true;
}

static bool path_of(struct rt_path *path, const struct rt_cgroup *group)
{
	if (!mount_path(path, group->mount) || !is_hierarchy(path))
		return false;
	rt_path_add(path, group->path);
	return path->length;
}

/* The root of the one hierarchy. */
static void set_root(struct rt_cgroup *group)
{
	struct rt_path path;

	memset(group, 0, sizeof(*group));
	memcpy(group->mount, "unified", 8);
	if (!mount_path(&path, group->mount) || !is_hierarchy(&path))
		memset(group->mount, 0, sizeof(group->mount));
}

bool rt_cgroup_check(struct rt_cgroup *group)
{
	struct file_status status = { 0 };
	struct rt_path path;

	group->path[RT_CGROUP_PATH - 1] = group->mount[RT_CGROUP_MOUNT - 1] = '\0';
	group->level = group->length = 0;
	for (const char *at = group->path; *at; at++, group->length++) {
		group->level += *at == '/';
		if (at[0] == '/' && (at[1] == '.' || at[1] == '/' || !at[1]))
			return false;
	}
	if (group->length && group->path[0] != '/')
		return false;
	if (!path_of(&path, group) || rt_syscall3(__NR_stat, (u64)path.text, (u64)&status, 0))
		return false;
	group->id = status.ino;
	return true;
}

/* "number:controllers:/path", the numbers and names of version 1; length bytes. */
static bool parse_line(const char *line, u32 length, u32 hierarchy, struct rt_cgroup *group)
{
	const char *end = line + length, *mount, *path;
	u32 size;

	if (rt_parse_number(line, 10, &mount) != hierarchy || *mount++ != ':')
		return false;
	for (path = mount; path < end && *path != ':'; path++)
		;
	if (path == end)
		return false;
	set_root(group);
	if (hierarchy) {
		if (path - mount > 5 && !memcmp(mount, "name=", 5))
			mount += 5;
		size = (u32)(path - mount);
		if (size >= RT_CGROUP_MOUNT)
			return false;
		memset(group->mount, 0, RT_CGROUP_MOUNT);
		memcpy(group->mount, mount, size);
	}
	path++;
	size = (u32)(end - path);
	if (!size || size >= RT_CGROUP_PATH)
		return false;
	/* "/" is the root. One that leads out of what the task sees begins with "/..". */
	if (size > 1)
		memcpy(group->path, path, size);
	return rt_cgroup_check(group);
}

bool rt_cgroup_of_task_in(const struct rt_vcpu *vcpu, u32 pid, u32 hierarchy,
			  struct rt_cgroup *ret_group)
{
	char text[4 * RT_PATH_SIZE];
	struct rt_path path;
	u32 line = 0, end, size;
	long got;

	rt_path_of_task(&path, vcpu, pid, "cgroup");
	got = rt_file_read(path.text, text, sizeof(text), 0);
	size = got > 0 ? (u32)got : 0;
	for (; line < size; line = end + 1) {
		for (end = line; end < size && text[end] != '\n'; end++)
			;
		if (end < size && parse_line(text + line, end - line, hierarchy, ret_group))
			return true;
	}
	return false;
}

bool rt_cgroup_of_task(const struct rt_vcpu *vcpu, u32 pid, struct rt_cgroup *ret_group)
{
	return rt_cgroup_of_task_in(vcpu, pid, 0, ret_group);
}

u64 rt_cgroup_owner(const struct rt_cgroup *group)
{
	struct statx st = { 0 };
	struct rt_path path;

	if (!path_of(&path, group) || rt_syscall6(__NR_statx, (u64)AT_FDCWD, (u64)path.text, 0,
						  STATX_INO | STATX_BTIME, (u64)&st, 0))
		return 0;
	return rt_owner_of_inode(st.stx_dev_major, st.stx_dev_minor, st.stx_ino,
				 (u64)st.stx_btime.tv_sec * 1000000000ull + st.stx_btime.tv_nsec);
}

static void cut(struct rt_cgroup *group, u32 length)
{
	memset(group->path + length, 0, RT_CGROUP_PATH - length);
}

bool rt_cgroup_ancestor(const struct rt_cgroup *group, u32 level, struct rt_cgroup *ret_group)
{
	u32 at = 0, depth = 0;

	if (level > group->level)
		return false;
	*ret_group = *group;
	for (; at < group->length && at < RT_CGROUP_PATH; at++) {
		depth += group->path[at] == '/';
		if (depth > level)
			break;
	}
	cut(ret_group, at);
	return rt_cgroup_check(ret_group);
}

bool rt_cgroup_is_below(const struct rt_cgroup *group, const struct rt_cgroup *ancestor)
{
	struct rt_cgroup above;

	return memcmp(group->mount, ancestor->mount, RT_CGROUP_MOUNT) == 0 &&
	       rt_cgroup_ancestor(group, ancestor->level, &above) && above.id == ancestor->id;
}

/* Goes to a child by its name. */
static bool enter(struct rt_cgroup *group, const char *name)
{
	u32 at = group->length;

	if (at + 2 >= RT_CGROUP_PATH)
		return false;
	group->path[at++] = '/';
	while (*name && at + 1 < RT_CGROUP_PATH)
		group->path[at++] = *name++;
	cut(group, at);
	return !*name && rt_cgroup_check(group);
}

/* The child behind the one called `after` (NULL: the first one). */
static bool child(struct rt_cgroup *group, const char *after)
{
	struct rt_cgroup parent = *group;
	bool passed = !after;
	struct rt_path path;
	char name[NAME_SIZE];
	u64 cursor = 0;

	if (!path_of(&path, &parent))
		return false;
	for (u32 i = 0; i < STEPS_MAX; i++) {
		if (!rt_directory_next(path.text, &cursor, true, name, sizeof(name)))
			return false;
		if (passed) {
			*group = parent;
			/* It may have gone in between. */
			if (enter(group, name))
				return true;
			continue;
		}
		for (u32 c = 0; after[c] == name[c]; c++)
			if (!name[c]) {
				passed = true;
				break;
			}
	}
	return false;
}

/* Goes up; name is what it was called. False: it is the root. */
static bool leave(struct rt_cgroup *group, char *name)
{
	u32 at = group->length, i = 0;

	while (at && group->path[at - 1] != '/')
		at--;
	if (!at)
		return false;
	for (; group->path[at + i] && i + 1 < NAME_SIZE; i++)
		name[i] = group->path[at + i];
	name[i] = '\0';
	cut(group, at - 1);
	return rt_cgroup_check(group);
}

static void go_deepest(struct rt_cgroup *group)
{
	for (u32 i = 0; i < RT_CGROUP_PATH / 2; i++) {
		struct rt_cgroup below = *group;

		if (!child(&below, NULL))
			return;
		*group = below;
	}
}

bool rt_cgroup_first(const struct rt_cgroup *start, u32 order, struct rt_cgroup *ret_group)
{
	*ret_group = *start;
	if (order == RT_CGROUP_POST)
		go_deepest(ret_group);
	return true;
}

/* The next one beside group or beside those above it, below start. */
static bool beside(const struct rt_cgroup *start, struct rt_cgroup *group)
{
	char name[NAME_SIZE];

	while (group->level > start->level) {
		struct rt_cgroup next;

		if (!leave(group, name))
			return false;
		next = *group;
		if (child(&next, name)) {
			*group = next;
			return true;
		}
	}
	return false;
}

bool rt_cgroup_next(const struct rt_cgroup *start, u32 order, struct rt_cgroup *group)
{
	struct rt_cgroup next = *group;
	char name[NAME_SIZE];

	if (order == RT_CGROUP_UP)
		return leave(group, name);
	if (order == RT_CGROUP_PRE) {
		if (!child(&next, NULL) && (next = *group, !beside(start, &next)))
			return false;
		*group = next;
		return true;
	}
	if (order != RT_CGROUP_POST || group->level <= start->level || !leave(&next, name))
		return false;
	*group = next;
	if (child(&next, name)) {
		go_deepest(&next);
		*group = next;
	}
	return true;
}

bool rt_cgroup_by_id(u64 id, struct rt_cgroup *ret_group)
{
	struct rt_cgroup root;

	set_root(&root);
	if (!rt_cgroup_check(&root))
		return false;
	*ret_group = root;
	for (u32 i = 0; i < STEPS_MAX; i++) {
		if (ret_group->id == id)
			return true;
		if (!rt_cgroup_next(&root, RT_CGROUP_PRE, ret_group))
			return false;
	}
	return false;
}

long rt_cgroup_read_threads(const struct rt_cgroup *group, bool processes, char *text, u32 size,
			    u64 offset)
{
	struct rt_path path;

	text[0] = '\0';
	if (!path_of(&path, group))
		return -ENOENT;
	rt_path_add(&path, processes ? "/cgroup.procs" : "/cgroup.threads");
	return rt_file_read(path.text, text, size, offset);
}

/* Images: the cgroup, its node, its path. */

static const struct rt_task_layout *the_layout(void)
{
	return READ_ONCE(RT_CONTROL->task_layout);
}

static u32 path_offset(const struct rt_task_layout *layout)
{
	return ALIGN_UP(layout->cgroup_size, 64u) + ALIGN_UP(layout->node_size, 64u);
}

u32 rt_cgroup_image_size(void)
{
	const struct rt_task_layout *layout = the_layout();

	return layout && layout->cgroup_size && layout->node_size
		       ? path_offset(layout) + RT_CGROUP_PATH + RT_CGROUP_MOUNT + 64
		       : 0;
}

static u64 field(u64 image, u32 offset, u32 size, struct rt_vcpu *vcpu)
{
	u64 value = 0;

	if (image && offset != RT_TASK_MODEL_ABSENT)
		rt_read_kernel(vcpu, &value, size, image + offset);
	return value;
}

u64 rt_cgroup_build(u8 *at, const struct rt_cgroup *group)
{
	const struct rt_task_layout *layout = the_layout();
	u8 *node, *path;
	u32 name;

	if (!rt_cgroup_image_size())
		return 0;
	node = at + ALIGN_UP(layout->cgroup_size, 64u);
	path = at + path_offset(layout);
	memset(at, 0, rt_cgroup_image_size());
	memcpy(path, group->path, RT_CGROUP_PATH);
	memcpy(path + RT_CGROUP_PATH + 1, group->mount, RT_CGROUP_MOUNT);
	for (name = group->length; name && group->path[name - 1] != '/'; name--)
		;
	rt_task_set(at, layout->cgroup_level, group->level, 4);
	rt_task_set(at, layout->cgroup_node, (u64)node, 8);
	if (layout->cgroup_self != RT_TASK_MODEL_ABSENT &&
	    layout->css_cgroup != RT_TASK_MODEL_ABSENT)
		rt_task_set(at, layout->cgroup_self + layout->css_cgroup, (u64)at, 8);
	rt_task_set(node, layout->node_id, group->id, 8);
	rt_task_set(node, layout->node_name,
		    (u64)(group->length ? path + name : path + RT_CGROUP_PATH), 8);
	return (u64)at;
}

bool rt_cgroup_read(u64 image, struct rt_vcpu *vcpu, struct rt_cgroup *ret_group)
{
	const struct rt_task_layout *layout = the_layout();
	u64 id;

	if (!rt_cgroup_image_size())
		return false;
	id = field(field(image, layout->cgroup_node, 8, vcpu), layout->node_id, 8, vcpu);
	memset(ret_group, 0, sizeof(*ret_group));
	if (!id)
		return false;
	rt_read_kernel(vcpu, ret_group->path, RT_CGROUP_PATH, image + path_offset(layout));
	rt_read_kernel(vcpu, ret_group->mount, RT_CGROUP_MOUNT,
		       image + path_offset(layout) + RT_CGROUP_PATH + 1);
	if (rt_cgroup_check(ret_group) && ret_group->id == id)
		return true;
	return rt_cgroup_by_id(id, ret_group);
}

u64 rt_cgroup_of_css(u64 css, struct rt_vcpu *vcpu)
{
	const struct rt_task_layout *layout = the_layout();

	return layout ? field(css, layout->css_cgroup, 8, vcpu) : 0;
}

u64 rt_cgroup_css(u64 image)
{
	const struct rt_task_layout *layout = the_layout();

	return layout && image && layout->cgroup_self != RT_TASK_MODEL_ABSENT
		       ? image + layout->cgroup_self
		       : 0;
}

long rt_cgroup_attribute(const struct rt_cgroup *group, const char *name, u8 *value, u32 size)
{
	struct rt_path path;
	long length;

	if (!path_of(&path, group) || !*path.text)
		return -ENODATA;
	length = rt_syscall4(__NR_getxattr, (u64)path.text, (u64)name, (u64)value, size);
	/* A size of 0 asks how many there are. */
	return length > 0 && (u64)length > size ? -ERANGE : length;
}
