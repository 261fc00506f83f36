// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>
#include <lastcall/task/cancelled.hpp>

#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

/// Asio's operations in our coroutines, under our cancel scopes.
namespace lastcall {

/// Completion tokens: they go where Asio's documentation has a handler.
///
///     const std::size_t n = co_await socket.async_read_some(buffer, lastcall::use_task);
///     const auto [error, m] = co_await socket.async_read_some(buffer, lastcall::use_task_code);
///
/// The first gives what the operation gives beside its error_code (or std::exception_ptr), alone or as a
/// tuple, and throws the error as std::system_error. The second throws nothing and gives everything.
///
/// Stop: a cancellation of the scope cancels the operation by its own slot (`asio::cancellation_type::all`),
/// and
///   waits until it has come back: its buffers are in use until then. An operation that was cut by it throws
///   `cancelled`, with `use_task_code` it gives asio::error::operation_aborted. One that succeeded all the
///   same gives its result, and the next suspension delivers. One that knows no cancellation comes back when
///   it does. What a composed operation (asio::async_read) had transferred when it was cut, only
///   `use_task_code` tells.
/// Errors: what starting the operation throws.
/// Limits: an object of another io_context must be one that may be cancelled from this thread.
struct use_task_t {};
inline constexpr use_task_t use_task{};
struct use_task_code_t {};
inline constexpr use_task_code_t use_task_code{};

namespace detail {

asio::io_context& context_of(const activity& who) noexcept;

/// The part of an operation that does not depend on what it gives.
class asio_wait : private waiting {
protected:
  asio_wait() = default;
  ~asio_wait() = default;
  /// False where a cancellation is due already: nothing is started.
  bool begin(std::coroutine_handle<> frame) noexcept;
  void never_began() noexcept { who_->wait_no_more(); }
  void come_back() noexcept { who_->wake(); }
  [[nodiscard]] bool was_cut() const noexcept { return cut_.has_value(); }
  [[noreturn]] void throw_cut() const { throw cancelled{*cut_}; }

  activity* who_ = nullptr;
  asio::cancellation_signal signal_{};

private:
  void abort() noexcept override;
  std::optional<cancellation> cut_{};
};

/// What a completion signature gives beside its error.
template <class... Args>
struct completion {
  using error = void;
  using rest = std::tuple<std::decay_t<Args>...>;
};
template <class... Args>
struct completion<std::error_code, Args...> {
  using error = std::error_code;
  using rest = std::tuple<std::decay_t<Args>...>;
};
template <class... Args>
struct completion<std::exception_ptr, Args...> {
  using error = std::exception_ptr;
  using rest = std::tuple<std::decay_t<Args>...>;
};

inline void throw_error(std::error_code error) {
  if (error) throw std::system_error{error};
}
inline void throw_error(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

/// One operation: awaited once, in the frame that waits. Nothing is started before.
template <class Token, class Initiation, class Inputs, class... Args>
class asio_operation : private asio_wait {
  using parts = completion<std::decay_t<Args>...>;
  static constexpr bool has_error = !std::is_void_v<typename parts::error>;
  using all = std::tuple<std::decay_t<Args>...>;

public:
  template <class... In>
  explicit asio_operation(Initiation&& begin_it, In&&... in)
      : initiation_{std::move(begin_it)}, inputs_{std::forward<In>(in)...} {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> frame) {
    if (!begin(frame)) return false;
    try {
      std::apply([this](auto&&... in) { std::move(initiation_)(handler{this}, std::move(in)...); },
                 std::move(inputs_));
    } catch (...) {
      never_began();
      throw;
    }
    return true;
  }
  auto await_resume() {
    if constexpr (std::is_same_v<Token, use_task_code_t>)
      return everything();
    else
      return values();
  }

private:
  /// What Asio calls when it is over: on the loop's context, hence on its thread.
  struct handler {
    asio_operation* to;
    using executor_type = asio::io_context::executor_type;
    using cancellation_slot_type = asio::cancellation_slot;
    executor_type get_executor() const noexcept { return context_of(*to->who_).get_executor(); }
    cancellation_slot_type get_cancellation_slot() const noexcept { return to->signal_.slot(); }
    void operator()(Args... args) const {
      to->given_.emplace(std::move(args)...);
      to->come_back();
    }
  };

  auto everything() {
    if (!given_) { // not started, since it was cancelled before: the same as one that was cut at once
      if constexpr (std::is_same_v<typename parts::error, std::error_code> &&
                    std::is_default_constructible_v<all>) {
        given_.emplace();
        std::get<0>(*given_) = asio::error::operation_aborted;
      } else {
        throw_cut(); // there is nothing to say it with
      }
    }
    if constexpr (std::tuple_size_v<all> == 1)
      return std::get<0>(std::move(*given_));
    else
      return std::move(*given_);
  }
  auto values() {
    if (!given_) throw_cut();
    if constexpr (has_error) {
      if (was_cut() && is_abort(std::get<0>(*given_))) throw_cut();
      throw_error(std::get<0>(*given_));
    }
    return rest(std::make_index_sequence<std::tuple_size_v<typename parts::rest>>{});
  }
  template <std::size_t... I>
  auto rest(std::index_sequence<I...>) {
    constexpr std::size_t skip = has_error ? 1 : 0;
    if constexpr (sizeof...(I) == 0)
      return;
    else if constexpr (sizeof...(I) == 1)
      return std::get<skip>(std::move(*given_));
    else
      return typename parts::rest{std::get<I + skip>(std::move(*given_))...};
  }
  static bool is_abort(const std::error_code& error) noexcept {
    return error == asio::error::operation_aborted;
  }
  static bool is_abort(const std::exception_ptr& error) noexcept { return error != nullptr; }

  Initiation initiation_;
  Inputs inputs_;
  std::optional<all> given_{};
};

template <class Token, class... Args>
struct asio_result {
  template <class Initiation, class Given, class... In>
  static auto initiate(Initiation&& initiation, Given&&, In&&... in) {
    return asio_operation<Token, std::decay_t<Initiation>, std::tuple<std::decay_t<In>...>, Args...>{
        std::decay_t<Initiation>(std::forward<Initiation>(initiation)), std::forward<In>(in)...};
  }
};

} // namespace detail
} // namespace lastcall

template <class R, class... Args>
class asio::async_result<lastcall::use_task_t, R(Args...)>
    : public lastcall::detail::asio_result<lastcall::use_task_t, Args...> {};

template <class R, class... Args>
class asio::async_result<lastcall::use_task_code_t, R(Args...)>
    : public lastcall::detail::asio_result<lastcall::use_task_code_t, Args...> {};
