// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_source.hpp>

#include <memory>

namespace lastcall {

/// A process that is forked first in `main`, while there is nothing that a fork could copy wrong, and that
/// forks the workers ever after.
///
/// A fork of a program with threads copies locks that nobody will give back, and buffers that two will write.
/// A new start of the program (`reexec`) has none of that and takes some milliseconds for each. A zygote has
/// neither fault: it has one thread, does nothing but fork when it is told to, reap, and say how its children
/// ended.
///
///     int main() {
///       lastcall::zygote nursery;                        // the first thing: no threads, no streams, no
///       signals taken lastcall::worker_pool<scanner> pool{nursery, {.workers = 4}, "patterns.txt"};
///
/// In the zygote and in its workers the constructor does not return: workers end by `exit`, so that their
/// streams speak and statics are destroyed that were there before the zygote.
///
/// Threads: made while there is only one, else std::logic_error. `launch` on any.
/// Signals: the zygote hears none but SIGKILL and SIGSTOP; a terminal's Ctrl-C does not end it. Workers begin
/// with
///   the mask and dispositions of the moment at which it was made.
/// Lifetime: it ends when this object or this process does, whatever ended that; workers too (see
/// worker_pool). A
///   process that is forked meanwhile leaves it alone.
/// Errors: std::system_error. Where the zygote was killed, `launch` says so: its workers go on, no more come.
/// Limits: it knows the program as it was at its beginning: code that was loaded later (dlopen) is not in it.
///   Standard input of its workers is /dev/null.
class zygote final : public process_source {
public:
  zygote();
  ~zygote() override;

  std::unique_ptr<detail::launched_process> launch(const detail::process_setup& setup,
                                                   std::span<const int> fds) override;
  bool same_addresses() const noexcept override { return true; }
  /// Its process.
  int pid() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace lastcall
