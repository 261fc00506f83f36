// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/scope_node.hpp>
#include <lastcall/task/timer.hpp>

#include "sys/calls.hpp"
#include "task/mailbox.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lastcall::detail {

class loop_call;

/// Whoever wants to know that this thread's word has something for it.
class word_listener {
public:
  virtual void hear() noexcept = 0;

protected:
  ~word_listener() = default;
};

/// The inside of a loop: who is ready, what is to happen when, and Asio's io_context for everything else.
///
/// A step does what can be done without waiting, in this order: whoever is ready, round by round; timers that
/// are due; what Asio has ready. When a step finds nothing, the loop sleeps inside Asio until something comes
/// from there; the earliest timer is an Asio timer for that time. (Asio's own `run_one_for` wakes up once a
/// second.) Everything that is not a wait is by the library's clock, so that a test can move the time.
///
/// The end: no calls from outside are taken any more, all that runs is cancelled and run to its end, up to a
/// deadline. What is left then is never destroyed: an operation may write into its frames. The loop's owner
/// keeps this object alive for it, which `runtime/in_flight` counts.
///
/// Threads: the loop's own, but for `box` and `wait_for_end`.
class loop_core : public std::enable_shared_from_this<loop_core> {
public:
  explicit loop_core(const loop_options& options);
  ~loop_core();

  asio::io_context& io() noexcept { return io_; }
  timer_heap& timers() noexcept { return timers_; }
  scope_node& root() noexcept { return root_; }
  scope_node& main_scope() noexcept { return main_; }
  const std::shared_ptr<mailbox>& box() const noexcept { return box_; }
  std::string_view name() const noexcept { return name_; }

  // --- from activities ---
  void ready(activity& one) noexcept;
  void begun() noexcept { ++activities_; }
  void ended() noexcept { --activities_; }
  std::size_t activities() const noexcept { return activities_; }
  /// Calls of other threads that run, to be told if they are left.
  void add(loop_call& one) noexcept;
  void remove(loop_call& one) noexcept;

  // --- driving it ---
  /// Takes the loop for its one run. Throws where it had one.
  void begin();
  bool step() noexcept;
  /// Until a timer is due, or something comes from outside.
  void wait() noexcept;
  bool ready_now() const noexcept { return first_ready_ != nullptr; }
  std::optional<time_point> next_due() const noexcept { return timers_.next(); }
  /// Cancels all and runs it to its end. False where something is left.
  bool end(deadline until) noexcept;
  bool is_over() const noexcept { return state_ == state::over; }
  bool runs() const noexcept { return state_ == state::running; }
  /// On any thread: whether all has ended, waiting for it. Not where the loop's own thread finalizes the
  /// runtime, as by an `exit` inside a coroutine: it does not come back to the loop.
  bool wait_for_end(deadline until) noexcept;
  void hurry(deadline until) noexcept;
  void add_outside() noexcept { ++outside_; }
  void remove_outside() noexcept { --outside_; }
  std::size_t outside() const noexcept { return outside_; }

  void listener(word_listener* one) noexcept { listener_ = one; }
  /// What `acknowledge_request` does beside the main scope.
  void on_acknowledge(std::function<void()> fn) { acknowledge_ = std::move(fn); }
  void acknowledge() {
    main_.acknowledge();
    if (acknowledge_) acknowledge_();
  }

  void on_exception(loop_exception_handler handler) noexcept { handler_ = std::move(handler); }
  /// Inside a `catch`.
  void unhandled(std::string_view where) noexcept;
  std::size_t unhandled_count() const noexcept { return unhandled_; }

private:
  enum class state : std::uint8_t { fresh, running, over };

  void hear() noexcept;
  bool run_ready() noexcept;
  bool poll_io(bool wait) noexcept;
  void set_alarm();
  void note_left() noexcept;

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer alarm_{io_};
  std::optional<time_point> alarm_at_{}; ///< by the library's clock
  const std::string name_;
  timer_heap timers_;
  activity* first_ready_ = nullptr;
  activity* last_ready_ = nullptr;
  std::size_t activities_ = 0;
  std::size_t outside_ = 0; ///< jobs elsewhere that will come back through the box
  loop_call* calls_ = nullptr;
  scope_node root_;
  scope_node main_;
  std::shared_ptr<mailbox> box_;
  loop_exception_handler handler_;
  std::function<void()> acknowledge_;
  word_listener* listener_ = nullptr;
  std::size_t unhandled_ = 0;
  state state_ = state::fresh;
  bool told_late_ = false;
  pid_t thread_ = 0; ///< that drives it; from `begin` on
  /// What others may have to wait for. Release by `begin` and `end` pairs with acquire in wait_for_end.
  enum progress : std::uint32_t { not_begun, under_way, all_ended, some_left };
  std::atomic<std::uint32_t> progress_{not_begun};
};

} // namespace lastcall::detail
