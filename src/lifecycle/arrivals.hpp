// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/request.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/lifecycle/exit_status.hpp>

#include <span>
#include <vector>

namespace lastcall::detail {

/// What came to a scope, to its last moment: for the report, and for the exit status.
///
/// The status has to be right also when there is no memory for the list. Then it goes by the scope's counts.
class arrivals {
public:
  arrivals(const signal_scope& closed, const exit_statuses& statuses) noexcept;

  std::vector<request> requests; ///< empty where there was no memory
  /// In the order in which they came. Without memory: the one that counts.
  [[nodiscard]] std::span<const int> signals() const noexcept;

private:
  std::vector<int> signals_;
  int counted_ = 0;
};

} // namespace lastcall::detail
