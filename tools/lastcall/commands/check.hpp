// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <vector>

namespace checker {

enum class exit_status : int {
  nothing_found = 0,
  defects = 1,
  cannot_check = 2, ///< wrong use, or the check cannot be made, or it proved nothing
  undisturbed_run_failed = 3,
};

/// `lastcall check`: reads the words after it, explores, reports. Does not return where a signal asked the
/// check to end: it then ends by that signal, after the partial report.
[[nodiscard]] exit_status check(const std::vector<std::string>& words);

} // namespace checker
