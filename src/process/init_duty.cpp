// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The fork that puts a process in front of the program; what that one does is in front_process.cpp.
//
// The parent has to be the one in front: it is process 1, or whom the supervisor knows. The program is the
// child, which libc and the library see as after any other fork.
//
// No signal is lost on the way. All are blocked before the fork, which keeps them pending even for a process
// 1; the parent passes on what has come, and they wait in the program until it has its group, its terminal
// and then its mask. SIGCHLD is at its default before the fork: where it is ignored, a program that ends
// at once would leave no status.
#include <lastcall/process/init_duty.hpp>

#include "process/front_process.hpp"
#include "process/process_main.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/incarnation.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread_files.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

namespace lastcall {

namespace {

constexpr const char* purpose = "the program below its init";
constexpr int standard_input = 0;

struct before_the_fork {
  pid_t process = 0;
  bool has_terminal = false;
  std::uint64_t mask = 0;
  struct ::sigaction on_child {};
};

void give_back_signals(const before_the_fork& before) noexcept {
  sys::sigaction(SIGCHLD, &before.on_child, nullptr);
  sys::set_signal_mask(before.mask);
}

struct failure {
  sys::call which{};
  int error = 0; ///< 0: none
};

failure take_group_and_terminal(bool terminal) noexcept {
  if (const int result = sys::make_process_group(); result < 0) return {sys::call::setpgid, -result};
  if (!terminal) return {};
  const int result = sys::set_foreground_group(standard_input, sys::process_group());
  return {sys::call::tcsetpgrp, result < 0 ? -result : 0};
}

// Its end is the program's at every moment, also by kill -9, which it cannot pass on.
failure end_with(pid_t front) noexcept {
  const int result = sys::set_parent_death_signal(SIGKILL);
  if (sys::parent_pid() != front) sys::kill_self();
  return {sys::call::prctl, result < 0 ? -result : 0};
}

void go_on_as_the_program(const before_the_fork& before, const detail::front_place& place) {
  failure failed;
  if (place.apart) failed = take_group_and_terminal(before.has_terminal);
  if (!place.process_one) failed = end_with(before.process);
  give_back_signals(before);
  if (failed.error != 0) sys::throw_failure(failed.which, failed.error, purpose);
}

} // namespace

void take_init_duty(const init_options& options) {
  before_the_fork before;
  before.process = sys::getpid();
  detail::front_place place;
  place.process_one = before.process == 1;
  if (!place.process_one && options.otherwise == init_options::elsewhere::nothing) return;
  std::array<pid_t, 4> threads{};
  if (sys::list_threads(threads.data(), threads.size()) > 1 + detail::threads_of_a_sanitizer)
    throw std::logic_error{"the duty of an init has to be taken before there are threads"};

  // Where the leader of its group is outside, the group is that of a shell's job, and the program stays in
  // it.
  place.apart = place.process_one && sys::process_group() == before.process;
  place.grace_ns = std::max<std::int64_t>(options.grace.count(), 0);
  before.has_terminal = place.apart && sys::foreground_group(standard_input) == before.process;
  sys::prepare_incarnation();
  if (!place.process_one)
    if (const int result = sys::become_subreaper(); result < 0)
      sys::throw_failure(sys::call::prctl, -result, purpose);

  before.mask = sys::signal_mask();
  sys::set_signal_mask(~std::uint64_t{0});
  struct ::sigaction plain {};
  plain.sa_handler = SIG_DFL;
  sys::sigaction(SIGCHLD, &plain, &before.on_child);
  const pid_t program = sys::fork_process();
  if (program == 0) return go_on_as_the_program(before, place);
  if (program > 0) detail::front_process{program, place}.serve();
  give_back_signals(before);
  if (!place.process_one) sys::resign_as_subreaper();
  sys::throw_failure(sys::call::fork, -program, purpose);
}

} // namespace lastcall
