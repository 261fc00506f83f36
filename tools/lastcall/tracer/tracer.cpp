// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/tracer.hpp"

#include "subject/cannot_check.hpp"
#include "tracer/family.hpp"
#include "tracer/heartbeat.hpp"
#include "tracer/interrupter.hpp"
#include "tracer/output_capture.hpp"
#include "tracer/recorder.hpp"
#include "tracer/stillness.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

// One run, from exec to the last process.
//
// Until the request is made every system call stops the thread that makes it, at its entry and its exit.
// From then on the subject runs free: it is still traced, so that new processes are known and nothing can
// escape, but only signals and births stop it, and its shutdown goes at full speed.
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

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto usual_tick = 2ms;
constexpr auto short_watch = 200us;
constexpr auto watch_pause = 50us;
constexpr auto longest_hold = 20ms;
constexpr auto idle_time = seconds{0.1};
constexpr auto settling_time = 500ms;
constexpr int syscall_stop = SIGTRAP | 0x80;

constexpr bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGTRAP || signal == SIGSYS;
}

constexpr bool stops_group(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// Whether a call's result says that a signal cut it short: EINTR or one of the kernel's restart codes.
constexpr bool was_cut_short(std::int64_t result) {
  constexpr std::int64_t first_restart = 512; // ERESTARTSYS
  constexpr std::int64_t last_restart = 516;  // ERESTART_RESTARTBLOCK
  return result == -EINTR || (result <= -first_restart && result >= -last_restart);
}

class session {
public:
  session(launched& what, const trace_task& task, const call_naming& naming, const process_files& files)
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
    follows_calls_ = task.record || (task.ask && !is_idle_point_);
  }

  trace_result run();

private:
  void seize();
  void loop();
  void tick();
  void on_stop(tracee& one, int status);
  void on_event(tracee& one, int event, int signal);
  void on_birth(tracee& creator);
  void on_exec(tracee& one);
  void on_call_stop(tracee& one);
  void on_entry(tracee& one, const call_entry& call);
  void on_exit(tracee& one, std::int64_t call_result);
  void on_death(pid_t thread, int status, const rusage& usage);
  void resume(tracee& one, int signal = 0);
  void release_held();
  void watch_sleeper();
  void watch_for_idle();
  void watch_for_hang();
  void ask_now(tracee* at);
  void end_hung(hang_kind kind);
  void end_idle();
  [[nodiscard]] bool is_deadlocked() const;
  [[nodiscard]] seconds processor_since_request() const;
  void kill_all();
  void finish();
  [[nodiscard]] bool is_wanted(const tracee& one, const call_entry& call);
  [[nodiscard]] bool has_fired() const { return interrupter_ && interrupter_->has_fired(); }

  launched& what_;
  const trace_task& task_;
  const call_naming& naming_;
  const process_files& files_;
  family family_;
  stillness stillness_;
  output_capture output_;
  recorder recorder_;
  std::optional<interrupter> interrupter_;
  trace_result result_;

  bool is_idle_point_ = false;
  std::int64_t wanted_number_ = -1;
  std::uint32_t wanted_seen_ = 0;
  bool is_found_ = false; ///< the wanted call is under way
  bool follows_calls_ = false;
  bool is_program_ = false; ///< the first exec has happened
  bool first_is_gone_ = false;
  bool is_done_ = false;
  pid_t sleeper_ = 0; ///< the thread whose sleep the request waits for
  clock::time_point sleeper_since_;
  clock::time_point started_ = clock::now();
  clock::time_point first_gone_at_;
  clock::time_point last_tick_ = started_;
  std::uint64_t ticks_at_request_ = 0;
};

void session::seize() {
  constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                           PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
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
  launcher::release(what_);
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
    if (now - last_tick_ < usual_tick) continue;
    last_tick_ = now;
    tick();
  }
}

void session::tick() {
  if (!output_.drain()) return end_hung(hang_kind::livelock); // it writes without end
  if (!is_program_) return;
  stillness_.look(family_);
  if (first_is_gone_) {
    const auto waited = clock::now() - first_gone_at_;
    if (waited > task_.grace || stillness_.lasted() > task_.grace / 4) is_done_ = true;
    return;
  }
  watch_for_idle();
  if (!is_done_) watch_for_hang();
}

// --- what threads do -------------------------------------------------------------------------------------

void session::on_stop(tracee& one, int status) {
  one.is_stopped = true;
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (event != 0) return on_event(one, event, signal);
  if (signal == syscall_stop) return on_call_stop(one);
  if (interrupter_) interrupter_->on_delivery(one, signal);
  resume(one, signal);
}

