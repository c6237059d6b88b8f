/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where rewritten system-call sites arrive: `call` from a near stub, with the application's registers
 * and, at (%rsp), the address in the stub to return to. rcx and r11 are dead here, as around every
 * syscall instruction; flags are kept.
 *
 * The fast path asks one byte and makes the call. The slow path claims an area of private memory with
 * one exchange, saves all registers there, and runs C on the area's own stack: the application's stack
 * gives 16 bytes below what the stub left. C says where the thread goes on (area->target).
 *
 * A signal may arrive at any instruction. What it then finds, and how the thread is moved to a place
 * where an application's handler may run, is table-driven: agent_prologues and the labels at the end
 * (settle.c reads both).
 */
#include "agent/layout.h"

#define RT_PRIVATE_BASE 0x7e9800000000
#define AREAS		(RT_PRIVATE_BASE + AGENT_AREAS_OFFSET)
#define AREAS_END	(AREAS + AGENT_AREAS * AGENT_AREA_SIZE)

	.text

/*
 * Claims an area, saves the registers in it, calls function(area) on its stack. Labels for signals:
 *   start..pushed   nothing done
 *   pushed..tried   flags are on the application's stack
 *   tried..         the exchange is done: ecx 0 means that the area at r11 is ours
 *   claimed..saved  it is ours
 */
.macro prologue name, function
	.globl	\name\()_start
\name\()_start:
	pushfq
\name\()_pushed:
	mov	%rsp, %r11
	shr	$13, %r11
	and	$127, %r11d
	shl	$AGENT_AREA_SHIFT, %r11
	movabs	$AREAS, %rcx
	add	%rcx, %r11
1:	mov	$1, %ecx
	xchg	%ecx, AGENT_AREA_OWNER(%r11)
\name\()_tried:
	test	%ecx, %ecx
	jz	\name\()_claimed
	pause
	add	$AGENT_AREA_SIZE, %r11
	movabs	$AREAS_END, %rcx
	cmp	%rcx, %r11
	jb	1b
	movabs	$AREAS, %r11
	jmp	1b
\name\()_claimed:
	mov	%r15, AGENT_AREA_REGS+AGENT_R15(%r11)
	mov	%r14, AGENT_AREA_REGS+AGENT_R14(%r11)
	mov	%r13, AGENT_AREA_REGS+AGENT_R13(%r11)
	mov	%r12, AGENT_AREA_REGS+AGENT_R12(%r11)
	mov	%rbp, AGENT_AREA_REGS+AGENT_BP(%r11)
	mov	%rbx, AGENT_AREA_REGS+AGENT_BX(%r11)
	mov	%r10, AGENT_AREA_REGS+AGENT_R10(%r11)
	mov	%r9, AGENT_AREA_REGS+AGENT_R9(%r11)
	mov	%r8, AGENT_AREA_REGS+AGENT_R8(%r11)
	mov	%rax, AGENT_AREA_REGS+AGENT_AX(%r11)
	mov	%rdx, AGENT_AREA_REGS+AGENT_DX(%r11)
	mov	%rsi, AGENT_AREA_REGS+AGENT_SI(%r11)
	mov	%rdi, AGENT_AREA_REGS+AGENT_DI(%r11)
	mov	(%rsp), %rcx
	/* A debugger that steps leaves its trap flag in what was pushed. */
	and	$~0x100, %ecx
	mov	%rcx, AGENT_AREA_REGS+AGENT_FLAGS(%r11)
	lea	8(%rsp), %rcx
	mov	%rcx, AGENT_AREA_REGS+AGENT_SP(%r11)
	lea	AGENT_AREA_SIZE(%r11), %rsp
\name\()_saved:
	cld
	xor	%ebp, %ebp
	mov	%r11, %rbx
	mov	%r11, %rdi
	call	\function
	mov	%rbx, %r11
	jmp	agent_resume
.endm

	.globl	agent_syscall_entry
	.type	agent_syscall_entry, @function
	.balign 64
agent_syscall_entry:
	movzwl	%ax, %ecx
	movabs	$AGENT_CONTROL_POINTER, %r11
	mov	(%r11), %r11
	movzbl	(%r11, %rcx), %ecx
	jrcxz	agent_syscall_direct
	jmp	agent_enter_start
	.globl	agent_syscall_direct
agent_syscall_direct:
	syscall
	.globl	agent_syscall_direct_done
agent_syscall_direct_done:
	ret

/* The stub of exit(2): nothing may be pushed, and nothing returns. */
	.globl	agent_exit_entry
	.balign 16
