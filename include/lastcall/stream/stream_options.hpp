// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace lastcall {

/// When a writer gives its buffer to the kernel.
enum class flush_mode : std::uint8_t {
  block,    ///< when it is full
  line,     ///< also after a record with a line's end in it
  automatic ///< by line where the descriptor is a terminal, by block elsewhere
};

/// How a stream is made.
struct stream_options {
  std::string name = "stream"; ///< for errors and reports
  flush_mode flush = flush_mode::automatic;
  std::size_t buffer = std::size_t{32} * 1024; ///< bytes, rounded up to a power of two; at least 1
};

} // namespace lastcall
