// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/admit.hpp"

#include <cerrno>

namespace lastcall::sys {

// The twin of the library's: a kernel without membarrier.
int admit(call which) noexcept { return which == call::membarrier ? ENOSYS : 0; }

} // namespace lastcall::sys
