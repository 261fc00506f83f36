// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

/// A barrier in every thread of this process, made by the kernel. As in calls.hpp: results are not negative,
/// or minus an errno, and all of it is async-signal-safe.
namespace lastcall::sys {

/// Before the first `memory_barrier`. Twice is harmless; a forked child inherits it.
int register_memory_barrier() noexcept;
/// When it returns, each thread of this process has passed a full barrier since the call. -EPERM without
/// the registration.
int memory_barrier() noexcept;

} // namespace lastcall::sys
