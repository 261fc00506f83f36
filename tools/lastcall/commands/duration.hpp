// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"

#include <optional>
#include <string_view>

namespace checker {

/// Reads `500ms`, `2s`, `1.5m`, `1h` or a plain number of seconds. Empty where `text` is none of these or not
/// above zero.
[[nodiscard]] std::optional<seconds> parse_duration(std::string_view text);

} // namespace checker