agent_exit_entry:
	movabs	$AREAS, %r11
1:	mov	$1, %ecx
	xchg	%ecx, AGENT_AREA_OWNER(%r11)
	test	%ecx, %ecx
	jz	2f
	pause
	add	$AGENT_AREA_SIZE, %r11
	movabs	$AREAS_END, %rcx
	cmp	%rcx, %r11
	jb	1b
	jmp	agent_exit_entry
2:	mov	%rax, AGENT_AREA_REGS+AGENT_AX(%r11)
	mov	%rdi, AGENT_AREA_REGS+AGENT_DI(%r11)
	mov	%rsp, AGENT_AREA_REGS+AGENT_SP(%r11)
	lea	AGENT_AREA_SIZE(%r11), %rsp
	cld
	xor	%ebp, %ebp
	mov	%r11, %rbx
	mov	%r11, %rdi
	call	agent_thread_exit
	mov	AGENT_AREA_REGS+AGENT_AX(%rbx), %rax
	mov	AGENT_AREA_REGS+AGENT_DI(%rbx), %rdi
	movl	$0, AGENT_AREA_PENDING(%rbx)
	movl	$0, AGENT_AREA_OWNER(%rbx)
	/* All signals are blocked, and the area's stack is not used any more. */
	syscall
	ud2

	.balign 16
	prologue agent_enter, agent_on_enter

/* The call itself, with a frame (struct agent_frame) at (%rsp) that says what is left to do after it. */
	.globl	agent_syscall_framed
	.balign 16
agent_syscall_framed:
	syscall
	.globl	agent_syscall_framed_done
agent_syscall_framed_done:
	prologue agent_after, agent_on_after

/* The same call once more after a signal handler, as the kernel makes it: its entry is an event again. */
	prologue agent_again, agent_on_again

/* vfork: the frame is in private memory at rbx, since the child runs on this very stack. */
	.globl	agent_syscall_vfork
	.balign 16
agent_syscall_vfork:
	syscall
	.globl	agent_syscall_vfork_done
agent_syscall_vfork_done:
	prologue agent_vforked, agent_on_vforked

/* The calls that the supervisor serves: seccomp knows them by agent_notify_ip. */
	.globl	agent_syscall_notify_framed
	.balign 16
agent_syscall_notify_framed:
	call	agent_notify
	jmp	agent_syscall_framed_done

	.balign 16
	.globl	agent_notify
agent_notify:
	syscall
	.globl	agent_notify_ip
agent_notify_ip:
	ret

/* long agent_notify_call(nr, a, b, c, d, e, f): the same from C. */
	.globl	agent_notify_call
	.type	agent_notify_call, @function
agent_notify_call:
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	jmp	agent_notify

/*
 * long agent_sigmask_call(how, set, old, u32 *state): rt_sigprocmask(2), and *state = 0 in a way that a
 * signal can tell whether it came before the call or after it.
 */
	.globl	agent_sigmask_call
	.type	agent_sigmask_call, @function
	.balign 16
agent_sigmask_call:
	mov	%rcx, %r9
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	.globl	agent_sigmask_done
agent_sigmask_done:
	movl	$0, (%r9)
	ret

/*
 * Back to the application: registers from the area at r11, on at area->target. Until the stack is the
 * application's again a signal sends the thread to agent_recheck.
 */
	.globl	agent_resume
	.balign 16
agent_resume:
	cmpl	$0, AGENT_AREA_PENDING(%r11)
	jne	agent_recheck
	mov	AGENT_AREA_REGS+AGENT_R15(%r11), %r15
	mov	AGENT_AREA_REGS+AGENT_R14(%r11), %r14
	mov	AGENT_AREA_REGS+AGENT_R13(%r11), %r13
	mov	AGENT_AREA_REGS+AGENT_R12(%r11), %r12
	mov	AGENT_AREA_REGS+AGENT_BP(%r11), %rbp
	mov	AGENT_AREA_REGS+AGENT_BX(%r11), %rbx
	mov	AGENT_AREA_REGS+AGENT_R10(%r11), %r10
	mov	AGENT_AREA_REGS+AGENT_R9(%r11), %r9
	mov	AGENT_AREA_REGS+AGENT_R8(%r11), %r8
	mov	AGENT_AREA_REGS+AGENT_AX(%r11), %rax
	mov	AGENT_AREA_REGS+AGENT_DX(%r11), %rdx
	mov	AGENT_AREA_REGS+AGENT_SI(%r11), %rsi
	mov	AGENT_AREA_REGS+AGENT_DI(%r11), %rdi
	mov	AGENT_AREA_TARGET(%r11), %rcx
	pushq	AGENT_AREA_REGS+AGENT_FLAGS(%r11)
	popfq
	mov	AGENT_AREA_REGS+AGENT_SP(%r11), %rsp
	.globl	agent_resume_switched
