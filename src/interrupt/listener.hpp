// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/request.hpp>
#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include <signal.h>

namespace lastcall::detail {

/// Somebody who wants to be told: of each arrival of one signal, or of each step of the ladder.
///
///     state             calls begin?   who lets go of the function
///     idle              yes            –
///     running           it is one      –
///     ended             no             `end`
///     running, ended    it is one      the herald, when the call is over; `end` waits for that
///
/// Only the herald calls. The state is one word and no lock, for two reasons: `end` must be able to give up
/// at a deadline, and a forked child must not find a lock held by a herald that does not exist there.
class listener {
public:
  using arrival_function = std::function<void(const request&)>;
  using ladder_function = std::function<void(ladder_step, const request&)>;

  listener(int signal, arrival_function fn);
  explicit listener(ladder_function fn);

  /// Calls the function if this concerns it and the subscription has not ended. Throws what it throws.
  void arrived(const request& what);
  void climbed(ladder_step step, const request& what);

  /// No call begins any more. Waits for one in progress until the deadline; true when none is, and from
  /// inside that very call.
  bool end(deadline until) noexcept;
  bool ended() const noexcept;

private:
  enum state_bit : std::uint32_t { running = 1, ended_for_good = 2 };

  bool begin_call() noexcept;
  void end_call() noexcept;
  void let_go() noexcept;
  template <class Fn>
  void call(Fn&& fn);

  const pid_t process_;
  std::atomic<std::uint32_t> state_{0};
  std::atomic<pid_t> runner_{0}; // relaxed: compared only with the reader's own id
  int signal_ = 0;               // 0: the ladder
  arrival_function on_arrival_;
  ladder_function on_ladder_;
};

} // namespace lastcall::detail
