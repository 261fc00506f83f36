// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/request.hpp>

#include <system_error>

namespace lastcall {

/// How a request is delivered: thrown by a checkpoint or an `io::` call of the owner thread.
///
/// It is deliberately not a std::exception: stopping is not a failure, and `catch (std::exception&)`
/// around a retry loop must not swallow it. Swallowed by `catch (...)`, it comes again at the next
/// checkpoint, until somebody acknowledges it.
class interrupted {
public:
  explicit interrupted(const request& why) noexcept : why_{why} {}
  /// The first request that is not acknowledged yet.
  const request& why() const noexcept { return why_; }

private:
  request why_;
};

/// What the error_code twins report instead of throwing. Compares equal to std::errc::interrupted.
enum class stop_errc {
  interrupted = 1 ///< a request is pending for this thread
};

const std::error_category& stop_category() noexcept;
std::error_code make_error_code(stop_errc what) noexcept;

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::stop_errc> : std::true_type {};
