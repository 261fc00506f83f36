// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lastcall {

/// A task that had not ended when its pool was to.
struct unfinished_task {
  std::string label{};
  duration running{};   ///< for how long by then
  std::string thread{}; ///< "indexer-3"
  int id = 0;           ///< the kernel's, of that thread
  std::string where{};  ///< what can be said of where it is: its stack, or what the kernel says
};

/// What draining or dropping a pool did, and what it left. Says the same to a program (the fields) as to a
/// reader (`describe`).
struct pool_report {
  std::string pool{};
  std::vector<unfinished_task> unfinished{}; ///< those that did not end in time
  std::size_t waiting = 0; ///< are still queued: a drain's deadline passed before they began
  std::size_t dropped = 0; ///< were queued and were discarded
  std::vector<std::string> dropped_labels{}; ///< of the first of them
  std::size_t failed = 0;                    ///< tasks of this pool that threw, from its beginning on
  std::size_t untold = 0;                    ///< unfinished tasks for whose description there was no memory
  duration took{};

  /// Everything that was accepted has run to its end.
  [[nodiscard]] bool clean() const noexcept {
    return unfinished.empty() && waiting == 0 && dropped == 0 && untold == 0;
  }
  /// The deadline passed, and something still runs or waits.
  [[nodiscard]] bool late() const noexcept { return !unfinished.empty() || waiting != 0 || untold != 0; }
};

/// Some lines of text.
[[nodiscard]] std::string describe(const pool_report& what);

} // namespace lastcall
