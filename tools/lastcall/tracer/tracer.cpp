// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/tracer.hpp"

#include "subject/cannot_check.hpp"
#include "tracer/heartbeat.hpp"
#include "tracer/session.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <utility>

// One run, from exec to the last process.
//
// Until the request is made system calls stop the thread that makes them: every one at its entry and its
// exit, or, by a seccomp filter, only those of the wanted kind at their entry. From then on the subject runs
// free: it is still traced, so that new processes are known and nothing can escape, but only signals and
// births stop it, and its shutdown goes at full speed.
//
// The three positions:
//   before  the call is taken back at its entry (see registers.cpp), the request sent at its exit stop
//   during  the call goes on from its entry; once the thread sleeps in it, the request is sent. Other
//           threads that come to a stop meanwhile are held there, so that the sleep lasts: bounded, for
//           the sleeper may be waiting for something they have yet to do
//   after   the request is sent at the exit stop
//
// Seized, not attached: group stops (SIGSTOP, SIGTSTP) then work as without a tracer.
//
// The loop waits in wait4; a heartbeat ends the wait when nothing happens, so that it notices the clock.

namespace checker {
namespace {

using namespace std::chrono_literals;

constexpr auto usual_tick = 2ms;

} // namespace

session::session(launched& what, const trace_task& task, const call_naming& naming,
                 const process_files& files)
    : what_(what),
      task_(task),
      naming_(naming),
      files_(files),
      stillness_(files),
      output_(what.out, what.err) {
  result_.seen.asked = task.ask;
  if (task.ask) {
    interrupter_.emplace(*task.ask, files);
    is_idle_point_ = task.ask->where.call == "idle()";
    wanted_number_ = call_number(task.ask->where.call);
  }
  has_filter_ = task.ask && task.by_filter && wanted_number_ >= 0;
  follows_calls_ = task.record || (task.ask && !is_idle_point_ && !has_filter_);
}

void session::seize() {
  constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                           PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
                           PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SEIZE, what_.subject, nullptr, options) != 0) {
    const int error = errno;
    ::kill(what_.subject, SIGKILL);
    kill_all();
    throw cannot_check(std::string{"cannot trace programs here: ptrace says "} + std::strerror(error) +
                       " (a container needs the SYS_PTRACE capability)");
  }
  family_.found(what_.subject);
}

trace_result session::run() {
  seize();
  launcher::release(what_, has_filter_ ? wanted_number_ : launcher::no_call);
  loop();
  kill_all();
  finish();
  return std::move(result_);
}

void session::loop() {
  const heartbeat beat{usual_tick};
  while (!is_done_) {
    // While a sleeper is watched nothing may wait: the moment it is asleep is looked for.
    const bool is_watching = sleeper_ != 0 && !has_fired();
    const int how = is_watching ? __WALL | WNOHANG : __WALL;
    int status = 0;
    rusage usage{};
    const pid_t thread = ::wait4(-1, &status, how, &usage);
    if (thread < 0 && errno == ECHILD) return;
    if (thread > 0) {
      if (thread == what_.init) return; // it was killed from outside, and everybody with it
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        on_death(thread, status, usage);
      } else if (WIFSTOPPED(status)) {
        auto* one = family_.find(thread);
        if (one == nullptr) one = &family_.add_newcomer(thread);
        on_stop(*one, status);
      }
    }
    if (is_watching && thread == 0) watch_sleeper();
    const auto now = clock::now();
    if (now - time_.last_look() >= usual_tick) tick(now);
  }
}

void session::tick(clock::time_point now) {
  time_.look(now);
  if (!output_.look()) return end_hung(hang_kind::livelock); // it writes without end
  if (!is_program_) return;
  stillness_.look(family_, time_.total());
  if (first_is_gone_) return watch_for_survivors();
  watch_for_idle();
  if (!is_done_) watch_for_hang();
}

void session::kill_all() {
  if (first_is_gone_ && !result_.seen.hung) result_.seen.survivors = describe_threads(family_, files_);
  if (what_.init != 0) ::kill(what_.init, SIGKILL);
  for (const auto& [thread, one] : family_.members()) {
    if (what_.init == 0) ::kill(one.process, SIGKILL);
  }
  // With PTRACE_O_EXITKILL and pid namespaces nothing outlives this loop; without, a child that was born
  // while its parent was killed shows up as ours and is killed when it does.
  while (true) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0 && errno != EINTR) break;
    if (thread > 0 && WIFSTOPPED(status)) ::kill(thread, SIGKILL);
  }
}

void session::finish() {
  output_.take_rest();
  auto& seen = result_.seen;
  seen.out = output_.take_out();
  seen.err = output_.take_err();
  seen.elapsed = (first_is_gone_ ? first_gone_at_ : clock::now()) - started_;
  result_.has_alarm = recorder_.saw_alarm();
  result_.calls = recorder_.take(result_.timed_idle);
  if (!interrupter_) return;
  seen.delivered = seen.not_injected.empty() ? interrupter_->delivered() : delivery::none;
  if (seen.delivered == delivery::none && seen.not_injected.empty())
    seen.not_injected = interrupter_->failure();
  if (interrupter_->has_fired())
    seen.after_request = seen.elapsed - seconds{interrupter_->fired_at() - started_};
}

trace_result follow(launched& what, const trace_task& task, const call_naming& naming,
                    const process_files& files) {
  return session{what, task, naming, files}.run();
}

} // namespace checker
