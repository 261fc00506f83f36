// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/expect_proof.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace stepping {

namespace {

// A program's first exception makes the loader look up some functions: ten thousand instructions that are the
// same for any function called for the first time. Done before the runs are forked.
void throw_once() {
  try {
    throw lastcall::interrupted{lastcall::request{}};
  } catch (const lastcall::interrupted&) {
  }
}

} // namespace

void expect_proof(const std::string& name, const subject& what) {
  if (const std::string why = impossible_here(); !why.empty()) GTEST_SKIP() << why;
  throw_once();
  const tally sum = prove(what);
  std::printf("%s\n", sum.text(name).c_str());
  EXPECT_TRUE(sum.failures.empty());
  // A sanitizer's allocator now and then goes another way.
  EXPECT_LE(sum.missed, sum.every == 1 ? 0 : sum.runs / 20);
  EXPECT_GT(sum.instructions, 10U);
  EXPECT_EQ(sum.asleep, what.sleeps ? 1U : 0U);
}

} // namespace stepping
