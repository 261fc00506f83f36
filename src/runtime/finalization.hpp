// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/callback_list.hpp"
#include "runtime/errand.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/sentence.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

/// One finalization: the steps, in order, each bounded, each reported.
///
/// The first half (stop, join, at_exit) waits for code of the program. It may use all of the time but a
/// reserve, which belongs to the second half: what the library itself has to do so that nothing is lost or
/// touched that is gone. Code of the program runs on a hand, a thread that can be left behind; what is left
/// to call when the time is over gets `last_moment` in all.
class finalization {
public:
  finalization(runtime_core& of, runtime_options& options, std::uint64_t generation, deadline until) noexcept;
  /// Allocates only for the report, which gets shorter without memory.
  finalization_report run() noexcept;
  /// Tells whoever wants to know, and returns the report; a copy where `on_report` does not return.
  finalization_report tell(finalization_report report) noexcept;

private:
  static constexpr duration longest_reserve = std::chrono::seconds{1};
  static constexpr duration last_moment = std::chrono::milliseconds{100};
  static constexpr duration least = std::chrono::milliseconds{20};

  template <class Step>
  void take(finalization_step which, Step step) noexcept;

  void stop();
  void join();
  void call_all(callback_list& of, std::string_view what, deadline until);
  void speak(bool last);
  void end_daemons();
  void cancel_operations();
  void clear_states();

  enum class outcome : std::uint8_t { done, left_behind, not_begun };
  /// Has a hand do it; it has `at_least` in any case. `not_begun` where no thread can be had.
  outcome on_hand(errand& work, duration at_least = least) noexcept;
  /// Calls `next` on a hand until it returns false, and reports what it throws, and when it does not return:
  /// then the hand is left behind, and what `next` refers to has to stay. `next` is small enough to be stored
  /// without memory.
  outcome have_done(std::function<bool(deadline)> next, std::string_view what, deadline until) noexcept;
  /// The same, and another hand goes on where one was left behind, for a moment; `left_behind` when that has
  /// passed.
  outcome have_all_done(const std::function<bool(deadline)>& next, std::string_view what,
                        deadline until) noexcept;
  deadline soft() const noexcept;
  deadline hard() const noexcept;
  void fail(std::string_view what) noexcept;
  void wait_for(thread_record& one) noexcept;
  void note_late(const thread_record& who) noexcept;
  void note_daemons() noexcept;
  /// Of those who are late, by one look at all of them, in half of the time that is left.
  void show_where_late_ones_are() noexcept;

  runtime_core& core_;
  const runtime_options& options_;
  const std::uint64_t generation_;
  const deadline until_;
  const duration reserve_;
  finalization_report report_;
  std::vector<pid_t> late_ids_; ///< as in the report
  bool some_left_ = false;      ///< threads of this runtime's that are neither parked nor at their end
};

} // namespace lastcall::detail
