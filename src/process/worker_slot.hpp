// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>
#include <lastcall/process/reply.hpp>
#include <lastcall/wait/deadline.hpp>

#include "process/frame.hpp"
#include "process/launched_process.hpp"
#include "process/stop_run.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace lastcall::detail {

/// A call on its way.
struct job {
  byte_buffer frame; ///< head and arguments
  std::uint64_t id = 0;
  std::uint64_t method = 0;
  std::shared_ptr<reply_state> reply;
  deadline until = deadline::never();
  unsigned tries = 1; ///< workers that may still be given it
  bool broadcast = false;
};

/// none → bootstrapping → starting → idle ⇄ busy → ended → (replaced) bootstrapping, or none for good
///
/// From each of them to `ended`, when the process does. `failing`: it has said that it cannot start, and is
/// about to end.
enum class slot_phase : std::uint8_t { none, bootstrapping, starting, failing, idle, busy };

/// A worker's place in its pool, and who is in it.
struct worker_slot {
  explicit worker_slot(int number, std::uint64_t limit) : index{number}, inbox{limit} {}

  int index;
  slot_phase phase = slot_phase::none;
  std::unique_ptr<launched_process> process;
  raw_fd work, life;
  frame_inbox inbox;
  std::deque<std::unique_ptr<job>> own; ///< broadcasts, before any call of the queue
  std::unique_ptr<job> current;
  std::size_t sent = 0; ///< of `current`, or of `setup`
  bool sending = false;
  bool stop_sent = false;           ///< the frame that ends it
  deadline due = deadline::never(); ///< of the phase
  bool dropped = false;             ///< the caller of `current` has had his answer
  bool doomed = false;              ///< it is being stopped, by `steps`
  stop_run steps;
  deadline step_due = deadline::never();
  std::string trouble; ///< what is known of why it ends
};

} // namespace lastcall::detail
