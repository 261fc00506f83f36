// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

namespace lastcall::sys {

/// Throws std::system_error for `error` (an errno, positive) whose text names the call and what it was
/// made for: "eventfd (the herald's wake-up): Too many open files".
[[noreturn]] void throw_failure(call which, int error, const char* purpose);

} // namespace lastcall::sys
