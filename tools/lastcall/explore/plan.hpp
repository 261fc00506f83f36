// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/options.hpp"
#include "explore/survey.hpp"

#include <cstddef>
#include <vector>

namespace checker {

/// Which requests to make, one run each, in the order of the program.
struct plan {
  std::size_t points = 0; ///< calls times positions that exist, before any limit
  std::vector<injection> runs;
};

/// Every position that a call has and that was asked for, times every signal and scope. A limit on points
/// takes evenly spread ones, first and last included.
[[nodiscard]] plan make_plan(const options& wanted, const std::vector<candidate>& candidates);

} // namespace checker
