// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How a stack is taken without disturbing its thread
//
// Aim. The registers and the stack of any thread of this process, whatever it does: asleep in a system call
// of other code, in a loop, waiting for a lock. It must not notice: no call of its cut short, no signal
// handler run on it, no signal taken from it, no lock taken that it may hold. And nobody may be waited for
// without end.
//
// What does not work. A signal whose handler walks the stack makes poll, nanosleep and others return EINTR in
// code that never asked for signals, and a thread that blocks the signal is not seen. A forked child that
// traces its parent stops the threads for as long as it reads debug information; the fork copies page tables,
// calls other code's fork handlers, and its end sends SIGCHLD. And a thread cannot trace a thread of its own
// process.
//
// What is done. The sampler is a process that shares this one's memory (clone with CLONE_VM, as vfork does)
// and its descriptors, so that it keeps nothing open, but is no thread of it: so it may trace. It stops one
// thread after the other (PTRACE_SEIZE, PTRACE_INTERRUPT: no signal is sent), copies its registers and the
// upper part of its stack, lets it go on at once, and ends. Each stands still for some ten microseconds.
// Unwinding, which reads files and allocates, is done afterwards from the copies by a thread of this process,
// with nobody standing still.
//
// 1. The sampler has the thread-local storage of the thread that made it, which runs meanwhile. It uses none:
//    no library function, errno included; bare_call makes its calls, and no sanitizer looks on. A test sees
//    to it that this file needs no other.
// 2. It takes no lock and allocates nothing: threads stand still at any instruction, also inside malloc.
// 3. When it ends, also by SIGKILL, the kernel lets go of every thread it still holds. A thread that does not
//    come to a halt (uninterruptible sleep) is let go that way, and the others are not held up by it.
// 4. It has no exit signal: no SIGCHLD to this process, and no `wait` of other code sees it (only one with
//    __WALL or __WCLONE). It blocks all signals but faults. It ends with the thread that made it
//    (PR_SET_PDEATHSIG).
// 5. A fault in it would dump core, and kernels before 5.16 end all who share the memory with that. So faults
//    have handlers there (its signal actions are its own) that end it quietly. A seccomp filter that kills
//    leaves no such choice: where there is a filter and such a kernel, it is not tried.
//
// A system call that is stopped goes on by itself afterwards (restart_syscall), with the rest of its time,
// for nearly all calls. Some give up with EINTR as soon as anything is to be done for their thread, whether
// or not a handler will run: epoll_wait, semop, sigtimedwait, calls on sockets with a timeout. On x86-64 the
// sampler finds that EINTR in the register for the result and puts the kernel's own "begin again if no
// handler runs" in its place (ERESTARTNOHAND); the kernel looks at it after us, so a signal that comes
// meanwhile still gives its EINTR. The time of such a call begins anew. On arm64 the kernel looks before us,
// and these few calls return EINTR.

#include "sys/sampler.hpp"

#include "sys/bare_call.hpp"

#include <cerrno>
#include <cstddef>
#include <ctime>

#include <linux/futex.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

