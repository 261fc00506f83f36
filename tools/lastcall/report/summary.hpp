// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/explore.hpp"
#include "report/tally.hpp"

#include <string>
#include <string_view>

namespace checker {

enum class colour { never, always };

/// What is left unsaid unless asked for.
enum class detail {
  findings,     ///< the defects, and which runs prove nothing
  and_swallowed ///< also the points at which the request left no trace
};

[[nodiscard]] std::string_view to_string(isolation) noexcept;

/// True where runs that were planned were not made.
[[nodiscard]] bool is_partial(const outcome&) noexcept;

/// The last lines of what a subject wrote, at most 8 and 1,200 bytes.
[[nodiscard]] std::string excerpt(std::string_view text);

/// The report for a reader: each group with its sentence, its smallest example and the line that reproduces
/// it; then how much was run.
[[nodiscard]] std::string summary(const options&, const outcome&, const tally&, detail, colour);

} // namespace checker
