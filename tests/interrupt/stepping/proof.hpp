// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/stepping/traced_run.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace stepping {

/// Why nothing can be proven by stepping here; empty where it can.
std::string impossible_here();

/// What came of interrupting a subject at each of its instructions, one run for each.
struct tally {
  std::size_t instructions = 0; ///< between the marks
  std::size_t runs = 0;         ///< interrupted runs; less than instructions where only every n-th is visited
  std::size_t every = 1;        ///< 1: each instruction was visited
  std::size_t asleep = 0;       ///< of them, while it slept in the kernel
  std::size_t clock_retries = 0;     ///< instructions of a reading of the clock that only the recording made
  std::size_t missed = 0;            ///< runs that went another way and did not meet their instruction
  std::string where_missed;          ///< the last of these instructions
  std::vector<std::string> failures; ///< instruction and what was wrong

  std::string text(const std::string& name) const;
};

/// Interrupts `what` by its signal at every instruction between its marks, the last run being that of a
/// signal that comes with the end mark. Where that would take too long (a slow machine, a sanitizer's
/// instructions between ours) at every n-th; with LASTCALL_EVERY_INSTRUCTION in the environment, at every
/// one.
tally prove(const subject& what);

} // namespace stepping
