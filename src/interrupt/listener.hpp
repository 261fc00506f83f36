// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/request.hpp>
#include <lastcall/wait/deadline.hpp>

#include "sys/incarnation.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include <signal.h>

namespace lastcall::detail {

/// Somebody who wants to be told: of each arrival of one signal, of each step of the ladder, or of each
/// request that a shield holds back.
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

  /// In place of a signal's number.
  static constexpr int of_delays = -1;

  listener(int signal, arrival_function fn);
  explicit listener(ladder_function fn);

  /// Told of what the herald takes up after its `number`-th entry. Before anybody else knows of it.
  void begin_after(std::uint64_t number) noexcept { after_ = number; }
  bool begins_before(std::uint64_t number) const noexcept { return after_ < number; }
  bool listens_to(int signal) const noexcept { return signal_ != 0 && signal_ == signal; }

  /// Calls the function if this concerns it and the subscription has not ended. Throws what it throws; `told`
  /// says whether it was called, also then.
  void arrived(const request& what, bool& told);
  void climbed(ladder_step step, const request& what);
  void delayed(const request& what);

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

  const sys::incarnation process_;
  std::atomic<std::uint32_t> state_{0};
  std::atomic<pid_t> runner_{0}; // relaxed: compared only with the reader's own id
  int signal_ = 0;               // 0: the ladder
  std::uint64_t after_ = 0;
  arrival_function on_arrival_;
  ladder_function on_ladder_;
};

} // namespace lastcall::detail
