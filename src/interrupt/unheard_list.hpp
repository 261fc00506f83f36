// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/request.hpp>

#include "interrupt/custody.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace lastcall::detail {

/// Arrivals of listened signals of which nobody was told, oldest first, until somebody listens or the scope
/// is closed.
///
/// Without it a signal is lost between two listeners: the one has ended, the other is not there yet. All room
/// is reserved by the constructor; when it is used up, equal signals are merged, and `count` says how many.
/// Not safe for threads: signal_core guards it.
class unheard_list {
public:
  static constexpr std::size_t room = 256;

  unheard_list() { waiting_.reserve(room + signal_limit); }

  bool empty() const noexcept { return waiting_.empty(); }
  const std::vector<request>& waiting() const noexcept { return waiting_; }

  void add(const request& what) noexcept {
    if (waiting_.size() < room) {
      waiting_.push_back(what);
      return;
    }
    const auto equal = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                    [&](const request& there) { return there.signal == what.signal; });
    if (equal != waiting_.rend())
      equal->count += what.count;
    else
      waiting_.push_back(what); // the first of its signal: there is room for one of each
  }

  /// Takes the oldest out that `wanted` by somebody.
  template <class Wanted>
  std::optional<request> take(Wanted&& wanted) noexcept {
    const auto first = std::find_if(waiting_.begin(), waiting_.end(), wanted);
    if (first == waiting_.end()) return std::nullopt;
    const request taken = *first;
    waiting_.erase(first);
    return taken;
  }

  /// What was taken out last, and was not wanted after all.
  void put_back(const request& what) noexcept { waiting_.insert(waiting_.begin(), what); }

private:
  std::vector<request> waiting_;
};

} // namespace lastcall::detail
