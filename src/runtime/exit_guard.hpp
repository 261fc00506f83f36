// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

namespace lastcall::detail {

/// From now on the process has `span` to end. When it has passed, a sentence on standard error says so, with
/// where this thread is, and the process ends with status 75, or with 74 where output was lost. What a
/// destructor of a static does that hangs (joins a daemon, takes a lock of a thread that is gone) costs that
/// much and no more.
///
/// On a thread that hears no signal. Where none can be had, by SIGALRM's default action, without a sentence.
/// Once in a process; a second call is ignored.
void arm_exit_guard(duration span) noexcept;

} // namespace lastcall::detail
