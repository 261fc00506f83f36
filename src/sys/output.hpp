// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstddef>

#include <sys/types.h>

/// Writing to a descriptor that somebody else may keep from taking anything. As in calls.hpp: the kernel's
/// result or minus an errno, nothing is tried again, all of it async-signal-safe.
namespace lastcall::sys {

/// 1 when a write to `fd` would not block now or would fail at once, 0 when `timeout_ms` has passed.
int poll_writable(int fd, int timeout_ms) noexcept;
ssize_t write(int fd, const void* from, std::size_t size) noexcept;

} // namespace lastcall::sys
