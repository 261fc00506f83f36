// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stacks/stacks.hpp>

#include <atomic>
#include <span>
#include <vector>

namespace lastcall::stacks {

/// Fills in `frames` and `missing` of each until the deadline, on a thread of its own that is left behind
/// then. Throws std::bad_alloc.
void look_at(std::span<thread_stack> threads, deadline until);

/// For tests: see sys::sampling.
extern std::atomic<void (*)()> in_the_middle;

} // namespace lastcall::stacks
