// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/errors.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/testing/virtual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lastcall::testing {

/// A loop whose time passes when the test says so, and in which "nothing more will happen" can be asserted.
///
///     lastcall::testing::virtual_loop loop;
///     loop.run([]() -> lastcall::task<> { co_await lastcall::sleep_for(1h); });   // takes no time
///
///     loop.begin(server);                      // … or step by step
///     loop.advance(59min);
///     EXPECT_FALSE(closed);
///     loop.advance(1min);
///     EXPECT_TRUE(closed);
///     EXPECT_TRUE(loop.nothing_more_will_happen());
///
/// Everything that happens at one moment happens before the next, always in the same order; a test of it says
/// the same on every machine. Threads of `to_thread` run by themselves and are waited for. Needs
/// lastcall::task and lastcall::testing. Limits: operations of Asio's on descriptors go by the kernel's time,
/// and whether one will end, nobody knows:
///   they do not count as something that will happen.
class virtual_loop {
public:
  explicit virtual_loop(loop_options options = {}) : loop_{at_once(std::move(options))} {}
  ~virtual_loop() { end_the_rest(); }
  virtual_loop(const virtual_loop&) = delete;
  virtual_loop& operator=(const virtual_loop&) = delete;

  [[nodiscard]] loop& operator*() noexcept { return loop_; }
  [[nodiscard]] loop* operator->() noexcept { return &loop_; }
  [[nodiscard]] virtual_clock& time() noexcept { return time_; }

  /// Runs the task that `main` makes to its end, moving the time from one timer to the next. Throws
  /// `task_errc::stuck` where nothing will happen any more that could end it.
  template <makes_task Fn>
  detail::made_by<Fn&> run(Fn main) {
    using value = detail::made_by<Fn&>;
    if constexpr (std::is_void_v<value>) {
      begin(std::move(main));
      finish();
    } else {
      std::optional<value> result;
      begin([main = std::move(main), &result]() mutable -> task<> { result.emplace(co_await main()); });
      finish();
      return std::move(*result);
    }
  }

  /// Begins, and does what happens now.
  template <makes_task Fn>
  void begin(Fn main) {
    loop_.begin(std::move(main));
    settle();
  }
  /// Everything that happens at this moment; waits for threads. True while the main task runs.
  bool settle() {
    while (loop_.step() && loop_.expects_others()) loop_.wait_and_step();
    return runs_ = loop_.step();
  }
  /// Moves the time, and stops at each timer on the way.
  void advance(duration span) {
    const auto target = time_.now() + span;
    settle();
    for (auto next = loop_.next_due(); next && *next <= target; next = loop_.next_due()) {
      if (*next > time_.now()) time_.advance(*next - time_.now());
      settle();
    }
    time_.advance(target - time_.now());
    settle();
  }
  /// Moves the time to the next timer; false when there is none.
  bool advance_to_next() {
    const auto next = loop_.next_due();
    if (!next) return false;
    time_.advance(std::max(duration::zero(), *next - time_.now()));
    settle();
    return true;
  }
  /// No timer, no thread that comes back, and nothing ready.
  [[nodiscard]] bool nothing_more_will_happen() {
    settle();
    return !loop_.next_due() && !loop_.expects_others();
  }
  /// Runs to the end of the main task, moving the time, and throws what it threw. See `run`.
  void finish() {
    while (settle())
      if (!advance_to_next())
        throw std::system_error{task_errc::stuck, "at " + std::to_string(loop_.running()) + " coroutines"};
    end_the_rest();
    loop_.finish();
  }

private:
  static loop_options at_once(loop_options options) {
    options.patience = duration::zero(); // by this clock it would never pass
    return options;
  }
  void end_the_rest() {
    if (loop_.running() == 0) return;
    loop_.cancel_all("the virtual loop ends");
    for (int turns = 0; turns < 1000 && loop_.running() != 0; ++turns) {
      settle();
      if (loop_.running() != 0 && !advance_to_next()) break;
    }
  }

  virtual_clock time_;
  loop loop_;
  bool runs_ = false;
};

} // namespace lastcall::testing
