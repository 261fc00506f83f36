// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Linked into tests that lose output on purpose: a process that has lost some does not end with 0.
#include "runtime/last_words.hpp"

#include <gtest/gtest.h>

namespace {

struct forgets_losses : testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override { lastcall::detail::forget_lost_output(); }
};

// Googletest owns it.
[[maybe_unused]] const bool listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new forgets_losses);
  return true;
}();

} // namespace
