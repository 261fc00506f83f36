// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <chrono>

namespace checker {

/// Ends blocking waits of this thread at regular times, with EINTR, as long as it lives.
///
/// The tracer must notice both its tracees and the clock. A blocking wait per stop with a beat now and then
/// costs half of what looking, waiting for SIGCHLD with a time limit, and looking again cost. A beat
/// between two waits is missed; the next one is not.
///
/// Signals: takes SIGALRM, and gives it back. One at a time in a process.
class heartbeat {
public:
  explicit heartbeat(std::chrono::microseconds interval);
  ~heartbeat();
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;
};

} // namespace checker
