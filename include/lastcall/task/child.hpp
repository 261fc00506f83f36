// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>
#include <lastcall/task/task.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace lastcall::detail {

/// Who is told when a child has ended, frame and arguments included.
class child_owner {
public:
  virtual void child_over(task_end<void> how) noexcept = 0;

protected:
  ~child_owner() = default;
};

/// The outermost frame of an activity. It keeps the function and its arguments for as long as they are in
/// use, and its promise *is* the activity: one allocation for both.
class child {
public:
  class promise_type final : public activity {
  public:
    template <class... Ignored>
    promise_type(loop_core& loop, scope_node& in, child_owner& to, Ignored&...) noexcept
        : activity{loop, in}, to_{to} {}

    child get_return_object() noexcept { return child{handle()}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    struct at_end {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept { ended.promise().end(); }
      void await_resume() const noexcept {}
    };
    at_end final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { how_.set_exception(); }
    void return_value(task_end<void> how) noexcept { how_ = std::move(how); }

  private:
    std::coroutine_handle<promise_type> handle() noexcept {
      return std::coroutine_handle<promise_type>::from_promise(*this);
    }
    void finished() noexcept override {
      child_owner& to = to_;
      task_end<void> how = std::move(how_);
      handle().destroy(); // this too
      to.child_over(std::move(how));
    }

    child_owner& to_;
    task_end<void> how_;
  };

  /// It runs when the loop comes to it.
  void start() const noexcept { frame_.promise().stand_aside(frame_); }

private:
  explicit child(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}
  std::coroutine_handle<promise_type> frame_;
};

/// The frame of a child of `to` in the scope `in`. Throws what copying throws, and std::bad_alloc.
template <class Fn, class... Args>
child make_child(loop_core&, scope_node&, child_owner&, Fn fn, Args... args) {
  co_return co_await settled(call(fn, std::move(args)...));
}

} // namespace lastcall::detail
