// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"
#include "tracer/family.hpp"
#include "tracer/process_files.hpp"
#include "tracer/waits.hpp"

#include <cstdint>
#include <vector>

namespace checker {

/// Tells whether anything still goes on in the subject.
///
/// A program that waits for ever is told from one that only sleeps by what its threads wait in, not by how
/// long it has been quiet: a deadlock is seen within a fraction of a second, and a long sleep is none.
class stillness {
public:
  explicit stillness(const process_files& files) : files_(files) {}

  /// Counts from now on: what was seen before is forgotten, so that nothing is concluded from a look at what
  /// has changed since.
  void begin() noexcept {
    looks_ = busy_looks_ = ready_looks_ = 0;
    all_wait_ = false;
  }
  /// Looks at all threads, at `now` of the time that the run has been watched. Cheap while any of them runs.
  void look(const family& subject, seconds now);

  /// Of the looks since `begin`, how many found somebody who did not wait: 0 to 1.
  [[nodiscard]] double busy_share() const noexcept { return share(busy_looks_); }
  /// … and how many one that runs, or would if it had the processor or we had it: it stands at a stop that we
  /// have yet to end.
  [[nodiscard]] double ready_share() const noexcept { return share(ready_looks_); }
  [[nodiscard]] bool is_waiting() const noexcept { return all_wait_; } ///< at the last look
  [[nodiscard]] bool is_ready() const noexcept { return is_ready_; }   ///< at the last look
  /// How long every thread has been in a wait without waking up in between.
  [[nodiscard]] seconds lasted() const noexcept { return all_wait_ ? last_look_ - since_ : seconds{0}; }
  /// Whether that wait can only be ended from outside.
  [[nodiscard]] bool is_for_ever(const family& subject) const;

private:
  [[nodiscard]] std::uint64_t fingerprint(const family& subject);
  [[nodiscard]] double share(unsigned of_the_looks) const noexcept {
    return looks_ == 0 ? 0 : double(of_the_looks) / double(looks_);
  }
  const process_files& files_;
  unsigned looks_ = 0;
  unsigned busy_looks_ = 0;
  unsigned ready_looks_ = 0;
  bool all_wait_ = false;
  bool is_ready_ = false;
  wait_kind kind_ = wait_kind::none;
  std::uint64_t last_ = 0;
  seconds since_{};
  seconds last_look_{};
};

/// Whether every thread that is left is being ended by the kernel.
[[nodiscard]] bool is_ending(const family& subject, const process_files& files);

/// What every thread of the subject does, for a report; without those that the kernel is ending.
[[nodiscard]] std::vector<thread_state> describe_threads(const family& subject, const process_files& files);

} // namespace checker
