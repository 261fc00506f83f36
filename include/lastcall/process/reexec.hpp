// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_source.hpp>

#include <memory>

namespace lastcall {

/// Workers by a new start of this program.
///
/// For programs that cannot make a `zygote` first in main: because threads are there before, or code is
/// loaded later. A worker begins with nothing of its manager's memory; that takes some milliseconds each, for
/// as much as the program does before its main and in it, up to this object.
///
///     int main(int argc, char** argv) {
///       lastcall::reexec self{argc, argv};               // in a worker this does not return
///       lastcall::worker_pool<scanner> pool{self, {.workers = 4}, "patterns.txt"};
///
/// What the program has done before is done in each worker as well: make it the first thing in main, too.
///
/// Threads: any may `launch`. Signals: workers begin with no signal blocked and all at their default.
/// Errors: `launch` throws std::system_error that names the call. A program that runs with more rights than
/// its
///   caller (set-uid) cannot be a worker: whoever started it could tell it what to do.
/// Limits: the file is found as /proc/self/exe: the program that runs, also where it was replaced on the
/// disk. Its
///   libraries are those of the disk; a type or method must lie in the same one as when the pool was made.
class reexec final : public process_source {
public:
  reexec(int argc, char** argv);
  ~reexec() override;

  std::unique_ptr<detail::launched_process> launch(const detail::process_setup& setup,
                                                   std::span<const int> fds) override;
  bool same_addresses() const noexcept override { return false; }
};

} // namespace lastcall
