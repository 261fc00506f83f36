// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>
#include <lastcall/task/activity.hpp>
#include <lastcall/task/task_end.hpp>

#include <coroutine>
#include <functional>
#include <type_traits>
#include <utility>

namespace lastcall {

template <class T = void>
class task;

namespace detail {

class task_promise_base {
public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  struct hand_back {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      activity::must_be_in_one().go_on_with(ended.promise().continuation_);
    }
    void await_resume() const noexcept {}
  };
  hand_back final_suspend() const noexcept { return {}; }
  void continue_with(std::coroutine_handle<> next) noexcept { continuation_ = next; }

private:
  std::coroutine_handle<> continuation_{};
};

template <class T>
class task_promise : public task_promise_base {
public:
  lastcall::task<T> get_return_object() noexcept;
  void unhandled_exception() noexcept { ended.set_exception(); }
  template <class U>
  requires std::constructible_from<T, U>
  void return_value(U&& value) { ended.set_value(std::forward<U>(value)); }
  task_end<T> ended;
};

template <>
class task_promise<void> : public task_promise_base {
public:
  lastcall::task<void> get_return_object() noexcept;
  void unhandled_exception() noexcept { ended.set_exception(); }
  void return_void() { ended.set_value(); }
  task_end<void> ended;
};

template <class T>
class task_awaiter {
public:
  explicit task_awaiter(std::coroutine_handle<task_promise<T>> of) noexcept : of_{of} {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) const noexcept {
    of_.promise().continue_with(awaiting);
    activity::must_be_in_one().go_on_with(of_);
  }
  T await_resume() const { return std::move(of_.promise().ended).take(); }

protected:
  std::coroutine_handle<task_promise<T>> of_;
};

} // namespace detail

/// A coroutine of ours: runs when it is awaited, in the activity of whoever awaits it, and gives its value or
/// its exception back.
///
///     lastcall::task<std::string> greet(asio::ip::tcp::socket& peer) {
///       co_await lastcall::sleep_for(10ms);
///       co_return co_await read_line(peer);
///     }
///
/// To have several run at once, start them in a `nursery`; a loop runs the first: `loop::run`, `run_async`.
///
/// A task that nobody awaits never runs. One that has begun is never destroyed before it has ended: who
/// awaits it is there until then, and what a loop cannot bring to its end is left where it is, on purpose,
/// and counted.
///
/// Stop: cancellation is delivered where it waits, as `cancelled`.
/// Errors: awaiting one twice, or one that was moved from, is misuse and aborts.
/// Lifetime: parameters taken by value live in the coroutine; what a *lambda* captured does not: it lies in
///   the lambda, which has to outlive the task. Give the lambda itself to `nursery::start`, `move_on_after`
///   and the others, which keep it.
template <class T>
class [[nodiscard]] task {
public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}
  task(task&& other) noexcept : frame_{std::exchange(other.frame_, {})}, begun_{other.begun_} {}
  task& operator=(task&& other) noexcept {
    std::swap(frame_, other.frame_);
    std::swap(begun_, other.begun_);
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }

  /// Runs it to its end and gives its value.
  detail::task_awaiter<T> operator co_await() && noexcept { return detail::task_awaiter<T>{begin()}; }

  /// For `settled`: the frame, once.
  std::coroutine_handle<promise_type> begin() noexcept {
    LASTCALL_ASSERT(frame_ && !std::exchange(begun_, true), "a task is awaited twice, or was moved from");
    return frame_;
  }

private:
  std::coroutine_handle<promise_type> frame_;
  bool begun_ = false;
};

namespace detail {

template <class T>
lastcall::task<T> task_promise<T>::get_return_object() noexcept {
  return lastcall::task<T>{std::coroutine_handle<task_promise<T>>::from_promise(*this)};
}
inline lastcall::task<void> task_promise<void>::get_return_object() noexcept {
  return lastcall::task<void>{std::coroutine_handle<task_promise<void>>::from_promise(*this)};
}

template <class T>
struct task_value {};
template <class T>
struct task_value<lastcall::task<T>> {
  using type = T;
};

/// The task that `fn(args…)` makes gives one of these.
template <class Fn, class... Args>
using made_by = typename task_value<std::invoke_result_t<Fn, Args...>>::type;

template <class T>
class settled_awaiter : public task_awaiter<T> {
public:
  explicit settled_awaiter(lastcall::task<T>&& of) noexcept
      : task_awaiter<T>{of.begin()}, kept_{std::move(of)} {}
  task_end<T> await_resume() { return std::move(this->of_.promise().ended); }

private:
  lastcall::task<T> kept_;
};

template <class T>
lastcall::task<T> fail_with(std::exception_ptr error) {
  std::rethrow_exception(std::move(error));
  co_return co_await lastcall::task<T>{nullptr}; // never reached: it makes this a coroutine for any T
}

/// What `fn` makes, also where it throws instead of making a task.
template <class Fn, class... Args>
lastcall::task<made_by<Fn&, Args...>> call(Fn& fn, Args&&... args) {
  try {
    return std::invoke(fn, std::forward<Args>(args)...);
  } catch (...) {
    return fail_with<made_by<Fn&, Args...>>(std::current_exception());
  }
}

} // namespace detail

/// A function that makes a task.
template <class Fn, class... Args>
concept makes_task = requires {
  typename detail::made_by<Fn, Args...>;
};

/// Awaits `of` and gives how it ended instead of throwing: see `task_end`. A cancellation is seen here, not
/// swallowed: the next suspension delivers it again, unless it was of a scope inside `of`.
template <class T>
detail::settled_awaiter<T> settled(task<T> of) noexcept {
  return detail::settled_awaiter<T>{std::move(of)};
}

} // namespace lastcall
