// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// A run under ptrace.
///
/// The signal. A thread that ptrace has stopped for a step or a breakpoint is about to be told of a SIGTRAP;
/// detaching from it with SIGINT in place of that SIGTRAP makes the kernel deliver a SIGINT to that thread,
/// before it executes anything else. The handler's frame therefore holds exactly this instruction's
/// address. From then on nobody watches: the rest of the run is as it is in any program.
///
/// Getting to the k-th instruction. Stepping there is certain, and too slow for long stretches. A debug
/// register stops this one thread at an address, also inside libraries and the vdso, and changes no code that
/// other threads execute. It fires before the instruction, once for a repeated one (`rep movsb`), of which a
/// step executes one round. Some virtual machines have no such registers. There an int3 is written in the
/// place of the instruction, into this process's own copy of the page, and taken back at the stop; another
/// thread that comes along in between ends the process, which is a run that has missed its instruction.

#include "interrupt/stepping/traced_run.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <new>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stepping {

namespace {

void* as_pointer(std::uintptr_t value) noexcept {
  return reinterpret_cast<void*>(value); // NOLINT(performance-no-int-to-ptr): ptrace wants it so
}

void doze() noexcept {
  const timespec millisecond{0, 1'000'000};
  ::nanosleep(&millisecond, nullptr);
}

[[noreturn]] void be_the_subject(const subject& what, stretch& shared) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
  ::alarm(what.patience);
  what.run(shared);
  shared.judged = true;
  ::_exit(0);
}

} // namespace

traced_run::traced_run(const subject& what, stretch& shared) : shared_{shared} {
  new (&shared) stretch;
  child_ = ::fork();
  if (child_ == 0) be_the_subject(what, shared);
  while (await_stop() && passed_on_ != 0) // something else than the mark
    if (::ptrace(PTRACE_CONT, child_, nullptr, as_pointer(static_cast<unsigned>(passed_on_))) != 0) break;
  if (stopped_) ::ptrace(PTRACE_SETOPTIONS, child_, nullptr, as_pointer(PTRACE_O_EXITKILL));
}

traced_run::~traced_run() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, &status_, __WALL) == child_ && WIFSTOPPED(status_)) {
  }
}

address traced_run::pc() const noexcept {
  errno = 0;
  return static_cast<address>(::ptrace(PTRACE_PEEKUSER, child_, offsetof(user, regs.rip), nullptr));
}

// Whether waitpid would return at once.
bool traced_run::has_news() const noexcept {
  siginfo_t news{};
  const auto id = static_cast<id_t>(child_);
  return ::waitid(P_PID, id, &news, WSTOPPED | WEXITED | WNOWAIT | WNOHANG) != 0 || news.si_pid == child_;
}

// Waits for the next stop of the child; a SIGTRAP is ours, any other signal is passed on. False when it has
// ended, or is found asleep after a while.
bool traced_run::await_stop(std::optional<long> unless_it_sleeps_in) noexcept {
  constexpr int patience = 200;
  if (unless_it_sleeps_in)
    for (int looked = 0; !has_news(); ++looked) {
      if (looked < patience)
        ::sched_yield();
      else if (asleep_in(*unless_it_sleeps_in))
        return stopped_ = false;
      else
        doze();
    }
  pid_t who = -1;
  while ((who = ::waitpid(child_, &status_, __WALL)) < 0 && errno == EINTR) {
  }
  stopped_ = who == child_ && WIFSTOPPED(status_);
  if (!stopped_) {
    child_ = -1;
    return false;
  }
  passed_on_ = WSTOPSIG(status_) == SIGTRAP ? 0 : WSTOPSIG(status_);
  return true;
}

bool traced_run::resume(int how) const noexcept {
  const auto signal = static_cast<unsigned>(passed_on_);
  return ::ptrace(static_cast<__ptrace_request>(how), child_, nullptr, as_pointer(signal)) == 0;
}

bool traced_run::step() noexcept {
  do
    if (!resume(PTRACE_SINGLESTEP) || !await_stop()) return false;
  while (passed_on_ != 0);
  return true;
}

std::optional<long> traced_run::system_call() const noexcept {
  constexpr long syscall_instruction = 0x050f;
  errno = 0;
  const long code = ::ptrace(PTRACE_PEEKTEXT, child_, as_pointer(pc()), nullptr);
  if (errno != 0 || (code & 0xffff) != syscall_instruction) return std::nullopt;
  return ::ptrace(PTRACE_PEEKUSER, child_, offsetof(user, regs.rax), nullptr);
}

