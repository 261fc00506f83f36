// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <string_view>

namespace lastcall::detail {

/// Writes what stdout and stderr still hold, waiting `patience` at most in all. False where something that
/// was accepted for one of them, now or earlier, did not reach its descriptor, or may not have.
///
/// Signals: not from a handler. Threads: any.
bool flush_standard_streams(duration patience) noexcept;

/// Writes `text` to standard error past stdio, as far as that can be done within `patience`.
void tell_standard_error(std::string_view text, duration patience) noexcept;

} // namespace lastcall::detail
