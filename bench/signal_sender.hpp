// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <sys/types.h>

namespace bench {

/// A process of its own that sends one signal each time it is asked, to one thread of the process that made
/// it, at a moment when every thread of that process sleeps. Whatever is measured, its signals come
/// from the same place, in the same way, to a process at the same rest.
///
/// Made before any other thread, for it forks. It ends with its maker.
class signal_sender {
public:
  signal_sender();
  ~signal_sender();
  signal_sender(const signal_sender&) = delete;
  signal_sender& operator=(const signal_sender&) = delete;

  /// Asks for `signal` to be sent to `thread` as soon as all threads here sleep. Returns at once.
  void ask(pid_t thread, int signal) const;

  /// When the signal that has arrived was sent: the moment before the kernel was called, as `now_ns` tells
  /// it.
  [[nodiscard]] double sent_ns() const noexcept;

private:
  struct wish {
    pid_t thread;
    int signal;
  };
  [[noreturn]] void serve(pid_t maker, int wishes) noexcept;

  double* sent_; // in memory that both processes see
  int wishes_ = -1;
  pid_t process_ = -1;
};

/// The calling thread, as the kernel calls it.
[[nodiscard]] pid_t this_thread() noexcept;

} // namespace bench
