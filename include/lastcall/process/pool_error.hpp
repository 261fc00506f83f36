// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace lastcall {

/// Why a pool of workers, or one of its calls, failed.
enum class pool_errc {
  stopped_while_waiting = 1, ///< the pool was stopped before the call had its result
  stopped,                   ///< it had been stopped before the call was made
  deadline,                  ///< the call's deadline has passed
  worker_ended,              ///< its worker ended in the middle of it: `pool_error::end` says how
  call_failed,               ///< the method threw: the text is the exception's
  start_failed,              ///< a worker did not come up
  broken,                    ///< workers end faster than they may be replaced
  full                       ///< the queue is, and the caller would not wait
};
const std::error_category& pool_category() noexcept;
std::error_code make_error_code(pool_errc what) noexcept;

/// What a pool and its replies throw.
///
/// `what()` is for people and complete: "worker 2 (pid 4711) killed by SIGSEGV during a call".
class pool_error : public std::runtime_error {
public:
  pool_error(pool_errc code, const std::string& text, std::optional<process_end> end = {})
      : std::runtime_error{text}, code_{code}, end_{end} {}
  std::error_code code() const noexcept { return make_error_code(code_); }
  /// How the worker ended, where that was the cause.
  const std::optional<process_end>& end() const noexcept { return end_; }

private:
  pool_errc code_;
  std::optional<process_end> end_;
};

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::pool_errc> : std::true_type {};
