// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/registers.hpp"

#include <cstddef>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

// How to stand *before* a system call.
//
// ptrace reports a call when the kernel has already accepted it. A signal sent there is delivered only
// after the call: a blocking call returns EINTR, which is the position *during* in disguise. The gap in
// front of the call, where `while (!stop) pause();` loses its request, is out of reach that way.
//
// So the call is taken back: at the entry stop its number becomes -1, which the kernel answers with ENOSYS
// and no effect; at the exit stop the thread is put back onto its call instruction with the registers it
// came with. A signal sent now is delivered between the program's last instruction before the call and the
// call itself. When its handler returns, the call is made for the first time.
//
// The number -1 also keeps the kernel's own restart logic (which looks at the original number) away.

namespace checker {
namespace {

template <class Registers>
bool read_set(pid_t thread, int kind, Registers& registers) noexcept {
  iovec span{&registers, sizeof registers};
  return ::ptrace(PTRACE_GETREGSET, thread, static_cast<std::uintptr_t>(kind), &span) == 0;
}

template <class Registers>
bool write_set(pid_t thread, int kind, Registers& registers) noexcept {
  iovec span{&registers, sizeof registers};
  return ::ptrace(PTRACE_SETREGSET, thread, static_cast<std::uintptr_t>(kind), &span) == 0;
}

} // namespace

call_stop read_call_stop(pid_t thread) noexcept {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return {};
  call_stop stop;
  if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
    stop.what = call_stop::kind::entry;
    stop.call.number = static_cast<std::int64_t>(info.seccomp.nr);
    for (std::size_t i = 0; i < stop.call.arguments.size(); ++i)
      stop.call.arguments[i] = info.seccomp.args[i];
  } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    stop.what = call_stop::kind::entry;
    stop.call.number = static_cast<std::int64_t>(info.entry.nr);
    for (std::size_t i = 0; i < stop.call.arguments.size(); ++i) stop.call.arguments[i] = info.entry.args[i];
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    stop.what = call_stop::kind::exit;
    stop.result = info.exit.rval;
  }
  return stop;
}

#if defined(__x86_64__)

bool cancel_call(pid_t thread) noexcept {
  user_regs_struct r{};
  if (!read_set(thread, NT_PRSTATUS, r)) return false;
  r.orig_rax = ~0ULL;
  return write_set(thread, NT_PRSTATUS, r);
}

bool rewind_call(pid_t thread, const call_entry& call) noexcept {
  constexpr std::uint64_t instruction_length = 2; // `syscall` is 0f 05
  user_regs_struct r{};
  if (!read_set(thread, NT_PRSTATUS, r)) return false;
  r.rip -= instruction_length;
  r.rax = static_cast<std::uint64_t>(call.number);
  r.orig_rax = ~0ULL;
  return write_set(thread, NT_PRSTATUS, r);
}

#elif defined(__aarch64__)

bool cancel_call(pid_t thread) noexcept {
  int none = -1;
  return write_set(thread, NT_ARM_SYSTEM_CALL, none);
}

bool rewind_call(pid_t thread, const call_entry& call) noexcept {
  constexpr std::uint64_t instruction_length = 4;
  user_regs_struct r{};
  if (!read_set(thread, NT_PRSTATUS, r)) return false;
  r.pc -= instruction_length;
  r.regs[0] = call.arguments[0]; // the result has overwritten the first argument
  r.regs[8] = static_cast<std::uint64_t>(call.number);
  return write_set(thread, NT_PRSTATUS, r);
}

#else
#error "lastcall check knows the registers of x86-64 and arm64 only"
#endif

} // namespace checker
