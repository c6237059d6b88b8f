/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes of memory that programs name: hosted (process_vm_readv), in another process, and
 * in the image, where a fault goes through the exception table as the agent's handler does it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "arena/arena.h"
#include "harness/tap.h"
#include "rt/helper.h"
#include "rt/vcpu.h"

typedef long (*read_fn)(struct rt_vcpu *, void *, u64, u64);
typedef long (*write_fn)(struct rt_vcpu *, u64, const void *, u64);

struct access {
	const char *name;
	read_fn read_user, read_user_str, read_kernel, read_kernel_str, read_any, read_any_str;
	write_fn write_user;
};

static struct arena *arena;
static struct rt_vcpu *vcpu;
static u64 (*image_fixup)(u64 ip);
static volatile sig_atomic_t faults;

/* What the agent does with SIGSEGV and SIGBUS. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *ip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	u64 resume = image_fixup((u64)*ip);

	if (!resume)
		_exit(99);
	faults++;
	*ip = (greg_t)resume;
}

/* Two pages: the first is there, the second is not; the last bytes before the hole are "abcdefg".
 */
static u8 *make_edge(void)
{
	u8 *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 4096, 4096);
	memcpy(pages + 4096 - 8, "abcdefg", 8);
	return pages + 4096;
}

static bool zero(const char *bytes, u32 size)
{
	for (u32 i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void test_user(const struct access *access, u8 *edge)
{
	static const char text[] = "a string in user memory"; /* in a forked child too */
	char buffer[64];
	u64 word = 0;
	bool ok = true;

	tap_ok(access->read_user(vcpu, buffer, sizeof(text), (u64)text) == 0 &&
		       !memcmp(buffer, text, sizeof(text)),
	       "%s: user memory", access->name);
	tap_ok(access->read_user(vcpu, &word, 8, (u64)edge - 8) == 0 &&
		       !memcmp(&word, "abcdefg", 8),
	       "%s: up to a hole", access->name);
	for (u32 size = 1; size <= 16; size++) {
		memset(buffer, 'x', sizeof(buffer));
		ok &= access->read_user(vcpu, buffer, size, (u64)edge - size + 1) == -EFAULT;
		ok &= zero(buffer, size) && buffer[size] == 'x';
	}
	tap_ok(ok, "%s: into a hole is EFAULT, and the destination is zeroed", access->name);

	static const u64 bad[] = { 0,
				   8,
				   0x7ffffffff000,
				   0x7fffffffffff,
				   0x800000000000,
				   0xffff800000000000,
				   0xffffffffff600000,
				   ~0UL,
				   ~0UL - 7,
				   RT_CONTROL_BASE,
				   RT_DATA_BASE,
				   RT_TEXT_BASE };

	ok = true;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		ok &= access->read_user(vcpu, &word, 8, bad[i]) == -EFAULT;
		ok &= access->read_user(vcpu, buffer, 16, bad[i]) == -EFAULT;
		ok &= access->read_user_str(vcpu, buffer, 16, bad[i]) == -EFAULT;
		ok &= access->write_user(vcpu, bad[i], &word, 8) == -EFAULT;
	}
	tap_ok(ok, "%s: null, non-canonical, kernel and arena addresses are EFAULT", access->name);
	tap_is(access->read_user(vcpu, buffer, 0, 0), 0, "nothing of nowhere is nothing");

	memcpy(&word, "abcdefgh", 8);
	tap_ok(access->write_user(vcpu, (u64)edge - 8, "ABCDEFG", 8) == 0 &&
		       access->read_user(vcpu, &word, 8, (u64)edge - 8) == 0 &&
		       !memcmp(&word, "ABCDEFG", 8),
	       "%s: writes", access->name);
	tap_ok(access->write_user(vcpu, (u64)edge - 8, "abcdefg", 8) == 0, "… and back");
	tap_is(access->write_user(vcpu, (u64)edge - 4, "12345678", 8), -EFAULT,
	       "a write into a hole");
	access->write_user(vcpu, (u64)edge - 8, "abcdefg", 8);
}

static void test_strings(const struct access *access, u8 *edge)
{
	char buffer[64];
	bool ok = true;

	for (u32 back = 1; back <= 8; back++) {
		memset(buffer, 'x', sizeof(buffer));
		ok &= access->read_user_str(vcpu, buffer, sizeof(buffer), (u64)edge - back) ==
		      (long)back;
		ok &= !memcmp(buffer, &"abcdefg"[8 - back], back);
	}
	tap_ok(ok, "%s: strings that end just before a hole", access->name);

	ok = true;
	for (u32 size = 1; size <= 7; size++) {
		memset(buffer, 'x', sizeof(buffer));
		ok &= access->read_user_str(vcpu, buffer, size, (u64)edge - 8) == (long)size;
		ok &= !memcmp(buffer, "abcdefg", size - 1) && buffer[size - 1] == 0 &&
		      buffer[size] == 'x';
	}
	tap_ok(ok, "%s: longer strings are cut, with a NUL, and give the buffer's size",
	       access->name);

	access->write_user(vcpu, (u64)edge - 1, "h", 1);
	memset(buffer, 'x', sizeof(buffer));
	tap_ok(access->read_user_str(vcpu, buffer, 32, (u64)edge - 8) == -EFAULT &&
		       zero(buffer, 32),
	       "%s: a string without end before the hole is EFAULT", access->name);
	access->write_user(vcpu, (u64)edge - 1, "", 1);
}

static void test_kernel(const struct access *access)
{
	char *data = arena_alloc(arena, ARENA_DATA, 64, 8), buffer[64],
	     local[] = "not the kernel's";
	static const u64 bad[] = { 0,
				   RT_TEXT_BASE,
				   RT_CONTROL_BASE - 1,
				   RT_DATA_BASE - 1,
				   RT_PRIVATE_BASE + RT_PRIVATE_SIZE,
				   0xffffffff81000000,
				   0xffff888000000000,
				   ~0UL };
	bool ok = true;

	strcpy(data, "memory of a map");
	tap_ok(access->read_kernel(vcpu, buffer, 16, (u64)data) == 0 && !strcmp(buffer, data),
	       "%s: the arena is kernel memory", access->name);
	tap_is(access->read_kernel_str(vcpu, buffer, 64, (u64)data), 16, "its strings too");
	tap_is(access->read_kernel(vcpu, buffer, 16, (u64)vcpu->scratch), 0, "and private memory");
	tap_is(access->read_kernel(vcpu, buffer, 8, RT_CONTROL_BASE), 0, "and control");
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		ok &= access->read_kernel(vcpu, buffer, 8, bad[i]) == -EFAULT;
		ok &= access->read_kernel_str(vcpu, buffer, 8, bad[i]) == -EFAULT;
	}
	ok &= access->read_kernel(vcpu, buffer, 8, RT_DATA_BASE + RT_CONTROL->data_size - 4) ==
	      -EFAULT;
	ok &= access->read_kernel(vcpu, buffer, sizeof(local), (u64)local) == -EFAULT;
	tap_ok(ok, "%s: text, user memory and everything else is EFAULT", access->name);
	tap_ok(access->read_any(vcpu, buffer, sizeof(local), (u64)local) == 0 &&
		       access->read_any(vcpu, buffer, 16, (u64)data) == 0 &&
		       access->read_any_str(vcpu, buffer, 64, (u64)local) == sizeof(local) &&
		       access->read_any_str(vcpu, buffer, 64, (u64)data) == 16,
	       "%s: the old helper reads either", access->name);
	arena_release(arena, ARENA_DATA, data, 64);
}

