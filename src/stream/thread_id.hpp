// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>

namespace lastcall::detail {

[[gnu::tls_model("initial-exec")]] extern thread_local constinit std::uint32_t known_thread_id;

std::uint32_t find_thread_id() noexcept;

/// The kernel's id of the calling thread, without asking the kernel each time. It fits into 30 bits.
/// Async-signal-safe after the thread's first call; a forked child asks anew.
inline std::uint32_t this_thread_id() noexcept {
  const std::uint32_t known = known_thread_id;
  return known != 0 ? known : find_thread_id();
}

} // namespace lastcall::detail
