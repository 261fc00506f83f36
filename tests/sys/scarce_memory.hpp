// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <gtest/gtest.h>

/// Memory that runs out: a test executable that contains scarce_memory.cpp has its `operator new`, which
/// refuses when told to. For all threads.
namespace scarce_memory {

/// From now on this many requests are granted, and those after them refused.
void allow(long requests) noexcept;
/// Everything is granted again. How many of the allowed ones were not used; not positive: memory ran out.
long refill() noexcept;

/// Calls `run(n)` with n = 0, 1, 2, … until that returns that some requests were not used, which is to be so
/// before `far_too_many`; after each of the others, `next(n)`. Returns the last n. Ends with the first
/// failure.
template <class Run, class Next>
long until_there_is_enough(long far_too_many, Run run, Next next) {
  long few = 0;
  for (; run(few) <= 0 && few < far_too_many && !testing::Test::HasFailure(); ++few) next(few);
  EXPECT_LT(few, far_too_many);
  return few;
}

} // namespace scarce_memory