namespace lastcall::sys {

#if defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)

namespace {

struct kernel_action { // as the kernel reads it, not the C library
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

constexpr std::size_t step = 16UL * 1024; // in which stacks are copied
constexpr std::int64_t second = 1'000'000'000, own_turn = second / 100;
constexpr std::uint64_t sigchld = std::uint64_t{1} << (SIGCHLD - 1);

template <class T>
long at(T* place) noexcept {
  return reinterpret_cast<long>(place);
}

void end_quietly(int) noexcept {
  for (;;) bare_call(SYS_exit_group, 1);
}
void never_returned_from() noexcept { end_quietly(0); }

std::int64_t time_left(std::int64_t until) noexcept {
  timespec now;
  bare_call(SYS_clock_gettime, CLOCK_MONOTONIC, at(&now));
  return until - (static_cast<std::int64_t>(now.tv_sec) * second + now.tv_nsec);
}

void settle_in() noexcept {
  bare_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  bare_call(SYS_prctl, PR_SET_NAME, at("lastcall-sample"));
  kernel_action action;
  action.flags = 0x04000000; // SA_RESTORER: x86-64 calls no handler without one
  action.mask = 0;
  action.handler = &end_quietly;
  action.restorer = &never_returned_from;
  std::uint64_t blocked = ~std::uint64_t{0};
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  for (const int fault : faults) {
    bare_call(SYS_rt_sigaction, fault, at(&action), 0, sizeof action.mask);
    blocked &= ~(std::uint64_t{1} << (fault - 1));
  }
  // The actions are a copy of the maker's, who may ignore SIGCHLD. Here it says that a thread has halted.
  action.handler = SIG_DFL;
  bare_call(SYS_rt_sigaction, SIGCHLD, at(&action), 0, sizeof action.mask);
  bare_call(SYS_rt_sigprocmask, SIG_SETMASK, at(&blocked), 0, sizeof blocked);
}

#if defined(__x86_64__)
// Calls that return EINTR though no handler runs, and that have done nothing when they do. Not `close`:
// whatever it returns, the descriptor is gone.
bool may_begin_again(long call) noexcept {
  switch (call) {
  case SYS_epoll_wait:
  case SYS_epoll_pwait:
#if defined(SYS_epoll_pwait2)
  case SYS_epoll_pwait2:
#endif
  case SYS_semop:
  case SYS_semtimedop:
  case SYS_rt_sigtimedwait:
  case SYS_io_getevents:
  case SYS_io_pgetevents:
  case SYS_io_uring_enter:
  case SYS_read:
  case SYS_readv:
  case SYS_recvfrom:
  case SYS_recvmsg:
  case SYS_recvmmsg:
  case SYS_write:
  case SYS_writev:
  case SYS_sendto:
  case SYS_sendmsg:
  case SYS_sendmmsg:
  case SYS_accept:
  case SYS_accept4:
  case SYS_connect: return true;
  default: return false;
  }
}
#endif

long take_registers(thread_sample& sample, std::uint64_t& sp) noexcept {
  user_regs_struct regs;
  iovec whole;
  whole.iov_base = &regs;
  whole.iov_len = sizeof regs;
  const long failed = bare_call(SYS_ptrace, PTRACE_GETREGSET, sample.thread, 1 /* NT_PRSTATUS */, at(&whole));
  if (failed < 0) return failed;
#if defined(__x86_64__)
  std::uint64_t* to = sample.registers;
  to[0] = regs.rax;
  to[1] = regs.rdx;
  to[2] = regs.rcx;
  to[3] = regs.rbx;
  to[4] = regs.rsi;
  to[5] = regs.rdi;
  to[6] = regs.rbp;
  to[7] = regs.rsp;
  to[8] = regs.r8;
  to[9] = regs.r9;
  to[10] = regs.r10;
  to[11] = regs.r11;
  to[12] = regs.r12;
  to[13] = regs.r13;
  to[14] = regs.r14;
  to[15] = regs.r15;
  to[16] = regs.rip;
  sample.register_count = 17;
  sample.place = regs.rip;
  sp = regs.rsp;
  constexpr long begin_again_unless_a_handler_runs =
      -514; // ERESTARTNOHAND, which no header of the system shows
  if (static_cast<long>(regs.rax) == -EINTR && may_begin_again(static_cast<long>(regs.orig_rax)))
    bare_call(SYS_ptrace, PTRACE_POKEUSR, sample.thread, offsetof(user_regs_struct, rax),
              begin_again_unless_a_handler_runs);
#else
  for (int i = 0; i < 31; ++i) sample.registers[i] = regs.regs[i];
  sample.registers[31] = regs.sp;
  sample.register_count = 32;
  sample.place = regs.pc;
  sp = regs.sp;
#endif
  return 0;
}

// By the kernel, which stops where the mapping does.
std::size_t copy_stack(std::byte* into, std::uint64_t from, std::size_t most, long self) noexcept {
  std::size_t copied = 0;
  while (copied < most) {
    const std::size_t wanted = most - copied < step ? most - copied : step;
    iovec local;
    local.iov_base = into + copied;
    local.iov_len = wanted;
    iovec remote;
    remote.iov_base = reinterpret_cast<void*>(from + copied);
    remote.iov_len = wanted;
    const long got = bare_call(SYS_process_vm_readv, self, at(&local), 1, at(&remote), 1, 0);
    if (got <= 0) break;
    copied += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < wanted) break;
  }
  return copied;
}

struct progress {
  std::size_t open; // of which the halt is still to come
  std::size_t used; // bytes of the room
  long self;
};

void take(thread_sample& sample, const sampling& what, progress& so_far) noexcept {
  std::uint64_t sp = 0;
  const long failed = take_registers(sample, sp);
  sample.error = static_cast<int>(-failed);
  if (failed < 0) return;
#if defined(__x86_64__)
  sp -= 128; // the part below the stack pointer that a function without calls may use
#endif
  const std::size_t rest = what.room_size - so_far.used;
  sample.stack = what.room + so_far.used;
  sample.stack_at = sp;
  sample.stack_size =
      copy_stack(what.room + so_far.used, sp, what.most_of_one < rest ? what.most_of_one : rest, so_far.self);
  so_far.used += sample.stack_size;
}

thread_sample* sample_of(const sampling& what, long thread) noexcept {
  for (std::size_t i = 0; i < what.count; ++i)
    if (what.samples[i].thread == thread) return what.samples + i;
  return nullptr;
}

// Takes one of those that have come to a halt; false when there is none.
bool take_next(const sampling& what, progress& so_far) noexcept {
  int status = 0;
  const long thread = bare_call(SYS_wait4, -1, at(&status), WNOHANG | __WALL, 0);
  if (thread <= 0) return false;
  thread_sample* sample = sample_of(what, thread);
  if (sample == nullptr) return true;
  --so_far.open;
  if (!WIFSTOPPED(status)) {
    sample->error = ESRCH;
    return true;
  }
  take(*sample, what, so_far);
  // A stop that is not ours is one for a signal on its way, which goes on with the thread.
  const long signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
  bare_call(SYS_ptrace, PTRACE_DETACH, thread, 0, signal);
  return true;
}

// Until this one has been taken; those that come to a halt meanwhile are taken as well.
void await(const thread_sample& sample, const sampling& what, progress& so_far, std::int64_t until) noexcept {
  while (sample.error == ETIMEDOUT) {
    if (take_next(what, so_far)) continue;
    const std::int64_t left = time_left(until);
    if (left <= 0) return;
    timespec most;
    most.tv_sec = left / second;
    most.tv_nsec = left % second;
    bare_call(SYS_rt_sigtimedwait, at(&sigchld), 0, at(&most), sizeof sigchld);
  }
}

long stop(const thread_sample& sample) noexcept {
  const long failed = bare_call(SYS_ptrace, PTRACE_SEIZE, sample.thread, 0, 0);
  return failed < 0 ? failed : bare_call(SYS_ptrace, PTRACE_INTERRUPT, sample.thread, 0, 0);
}

// One after the other, so that each stands still as short as can be. One that takes its time does so while
// the others have their turn, and in the end what is left of the time is theirs.
void take_all(const sampler_control& from) noexcept {
  const sampling& what = *from.what;
  progress so_far;
  so_far.open = 0;
  so_far.used = 0;
  so_far.self = bare_call(SYS_getpid);
  bool begun = false;
  for (std::size_t i = 0; i < what.count; ++i) {
    const std::int64_t left = time_left(from.until);
    if (left <= 0) break;
    const long failed = stop(what.samples[i]);
    if (failed < 0) {
      what.samples[i].error = static_cast<int>(-failed);
      continue;
    }
    ++so_far.open;
    if (!begun && what.in_the_middle != nullptr) what.in_the_middle();
    begun = true;
    await(what.samples[i], what, so_far, from.until - left + (left < own_turn ? left : own_turn));
  }
  for (std::size_t i = 0; i < what.count && so_far.open > 0; ++i)
    await(what.samples[i], what, so_far, from.until);
}

} // namespace

int run_sampler(void* argument) noexcept {
  sampler_control& from = *static_cast<sampler_control*>(argument);
  settle_in();
  // Pairs with the release of the maker, which says by it that Yama has been told who is to trace.
  while (__atomic_load_n(&from.go, __ATOMIC_ACQUIRE) == 0) {
    const std::int64_t left = time_left(from.until);
    if (left <= 0) return 1;
    timespec most;
    most.tv_sec = left / second;
    most.tv_nsec = left % second;
    bare_call(SYS_futex, at(&from.go), FUTEX_WAIT_PRIVATE, 0, at(&most));
  }
  take_all(from);
  return 0;
}

#else

int run_sampler(void*) noexcept { return 1; }

#endif

} // namespace lastcall::sys
