// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"
#include "tracer/family.hpp"
#include "tracer/process_files.hpp"
#include "tracer/waits.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace checker {

/// Tells whether anything still goes on in the subject.
///
/// A program that waits for ever is told from one that only sleeps by what its threads wait in, not by how
/// long it has been quiet: a deadlock is seen within a fraction of a second, and a long sleep is none.
class stillness {
public:
  using clock = std::chrono::steady_clock;

  explicit stillness(const process_files& files) : files_(files) {}

  /// Counts from now on.
  void begin() noexcept { looks_ = busy_looks_ = 0; }
  /// Looks at all threads now. Cheap while any of them runs.
  void look(const family& subject);

  /// Of the looks since `begin`, how many found somebody running: 0 to 1.
  [[nodiscard]] double busy_share() const noexcept {
    return looks_ == 0 ? 0 : double(busy_looks_) / double(looks_);
  }
  [[nodiscard]] bool is_waiting() const noexcept { return all_wait_; } ///< at the last look
  /// How long every thread has been in a wait without waking up in between.
  [[nodiscard]] seconds lasted() const;
  /// Whether that wait can only be ended from outside.
  [[nodiscard]] bool is_for_ever(const family& subject) const;

private:
  [[nodiscard]] std::uint64_t fingerprint(const family& subject);
  const process_files& files_;
  unsigned looks_ = 0;
  unsigned busy_looks_ = 0;
  bool all_wait_ = false;
  wait_kind kind_ = wait_kind::none;
  std::uint64_t last_ = 0;
  clock::time_point since_;
};

/// What every thread of the subject does, for a report.
[[nodiscard]] std::vector<thread_state> describe_threads(const family& subject, const process_files& files);

} // namespace checker
