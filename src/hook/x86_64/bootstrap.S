/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program runs in place of its first instructions, while the supervisor traces it: asks for the
 * arena, maps the data plane's text, stops at one of two int3. Position-independent, touches no stack.
 * The supervisor copies it, fills in the size of text, and puts the program's bytes back afterwards.
 */
#include <asm/unistd_64.h>

#define TEXT_BASE   0x7e8000000000
#define AGENT_ENTER 0x534b0000
#define EINTR	    4
#define PROT_RX	    5
#define MAP_FLAGS   0x104001 /* SHARED, NORESERVE, FIXED_NOREPLACE */

	.section .rodata
	.globl	hook_bootstrap_start, hook_bootstrap_size, hook_bootstrap_done, hook_bootstrap_end
	.hidden	hook_bootstrap_start, hook_bootstrap_size, hook_bootstrap_done, hook_bootstrap_end
hook_bootstrap_start:
1:	mov	$__NR_bpf, %eax
	mov	$AGENT_ENTER, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	syscall
	cmp	$-EINTR, %rax
	je	1b
	test	%rax, %rax
	js	3f
	mov	%rax, %rbx
	mov	$__NR_mmap, %eax
	movabs	$TEXT_BASE, %rdi
	mov	hook_bootstrap_size(%rip), %rsi
	mov	$PROT_RX, %edx
	mov	$MAP_FLAGS, %r10d
	mov	%ebx, %r8d
	xor	%r9d, %r9d
	syscall
	cmp	%rdi, %rax
	jne	2f
	int3
hook_bootstrap_done: /* rbx: the descriptors */
	nop
	/* No place for it: close both, and say why in r12. */
2:	mov	%rax, %r12
	mov	$__NR_close, %eax
	mov	%ebx, %edi
	syscall
	mov	$__NR_close, %eax
	mov	%rbx, %rdi
	shr	$32, %rdi
	syscall
	mov	%r12, %rax
3:	int3
	.balign	8
hook_bootstrap_size:
	.quad	0
hook_bootstrap_end:
	.section .note.GNU-stack, "", @progbits
