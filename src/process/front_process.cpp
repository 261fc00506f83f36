// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The process in front.
//
// Aim: a program in a container that hears signals, leaves no zombies and ends with a status that is true.
//
// The obstacle is process 1. The kernel drops every signal to it that would act by default, gives it the
// orphans of all others, and kills the whole namespace with it. A program that nobody wrote for that place
// does none of what it is for.
//
// What does not work: to have the program reap what it does not know. waitid for any child takes the status
// of children that others in the program wait for, by number and without a lock; and default actions would
// have to be played for it, which SIGKILL, SIGSTOP and a crash cannot be. So the program is another process,
// and this one does four things and nothing else:
//
//     look        reaps what has ended, and sees whether the program is among it
//     pass on     a signal that came for the program
//     the rest    once the program has ended: who is left is asked, and killed
//     leave       as the program has ended
//
// It waits at one place, for signals. They are all blocked, so that none can come between; SIGCHLD is one of
// them, and is not relied on: signals with lower numbers are handed out before it, as many as there may be.
// Every signal is followed by a look. A look ends after some children, for the signals' sake.
//
// Which signals are passed on. As process 1 of a container the program is in a group of its own, to which the
// terminal sends: whatever comes here is for the program, a hangup too, which the kernel tells a session's
// leader only. Where they share a group the terminal has told both, and only what somebody sent is passed on.
// What is sent to the group by somebody comes twice then; nothing tells the two apart.
//
// A signal is queued with its sender and value. It may not say any more that it came by kill(2), so it says
// that it came by sigqueue(3), of which the sender is as true.
//
// A stop. Where they share a group, a shell waits for this process and has to see that its job has stopped:
// this one stops by the same signal, and the shell's SIGCONT lets both go on. Below process 1 nobody would
// let the program go on after a Ctrl-Z, which process 1 itself would not have felt: it goes on at once. A
// SIGSTOP is somebody's will; he has his SIGCONT.
#include "process/front_process.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>

#include "sys/calls.hpp"
#include "sys/thread.hpp"
#include "sys/thread_files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace lastcall::detail {

namespace {

// Sent by the kernel to a whole group, of which this process is one.
bool goes_to_the_group(int signal) noexcept {
  static constexpr std::array from_a_terminal{SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
  return std::find(from_a_terminal.begin(), from_a_terminal.end(), signal) != from_a_terminal.end() ||
         (signal == SIGHUP && !sys::leads_session());
}

} // namespace

void front_process::serve() noexcept {
  sys::name_this_thread("lc-init");
  sys::close_all_descriptors();
  for (look(); !ended_; look()) take_signal(-1);
  end_the_rest();
  leave();
}

void front_process::look() noexcept {
  constexpr int many = 64;
  int count = 0, result = 1;
  sys::child_end change;
  while (count < many && (result = sys::next_change(change)) > 0) {
    ++count;
    const bool stopped = change.kind == sys::end_kind::stopped;
    if (!stopped) std::replace(asked_.begin(), asked_.end(), change.pid, 0); // its number is free
    if (change.pid != program_ || ended_) continue;
    if (stopped) {
      program_stopped(change.value);
    } else {
      ended_ = true;
      end_ = change;
    }
  }
  more_ = count == many;
  alone_ = result == -ECHILD;
}

void front_process::take_signal(std::int64_t timeout_ns) noexcept {
  siginfo_t info{};
  const int signal = sys::await_signal(info, more_ ? 0 : timeout_ns);
  if (signal > 0 && signal != SIGCHLD) pass_on(signal, info);
}

void front_process::pass_on(int signal, siginfo_t& info) noexcept {
  const bool sent = info.si_code <= 0; // by somebody; the kernel's own codes are positive
  if (!sent && !place_.apart && goes_to_the_group(signal)) return;
  if (ended_) {
    if (place_.process_one)
      sys::signal_process(-1, signal);
    else
      tell_children(signal);
    return;
  }
  if (info.si_code == SI_USER || info.si_code == SI_TKILL) info.si_code = SI_QUEUE;
  if (!sent || sys::queue_signal(program_, signal, info) < 0) sys::signal_process(program_, signal);
}

void front_process::program_stopped(int signal) const noexcept {
  if (place_.process_one) {
    if (place_.apart && signal == SIGTSTP && sys::signal_process(-program_, SIGCONT) < 0)
      sys::signal_process(program_, SIGCONT); // it has gone to another group
    return;
  }
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return;
  struct ::sigaction plain {};
  plain.sa_handler = SIG_DFL;
  sys::sigaction(signal, &plain, nullptr);
  sys::tgkill_self(signal);
  sys::unblock(signal); // here it stands still, until SIGCONT
  sys::block(signal);
}

void front_process::end_the_rest() noexcept {
  if (place_.grace_ns > 0) {
    if (place_.process_one) {
      sys::signal_process(-1, SIGTERM);
      sys::signal_process(-1, SIGCONT); // so that the stopped ones hear it
    }
    wait_for_the_rest(SIGTERM, place_.grace_ns);
  }
  // With process 1 the kernel kills its whole namespace, and waits for it.
  constexpr std::int64_t killed_within_ns = 1'000'000'000;
  if (!place_.process_one) wait_for_the_rest(SIGKILL, killed_within_ns);
}

// A subreaper tells its children again with each look: those whose parent has ended have just become its own.
void front_process::wait_for_the_rest(int signal, std::int64_t within_ns) noexcept {
  const std::int64_t until = sys::monotonic_ns() + within_ns;
  for (look(); !alone_; look()) {
    if (!place_.process_one && !tell_children(signal)) return;
    const std::int64_t left = until - sys::monotonic_ns();
    if (left <= 0) return;
    take_signal(left);
  }
}

// SIGTERM comes to each once. False where the kernel does not say who they are: a /proc that is not there.
bool front_process::tell_children(int signal) noexcept {
  char text[4096];
  const auto size = sys::read_thread_file(sys::gettid(), "children", text, sizeof text);
  if (size < 0) return false;
  for (const char *at = text, *const end = text + size; at < end;) {
    pid_t child = 0;
    const auto [next, error] = std::from_chars(at, end, child);
    if (error != std::errc{} || next == end) break; // each is followed by a space: this one is cut
    at = next + 1;
    if (!sys::is_child(child)) continue; // a /proc of another namespace, with other numbers
    if (signal == SIGTERM && !first_time(child)) continue;
    sys::signal_process(child, signal);
    if (signal == SIGTERM) sys::signal_process(child, SIGCONT);
  }
  return true;
}

bool front_process::first_time(pid_t child) noexcept {
  if (std::find(asked_.begin(), asked_.end(), child) != asked_.end()) return false;
  const auto room = std::find(asked_.begin(), asked_.end(), 0);
  if (room == asked_.end()) return false; // one of very many, which is killed only
  *room = child;
  return true;
}

void front_process::leave() const noexcept {
  if (end_.kind == sys::end_kind::exited) sys::exit_now(end_.value);
  if (place_.process_one) sys::exit_now(128 + end_.value);
  sys::dump_no_core(); // there is the program's, or it was not to be
  end_by_signal(end_.value);
}

} // namespace lastcall::detail
