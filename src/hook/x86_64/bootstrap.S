/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program runs before its first instruction: asks for the arena, maps the data plane's text and
 * goes to agent_start; or, whatever the reason, to the program as if nothing had been tried. It needs
 * nobody from its first instruction on: it lies in bytes of the vDSO that no one uses (enter.c), and
 * with the supervisor gone bpf(2) gives it an error. Position-independent, touches no stack.
 */
#include <asm/unistd_64.h>

#define TEXT_BASE	  0x7e8000000000
#define AGENT_ENTER	  0x534b0000
#define AGENT_FOR_BPF	  110
#define AGENT_NOT_ENTERED 0x534b0005
#define READ_ONLY	  0
#define READ_WRITE	  1
#define IS_ZERO		  2
#define EINTR		  4
#define EAGAIN		  11
#define PROT_RX		  5
#define MAP_FLAGS	  0x104001 /* SHARED, NORESERVE, FIXED_NOREPLACE */

	.section .rodata
	.globl	hook_bootstrap_start, hook_bootstrap_words, hook_bootstrap_end
	.hidden	hook_bootstrap_start, hook_bootstrap_words, hook_bootstrap_end
	.balign	8
hook_bootstrap_start:
	lea	1f(%rip), %r15
	mov	$READ_ONLY, %r14d
	jmp	.Lask
1:	test	%rax, %rax
	js	.Lfailed
	mov	%eax, %ebx
	mov	$__NR_mmap, %eax
	movabs	$TEXT_BASE, %rdi
	mov	.Ltext_size(%rip), %rsi
	mov	$PROT_RX, %edx
	mov	$MAP_FLAGS, %r10d
	mov	%ebx, %r8d
	xor	%r9d, %r9d
	syscall
	cmp	%rdi, %rax
	jne	.Lclose
	lea	2f(%rip), %r15
	mov	$READ_WRITE, %r14d
	jmp	.Lask
2:	test	%rax, %rax
	js	.Lunmap
	mov	%rax, %rsi
	shl	$32, %rsi
	or	%rbx, %rsi
	mov	.Lentry(%rip), %rdi
	mov	.Lflags(%rip), %rdx
	mov	.Lexec(%rip), %rcx
	mov	.Lcontrol_size(%rip), %r9
	jmp	*.Lagent_start(%rip)

.Lunmap:
	mov	%rax, %r12
	mov	$__NR_munmap, %eax
	movabs	$TEXT_BASE, %rdi
	mov	.Ltext_size(%rip), %rsi
	syscall
	mov	%r12, %rax
.Lclose:
	mov	%rax, %r12
	mov	$__NR_close, %eax
	mov	%ebx, %edi
	syscall
	mov	%r12, %rax
.Lfailed:
	mov	%rax, %rsi
	mov	$AGENT_NOT_ENTERED, %edi
	xor	%edx, %edx
	mov	$AGENT_FOR_BPF, %eax
	syscall
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	jmp	*.Lentry(%rip)

/*
 * Asks for descriptor r14d, back to r15. A call whose supervisor died while it handed a descriptor over
 * returns 0, which is also the number of one: asks again which it was.
 */
.Lask:
	mov	%r14d, %esi
	mov	$AGENT_ENTER, %edi
	xor	%edx, %edx
	mov	$AGENT_FOR_BPF, %eax
	syscall
	cmp	$-EINTR, %rax
	je	.Lask
	test	%rax, %rax
	jnz	4f
3:	mov	$IS_ZERO, %esi
	mov	$AGENT_ENTER, %edi
	xor	%edx, %edx
	mov	$AGENT_FOR_BPF, %eax
	syscall
	cmp	$-EINTR, %rax
	je	3b
	cmp	$-EAGAIN, %rax
	je	.Lask
	/* 0: it is number 0. */
4:	jmp	*%r15

	.balign	8
hook_bootstrap_words: /* struct boot_words */
.Lentry:
	.quad	0
.Lagent_start:
	.quad	0
.Lflags:
	.quad	0
.Lexec:
	.quad	0
.Ltext_size:
	.quad	0
.Lcontrol_size:
	.quad	0
hook_bootstrap_end:
	.section .note.GNU-stack, "", @progbits
