// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/bell.hpp"

#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/clock.hpp>

#include <atomic>
#include <string>

namespace lastcall::detail {

/// Names a start that takes longer than it should, while it does.
///
/// The thread that starts cannot say so itself. `watch` runs on another one; `begin` and `end` bracket each
/// start.
///
/// Ordering: `current_` carries the name's text and `since_` from `begin` to `watch`, released and acquired.
/// Lifetime: `watch` must have returned before the watch or a name given to it is destroyed.
class slow_watch {
public:
  slow_watch(duration limit, timeline& events);

  void begin(const std::string& name) noexcept;
  /// Returns whether this start was named.
  bool end() noexcept;
  /// Makes `watch` return.
  void close() noexcept;

  /// Waits and names until `close`.
  void watch() noexcept;

private:
  const duration limit_;
  const std::string complaint_;
  timeline& events_;
  bell changed_;
  std::atomic<const std::string*> current_{nullptr}; ///< the start that runs
  std::atomic<time_point> since_{};
  std::atomic<const std::string*> named_{nullptr};
  std::atomic<bool> closed_{false};
};

} // namespace lastcall::detail
