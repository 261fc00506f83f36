// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The call sequence: "look at the word" and "enter the kernel" as one step. interruptible_call.cpp tells why
// and how; here is what must hold of every instruction.
//
//   enter   the seat shows the word from the first instruction on
//   begin   between here and `end`, setting the program counter back to `begin` is always right: nothing that
//           the stretch reads from registers is changed in it before the call is over. The kernel changes the
//           result register and, on x86-64, rcx and r11; when it is about to restart the call it has put the
//           result register back and the program counter to the instruction that enters it.
//   end     the call is over, its result counts
//   left    past the last instruction; the seat shows nothing any more
//
// Nothing here is called, so no frame is needed; unwinders are told of the pushes.
//
// long lastcall_interruptible_call(long a0, …, long a5, long number, const word*, seat*)
// The seat: 0 the word shown (8 bytes), 8 the mask (4 bytes), 12 whether a barrier is needed (4 bytes).

#if defined(__x86_64__) && !defined(__ILP32__)

	.text
	.p2align 6
	.globl	lastcall_interruptible_call
	.type	lastcall_interruptible_call, @function
lastcall_interruptible_call:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	// rdi, rsi, rdx, r8 and r9 are where the kernel wants them.
	movq	%rcx, %r10
	movq	40(%rsp), %r12		// number
	movq	48(%rsp), %rbx		// word
	movq	56(%rsp), %r13		// seat
	movl	8(%r13), %ebp		// mask

	.globl	lastcall_call_enter, lastcall_call_begin, lastcall_call_end, lastcall_call_left
	.hidden	lastcall_call_enter, lastcall_call_begin, lastcall_call_end, lastcall_call_left
lastcall_call_enter:
	movq	%rbx, (%r13)
	cmpl	$0, 12(%r13)
	jne	.Lbarrier
lastcall_call_begin:
	testl	%ebp, (%rbx)
	jnz	.Lcancelled
	movq	%r12, %rax
	syscall
lastcall_call_end:
	movq	$0, (%r13)
	.cfi_remember_state
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	ret
	.cfi_restore_state
.Lbarrier:
	mfence
	jmp	lastcall_call_begin
.Lcancelled:
	movabsq	$0x8000000000000000, %rax
	jmp	lastcall_call_end
lastcall_call_left:
	.cfi_endproc
	.size	lastcall_interruptible_call, . - lastcall_interruptible_call

#elif defined(__aarch64__) && !defined(__ILP32__)

	.text
	.p2align 6
	.globl	lastcall_interruptible_call
	.type	lastcall_interruptible_call, %function
lastcall_interruptible_call:
	.cfi_startproc
	hint	#34			// bti c
	// x0 to x5 are where the kernel wants them; x6 is the number, x7 the word.
	ldr	x9, [sp]		// seat
	ldr	w10, [x9, #8]		// mask
	ldr	w11, [x9, #12]

	.globl	lastcall_call_enter, lastcall_call_begin, lastcall_call_end, lastcall_call_left
	.hidden	lastcall_call_enter, lastcall_call_begin, lastcall_call_end, lastcall_call_left
lastcall_call_enter:
	stlr	x7, [x9]		// release: the mask comes first
	cbnz	w11, .Lbarrier
lastcall_call_begin:
	ldr	w12, [x7]
	tst	w12, w10
	b.ne	.Lcancelled
	mov	x8, x6
	svc	#0
lastcall_call_end:
	stlr	xzr, [x9]
	ret
.Lbarrier:
	dmb	ish
	b	lastcall_call_begin
.Lcancelled:
	mov	x0, #0x8000000000000000
	b	lastcall_call_end
lastcall_call_left:
	.cfi_endproc
	.size	lastcall_interruptible_call, . - lastcall_interruptible_call

#endif

#if defined(__linux__) && defined(__ELF__)
	.section .note.GNU-stack, "", %progbits
#endif
