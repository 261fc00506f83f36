// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>

namespace lastcall::detail {

/// The log writer's last words, one packet on its lifeline.
struct log_tally {
  std::uint64_t taken = 0, written = 0, lost = 0;
  std::int32_t error = 0; ///< an errno
  std::uint32_t torn = 0;
};

} // namespace lastcall::detail
