// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/interrupter.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace checker {
namespace {

std::set<pid_t> processes_of_group(const family& subject, pid_t group) {
  std::set<pid_t> result;
  for (const auto& [thread, one] : subject.members()) {
    if (::getpgid(one.process) == group) result.insert(one.process);
  }
  return result;
}

} // namespace

void interrupter::fire(family& subject, pid_t first_process, tracee* at) {
  has_fired_ = true;
  fired_at_ = clock::now();
  failure_ = "the signal was not seen to arrive";
  if (what_.scope != target_scope::group) {
    const bool is_callers = what_.scope == target_scope::caller && at != nullptr;
    send_to(subject, is_callers ? at->process : first_process, at);
    return;
  }
  // One by one and not kill(-group): see the class. Every member is known, for a child is traced from its
  // first instruction on.
  for (const pid_t process : processes_of_group(subject, first_process)) send_to(subject, process, at);
}

void interrupter::send_to(const family& subject, pid_t process, tracee* at) {
  const bool is_there = std::ranges::any_of(
      subject.members(), [&](const auto& entry) { return entry.second.process == process; });
  if (!is_there) {
    failure_ = "the process it was meant for had ended";
    return;
  }
  // Nobody is seen to take it: it is not shown to a tracer, and works also on a stopped process.
  if (what_.signal == SIGKILL) {
    if (::kill(process, SIGKILL) == 0) delivered_ = delivery::delivered;
    return;
  }
  // An ignored signal vanishes when it is sent, but not to a traced process: the kernel wakes it to show it
  // to the tracer, and calls that must not notice would end early. So it is not sent at all.
  if (files_.ignores(process, what_.signal)) {
    delivered_ = delivery::delivered;
    return;
  }
  // A thread in sigwait() takes the signal like one that blocks it: without a delivery that would stop it.
  const auto keeps_it = [&](pid_t thread) {
    return files_.blocks(thread, what_.signal) || files_.waits_for(thread, what_.signal);
  };
  if (at != nullptr && at->process == process && !keeps_it(at->thread)) {
    at->takes_request = ::syscall(SYS_tgkill, process, at->thread, what_.signal) == 0;
    return;
  }
  const bool all_keep_it = std::ranges::all_of(subject.members(), [&](const auto& entry) {
    return entry.second.process != process || keeps_it(entry.first);
  });
  if (::kill(process, what_.signal) == 0 && all_keep_it && delivered_ == delivery::none)
    delivered_ = delivery::pending;
}

void interrupter::on_delivery(tracee& taker, int signal) {
  if (!has_fired_ || signal != what_.signal) return;
  delivered_ = delivery::delivered;
  if (!taker.takes_request) return;
  taker.takes_request = false;
  siginfo_t info{};
  if (::ptrace(PTRACE_GETSIGINFO, taker.thread, nullptr, &info) != 0) return;
  info.si_code = SI_USER; // as kill() says, not tgkill()
  (void)::ptrace(PTRACE_SETSIGINFO, taker.thread, nullptr, &info);
}

} // namespace checker
