// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>
#include <lastcall/task/cancelled.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {
/// Whether the exception being handled is a `cancelled`. Inside a `catch` only; looks at its type without
/// throwing it once more, which would double what a cancellation costs.
bool handling_cancelled() noexcept;

struct nothing {};
} // namespace detail

/// How something ended: with a value, by being cancelled, or with another error. What `settled` gives, for
/// code that would rather look at an end than catch it.
///
///     auto page = co_await settled(fetch(url));
///     if (page.was_cancelled()) co_return;
///     if (!page) log(page.error());
///     else show(*page);
template <class T>
class [[nodiscard]] task_end {
  using stored = std::conditional_t<std::is_void_v<T>, detail::nothing, T>;

public:
  task_end() = default; ///< nothing yet: neither a value nor an error

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] bool was_cancelled() const noexcept { return cancelled_; }
  /// True for an error that is no cancellation.
  [[nodiscard]] bool failed() const noexcept { return error_ != nullptr && !cancelled_; }
  /// Whatever was thrown, a `cancelled` included; null with a value.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

  /// Only where there is a value.
  stored& operator*() & noexcept { return here(); }
  stored&& operator*() && noexcept { return std::move(here()); }
  stored* operator->() noexcept { return &here(); }

  /// The value, or throws what was thrown.
  T take() && {
    if (error_ != nullptr) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<T>) return std::move(here());
  }

  // For those who make one.
  template <class... Args>
  void set_value(Args&&... args) {
    value_.emplace(std::forward<Args>(args)...);
  }
  /// Inside a `catch`.
  void set_exception() noexcept {
    cancelled_ = detail::handling_cancelled();
    error_ = std::current_exception();
  }

private:
  stored& here() noexcept {
    LASTCALL_ASSERT(value_.has_value(),
                    "a task_end without a value is asked for it; look at has_value() first");
    return *value_;
  }

  std::optional<stored> value_{};
  std::exception_ptr error_{};
  bool cancelled_ = false;
};

} // namespace lastcall
