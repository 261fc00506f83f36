// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

/// A descriptor that is readable when somebody has raised it: an eventfd, close-on-exec and non-blocking. As
/// in calls.hpp: results are not negative, or minus an errno, and all of it is async-signal-safe.
namespace lastcall::sys {

/// A new one, not raised.
int make_event_descriptor() noexcept;
/// One write. -EAGAIN when it is raised as often as it can be: it is readable all the same.
int raise_event(int fd) noexcept;
/// Makes it unreadable again; -EAGAIN when it was.
int lower_event(int fd) noexcept;
int close_event_descriptor(int fd) noexcept;

} // namespace lastcall::sys
