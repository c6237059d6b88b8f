// SPDX-License-Identifier: BSD-2-Clause
/* Iterators over everything that a hive has: one line an object, so that two kernels can be
 * compared. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

typedef unsigned int u32;
typedef unsigned long long u64;

#define CORE __attribute__((preserve_access_index))

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id, seq_num;
} CORE;
struct bpf_map {
	enum bpf_map_type map_type;
	u32 id, max_entries, key_size, value_size, map_flags;
	char name[16];
} CORE;
struct bpf_prog_aux {
	u32 id;
	char name[16];
	const char *attach_func_name;
} CORE;
struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
} CORE;
struct bpf_link {
	u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;
} CORE;
struct files_struct;
struct task_struct {
	int pid, tgid;
	char comm[16];
	struct task_struct *group_leader, *real_parent;
	struct files_struct *files;
} CORE;
struct qstr {
	const unsigned char *name;
} CORE;
struct dentry {
	struct qstr d_name;
} CORE;
struct path {
	struct dentry *dentry;
} CORE;
struct inode {
	unsigned long i_ino;
} CORE;
struct file {
	struct path f_path;
	struct inode *f_inode;
	u32 f_flags;
	void *private_data;
	const void *f_op;
} CORE;
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags, vm_pgoff;
	struct file *vm_file;
} CORE;

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
} CORE;
struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
} CORE;
struct bpf_iter__bpf_link {
	struct bpf_iter_meta *meta;
	struct bpf_link *link;
} CORE;
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key, *value;
} CORE;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
} CORE;
struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
} CORE;

extern const void bpf_map_fops __ksym __weak;
extern const void bpf_link_fops __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} lru SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} percpu_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} percpu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, u64);
} queue SEC(".maps");

const u32 constant = 7;

/* What the first line tells of the walk itself. */
#define HEAD(seq, meta, text) \
	if (!(meta)->seq_num) \
		BPF_SEQ_PRINTF(seq, "walk over " text "\n");

SEC("iter/bpf_map")
int maps(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;

	HEAD(seq, ctx->meta, "maps");
	if (!map) {
		BPF_SEQ_PRINTF(seq, "end\n");
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "%-16s type %u key %u value %u entries %u flags %u %u\n", map->name,
		       map->map_type, map->key_size, map->value_size, map->max_entries,
		       map->map_flags, constant);
	return 0;
}

SEC("iter/bpf_prog")
int progs(struct bpf_iter__bpf_prog *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_prog *prog = ctx->prog;

	if (!prog)
		return 0;
	BPF_SEQ_PRINTF(seq, "%s type %u on %s\n", prog->aux->name, prog->type,
		       prog->aux->attach_func_name);
	return 0;
}

SEC("iter/bpf_link")
int links(struct bpf_iter__bpf_link *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_link *link = ctx->link;

	if (!link)
		return 0;
	BPF_SEQ_PRINTF(seq, "type %u of %s\n", link->type, link->prog->aux->name);
	return 0;
}

SEC("iter/bpf_map_elem")
int elems(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	u32 *key = ctx->key;
	u64 *value = ctx->value;

	if (!key || !value) {
		BPF_SEQ_PRINTF(seq, "%llu of %s\n", ctx->meta->seq_num, ctx->map->name);
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "%u: %llu\n", *key, *value);
	*value += 1;
	return 0;
}

/* Elements that go while they are walked over. */
SEC("iter/bpf_map_elem")
int empty(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *key = ctx->key, copy;

	if (!key) {
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu gone\n", ctx->meta->seq_num);
		return 0;
	}
	copy = *key;
	bpf_map_delete_elem(&hash, &copy);
	return 0;
}

SEC("iter/bpf_map_elem")
int reads_far(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *value = ctx->value;

	if (value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", value[1]);
	return 0;
}

/* Text of 4000 bytes an object: eight fit into the buffer. */
static char block[4000];

SEC("iter/bpf_map_elem")
int blocks(struct bpf_iter__bpf_map_elem *ctx)
{
	if (ctx->key)
		bpf_seq_write(ctx->meta->seq, block, sizeof(block));
	return 0;
}

/* More than the buffer for one object. */
SEC("iter/bpf_map_elem")
int too_much(struct bpf_iter__bpf_map_elem *ctx)
{
	if (!ctx->key)
		return 0;
	for (int i = 0; i < 9; i++)
		bpf_seq_write(ctx->meta->seq, block, sizeof(block));
	return 0;
}

/* Wants every second object again, once. */
static u32 again;

SEC("iter/bpf_map_elem")
int retries(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *key = ctx->key;

	if (!key)
		return 0;
	if (*key % 2 && again != *key) {
		again = *key;
		return 1;
	}
	BPF_SEQ_PRINTF(ctx->meta->seq, "%u as %llu\n", *key, ctx->meta->seq_num);
	return 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!task) {
		BPF_SEQ_PRINTF(seq, "end\n");
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "%d %d %s %s %d %d\n", task->pid, task->tgid, task->comm,
		       task->group_leader->comm, task->real_parent->pid,
		       task->files == task->group_leader->files);
	return 0;
}

SEC("iter.s/task")
int sleepy_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d %s\n", task->pid, task->tgid, task->comm);
	return 0;
}

SEC("iter/task_file")
int files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	BPF_SEQ_PRINTF(seq, "%d %u %s %lu %x\n", task->tgid, ctx->fd,
		       file->f_path.dentry->d_name.name, file->f_inode->i_ino, file->f_flags);
	return 0;
}

/* Descriptors of bpf objects, as bpftool finds out who holds which. */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	if (file->f_op == &bpf_map_fops)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%s has map %s\n", task->comm,
			       ((struct bpf_map *)file->private_data)->name);
	if (file->f_op == &bpf_link_fops)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%s has a link of type %u\n", task->comm,
			       BPF_CORE_READ((struct bpf_link *)file->private_data, type));
	return 0;
}

SEC("iter/task_vma")
int areas(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma;

	if (!ctx->task || !vma || !vma->vm_file)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%s %lx %lx %lu\n", vma->vm_file->f_path.dentry->d_name.name,
		       vma->vm_end - vma->vm_start, vma->vm_flags & 0x8f, vma->vm_pgoff);
	return 0;
}

static char path[256];

SEC("iter/task_file")
int paths(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;

	if (!ctx->task || !file)
		return 0;
	bpf_d_path(&file->f_path, path, sizeof(path));
	BPF_SEQ_PRINTF(ctx->meta->seq, "%u %s\n", ctx->fd, path);
	return 0;
}

/* What lies at the address that element 0 names, and what the kernel says of bad reads. */
SEC("iter.s/task")
int contents(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	u32 zero = 0, word = 1;
	u64 *address;
	long bad, flags, good;

	address = bpf_map_lookup_elem(&array, &zero);
	if (!task || !address)
		return 0;
	flags = bpf_copy_from_user_task(&word, sizeof(word), (void *)*address, task, 1);
	bad = bpf_copy_from_user_task(&word, sizeof(word), (void *)8, task, 0);
	good = bpf_copy_from_user_task(&word, sizeof(word), (void *)*address, task, 0);
	BPF_SEQ_PRINTF(ctx->meta->seq, "%x %ld %ld %ld\n", word, flags, bad, good);
	return 0;
}

SEC("iter/ksym")
int symbols(struct bpf_iter_meta **ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
