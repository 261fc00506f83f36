// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdio>
#include <string>

namespace example {

/// Prints a line with one write. What a program said is then out, however it ends; whether it could be
/// written, lastcall looks up at the end.
inline void say(std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

} // namespace example
