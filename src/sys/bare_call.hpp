// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/syscall.h>

/// System calls where there is no C library: nothing here touches thread-local storage, and no sanitizer sees
/// it. For x86-64 and arm64 only.
namespace lastcall::sys {

/// The kernel's result, or minus an errno.
inline long bare_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                      long f = 0) noexcept {
#if defined(__x86_64__)
  long result = number;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#else
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

/// clone, and in the child `run(argument)` on its stack, whose value it ends with. Its number is written to
/// `id` and cleared there at its end, where the flags say so. Not by the C library's function, whose call a
/// sanitizer would take for a fork.
inline long clone_and_run(int (*run)(void*) noexcept, void* argument, std::byte* stack_end, long flags,
                          std::uint32_t* id) noexcept {
  void** const stack = reinterpret_cast<void**>(stack_end) - 2;
  stack[0] = reinterpret_cast<void*>(run);
  stack[1] = argument;
#if defined(__x86_64__)
  long result = SYS_clone;
  register std::uint32_t* cleared asm("r10") = id;
  register long storage asm("r8") = 0;
  asm volatile("syscall\n\t"
               "test %%rax, %%rax\n\t"
               "jnz 1f\n\t"
               "xor %%ebp, %%ebp\n\t"
               "pop %%rax\n\t"
               "pop %%rdi\n\t"
               "call *%%rax\n\t"
               "mov %%eax, %%edi\n\t"
               "mov %[end], %%eax\n\t"
               "syscall\n"
               "1:"
               : "+a"(result)
               : "D"(flags), "S"(stack), "d"(id), "r"(cleared), "r"(storage), [end] "i"(SYS_exit)
               : "rcx", "r11", "memory");
  return result;
#else
  register long number asm("x8") = SYS_clone;
  register long result asm("x0") = flags;
  register void** top asm("x1") = stack;
  register std::uint32_t* written asm("x2") = id;
  register long storage asm("x3") = 0;
  register std::uint32_t* cleared asm("x4") = id;
  asm volatile("svc 0\n\t"
               "cbnz x0, 1f\n\t"
               "mov x29, xzr\n\t"
               "ldp x1, x0, [sp], #16\n\t"
               "blr x1\n\t"
               "mov x8, %[end]\n\t"
               "svc 0\n"
               "1:"
               : "+r"(result)
               : "r"(number), "r"(top), "r"(written), "r"(storage), "r"(cleared), [end] "i"(SYS_exit)
               : "memory");
  return result;
#endif
}

} // namespace lastcall::sys
