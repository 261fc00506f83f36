// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/scope_node.hpp>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace lastcall::detail {

/// What an activity waits for. It lies in the awaiter, hence in the frame that waits.
class waiting {
public:
  /// The activity is to come back because of a cancellation: calls its `wake`, now or when it can. Called at
  /// most once for each wait.
  virtual void abort() noexcept = 0;

protected:
  waiting() = default;
  waiting(const waiting&) = default;
  waiting& operator=(const waiting&) = default;
  ~waiting() = default;
};

/// A stack of coroutine frames that runs as one thing: the main task, a child of a nursery.
///
/// In it one frame at a time can be resumed: the innermost. A frame that awaits a task does not resume it
/// from inside its own `await_suspend`; it names it as the next one and returns to `run`, which goes on with
/// that: however many tasks end without ever waiting, the thread's stack does not grow, also in builds
/// without tail calls (GCC makes them with optimization only, and the sanitizers' builds have none).
///
///     running    `run` is under way
///     waiting    `at_` is set; `abort` or whatever it waits for calls `wake`
///     ready      in the loop's queue, from `wake` to `run`
///     over       its outermost frame has ended; `run` hands it to `finished` and does not come back
///
/// A frame that has begun is never destroyed before it has ended, so nothing that is under way (an operation
/// of Asio's that reads into a buffer of the frame) finds its memory gone.
/// Threads: the loop's alone.
class activity : public member {
public:
  activity(loop_core& loop, scope_node& in) noexcept;
  activity(const activity&) = delete;
  activity& operator=(const activity&) = delete;

  /// The one that runs on this thread; null outside of a loop. With `must_`: misuse where there is none.
  static activity* current() noexcept;
  static activity& must_be_in_one() noexcept;

  [[nodiscard]] loop_core& its_loop() const noexcept { return loop_; }
  [[nodiscard]] scope_node& scope() const noexcept { return *scope_; }
  void scope(scope_node& now) noexcept { scope_ = &now; }
  /// The cancellation that its next suspension delivers, if any.
  [[nodiscard]] const cancellation* due() const noexcept { return scope_->due(); }

  /// From an awaiter: `next` runs when the frame that runs has returned.
  void go_on_with(std::coroutine_handle<> next) noexcept { next_ = next; }
  /// From an awaiter: `frame` waits for `what`.
  void wait(std::coroutine_handle<> frame, waiting& what) noexcept {
    leaf_ = frame;
    at_ = &what;
    aborted_ = false;
  }
  /// From an awaiter: others first.
  void stand_aside(std::coroutine_handle<> frame) noexcept {
    leaf_ = frame;
    wake();
  }
  /// An awaiter that could not begin to wait after all.
  void wait_no_more() noexcept { at_ = nullptr; }

  /// What it waited for is there. Whoever was faster counts; a second call does nothing.
  void wake() noexcept;
  /// Asks it to come back if it waits: its scope has become due.
  void deliver() noexcept;
  /// Runs until it waits, stands aside or is over.
  void run() noexcept;

  activity* queued_next = nullptr; ///< the loop's, while it is ready

protected:
  ~activity() = default;
  /// The outermost frame is at its end and may be destroyed, which destroys this.
  virtual void finished() noexcept = 0;
  void end() noexcept { over_ = true; }

private:
  loop_core& loop_;
  scope_node* scope_;
  std::coroutine_handle<> next_{};
  std::coroutine_handle<> leaf_{};
  waiting* at_ = nullptr;
  bool aborted_ = false;
  bool ready_ = false;
  bool over_ = false;
};

} // namespace lastcall::detail
