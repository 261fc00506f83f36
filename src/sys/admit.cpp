// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/admit.hpp"

namespace lastcall::sys {

// Nothing else may be defined in this file: see the header.
int admit(call) noexcept { return 0; }

} // namespace lastcall::sys