void session::on_event(tracee& one, int event, int signal) {
  switch (event) {
  case PTRACE_EVENT_FORK:
  case PTRACE_EVENT_VFORK:
  case PTRACE_EVENT_CLONE: on_birth(one); break;
  case PTRACE_EVENT_EXEC: on_exec(one); break;
  case PTRACE_EVENT_STOP:
    if (stops_group(signal)) {
      one.is_stopped = false;
      (void)::ptrace(PTRACE_LISTEN, one.thread, nullptr, nullptr);
    } else if (!one.role.empty()) {
      resume(one);
    } // else it waits for its creator's report
    break;
  default: resume(one); break;
  }
}

void session::on_birth(tracee& creator) {
  unsigned long message = 0;
  if (::ptrace(PTRACE_GETEVENTMSG, creator.thread, nullptr, &message) == 0) {
    const auto thread = static_cast<pid_t>(message);
    const pid_t process = files_.process_of(thread);
    auto& one = family_.adopt(creator, thread, process != 0 ? process : thread);
    if (one.is_stopped) resume(one);
  }
  resume(creator);
}

void session::on_exec(tracee& one) {
  unsigned long former = 0;
  (void)::ptrace(PTRACE_GETEVENTMSG, one.thread, nullptr, &former);
  auto* now = family_.rename_after_exec(static_cast<pid_t>(former), one.thread);
  if (now == nullptr) return;
  now->is_stopped = true;
  now->command = files_.command(now->thread);
  if (!is_program_) started_ = clock::now();
  is_program_ = true;
  resume(*now);
}

void session::on_call_stop(tracee& one) {
  const auto stop = follows_calls_ || one.call ? read_call_stop(one.thread) : call_stop{};
  switch (stop.what) {
  case call_stop::kind::entry: on_entry(one, stop.call); break;
  case call_stop::kind::exit: on_exit(one, stop.result); break;
  case call_stop::kind::gone: resume(one); break;
  }
}

bool session::is_wanted(const tracee& one, const call_entry& call) {
  const bool is_looking = interrupter_ && !has_fired() && sleeper_ == 0 && !is_found_;
  if (!is_looking || call.number != wanted_number_ || one.role != task_.ask->where.role) return false;
  ++result_.seen.occurrence;
  if (naming_.name(one.thread, call) != task_.ask->where.call) return false;
  is_found_ = ++wanted_seen_ == task_.ask->where.ordinal;
  return is_found_;
}

void session::on_entry(tracee& one, const call_entry& call) {
  one.call = call;
  if (task_.record) recorder_.on_entry(one, naming_, files_);
  if (is_wanted(one, call)) {
    switch (task_.ask->where.at) {
    case position::before: one.is_cancelled = cancel_call(one.thread); break;
    case position::after: one.asks_at_exit = true; break;
    case position::during:
      sleeper_ = one.thread;
      sleeper_since_ = clock::now();
      break;
    }
  } else if (sleeper_ != 0 && !has_fired() && clock::now() - sleeper_since_ < longest_hold) {
    return; // held until the request has been sent
  }
  resume(one);
}

void session::on_exit(tracee& one, std::int64_t call_result) {
  if (task_.record) recorder_.on_exit(one, files_);
  // Out of its call before anybody is released: see release_held.
  const auto call = std::exchange(one.call, std::nullopt);
  if (std::exchange(one.is_cancelled, false)) {
    if (call && rewind_call(one.thread, *call)) ask_now(&one);
  } else if (std::exchange(one.asks_at_exit, false)) {
    ask_now(&one);
  } else if (one.thread == sleeper_) {
    const bool slept = has_fired() && was_cut_short(call_result);
    sleeper_ = 0;
    if (!slept) {
      result_.seen.not_injected = "the call did not sleep this time";
      is_done_ = true;
      return;
    }
    release_held();
  }
  resume(one);
}

void session::on_death(pid_t thread, int status, const rusage& usage) {
  const auto* one = family_.find(thread);
  if (one == nullptr) return; // ended by another thread's exec
  const bool is_process = one->process == thread;
  if (thread == what_.subject) {
    if (!is_program_) {
      const int error = launcher::exec_error(what_);
      family_.remove(thread);
      kill_all();
      throw_cannot("execute " + what_.program, error != 0 ? error : EPROTO);
    }
    first_is_gone_ = true;
    first_gone_at_ = clock::now();
    auto& end = result_.seen.end;
    end.how = WIFEXITED(status) ? ending::how::exited : ending::how::signaled;
    end.value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    end.core = WIFSIGNALED(status) && WCOREDUMP(status);
    const auto total = [](const timeval& t) {
      return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
    };
    result_.processor = total(usage.ru_utime) + total(usage.ru_stime);
  } else if (is_process && WIFSIGNALED(status) && is_crash(WTERMSIG(status))) {
    result_.seen.crashes.push_back({one->role, one->command, WTERMSIG(status), WCOREDUMP(status)});
  }
  if (thread == sleeper_) sleeper_ = 0;
  family_.remove(thread);
  if (family_.empty()) is_done_ = true;
}

