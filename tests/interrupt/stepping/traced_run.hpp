// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/stepping/stretch.hpp"
#include "interrupt/stepping/ways.hpp"

#include <csignal>
#include <cstddef>
#include <optional>
#include <string>

#include <sys/types.h>

namespace stepping {

/// What is gone through, instruction by instruction.
struct subject {
  void (*run)(stretch&);
  bool sleeps = false;    ///< between the marks it waits for ever, unless a request comes
  unsigned patience = 60; ///< seconds after which a run that does not end has hung
  std::size_t enough = 5; ///< failures after which nothing more is to be learned
  int signal = SIGINT;    ///< what it is interrupted by
};

/// One run of a subject in a forked child, which is stopped at the first mark. Only the thread that runs the
/// subject is traced; what other threads it makes run freely.
class traced_run {
public:
  /// Where this process may not be traced, `stopped()` is false from the beginning.
  traced_run(const subject& what, stretch& shared);
  ~traced_run(); ///< ends the child if it still lives
  traced_run(const traced_run&) = delete;
  traced_run& operator=(const traced_run&) = delete;

  bool stopped() const noexcept { return stopped_; }
  address pc() const noexcept;

  /// Executes one instruction, or one round of a repeated one; a system call is one instruction. False when
  /// the subject has ended instead.
  bool step() noexcept;
  /// The same for a subject that may fall asleep in it: false when it has.
  bool step_unless_it_sleeps() noexcept;
  /// Goes on until the instruction at `where` is about to be executed for the given time. False when the
  /// subject has ended before, or sleeps in the system call `sleeps_in`.
  bool run_to(address where, std::size_t times, std::optional<long> sleeps_in) noexcept;
  /// Goes on until it sleeps in the system call `number`.
  bool run_until_it_sleeps(long number) noexcept;
  /// The number of the system call that is about to be made; nothing at any other instruction.
  std::optional<long> system_call() const noexcept;

  /// Delivers `signal` before the next instruction, lets the run go to its end, and returns what is wrong
  /// with it; empty when nothing is.
  std::string interrupt(int signal) noexcept;

private:
  bool resume(int how) const noexcept;
  bool await_stop(std::optional<long> unless_it_sleeps_in = {}) noexcept;
  bool has_news() const noexcept;
  bool asleep_in(long number) const noexcept;
  bool set_register(address where) const noexcept;
  static bool has_registers() noexcept;
  bool run_by_register(address where, std::size_t times, std::optional<long> sleeps_in) noexcept;
  bool run_by_trap(address where, std::size_t times, std::optional<long> sleeps_in) noexcept;

  stretch& shared_;
  pid_t child_ = -1;
  bool stopped_ = false;
  int passed_on_ = 0; // a signal that came by itself and is delivered as the child goes on
  int status_ = 0;
};

} // namespace stepping
