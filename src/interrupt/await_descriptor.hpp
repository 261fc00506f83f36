// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

namespace lastcall::detail {

/// Waits, as an io:: call, until there is something to read at `fd`, or its end: true; false when the
/// deadline has passed. For modules that may not see poll's own types. Throws as io::poll does.
bool await_readable(int fd, deadline until);
/// The same, until a file of the kernel's has changed since it was last read here.
bool await_change(int fd, deadline until);

} // namespace lastcall::detail
