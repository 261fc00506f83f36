// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

/// How many records of each thread were accepted, in a file: for whoever compares it with the output. The
/// file is memory shared with its readers, so it tells the truth however the program ends.
class tally {
public:
  /// An empty path: nothing is counted. Throws std::system_error.
  tally(const std::string& path, long threads);

  /// `write` has returned: the record is owed. Any thread; also one that outlives everything else.
  void note(long thread) const noexcept {
    // Relaxed: read when the program has ended.
    if (counts_ != nullptr) counts_[thread].fetch_add(1, std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint32_t>* counts_ = nullptr; ///< never unmapped
};
