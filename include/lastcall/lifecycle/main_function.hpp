// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <concepts>
#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {

template <class R>
concept status_or_void = std::is_void_v<R> || std::same_as<R, int>;

template <class Fn>
concept main_with_token =
    std::invocable<Fn&, std::stop_token> && status_or_void<std::invoke_result_t<Fn&, std::stop_token>>;
template <class Fn>
concept main_alone = std::invocable<Fn&> && status_or_void<std::invoke_result_t<Fn&>>;

/// The function with its differences gone. It borrows `fn`.
using any_main = std::function<int(std::stop_token)>;

} // namespace detail

/// What a program does between its start and its stop: a function with or without a `std::stop_token`, which
/// returns nothing, or the exit status of the program.
template <class Fn>
concept main_function = detail::main_with_token<Fn> || detail::main_alone<Fn>;

namespace detail {

template <main_function Fn>
any_main erase_main(Fn& fn) {
  return [&fn](std::stop_token stop) -> int {
    const auto call = [&]() -> decltype(auto) {
      if constexpr (main_with_token<Fn>)
        return std::invoke(fn, std::move(stop));
      else
        return std::invoke(fn);
    };
    if constexpr (std::is_void_v<std::invoke_result_t<decltype(call)&>>) {
      call();
      return 0;
    } else {
      return call();
    }
  };
}

} // namespace detail
} // namespace lastcall
