// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <exception>
#include <string>
#include <system_error>
#include <vector>

namespace lastcall {

/// What loops and nurseries refuse, and why. Thrown as std::system_error.
enum class task_errc {
  loop_over = 1,  ///< the loop ends, or has ended: it takes no calls any more
  loop_used,      ///< a loop runs once; make another one
  nursery_closed, ///< everybody in it has ended and it was left: nothing is started in it any more
  stuck           ///< nothing will ever happen that could wake the main task
};

const std::error_category& task_category() noexcept;
std::error_code make_error_code(task_errc what) noexcept;

/// Several errors at once: all that went wrong in a nursery, or a body's error and its finalizer's. Always
/// thrown as this, also when there is one: who handles one would else be wrong on the day when there are two.
///
///     try { co_await with_nursery(…); }
///     catch (const lastcall::failures& all) { for (const auto& each : all.each()) … }
class failures : public std::exception {
public:
  explicit failures(std::vector<std::exception_ptr> each, std::size_t unkept = 0);
  [[nodiscard]] const std::vector<std::exception_ptr>& each() const noexcept { return each_; }
  /// How many more there were for which there was no memory.
  [[nodiscard]] std::size_t unkept() const noexcept { return unkept_; }
  /// All of them in one line: "2 failures: no route to host; bad header".
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

private:
  std::vector<std::exception_ptr> each_;
  std::size_t unkept_;
  std::string text_;
};

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::task_errc> : std::true_type {};