agent_resume_switched:
	movl	$0, AGENT_AREA_OWNER(%r11)
	.globl	agent_resume_released
agent_resume_released:
	jmp	*%rcx
	.globl	agent_resume_end
agent_resume_end:

	.globl	agent_recheck
	.balign 16
agent_recheck:
	lea	AGENT_AREA_SIZE(%r11), %rsp
	xor	%ebp, %ebp
	mov	%r11, %rbx
	mov	%r11, %rdi
	call	agent_signal_drain
	mov	%rbx, %r11
	jmp	agent_resume

/* Targets of agent_resume. */
	.globl	agent_return
agent_return:
	ret

/*
 * A trapped site: settle.c laid out [agent_trap_return] [resume] [128 bytes] below the stack pointer, as a stub
 * would have.
 */
	.globl	agent_trap_return
agent_trap_return:
	ret	$AGENT_RED_ZONE
	.globl	agent_trap_return_go
agent_trap_return_go:
	ret

/*
 * The kernel's side of every signal handler of the process: agent_signal() says which of the
 * application's handlers goes on with the untouched frame, or none.
 */
	.globl	agent_signal_entry
	.type	agent_signal_entry, @function
	.balign 16
agent_signal_entry:
	push	%rdi
	push	%rsi
	push	%rdx
	cld
	call	agent_signal
	pop	%rdx
	pop	%rsi
	pop	%rdi
	test	%rax, %rax
	jz	1f
	mov	%rax, %r11
	xor	%eax, %eax
	jmp	*%r11
	/* Not by the application's restorer: a handler that never returns may have none that works. */
1:	add	$8, %rsp
	jmp	agent_restorer

/*
 * Where handlers return to, in place of libc's restorer, whose nine bytes unwinders look for. The
 * filter answers this very call with "0" without making it, and the thread goes on below: if somebody
 * listens to rt_sigreturn its event is fired, then the call is made. Without such a filter the first
 * call is the real one.
 */
	.globl	agent_restore_rt
	.balign 16
agent_restore_rt:
	.byte	0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05
	.globl	agent_sigreturn_ip
agent_sigreturn_ip:
	movabs	$AGENT_CONTROL_POINTER, %r11
	mov	(%r11), %r11
	movzbl	15(%r11), %ecx
	jrcxz	agent_sigreturn
	jmp	agent_sigreturning_start
	.globl	agent_sigreturn
agent_sigreturn:
	mov	$15, %eax
	syscall
	ud2
	prologue agent_sigreturning, agent_on_sigreturn

	.globl	agent_restorer
	.balign 16
agent_restorer:
	mov	$15, %eax
	syscall
	ud2

/* void agent_call_on(stack_top, function, argument): runs function(argument) on another stack. */
	.globl	agent_call_on
	.type	agent_call_on, @function
agent_call_on:
	push	%rbx
	mov	%rsp, %rbx
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	call	*%rsi
	mov	%rbx, %rsp
	pop	%rbx
	ret

/*
 * Entered by the supervisor in place of the program's entry point, with the kernel's initial stack:
 * rdi = entry point, rsi = descriptors, rdx = AGENT_START_* flags, rcx = exec's system-call number,
 * r9 = bytes of the control segment.
 */
	.globl	agent_start
	.type	agent_start, @function
	.balign 16
agent_start:
	mov	%rsp, %rbx
	mov	%rdi, %r12
	mov	%rsp, %r8
	and	$-16, %rsp
	call	agent_start_c
	mov	%rbx, %rsp
	mov	%r12, %rcx
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	xor	%r11d, %r11d
	mov	%rcx, -8(%rsp)
	xor	%ecx, %ecx
	jmp	*-8(%rsp)

	.section .rodata
	.balign 8
	.globl	agent_prologues
agent_prologues:
.macro row name
	.quad \name\()_start, \name\()_pushed, \name\()_tried, \name\()_claimed, \name\()_saved
.endm
	row agent_enter
	row agent_after
	row agent_vforked
	row agent_sigreturning
	row agent_again
	.globl	agent_prologues_end
agent_prologues_end:

	.section .note.GNU-stack, "", @progbits
