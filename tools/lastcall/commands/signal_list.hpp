// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <vector>

namespace checker {

/// Reads one signal: `INT`, `SIGINT`, `int`, `2`, `RTMIN+1`. Throws usage_error naming it where there is no
/// such signal, or where no program can act on it (SIGKILL, SIGSTOP).
[[nodiscard]] int parse_signal(const std::string& text);

/// Reads `INT,TERM`; a signal named twice counts once.
[[nodiscard]] std::vector<int> parse_signals(const std::vector<std::string>& names);

} // namespace checker
