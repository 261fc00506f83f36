// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace tiny {

/// A place in a script; both count from 1, columns in bytes.
struct position {
  std::uint32_t line = 1, column = 1;
  friend bool operator==(const position&, const position&) = default;
};

/// What is wrong with a script, or what it raised: "3:7: there is no word 'prnt'".
class problem : public std::runtime_error {
public:
  problem(position at, const std::string& what)
      : std::runtime_error{std::to_string(at.line) + ':' + std::to_string(at.column) + ": " + what},
        at_{at} {}
  position at() const noexcept { return at_; }

private:
  position at_;
};

} // namespace tiny
