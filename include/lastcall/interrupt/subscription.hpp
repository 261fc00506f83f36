// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <memory>
#include <utility>

namespace lastcall {

namespace detail {
class listener;
}

/// Ends its subscription when destroyed: once it is gone the function is not called any more, and a
/// call in progress on the herald has ended (not waited for when destroyed from inside that very call).
/// May outlive the signal_scope it came from.
class [[nodiscard]] subscription {
public:
  subscription() noexcept = default;
  explicit subscription(std::shared_ptr<detail::listener> to) noexcept : listener_{std::move(to)} {}
  subscription(subscription&& other) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// Ends it now. The wait for a call in progress ends when that call does.
  void reset() noexcept;

private:
  std::shared_ptr<detail::listener> listener_;
};

} // namespace lastcall
