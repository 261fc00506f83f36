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
// and its descriptors, so that it keeps nothing open, but is no thread of it: so it may trace. It stops all
// threads asked for (PTRACE_SEIZE, PTRACE_INTERRUPT: no signal is sent), copies each one's registers and the
// upper part of its stack as it comes to a halt, lets it go on at once, and ends. A thread stands still for
// some ten microseconds. Unwinding, which reads files and allocates, is done afterwards from the copies by a
// thread of this process, with nobody standing still.
//
// 1. The sampler has the thread-local storage of the thread that made it, which runs meanwhile. It uses none:
//    no library function, errno included; kernel() below makes its calls, and no sanitizer looks on.
// 2. It takes no lock and allocates nothing: threads stand still at any instruction, also inside malloc.
// 3. When it ends, also by SIGKILL, the kernel lets go of every thread it still holds. A thread that does not
// come to
//    a halt (uninterruptible sleep) is let go that way, and the others are not held up by it.
// 4. It has no exit signal: no SIGCHLD to this process, and no `wait` of other code sees it (only one with
// __WALL
//    or __WCLONE). It blocks all signals but faults. It ends with the thread that made it (PR_SET_PDEATHSIG).
// 5. A fault in it would dump core, and kernels before 5.16 end all who share the memory with that. So faults
// have
//    handlers there (its signal actions are its own) that end it quietly. A seccomp filter that kills leaves
//    no such choice: where there is a filter and such a kernel, it is not tried.
//
// A system call that is stopped goes on by itself afterwards (restart_syscall), with the rest of its time,
// for nearly all calls. Some give up with EINTR as soon as anything is to be done for their thread, whether
// or not a handler will run: epoll_wait, semop, sigtimedwait, calls on sockets with a timeout. On x86-64 the
// sampler finds that EINTR in the register for the result and puts the kernel's own "begin again if no
// handler runs" in its place (ERESTARTNOHAND); the kernel looks at it after us, so a signal that comes
// meanwhile still gives its EINTR. The time of such a call begins anew. On arm64 the kernel looks before us,
// and these few calls return EINTR.

#include "sys/thread_sampler.hpp"

#include "sys/admit.hpp"
#include "sys/calls.hpp"
#include "sys/thread_files.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>
#include <system_error>

#include <linux/futex.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastcall::sys {

#if defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)

// In front of all that runs in the sampler.
#if defined(__clang__)
#define LASTCALL_IN_THE_SAMPLER __attribute__((disable_sanitizer_instrumentation))
#else
#define LASTCALL_IN_THE_SAMPLER __attribute__((no_sanitize("address,thread,undefined")))
#endif

