// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// Memory that runs out: a test executable that contains scarce_memory.cpp has its `operator new`, which
/// refuses when told to. For all threads.
namespace scarce_memory {

/// From now on this many requests are granted, and those after them refused.
void allow(long requests) noexcept;
/// Everything is granted again. How many of the allowed ones were not used; not positive: memory ran out.
long refill() noexcept;

} // namespace scarce_memory