static void test_remote(const struct access *access)
{
	u8 *edge = make_edge();
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	vcpu->task.remote_pid = (u32)pid;
	/* The child has its own copy: what is changed here is not seen there. */
	memcpy(edge - 8, "parents", 8);
	test_user(access, edge);
	test_strings(access, edge);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	char buffer[8];

	tap_is(access->read_user(vcpu, buffer, 8, (u64)edge - 8), -EFAULT, "a task that is gone");
	tap_ok(!memcmp(edge - 8, "parents", 8), "the memory was the other process's");
	vcpu->task.remote_pid = 0;
}

static void find(const char *name, void *ret_function)
{
	u64 address = arena_image_symbol(arena, name);

	if (!address)
		tap_bail("the image has no %s", name);
	memcpy(ret_function, &address, sizeof(address));
}

int main(void)
{
	const struct access hosted = { "hosted",	rt_read_user,	    rt_read_user_str,
				       rt_read_kernel,	rt_read_kernel_str, rt_read_any,
				       rt_read_any_str, rt_write_user };
	struct access image = { .name = "image" };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, segv, bus;
	const char *message = "";

	if (arena_new(NULL, &arena, &message))
		tap_bail("%s", message);
	vcpu = rt_vcpu_acquire((u32)gettid());
	memset(&vcpu->task, 0, sizeof(vcpu->task));

	u8 *edge = make_edge();

	test_user(&hosted, edge);
	test_strings(&hosted, edge);
	test_kernel(&hosted);
	test_remote(&hosted);

	find("rt_exception_fixup", &image_fixup);
	find("rt_read_user", &image.read_user);
	find("rt_read_user_str", &image.read_user_str);
	find("rt_read_kernel", &image.read_kernel);
	find("rt_read_kernel_str", &image.read_kernel_str);
	find("rt_read_any", &image.read_any);
	find("rt_read_any_str", &image.read_any_str);
	find("rt_write_user", &image.write_user);
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	test_user(&image, edge);
	test_strings(&image, edge);
	test_kernel(&image);
	tap_ok(faults > 0, "faults were taken and resumed (%d)", (int)faults);

	/* A file that shrank under its mapping: SIGBUS. */
	int fd = memfd_create("shrunk", MFD_CLOEXEC);
	char buffer[16];
	u8 *mapping =
		ftruncate(fd, 4096) ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (mapping == MAP_FAILED || ftruncate(fd, 0))
		tap_bail("cannot shrink a file");
	tap_is(image.read_user(vcpu, buffer, 8, (u64)mapping), -EFAULT,
	       "a page beyond the file's end");
	tap_is(image_fixup((u64)main), 0, "other instructions have no row in the table");
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	test_remote(&image);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
