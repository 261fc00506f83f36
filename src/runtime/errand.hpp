// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace lastcall::detail {

/// Code of the program's that a hand calls at the end of a runtime, one thing after the other.
///
/// A runtime has one from its beginning on, so that none has to be had when memory has run out. A hand that
/// is left behind keeps it, for ever.
struct errand {
  /// Calls the next one; false when there is none. May throw.
  std::function<bool(deadline)> next;
  deadline until = deadline::never();
  std::mutex lock; ///< of `failures`
  std::vector<std::string> failures;
  std::atomic<std::size_t> called{0};
  std::atomic<bool> over{false}; ///< left behind: nothing more is called

  /// Before it is given to a hand.
  void begin(std::function<bool(deadline)> what, deadline by) noexcept;
  void note(std::string text) noexcept;
};

} // namespace lastcall::detail