// The kernel shows the number of the call in which a thread sleeps. Read without the heap: see proof.cpp.
bool traced_run::asleep_in(long number) const noexcept {
  char text[64];
  std::snprintf(text, sizeof text, "/proc/%d/syscall", child_);
  const int file = ::open(text, O_RDONLY | O_CLOEXEC);
  const auto size = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (size <= 0 || text[0] == 'r') return false; // running
  text[size] = '\0';
  return std::strtol(text, nullptr, 10) == number;
}

bool traced_run::step_unless_it_sleeps() noexcept {
  const auto number = system_call();
  if (!number) return step();
  if (!resume(PTRACE_SINGLESTEP)) return false;
  // A lock that somebody else gives back in a moment is slept on, too: asleep is who sleeps for a while.
  for (int seen = 0; seen < 50;) {
    if (has_news()) return await_stop();
    doze();
    seen = asleep_in(*number) ? seen + 1 : 0;
  }
  return false;
}

bool traced_run::set_register(address where) const noexcept {
  constexpr auto first = offsetof(user, u_debugreg[0]);
  constexpr auto control = offsetof(user, u_debugreg[7]);
  const std::uintptr_t on = where != 0 ? 1 : 0; // register 0, this thread, at execution
  if (where != 0 && ::ptrace(PTRACE_POKEUSER, child_, first, as_pointer(where)) != 0) return false;
  return ::ptrace(PTRACE_POKEUSER, child_, control, as_pointer(on)) == 0;
}

bool traced_run::has_registers() noexcept {
  stretch nowhere;
  traced_run trial{{[](stretch& s) { s.begin(); }}, nowhere};
  return trial.stopped() && trial.set_register(trial.pc()) && trial.resume(PTRACE_CONT) &&
         trial.await_stop() && trial.passed_on_ == 0;
}

bool traced_run::run_to(address where, std::size_t times, std::optional<long> sleeps_in) noexcept {
  static const bool by_register = has_registers();
  return by_register ? run_by_register(where, times, sleeps_in) : run_by_trap(where, times, sleeps_in);
}

bool traced_run::run_by_register(address where, std::size_t times, std::optional<long> sleeps_in) noexcept {
  if (!set_register(where)) return false;
  while (times > 0) {
    if (!resume(PTRACE_CONT) || !await_stop(sleeps_in)) return false;
    if (passed_on_ == 0 && pc() == where) --times;
  }
  return set_register(0);
}

bool traced_run::run_by_trap(address where, std::size_t times, std::optional<long> sleeps_in) noexcept {
  constexpr unsigned long one_byte = 0xff, int3 = 0xcc;
  errno = 0;
  const auto code = static_cast<unsigned long>(::ptrace(PTRACE_PEEKTEXT, child_, as_pointer(where), nullptr));
  if (errno != 0) return false;
  const auto put = [&](unsigned long word) {
    return ::ptrace(PTRACE_POKETEXT, child_, as_pointer(where), as_pointer(word)) == 0;
  };
  for (;;) {
    if (!put((code & ~one_byte) | int3)) return false;
    do
      if (!resume(PTRACE_CONT) || !await_stop(sleeps_in)) return false;
    while (passed_on_ != 0 || pc() != where + 1);
    constexpr auto next = offsetof(user, regs.rip);
    if (!put(code) || ::ptrace(PTRACE_POKEUSER, child_, next, as_pointer(where)) != 0) return false;
    if (--times == 0) return true;
    do // all rounds of a repeated one
      if (!resume(PTRACE_SINGLESTEP) || !await_stop(sleeps_in)) return false;
    while (passed_on_ != 0 || pc() == where);
  }
}

bool traced_run::run_until_it_sleeps(long number) noexcept {
  if (!resume(PTRACE_CONT)) return false;
  while (!asleep_in(number)) {
    if (has_news()) return false;
    doze();
  }
  stopped_ = false;
  return true;
}

std::string traced_run::interrupt(int signal) noexcept {
  shared_.signalled = true;
  shared_.place_at_signal = shared_.place.load(std::memory_order_relaxed);
  if (!stopped_) { // asleep: the signal makes it stop on its way to the handler
    ::kill(child_, signal);
    if (!await_stop()) return "it was gone before it could be interrupted";
  }
  if (::ptrace(PTRACE_DETACH, child_, nullptr, as_pointer(static_cast<unsigned>(signal))) != 0)
    return "ptrace could not let it go";
  while (::waitpid(child_, &status_, __WALL) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (WIFSIGNALED(status_) && WTERMSIG(status_) == SIGALRM) return "it hung: the request was lost";
  if (WIFSIGNALED(status_)) return "it ended by signal " + std::to_string(WTERMSIG(status_));
  if (!shared_.judged) return "it ended without a word, status " + std::to_string(status_);
  return shared_.failure;
}

} // namespace stepping
