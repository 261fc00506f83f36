// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <system_error>

namespace lastcall {

/// What the runtime refuses, and why. Thrown as std::system_error or reported as a code.
enum class runtime_errc {
  no_runtime = 1, ///< there is none: make a `runtime` first
  live,           ///< there is one already
  ending,         ///< it is ending: nothing new is begun, nothing is registered any more
  over,           ///< it has ended, and this belongs to it
  never_ends,     ///< a wait for a thread that is parked, or that can never be had otherwise
  forbidden       ///< the runtime was made so that it allows no daemons
};

const std::error_category& runtime_category() noexcept;
std::error_code make_error_code(runtime_errc what) noexcept;

/// What unwinds a daemon, or a thread that came too late, when it touches the runtime after its end.
///
/// It is thrown once in a thread, by a function documented as throwing, and takes the thread to its end
/// through the destructors of its frames; nobody reports it. It is deliberately not a std::exception. Who
/// swallows it is parked at the next touch: the thread never returns from there.
class runtime_ended {};

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::runtime_errc> : std::true_type {};
