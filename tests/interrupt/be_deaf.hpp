// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>

/// A loop that never looks at anything. Under ThreadSanitizer a handler waits until its thread makes a call
/// or an atomic access (docs/limits.md), so there the loop makes one.
[[noreturn]] inline void be_deaf() {
  [[maybe_unused]] std::atomic<int> word{0};
  for (;;) {
#if defined(__SANITIZE_THREAD__)
    word.load(std::memory_order_relaxed);
#else
    asm volatile("");
#endif
  }
}
