// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>
#include <lastcall/process/spawn_options.hpp>
#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace lastcall {

/// What became of a process that was to be stopped.
struct stop_result {
  std::optional<process_end> end{}; ///< none: it runs on, past the deadline
  std::size_t steps = 0;            ///< how many of the plan's were taken; 0: it had ended before
};

/// Another program, started by this one and never lost sight of.
///
/// A process number is a poor handle: it may mean somebody else by the time a signal is sent. And who starts
/// a program has more to see to than fork and exec: signals that the parent blocks or ignores, an exec that
/// fails, a child that does not end when it is told to. A child is held by its pidfd, begins with no signal
/// blocked or ignored, says which call failed, and is stopped by a plan.
///
///     lastcall::child sort{{"sort", "-u"}, {.input = child_stream::pipe(), .output =
///     child_stream::given(file)}}; write_all(sort.input().number(), text); sort.input() = {}; // the end of
///     its input if (!sort.wait_until(deadline::after(5s))) sort.stop(deadline::after(2s));
///
/// Threads: one at a time, but `signal` and `pid`, which any may call.
/// Signals: nothing is installed; SIGCHLD is the program's. A wait of a signal_scope's owner ends by a
/// request. Stop: nothing waits without a deadline. The destructor of one that runs carries out the plan; one
/// that has
///   not ended even then (asleep in the kernel) is left behind, and that is said on standard error.
/// Lifetime: a process that is forked meanwhile leaves the child alone.
/// Errors: std::system_error, whose text names the call and what it was about: "execve (no-such-program): No
///   such file or directory".
/// Limits: where the program's file lies on a file system that does not answer, the constructor waits for it.
///   A child's own children are not stopped with it, unless they are in its group and the group is signalled,
///   or in a `cgroup`.
class child {
public:
  /// `arguments[0]` is the program: looked for in PATH where it has no slash.
  explicit child(const std::vector<std::string>& arguments, spawn_options options = {});
  ~child();
  child(child&& other) noexcept;
  child& operator=(child&& other) noexcept; ///< stops the one it has, as the destructor does

  pid_t pid() const noexcept { return pid_; }
  /// Becomes readable with its end; ours to close.
  int pidfd() const noexcept { return pidfd_.number(); }

  /// Our ends of its piped streams; not open where there is no pipe.
  raw_fd& input() noexcept { return input_; }
  raw_fd& output() noexcept { return output_; }
  raw_fd& errors() noexcept { return errors_; }

  /// How it has ended; none while it runs. Never waits.
  const std::optional<process_end>& end() noexcept;
  /// Waits for it. Ends by the deadline, and as a wait of the library: by a request on the owner of a
  /// signal_scope (throws `interrupted`).
  const std::optional<process_end>& wait_until(deadline until);
  /// Sends it a signal: to this very process, never to one that got its number. False when it has ended.
  bool signal(int number) noexcept;
  /// … to its group, where it has one of its own; the number of a group is free once its last member has
  /// ended.
  bool signal_group(int number) noexcept;

  /// Carries out the plan, within the deadline. Not ended by a request.
  stop_result stop(deadline until) noexcept;
  stop_result stop(const stop_plan& plan, deadline until) noexcept;
  /// Gives it up: it runs on, nobody waits for it.
  void detach() noexcept;

private:
  bool ended_within(duration span) noexcept;

  pid_t pid_ = 0;
  raw_fd pidfd_;
  raw_fd input_, output_, errors_;
  std::optional<process_end> end_;
  std::uint64_t made_in_ = 0; ///< which process has started it: one forked from that leaves it alone
  std::unique_ptr<spawn_options> options_; ///< none where there is nothing to stop any more
};

} // namespace lastcall
