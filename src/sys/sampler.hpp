// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/thread_sampler.hpp"

#include <cstdint>

namespace lastcall::sys {

/// What the sampler is given by who makes it.
struct sampler_control {
  std::uint32_t go = 0;    // set when the sampler may be expected to be allowed to trace
  std::uint32_t alive = 0; // its id, cleared by the kernel when it no longer uses this memory
  std::int64_t until = 0;  // monotonic
  sampling* what = nullptr;
};

/// The sampler's life, from a `sampler_control` to its exit status.
int run_sampler(void* control) noexcept;

} // namespace lastcall::sys
