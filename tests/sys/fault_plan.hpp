// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

/// The link-time twin of `sys::admit`: a test executable that contains fault_plan.cpp has this one instead
/// of the library's, and can make the N-th system call of a thread fail.
namespace fault_plan {

/// From now on the `nth` call (1 is the next) of this thread fails with `error`; others pass.
/// `before` is called first, in the middle of what the thread is doing.
void fail_nth(int nth, int error, void (*before)() = nullptr) noexcept;
/// No call fails any more. True when the plan's call had come; `failed` says which it was.
bool disarm() noexcept;
lastcall::sys::call failed() noexcept;

} // namespace fault_plan
