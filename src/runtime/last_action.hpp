// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

/// Arms the end by `signal` for the moment when the process exits with 128 + `signal`. Another status given
/// to `exit`, or returned by `main`, disarms it: the program has changed its mind. 0 disarms.
void arm_last_action(int signal) noexcept;

/// A process that would exit with 0 exits with `status` instead, once all is destroyed.
void arm_last_status(int status) noexcept;

/// Ends the process at once, by `signal` where it is not 0, else with `status`: standard output is flushed,
/// nothing is destroyed.
[[noreturn]] void leave_now(int status, int signal) noexcept;

} // namespace lastcall::detail
