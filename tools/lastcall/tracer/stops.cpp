// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/session.hpp"

#include "subject/cannot_check.hpp"
#include "subject/signal_name.hpp"

#include <cerrno>
#include <csignal>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <utility>

// What a stop of a thread means, and how the thread goes on. See tracer.cpp for the whole.

namespace checker {
namespace {

constexpr int syscall_stop = SIGTRAP | 0x80;

constexpr bool stops_group(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// Whether a call's result says that a signal cut it short: EINTR or one of the kernel's restart codes.
constexpr bool was_cut_short(std::int64_t result) {
  constexpr std::int64_t first_restart = 512; // ERESTARTSYS
  constexpr std::int64_t last_restart = 516;  // ERESTART_RESTARTBLOCK
  return result == -EINTR || (result <= -first_restart && result >= -last_restart);
}

} // namespace

void session::on_stop(tracee& one, int status) {
  one.is_stopped = true;
  one.is_listening = false;
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
  case PTRACE_EVENT_SECCOMP: on_filter_stop(one); break;
  case PTRACE_EVENT_STOP:
    if (stops_group(signal)) {
      one.is_stopped = false;
      one.is_listening = true;
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
  if (!is_program_) {
    started_ = clock::now();
    began_ = time_.total();
  }
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

/// The filter stays in the subject for good: after the request its stops mean nothing.
void session::on_filter_stop(tracee& one) {
  const bool is_looking = has_filter_ && is_program_ && !has_fired();
  const auto stop = is_looking ? read_call_stop(one.thread) : call_stop{};
  if (stop.what != call_stop::kind::entry) return resume(one);
  on_entry(one, stop.call);
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
  } else if (has_filter_) {
    one.call.reset(); // its exit is not seen
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
    first_gone_ = time_.total();
    auto& end = result_.seen.end;
    end.how = WIFEXITED(status) ? ending::how::exited : ending::how::signaled;
    end.value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    end.core = WIFSIGNALED(status) && WCOREDUMP(status);
    const auto total = [](const timeval& t) {
      return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
    };
    result_.processor = total(usage.ru_utime) + total(usage.ru_stime);
  } else if (is_process && WIFSIGNALED(status) && is_crash(WTERMSIG(status))) {
    result_.seen.crashes.push_back({one->role, one->command, WTERMSIG(status), WCOREDUMP(status) != 0});
  }
  family_.remove(thread);
  if (thread == what_.subject) note_processor();
  if (thread == sleeper_) {
    sleeper_ = 0;
    release_held();
  }
  if (family_.empty()) is_done_ = true;
}

void session::resume(tracee& one, int signal) const {
  one.is_stopped = false;
  const bool stops_at_exit = one.is_cancelled || one.asks_at_exit || one.thread == sleeper_;
  const auto request = is_program_ && (follows_calls_ || stops_at_exit) ? PTRACE_SYSCALL : PTRACE_CONT;
  // ESRCH: it was killed meanwhile; its death will be reported.
  (void)::ptrace(request, one.thread, nullptr, static_cast<std::uintptr_t>(signal));
}

} // namespace checker
