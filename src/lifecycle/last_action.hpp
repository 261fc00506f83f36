// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/exit_status.hpp>

namespace lastcall::detail {

/// Arms the end by `signal` for the moment when the process exits with 128 + `signal`. Another status given
/// to `exit`, or returned by `main`, disarms it: the program has changed its mind. 0 disarms.
void arm_last_action(int signal) noexcept;

/// Ends the process so, at once: standard output is flushed, nothing is destroyed.
[[noreturn]] void leave_now(const ending& end) noexcept;

} // namespace lastcall::detail
