// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "opcode.hpp"
#include "problem.hpp"
#include "program.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tiny {

/// A point at which a request did harm.
struct window {
  std::size_t point = 0; ///< from 1
  opcode after{}, before{};
  position where{};
  long leaked = 0;      ///< locks left held
  long unfinalized = 0; ///< finalizers not run, or cut
  bool lost = false;    ///< the script never heard of the request
};

struct sweep {
  std::size_t points = 0;
  long leaked = 0, unfinalized = 0, lost = 0;
  std::vector<window> windows;
  int stopped_by = 0; ///< a signal of somebody's who does not want to wait for the rest
};

/// Runs a script once for each opcode of its main thread, with a request before that one, each time in a
/// signal_scope and a runtime of its own. What it prints goes nowhere. `most` bounds scripts without an end;
/// one that waits for ever has its last point there.
sweep interrupt_everywhere(const std::shared_ptr<const program>& code, std::size_t most);

/// "points 61 leaked 0 unfinalized 0 lost 0"
std::string describe(const sweep& what);
/// "point 17, between CALL and POP, line 5: 1 lock leaked"
std::string describe(const window& what);

} // namespace tiny
