/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of bpf/vmlinux.h, for vmlinux_header.c. */
	.section .rodata
	.globl	vmlinux_small_start, vmlinux_small_end
	.hidden	vmlinux_small_start, vmlinux_small_end
vmlinux_small_start:
	.incbin	SKEP_VMLINUX_SMALL
vmlinux_small_end:
	.section .note.GNU-stack, "", @progbits
