// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/run.hpp>
#include <lastcall/task/loop.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace lastcall {

struct async_options {
  run_options run{}; ///< signals, ladder, exit statuses
  loop_options loop{.name = "main"};
};

namespace detail {
int run_async(const async_options& options, const std::function<std::optional<int>(loop&)>& main);
} // namespace detail

/// Runs a program that is one coroutine, and returns its exit status.
///
///     int main() {
///       return lastcall::run_async([](lastcall::loop& loop) -> lastcall::task<> {
///         asio::ip::tcp::acceptor door{loop.context(), {asio::ip::tcp::v4(), 8080}};
///         co_await lastcall::finally([&] { return serve(door); }, [&] { return say_goodbye(); }, 5s);
///       });
///     }
///
/// `main` makes a task, of nothing or of the exit status; it may take the loop. A request (SIGINT, SIGTERM)
/// reaches it at its next suspension as `cancelled`, which may leave it: that is a clean stop. Another
/// exception is told on standard error and is a failure, and so is one that nobody took (`loop_exception`). A
/// coroutine that does not end in time is a passed deadline. The exit statuses are those of `lastcall::run`.
///
/// Stop: the first request cancels, the second leaves shields and finalizers two more seconds, the third ends
/// the
///   process by that signal.
template <class Fn>
requires makes_task<Fn&> || makes_task<Fn&, loop&>
int run_async(Fn main, const async_options& options = {}) {
  return detail::run_async(options, [&](loop& in) -> std::optional<int> {
    const auto make = [&main, &in] {
      if constexpr (makes_task<Fn&, loop&>)
        return main(in);
      else
        return main();
    };
    if constexpr (std::is_void_v<detail::made_by<decltype(make)&>>) {
      in.run(make);
      return std::nullopt;
    } else {
      return in.run(make);
    }
  });
}

} // namespace lastcall
