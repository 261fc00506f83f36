// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/arrivals.hpp"

#include <algorithm>

namespace lastcall::detail {

arrivals::arrivals(const signal_scope& closed, const exit_statuses& statuses) noexcept {
  try {
    requests = closed.requests();
    for (const auto& each : requests)
      if (each.signal != 0) signals_.push_back(each.signal);
  } catch (...) {
    requests.clear();
    signals_.clear();
    const auto came = [&](int signal) { return closed.delivered(signal) != 0; };
    const auto first = std::ranges::find_if(statuses.by_signal, came);
    if (first != statuses.by_signal.end()) counted_ = *first;
  }
}

std::span<const int> arrivals::signals() const noexcept {
  return counted_ != 0 ? std::span<const int>{&counted_, 1} : std::span<const int>{signals_};
}

} // namespace lastcall::detail
