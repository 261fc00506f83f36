// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace checker {

/// The lines of `err` that tell of a program falling apart rather than stopping (a traceback, a sanitizer's
/// report, a corrupted heap, an uncaught exception) and that no undisturbed run wrote. A plain message about
/// the request ("Interrupted", "Terminated", "stopping …") is not noise. Numbers are ignored when lines are
/// compared with those of the undisturbed runs.
[[nodiscard]] std::vector<std::string> noise_in(std::string_view err,
                                                const std::vector<std::string_view>& undisturbed);

} // namespace checker