namespace {

struct kernel_action { // as the kernel reads it, not the C library
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

struct control {
  std::uint32_t go = 0;    // set when the sampler may be expected to be allowed to trace
  std::uint32_t alive = 0; // its id, cleared by the kernel when it no longer uses this memory
  std::int64_t until = 0;  // monotonic
  sampling* what = nullptr;
};

constexpr std::size_t own_stack = 64UL * 1024;
constexpr std::size_t step = 16UL * 1024; // in which stacks are copied
constexpr std::int64_t second = 1'000'000'000, own_turn = second / 100;
constexpr std::uint64_t sigchld = std::uint64_t{1} << (SIGCHLD - 1);

LASTCALL_IN_THE_SAMPLER long kernel(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
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

// clone, and in the child `run(argument)` on its stack, whose value it ends with. Not the C library's: a
// sanitizer would take its call for a fork.
LASTCALL_IN_THE_SAMPLER long clone_and_run(int (*run)(void*) noexcept, void* argument, std::byte* stack_end,
                                           long flags, std::uint32_t* id) noexcept {
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

template <class T>
LASTCALL_IN_THE_SAMPLER long at(T* place) noexcept {
  return reinterpret_cast<long>(place);
}

LASTCALL_IN_THE_SAMPLER void end_quietly(int) noexcept {
  for (;;) kernel(SYS_exit_group, 1);
}
LASTCALL_IN_THE_SAMPLER void never_returned_from() noexcept { end_quietly(0); }

LASTCALL_IN_THE_SAMPLER std::int64_t time_left(std::int64_t until) noexcept {
  timespec now;
  kernel(SYS_clock_gettime, CLOCK_MONOTONIC, at(&now));
  return until - (static_cast<std::int64_t>(now.tv_sec) * second + now.tv_nsec);
}

LASTCALL_IN_THE_SAMPLER void settle_in() noexcept {
  kernel(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  kernel(SYS_prctl, PR_SET_NAME, at("lastcall-sample"));
  kernel_action action;
  action.flags = 0x04000000; // SA_RESTORER: x86-64 calls no handler without one
  action.mask = 0;
  action.handler = &end_quietly;
  action.restorer = &never_returned_from;
  std::uint64_t blocked = ~std::uint64_t{0};
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  for (const int fault : faults) {
    kernel(SYS_rt_sigaction, fault, at(&action), 0, sizeof action.mask);
    blocked &= ~(std::uint64_t{1} << (fault - 1));
  }
  // The actions are a copy of the maker's, who may ignore SIGCHLD; here it says that a thread has come to a
  // halt.
  action.handler = SIG_DFL;
  kernel(SYS_rt_sigaction, SIGCHLD, at(&action), 0, sizeof action.mask);
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, at(&blocked), 0, sizeof blocked);
}

#if defined(__x86_64__)
// Calls that return EINTR though no handler runs, and that have done nothing when they do. Not `close`:
// whatever it returns, the descriptor is gone.
LASTCALL_IN_THE_SAMPLER bool may_begin_again(long call) noexcept {
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

LASTCALL_IN_THE_SAMPLER long take_registers(thread_sample& sample, std::uint64_t& sp) noexcept {
  user_regs_struct regs;
  iovec whole;
  whole.iov_base = &regs;
  whole.iov_len = sizeof regs;
  const long failed = kernel(SYS_ptrace, PTRACE_GETREGSET, sample.thread, 1 /* NT_PRSTATUS */, at(&whole));
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
    kernel(SYS_ptrace, PTRACE_POKEUSR, sample.thread, offsetof(user_regs_struct, rax),
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
LASTCALL_IN_THE_SAMPLER std::size_t copy_stack(std::byte* into, std::uint64_t from, std::size_t most,
                                               long self) noexcept {
  std::size_t copied = 0;
  while (copied < most) {
    const std::size_t wanted = most - copied < step ? most - copied : step;
    iovec local;
    local.iov_base = into + copied;
    local.iov_len = wanted;
    iovec remote;
    remote.iov_base = reinterpret_cast<void*>(from + copied);
    remote.iov_len = wanted;
    const long got = kernel(SYS_process_vm_readv, self, at(&local), 1, at(&remote), 1, 0);
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

LASTCALL_IN_THE_SAMPLER void take(thread_sample& sample, const sampling& what, progress& so_far) noexcept {
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

LASTCALL_IN_THE_SAMPLER thread_sample* sample_of(const sampling& what, long thread) noexcept {
  for (std::size_t i = 0; i < what.count; ++i)
    if (what.samples[i].thread == thread) return what.samples + i;
  return nullptr;
}

// Takes one of those that have come to a halt; false when there is none.
LASTCALL_IN_THE_SAMPLER bool take_next(const sampling& what, progress& so_far) noexcept {
  int status = 0;
  const long thread = kernel(SYS_wait4, -1, at(&status), WNOHANG | __WALL, 0);
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
  kernel(SYS_ptrace, PTRACE_DETACH, thread, 0, signal);
  return true;
}

// Until this one has been taken; those that come to a halt meanwhile are taken as well.
LASTCALL_IN_THE_SAMPLER void await(const thread_sample& sample, const sampling& what, progress& so_far,
                                   std::int64_t until) noexcept {
  while (sample.error == ETIMEDOUT) {
    if (take_next(what, so_far)) continue;
    const std::int64_t left = time_left(until);
    if (left <= 0) return;
    timespec most;
    most.tv_sec = left / second;
    most.tv_nsec = left % second;
    kernel(SYS_rt_sigtimedwait, at(&sigchld), 0, at(&most), sizeof sigchld);
  }
}

LASTCALL_IN_THE_SAMPLER long stop(const thread_sample& sample) noexcept {
  const long failed = kernel(SYS_ptrace, PTRACE_SEIZE, sample.thread, 0, 0);
  return failed < 0 ? failed : kernel(SYS_ptrace, PTRACE_INTERRUPT, sample.thread, 0, 0);
}

// One after the other, so that each stands still as short as can be. One that takes its time does so while
// the others have their turn, and in the end what is left of the time is theirs.
LASTCALL_IN_THE_SAMPLER void take_all(const control& from) noexcept {
  const sampling& what = *from.what;
  progress so_far;
  so_far.open = 0;
  so_far.used = 0;
  so_far.self = kernel(SYS_getpid);
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

// The sampler's life.
LASTCALL_IN_THE_SAMPLER int sampler(void* argument) noexcept {
  control& from = *static_cast<control*>(argument);
  settle_in();
  // Pairs with the release of the maker, which says by it that Yama has been told who is to trace.
  while (__atomic_load_n(&from.go, __ATOMIC_ACQUIRE) == 0) {
    const std::int64_t left = time_left(from.until);
    if (left <= 0) return 1;
    timespec most;
    most.tv_sec = left / second;
    most.tv_nsec = left % second;
    kernel(SYS_futex, at(&from.go), FUTEX_WAIT_PRIVATE, 0, at(&most));
  }
  take_all(from);
  return 0;
}

// The word is cleared and its waiter woken by the kernel, which takes it for a shared one.
bool ended_by(control& what, std::int64_t until) noexcept {
  for (;;) {
    // Pairs with the kernel's clearing: what the sampler has written is there.
    const std::uint32_t alive = __atomic_load_n(&what.alive, __ATOMIC_ACQUIRE);
    if (alive == 0) return true;
    const std::int64_t left = until - monotonic_ns();
    if (left <= 0) return false;
    const timespec most{static_cast<time_t>(left / second), static_cast<long>(left % second)};
    ::syscall(SYS_futex, &what.alive, FUTEX_WAIT, alive, &most, nullptr, 0);
  }
}

bool a_filter_might_kill_us() noexcept {
  char text[4096]{};
  const ssize_t size = read_file("/proc/self/status", text, sizeof text - 1);
  if (size > 0 && std::strstr(text, "\nSeccomp:\t2") == nullptr) return false;
  utsname system{};
  if (::uname(&system) != 0) return true;
  const char* const end = system.release + std::strlen(system.release);
  int major = 0;
  int minor = 0;
  const char* const dot = std::from_chars(system.release, end, major).ptr;
  if (dot == end || std::from_chars(dot + 1, end, minor).ec != std::errc{}) return true;
  return major < 5 || (major == 5 && minor < 16);
}

// Yama lets only ancestors trace, and whom the process itself has named.
bool yama_wants_a_name() noexcept {
  char scope = '0';
  return read_file("/proc/sys/kernel/yama/ptrace_scope", &scope, 1) == 1 && scope == '1';
}

} // namespace

int sample_threads(sampling& what) noexcept {
  if (const int refused = admit(call::clone)) return -refused;
  if (const int refused = admit(call::ptrace)) return -refused;
  if (a_filter_might_kill_us()) return -EOPNOTSUPP;
  std::byte* const pages = take_pages(own_stack);
  if (pages == nullptr) return -ENOMEM;
  control& made = *new (pages) control;
  made.what = &what;
  made.until = monotonic_ns() + what.within_ns;
  for (std::size_t i = 0; i < what.count; ++i) what.samples[i].error = ETIMEDOUT;

  const std::uint64_t mask = signal_mask();
  set_signal_mask(~std::uint64_t{0});
  const auto pid = static_cast<pid_t>(clone_and_run(&sampler, &made, pages + own_stack,
                                                    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED |
                                                        CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                                                    &made.alive));
  set_signal_mask(mask);
  if (pid < 0) {
    give_pages_back(pages, own_stack);
    return static_cast<int>(pid);
  }

  const bool named = yama_wants_a_name();
  if (named) ::prctl(PR_SET_PTRACER, pid, 0, 0, 0);
  __atomic_store_n(&made.go, 1, __ATOMIC_RELEASE); // pairs with the sampler's wait
  ::syscall(SYS_futex, &made.go, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);

  bool ended = ended_by(made, made.until + second);
  const bool killed = !ended;
  if (killed) {
    ::kill(pid, SIGKILL);
    ended = ended_by(made, monotonic_ns() + second);
  }
  if (named) ::prctl(PR_SET_PTRACER, 0, 0, 0, 0);
  if (!ended) return -EBUSY;
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  if (!killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
    for (std::size_t i = 0; i < what.count; ++i)
      if (what.samples[i].error == ETIMEDOUT) what.samples[i].error = ECHILD;
  give_pages_back(pages, own_stack);
  return 0;
}

#else

int sample_threads(sampling&) noexcept { return -EOPNOTSUPP; }

#endif

bool read_memory(std::uint64_t address, std::uint64_t& into) noexcept {
  const iovec local{&into, sizeof into};
  const iovec remote{reinterpret_cast<void*>(address), sizeof into};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == sizeof into;
}

std::byte* take_pages(std::size_t size) noexcept {
  if (admit(call::mmap) != 0) return nullptr;
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

void give_pages_back(std::byte* pages, std::size_t size) noexcept { ::munmap(pages, size); }

} // namespace lastcall::sys