void session::resume(tracee& one, int signal) {
  one.is_stopped = false;
  const auto request = follows_calls_ && is_program_ ? PTRACE_SYSCALL : PTRACE_CONT;
  // ESRCH: it was killed meanwhile; its death will be reported.
  (void)::ptrace(request, one.thread, nullptr, static_cast<std::uintptr_t>(signal));
}

// --- the request -----------------------------------------------------------------------------------------

void session::ask_now(tracee* at) {
  for (const auto& [thread, one] : family_.members()) ticks_at_request_ += files_.processor_ticks(thread);
  interrupter_->fire(family_, what_.subject, at);
  stillness_.begin();
  follows_calls_ = false;
  release_held();
}

void session::release_held() {
  for (auto& [thread, one] : family_.members()) {
    if (one.is_stopped && one.call && thread != sleeper_) resume(one); // stopped in an entry stop
  }
}

void session::watch_sleeper() {
  auto* one = family_.find(sleeper_);
  if (one != nullptr && files_.state(sleeper_) == 'S') {
    ask_now(one);
    if (!one->takes_request) sleeper_ = 0; // somebody else's: it may sleep on
    return;
  }
  const auto watched = clock::now() - sleeper_since_;
  if (watched > longest_hold) release_held();
  if (watched < short_watch) {
    ::sched_yield(); // it needs this processor to fall asleep
  } else {
    std::this_thread::sleep_for(watch_pause);
  }
}

void session::watch_for_idle() {
  const bool wants = task_.end_when_idle || (is_idle_point_ && !has_fired());
  if (!wants || !stillness_.is_waiting()) return;
  const bool has_alarm = task_.has_alarm || recorder_.saw_alarm();
  const bool is_idle = !has_alarm && stillness_.lasted() >= idle_time && stillness_.is_for_ever(family_);
  if (!is_idle) {
    // It pauses. If it turns out to do nothing else, this is where it idles: not in its first moments, in
    // which a pause belongs to the start.
    if (clock::now() - started_ < settling_time) return;
    if (task_.record) recorder_.mark_first_wait();
    if (!task_.timed_idle) return;
  }
  if (is_idle_point_) {
    ask_now(nullptr);
  } else {
    end_idle();
  }
}

void session::end_idle() {
  for (auto& [thread, one] : family_.members()) recorder_.mark_asleep(one);
  result_.idle = true;
  result_.seen.end = {ending::how::hung, ending::waits_as_it_should, false};
  is_done_ = true;
}

void session::watch_for_hang() {
  const auto now = clock::now();
  if (has_fired()) {
    const seconds waited = now - interrupter_->fired_at();
    if (waited > task_.quiet && is_deadlocked()) return end_hung(hang_kind::deadlock);
    if (waited < task_.limit_after) return;
    // Whoever has had the processor for long and is not done loops. Else it may be the machine that is slow,
    // and the subject gets more time.
    constexpr double busy_share = 0.5;
    constexpr double patience = 3;
    const bool is_busy = stillness_.busy_share() > busy_share;
    const bool has_computed = processor_since_request() > busy_share * task_.limit_after;
    if (is_busy && has_computed) return end_hung(hang_kind::livelock);
    if (waited > patience * task_.limit_after) end_hung(is_busy ? hang_kind::livelock : hang_kind::slow);
    return;
  }
  if (!task_.end_when_idle && is_deadlocked()) return end_hung(hang_kind::deadlock);
  if (now - started_ < task_.limit) return;
  if (task_.record && recorder_.saw_wait()) {
    result_.timed_idle = true;
    return end_idle();
  }
  end_hung(hang_kind::livelock);
}

bool session::is_deadlocked() const {
  return !task_.has_alarm && stillness_.lasted() > task_.quiet && stillness_.is_for_ever(family_);
}

seconds session::processor_since_request() const {
  std::uint64_t ticks = 0;
  for (const auto& [thread, one] : family_.members()) ticks += files_.processor_ticks(thread);
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds{static_cast<double>(ticks - std::min(ticks, ticks_at_request_)) / per_second};
}

void session::end_hung(hang_kind kind) {
  result_.seen.hung = hang{kind, describe_threads(family_, files_)};
  result_.seen.end.how = ending::how::hung;
  is_done_ = true;
}

// --- the end ---------------------------------------------------------------------------------------------

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
  (void)output_.drain();
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

} // namespace

trace_result follow(launched& what, const trace_task& task, const call_naming& naming,
                    const process_files& files) {
  return session{what, task, naming, files}.run();
}

} // namespace checker
