// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_source.hpp>
#include <lastcall/wait/clock.hpp>
#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>

namespace lastcall {

/// A control group of the kernel's (version 2), made below the one that this process is in.
///
/// A process that makes a session of its own and whose parent has ended is in no process group and in no line
/// of descent any more by which it could be found. It is still in its cgroup, and so is all that it starts:
/// the kernel ends everything in one at a word, and says when nobody is left. Not every process may make one,
/// so it is offered and refused in plain words.
///
///     lastcall::zygote nursery;                                 // first in main
///     std::string why;
///     auto group = lastcall::cgroup::try_make(nursery, why);    // none: the log says why
///     lastcall::worker_pool<scanner> pool{nursery, {.inside = group ? &*group : nullptr}, "patterns.txt"};
///     …                                                         // the pool ends first, then what is left
///
/// Made with a source of processes it has a keeper: a process outside of it that ends what is left in it when
/// this process has gone, whatever ended that, and removes the directory. Without one, both stay behind then.
///
/// Threads: one at a time, but `kill`, `path` and whatever starts a process inside, which any may call.
/// Stop: the destructor kills, waits a second at most for the end of all, and removes the directory; what
/// stays is said on standard error.
/// Lifetime: outlives the children and pools that begin in it. A process that is forked meanwhile leaves it
/// alone.
/// Errors: std::system_error, whose text names what was tried: "mkdir (/sys/fs/cgroup/…/lastcall-4711-0):
///   Permission denied".
/// Limits: who may, such as root, can move a process out again. What others start at its request (a service
/// manager, a
///   container's daemon) was never in it.
class cgroup {
public:
  cgroup();
  /// `orphan_grace`: how long what is in it may take to end by itself when this process has gone; for workers
  /// no less than theirs. Waits for the keeper, for five seconds at most, as a wait of the library.
  explicit cgroup(process_source& from, duration orphan_grace = std::chrono::seconds{1});
  ~cgroup();
  cgroup(const cgroup&) = delete;
  cgroup& operator=(const cgroup&) = delete;

  /// The same where it is possible. Otherwise none, and `why` is what would have been thrown.
  static std::optional<cgroup> try_make(std::string& why);
  static std::optional<cgroup> try_make(process_source& from, std::string& why,
                                        duration orphan_grace = std::chrono::seconds{1});

  /// Its directory.
  const std::string& path() const noexcept;
  /// The file by which a process enters: who writes "0" to it is in. Ours to close.
  int entrance() const noexcept;
  /// The keeper's process; 0 where there is none.
  int keeper_pid() const noexcept;

  /// Whether nobody is in it or below it. One that has ended and is not reaped is not in it.
  bool empty() const;
  /// The processes in it, without those of cgroups that were made below it.
  std::vector<pid_t> processes() const;
  /// Ends all that is in it, by SIGKILL, with what is being started there. Does not wait for their end, but
  /// for up to a second where the kernel is older than 5.14. False where it was refused.
  bool kill() noexcept;
  /// Waits until it is empty: true, or false when the deadline has passed. A wait of the library: ends by a
  /// request on the owner of a signal_scope (throws `interrupted`).
  bool wait_until(deadline until);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace lastcall
