// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/runtime/runtime_options.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/bell.hpp"
#include "runtime/callback_list.hpp"
#include "runtime/crew.hpp"
#include "runtime/errand.hpp"
#include "runtime/operation_list.hpp"
#include "runtime/state_list.hpp"
#include "runtime/thread_record.hpp"
#include "runtime/told_report.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>

namespace lastcall::detail {

class finalization;

/// none → (open) running → (finalize) joining → ending → none
///
/// `joining`: threads that are to be joined may still start others, nobody else may. `ending`: nothing
/// begins.
enum class runtime_phase : std::uint8_t { none, running, joining, ending };

/// What is behind `runtime`: one for the process, never destroyed.
///
/// `lock_` guards phase, options and the stop's source; taken before the locks of the lists and of the
/// registry.
class runtime_core {
public:
  /// Begins the next generation and returns its number. Throws std::system_error.
  std::uint64_t open(runtime_options options);
  finalization_report finalize(std::uint64_t generation, deadline until) noexcept;
  /// Within the budget of its options.
  finalization_report finalize(std::uint64_t generation) noexcept;
  void hurry(deadline until) noexcept;
  /// The deadline of a `hurry`; never where there was none. It may come at any moment: whoever waits inside a
  /// finalization looks anew. One relaxed load; any thread.
  deadline hurried() const noexcept;
  /// 0 where nobody finalizes. One relaxed load; any thread.
  pid_t finalizing_thread() const noexcept { return finalizing_.load(std::memory_order_relaxed); }
  /// On a hand that leaves by `exit`: it is not waited for any more, and not a hand any more.
  void lay_hand_down() noexcept;

  void start(const std::shared_ptr<thread_record>& record);
  /// For whoever registers something that a hand will have to do: it is had now, and not when it is too late.
  /// Throws std::system_error where there is no thread for it.
  void want_hand();

  stop_token token(std::uint64_t generation);
  bool request_stop(std::uint64_t generation, reason why) noexcept;

  /// 0 unless one is live and not ending yet.
  std::uint64_t live_generation() const noexcept;
  /// The one that has begun last, and whether it has not been finalized.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }
  runtime_phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  std::function<void(std::string_view, std::exception_ptr)> on_thread_failure();
  /// Why something cannot begin now.
  std::error_code refusal() const noexcept;

  /// Rung when the phase is another, and for who waits for a module's state.
  bell& changed() noexcept { return changed_; }

  callback_list& at_exit() noexcept { return at_exit_; }
  callback_list& finalizers() noexcept { return finalizers_; }
  state_list& states() noexcept { return states_; }
  operation_list& operations() noexcept { return operations_; }
  /// Whether the last finalization left something behind that was to be waited for.
  bool was_late() const noexcept { return was_late_.load(std::memory_order_relaxed); }
  /// Threads on which functions of the program did not return, since the process began.
  std::size_t lost_hands() const noexcept { return lost_hands_.load(std::memory_order_relaxed); }
  void note_leaked(std::size_t objects) noexcept { leaked_.fetch_add(objects, std::memory_order_relaxed); }

  void before_fork() noexcept;
  void in_parent() noexcept;
  void in_child() noexcept;

private:
  friend class finalization;
  bool begin_finalization(std::uint64_t generation, deadline until) noexcept;
  void enter(runtime_phase next) noexcept;

  std::mutex lock_;
  // Written with the lock held; release pairs with the acquires above.
  std::atomic<runtime_phase> phase_{runtime_phase::none};
  std::atomic<std::uint64_t> generation_{0};
  runtime_options options_{};
  std::optional<stop_source> stop_{}; ///< as `over_`, from the first runtime on: to have one takes memory
  std::optional<stop_source> for_child_{}; ///< the stop's in a forked child
  std::optional<stop_source> over_{};      ///< has fired: for tokens of runtimes that are over
  finalization_report blank_report_{};     ///< with memory for its steps
  std::unique_ptr<errand> errand_{};       ///< there before it is needed; the finalizing thread's
  std::unique_ptr<told_report> told_{};    ///< the same
  std::atomic<bool> token_taken_{false};   ///< somebody may have to be told of the stop
  std::unique_ptr<crew> hands_{};          ///< on which registered functions run; the finalizing thread's

  std::atomic<pid_t> finalizing_{0};               ///< the thread that does it
  std::atomic<std::int64_t> hurried_{0};           ///< the deadline of `hurry`, ns on the clock; 0: none
  std::atomic<const errand*> hand_exits_{nullptr}; ///< the hand at work on it has called `exit`
  std::atomic<std::size_t> leaked_{0};             ///< by destructors, for the next report
  std::atomic<std::size_t> lost_hands_{0};
  std::atomic<bool> was_late_{false};
  bell changed_; ///< hurried, a hand is idle, the phase is another

  callback_list at_exit_;
  callback_list finalizers_;
  state_list states_;
  operation_list operations_;
};

runtime_core& the_core() noexcept;

} // namespace lastcall::detail
