// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"

#include <algorithm>
#include <chrono>

namespace checker {

/// How long a run has been watched.
///
/// A limit tells who hangs from who is slow only where the subject had that time to itself. When the machine
/// was suspended, or so busy that the tracer did not get to look, the subject did not get on either: the two
/// share a processor, and a stopped thread needs the tracer to go on. So a gap between two looks counts as
/// one long step, however long it was, and a limit is never reached by less than a number of looks.
class watched_time {
public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds longest_step{50};

  explicit watched_time(clock::time_point start) noexcept : last_(start) {}

  void look(clock::time_point now) noexcept {
    total_ += std::min<clock::duration>(now - last_, longest_step);
    last_ = now;
  }
  [[nodiscard]] clock::time_point last_look() const noexcept { return last_; }
  [[nodiscard]] seconds total() const noexcept { return total_; } ///< at the last look

private:
  clock::time_point last_;
  clock::duration total_{0};
};

} // namespace checker
