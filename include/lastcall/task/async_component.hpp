// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/context.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/loop_call.hpp>

#include <concepts>
#include <optional>
#include <utility>

namespace lastcall {

/// A loop as a component of an application: it runs on a thread of its own from start to stop.
///
///     lastcall::application app{"shop"};
///     auto loop = app.add<lastcall::loop_thread>("loop");
///     auto feed = app.add<lastcall::in_loop<price_feed>>("feed", *loop, "prices.example").after(loop);
///
/// What runs in it when it stops is cancelled, and waited for until the stop's deadline.
/// Threads: `handle()` from any. `get()` is for those that run in it, and for nobody else while it runs.
class loop_thread {
public:
  explicit loop_thread(loop_options options = {.name = "loop"});
  void start();
  void stop(context& at);

  [[nodiscard]] loop& get() noexcept { return loop_; }
  [[nodiscard]] loop_handle handle() const noexcept { return loop_.handle(); }

private:
  loop loop_;
  async_event over_;
  thread thread_;
};

namespace detail {
template <class T>
concept starts_async = requires(T& it) {
  { it.start() } -> std::same_as<lastcall::task<>>;
}
|| requires(T& it, context& at) {
  { it.start(at) } -> std::same_as<lastcall::task<>>;
};
template <class T>
concept stops_async = requires(T& it) {
  { it.stop() } -> std::same_as<lastcall::task<>>;
}
|| requires(T& it, context& at) {
  { it.stop(at) } -> std::same_as<lastcall::task<>>;
};
[[noreturn]] void throw_stop_was_cut();
} // namespace detail

/// A thing whose start and stop are coroutines.
template <class T>
concept async_component = detail::starts_async<T> && detail::stops_async<T>;

/// A component whose start and stop run in a loop. The application knows it as one like any other, orders it,
/// gives it a deadline and reports on it: asynchronous and ordinary components stand beside each other.
///
/// Neither is cut by a request. Past its deadline, or when it has to hurry, a stop is cancelled where it
/// waits, so that it can come to its end; one that does not is abandoned, as any other. Lifetime: the
/// constructor of `T` runs before the loop does, its destructor after.
template <async_component T>
class in_loop {
public:
  /// `T` is made of the loop, if it takes one (for a nursery of its own), and `args`.
  template <class... Args>
  requires std::constructible_from<T, loop&, Args...> || std::constructible_from<T, Args...>
  explicit in_loop(loop_thread& on, Args&&... args)
      : on_{on.handle()}, object_(make(on.get(), std::forward<Args>(args)...)) {}

  void start(context& at) {
    call_in(on_, [&]() -> task<> {
      if constexpr (requires { object_.start(at); })
        co_await object_.start(at);
      else
        co_await object_.start();
    });
  }
  void stop(context& at) {
    try {
      call_in(
          on_,
          [&]() -> task<> {
            if constexpr (requires { object_.stop(at); })
              co_await object_.stop(at);
            else
              co_await object_.stop();
          },
          at.token());
    } catch (const cancelled&) {
      detail::throw_stop_was_cut();
    }
  }

  /// For those that run in the loop.
  T& operator*() noexcept { return object_; }
  T* operator->() noexcept { return &object_; }

private:
  template <class... Args>
  static T make(loop& in, Args&&... args) {
    if constexpr (std::constructible_from<T, loop&, Args...>)
      return T(in, std::forward<Args>(args)...);
    else
      return T(std::forward<Args>(args)...);
  }

  loop_handle on_;
  T object_;
};

} // namespace lastcall
