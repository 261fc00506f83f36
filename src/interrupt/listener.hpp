// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/request.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace lastcall::detail {

/// Somebody who wants to be told: of each arrival of one signal, or of each step of the ladder.
///
/// `running_` is held while the function runs and taken by `end`, so that after `end` no call is in
/// progress; it is recursive, so that a function may end its own subscription.
class listener {
public:
  using arrival_function = std::function<void(const request&)>;
  using ladder_function = std::function<void(ladder_step, const request&)>;

  listener(int signal, arrival_function fn) : signal_{signal}, on_arrival_{std::move(fn)} {}
  explicit listener(ladder_function fn) : on_ladder_{std::move(fn)} {}

  /// Calls the function if this concerns it and the subscription has not ended. Throws what it throws.
  void arrived(const request& what) {
    if (signal_ == 0 || signal_ != what.signal) return;
    const std::scoped_lock busy{running_};
    if (!ended_) on_arrival_(what);
  }
  void climbed(ladder_step step, const request& what) {
    if (signal_ != 0) return;
    const std::scoped_lock busy{running_};
    if (!ended_) on_ladder_(step, what);
  }

  void end() noexcept {
    const std::scoped_lock idle{running_};
    ended_ = true;
  }
  bool ended() const noexcept {
    const std::scoped_lock idle{running_};
    return ended_;
  }

private:
  mutable std::recursive_mutex running_;
  bool ended_ = false;
  int signal_ = 0; // 0: the ladder
  arrival_function on_arrival_;
  ladder_function on_ladder_;
};

} // namespace lastcall::detail
