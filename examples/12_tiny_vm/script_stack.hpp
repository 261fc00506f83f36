// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "program.hpp"
#include "value.hpp"

#include <cstddef>
#include <exception>
#include <vector>

namespace tiny {

/// A function that was called and has not given back yet.
struct frame {
  const function* of = nullptr;
  std::size_t next = 0;   ///< the instruction
  std::size_t base = 0;   ///< where its locals begin
  std::size_t blocks = 0; ///< how many there were outside
};

/// A `with` or `try` that was entered.
struct block {
  std::size_t handler = 0; ///< the instruction
  std::size_t height = 0;  ///< of the values
  std::size_t flights = 0;
  int shields = 0;
};

/// What a `finally` goes on with when it is over.
struct in_flight {
  std::exception_ptr raised{}; ///< or, none:
  value given_back{};
};

/// A thread of a script: its values, and where it is.
struct script_stack {
  std::vector<value> values;
  std::size_t used = 0; ///< of the values; those above refer to nothing
  std::vector<frame> frames;
  std::vector<block> blocks;
  std::vector<in_flight> flights;

  /// For the end of all cells.
  void forget() noexcept {
    for (auto& one : values) one.forget();
    for (auto& one : flights) one.given_back.forget();
  }
};

} // namespace tiny
